"""Properties of the cores' units, each alone: equal to the table of instructions, or to arithmetic."""

from amaranth.hdl import Assert, Assume, C, Cat, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.decoder import Decoder
from rtl.riscv.units.divider import Divider
from rtl.riscv.units.expander import Expander
from verif.formal.riscv.instructions import instruction_set
from verif.formal.riscv.semantics import Operands, execute

__all__ = ["DividerProperties", "ExecuteProperties"]

_COMPUTED = ("r", "i", "h", "u")
_ADDRESS = ("load", "store", "jal", "jalr")


class ExecuteProperties(wiring.Component):
    """Expander, decoder and ALU in a row, for any instruction word, pc and operands.

    Asserted: legality, the registers that are named, results, addresses and
    targets, and comparisons of branches, as the table of instructions has
    them. There is no state, so one cycle proves it for ever.

    Parameters
    ----------
    preset, options
        The core, as in :meth:`rtl.riscv.config.CoreConfig.preset`.
    """

    def __init__(self, *, preset: str = "small", **options: object) -> None:
        self._config = CoreConfig.preset(preset, **options)
        super().__init__({"insn": In(32), "pc": In(32), "rs1": In(32), "rs2": In(32)})

    def elaborate(self, platform: object) -> Module:
        """Return the units and the assertions."""
        m = Module()
        config = self._config
        m.submodules.expander = expander = Expander(config)
        m.submodules.decoder = decoder = Decoder(config)
        m.submodules.alu = alu = Alu(config)
        control = decoder.control
        short = C(0, 1) if not config.c else self.insn[:2] != 3
        insn = Mux(short, self.insn[:16], self.insn)
        m.d.comb += [
            expander.raw.eq(self.insn),
            decoder.instruction.eq(expander.instruction),
            alu.control.eq(control.alu),
            alu.a.eq(Mux(control.a_pc, self.pc, Mux(control.a_zero, 0, self.rs1))),
            alu.b.eq(Mux(control.b_immediate, control.immediate, self.rs2)),
        ]
        on = Operands(insn=insn, pc=self.pc, mode=C(3, 2), rs1=self.rs1, rs2=self.rs2, read_data=C(0, 32))
        effect = execute(m, config, on, "expect")
        illegal = control.illegal | expander.illegal
        m.d.comb += Assert(illegal == ~effect.legal)
        if config.c:
            m.d.comb += Assert(expander.compressed == short)
        with m.If(effect.legal):
            m.d.comb += [
                Assert(control.reads_rs1 == effect.uses_rs1),
                # zext.h names x0 there, which may as well be read.
                Assert((control.reads_rs2 == effect.uses_rs2) | (effect.rs2 == 0)),
                Assert(control.writes_rd == effect.rd.any()),
            ]
        for instruction in instruction_set(config):
            with m.If(effect.legal & effect.hits[instruction.name]):
                m.d.comb += Cover(C(1, 1), instruction.name)
                if instruction.form in _COMPUTED and instruction.needs != "m":
                    m.d.comb += Assert(alu.result == effect.result)
                elif instruction.form in ("load", "store"):
                    m.d.comb += Assert(alu.sum == effect.access)
                elif instruction.form in ("jal", "jalr"):
                    m.d.comb += Assert(alu.sum[1:] == effect.next_pc[1:])
                elif instruction.form == "branch":
                    said = {"beq": alu.equal, "bne": ~alu.equal, "blt": alu.less, "bge": ~alu.less,
                            "bltu": alu.less, "bgeu": ~alu.less}[instruction.name]  # fmt: skip
                    taken = instruction.result(m, self.rs1, self.rs2)
                    target = Signal(32, name=f"target_of_{instruction.name}")
                    m.d.comb += [
                        target.eq(self.pc + control.immediate),
                        Assert(said == taken),
                        Assert(~taken | (target == effect.next_pc)),
                    ]
        return m


class DividerProperties(wiring.Component):
    """A divider that is started once after reset, beside long division as on paper.

    Asserted: quotient and remainder of all four operations, for any divisor,
    division by zero and overflow included; and that it ends in time.

    Parameters
    ----------
    early_out
        As for :class:`rtl.riscv.units.divider.Divider`.
    bits
        Only dividends whose magnitude has this many bits.
    """

    def __init__(self, *, early_out: bool = False, bits: int = 32) -> None:
        self._early_out, self._bits = early_out, bits
        super().__init__({"start": In(1), "operation": In(2), "a": In(32), "b": In(32)})

    def elaborate(self, platform: object) -> Module:
        """Return the divider and the assertions."""
        m = Module()
        m.submodules.dut = dut = Divider(early_out=self._early_out)
        begun, age = Signal(), Signal(7)
        a, b, operation = (Signal(n, name=f"given_{name}") for name, n in (("a", 32), ("b", 32), ("op", 2)))
        signed = ~self.operation[0]
        if self._bits < 32:
            magnitude = Mux(signed & self.a[31], -self.a, self.a)[:32]
            m.d.comb += Assume(magnitude[self._bits :] == 0)
        m.d.comb += [
            dut.a.eq(self.a),
            dut.b.eq(self.b),
            dut.start.eq(self.start),
            dut.operation.eq(Mux(self.start, self.operation, operation)),
            Assume(self.start == ~begun),
        ]
        with m.If(self.start):
            m.d.sync += [begun.eq(1), a.eq(self.a), b.eq(self.b), operation.eq(self.operation), age.eq(0)]
        with m.Elif(~age.all()):
            m.d.sync += age.eq(age + 1)
        minus_a, minus_b = ~operation[0] & a[31], ~operation[0] & b[31]
        size_a = Mux(minus_a, -a, a)[:32]
        size_b = Mux(minus_b, -b, b)[:32]
        result = dut.result
        plus = Signal(32)
        minus = Mux(operation[1], minus_a, minus_a ^ minus_b)
        m.d.comb += plus.eq(Mux(minus, -result, result))
        quotient = _long_division(m, size_a, size_b, self._bits)
        with m.If(begun & dut.done):
            with m.If(b == 0):
                m.d.comb += Assert(result == Mux(operation[1], a, 0xFFFF_FFFF))
            with m.Else():
                m.d.comb += Assert(plus == Mux(operation[1], quotient[1], quotient[0]))
            m.d.comb += Cover(operation == 0)
        with m.If(begun & (age > (self._bits + 4 if self._early_out else 36))):
            m.d.comb += Assert(dut.done)
        return m


def _long_division(m: Module, a: Signal, b: Signal, bits: int) -> tuple[Signal, Signal]:
    """Return quotient and remainder as on paper: a bit at a time, from the top."""
    remainder: Signal = C(0, 33)
    quotient = []
    for place in reversed(range(bits)):
        shifted, rest = Signal(33, name=f"shifted_{place}"), Signal(33, name=f"rest_{place}")
        fits = Signal(name=f"fits_{place}")
        m.d.comb += [
            shifted.eq(Cat(a[place], remainder[:32])),
            fits.eq(shifted >= b),
            rest.eq(Mux(fits, shifted - b, shifted)),
        ]
        quotient.insert(0, fits)
        remainder = rest
    return Cat(*quotient, C(0, 32 - bits) if bits < 32 else C(0, 0)), remainder[:32]

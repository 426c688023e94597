"""Properties of the cores' units, each alone: equal to the table of instructions, or to arithmetic."""

from amaranth.hdl import Assert, Assume, C, Cat, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.decoder import Decoder
from rtl.riscv.units.divider import Divider
from rtl.riscv.units.expander import Expander
from rtl.riscv.units.multiplier import IterativeMultiplier, Multiplier
from verif.formal.riscv.instructions import instruction_set
from verif.formal.riscv.semantics import Operands, execute

__all__ = ["DividerProperties", "ExecuteProperties", "IterativeMultiplierProperties", "MultiplierProperties"]

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
    """A divider that is started at any time, beside what division means.

    Asserted of every result: ``a = quotient * b + remainder``, the remainder
    is smaller than the divisor and has the dividend's sign; with the two
    exceptions of the manual. The product is not multiplied, which no solver
    would finish, but grows with the quotient's bits as they are found: twice
    itself, and the divisor where the bit is one.

    Parameters
    ----------
    early_out
        As for :class:`rtl.riscv.units.divider.Divider`.
    bits
        Only dividends of this many bits, and a sign.
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
        small = self.a[self._bits :] == 0
        if self._bits < 32:
            high = self.a[self._bits :]
            m.d.comb += Assume(small | (signed & high.all()))
        m.d.comb += [
            dut.a.eq(self.a),
            dut.b.eq(self.b),
            dut.start.eq(self.start),
            dut.operation.eq(Mux(self.start, self.operation, operation)),
            Assume(~self.start | ~dut.busy),
            Assume(~begun | ~self.start),  # one division
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
        with m.If(begun & (age > self._bits + 4)):
            m.d.comb += Assert(dut.done | (not self._early_out and self._bits < 32))
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


def _product(m: Module, operation: Signal, a: Signal, b: Signal) -> Signal:
    """Return what the four multiplications give."""
    a_signed, b_signed = operation != 3, ~operation[1]
    x = Cat(a, (a[31] & a_signed).replicate(32))
    y = Cat(b, (b[31] & b_signed).replicate(32))
    total = Signal(64)
    m.d.comb += total.eq(x * y)
    return Mux(operation == 0, total[:32], total[32:])


class MultiplierProperties(wiring.Component):
    """The array multiplier, against Yosys's own product, with a narrow ``b``.

    Parameters
    ----------
    registered
        As for :class:`rtl.riscv.units.multiplier.Multiplier`.
    bits
        Only those ``b`` are looked at that are this many bits wide with their sign.
    place
        Where in ``b`` these bits are.
    """

    def __init__(self, *, registered: bool = True, bits: int = 4, place: int = 0) -> None:
        self._registered, self._bits, self._place = registered, bits, place
        super().__init__({"operation": In(2), "a": In(32), "digit": In(bits), "enable": In(1)})

    def elaborate(self, platform: object) -> Module:
        """Return the multiplier and the assertion."""
        m = Module()
        m.submodules.dut = dut = Multiplier(registered=self._registered)
        b = Signal(32)
        m.d.comb += [
            b.eq(Cat(C(0, self._place), self.digit, self.digit[-1].replicate(32))),
            dut.operation.eq(self.operation),
            dut.a.eq(self.a),
            dut.b.eq(b),
            dut.enable.eq(self.enable),
        ]
        expected = Signal(32)
        if self._registered:
            valid = Signal()
            with m.If(self.enable):
                m.d.sync += [valid.eq(1), expected.eq(_product(m, self.operation, self.a, b))]
            m.d.comb += [Assert(~valid | (dut.result == expected)), Cover(valid)]
        else:
            m.d.comb += [expected.eq(_product(m, self.operation, self.a, b)), Assert(dut.result == expected)]
        return m


class IterativeMultiplierProperties(wiring.Component):
    """The multiplier of several passes, beside a product that is summed row by row.

    Asserted of every pass: what was settled, and what is still apart as sum
    and carries, make the sum of the rows so far. The rows come as the unit
    consumes them, so that each step is an addition that a solver finishes,
    and all 32 bits of both operands are covered.

    Parameters
    ----------
    bits
        As for :class:`rtl.riscv.units.multiplier.IterativeMultiplier`.
    width
        Only those ``b`` that are this many bits wide with their sign.
    """

    def __init__(self, *, bits: int = 8, width: int = 8) -> None:
        self._bits, self._width = bits, width
        super().__init__({"start": In(1), "operation": In(2), "a": In(32), "digit": In(width)})

    def elaborate(self, platform: object) -> Module:
        """Return the multiplier and the assertion."""
        m = Module()
        m.submodules.dut = dut = IterativeMultiplier(bits=self._bits)
        b = Signal(32)
        begun, operation = Signal(), Signal(2)
        expected = Signal(32)
        m.d.comb += [
            b.eq(Cat(self.digit, self.digit[-1].replicate(32))),
            dut.start.eq(self.start & (~dut.busy | dut.done)),
            dut.operation.eq(Mux(dut.start, self.operation, operation)),
            dut.a.eq(self.a),
            dut.b.eq(b),
        ]
        ready = Signal()
        m.d.sync += ready.eq(dut.done | (ready & ~dut.start))
        with m.If(dut.start):
            m.d.sync += [
                begun.eq(1),
                operation.eq(self.operation),
                expected.eq(_product(m, self.operation, self.a, b)),
                ready.eq(0),
            ]
        with m.If(begun & ready & ~dut.busy):
            m.d.comb += [Assert(dut.result == expected), Cover(C(1, 1))]
        return m

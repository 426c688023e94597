"""Compressed instructions (C and Zcb), expanded to their 32-bit equals."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Opcode

__all__ = ["Expander"]

_ZERO, _RA, _SP = 0, 1, 2


def _r(opcode: Opcode, funct3: int, rd: object, rs1: object, rs2: object, funct7: int = 0) -> Value:
    """Return an instruction of the R format; registers are numbers or values."""
    fields = [(0b11, 2), (opcode, 5), (rd, 5), (funct3, 3), (rs1, 5), (rs2, 5), (funct7, 7)]
    return Cat(Const(x, width) if isinstance(x, int) else x for x, width in fields)


def _i(opcode: Opcode, funct3: int, rd: object, rs1: object, immediate: Value) -> Value:
    return Cat(_r(opcode, funct3, rd, rs1, 0)[:20], immediate)


def _s(funct3: int, rs1: object, rs2: object, immediate: Value) -> Value:
    return Cat(_r(Opcode.STORE, funct3, immediate[:5], rs1, rs2)[:25], immediate[5:12])


class Expander(wiring.Component):
    """Expand an instruction if it is compressed; else let it pass.

    Parameters
    ----------
    config : CoreConfig
        Whether there are C, Zcb, and what single instructions of Zcb need.

    Members
    -------
    raw : In(32)
        What was fetched; of a compressed instruction, the low half counts.
    instruction : Out(32)
        The 32-bit instruction, or, when ``illegal``, the 16 bits as fetched.
    compressed : Out(1)
        The instruction has 16 bits.
    illegal : Out(1)
        It has 16 bits, and is reserved or not of this core. Others are the
        decoder's to judge.

    Timing
    ------
    Combinational.

    Source
    ------
    RISC-V Instruction Set Manual, volume I, chapters "C" and "Zc".
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__({"raw": In(32), "instruction": Out(32), "compressed": Out(1), "illegal": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        raw, config = self.raw, self._config
        if not config.c:
            m.d.comb += self.instruction.eq(raw)
            return m
        expanded, legal = Signal(32), Signal()
        m.d.comb += [
            self.compressed.eq(raw[:2] != 0b11),
            self.illegal.eq(self.compressed & ~legal),
        ]
        with m.If(~self.compressed):
            m.d.comb += self.instruction.eq(raw)
        with m.Elif(self.illegal):
            m.d.comb += self.instruction.eq(raw[:16])
        with m.Else():
            m.d.comb += self.instruction.eq(expanded)
        with m.Switch(raw[:2]):
            with m.Case(0b00):
                self._quadrant_0(m, expanded, legal)
            with m.Case(0b01):
                self._quadrant_1(m, expanded, legal)
            with m.Default():
                self._quadrant_2(m, expanded, legal)
        return m

    def _allowed(self, *registers: Value) -> Value:
        """Return whether the core has these registers."""
        return ~Cat(x[4] for x in registers).any() if self._config.e else Const(1)

    def _quadrant_0(self, m: Module, expanded: Signal, legal: Signal) -> None:
        x = self.raw
        low, base = _short(x[2:5]), _short(x[7:10])
        word = Cat(Const(0, 2), x[6], x[10:13], x[5], Const(0, 5))
        frame = Cat(Const(0, 2), x[6], x[5], x[11:13], x[7:11], Const(0, 2))
        with m.Switch(x[13:16]):
            with m.Case(0b000):  # c.addi4spn
                m.d.comb += expanded.eq(_i(Opcode.OP_IMM, 0, low, _SP, frame))
                m.d.comb += legal.eq(x[5:13].any())
            with m.Case(0b010):  # c.lw
                m.d.comb += [expanded.eq(_i(Opcode.LOAD, 2, low, base, word)), legal.eq(1)]
            with m.Case(0b110):  # c.sw
                m.d.comb += [expanded.eq(_s(2, base, low, word)), legal.eq(1)]
            if self._config.zcb:
                with m.Case(0b100):
                    self._narrow(m, expanded, legal, low, base)

    def _narrow(self, m: Module, expanded: Signal, legal: Signal, low: Value, base: Value) -> None:
        x = self.raw
        byte = Cat(x[6], x[5], Const(0, 10))
        half = Cat(Const(0, 1), x[5], Const(0, 10))
        with m.Switch(x[10:13]):
            with m.Case(0b000):  # c.lbu
                m.d.comb += [expanded.eq(_i(Opcode.LOAD, 4, low, base, byte)), legal.eq(1)]
            with m.Case(0b001):  # c.lhu, c.lh
                halves = _i(Opcode.LOAD, 1, low, base, half)
                m.d.comb += [expanded.eq(Cat(halves[:14], ~x[6], halves[15:])), legal.eq(1)]
            with m.Case(0b010):  # c.sb
                m.d.comb += [expanded.eq(_s(0, base, low, byte)), legal.eq(1)]
            with m.Case(0b011):  # c.sh
                m.d.comb += [expanded.eq(_s(1, base, low, half)), legal.eq(~x[6])]

    def _quadrant_1(self, m: Module, expanded: Signal, legal: Signal) -> None:
        x = self.raw
        rd = x[7:12]
        sign = x[12]
        small = Cat(x[2:7], sign.replicate(7))
        stack = Cat(Const(0, 4), x[6], x[2], x[5], x[3:5], sign.replicate(3))
        offset = Cat(x[3:6], x[11], x[2], x[7], x[6], x[9:11], x[8])  # bits 10 to 1
        # The J format holds bits 20, 10 to 1, 11, 19 to 12.
        jump = Cat(offset, sign.replicate(9), sign)
        branch = Cat(Const(0, 1), x[3:5], x[10:12], x[2], x[5:7], sign.replicate(4))
        base = _short(x[7:10])
        with m.Switch(x[13:16]):
            with m.Case(0b000):  # c.addi, c.nop
                m.d.comb += expanded.eq(_i(Opcode.OP_IMM, 0, rd, rd, small))
                m.d.comb += legal.eq(self._allowed(rd))
            with m.Case(0b001, 0b101):  # c.jal, c.j
                link = Cat(~x[15], Const(0, 4))
                m.d.comb += [
                    expanded.eq(Cat(Const(0b11, 2), Const(Opcode.JAL, 5), link, _jump(jump))),
                    legal.eq(1),
                ]
            with m.Case(0b010):  # c.li
                m.d.comb += expanded.eq(_i(Opcode.OP_IMM, 0, rd, _ZERO, small))
                m.d.comb += legal.eq(self._allowed(rd))
            with m.Case(0b011):  # c.lui, c.addi16sp
                m.d.comb += legal.eq((sign | x[2:7].any()) & self._allowed(rd))
                with m.If(rd == _SP):
                    m.d.comb += expanded.eq(_i(Opcode.OP_IMM, 0, rd, rd, stack))
                with m.Else():
                    m.d.comb += expanded.eq(
                        Cat(Const(0b11, 2), Const(Opcode.LUI, 5), rd, x[2:7], sign.replicate(15))
                    )
            with m.Case(0b100):
                self._arithmetic(m, expanded, legal, base)
            with m.Default():  # c.beqz, c.bnez
                low = Cat(branch[11], branch[1:5])
                high = Cat(branch[5:11], sign)
                code = Cat(_r(Opcode.BRANCH, 0, low, base, _ZERO)[:25], high)
                m.d.comb += [expanded.eq(Cat(code[:12], x[13], code[13:])), legal.eq(1)]

    def _arithmetic(self, m: Module, expanded: Signal, legal: Signal, base: Value) -> None:
        x, config = self.raw, self._config
        low = _short(x[2:5])
        small = Cat(x[2:7], x[12].replicate(7))
        with m.Switch(x[10:12]):
            with m.Case(0b00, 0b01):  # c.srli, c.srai
                shift = _r(Opcode.OP_IMM, 5, base, base, x[2:7])
                m.d.comb += [expanded.eq(Cat(shift[:30], x[10], Const(0, 1))), legal.eq(~x[12])]
            with m.Case(0b10):  # c.andi
                m.d.comb += [expanded.eq(_i(Opcode.OP_IMM, 7, base, base, small)), legal.eq(1)]
            with m.Default(), m.Switch(Cat(x[5:7], x[12])):
                for code, (funct3, funct7) in enumerate(((0, 0x20), (4, 0), (6, 0), (7, 0))):
                    with m.Case(code):  # c.sub, c.xor, c.or, c.and
                        m.d.comb += expanded.eq(_r(Opcode.OP, funct3, base, base, low, funct7))
                        m.d.comb += legal.eq(1)
                if config.zcb and config.m:
                    with m.Case(0b110):  # c.mul
                        m.d.comb += [expanded.eq(_r(Opcode.OP, 0, base, base, low, 1)), legal.eq(1)]
                if config.zcb:
                    with m.Case(0b111):
                        self._unary(m, expanded, legal, base)

    def _unary(self, m: Module, expanded: Signal, legal: Signal, base: Value) -> None:
        choices = {
            0b000: _i(Opcode.OP_IMM, 7, base, base, Const(0xFF, 12)),  # c.zext.b
            0b101: _i(Opcode.OP_IMM, 4, base, base, Const(0xFFF, 12)),  # c.not
        }
        if self._config.zbb:
            choices |= {
                0b001: _i(Opcode.OP_IMM, 1, base, base, Const(0x604, 12)),  # c.sext.b
                0b010: _r(Opcode.OP, 4, base, base, _ZERO, 4),  # c.zext.h
                0b011: _i(Opcode.OP_IMM, 1, base, base, Const(0x605, 12)),  # c.sext.h
            }
        with m.Switch(self.raw[2:5]):
            for code, instruction in choices.items():
                with m.Case(code):
                    m.d.comb += [expanded.eq(instruction), legal.eq(1)]

    def _quadrant_2(self, m: Module, expanded: Signal, legal: Signal) -> None:
        x = self.raw
        rd, rs2 = x[7:12], x[2:7]
        load = Cat(Const(0, 2), x[4:7], x[12], x[2:4], Const(0, 4))
        store = Cat(Const(0, 2), x[9:13], x[7:9], Const(0, 4))
        with m.Switch(x[13:16]):
            with m.Case(0b000):  # c.slli
                m.d.comb += expanded.eq(_r(Opcode.OP_IMM, 1, rd, rd, rs2))
                m.d.comb += legal.eq(~x[12] & self._allowed(rd))
            with m.Case(0b010):  # c.lwsp
                m.d.comb += expanded.eq(_i(Opcode.LOAD, 2, rd, _SP, load))
                m.d.comb += legal.eq(rd.any() & self._allowed(rd))
            with m.Case(0b110):  # c.swsp
                m.d.comb += expanded.eq(_s(2, _SP, rs2, store))
                m.d.comb += legal.eq(self._allowed(rs2))
            with m.Case(0b100):
                with m.If(rs2.any()):  # c.mv, c.add
                    source = rd & x[12].replicate(5)
                    m.d.comb += expanded.eq(_r(Opcode.OP, 0, rd, source, rs2))
                    m.d.comb += legal.eq(self._allowed(rd, rs2))
                with m.Elif(rd.any()):  # c.jr, c.jalr
                    link = Cat(x[12], Const(0, 4))
                    m.d.comb += expanded.eq(_r(Opcode.JALR, 0, link, rd, 0))
                    m.d.comb += legal.eq(self._allowed(rd))
                with m.Else():  # c.ebreak
                    m.d.comb += [expanded.eq(0x0010_0073), legal.eq(x[12])]


def _short(number: Value) -> Value:
    """Return the register, x8 to x15, that three bits name."""
    return Cat(number, Const(0b01, 2))


def _jump(offset: Value) -> Value:
    """Return bits 31 to 12 of a jump by bits 20 to 1 of an offset."""
    return Cat(offset[11:19], offset[10], offset[:10], offset[19])

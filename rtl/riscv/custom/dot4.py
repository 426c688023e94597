"""The example of a custom unit: dot products of four signed bytes."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.interfaces import CustomUnit
from rtl.riscv.isa import Opcode

__all__ = ["Dot4Unit", "dot4"]

_MASK = (1 << 32) - 1


def dot4(rs1: int, rs2: int, accumulator: int = 0) -> int:
    """Return what the unit computes: the model for benches.

    Parameters
    ----------
    rs1, rs2
        Words of four signed bytes.
    accumulator
        What is added to the sum of their products, 32 bits that wrap.
    """

    def signed(word: int, lane: int) -> int:
        byte = (word >> (8 * lane)) & 0xFF
        return byte - 256 if byte & 0x80 else byte

    return (accumulator + sum(signed(rs1, lane) * signed(rs2, lane) for lane in range(4))) & _MASK


class Dot4Unit(wiring.Component):
    """``dot4`` and ``dot4acc`` on the opcode custom-0, in R format with funct7 0.

    =========  ======  ====================================================
    mnemonic   funct3  result in ``rd``
    =========  ======  ====================================================
    dot4       0       sum of the four products of bytes of rs1 and rs2
    dot4acc    1       the same, added to the accumulator, which keeps it
    dot4set    2       the accumulator before; then it is rs1
    =========  ======  ====================================================

    Bytes are signed; sums wrap at 32 bits. Other encodings are answered with
    an error, which becomes an illegal instruction trap.

    Members
    -------
    bus : In(CustomUnit())
        The core.

    Timing
    ------
    A request is taken when none is in work; the answer comes in the next
    cycle. The accumulator is zero after reset.
    """

    bus: In(CustomUnit())

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        bus, word = self.bus, self.bus.instruction
        accumulator, busy, error = Signal(32), Signal(), Signal()
        function, operand = Signal(2), Signal(32)
        products = sum(
            (
                bus.rs1[low : low + 8].as_signed() * bus.rs2[low : low + 8].as_signed()
                for low in range(0, 32, 8)
            ),
            Const(0, 1),
        )
        # The product is registered, so that multipliers and accumulator share no path.
        m.d.comb += [bus.request_ready.eq(~busy), bus.response_valid.eq(busy)]
        m.d.sync += busy.eq(bus.request_valid & ~busy)
        with m.If(bus.request_valid & ~busy):
            legal = (word[2:7] == Opcode.CUSTOM_0) & ~word[25:32].any() & (word[12:15] < 3)
            m.d.sync += [
                error.eq(~legal),
                function.eq(word[12:14]),
                operand.eq(Mux(word[13], bus.rs1, products.as_signed())),
            ]
        total = Signal(32)
        m.d.comb += [
            total.eq(operand + Mux(function == 1, accumulator, 0)),
            bus.response_error.eq(error),
            bus.response_data.eq(Mux(function == 2, accumulator, total)),
        ]
        with m.If(busy & ~error & (function != 0)):
            m.d.sync += accumulator.eq(total)
        return m

"""Arithmetic of the nano pipeline, and the lanes of its loads and stores."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Alu", "LoadStoreLanes"]


class Alu(wiring.Component):
    """One adder for sums, differences, comparisons and addresses; and the logic beside it.

    Members
    -------
    a, b : In(32)
        The operands.
    subtract : In(1)
        ``a - b`` instead of ``a + b``; comparisons need it.
    unsigned : In(1)
        Whether ``less`` compares without sign.
    sum, difference_bits, common_bits : Out(32)
        ``a + b`` or ``a - b``; ``a ^ b`` and ``a & b``, which mean something
        without `subtract` only. Their disjunction is ``a | b``.
    equal, less : Out(1)
        ``a == b`` and ``a < b``, with `subtract` only.

    Timing
    ------
    Combinational.
    """

    a: In(32)
    b: In(32)
    subtract: In(1)
    unsigned: In(1)
    sum: Out(32)
    difference_bits: Out(32)
    common_bits: Out(32)
    equal: Out(1)
    less: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        b = Signal(32)
        total = Signal(34)
        m.d.comb += [
            b.eq(self.b ^ self.subtract.replicate(32)),
            # The lowest bit makes the carry into the adder.
            total.eq(Cat(self.subtract, self.a) + Cat(self.subtract, b)),
            self.sum.eq(total[1:33]),
            self.difference_bits.eq(self.a ^ b),
            self.common_bits.eq(self.a & b),
            self.equal.eq(self.difference_bits.all()),
            self.less.eq(Mux(self.a[31] ^ self.b[31], Mux(self.unsigned, self.b[31], self.a[31]), total[32])),
        ]
        return m


class LoadStoreLanes(wiring.Component):
    """Move bytes and halves between their lanes of the bus and the low end of a register.

    Members
    -------
    funct3 : In(3)
        Of the load or store.
    offset : In(2)
        The low bits of the address.
    misaligned : Out(1)
        The access crosses a word, or begins in the middle of a half.
    strobe : Out(4)
        The bytes of the word that it covers.
    register, write_data : In(32), Out(32)
        What a store moves.
    read_data, loaded : In(32), Out(32)
        What a load moves, extended.

    Timing
    ------
    Combinational.
    """

    funct3: In(3)
    offset: In(2)
    misaligned: Out(1)
    strobe: Out(4)
    register: In(32)
    write_data: Out(32)
    read_data: In(32)
    loaded: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        byte, word = ~self.funct3[:2].any(), self.funct3[1]
        lanes = [
            Mux(self.offset[1], self.read_data[16 + i : 24 + i], self.read_data[i : 8 + i]) for i in (0, 8)
        ]
        low = Mux(self.offset[0], lanes[1], lanes[0])
        sign = Mux(byte, low[7], lanes[1][7]) & ~self.funct3[2]
        source = self.register
        m.d.comb += [
            self.misaligned.eq((self.offset[0] & ~byte) | (self.offset[1] & word)),
            self.strobe.eq(
                Cat(
                    *(
                        word | ((self.offset[1] == i >> 1) & (~byte | (self.offset[0] == i & 1)))
                        for i in range(4)
                    )
                )
            ),
            self.write_data.eq(
                Cat(
                    source[:8],
                    Mux(byte, source[:8], source[8:16]),
                    Mux(word, source[16:24], source[:8]),
                    Mux(word, source[24:], Mux(byte, source[:8], source[8:16])),
                )
            ),
            self.loaded.eq(
                Cat(
                    low,
                    Mux(byte, sign.replicate(8), lanes[1]),
                    Mux(word, self.read_data[16:], sign.replicate(16)),
                )
            ),
        ]
        return m

"""Bytes and halfwords in words."""

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["LoadAlign", "store_lanes"]


def store_lanes(funct3: Value, offset: Value, data: Value) -> tuple[Value, Value]:
    """Return the strobe of an access, and the data of a store in their lanes.

    Parameters
    ----------
    funct3
        Of the load or store: its size in bits 1 to 0.
    offset
        The address within a word; the access is aligned.
    data
        The low bytes count.
    """
    half, word = funct3[0], funct3[1]
    strobe = Cat(
        word | (half & ~offset[1]) | (offset == 0),
        word | (half & ~offset[1]) | (offset == 1),
        word | (half & offset[1]) | (offset == 2),
        word | (half & offset[1]) | (offset == 3),
    )
    byte = ~(half | word)
    second = Mux(byte, data[:8], data[8:16])
    third = Mux(word, data[16:24], data[:8])
    fourth = Mux(word, data[24:], second)
    return strobe, Cat(data[:8], second, third, fourth)


class LoadAlign(wiring.Component):
    """Take what a load asks for out of a word, and extend it.

    Members
    -------
    word : In(32)
        As read.
    offset, funct3 : In(2), In(3)
        The address within the word; size and sign.
    value : Out(32)

    Timing
    ------
    Combinational.
    """

    word: In(32)
    offset: In(2)
    funct3: In(3)
    value: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        word = self.word
        half, whole = self.funct3[0], self.funct3[1]
        low = Mux(self.offset[1], word[16:], word[:16])
        first = Mux(self.offset[0], low[8:], low[:8])
        sign = Mux(half, low[15], first[7]) & ~self.funct3[2]
        second = Mux(half | whole, low[8:], sign.replicate(8))
        m.d.comb += self.value.eq(Cat(first, second, Mux(whole, word[16:], sign.replicate(16))))
        return m

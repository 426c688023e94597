"""Memory with one port, as SRAM macros have it."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["Sram"]


class Sram(wiring.Component):
    """Keep words; read or write one a cycle.

    Synthesis composes it of the PDK's macros, or of flip-flops; so neither a
    reset nor an initial value is there.

    Parameters
    ----------
    words, width
        Words, at least 2, and bits of each, at least 1.

    Members
    -------
    enable : In(1)
        Access the word at `address`.
    write : In(1)
        Write `write_data`, rather than read.
    address : In(ceil_log2(words))
        Word. Beyond `words` nothing is written, and anything is read.
    write_data : In(width)
        What is written.
    read_data : Out(width)
        From the cycle after a read until the next access: the word. After a
        write: anything.

    Raises
    ------
    TypeError, ValueError
        `words` or `width` is no integer, or too small.
    """

    def __init__(self, *, words: int, width: int) -> None:
        for name, value, low in (("words", words, 2), ("width", width, 1)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if value < low:
                raise ValueError(f"{name} must be at least {low}, not {value}")
        self.words = words
        self.width = width
        super().__init__(
            {
                "enable": In(1),
                "write": In(1),
                "address": In(ceil_log2(words)),
                "write_data": In(width),
                "read_data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build one read and one write port at the same address, never enabled together."""
        m = Module()
        m.submodules.storage = storage = memory.Memory(shape=unsigned(self.width), depth=self.words, init=[])
        read, write = storage.read_port(), storage.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.enable & ~self.write),
            write.addr.eq(self.address),
            write.en.eq(self.enable & self.write),
            write.data.eq(self.write_data),
            self.read_data.eq(read.data),
        ]
        return m

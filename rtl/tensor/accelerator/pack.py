"""PACK: dense pixels into words, the bytes under a kernel one after another."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.commands import Pack
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import CommandPort, ReadPort, WritePort
from rtl.tensor.accelerator.pack_chunks import ChunkWalker
from rtl.tensor.accelerator.pack_ring import ByteRing

__all__ = ["PackEngine"]


class PackEngine(wiring.Component):
    """Read segments of a dense tensor, shift them together, and write words.

    A chunk of up to ``2 * array`` bytes of a segment is read in a cycle, and a
    word written in another client's shadow: a position takes as many cycles as
    it has chunks or words, whichever are more, while the memory gives way.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    command : In, CommandPort of ``Pack``
        Checked commands.
    read : Out, ReadPort of 3 words
    write : Out, WritePort of 1 word
        The activation memory.
    busy : Out(1)
        There is a command.

    Timing
    ------
    One command at a time. The first chunk is asked for three cycles after the
    command and as many as `first_row` is away from 0; between rows of the
    output `row_step` cycles bring none. ``done`` comes in the cycle after the
    last word was written.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word, width = config.activation_word, ceil_log2(config.activation_words)
        super().__init__(
            {
                "command": In(CommandPort(kind=Pack)),
                "read": Out(ReadPort(word=word, words=3, address_width=width)),
                "write": Out(WritePort(word=word, words=1, address_width=width)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the walk over chunks, the ring of bytes, and the addresses of words."""
        m = Module()
        command = self.command
        m.submodules.chunks = chunks = ChunkWalker(self._config)
        m.submodules.ring = ring = ByteRing(self._config)
        connect(m, chunks.o, ring.i)
        connect(m, ring.read, flipped(self.read))

        held = Signal(command.payload.shape())
        accept = Signal()
        m.d.comb += [
            command.ready.eq(~self.busy),
            accept.eq(command.valid & ~self.busy),
            command.started.eq(accept),
            command.started_tag.eq(command.payload.tag),
            chunks.start.eq(accept),
            chunks.command.eq(Mux(self.busy, held, command.payload)),
            ring.fill.eq(held.fill),
        ]

        place, first_of_row = Signal(20), Signal(20)
        word = Signal(20)
        column, row = Signal(16), Signal(16)
        next_place, next_row = Signal(20), Signal(20)
        written = self.write.valid & self.write.ready
        last_column, last_row = column == 1, row == 1
        m.d.comb += [
            self.write.valid.eq(ring.o_valid),
            self.write.address.eq(word),
            self.write.data[0].eq(ring.o_word),
            ring.o_ready.eq(self.write.ready),
            next_place.eq(place + held.target_column),
            next_row.eq(first_of_row + held.target_row),
        ]
        m.d.sync += [command.done.eq(0), command.done_tag.eq(held.tag)]
        with m.If(accept):
            m.d.sync += [
                self.busy.eq(1),
                held.eq(command.payload),
                word.eq(command.payload.target),
                place.eq(command.payload.target),
                first_of_row.eq(command.payload.target),
                column.eq(command.payload.columns),
                row.eq(command.payload.rows),
            ]
        with m.Elif(written & ~ring.o_last):
            m.d.sync += word.eq(word + held.target_group)
        with m.Elif(written & ~last_column):
            m.d.sync += [word.eq(next_place), place.eq(next_place), column.eq(column - 1)]
        with m.Elif(written):
            m.d.sync += [
                word.eq(next_row),
                place.eq(next_row),
                first_of_row.eq(next_row),
                column.eq(held.columns),
                row.eq(row - 1),
            ]
            with m.If(last_row):
                m.d.sync += [self.busy.eq(0), command.done.eq(1)]
        return m

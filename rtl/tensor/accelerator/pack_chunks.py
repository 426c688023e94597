"""Which bytes PACK needs: the chunks of a kernel's rows, position by position."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.commands import Pack
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import command_layout

__all__ = ["ChunkWalker", "chunk_layout"]

#: Positions grow no further than here, beyond every row and column: they would overflow.
_FAR = 16


def chunk_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return a chunk: byte address, bytes, and which of them lie in the tensor.

    Bytes from ``low`` on, and before ``high``, do; ``last`` ends a position.
    """
    size = range(2 * config.activation_word + 1)
    return data.StructLayout(
        {
            "address": unsigned(ceil_log2(config.activation_kib * 1024)),
            "length": size,
            "low": size,
            "high": size,
            "last": 1,
        }
    )


class ChunkWalker(wiring.Component):
    """Walk over output positions, kernel rows, and chunks of a row's segment.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    start : In(1)
        Begin.
    command : In, ``command_layout(Pack)``
        The command, from `start` to its last chunk.
    o : Out, stream of ``chunk_layout``
        Chunks of at most ``2 * array`` bytes.

    Timing
    ------
    A chunk a cycle, but for `row_step` cycles between output rows.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "command": In(command_layout(Pack)),
                "o": Out(stream.Signature(chunk_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the counters, and two stages that make addresses and bounds of them."""
        m = Module()
        command, config = self.command, self._config
        most = 2 * config.activation_word
        width = ceil_log2(config.activation_kib * 1024)

        # Of the output row: row and address under the kernel's first row. Of the kernel's row: the same.
        row, base = Signal(signed(18)), Signal(width)
        line, line_base = Signal(signed(18)), Signal(width)
        # Byte of the row under the kernel at this column, and under this chunk; bytes left of the segment.
        column_byte, chunk_byte = Signal(signed(18)), Signal(signed(19))
        left = Signal(16)
        kernel_row, column, rows = Signal(8), Signal(16), Signal(16)
        walk = Signal(signed(17))

        valid, room = Signal(), Signal()
        rough = Signal(
            data.StructLayout(
                {
                    "base": width,
                    "byte": signed(19),
                    "length": range(most + 1),
                    "inside": 1,
                    "last": 1,
                }
            )
        )
        ends_segment = left <= most
        ends_position = ends_segment & (kernel_row == 1)
        next_column = Signal(signed(18))
        m.d.comb += next_column.eq(column_byte + Mux(column_byte >> _FAR == 1, 0, command.step_bytes))

        with m.If(room):
            m.d.sync += valid.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    row.eq(0),
                    base.eq(command.source << ceil_log2(config.activation_word)),
                    walk.eq(command.first_row),
                    column_byte.eq(command.first_byte),
                    rows.eq(command.rows),
                ]
                with m.If(self.start):
                    m.next = "WALK"
            with m.State("WALK"):
                with m.If(walk < 0):
                    m.d.sync += [walk.eq(walk + 1), row.eq(row - 1), base.eq(base - command.row_bytes)]
                with m.Elif(walk > 0):
                    m.d.sync += [walk.eq(walk - 1), base.eq(base + command.row_bytes)]
                    with m.If(row >> _FAR != 1):
                        m.d.sync += row.eq(row + 1)
                with m.Else():
                    m.d.sync += [
                        line.eq(row),
                        line_base.eq(base),
                        chunk_byte.eq(column_byte),
                        left.eq(command.segment_bytes),
                        kernel_row.eq(command.kernel_rows),
                        column.eq(command.columns),
                    ]
                    m.next = "CHUNKS"
            with m.State("CHUNKS"), m.If(room):
                m.d.sync += [
                    valid.eq(1),
                    rough.base.eq(line_base),
                    rough.byte.eq(chunk_byte),
                    rough.length.eq(Mux(ends_segment, left, most)),
                    rough.inside.eq((line >= 0) & (line < command.in_rows)),
                    rough.last.eq(ends_position),
                    chunk_byte.eq(chunk_byte + most),
                    left.eq(left - most),
                ]
                with m.If(ends_segment):
                    m.d.sync += [
                        chunk_byte.eq(column_byte),
                        left.eq(command.segment_bytes),
                        line.eq(line + 1),
                        line_base.eq(line_base + command.row_bytes),
                        kernel_row.eq(kernel_row - 1),
                    ]
                with m.If(ends_position):
                    m.d.sync += [
                        chunk_byte.eq(next_column),
                        column_byte.eq(next_column),
                        line.eq(row),
                        line_base.eq(base),
                        kernel_row.eq(command.kernel_rows),
                        column.eq(column - 1),
                    ]
                    with m.If(column == 1):
                        m.d.sync += [
                            column_byte.eq(command.first_byte),
                            rows.eq(rows - 1),
                            walk.eq(command.row_step),
                        ]
                        m.next = "WALK"
                        with m.If(rows == 1):
                            m.next = "IDLE"

        self._refine(m, valid, rough, room)
        return m

    def _refine(self, m: Module, valid: Signal, rough: data.View, room: Signal) -> None:
        """Make a chunk's address and bounds, in a stage of its own."""
        most = 2 * self._config.activation_word
        chunk = Signal(self.o.payload.shape())
        before, after = Signal(signed(20)), Signal(signed(20))
        move = Signal()
        m.d.comb += [
            move.eq(~self.o.valid | self.o.ready),
            room.eq(~valid | move),
            self.o.payload.eq(chunk),
            before.eq(-rough.byte),
            after.eq(self.command.row_bytes - rough.byte),
        ]
        with m.If(move):
            m.d.sync += [
                self.o.valid.eq(valid),
                chunk.address.eq(rough.base + rough.byte),
                chunk.length.eq(rough.length),
                chunk.low.eq(Mux(before < 0, 0, Mux(before > most, most, before))),
                chunk.high.eq(
                    Mux(~rough.inside | (after < 0), 0, Mux(after > rough.length, rough.length, after))
                ),
                chunk.last.eq(rough.last),
            ]

"""What LOAD and STORE share: the bursts and the words of a block of rows."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.bus import burst_layout
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["BurstSplitter", "WordWalker", "block_layout", "rows_layout"]


def block_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return a block in external memory: byte addresses, and beats of a row."""
    return data.StructLayout(
        {
            "address": unsigned(32),
            "stride": unsigned(32),
            "beats": unsigned(16 - ceil_log2(config.bus_bytes)),
            "rows": unsigned(16),
        }
    )


def rows_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return a block on chip: word addresses, bytes of a row, and the command's tag."""
    return data.StructLayout(
        {
            "weights": unsigned(1),
            "address": unsigned(20),
            "pitch": unsigned(16),
            "row_bytes": unsigned(16),
            "rows": unsigned(16),
            "tag": unsigned(16),
        }
    )


class BurstSplitter(wiring.Component):
    """Cut a block's rows into bursts.

    A burst ends at the end of its row, and at each multiple of the longest
    burst's bytes: so none crosses a boundary of 4 KiB, and all but the first
    and the last of a row are of full length.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.
    burst_beats
        Most beats of a burst, a power of two from 2 to 256; at most 4 KiB.

    Members
    -------
    i : In, stream of ``block_layout``
        Blocks of at least one row of at least one beat; addresses and strides
        are multiples of a beat.
    o : Out, stream of ``burst_layout``
        Their bursts.

    Timing
    ------
    The first burst a cycle after the block; one a cycle; a cycle between blocks.

    Raises
    ------
    ValueError
        ``burst_beats`` is none of the above.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        if burst_beats not in (2, 4, 8, 16, 32, 64, 128, 256) or burst_beats * config.bus_bytes > 4096:
            raise ValueError(
                f"burst_beats must be a power of two in 2..256 and at most 4 KiB, not {burst_beats}"
            )
        self._low = ceil_log2(config.bus_bytes)
        self._burst_beats = burst_beats
        # Attributes, so that the proof can speak of them.
        self._block = Signal(block_layout(config))
        self._left = Signal.like(self._block.beats)
        super().__init__(
            {
                "i": In(stream.Signature(block_layout(config))),
                "o": Out(stream.Signature(burst_layout(burst_beats))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the counters of beats and rows."""
        m = Module()
        low, high = self._low, self._low + ceil_log2(self._burst_beats)
        block, left = self._block, self._left
        address = Signal(32)
        busy = Signal()

        # Beats less one until the next multiple, and until the row's end.
        to_boundary = ~address[low:high]
        last_of_row = (left - 1)[: len(left)] <= to_boundary
        m.d.comb += [
            self.i.ready.eq(~busy),
            self.o.valid.eq(busy),
            self.o.payload.address.eq(address),
            self.o.payload.more.eq(Mux(last_of_row, (left - 1)[: high - low], to_boundary)),
        ]
        next_row = Signal(32)
        m.d.comb += next_row.eq(block.address + block.stride)
        with m.If(~busy):
            m.d.sync += [
                block.eq(self.i.payload),
                address.eq(self.i.payload.address),
                left.eq(self.i.payload.beats),
                busy.eq(self.i.valid),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [
                left.eq(left - to_boundary - 1),
                address[high:].eq(address[high:] + 1),
                address[low:high].eq(0),
            ]
            with m.If(last_of_row):
                m.d.sync += [
                    block.address.eq(next_row),
                    address.eq(next_row),
                    left.eq(block.beats),
                    block.rows.eq(block.rows - 1),
                    busy.eq(block.rows != 1),
                ]
        return m


class WordWalker(wiring.Component):
    """Step through a block's words on chip, in portions of one access.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    i : In, stream of ``rows_layout``
        Blocks. One is taken while the one before is under way.
    active : Out(1)
        There is a portion.
    weights : Out(1), address : Out(20), last : Out(1), tag : Out(16)
        Memory and first word of the portion, whether it is the block's last,
        and the tag. In the weight memory a portion is a word; in the other the
        words of a beat, or the beats of a word.
    step : In(1)
        Go to the next portion; while ``active`` only.

    Timing
    ------
    The first portion two cycles after the block, or in the cycle after the last
    of the block before.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(rows_layout(config))),
                "active": Out(1),
                "weights": Out(1),
                "address": Out(20),
                "last": Out(1),
                "tag": Out(16),
                "step": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the next block, the one under way, and its counters."""
        m = Module()
        config = self._config
        beat = max(config.bus_bytes, config.activation_word)
        words = beat // config.activation_word
        shape = self.i.payload.shape()
        waiting, block = Signal(shape), Signal(shape)
        waits = Signal()
        address, left = Signal(20), Signal(16)

        def portions(rows: data.View) -> Mux:
            return Mux(
                rows.weights,
                rows.row_bytes >> ceil_log2(config.weight_word),
                rows.row_bytes >> ceil_log2(beat),
            )

        end_of_row = Signal()
        next_row = Signal(20)
        m.d.comb += [
            self.i.ready.eq(~waits),
            self.weights.eq(block.weights),
            self.address.eq(address),
            self.tag.eq(block.tag),
            end_of_row.eq(left == 1),
            self.last.eq(end_of_row & (block.rows == 1)),
            next_row.eq(block.address + block.pitch),
        ]
        with m.If(self.i.valid & ~waits):
            m.d.sync += [waiting.eq(self.i.payload), waits.eq(1)]
        with m.If(self.step):
            m.d.sync += [
                address.eq(address + Array([words, 1])[block.weights]),
                left.eq(left - 1),
            ]
            with m.If(end_of_row):
                m.d.sync += [
                    block.address.eq(next_row),
                    address.eq(next_row),
                    left.eq(portions(block)),
                    block.rows.eq(block.rows - 1),
                ]
        with m.If(~self.active | (self.step & self.last)):
            m.d.sync += self.active.eq(waits)
            with m.If(waits):
                m.d.sync += [
                    waits.eq(0),
                    block.eq(waiting),
                    address.eq(waiting.address),
                    left.eq(portions(waiting)),
                ]
        return m

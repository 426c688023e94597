"""Fetch of a program: bursts ahead of the dispatcher, and words out of them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.bus import beat_layout, burst_layout
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Fetch", "word_layout"]

_BUFFER_BYTES = 64


def word_layout() -> data.StructLayout:
    """Return a word of the program, and whether memory answered with an error instead."""
    return data.StructLayout({"data": 32, "error": 1})


class Fetch(wiring.Component):
    """Read a program ahead, as far as 64 bytes, and give out its words.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.
    burst_beats
        Most beats of a burst of the memory port.

    Members
    -------
    start : In(1)
        Begin at `address`; once after reset.
    address : In(32)
        Byte address of the first command, a multiple of 16.
    request : Out, stream of bursts
    beat : In, stream of beats
        The memory port.
    o : Out, stream of ``word_layout()``
        Words, as long as the sink takes them: it knows where the program ends.

    Timing
    ------
    A word a cycle. Two bursts of 32 bytes are under way at most.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        self._config = config
        self._burst = burst_layout(burst_beats)
        self._beats = min(burst_beats, _BUFFER_BYTES // 2 // config.bus_bytes)
        super().__init__(
            {
                "start": In(1),
                "address": In(32),
                "request": Out(stream.Signature(self._burst)),
                "beat": In(stream.Signature(beat_layout(config.bus_width))),
                "o": Out(stream.Signature(word_layout())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the count of free places, the buffer, and the choice of a word in a beat."""
        m = Module()
        config, beats = self._config, self._beats
        low = ceil_log2(config.bus_bytes)
        high = low + ceil_log2(beats)
        depth = _BUFFER_BYTES // config.bus_bytes
        m.submodules.buffer = buffer = fifo.SyncFIFO(width=config.bus_width + 1, depth=depth)

        active = Signal()
        address = Signal(32)
        room = Signal(range(depth + 1), init=depth)
        # As many beats as lie before the next multiple of a burst: only the first burst has fewer.
        more = ~address[low:high]
        asked = self.request.valid & self.request.ready
        m.d.comb += [
            self.request.valid.eq(active & (room >= beats)),
            self.request.payload.address.eq(address),
            self.request.payload.more.eq(more),
        ]
        m.d.sync += room.eq(room - Mux(asked, more + 1, 0) + buffer.r_en)
        with m.If(self.start):
            m.d.sync += [active.eq(1), address.eq(self.address)]
        with m.Elif(asked):
            m.d.sync += [address[high:].eq(address[high:] + 1), address[:high].eq(0)]

        words = config.bus_width // 32
        first = Signal(range(max(words, 2)))
        place = Signal(range(max(words, 2)))
        moves = self.o.valid & self.o.ready
        m.d.comb += [
            self.beat.ready.eq(1),
            buffer.w_en.eq(self.beat.valid),
            buffer.w_data.eq(self.beat.payload.as_value()),
            self.o.valid.eq(buffer.r_rdy),
            self.o.payload.data.eq(buffer.r_data.word_select(place, 32)),
            self.o.payload.error.eq(buffer.r_data[-1]),
            buffer.r_en.eq(moves & (place == words - 1)),
            first.eq(self.address[2:low] if words > 1 else 0),
        ]
        with m.If(self.start):
            m.d.sync += place.eq(first)
        with m.Elif(moves):
            m.d.sync += place.eq(Mux(place == words - 1, 0, place + 1))
        return m

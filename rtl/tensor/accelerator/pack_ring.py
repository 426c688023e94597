"""A ring of bytes: chunks of any length and place in, whole words out."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import ReadPort
from rtl.tensor.accelerator.pack_chunks import chunk_layout

__all__ = ["ByteRing"]


def _rotated(m: Module, bits: Value, amount: Signal, step: int) -> Signal:
    """Return `bits` moved up by ``amount * step`` places; what leaves on top comes in below."""
    for level, bit in enumerate(amount):
        turned = Signal(len(bits), name=f"rotated{level}")
        places = step << level
        m.d.comb += turned.eq(Mux(bit, Cat(bits[-places:], bits[:-places]), bits))
        bits = turned
    return bits


class ByteRing(wiring.Component):
    """Read chunks and put them behind each other in a ring of four words.

    Bytes outside the tensor become `fill`, and so does what the last chunk of
    a position leaves of its word.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    i : In, stream of ``chunk_layout``
        What to read.
    read : Out, ReadPort of 3 words
        The memory; not asked for a chunk that lies outside.
    fill : In(8)
        The byte that stands where the tensor is not.
    o_valid : Out(1), o_word : Out, o_last : Out(1), o_ready : In(1)
        Words; the last of a position is marked.

    Timing
    ------
    A chunk a cycle while the memory grants and there is room. A word leaves
    two cycles after the grant of its last chunk at the earliest.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word, width = config.activation_word, ceil_log2(config.activation_words)
        super().__init__(
            {
                "i": In(stream.Signature(chunk_layout(config))),
                "read": Out(ReadPort(word=word, words=3, address_width=width)),
                "fill": In(8),
                "o_valid": Out(1),
                "o_word": Out(8 * word),
                "o_last": Out(1),
                "o_ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return room and pointers, the rotation, and the ring."""
        m = Module()
        word = self._config.activation_word
        low = ceil_log2(word)
        size = 4 * word
        chunk = self.i.payload

        # Where the next chunk goes; bytes promised to chunks, and bytes that are there.
        head, used, filled = Signal(low + 2), Signal(range(size + 1)), Signal(range(size + 1))
        place = chunk.address[:low]
        padding = Mux(chunk.last, (-(head + chunk.length))[:low], 0)
        taken = Signal(range(size + 1))
        needs_read, fits, go = Signal(), Signal(), Signal()
        leaves = self.o_valid & self.o_ready
        m.d.comb += [
            taken.eq(chunk.length + padding),
            needs_read.eq(chunk.low < chunk.high),
            fits.eq(used + taken <= size),
            self.read.valid.eq(self.i.valid & needs_read & fits),
            self.read.address.eq(chunk.address[low:]),
            self.read.count.eq(((place + chunk.length - 1) >> low) + 1),
            go.eq(self.i.valid & fits & (self.read.ready | ~needs_read)),
            self.i.ready.eq(fits & (self.read.ready | ~needs_read)),
        ]
        m.d.sync += used.eq(used + Mux(go, taken, 0) - Mux(leaves, word, 0))
        with m.If(go):
            m.d.sync += head.eq(head + taken)

        # The cycle in which data come: places of the read words, of the chunk in them, and in the ring.
        comes, ends = Signal(), Signal()
        first, low_end, high_end, end = (
            Signal(range(size + 1), name=n) for n in ("first", "lo", "hi", "end")
        )
        rotation, amount, last_word = Signal(low + 2), Signal(range(size + 1)), Signal(2)
        m.d.sync += [
            comes.eq(go),
            ends.eq(go & chunk.last),
            first.eq(place),
            low_end.eq(place + chunk.low),
            high_end.eq(place + Mux(needs_read, chunk.high, 0)),
            end.eq(place + taken),
            rotation.eq(head - place),
            amount.eq(Mux(go, taken, 0)),
            last_word.eq((head + taken - 1) >> low),
        ]
        arrived = Value.cast(self.read.data)
        lanes = Signal(9 * size)
        for number in range(size):
            inside = (low_end <= number) & (high_end > number)
            byte = arrived[8 * number : 8 * number + 8] if number < 3 * word else self.fill
            lane = Cat(Mux(inside, byte, self.fill), (first <= number) & (end > number))
            m.d.comb += lanes.word_select(number, 9).eq(lane)
        moved = _rotated(m, lanes, rotation, 9)
        ring = Signal(8 * size)
        for number in range(size):
            with m.If(comes & moved[9 * number + 8]):
                m.d.sync += ring[8 * number : 8 * number + 8].eq(moved[9 * number : 9 * number + 8])

        tail = Signal(2)
        lasts = Signal(4)
        m.d.sync += filled.eq(filled + amount - Mux(leaves, word, 0))
        m.d.comb += [
            self.o_valid.eq(filled >= word),
            self.o_word.eq(ring.word_select(tail, 8 * word)),
            self.o_last.eq(Array(lasts)[tail]),
        ]
        with m.If(leaves):
            m.d.sync += [tail.eq(tail + 1), lasts.bit_select(tail, 1).eq(0)]
        with m.If(ends):
            m.d.sync += lasts.bit_select(last_word, 1).eq(1)
        return m

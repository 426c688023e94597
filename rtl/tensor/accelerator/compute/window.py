"""Windows of the input, without its zero point."""

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.compute.layouts import WORDS, slot_layout, window_words
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Window"]

#: Rows of a depthwise kernel.
_ROWS = 3


class Window(wiring.Component):
    """Take words from the memory and keep those under the kernel.

    Depthwise, the kernel's rows come by turns, each with a window of its own:
    the oldest of them moves on, takes the words and becomes the newest.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid, slot : In
        A slot; its words come in this cycle.
    words : In, array of 4 words
        What the memory answers.
    o_valid, o_slot : Out
        The slot, two cycles later.
    window : Out, array of array of signed(9)
        With it, by position and channel: activations minus zero point, and 0
        for what does not exist. All but depthwise has its word at position 0.

    Timing
    ------
    Latency two cycles.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        layout = slot_layout(config)
        self._line = data.ArrayLayout(data.ArrayLayout(signed(9), config.array), window_words(config))
        super().__init__(
            {
                "valid": In(1),
                "slot": In(layout),
                "words": In(data.ArrayLayout(unsigned(8 * config.array), WORDS)),
                "o_valid": Out(1),
                "o_slot": Out(layout),
                "window": Out(self._line),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the zero point's subtraction, the rotation into place, and three windows."""
        m = Module()
        config = self._config
        raw, valid, slot = Signal.like(self.words), Signal(), Signal.like(self.slot)
        m.d.sync += [valid.eq(self.valid), slot.eq(self.slot), self.o_valid.eq(valid), self.o_slot.eq(slot)]
        with m.If(self.valid):
            m.d.sync += raw.eq(self.words)
        values = Signal(data.ArrayLayout(self._line.elem_shape, WORDS))
        for i in range(WORDS):
            for lane in range(config.array):
                byte = raw[i][8 * lane : 8 * lane + 8].as_signed()
                m.d.comb += values[i][lane].eq(Mux(slot.words[i], byte - slot.zero, 0))
        # Word i goes to position place + i: first into its place modulo 4.
        turned = Signal.like(values)
        words = Array(values[i] for i in range(WORDS))
        for i in range(WORDS):
            with m.Switch(slot.place[:2]):
                for place in range(WORDS):
                    with m.Case(place):
                        m.d.comb += turned[i].eq(words[(i - place) % WORDS])
        lines = [self.window, *(Signal(self._line, name=f"line_{row}") for row in range(1, _ROWS))]
        oldest = Signal(self._line)
        with m.Switch(slot.rows):
            for row in range(_ROWS - 1):
                with m.Case(row + 1):
                    m.d.comb += oldest.eq(lines[row])
            with m.Default():
                m.d.comb += oldest.eq(lines[_ROWS - 1])
        count, pixels = window_words(config), config.depthwise_pixels
        depthwise = slot.token.depthwise
        for position in range(count):
            near = oldest[position + pixels] if position + pixels < count else oldest[position]
            far = oldest[position + 2 * pixels] if position + 2 * pixels < count else oldest[position]
            moved = Mux(slot.shift, Mux(slot.wide, far, near), oldest[position])
            takes = (slot.place <= position) & (slot.place + WORDS > position)
            if position == 0:
                with m.If(valid):
                    m.d.sync += self.window[0].eq(
                        Mux(depthwise & ~takes, moved, Mux(depthwise, turned[0], values[0]))
                    )
            else:
                with m.If(valid & depthwise):
                    m.d.sync += self.window[position].eq(Mux(takes, turned[position % WORDS], moved))
        with m.If(valid & depthwise):
            m.d.sync += [lines[row].eq(lines[row - 1]) for row in range(1, _ROWS)]
        return m

"""The multipliers: lanes of operands times columns of weights."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.compute.layouts import RING_SLOTS, slot_layout, token_layout, window_words
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["MultiplierArray"]

#: Lanes whose products are summed before anything else: the taps of a depthwise row.
_TAPS = 4
#: Bits of such a sum.
_DOT_WIDTH = 18


class MultiplierArray(wiring.Component):
    """Give each multiplier its operands, and sum products of four lanes.

    Lane ``4 g + t`` and column ``c`` see input channel ``4 g + t`` of the
    word (``CONV``), or tap ``t`` of neighbouring pixel ``g`` of channel ``c``
    (``DEPTHWISE``); of all else only lane 0 works, on channel ``c``.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid, slot, window : In
        A slot with its window.
    ring : In, array of places of 4 x N bytes
        Weights that have come.
    o_valid, o_token : Out
        What goes with the slot, two cycles later.
    next_valid, next_token : Out
        The same, a cycle before.
    dots : Out, array by column of arrays by group of lanes of signed(18)
        The sums, with `o_token`.

    Timing
    ------
    Latency two cycles. Weights are taken over with the slot that has `load`.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        n = config.array
        lines = data.ArrayLayout(data.ArrayLayout(signed(9), n), window_words(config))
        super().__init__(
            {
                "valid": In(1),
                "slot": In(slot_layout(config)),
                "window": In(lines),
                "ring": In(data.ArrayLayout(unsigned(32 * n), RING_SLOTS)),
                "next_valid": Out(1),
                "next_token": Out(token_layout(config)),
                "o_valid": Out(1),
                "o_token": Out(token_layout(config)),
                "dots": Out(data.ArrayLayout(data.ArrayLayout(signed(_DOT_WIDTH), n // _TAPS), n)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build operand registers and multipliers."""
        m = Module()
        n, slot = self._config.array, self.slot
        compute = self.valid & slot.compute
        operands = Signal(data.ArrayLayout(data.ArrayLayout(signed(9), n), n))  # by lane and column
        weights = Signal(data.ArrayLayout(data.ArrayLayout(signed(8), n), n))
        m.d.sync += [
            self.next_valid.eq(compute),
            self.next_token.eq(slot.token),
            self.o_valid.eq(self.next_valid),
            self.o_token.eq(self.next_token),
        ]
        with m.If(compute):
            for lane in range(n):
                for column in range(n):
                    m.d.sync += operands[lane][column].eq(self._operand(lane, column))
        places = Array(self.ring[i] for i in range(RING_SLOTS))
        with m.If(compute & slot.load):
            for group in range(n // _TAPS):
                following = Signal(range(RING_SLOTS), name=f"place_{group}")
                m.d.comb += following.eq(slot.ring + Mux(slot.broadcast, group, 0))
                chosen = Signal(32 * n, name=f"chosen_{group}")
                m.d.comb += chosen.eq(places[following])
                for tap in range(_TAPS):
                    row = chosen[8 * n * tap : 8 * n * (tap + 1)]
                    m.d.sync += weights[_TAPS * group + tap].eq(row)
        with m.If(compute & slot.ones):
            m.d.sync += [weights[0][column].eq(1) for column in range(n)]
        for column in range(n):
            for group in range(n // _TAPS):
                lanes = range(_TAPS * group, _TAPS * (group + 1))
                total = sum(operands[lane][column] * weights[lane][column] for lane in lanes)
                m.d.sync += self.dots[column][group].eq(total)
        return m

    def _operand(self, lane: int, column: int) -> Value:
        """Return what a multiplier's operand is in this cycle."""
        slot, window = self.slot, self.window
        group, tap = divmod(lane, _TAPS)
        narrow, wide = window[group + tap][column], window[2 * group + tap][column]
        taps = narrow if group == 0 else Mux(slot.wide, wide, narrow)
        if lane:
            taps = Mux(slot.token.depthwise, taps, 0)
        return Mux(slot.broadcast, window[0][lane], taps)

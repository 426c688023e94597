"""Stationary weights, double-buffered."""

from amaranth.hdl import Array, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.config import TileConfig
from rtl.tensor.layouts import weight_row

__all__ = ["WeightBank"]


class WeightBank(wiring.Component):
    """Hold the weights that compute, and load the next ones meanwhile.

    Parameters
    ----------
    config : TileConfig
        The tile.

    Members
    -------
    i : In, stream of ``weight_row(config)``
        The next set, lane 0 first, ``rows`` beats.
    swap : In(1)
        Make the loaded set the active one at the end of this cycle; allowed
        while ``full`` only.
    full : Out(1)
        A whole set is loaded and waits.
    active : Out, signed(weight_width) [rows][columns]
        The weights that compute.

    Timing
    ------
    A set takes ``rows`` cycles; ``full`` rises one cycle after its last row.
    The first row of the next set is taken in the cycle of the swap itself,
    so sets can follow each other without a gap. ``i.ready`` therefore
    follows ``swap`` combinationally. Weight flops have no reset.
    """

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        weights = data.ArrayLayout(signed(config.weight_width), config.columns)
        super().__init__(
            {
                "i": In(stream.Signature(weight_row(config))),
                "swap": In(1),
                "full": Out(1),
                "active": Out(data.ArrayLayout(weights, config.rows)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        rows = self._config.rows

        shape = self.i.payload.data.shape()
        # Copied rather than multiplexed in front of the multipliers: a
        # multiplexer there would lengthen the longest path of the tile.
        loading = Array(Signal(shape, name=f"loading_{row}", reset_less=True) for row in range(rows))
        active = [Signal(shape, name=f"active_{row}", reset_less=True) for row in range(rows)]
        row = Signal(range(rows))
        full = Signal()

        m.d.comb += [
            self.full.eq(full),
            self.i.ready.eq(~full | self.swap),
        ]
        for number in range(rows):
            m.d.comb += self.active[number].eq(active[number])

        with m.If(self.swap):
            m.d.sync += full.eq(0)
            m.d.sync += [active[number].eq(loading[number]) for number in range(rows)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += loading[row].eq(self.i.payload.data)
            with m.If(row == rows - 1):
                m.d.sync += [row.eq(0), full.eq(1)]
            with m.Else():
                m.d.sync += row.eq(row + 1)

        return m

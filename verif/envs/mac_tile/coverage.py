"""What the bench must have exercised, measured on what the monitors saw."""

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.config import TileConfig
from rtl.tensor.model import swap_points
from verif.coverage import Coverage, Coverpoint
from verif.envs.mac_tile.program import corners, wrap_program
from verif.envs.mac_tile.scoreboard import Epoch

__all__ = ["MacTileCoverage"]

CORNERS = ("min", "minus_one", "zero", "one", "max")
CLASSES = (*CORNERS, "negative", "positive")


def classify(values: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return each value's index in :data:`CLASSES`."""
    found = np.where(values < 0, CLASSES.index("negative"), CLASSES.index("positive"))
    # Narrow operands have corners that coincide (one is max at two bits); the earlier name wins.
    for index, corner in reversed(list(enumerate(corners(width)))):
        found = np.where(values == corner, index, found)
    return found


def reachable(width: int) -> tuple[str, ...]:
    """Return the classes that values of a width can fall into."""
    values = np.arange(-(1 << (width - 1)), 1 << (width - 1))
    return tuple(CLASSES[index] for index in np.unique(classify(values, width)))


class MacTileCoverage:
    """Coverpoints of the tile.

    Parameters
    ----------
    config
        The tile. Bins that it cannot reach are left out.

    Attributes
    ----------
    coverage
        The collector.
    """

    def __init__(self, config: TileConfig) -> None:
        self.config = config
        self.coverage = Coverage()
        activation, weight = reachable(config.activation_width), reachable(config.weight_width)
        self.activation = self._point("activation_class", activation)
        self.weight = self._point("weight_class", weight)
        self.operands = self.coverage.cross(
            "mac_tile.operands",
            [name for name in activation if name in CORNERS],
            [name for name in weight if name in CORNERS],
        )
        self.length = self._point("dot_length", ("1", "2", "3..8", "9..32", "33+"))
        self.markers = self._point(
            "markers",
            ("first", "last", "first_last", "none", "continued_after_last", "abandoned", "implied_first"),
        )
        self.swap = self._point(
            "swap", ("idle", "under_load", "waited", "mid_reduction", "back_to_back", "implied")
        )
        self.load = self._point("weight_load", ("during_compute", "idle", "at_swap", "held_full"))
        self.pressure = self._point("back_pressure", ("none", "1", "2..7", "8+", "reached_input"))
        self.result = self._point("result", ("negative", "zero", "positive"))
        self.reset = self._point("reset", ("beats_in_flight", "half_loaded", "result_lost"))
        wraps = ("in_range", "wrapped_up", "wrapped_down")
        self.wraps = self._point("accumulator", wraps if wrap_program(config) else wraps[:1])

    def _point(self, name: str, bins: tuple[str, ...]) -> Coverpoint:
        return self.coverage.add(f"mac_tile.{name}", bins)

    def sample(self, epochs: list[Epoch]) -> None:
        """Count what epochs exercised; the last was not cut by a reset."""
        for number, epoch in enumerate(epochs):
            if len(epoch.activations):
                self._operands(epoch)
                self._reductions(epoch)
                self._swaps(epoch)
            self._loads(epoch)
            self._pressure(epoch)
            if number < len(epochs) - 1:
                self._resets(epoch)

    def _operands(self, epoch: Epoch) -> None:
        size = len(CLASSES)
        x = classify(epoch.activations, self.config.activation_width)
        w = classify(epoch.weights, self.config.weight_width)
        used = np.cumsum(swap_points(epoch.swap)) - 1
        pairs = np.zeros((size, size), dtype=np.int64)
        for number in range(used[-1] + 1):
            for lane in range(self.config.rows):
                beats = np.bincount(x[used == number, lane], minlength=size)
                pairs += np.outer(beats, np.bincount(w[number, lane], minlength=size))
        for name, hits in zip(CLASSES, np.bincount(x.ravel(), minlength=size), strict=True):
            if name in self.activation.hits:
                self.activation.hit(name, hits)
        for name, hits in zip(CLASSES, np.bincount(w.ravel(), minlength=size), strict=True):
            if name in self.weight.hits:
                self.weight.hit(name, hits)
        for row, activation in enumerate(CORNERS):
            for column, weight in enumerate(CORNERS):
                if f"{activation}*{weight}" in self.operands.hits:
                    self.operands.hit(f"{activation}*{weight}", pairs[row, column])

    def _reductions(self, epoch: Epoch) -> None:
        first, last = epoch.first, epoch.last
        self.markers.hit("first", int((first & ~last).sum()))
        self.markers.hit("last", int((~first & last).sum()))
        self.markers.hit("first_last", int((first & last).sum()))
        self.markers.hit("none", int((~first & ~last).sum()))
        self.markers.hit("continued_after_last", int((last[:-1] & ~first[1:]).sum()))
        self.markers.hit("abandoned", int((~last[:-1] & first[1:]).sum()))
        self.markers.hit("implied_first", int(not first[0]))

        begins = first.copy()
        begins[0] = True
        start = np.maximum.accumulate(np.where(begins, np.arange(len(first)), 0))
        for length in (np.arange(len(first)) - start + 1)[last]:
            bins = ((1, "1"), (2, "2"), (8, "3..8"), (32, "9..32"))
            self.length.hit(next((name for limit, name in bins if length <= limit), "33+"))
        self._sums(epoch, start)

    def _sums(self, epoch: Epoch, start: NDArray[np.int64]) -> None:
        # Exact unless a sum leaves 64 bits, which no accumulator that can be filled comes near.
        used = np.cumsum(swap_points(epoch.swap)) - 1
        sums = np.stack(
            [x @ epoch.weights[number] for x, number in zip(epoch.activations, used, strict=True)]
        )
        total = np.cumsum(sums, axis=0)
        exact = (total - (total - sums)[start])[epoch.last]
        half = 1 << (self.config.accumulator_width - 1)
        up, down = int((exact > half - 1).sum()), int((exact < -half).sum())
        self.wraps.hit("in_range", exact.size - up - down)
        if "wrapped_up" in self.wraps.hits:
            self.wraps.hit("wrapped_up", up)
            self.wraps.hit("wrapped_down", down)
        self.result.hit("negative", int((epoch.results < 0).sum()))
        self.result.hit("zero", int((epoch.results == 0).sum()))
        self.result.hit("positive", int((epoch.results > 0).sum()))

    def _swaps(self, epoch: Epoch) -> None:
        points = swap_points(epoch.swap)
        gap = np.diff(epoch.beat_cycles, prepend=epoch.beat_cycles[0] - 1000)
        self.swap.hit("implied", int(not epoch.swap[0]))
        self.swap.hit("idle", int((points & (gap > self.config.latency)).sum()))
        self.swap.hit("under_load", int((points & (gap == 1)).sum()))
        self.swap.hit("waited", int((points & (epoch.beat_waits > 0)).sum()))
        self.swap.hit("mid_reduction", int((points[1:] & ~epoch.first[1:] & ~epoch.last[:-1]).sum()))
        self.swap.hit("back_to_back", int((points[1:] & points[:-1]).sum()))

    def _loads(self, epoch: Epoch) -> None:
        busy = np.isin(epoch.row_cycles, epoch.beat_cycles)
        self.load.hit("during_compute", int(busy.sum()))
        self.load.hit("idle", int((~busy).sum()))
        if len(epoch.swap):
            swaps = epoch.beat_cycles[swap_points(epoch.swap)]
            self.load.hit("at_swap", int(np.isin(epoch.row_cycles[:: self.config.rows], swaps).sum()))
        self.load.hit("held_full", int((epoch.row_waits > 0).sum()))

    def _pressure(self, epoch: Epoch) -> None:
        waits = epoch.result_waits
        self.pressure.hit("none", int((waits == 0).sum()))
        self.pressure.hit("1", int((waits == 1).sum()))
        self.pressure.hit("2..7", int(((waits > 1) & (waits < 8)).sum()))
        self.pressure.hit("8+", int((waits >= 8).sum()))
        if len(epoch.swap):
            self.pressure.hit("reached_input", int((~swap_points(epoch.swap) & (epoch.beat_waits > 0)).sum()))

    def _resets(self, epoch: Epoch) -> None:
        self.reset.hit("half_loaded", int(len(epoch.row_cycles) % self.config.rows > 0))
        if len(epoch.last):
            lost = int(epoch.last.sum()) - len(epoch.results)
            self.reset.hit("result_lost", int(lost > 0))
            self.reset.hit("beats_in_flight", int(lost > 0 or not epoch.last[-1]))

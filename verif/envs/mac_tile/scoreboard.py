"""Compare whole sequences of results with the model's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyuvm import uvm_component

from rtl.tensor.config import TileConfig
from rtl.tensor.model import mac_tile, unpack
from verif.agents.stream.items import StreamTransfer
from verif.agents.stream.recorder import StreamRecorder

__all__ = ["Epoch", "MacTileScoreboard", "ScoreboardError"]


class ScoreboardError(AssertionError):
    """The design and its model differ, or there was nothing to compare."""


@dataclass(slots=True, kw_only=True)
class Epoch:
    """What crossed the tile's ports between two resets, as arrays.

    Attributes
    ----------
    activations : int64 (beats, rows)
    first, last, swap : bool (beats,)
    weights : int64 (sets, rows, columns)
        Whole sets; a set cut by the reset is left out.
    results : int64 (results, columns)
    beat_cycles, row_cycles, result_cycles : int64
        When each was taken; rows include those of a set cut short.
    beat_waits, row_waits, result_waits : int64
        Cycles each was offered before.
    """

    activations: NDArray[np.int64]
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    swap: NDArray[np.bool_]
    weights: NDArray[np.int64]
    results: NDArray[np.int64]
    beat_cycles: NDArray[np.int64]
    row_cycles: NDArray[np.int64]
    result_cycles: NDArray[np.int64]
    beat_waits: NDArray[np.int64]
    row_waits: NDArray[np.int64]
    result_waits: NDArray[np.int64]

    @classmethod
    def decode(
        cls,
        config: TileConfig,
        beats: list[StreamTransfer],
        rows: list[StreamTransfer],
        results: list[StreamTransfer],
    ) -> "Epoch":
        """Turn transfers into arrays."""
        markers = np.array([beat.payload >> (config.rows * config.activation_width) for beat in beats], int)
        whole = len(rows) // config.rows * config.rows

        def elements(transfers: list[StreamTransfer], width: int, count: int) -> NDArray[np.int64]:
            flat = [unpack(transfer.payload, width, count) for transfer in transfers]
            return np.array(flat, dtype=np.int64).reshape(len(transfers), count)

        def column(transfers: list[StreamTransfer], name: str) -> NDArray[np.int64]:
            return np.array([getattr(transfer, name) for transfer in transfers], dtype=np.int64)

        return cls(
            activations=elements(beats, config.activation_width, config.rows),
            first=markers & 1 != 0,
            last=markers & 2 != 0,
            swap=markers & 4 != 0,
            weights=elements(rows[:whole], config.weight_width, config.columns).reshape(
                -1, config.rows, config.columns
            ),
            results=elements(results, config.accumulator_width, config.columns),
            beat_cycles=column(beats, "cycle"),
            row_cycles=column(rows, "cycle"),
            result_cycles=column(results, "cycle"),
            beat_waits=column(beats, "waited"),
            row_waits=column(rows, "waited"),
            result_waits=column(results, "waited"),
        )


class MacTileScoreboard(uvm_component):
    """Hold what the monitors saw, and compare it at the end.

    Every epoch's results must equal the model's from the first on; the last
    epoch, which no reset cut short, must have all of them.

    Parameters
    ----------
    name, parent
        As for every component.
    config
        The tile.
    """

    def __init__(self, name: str, parent: uvm_component, *, config: TileConfig) -> None:
        super().__init__(name, parent)
        self.config = config
        self.compared = 0
        self._decoded: list[Epoch] | None = None
        self._counted = (0, 0, 0)  # epoch, beats looked at, results they call for

    def build_phase(self) -> None:
        """Make the recorders."""
        self.beats = StreamRecorder("beats", self)
        self.rows = StreamRecorder("rows", self)
        self.results = StreamRecorder("results", self)

    @property
    def outstanding(self) -> int:
        """Results that are still to come for the beats taken since the last reset."""
        beats = self.beats.epochs[-1]
        if self._counted[0] != len(self.beats.epochs):
            self._counted = (len(self.beats.epochs), 0, 0)
        epoch, seen, lasts = self._counted
        bit = self.config.rows * self.config.activation_width + 1
        lasts += sum(beat.payload >> bit & 1 for beat in beats[seen:])
        self._counted = (epoch, len(beats), lasts)
        return lasts - len(self.results.epochs[-1])

    def epochs(self) -> list[Epoch]:
        """Return everything seen, by reset; decoded once, when the run is over."""
        if self._decoded is None:
            self._decoded = [
                Epoch.decode(self.config, *streams)
                for streams in zip(self.beats.epochs, self.rows.epochs, self.results.epochs, strict=True)
            ]
        return self._decoded

    def check_phase(self) -> None:
        """Compare.

        Raises
        ------
        ScoreboardError
            Something differs, or nothing was seen.
        """
        epochs = self.epochs()
        for number, epoch in enumerate(epochs):
            self._compare(number, epoch, complete=number == len(epochs) - 1)
        if not self.compared:
            raise ScoreboardError("the scoreboard saw no result: nothing was verified")
        self.logger.info("%d results equal the model's", self.compared)

    def _compare(self, number: int, epoch: Epoch, *, complete: bool) -> None:
        try:
            expected = mac_tile(
                epoch.activations,
                epoch.weights,
                first=epoch.first,
                last=epoch.last,
                swap=epoch.swap,
                config=self.config,
            )
        except ValueError as error:
            # The tile took a beat before the weights that it swaps in.
            raise ScoreboardError(f"after reset {number}: no such sequence is legal: {error}") from error
        seen = len(epoch.results)
        common = min(seen, len(expected))
        wrong = np.argwhere(epoch.results[:common] != expected[:common])
        if len(wrong):
            index, column = wrong[0]
            cycle = epoch.result_cycles[index]
            raise ScoreboardError(
                f"after reset {number}: result {index} (cycle {cycle}), column {column}: "
                f"{epoch.results[index, column]}, but the model says {expected[index, column]}; "
                f"{len(set(wrong[:, 0]))} of {common} results differ"
            )
        if seen > len(expected) or (complete and seen < len(expected)):
            raise ScoreboardError(f"after reset {number}: {seen} results, but the model says {len(expected)}")
        self.compared += common

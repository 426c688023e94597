"""Tables of a network's layers: what is predicted, what was measured, and what bounds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rtl.tensor.accelerator.commands import Compute, Engine
from rtl.tensor.compiler.compile import Program
from rtl.tensor.compiler.lower import INPUT_TAG
from rtl.tensor.compiler.performance import OVERHEADS, Overheads

__all__ = ["Row", "Times", "predicted_times", "rows", "times_of"]


@dataclass(frozen=True, slots=True)
class Times:
    """When a network's layers were done.

    Attributes
    ----------
    begin
        Cycle at which the input was on chip.
    ends
        Cycle at which each layer's last result was written, by tag.
    end
        Cycle at which everything was done, the last store too.
    """

    begin: int
    ends: Mapping[int, int]
    end: int

    @property
    def cycles(self) -> int:
        """Cycles of the whole network, from when the input is on chip."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A layer.

    Attributes
    ----------
    tag
        What its commands bear.
    name
        Number of its operator, and its kind.
    shape
        Rows, columns and channels of its output.
    macs
        Multiplications, padding counted.
    cycles
        From when the layer before was done until it was done; what is hidden
        behind other layers does not count.
    bound
        Fewest cycles: those of the array, or those in which its weights come.
    bound_by
        ``array`` or ``weights``.
    utilisation
        ``macs`` over what the array can do in ``cycles``, 0 to 1.
    weight_bytes
        Bytes that are loaded for it.
    """

    tag: int
    name: str
    shape: tuple[int, int, int]
    macs: int
    cycles: int
    bound: int
    bound_by: str
    utilisation: float
    weight_bytes: int


def predicted_times(program: Program, overheads: Overheads = OVERHEADS) -> Times:
    """Return what the performance model expects."""
    intervals = program.predict(overheads)
    begin, ends, end = 0, dict[int, int](), 0
    for command, interval in zip(program.commands, intervals, strict=False):
        end = max(end, interval.done)
        if command.tag == INPUT_TAG:
            begin = max(begin, interval.done)
        elif isinstance(command, Compute):
            ends[command.tag] = max(ends.get(command.tag, 0), interval.done)
    return Times(begin, ends, end)


def times_of(events: Iterable[tuple[int, int, int]]) -> Times:
    """Return the times that the hardware's events tell.

    Parameters
    ----------
    events
        Of each command that was done: cycle, engine, tag.
    """
    begin, ends, end = 0, dict[int, int](), 0
    for cycle, engine, tag in events:
        end = max(end, cycle)
        if engine == Engine.LOAD and tag == INPUT_TAG:
            begin = max(begin, cycle)
        elif engine == Engine.COMPUTE:
            ends[tag] = max(ends.get(tag, 0), cycle)
    return Times(begin, ends, end)


def rows(program: Program, times: Times) -> list[Row]:
    """Return the layers of a network, in their order."""
    config = program.config
    result = []
    before = times.begin
    for layer in program.layers:
        end = times.ends.get(layer.tag, before)
        cycles = end - before
        before = max(before, end)
        beats = -(-layer.weight_bytes // config.bus_bytes)
        most = cycles * config.array**2
        _, height, width, channels = layer.operator.output_shape
        result.append(
            Row(
                tag=layer.tag,
                name=layer.name,
                shape=(height, width, channels),
                macs=layer.macs,
                cycles=cycles,
                bound=max(layer.array_cycles, beats),
                bound_by="weights" if beats > layer.array_cycles else "array",
                utilisation=layer.macs / most if most else 0.0,
                weight_bytes=layer.weight_bytes,
            )
        )
    return result

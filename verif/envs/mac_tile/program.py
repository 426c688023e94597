"""Programs for the tile: beats of activations with markers, and their weights. No simulator."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from rtl.tensor.config import TileConfig
from rtl.tensor.model import pack, pack_activations

__all__ = ["Beat", "Program", "corner_program", "corners", "random_program", "wrap_program"]

_STYLES = ("uniform", "uniform", "corners", "sparse", "small")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One beat of activations.

    Attributes
    ----------
    data : int (rows,)
        Activations.
    first, last, swap
        Markers.
    """

    data: tuple[int, ...]
    first: bool = False
    last: bool = False
    swap: bool = False


@dataclass(slots=True, kw_only=True)
class Program:
    """What to feed the tile after a reset.

    Attributes
    ----------
    config
        The tile.
    beats
        In order.
    sets : int (sets, rows, columns)
        Weights, at least as many as the beats take.
    """

    config: TileConfig
    beats: list[Beat] = field(default_factory=list)
    sets: list[list[list[int]]] = field(default_factory=list)

    def activation_payloads(self) -> list[int]:
        """Return the activation port's values."""
        return [
            pack_activations(beat.data, first=beat.first, last=beat.last, swap=beat.swap, config=self.config)
            for beat in self.beats
        ]

    def weight_payloads(self) -> list[int]:
        """Return the weight port's values."""
        return [pack(row, self.config.weight_width) for rows in self.sets for row in rows]


def corners(width: int) -> tuple[int, int, int, int, int]:
    """Return the values where arithmetic breaks: min, -1, 0, 1, max."""
    return -(1 << (width - 1)), -1, 0, 1, (1 << (width - 1)) - 1


def _operands(random: Random, style: str, width: int, count: int) -> tuple[int, ...]:
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    if style == "corners":
        return tuple(random.choice(corners(width)) for _ in range(count))
    if style == "sparse":
        return tuple(random.randint(low, high) if random.random() < 0.2 else 0 for _ in range(count))
    if style == "small":
        low, high = max(low, -3), min(high, 3)
    return tuple(random.randint(low, high) for _ in range(count))


def _weight_set(random: Random, config: TileConfig) -> list[list[int]]:
    style = random.choice(_STYLES)
    return [list(_operands(random, style, config.weight_width, config.columns)) for _ in range(config.rows)]


def _lengths(random: Random) -> Iterator[int]:
    while True:
        yield random.choice((1, 1, 2, 3, random.randint(4, 8), random.randint(9, 32), random.randint(33, 70)))


def random_program(
    config: TileConfig, seed: int, beats: int, *, swap_rate: float = 0.08, back_to_back: float = 0.15
) -> Program:
    """Return beats with everything drawn at random.

    Reductions have 1 to 70 beats; some go on after ``last``, some begin
    anew without one; the markers of the very first beat are random too.

    Parameters
    ----------
    config
        The tile.
    seed
        What it derives from.
    beats
        How many, at least 1.
    swap_rate
        Share of beats that take new weights, apart from those that begin a
        reduction, a quarter of which do.
    back_to_back
        Chance that the beat after one with ``swap`` swaps again.
    """
    random = Random(seed)
    program = Program(config=config)
    lengths = _lengths(random)
    left, style, fresh, swapped = 0, "uniform", True, False
    for number in range(beats):
        if left == 0:
            left, style, fresh = next(lengths), random.choice(_STYLES), random.random() > 0.1
        abandon = left > 1 and random.random() < 0.01
        chance = max(0.25 if fresh else swap_rate, back_to_back if swapped else 0.0)
        swapped = random.random() < chance
        last = left == 1 or random.random() < 0.05 or number == beats - 1
        program.beats.append(
            Beat(
                data=_operands(random, style, config.activation_width, config.rows),
                first=fresh,
                last=last and not abandon,
                swap=swapped,
            )
        )
        if swapped or number == 0:
            program.sets.append(_weight_set(random, config))
        left = 0 if abandon else left - 1
        fresh = False
    return program


def corner_program(config: TileConfig) -> Program:
    """Return every pair of corner operands, alone in each lane and column and in all at once."""
    program = Program(config=config)
    activations, weights = corners(config.activation_width), corners(config.weight_width)
    for weight in weights:
        program.sets.append([[weight] * config.columns for _ in range(config.rows)])
        for number, value in enumerate(activations):
            program.beats.append(Beat(data=(value,) * config.rows, first=True, last=True, swap=number == 0))
    # Distinct weights tell lanes and columns apart: one lane alone, then each at its own value.
    modulus = 1 << config.weight_width
    distinct = [
        [
            (row * config.columns + column + 1 + modulus // 2) % modulus - modulus // 2
            for column in range(config.columns)
        ]
        for row in range(config.rows)
    ]
    program.sets.append(distinct)
    for row in range(config.rows):
        for value in (activations[0], -1, 1, activations[-1]):
            lanes = [0] * config.rows
            lanes[row] = value
            program.beats.append(
                Beat(data=tuple(lanes), first=True, last=True, swap=row == 0 and value == activations[0])
            )
    return program


def wrap_program(config: TileConfig, limit: int = 20_000) -> Program | None:
    """Return beats that carry every accumulator past its largest, then its least value.

    Parameters
    ----------
    config
        The tile.
    limit
        Beats that a simulation may take.

    Returns
    -------
    Program or None
        ``None`` if the accumulators are too wide to be filled in `limit` beats.
    """
    program = Program(config=config)
    lowest, *_ = corners(config.activation_width)
    least, *_, most = corners(config.weight_width)
    for value, weight in ((lowest, least), (lowest, most)):
        step = abs(value * weight) * config.rows
        count = (1 << (config.accumulator_width - 1)) // step + 2
        if 2 * count > limit:
            return None
        program.sets.append([[weight] * config.columns for _ in range(config.rows)])
        report = max(1, count // 4)
        program.beats.extend(
            Beat(
                data=(value,) * config.rows,
                first=number == 0,
                last=number >= count - 3 or number % report == 0,
                swap=number == 0,
            )
            for number in range(count)
        )
    return program

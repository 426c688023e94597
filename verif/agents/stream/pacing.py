"""When a side of a stream pauses: patterns of idle cycles."""

from collections.abc import Iterator
from random import Random

__all__ = ["PACINGS", "Pacing"]

#: Patterns by name: what follows each beat.
PACINGS = ("full", "light", "half", "bursty", "slow", "alternate", "storm")


class Pacing:
    """An endless series of pauses, drawn from a seed.

    ``full`` never pauses; ``light`` rarely, and for one cycle; ``half`` about
    every other cycle; ``alternate`` exactly every other cycle; ``bursty``
    runs of beats between long pauses; ``slow`` pauses of several cycles
    before every beat; ``storm`` changes between all of these.

    Parameters
    ----------
    kind
        One of :data:`PACINGS`.
    seed
        What the pauses derive from.

    Raises
    ------
    ValueError
        There is no such pattern.
    """

    LONGEST = 24

    def __init__(self, kind: str, seed: int) -> None:
        if kind not in PACINGS:
            raise ValueError(f"pacing must be one of {', '.join(PACINGS)}, not {kind!r}")
        self.kind = kind
        self._random = Random(seed)
        self._pauses = getattr(self, f"_{kind}")()

    def next(self) -> int:
        """Return how many cycles to pause before the next beat, 0 to ``LONGEST``."""
        return next(self._pauses)

    def _full(self) -> Iterator[int]:
        while True:
            yield 0

    def _light(self) -> Iterator[int]:
        while True:
            yield int(self._random.random() < 0.1)

    def _half(self) -> Iterator[int]:
        while True:
            pause = 0
            while self._random.random() < 0.5 and pause < self.LONGEST:
                pause += 1
            yield pause

    def _alternate(self) -> Iterator[int]:
        while True:
            yield 1

    def _bursty(self) -> Iterator[int]:
        while True:
            yield self._random.randint(4, self.LONGEST)
            for _ in range(self._random.randint(3, 40)):
                yield 0

    def _slow(self) -> Iterator[int]:
        while True:
            yield self._random.randint(2, 9)

    def _storm(self) -> Iterator[int]:
        while True:
            pauses = getattr(self, f"_{self._random.choice(PACINGS[:-1])}")()
            for _ in range(self._random.randint(5, 40)):
                yield next(pauses)

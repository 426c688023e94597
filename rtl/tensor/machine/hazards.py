"""Whether waits put all commands in order that touch the same words."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rtl.tensor.accelerator.commands import Command, Compute, Engine, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.errors import HazardError
from rtl.tensor.machine.footprint import Space, Touch, footprint

__all__ = ["HazardTracker"]

_ENGINES = len(Engine)


@dataclass(slots=True)
class _Marks:
    """Last command of each engine that wrote and that read each address, -1 for none: ``(4, addresses)``.

    Commands count within their engine.
    """

    wrote: np.ndarray
    read: np.ndarray

    @classmethod
    def sized(cls, addresses: int) -> _Marks:
        shape = (_ENGINES, addresses)
        return cls(np.full(shape, -1, np.int32), np.full(shape, -1, np.int32))

    def grow(self, addresses: int) -> None:
        missing = addresses - self.wrote.shape[1]
        if missing > 0:
            more = np.full((_ENGINES, missing), -1, np.int32)
            self.wrote = np.concatenate([self.wrote, more], 1)
            self.read = np.concatenate([self.read, more], 1)


@dataclass(slots=True)
class HazardTracker:
    """Keeps for each word who touched it, and finds pairs of commands without order.

    A command begins when what it waits for is done, and not before those
    ahead of it in its engine begin; done it is after them. Its fetches and its
    writes follow those of the commands ahead, but it may fetch while they
    still write: only a wait makes it read what they wrote.

    Parameters
    ----------
    config
        Configuration of the accelerator.
    """

    config: AcceleratorConfig
    _known: list[list[np.ndarray]] = field(default_factory=lambda: [[] for _ in Engine])
    _marks: dict[Space, _Marks] = field(default_factory=dict)
    _kept: int | None = None

    def add(self, engine: Engine, command: Command, waits: tuple[int, int, int, int]) -> None:
        """Add a command, in any order that waits allow; within an engine in its order.

        Parameters
        ----------
        engine
            What executes it.
        command
            The command, checked.
        waits
            How many commands of each engine must be done, not modulo anything.

        Raises
        ------
        HazardError
            It touches a word that another touched, one of them writes, and
            they are not in order; or it accumulates sums that the command
            before it did not keep.
        """
        known = self._order(engine, waits)
        self._check_sums(command)
        touches = footprint(command, self.config)
        self._check_own(command, touches)
        for touch in touches:
            self._check(engine, command, known, touch)
        number = len(self._known[engine]) - 1
        for touch in touches:
            marks = self._marks[touch.space]
            (marks.wrote if touch.write else marks.read)[engine, touch.addresses] = number

    def _order(self, engine: Engine, waits: tuple[int, int, int, int]) -> np.ndarray:
        """Return how many commands of each engine are surely done when the next of `engine` begins."""
        known = np.maximum(np.array(waits, np.int64), 0)
        if self._known[engine]:
            known = np.maximum(known, self._known[engine][-1])
        for other, done in enumerate(known.tolist()):
            if done > 0:
                known = np.maximum(known, self._known[other][done - 1])
        self._known[engine].append(known)
        return known

    def _check(self, engine: Engine, command: Command, known: np.ndarray, touch: Touch) -> None:
        addresses = touch.addresses
        if not len(addresses):
            return
        size = int(addresses.max()) + 1
        marks = self._marks.setdefault(touch.space, _Marks.sized(size))
        marks.grow(size)
        for other in Engine:
            same = other is engine  # reads and writes of one engine keep their order among themselves
            if not (same and touch.write):
                self._compare(other, command, known, marks.wrote[other, addresses], touch, "writes")
                if not touch.write:
                    continue
            if touch.write and not same:
                self._compare(other, command, known, marks.read[other, addresses], touch, "reads")

    @staticmethod
    def _compare(
        other: Engine, command: Command, known: np.ndarray, last: np.ndarray, touch: Touch, how: str
    ) -> None:
        late = last >= known[other]
        if late.any():
            place = int(np.argmax(late))
            raise HazardError(
                f"{touch.space.value} {touch.addresses[place]}: command {command.tag} "
                f"({type(command).__name__}) {'writes' if touch.write else 'reads'} it, "
                f"command {last[place]} of {other.name} {how} it, and no wait orders them"
            )

    @staticmethod
    def _check_own(command: Command, touches: tuple[Touch, ...]) -> None:
        written = [t for t in touches if t.write]
        in_place = (
            {command.source, command.source_b}
            if isinstance(command, Compute) and command.operation is Operation.ADD
            else set()
        )
        for target in written:
            for touch in touches:
                if touch.write or touch.space is not target.space:
                    continue
                if in_place and touch.addresses[0] == target.addresses[0]:
                    continue  # each word is read before its sum is written
                if len(np.intersect1d(touch.addresses, target.addresses)):
                    raise HazardError(
                        f"command {command.tag} ({type(command).__name__}) writes {touch.space.value}s "
                        "that it reads"
                    )

    def _check_sums(self, command: Command) -> None:
        if not isinstance(command, Compute):
            return
        pixels = command.rows * command.columns
        if command.accumulate and self._kept != pixels:
            raise HazardError(
                f"command {command.tag} accumulates {pixels} pixels, of which the one before kept "
                f"{self._kept or 'none'}"
            )
        self._kept = pixels if command.keep else None

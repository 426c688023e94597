"""Cycle-exact model of the register slice; needs no library."""

from collections import deque
from typing import Generic, TypeVar

__all__ = ["StreamRegisterModel"]

T = TypeVar("T")


class StreamRegisterModel(Generic[T]):
    """A queue of two beats that the source may fill until it is full.

    Attributes
    ----------
    i_ready
        Whether the source's beat is taken in this cycle.
    o_valid
        Whether a beat is offered in this cycle.
    o_payload
        The beat offered, or ``None``.
    """

    CAPACITY = 2

    def __init__(self) -> None:
        self._beats: deque[T] = deque()

    @property
    def i_ready(self) -> bool:
        """Whether the source's beat is taken in this cycle."""
        return len(self._beats) < self.CAPACITY

    @property
    def o_valid(self) -> bool:
        """Whether a beat is offered in this cycle."""
        return bool(self._beats)

    @property
    def o_payload(self) -> T | None:
        """The beat offered, or ``None``."""
        return self._beats[0] if self._beats else None

    def step(self, i_valid: bool, i_payload: T, o_ready: bool) -> None:
        """Clock once with these inputs.

        Parameters
        ----------
        i_valid, i_payload
            What the source offers.
        o_ready
            Whether the sink takes what is offered.
        """
        push = i_valid and self.i_ready
        if o_ready and self._beats:
            self._beats.popleft()
        if push:
            self._beats.append(i_payload)

    def reset(self) -> None:
        """Drop everything, as a clock with reset does."""
        self._beats.clear()

"""The rules of a memory bus, checked cycle by cycle; needs no simulator."""

__all__ = ["MemoryBusProtocol", "MemoryProtocolError"]

_STROBES = {1, 2, 4, 8, 3, 12, 15}


class MemoryProtocolError(AssertionError):
    """A side of a memory bus broke a rule."""


class MemoryBusProtocol:
    """Check requests and count what is unanswered.

    Parameters
    ----------
    name
        The bus, for messages.
    width
        Bytes that it moves at a time.

    Attributes
    ----------
    outstanding
        Requests that were granted and are not answered.
    """

    def __init__(self, name: str, width: int = 4) -> None:
        self.name = name
        self.outstanding = 0
        self._width = width
        self._waiting: tuple[int, ...] | None = None

    def clock(self, cycle: int, request: tuple[int, ...] | None, granted: bool, answered: bool) -> None:
        """Check one cycle.

        Parameters
        ----------
        cycle
            Its number, for messages.
        request
            Address and, on a bus that writes, write, strobe and data; None without one.
        granted, answered
            ``grant`` and ``response``.

        Raises
        ------
        MemoryProtocolError
            A request was withdrawn, changed or malformed, or an answer came
            to none.
        """
        if self._waiting is not None and request != self._waiting:
            what = "withdrawn" if request is None else "changed"
            raise MemoryProtocolError(f"{self.name}: request {what} before its grant in cycle {cycle}")
        if answered and not self.outstanding:
            raise MemoryProtocolError(f"{self.name}: response without a request in cycle {cycle}")
        if request is not None:
            self._shape(cycle, request)
        self._waiting = request if request is not None and not granted else None
        self.outstanding += (request is not None and granted) - answered

    def _shape(self, cycle: int, request: tuple[int, ...]) -> None:
        address, *rest = request
        if address % self._width:
            raise MemoryProtocolError(
                f"{self.name}: address {address:#x} is no multiple of {self._width} in cycle {cycle}"
            )
        if rest and rest[1] not in _STROBES:
            raise MemoryProtocolError(
                f"{self.name}: strobe {rest[1]:04b} is no byte, half or word in cycle {cycle}"
            )

    def reset(self) -> None:
        """Forget everything: reset ends all accesses."""
        self._waiting = None
        self.outstanding = 0

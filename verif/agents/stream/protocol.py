"""The rules of a valid/ready stream, checked cycle by cycle; needs no simulator."""

__all__ = ["ProtocolError", "StreamProtocol"]


class ProtocolError(AssertionError):
    """A side of a stream broke a rule."""


class StreamProtocol:
    """Check that an offer stays, unchanged, until it is taken.

    Parameters
    ----------
    name
        The stream, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting: int | None = None

    @property
    def waiting(self) -> bool:
        """Whether an offer was not taken in the previous cycle."""
        return self._waiting is not None

    def clock(self, cycle: int, valid: int, ready: int, payload: int | None) -> None:
        """Check one cycle.

        Parameters
        ----------
        cycle
            Its number, for messages.
        valid, ready
            The handshake.
        payload
            What is offered; looked at only while `valid`.

        Raises
        ------
        ProtocolError
            ``valid`` was withdrawn, or the payload changed.
        """
        if self._waiting is not None:
            if not valid:
                raise ProtocolError(f"{self.name}: valid withdrawn before ready in cycle {cycle}")
            if payload != self._waiting:
                raise ProtocolError(
                    f"{self.name}: payload changed before ready in cycle {cycle}: "
                    f"{self._waiting:#x} became {payload:#x}"
                )
        self._waiting = payload if valid and not ready else None

    def reset(self) -> None:
        """Forget an offer: reset withdraws it."""
        self._waiting = None

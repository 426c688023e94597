"""What stops a program, on hardware and in the model."""

from __future__ import annotations

from rtl.tensor.accelerator.interfaces import ErrorCode

__all__ = ["ErrorCode", "HazardError", "MachineError"]


class MachineError(Exception):
    """A command that the hardware stops at.

    Attributes
    ----------
    code
        What the status register shows.
    reason
        What is wrong, in words.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return f"error {self.code.value}: {self.reason}"


class HazardError(Exception):
    """Two commands touch a word, at least one writes it, and no wait puts them in order.

    The hardware does not notice: its result would depend on time.
    """

"""What became of a fault."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What noticed a fault.

    Attributes
    ----------
    by
        Which stimulus; empty when none did.
    message
        What was wrong.
    cycles, commands
        Simulated until then, and commands in what was run.
    """

    by: str = ""
    message: str = ""
    cycles: int = 0
    commands: int = 0

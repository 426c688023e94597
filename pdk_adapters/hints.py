"""What an adapter knows about cells that Liberty does not say."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RoleHints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHints:
    """What Liberty does not say; every pattern is a shell pattern on cell names.

    Attributes
    ----------
    dont_use
        Cells that synthesis must not pick.
    delay
        Buffers and inverters that are there to be slow.
    clock
        Buffers and inverters that are balanced for clocks.
    fillers, tap, antenna
        Physical cells; fillers in order of width.
    driving_cell, load_pf
        For the ports in timing.
    """

    dont_use: tuple[str, ...] = ()
    delay: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    tap: str | None = None
    antenna: str | None = None
    driving_cell: tuple[str, str] = ("", "")
    load_pf: float = 0.0

"""Timing constraints, independent of any tool and any PDK."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Clock", "Constraints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock: the port it enters by and the period asked for.

    Attributes
    ----------
    port
        Name of the top's clock port; ``None`` for a virtual clock, which a
        purely combinational design is timed against.
    period_ns
        Period in nanoseconds.
    uncertainty_ns
        Setup and hold margin for skew and jitter.
    """

    port: str | None = "clk"
    period_ns: float = 10.0
    uncertainty_ns: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.period_ns < 1e9:
            raise ValueError(f"clock {self.port}: period_ns must be positive, not {self.period_ns}")
        if not 0 <= self.uncertainty_ns < self.period_ns:
            raise ValueError(
                f"clock {self.port}: uncertainty_ns must lie in [0, {self.period_ns}), "
                f"not {self.uncertainty_ns}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a design must meet.

    Attributes
    ----------
    clocks
        At least one; the first is the main clock that ports are timed
        against.
    input_delay, output_delay
        Share of the main period spent outside, 0 to 1.
    load_pf
        Load on every output; ``None`` takes the PDK's.
    driving_cell
        Cell that drives every input; ``None`` takes the PDK's, ``""`` none.
    max_fanout
        Largest fanout that synthesis leaves unbuffered.
    reset
        Name of the reset port; its paths are not timed.
    sdc
        Relative path of a user's SDC file that replaces all of the above in
        timing and power.
    """

    clocks: tuple[Clock, ...] = (Clock(),)
    input_delay: float = 0.2
    output_delay: float = 0.2
    load_pf: float | None = None
    driving_cell: str | None = None
    max_fanout: int = 16
    reset: str | None = None
    sdc: str | None = None

    def __post_init__(self) -> None:
        if not self.clocks:
            raise ValueError("constraints: at least one clock is needed; give port = false for a virtual one")
        for name in ("input_delay", "output_delay"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"constraints: {name} must lie in [0, 1), not {getattr(self, name)}")
        if self.max_fanout < 2:
            raise ValueError(f"constraints: max_fanout must be at least 2, not {self.max_fanout}")

"""What a regression is to be, and what is left when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flow.regress.model import Regression
from flow.regress.select import Choice

__all__ = ["Finished", "Order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a regression is to be.

    Attributes
    ----------
    choice
        Its tests.
    fixed_seed
        One seed for all tests, instead of those that derive from the master seed.
    ranked
        Run only what the ranking of an earlier regression has: how its id begins,
        empty for the latest; None to run all.
    reruns, waves
        Whether to repeat what failed, and to record waves of each bucket.
    keep
        Whether to record it in the history, to which it is then compared.
    coverage
        Kinds of code coverage to collect of all tests; None for what the manifest says.
    """

    choice: Choice
    fixed_seed: int | None = None
    ranked: str | None = None
    reruns: bool = True
    waves: bool = True
    keep: bool = True
    coverage: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A regression that has ended.

    Attributes
    ----------
    regression
        What came of it.
    folder
        Its files: ``regression.json``, ``report.html``, ``junit.xml``, logs and waves.
    exit_code
        0 good, 1 a test failed, 2 the user's input, 3 a tool or machine, 130 interrupted.
    notes
        What else its user should know.
    """

    regression: Regression
    folder: Path
    exit_code: int
    notes: tuple[str, ...] = ()

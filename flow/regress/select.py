"""Which tests a regression runs, and how many seeds of each."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flow.model.design import MOST_SEEDS, Design, TestSpec
from flow.model.errors import ConfigError
from flow.model.suite import IMPLICIT_SUITES, SuiteSpec, TagExpression

__all__ = ["Choice", "select", "share_out", "suite_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked for.

    Attributes
    ----------
    suite
        Name of a suite, or empty for all tests.
    tags
        Of the suite's tests only those that match this expression; empty for all.
    tests
        Of the suite's tests only these; empty for all.
    seeds
        How many seeds each test has, instead of what suite and tests say.
    """

    suite: str = ""
    tags: str = ""
    tests: tuple[str, ...] = ()
    seeds: int | None = None


def select(design: Design, choice: Choice) -> tuple[TestSpec, ...]:
    """Return the chosen tests, in the manifest's order, with seeds and limits as they are to be run.

    Raises
    ------
    ConfigError
        There is no such suite or test, the expression is malformed, or
        nothing is chosen.
    """
    suite = suite_of(design, choice.suite)
    tests = [test for test in design.tests if _in(suite, test)]
    known = {test.name for test in design.tests}
    for name in choice.tests:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = (
                f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(sorted(known)) or 'no test'}."
            )
            raise ConfigError(f"there is no test {name!r}", design.manifest, remedy)
    if choice.tests:
        tests = [test for test in tests if test.name in choice.tests]
    if choice.tags:
        try:
            expression = TagExpression(choice.tags)
        except ValueError as error:
            raise ConfigError(str(error), "--tag", 'For example: --tag "smoke and not slow"') from None
        tests = [test for test in tests if expression.matches(test.tags)]
    if not tests:
        tags = sorted({tag for test in design.tests for tag in test.tags})
        raise ConfigError(
            "no test is chosen", design.manifest,
            f"Its tags are: {', '.join(tags)}." if tags else 'Give tests tags, such as tags = ["nightly"].',
        )  # fmt: skip
    return tuple(
        replace(test, seeds=seeds, timeout_s=test.timeout_s * suite.timeout_factor)
        for test, seeds in zip(tests, _seeds(suite, tests, choice.seeds), strict=True)
    )


def suite_of(design: Design, name: str) -> SuiteSpec:
    """Return a suite by its name; one of all tests for the empty name.

    Raises
    ------
    ConfigError
        There is none; the message suggests the nearest.
    """
    if not name:
        return SuiteSpec(name="all")
    for suite in design.suites:
        if suite.name == name:
            return suite
    if name in IMPLICIT_SUITES:
        return SuiteSpec(name=name, tags=TagExpression(name))
    names = list(dict.fromkeys([*(suite.name for suite in design.suites), *IMPLICIT_SUITES]))
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
    raise ConfigError(f"there is no suite {name!r}", design.manifest, remedy)


def _in(suite: SuiteSpec, test: TestSpec) -> bool:
    if suite.tags is None and not suite.tests:
        return True
    return test.name in suite.tests or (suite.tags is not None and suite.tags.matches(test.tags))


def _seeds(suite: SuiteSpec, tests: Sequence[TestSpec], asked: int | None) -> list[int]:
    if asked is None and suite.runs is not None:
        return share_out(suite.runs, [test.weight for test in tests])
    return [min(asked or suite.seeds or test.seeds, MOST_SEEDS) for test in tests]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Share `total` runs out by weight, at least one each; what is left goes to the largest fractions."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [max(1, int(part)) for part in exact]
    by_fraction = sorted(range(len(exact)), key=lambda i: int(exact[i]) - exact[i])
    for i in by_fraction[: max(0, total - sum(shares))]:
        shares[i] += 1
    return [min(share, MOST_SEEDS) for share in shares]

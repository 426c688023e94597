"""The runs of a regression: every test with each of its seeds."""

from __future__ import annotations

from collections.abc import Sequence

from flow.engine.seeds import derive_seed
from flow.model.design import TestSpec
from flow.stages.chip import TestRun

__all__ = ["runs_of"]


def runs_of(tests: Sequence[TestSpec], master_seed: int, fixed_seed: int | None = None) -> list[TestRun]:
    """Return the runs of `tests`.

    A seed derives from the master seed, the test's name and its index alone,
    so that it is the same in every subset and order.

    Parameters
    ----------
    tests
        With the number of seeds that each is to have.
    master_seed
        What seeds derive from.
    fixed_seed
        The one seed of every test, instead.
    """
    if fixed_seed is not None:
        return [TestRun(test=test, index=0, seed=fixed_seed) for test in tests]
    return [
        TestRun(test=test, index=index, seed=derive_seed(master_seed, test.name, index))
        for test in tests
        for index in range(test.seeds)
    ]

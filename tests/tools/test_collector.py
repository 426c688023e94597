"""The garbage collector: off while netlists are built, and back again."""

from __future__ import annotations

import gc

import pytest

from flow.tools._collector import without_collector


def test_the_collector_comes_back() -> None:
    assert gc.isenabled()

    @without_collector
    def inner(fails: bool) -> bool:
        if fails:
            raise ValueError("no")
        return gc.isenabled()

    @without_collector
    def outer() -> bool:
        return inner(False) or gc.isenabled()

    assert not outer()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"):
        inner(True)
    assert gc.isenabled()
    gc.disable()
    try:
        inner(False)
        assert not gc.isenabled()
    finally:
        gc.enable()

"""Projects of users, with one cache for the whole session."""

from __future__ import annotations

import pytest
import user_designs


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def counter(tmp_path, session_cache):
    return user_designs.counter(tmp_path / "counter", session_cache)


@pytest.fixture
def blink(tmp_path, session_cache):
    return user_designs.blink(tmp_path / "blink", session_cache)

"""The reference networks truncated and with changed bytes: one error each, no traceback, no memory."""

from __future__ import annotations

import random
import resource

import pytest
from tensor_models import NETWORKS, need_network

from rtl.tensor.accelerator.config import PRESETS
from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model

pytestmark = pytest.mark.nightly

_MOST_BYTES = 1 << 30  # that all files together may add to what the process has taken


def outcome(data: bytes, *, compiled: bool) -> str:
    """Read a file, and compile what is accepted; return the error's text. Other exceptions fail the test."""
    try:
        graph = read_model(data, "m")
        if compiled:
            compile_graph(graph, PRESETS["8x8"])
    except CompileError as error:
        text = str(error)
        assert text.startswith("m: ")
        assert "\n" not in text
        assert len(text) < 1000
        return text
    return ""


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Return a file with one to eight bytes changed, half of them near its end, where tables are."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(made))
        if rng.random() < 0.5:
            place = len(made) - 1 - rng.randrange(min(20_000, len(made)))
        made[place] ^= rng.choice((1, 0x80, 0xFF, rng.randrange(1, 256)))
    return bytes(made)


@pytest.fixture(autouse=True)
def _bounded():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) << 10 < _MOST_BYTES


@pytest.mark.parametrize("name", NETWORKS)
def test_truncations(name):
    data = need_network(name).read_bytes()
    assert outcome(data, compiled=False) == ""
    step = len(data) // 500
    accepted = [
        length for length in range(0, len(data) - 8, step) if not outcome(data[:length], compiled=False)
    ]
    assert accepted == []


@pytest.mark.parametrize("name", NETWORKS)
def test_flipped_bytes(name):
    data = need_network(name).read_bytes()
    rng = random.Random(name)
    refused = sum(bool(outcome(flipped(data, rng), compiled=False)) for _ in range(1000))
    assert 100 < refused < 1000  # most bytes are weights, which may be anything


@pytest.mark.parametrize("name", NETWORKS)
def test_flipped_bytes_are_compiled(name):
    data = need_network(name).read_bytes()
    rng = random.Random(f"compiled {name}")
    results = [outcome(flipped(data, rng), compiled=True) for _ in range(40)]
    assert any(results)
    assert not all(results)

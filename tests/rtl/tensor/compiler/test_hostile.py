"""Truncated, changed and malicious files: one error each, no traceback, no memory."""

from __future__ import annotations

import random
import struct
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

import tiny_networks as tiny

from rtl.tensor.compiler import model
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.reference import run_reference
from verif.models.tensor.networks import random_network

#: What a field of 32 bits may be turned into.
_EDGES = (0, 1, 2, 4, 0x7F, 0xFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FC00000)


def outcome(data):
    """Read a file; return the error's text, or None. Any other exception fails the test."""
    try:
        graph = read_model(data, "m")
    except CompileError as error:
        text = str(error)
        assert text.startswith("m: ") and "\n" not in text and len(text) < 1000
        assert error.what and error.remedy
        return text
    # What is accepted must be sound enough to run.
    if sum(tensor.size for tensor in graph.tensors.values()) < 50_000:
        run_reference(graph, np.zeros(graph.tensors[graph.input].size, np.int8))
    return None


def changes(data, rng):
    """Return a file with one to eight bytes or words changed."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        place = rng.randrange(len(made))
        if rng.random() < 0.4:
            made[place] = rng.randrange(256)
        else:
            value = rng.choice(_EDGES) if rng.random() < 0.6 else rng.randrange(len(made))
            place = min(place & ~3, len(made) - 4)
            made[place : place + 4] = struct.pack("<I", value)
    return bytes(made)


def mutate(seeds, count):
    """Return how many changed files were refused, of how many."""
    refused = 0
    for seed in seeds:
        data = random_network(seed, macs=20_000, values=1000)
        rng = random.Random(seed)
        refused += sum(outcome(changes(data, rng)) is not None for _ in range(count))
    return refused


def test_every_truncation():
    for network in (tiny.conv(), tiny.padded_conv()):
        data = network.encode()
        assert outcome(data) is None
        # Data lie where the writer put them: what is behind the last of them may be missing.
        refused = [outcome(data[:length]) is not None for length in range(len(data))]
        assert refused.count(False) <= 8 and all(refused[: len(data) - 8])


def test_mutations():
    refused = mutate(range(12), 12)
    assert 50 < refused < 144  # weights and biases may be anything


@pytest.mark.nightly
def test_many_mutations():
    assert mutate(range(100), 50) > 1500


def test_vectors_that_lie():
    """Every aligned word set to 2**31 - 1: lengths, offsets, numbers."""
    data = tiny.conv().encode()
    refused = 0
    for place in range(0, len(data), 4):
        refused += outcome(data[:place] + struct.pack("<i", 2**31 - 1) + data[place + 4 :]) is not None
    assert refused > len(data) // 20


def peak(data):
    """Return the largest number of bytes that reading allocates."""
    tracemalloc.start()
    try:
        text = outcome(data)
        return text, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_weights_that_would_expand():
    """Depth multipliers of many operators on the same weights, each of which would need megabytes."""
    network = tiny.depthwise(2)
    channels = 500
    network.tensors[0].shape, network.tensors[1].shape = (1, 1, 1, channels), (1, 1, 1, 2 * channels)
    network.tensors[2] = tiny.constant(np.ones((1, 1, 4, 2 * channels)), scales=(0.1,), axis=3, name="w")
    for _ in range(50):
        output = network.add(tiny.activation((1, 1, 1, 2 * channels), name="again"))
        spec = network.operators[0]
        network.operators.append(
            type(spec)(
                kind=spec.kind,
                inputs=(0, 2),
                outputs=(output,),
                options_type=spec.options_type,
                options=spec.options,
            )
        )
    text, most = peak(network.encode())
    assert "the network has more than 8388608 channels and expanded weights" in text
    assert most < 40 << 20


def test_shapes_that_claim_much():
    network = tiny.one("RESHAPE", (1, 4000, 4000), out_shape=(1, 4000, 4000))
    for _ in range(10):
        spec = network.operators[-1]
        output = network.add(tiny.activation((1, 4000, 4000), name="more"))
        network.operators.append(type(spec)(kind="RESHAPE", inputs=spec.outputs, outputs=(output,)))
    text, most = peak(network.encode())
    assert "'more': shape 1 x 4000 x 4000 is too large; a tensor has at most 16777216 values" in text
    assert most < 4 << 20


def test_tensors_that_share_a_vector():
    """Thousands of tensors with the same long list of scales."""
    network = tiny.one("RESHAPE")
    network.tensors[0].scales = (0.5,) * 200_000
    network.tensors[0].zero_points = (0,) * 200_000
    text, most = peak(network.encode())
    assert "the input 'in' has 200000 scales, not 1" in text
    assert most < 8 << 20


def test_counts_that_no_network_has(monkeypatch):
    network = tiny.one("RESHAPE")
    network.operators *= 3
    monkeypatch.setitem(model._MOST, "operators", 2)
    assert "m: the model claims 3 operators, more than 2" in outcome(network.encode())
    network = tiny.one("RESHAPE")
    network.operators[0].inputs = (0,) * 100
    assert "operator 0 (RESHAPE): 100 operands, more than 64" in outcome(network.encode())


def test_names_are_cut_and_printable():
    network = tiny.one("LOGISTIC")
    network.tensors[0].name = "line\nbreak\x1b[31m" + "x" * 10_000
    network.tensors[0].dtype = "uint8"
    text = outcome(network.encode())
    assert "the input 'line?break?[31mxxx" in text and len(text) < 500

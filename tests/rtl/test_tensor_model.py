"""The tile's model against arithmetic done by hand and by plain integers."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rtl.tensor.config import TileConfig
from rtl.tensor.model import mac_tile, pack, pack_activations, unpack, wrap

ROOT = Path(__file__).resolve().parents[2]


def plain(activations, weights, markers, config):
    """The contract in plain integers, beat by beat."""
    first, last, swap = markers
    total, used, results = [0] * config.columns, -1, []
    for number, lanes in enumerate(activations):
        if swap[number] or number == 0:
            used += 1
        if first[number] or number == 0:
            total = [0] * config.columns
        for column in range(config.columns):
            total[column] += sum(int(x) * int(weights[used][row][column]) for row, x in enumerate(lanes))
        if last[number]:
            modulus = 1 << config.accumulator_width
            results.append([(t + modulus // 2) % modulus - modulus // 2 for t in total])
    return results


@pytest.mark.parametrize("seed", range(20))
def test_equals_plain_integers(seed: int) -> None:
    rng = random.Random(seed)
    config = TileConfig(
        rows=rng.randint(1, 9),
        columns=rng.randint(1, 9),
        activation_width=rng.randint(2, 16),
        weight_width=rng.randint(2, 16),
        accumulator_width=rng.choice((16, 17, 24, 32, 47, 64)),
    )
    beats = rng.randint(1, 60)

    def draw(width):
        low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
        return rng.choice((low, high, rng.randint(low, high)))

    x = [[draw(config.activation_width) for _ in range(config.rows)] for _ in range(beats)]
    markers = [[rng.random() < 0.3 for _ in range(beats)] for _ in range(3)]
    sets = sum(markers[2]) + 1
    w = [
        [[draw(config.weight_width) for _ in range(config.columns)] for _ in range(config.rows)]
        for _ in range(sets)
    ]
    got = mac_tile(x, w, first=markers[0], last=markers[1], swap=markers[2], config=config)
    assert got.dtype == np.int64
    assert got.tolist() == plain(x, w, markers, config)


def test_worked_example() -> None:
    config = TileConfig(rows=2, columns=2)
    result = mac_tile(
        [[1, 2], [3, 4]], [[[1, 10], [100, -1]]], first=[1, 0], last=[1, 1], swap=[1, 0], config=config
    )
    assert result.tolist() == [[201, 8], [201 + 403, 8 + 26]]


def test_no_beats_no_results() -> None:
    assert mac_tile([], [], first=[], last=[], swap=[]).shape == (0, 8)


def test_first_beat_needs_no_markers() -> None:
    config = TileConfig(rows=1, columns=1)
    assert mac_tile([[5]], [[[7]]], first=[0], last=[1], swap=[0], config=config).tolist() == [[35]]


def test_arguments_are_left_alone() -> None:
    config = TileConfig(rows=1, columns=1)
    first, swap = np.array([False, False]), np.array([False, True])
    mac_tile([[1], [1]], [[[1]], [[2]]], first=first, last=[1, 1], swap=swap, config=config)
    assert first.tolist() == [False, False]
    assert swap.tolist() == [False, True]


@pytest.mark.parametrize(
    ("width", "value", "wrapped"),
    [
        (8, 127, 127),
        (8, 128, -128),
        (8, -129, 127),
        (8, 256, 0),
        (1, 1, -1),
        (64, -1, -1),
        (32, 1 << 31, -(1 << 31)),
    ],
)
def test_wrap(width: int, value: int, wrapped: int) -> None:
    assert wrap(value, width) == wrapped


@pytest.mark.parametrize("width", [0, 65])
def test_wrap_refuses(width: int) -> None:
    with pytest.raises(ValueError, match=rf"width must lie in 1\.\.64, not {width}"):
        wrap(0, width)


def test_refusals() -> None:
    config = TileConfig(rows=1, columns=1)
    with pytest.raises(ValueError, match=r"weights must hold at least 2 sets for these beats, not 1"):
        mac_tile([[1], [1]], [[[1]]], first=[1, 1], last=[1, 1], swap=[1, 1], config=config)
    with pytest.raises(ValueError, match=r"last must have shape \(1,\), not \(2,\)"):
        mac_tile([[1]], [[[1]]], first=[1], last=[1, 1], swap=[1], config=config)
    with pytest.raises(ValueError, match=r"activations must lie in -256\.\.255 \(9 bits\), not 256\.\.256"):
        mac_tile([[256]], [[[1]]], first=[1], last=[1], swap=[1], config=config)
    with pytest.raises(ValueError, match=r"weights must lie in -128\.\.127 \(8 bits\)"):
        mac_tile([[1]], [[[-129]]], first=[1], last=[1], swap=[1], config=config)


def test_packing_goes_back_and_forth() -> None:
    values = [-4, 3, 0, -1]
    assert unpack(pack(values, 3), 3, 4) == values
    assert pack([-1, 0], 4) == 0x0F
    config = TileConfig(rows=2, activation_width=4)
    assert pack_activations([-1, 1], first=True, last=False, swap=True, config=config) == 0b101_0001_1111


def test_model_needs_no_amaranth() -> None:
    # Benches import the model inside every simulation; Amaranth would double their start.
    code = "import sys, rtl.tensor.model; sys.exit('amaranth' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

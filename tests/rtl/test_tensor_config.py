"""The tile's parameters: ranges, contradictions, what follows from them."""

import dataclasses

import pytest

from rtl.tensor.config import PRESETS, TileConfig


def test_default_is_8x8_with_int8_operands() -> None:
    config = TileConfig()
    assert (config.rows, config.columns) == (8, 8)
    assert (config.activation_width, config.weight_width, config.accumulator_width) == (9, 8, 32)
    assert config == TileConfig.preset("8x8")


@pytest.mark.parametrize(
    ("parameters", "depth", "stages", "product", "total", "latency"),
    [
        ({"rows": 1, "columns": 1}, 0, 0, 17, 17, 4),
        ({"rows": 2}, 1, 1, 17, 18, 5),
        ({"rows": 3, "columns": 5}, 2, 1, 17, 19, 5),
        ({"rows": 8}, 3, 2, 17, 20, 6),
        ({"rows": 16, "columns": 16}, 4, 2, 17, 21, 6),
        ({"rows": 8, "accumulator_width": 16}, 3, 2, 17, 16, 6),
        ({"rows": 8, "tree_stages": 0}, 3, 0, 17, 20, 4),
        ({"rows": 8, "tree_stages": 3}, 3, 3, 17, 20, 7),
    ],
)
def test_derived_widths(
    parameters: dict[str, int], depth: int, stages: int, product: int, total: int, latency: int
) -> None:
    config = TileConfig(**parameters)
    assert config.tree_depth == depth
    assert config.tree_stages == stages
    assert config.product_width == product
    assert config.sum_width == total
    assert config.latency == latency


def test_payload_widths() -> None:
    config = TileConfig(rows=3, columns=5, activation_width=7, weight_width=4, accumulator_width=20)
    assert config.activation_payload_width == 3 * 7 + 3
    assert config.weight_payload_width == 5 * 4
    assert config.result_payload_width == 5 * 20


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rows", 0, r"rows must lie in 1\.\.64, not 0"),
        ("rows", 65, r"rows must lie in 1\.\.64, not 65"),
        ("columns", -1, r"columns must lie in 1\.\.64, not -1"),
        ("activation_width", 1, r"activation_width must lie in 2\.\.16, not 1"),
        ("weight_width", 17, r"weight_width must lie in 2\.\.16, not 17"),
        ("accumulator_width", 65, r"accumulator_width must lie in 4\.\.64, not 65"),
        ("accumulator_width", 8, r"accumulator_width must be at least activation_width \(9\), not 8"),
        ("tree_stages", 4, r"tree_stages must lie in 0\.\.3, not 4"),
        ("tree_stages", -1, r"tree_stages must lie in 0\.\.3, not -1"),
    ],
)
def test_out_of_range(name: str, value: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TileConfig(**{name: value})


@pytest.mark.parametrize("name", [*TileConfig.parameter_names()])
@pytest.mark.parametrize("value", ["8", 8.0, True, [8]])
def test_wrong_type(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=rf"{name} must be an integer from \d+ to \d+, not "):
        TileConfig(**{name: value})


def test_contradictions() -> None:
    with pytest.raises(
        ValueError, match=r"rows \* columns must be at most 1024 multipliers, not 64 \* 17 = 1088"
    ):
        TileConfig(rows=64, columns=17)
    with pytest.raises(ValueError, match=r"accumulator_width must be at least weight_width \(16\), not 12"):
        TileConfig(weight_width=16, accumulator_width=12)


def test_presets() -> None:
    assert {name: (config.rows, config.columns) for name, config in PRESETS.items()} == {
        "4x4": (4, 4),
        "8x8": (8, 8),
        "16x16": (16, 16),
    }
    with pytest.raises(ValueError, match=r"preset must be one of 4x4, 8x8, 16x16, not '3x3'"):
        TileConfig.preset("3x3")


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TileConfig().rows = 4

"""Parameters of a manifest as constructors want them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

import pytest

from flow.stages.elaborate_values import typed_parameters


class Mode(enum.Enum):
    SLOW = 1
    FAST = 2


@dataclass(frozen=True)
class Config:
    depth: int = 4
    mode: Mode = Mode.SLOW


class Top:
    def __init__(self, width: int = 8, mode: Mode | None = None, config: Config = Config(),
                 taps: tuple[int, ...] = (), image: Path | None = None, free=None, **more):  # fmt: skip
        pass


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("width", 3, 3),
        ("width", "three", "three"),  # the constructor's to refuse
        ("mode", "FAST", Mode.FAST),
        ("mode", 1, Mode.SLOW),
        ("config", {"depth": 2, "mode": "FAST"}, Config(2, Mode.FAST)),
        ("taps", [1, 2], (1, 2)),
        ("image", "rom.hex", Path("rom.hex")),
        ("free", [1, {"a": 2}], [1, {"a": 2}]),
        ("other", "x", "x"),
    ],
)
def test_an_annotation_decides(name, value, typed):
    assert typed_parameters(Top, {name: value}) == {name: typed}


def test_what_is_no_member_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="mode is one of SLOW, FAST, not 'WARP'"):
        typed_parameters(Top, {"mode": "WARP"})
    with pytest.raises(ValueError, match=r"config\.mode is one of SLOW, FAST, not True"):
        typed_parameters(Top, {"config": {"mode": True}})


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"config cannot be made: .*dept"):
        typed_parameters(Top, {"config": {"dept": 1}})


def test_annotations_that_cannot_be_evaluated_say_nothing():
    class Odd:
        def __init__(self, a: "Nowhere"):  # noqa: F821, UP037
            pass

    assert typed_parameters(Odd, {"a": 1}) == {"a": 1}

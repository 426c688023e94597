"""The cores' Verilog means the same to a simulator as to a synthesiser."""

import re

import pytest
from amaranth.back import verilog

from rtl.riscv.core import Core
from verif.programs.directed.matrix import pairwise

# A block without anything that changes is never executed: what it assigns stays as it was.
_NEVER = re.compile(r"always @\*\n\s+(\S.* = (?:\{ )?\d+'h[0-9a-f]+(?: \})?;)")

_BRIEF = [("fast", {"issue_width": 1, "c": False, "m": False, "multiplier": "none", "divider": "none"})]
_ALL = [(preset, options) for preset in ("nano", "small", "fast") for options in pairwise(preset)]


@pytest.mark.parametrize(
    ("preset", "options"),
    [*_BRIEF, *(pytest.param(*core, marks=pytest.mark.nightly) for core in _ALL)],
)
def test_no_constant_waits_for_a_change(preset: str, options: dict[str, object]) -> None:
    text = verilog.convert(Core(preset=preset, rvfi=True, **options), name="core", emit_src=False)
    assert "always @*" in text
    assert not _NEVER.findall(text)

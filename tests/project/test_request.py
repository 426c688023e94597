"""What a request changes of a design, and what it leaves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from flow.model.design import Design, Synthesis
from flow.project.request import Request, apply

CHOSEN = Synthesis(
    recipe="area",
    hierarchy="keep",
    dont_use=("CLKBUF*",),
    abc_script="own.abc",
    memories="registers",
    outside_bits=64,
)


def _design() -> Design:
    return Design(
        name="d", top="d", language="verilog", root=Path(), manifest=Path("suzuri.toml"), synthesis=CHOSEN
    )


def test_the_manifest_decides_what_a_request_does_not_name() -> None:
    unset = [f.name for f in dataclasses.fields(Synthesis) if getattr(CHOSEN, f.name) == f.default]
    assert not unset, "give each field another value than its default above"
    assert apply(_design(), Request(path=Path())).synthesis == CHOSEN


def test_a_request_overrides_recipe_and_hierarchy_alone() -> None:
    changed = apply(_design(), Request(path=Path(), recipe="speed", hierarchy="flatten")).synthesis
    assert changed == dataclasses.replace(CHOSEN, recipe="speed", hierarchy="flatten")

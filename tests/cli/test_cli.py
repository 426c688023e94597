"""The command line as a whole."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from flow.cli.main import _COMMANDS, suzuri


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom flow.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('dask', 'distributed', 'sqlalchemy', 'rich', 'amaranth', 'numpy', 'fsspec')"
        " if m in sys.modules], file=sys.stderr)"
    )
    done = python(code)
    assert done.stderr == "[]\n"
    assert "Exit codes: 0 good, 1 a check failed, 2 your input, 3 a tool or machine" in done.stdout


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_is_there_and_says_what_it_does(name):
    command = suzuri.get_command(click.Context(suzuri), name)
    assert command is not None
    assert command.help
    assert all(p.help for p in _options(command)), name


def _options(command: click.Command) -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option)]


@pytest.mark.parametrize("path", ["plan", "run", "report", "doctor", "lock", "gc", "pdk list", "pdk check"])
def test_what_lists_has_json(path):
    group, *rest = path.split()
    command = suzuri.get_command(click.Context(suzuri), group)
    for name in rest:
        command = command.get_command(click.Context(command), name)
    assert any("--json" in p.opts for p in _options(command))


@pytest.mark.parametrize("arguments", [["pdk", "list", "--json"], ["gc", "--json"], ["doctor", "--json"]])
def test_json_is_json(arguments, tmp_path, monkeypatch):
    done = subprocess.run(
        [sys.executable, "-m", "flow.cli.main", *arguments], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    done = python(f"from flow.cli.main import main; main(['completion', {shell!r}])")
    assert "_SUZURI_COMPLETE" in done.stdout

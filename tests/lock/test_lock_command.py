import json

import pytest
from click.testing import CliRunner

from flow.cli import lock_cmd
from flow.model.tool import ToolIdentity


@pytest.fixture
def tools(monkeypatch):
    values = {"flavour": "path", "version": "2.0.17", "digest": "aa" * 32, "path": "/usr/bin/sta"}
    found = [ToolIdentity(name="opensta", licence="GPL-3.0-only", **values)]
    monkeypatch.setattr(lock_cmd, "_installed", lambda: (found, []))
    return found


@pytest.fixture
def call(tmp_path):
    def run(*args):
        return CliRunner().invoke(
            lock_cmd.lock, ["--file", str(tmp_path / "tools.lock"), *args], catch_exceptions=False
        )

    return run


def test_write_then_check(tools, call, tmp_path):
    assert "written; pins opensta" in call().output
    assert "unchanged; pins opensta" in call().output
    good = call("--check")
    assert (good.exit_code, good.output) == (0, f"{tmp_path}/tools.lock: nothing differs\n")


def test_a_difference_exits_with_1_and_says_it(tools, call):
    call()
    tools[0] = ToolIdentity(
        name="opensta", flavour="path", version="2.6", digest="bb" * 32, path="/x", licence="GPL-3.0-only"
    )
    bad = call("--check")
    assert bad.exit_code == 1
    assert "tool opensta: the lock has version 2.0.17, here is 2.6" in bad.output
    assert "accept with: suzuri lock" in bad.output
    answer = json.loads(call("--check", "--json").output)
    assert answer["differences"][0]["name"] == "opensta"


def test_what_is_not_installed_is_no_difference(tools, call):
    call()
    tools.clear()
    said = call("--check")
    assert said.exit_code == 0
    assert "not installed here, so not compared: tool opensta" in said.output

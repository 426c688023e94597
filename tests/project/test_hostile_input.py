"""Manifests and options that are wrong in ways that nobody means: each gets one clear paragraph."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.project.request import parse_assignment

DESIGN = '[design]\nname = "t"\ntop = "t"\nsources = ["t.v"]\n'
TEST = '[[test]]\nname = "x"\nmodule = "t"\n'


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a manifest of this text."""
    (tmp_path / "t.v").write_text("module t; endmodule\n")

    def write_and_load(text):
        (tmp_path / "suzuri.toml").write_bytes(text.encode())
        return load_design(tmp_path)

    return write_and_load


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
        (DESIGN + "\0", "not valid TOML"),
        (DESIGN.replace('"t"', r'"t\u0000"', 1), "design name"),
        (
            DESIGN.replace('top = "t"', 'top = "t; exec id"'),
            "top 't; exec id' is not the name of a Verilog module",
        ),
        (DESIGN.replace('top = "t"', r'top = "t\nexec id"'), "is not the name of a Verilog module"),
        (DESIGN.replace('top = "t"', 'top = "-t"'), "is not the name of a Verilog module"),
        (DESIGN.replace('top = "t"', 'top = "a b:C"'), "is not of the form package.module:Class"),
        (DESIGN.replace('top = "t"', 'top = ["t"]'), "design.top: expected a string"),
        (DESIGN + "[design.parameters]\nP = nan", "design.parameters.P: nan cannot be a parameter"),
        (DESIGN + "[design.parameters]\nP = [1, inf]", "cannot be a parameter"),
        (DESIGN + "[design.parameters]\nP = 2020-01-01", "2020-01-01 cannot be a parameter"),
        (DESIGN + TEST + "parameters = { P = nan }", "test[0].parameters.P"),
        (DESIGN + TEST + "seeds = 100000000", "seeds must lie in 1 to 100000, not 100000000"),
        (DESIGN + TEST + "timeout_s = inf", "timeout_s must be positive and finite"),
        (DESIGN + TEST + "timeout_s = nan", "timeout_s must be positive and finite"),
        (DESIGN + TEST + r'plusargs = ["a\u0000"]', "holds a NUL"),
        (DESIGN + TEST + 'env = { "A=B" = "c" }', "'A=B' is not the name of an environment variable"),
        (DESIGN + TEST + 'testcase = "((("', "testcase is not a regular expression"),
        (DESIGN + TEST.replace('module = "t"', 'module = "../t;x"'), "is not the name of a Python module"),
        (DESIGN + '[[limit]]\nmetric = "power__total"\nmin = nan', "must be finite"),
        (DESIGN + '[[limit]]\nmetric = "power__total"\nmin = 2\nmax = 1', "min 2 is above max 1"),
        (DESIGN + "[clock]\nperiod_ns = inf", "must be positive"),
    ],
)
def test_a_value_that_nothing_could_use_is_refused(load, text, words):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert words in str(caught.value)
    assert "suzuri.toml" in str(caught.value)


def test_what_is_odd_and_right_is_taken(load):
    design = load(
        "# " + "x" * 1_000_000 + "\n" + DESIGN.replace("\n", "\r\n") + "[design.parameters]\r\nP = -5\r\n"
    )
    assert design.parameters == {"P": -5}
    assert load(DESIGN.replace('top = "t"', 'top = "a$b"')).top == "a$b"
    assert load("\ufeff" + DESIGN).top == "t"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P=nan", "nan"),
        ("P=2020-01-01", "2020-01-01"),
        ("P=[1, 2]", [1, 2]),
        ("P=a b", "a b"),
        ("P=true", True),
    ],
)
def test_a_value_on_the_command_line_is_toml_or_text(text, value):
    assert parse_assignment(text) == ("P", value)


def test_a_manifest_that_is_a_folder(counter):
    (counter.root / "suzuri.toml").unlink()
    (counter.root / "suzuri.toml").mkdir()
    done = counter.run("plan")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_python_root_of_everything_is_refused(counter):
    counter.edit("suzuri.toml", "[design]", '[design]\npython_root = "/"')
    done = counter.run("plan", "--only", "simulate")
    assert done.returncode == 2, done.stderr
    assert "holds more than 5000 files" in done.stderr
    assert "python_packages" in done.stderr


def test_links_that_lead_in_a_circle_are_no_matter(counter):
    (counter.root / "again").symlink_to(".")
    (counter.root / "loop.py").symlink_to("loop.py")
    done = counter.run("plan", "--only", "simulate")
    assert done.returncode == 0, done.stderr


# -- where it prints to ------------------------------------------------------


def _shell(project, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = " ".join(project.command())
    return subprocess.run(
        ["bash", "-c", script.replace("SUZURI", words)], cwd=project.root, env=project.env(**env), text=True,
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_pipe_without_a_reader_keeps_the_exit_code(counter):
    done = _shell(counter, "SUZURI plan --only simulate | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("0\n", "")
    done = _shell(counter, "SUZURI plan --clock 0 2>&1 | true; echo ${PIPESTATUS[0]}")
    assert done.stdout == "2\n"


@pytest.mark.sim
def test_a_failed_run_fails_although_nobody_reads_it(counter):
    counter.edit("counter.v", "+ 1'b1", "+ 2'd2")
    done = _shell(counter, "SUZURI run --only simulate 2>/dev/null | true; echo ${PIPESTATUS[0]}")
    assert done.stdout == "1\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_an_output_that_is_full(counter):
    done = _shell(counter, "SUZURI plan --only simulate > /dev/full")
    assert done.returncode == 3
    assert done.stderr == "Error: the output: No space left on device. Free some space and run it again.\n"


@pytest.mark.sim
@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_an_output_that_knows_ascii_only(counter, env):
    done = _shell(counter, "SUZURI run --only lint; SUZURI doctor >/dev/null", **env)
    assert "PASS  counter" in done.stdout
    assert done.stderr.count("Error") == 0


def test_without_a_home(counter):
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        counter.command("plan", "--only", "simulate"), cwd=counter.root, text=True, capture_output=True,
        check=False, env={**env, "SUZURI_CACHE": str(counter.cache)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

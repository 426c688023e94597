"""Commands about regressions that have run: list, show, diff, note; and what is a suite."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from flow.cli.main import main, suzuri
from flow.cli.regress_cmd import _COMMANDS
from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.model.suite import REGRESS_COMMANDS
from flow.regress.classify import classify
from flow.regress.history import History
from flow.regress.model import Regression, Result, Verdict

MANIFEST = '[design]\nname = "fifo"\ntop = "fifo"\nsources = ["fifo.v"]\n'
LOST, BREAKS = "ScoreboardError: word 1 lost", "ProtocolError: o: valid withdrawn"
#: What each night shows: messages of the seeds 1 and 2, and whether the sources had changes.
NIGHTS = ((("", ""), False), ((LOST, ""), True), ((LOST, BREAKS), False))
IDS = ("20260101T000000-aaa111", "20260102T000000-bbb222", "20260103T000000-abc333")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line; its exit code, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(list(words))
        return (int(end.value.code or 0), *capfd.readouterr())

    return call


@pytest.fixture
def design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A design with three nights, and the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUZURI_DATABASE", raising=False)
    Path("suzuri.toml").write_text(MANIFEST)
    Path("fifo.v").write_text("module fifo; endmodule\n")
    Path("build").mkdir()
    history = History(Path("build/suzuri.sqlite").absolute())
    for number, (identity, (messages, dirty)) in enumerate(zip(IDS, NIGHTS, strict=True), 1):
        results = [
            Result(
                test="main", testcase="mixed", seed=seed, module="bench", message=message, time_s=0.1,
                verdict=Verdict.FAIL if message else Verdict.PASS, command=f"suzuri test main --seed {seed}",
            )
            for seed, message in enumerate(messages, 1)
        ]  # fmt: skip
        _keep(history, identity, number, results, dirty)
    history.close()
    return tmp_path


def _keep(history: History, identity: str, number: int, results: list[Result], dirty: bool) -> None:
    regression = classify(
        Regression(id=identity, design="fifo", suite="nightly", commit=f"c{number}" * 20, dirty=dirty,
                   started=f"2026-01-{number:02d}T00:00:00+00:00", results=results),
        history,
    )  # fmt: skip
    history.record(regression)
    folder = Path("build/regress") / identity
    folder.mkdir(parents=True)
    (folder / "regression.json").write_text(json.dumps(regression.to_json()))
    (folder / "report.html").write_text("<p>report</p>")


def test_lists_the_newest_first(design: Path, run: Run) -> None:
    code, out, _ = run("regress", "list")
    head, *rows = out.splitlines()
    assert code == 0
    assert head.split() == ["Regression", "Started", "(UTC)", "Suite", "Commit", "Passed", "Bad", "Flaky",
                            "New", "Open"]  # fmt: skip
    assert [row.split() for row in rows] == [
        [IDS[2], "2026-01-03", "00:00", "nightly", "c3c3c3c3c3", "0", "2", "0", "1", "2"],
        [IDS[1], "2026-01-02", "00:00", "nightly", "c2c2c2c2c2+", "1", "1", "0", "1", "1"],
        [IDS[0], "2026-01-01", "00:00", "nightly", "c1c1c1c1c1", "2", "0", "0", "0", "0"],
    ]
    told = json.loads(run("regress", "list", "--last", "2", "--json")[1])
    assert [(row["id"], row["dirty"]) for row in told] == [(IDS[2], False), (IDS[1], True)]
    code, out, err = run("regress", "list", "--suite", "smoke")
    assert (code, out) == (0, "")
    assert "no regression of suite smoke" in err


@pytest.mark.parametrize(
    ("word", "identity"),
    [((), IDS[2]), (("latest~1",), IDS[1]), (("20260101",), IDS[0]), (("bbb",), IDS[1]),
     ((f"build/regress/{IDS[0]}",), IDS[0]), ((f"build/regress/{IDS[1]}/regression.json",), IDS[1])],
)  # fmt: skip
def test_shows_a_regression_again(design: Path, run: Run, word: tuple[str, ...], identity: str) -> None:
    code, out, _ = run("regress", "show", *word)
    assert code == 0
    assert f"Report: build/regress/{identity}/report.html" in out
    assert json.loads(run("regress", "show", *word, "--json")[1])["id"] == identity


@pytest.mark.parametrize(
    ("word", "says"),
    [("latest~3", "no regression latest~3"), ("ccc", "no regression ccc"), ("a", "several regressions are a"),
     ("2026", "several regressions are 2026"), ("fifo.v", "no record of a regression")],
)  # fmt: skip
def test_says_which_regression_is_not_there(design: Path, run: Run, word: str, says: str) -> None:
    code, out, err = run("regress", "show", word)
    assert (code, out) == (2, "")
    assert says in err


def test_says_that_nothing_ran(design: Path, run: Run) -> None:
    for words in (["list"], ["note", "12"], ["show"], ["diff"]):
        code, _, err = run("regress", *words, "--build", "elsewhere")
        assert code == 2
        assert "there is no regression" in err


def test_compares_two(design: Path, run: Run) -> None:
    code, out, _ = run("regress", "diff", "aaa", "latest", "--html", "page.html")
    assert code == 1
    assert "WORSE" in out
    assert "main.mixed seed 2" in out
    assert Path("page.html").read_text().startswith("<!DOCTYPE html>")
    told = json.loads(run("regress", "diff", "--json")[1])  # the latest with the one before
    assert (told["a"]["id"], told["b"]["id"], told["worse"]) == (IDS[1], IDS[2], True)
    assert [(c["seed"], c["before"], c["after"]) for c in told["broken"]] == [("2", "pass", "fail")]
    assert [b["title"][:9] for b in told["buckets"]["new"]] == ["ProtocolE"]
    assert len(told["buckets"]["kept"]) == 1
    assert run("regress", "diff", "latest", "aaa")[0] == 0
    assert run("regress", "diff", IDS[1], f"build/regress/{IDS[1]}")[0] == 0
    code, _, err = run("regress", "diff", "latest", "--html", "fifo.v/page.html")
    assert (code, "cannot be written" in err) == (2, True)


def test_a_test_that_could_not_run_is_worse(design: Path, run: Run) -> None:
    path = Path("build/regress") / IDS[0] / "regression.json"
    data = json.loads(path.read_text())
    Path("none.json").write_text(
        json.dumps({**data, "results": [], "missing": [["main", "does not compile"], ["other", "neither"]]})
    )
    code, out, _ = run("regress", "diff", "aaa", "none.json")
    assert code == 1
    assert "lost main: does not compile" in out
    assert "neither" not in out
    Path("other.json").write_text(json.dumps({**data, "design": "adder"}))
    assert run("regress", "diff", "aaa", "other.json")[0] == 2


def test_owner_and_note_of_a_bucket(design: Path, run: Run) -> None:
    data = json.loads(run("regress", "show", "--json")[1])
    bucket = next(b["id"] for b in data["buckets"] if b["title"].startswith("Score"))
    code, out, _ = run("regress", "note", bucket[:6], "--owner", "ann", "--note", "see the arbiter")
    assert code == 0
    assert run("regress", "note", bucket)[1] == out
    assert ("owner   ann" in out, "note    see the arbiter" in out, IDS[2] in out) == (True, True, True)
    assert "owner ann, see the arbiter" in run("regress", "show")[1]
    told = json.loads(run("regress", "note", bucket, "--owner", "", "--json")[1])
    assert (told["owner"], told["note"]) == ("", "see the arbiter")
    code, _, err = run("regress", "note", "zz", "--owner", "ann")
    assert (code, "there is no bucket zz" in err) == (2, True)


def test_no_suite_has_the_name_of_a_command(design: Path) -> None:
    assert tuple(_COMMANDS) == REGRESS_COMMANDS
    for name in _COMMANDS:
        Path("suzuri.toml").write_text(f'{MANIFEST}\n[[suite]]\nname = "{name}"\n')
        with pytest.raises(ConfigError, match=f"suzuri regress {name}. is a command"):
            load_design(design)


def test_the_first_word_is_a_command_or_a_suite(design: Path, run: Run) -> None:
    for words in (["--help"], ["-h"]):
        code, out, _ = run("regress", *words)
        assert code == 0
        assert "[OPTIONS] [SUITE]" in out
        assert all(f"  {name}  " in out for name in _COMMANDS)
    assert "Compare two regressions" not in run("regress", "diff", "--help")[1]
    assert "there is no suite 'lost'" in run("regress", "lost")[2]
    for words in ([], ["--tag", "list"], ["nightly", "--seeds", "5"], ["--test", "note"]):
        code, _, err = run("regress", *words)
        assert code == 2
        assert "no test" in err
    assert run("regress", "nightly", "list")[0] == 2


@pytest.mark.parametrize(("typed", "offered"), [("", {"long", "nightly", "diff"}), ("lo", {"long"})])
def test_completes_suites(design: Path, typed: str, offered: set[str]) -> None:
    from click.shell_completion import ShellComplete

    with Path("suzuri.toml").open("a") as stream:
        stream.write('\n[[suite]]\nname = "long"\n')
    complete = ShellComplete(suzuri, {}, "suzuri", "_SUZURI_COMPLETE")
    found = {item.value for item in complete.get_completions(["regress"], typed)}
    assert offered <= found
    assert all(value.startswith(typed) for value in found)
    group = suzuri.get_command(click.Context(suzuri), "regress")
    assert isinstance(group, click.Group)

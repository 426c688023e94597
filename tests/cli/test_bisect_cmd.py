"""``suzuri bisect`` in a small repository whose design is in a subfolder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flow.cli.main import main
from flow.regress.classify import classify
from flow.regress.history import History
from flow.regress.model import Regression, Result, Verdict

MANIFEST = '[design]\nname = "unit"\ntop = "unit"\nsources = ["unit.v"]\n'
#: A bench that prints a regression, as `suzuri test --json` does. The design is one word.
BENCH = """
import json, sys
word = open("hw/unit/unit.v").read().split()[0]
if word == "broken":
    sys.exit("Error: unit.v does not compile")
said = "ProtocolError: o: valid withdrawn" if word == "bad" else ""
row = {"test": "main", "testcase": "mixed", "seed": "1", "module": "bench", "message": said,
       "verdict": "fail" if said else "pass"}
print(json.dumps({"version": 1, "id": "x", "design": "unit", "results": [row], "buckets": [], "missing": []}))
"""
COMMAND = f"{sys.executable} bench.py"
WORDS = ("good", "good", "broken", "good", "bad", "bad", "bad")

Run = Callable[..., tuple[int, str, str]]


def _git(*words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@x")
    return subprocess.run(
        ["git", *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line; its exit code, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["bisect", *words])
        return (int(end.value.code or 0), *capfd.readouterr())

    return call


def _night(number: int, commit: str, message: str, *, dirty: bool = False) -> None:
    result = Result(test="main", testcase="mixed", seed=1, module="bench", message=message, command=COMMAND,
                    verdict=Verdict.FAIL if message else Verdict.PASS)  # fmt: skip
    history = History(Path("build/suzuri.sqlite").absolute())
    regression = classify(
        Regression(id=f"night{number}", design="unit", commit=commit, dirty=dirty, results=[result],
                   started=f"2026-01-{number:02d}T00:00:00+00:00"),
        history,
    )  # fmt: skip
    history.record(regression)
    history.close()
    folder = Path("build/regress") / regression.id
    folder.mkdir(parents=True)
    (folder / "regression.json").write_text(json.dumps(regression.to_json()))


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seven commits, the fifth of which brought a failure that the second night saw."""
    monkeypatch.delenv("SUZURI_DATABASE", raising=False)
    unit = tmp_path / "hw" / "unit"
    unit.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    _git("init", "-q", "-b", "main")
    (tmp_path / "bench.py").write_text(BENCH)
    (tmp_path / ".gitignore").write_text("build/\n")
    (unit / "suzuri.toml").write_text(MANIFEST)
    for number, word in enumerate(WORDS):
        (unit / "unit.v").write_text(f"{word} {number}\n")
        _git("add", "-A")
        _git("commit", "-qm", f"Change {number}")
    found = _git("rev-list", "--reverse", "HEAD").split()
    monkeypatch.chdir(unit)
    Path("build").mkdir()
    _night(1, found[0], "")
    _night(2, found[6], "ProtocolError: o: valid withdrawn")
    return found


def _bucket() -> str:
    data = json.loads(Path("build/regress/night2/regression.json").read_text())
    return str(data["buckets"][0]["id"])


def test_finds_the_first_bad_commit(commits: list[str], run: Run) -> None:
    code, out, _ = run(_bucket()[:5])
    assert code == 0
    assert f"First bad commit: {commits[4][:10]} Change 4" in out
    assert f"git switch --detach {commits[4][:10]} && {COMMAND}" in out
    told = json.loads(run(_bucket(), "--json")[1])
    assert (told["first_bad"], told["subject"]) == (commits[4], "Change 4")
    assert all(step["cached"] for step in told["steps"])
    assert _git("worktree", "list").count("\n") == 0


@pytest.mark.nightly
def test_runs_again_what_is_known(commits: list[str], run: Run) -> None:
    for words in ([], ["--again"]):
        told = json.loads(run(_bucket(), "--json", *words)[1])
        assert told["first_bad"] == commits[4]
        assert not any(step["cached"] for step in told["steps"])


def test_says_why_nothing_is_found(commits: list[str], run: Run) -> None:
    code, _, err = run(_bucket(), "--good", commits[5])
    assert (code, "is not good (it fails too)" in err) == (1, True)
    code, out, err = run(_bucket(), "--bad", commits[3])
    assert (code, "does not show the failure (its test passes)" in err) == (1, True)
    code, out, err = run(_bucket(), "--good", commits[2])
    assert (code, "it tells nothing" in err, "unit.v does not compile" in out) == (1, True, True)
    told = json.loads(run(_bucket(), "--bad", commits[3], "--json")[1])
    assert (told["first_bad"], "does not show" in told["why"]) == ("", True)


def test_names_what_it_may_be(commits: list[str], run: Run) -> None:
    Path("unit.v").write_text("good again\n")
    _git("commit", "-qam", "Be good")
    good = _git("rev-parse", "HEAD")
    for word in ("broken", "bad"):
        Path("unit.v").write_text(f"{word} once more\n")
        _git("commit", "-qam", f"Be {word} once more")
    code, out, _ = run(_bucket(), "--good", good, "--bad", "HEAD")
    assert code == 1
    assert "it is one of these" in out
    assert ("Be broken once more" in out, "Be bad once more" in out) == (True, True)
    # That it does not compile is remembered, with the reason, until it is asked again.
    words = (_bucket(), "--good", good, "--bad", "HEAD", "--json")
    for more, cached in (([], True), (["--again"], False)):
        steps = json.loads(run(*words, *more)[1])["steps"]
        broken = next(step for step in steps if step["state"] == "untold")
        assert (broken["cached"], broken["why"]) == (cached, "unit.v does not compile")


def test_a_failure_of_changes_that_no_commit_has(commits: list[str], run: Run) -> None:
    for night in ("night1", "night2"):
        shutil.rmtree(Path("build/regress") / night)
    Path("build/suzuri.sqlite").unlink()
    _night(1, commits[0], "")
    _night(2, commits[3], "ProtocolError: o: valid withdrawn", dirty=True)
    code, _, err = run(_bucket())
    assert (code, "changes that no commit has" in err) == (1, True)
    _night(3, commits[6], "ProtocolError: o: valid withdrawn")  # the clean one is taken
    assert f"First bad commit: {commits[4][:10]}" in run(_bucket())[1]


def test_input_is_refused(
    commits: list[str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = _bucket()
    for words, says in (
        (["zz"], "there is no bucket zz"),
        ([bucket, "--good", "0" * 40], "Fetch it first"),
        ([bucket, "--from", "night1"], "there is no bucket"),
        ([bucket, "--good", commits[6], "--bad", commits[0]], "no ancestor"),
    ):
        code, _, err = run(*words)
        assert (code, says in err) == (2, True), err
    record = Path("build/regress/night2/regression.json")
    elsewhere = tmp_path / "record.json"
    shutil.copyfile(record, elsewhere)
    shutil.rmtree(record.parent)
    assert "--from" in run(bucket)[2]
    assert run(bucket, "--from", str(elsewhere))[0] == 0
    shutil.rmtree(tmp_path / ".git")
    code, _, err = run(bucket, "--from", str(elsewhere))
    assert (code, "no checkout of git" in err) == (2, True)

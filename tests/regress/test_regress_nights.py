"""Twelve nights over a git history in which bugs come and go, and what is said of them each morning."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from flow.model.errors import ConfigError
from flow.regress.bisect import Bisection, State, bisect
from flow.regress.classify import classify
from flow.regress.history import History
from flow.regress.model import BucketState, Regression, Result

#: A bench of three tests. It prints the record of a regression, as `suzuri test --json` does.
BENCH = """
import json, random, sys
import unit
test, seed, luck = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
rng = random.Random(f"{test}{seed}")
a, b = rng.randrange(1000), rng.randrange(1000)
said, place = "", ""
if test == "add" and unit.add(a, b) != a + b:
    said, place = f"ScoreboardError: add gives {unit.add(a, b)}, not {a + b}", "bench.py:5"
if test == "shift" and unit.shift(a, seed % 8) != a << seed % 8:
    said, place = f"ScoreboardError: shift gives {unit.shift(a, seed % 8)}, not {a << seed % 8}", "bench.py:7"
if test == "race" and luck:
    said, place = "HangError: no transfer on any port for 400 cycles", "bench.py:9"
result = {"test": test, "testcase": "main", "seed": str(seed), "verdict": "fail" if said else "pass",
          "message": said, "place": place, "module": "bench", "sim_time_ns": 10.0 + seed,
          "command": f"{sys.executable} bench.py {test} {seed}"}
print("a warning before the record")
print(json.dumps({"version": 1, "id": "x", "design": "unit", "results": [result], "buckets": [], "missing": []}))
"""  # noqa: E501
COMPILED = compile(BENCH.replace(", sys\nimport unit", ""), "bench.py", "exec")
GOOD_ADD, GOOD_SHIFT = "return a + b", "return a << n"
#: The design at each commit: what `add` and `shift` do, or a file that cannot be imported.
COMMITS = (
    {},  # 0
    {},
    {},  # 2, night 1
    {"add": "return a ^ b"},  # 3: carries are lost
    {"add": "return a ^ b"},  # 4, night 2
    {"add": "return a ^ b"},
    {"add": "return a ^ b", "shift": "return a << n if n != 3 else a"},  # 6, night 3: a shift by 3 is lost
    {"add": "return a ^ b", "shift": "return a << n if n != 3 else a"},
    {"shift": "return a << n if n != 3 else a"},  # 8, night 4: carries are mended
    {"shift": "return a << n if n != 3 else a"},
    {"shift": "return a << n if n != 3 else a"},  # 10, night 5
    {"shift": "return a << n if n != 3 else a"},
    {},  # 12, night 6: the shift is mended
    {},
    {},  # 14, nights 7 and 8: the same commit twice
    {"broken": "syntax error"},
    {"add": "return a ^ b"},  # 16, night 9: carries are lost again
    {"add": "return a ^ b"},
    {"add": "return (a ^ b) & 255"},  # 18, night 10: and more
    {},  # 19
    {},  # 20, night 11
    {},
    {"add": "return a + b + 1"},  # 22: another bug, of the same looks
    {"add": "return a + b + 1"},  # 23, night 12
)
NIGHTS = (2, 4, 6, 8, 10, 12, 14, 14, 16, 18, 20, 23)
SEEDS = range(12)
NEW, KNOWN, FIXED, BACK = BucketState.NEW, BucketState.KNOWN, BucketState.FIXED, BucketState.BACK


def _git(repository: Path, *words: str, stdin: str = "") -> str:
    return subprocess.run(
        ["git", *words], cwd=repository, check=True, capture_output=True, text=True, input=stdin
    ).stdout.strip()


@dataclass(slots=True)
class Project:
    """A repository, its commits, and what each night found."""

    top: Path
    commits: list[str]
    history: History
    mornings: list[Regression] = field(default_factory=list)

    def states(self, test: str) -> list[tuple[BucketState, str, str] | None]:
        """Return each morning's state of a test's bugs, with first bad and last good commit."""
        found: list[tuple[BucketState, str, str] | None] = []
        ids = {b.id for m in self.mornings for b in m.buckets if b.members and b.members[0][0] == test}
        for morning in self.mornings:
            found += [(b.state, b.first_seen, b.last_good) for b in morning.buckets if b.id in ids] or [None]
        return found


def _unit(version: dict[str, str]) -> str:
    add, shift = version.get("add", GOOD_ADD), version.get("shift", GOOD_SHIFT)
    return f"def add(a, b):\n    {add}\n\n\ndef shift(a, n):\n    {shift}\n{version.get('broken', '')}\n"


def _night(project: Project, number: int, at: int) -> Regression:
    """Run all tests with all seeds, in this process; the race is lost by chance, in the eighth night."""
    results: list[Result] = []
    namespace: dict[str, object] = {}
    exec(_unit(COMMITS[at]), namespace)
    module = type(sys)("unit")
    module.__dict__.update(namespace)
    for test in ("add", "shift", "race"):
        for seed in SEEDS:
            luck = ["lost"] if (test, seed, number) == ("race", 5, 8) else []
            results += _run(module, [test, str(seed), *luck])
    regression = Regression(
        id=f"night{number}", design="unit", suite="nightly", commit=project.commits[at],
        started=f"2026-03-{number:02d}T01:00:00", results=results,
    )  # fmt: skip
    return classify(regression, project.history)


def _run(unit: object, words: Sequence[str]) -> Sequence[Result]:
    """Do what the bench does when it is started."""
    printed: list[str] = []
    fake = type(sys)("sys")
    fake.__dict__.update(argv=["bench.py", *words], executable=sys.executable)
    exec(COMPILED, {"unit": unit, "sys": fake, "print": printed.append})
    return Regression.from_json(json.loads(printed[-1])).results


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    top = tmp_path_factory.mktemp("project")
    _git(top, "init", "-q", "-b", "main")
    stream = []
    for number, version in enumerate(COMMITS):
        files = {"bench.py": BENCH, "unit.py": f"# {number}\n{_unit(version)}"}
        stream.append(
            f"commit refs/heads/main\ncommitter n <e@x> {1_700_000_000 + number} +0000\ndata 1\nc\n"
        )
        stream += [f"M 644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items()]
    _git(top, "fast-import", "--quiet", stdin="".join(stream))
    commits = _git(top, "rev-list", "--reverse", "main").split()
    project = Project(top, commits, History(top.parent / "history" / "regressions.sqlite"))
    for number, at in enumerate(NIGHTS, 1):
        morning = _night(project, number, at)
        project.history.record(morning)
        project.mornings.append(morning)
    yield project
    project.history.close()


def test_each_morning_says_what_is_new_known_fixed_and_back(project: Project) -> None:
    c = project.commits
    add = project.states("add")
    assert add[:4] == [
        None, (NEW, c[4], c[2]), (KNOWN, c[4], c[2]), (FIXED, c[4], c[2]),
    ]  # fmt: skip
    assert add[4:8] == [None] * 4
    assert add[8:11] == [(BACK, c[16], c[14]), (KNOWN, c[16], c[14]), (FIXED, c[16], c[14])]
    # Of the same looks, but with the same seeds it says something else: another bug.
    assert add[11] == (NEW, c[23], c[20])
    shift = project.states("shift")
    assert shift == [
        None, None, (NEW, c[6], c[4]), (KNOWN, c[6], c[4]), (KNOWN, c[6], c[4]), (FIXED, c[6], c[4]),
        *[None] * 6,
    ]  # fmt: skip


def test_bugs_of_two_functions_are_two_buckets(project: Project) -> None:
    live = [[b for b in m.buckets if b.state is not FIXED] for m in project.mornings]
    assert [len(buckets) for buckets in live] == [0, 1, 2, 1, 1, 0, 0, 1, 1, 1, 0, 1]
    assert len(project.history.buckets("unit")) == 4  # lost carries, the shift, the race, one too many
    for buckets in live:
        for bucket in buckets:
            assert len({test for test, _, _ in bucket.members}) == 1


def test_what_passed_at_the_same_commit_is_flaky(project: Project) -> None:
    seventh, eighth = project.mornings[6:8]
    assert not any(result.flaky for result in seventh.results)
    assert [result.key for result in eighth.results if result.flaky] == [("race", "main", 5)]
    # In a checkout with changes nothing is known of the inputs.
    dirty = classify(replace(eighth, id="dirty", dirty=True, results=_firm(eighth.results)), project.history)
    assert not any(result.flaky for result in dirty.results)


def _firm(results: Sequence[Result]) -> list[Result]:
    return [replace(result, flaky=False) for result in results]


def test_a_rare_failure_is_fixed_only_when_chance_does_not_explain_its_absence(project: Project) -> None:
    states = [
        next((b.state for b in m.buckets if b.title.startswith("HangError")), None)
        for m in project.mornings[7:]
    ]
    # It failed in one of 12 runs: 24 passes are no wonder, 36 have odds below 5 %.
    assert (11 / 12) ** 24 > 0.05 > (11 / 12) ** 36
    assert states == [NEW, None, None, FIXED, None]


def _bisect(project: Project, night: int, **options: str) -> tuple[Bisection, list[bool]]:
    morning = project.mornings[night - 1]
    bucket = next(b for b in morning.buckets if b.members)
    known: list[bool] = []
    found = bisect(
        morning, bucket.id, project.history, project.top,
        note=lambda step: known.append(step.cached), **options,
    )  # fmt: skip
    return found, known


def test_bisect_finds_the_first_bad_commit_and_remembers_it(project: Project) -> None:
    found, known = _bisect(project, 12)
    assert found.first_bad == project.commits[22]
    assert not any(known)
    again, known = _bisect(project, 12)
    assert again == found
    assert all(known)
    assert "bisect" not in _git(project.top, "worktree", "list")


@pytest.mark.nightly
@pytest.mark.parametrize(("night", "first"), [(2, 3), (3, 6), (5, 6)])
def test_bisect_finds_all_bugs(project: Project, night: int, first: int) -> None:
    morning = project.mornings[night - 1]
    for bucket in morning.buckets:
        if bucket.members:
            expected = project.commits[first if bucket.members[0][0] == "shift" else 3]
            assert bisect(morning, bucket.id, project.history, project.top).first_bad == expected


@pytest.mark.nightly
def test_bisect_steps_over_what_cannot_be_imported(project: Project) -> None:
    found, _ = _bisect(project, 9)
    assert found.first_bad == ""
    assert found.candidates == (project.commits[15], project.commits[16])
    assert dict(found.tried)[project.commits[15]] is State.UNTOLD


def test_bisect_refuses_what_it_cannot_find(project: Project) -> None:
    with pytest.raises(ConfigError, match="flaky"):
        _bisect(project, 8)
    with pytest.raises(ConfigError, match="is not good"):
        _bisect(project, 12, good=project.commits[22])
    with pytest.raises(ConfigError, match="not in"):
        _bisect(project, 10, good="0" * 40)
    with pytest.raises(ConfigError, match="no failures in a bucket"):
        bisect(project.mornings[0], "0" * 10, project.history, project.top)
    with pytest.raises(ConfigError, match="no checkout"):
        bisect(project.mornings[11], project.mornings[11].buckets[0].id, project.history, Path("/"))

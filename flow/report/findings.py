"""What is wrong with a run, and where to look: one list for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from flow.report.details import TestRow, testcases
from flow.report.rundata import Run, StepRun, rows, text
from flow.report.units import fixed, number, plain, significant

__all__ = ["Finding", "findings", "test_counts"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    `section` is where the report shows it. `on` is the step that found it,
    where others may have found the same.
    """

    section: str
    what: str
    where: str = ""
    remedy: str = ""
    on: str = field(default="", compare=False)


def test_counts(tests: Iterable[TestRow]) -> dict[str, int]:
    """Return how many of `tests` passed, failed, were skipped, or never ran."""
    counts = {"pass": 0, "fail": 0, "skip": 0, "none": 0}
    for test in tests:
        counts[test.status] += 1
    return counts


def _limit_text(limit: Mapping[str, object]) -> str:
    bounds = []
    for key, word in (("min", "at least"), ("max", "at most")):
        bound = number(limit.get(key))
        if bound is not None:
            bounds.append(f"{word} {plain(bound)}")
    value = number(limit.get("value"))
    got = f"is {significant(value)}" if value is not None else "has no value"
    return f"{text(limit.get('metric'))} {got}, asked for {' and '.join(bounds)}"


def _steps(run: Run) -> Iterator[Finding]:
    for step in run.steps:
        if step.status in ("failed", "infra"):
            error = step.error
            what = text(error.get("what")) or step.status
            log = text(error.get("log"))
            remedy = ". ".join(filter(None, (text(error.get("remedy")).rstrip("."), log and f"See {log}")))
            yield Finding("steps", f"{step.label}: {what}", text(error.get("where")), remedy)
    for tool in rows(run.raw.get("missing_tools")):
        yield Finding("tools", f"{text(tool.get('name'))} was left out", "", text(tool.get("reason")))


def _missed(step: StepRun, name: str) -> bool:
    """Whether `step` made a check called `name` that fails the run."""
    return any(
        c.get("name") == name and c.get("passed") is False and text(c.get("severity"), "error") == "error"
        for c in rows(step.raw.get("checks"))
    )


def _limits(run: Run) -> Iterator[Finding]:
    covered = set()
    for limit in run.limits:
        if limit.get("passed") is False:
            pdk, corner = text(limit.get("pdk")), text(limit.get("corner"))
            covered.add((text(limit.get("metric")).split("__corner:")[0], pdk, corner))
            yield Finding("ppa", _limit_text(limit), f"{pdk} {corner}".strip())
    for target in run.targets:
        for corner_ in target.corners:
            for kind in ("setup", "hold"):
                metric = f"timing__{kind}__ws"
                if any(_missed(step, f"timing.{kind}") for step in corner_.timing):
                    continue  # already told as a check
                value = corner_.num(metric).value
                if value is not None and value < 0 and (metric, target.pdk, corner_.name) not in covered:
                    what = f"{kind} slack is {fixed(value)} ns"
                    yield Finding("paths", what, f"{target.name} {corner_.name}".strip())


def _tests(run: Run) -> Iterator[Finding]:
    for row in testcases(run.of("simulate")):
        if row.status == "fail" and row.step.ok:
            name = ".".join(filter(None, (row.test, row.case)))
            seed = f" with seed {row.seed}" if row.seed else ""
            message = row.message.strip().split("\n")[0][:200]
            yield Finding(
                "tests", f"{name} failed{seed}: {message}" if message else f"{name} failed{seed}", row.place
            )


def _checks(run: Run) -> Iterator[Finding]:
    told = {f"sim.{t.test}.{t.case}" for t in testcases(run.of("simulate")) if t.status == "fail"}
    for step, check in run.checks():
        if check.get("passed") is not False or text(check.get("severity"), "error") != "error":
            continue
        if step.kind == "simulate" and text(check.get("name")) in told:
            continue  # already told as a test
        what = text(check.get("message")) or text(check.get("name"))
        on = step.label if step.tag("pdk") else ""
        yield Finding("checks", what, text(check.get("place")) or step.name, text(check.get("remedy")), on)


def findings(run: Run) -> list[Finding]:
    """Return what is wrong, most telling first; what was found alike is told once."""
    counts: dict[Finding, int] = {}
    for source in (_steps, _checks, _tests, _limits):
        for finding in source(run):
            counts[finding] = counts.get(finding, 0) + 1
    return [replace(f, what=_told(f, n)) for f, n in counts.items()]


def _told(finding: Finding, times: int) -> str:
    if times > 1:
        return f"{finding.what} ({times} times)"
    return f"{finding.on}: {finding.what}" if finding.on else finding.what

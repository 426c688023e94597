"""A regression as one JUnit file, which Jenkins and GitLab read.

The format has no schema of its own; what is written here keeps to what both take: suites of cases
without nesting, times without a zone, properties at suites only, and nothing that XML 1.0 refuses.
A verdict becomes what a continuous integration server makes of it:

- ``fail`` and ``xpass`` are failures; ``timeout``, ``crash``, ``infra`` and a missing result are errors;
- ``skipped`` and ``xfail`` are skipped, and so is a quarantined failure: a case that does not decide the
  exit code must not turn the server's page red, and its message says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from flow.regress.model import Regression, Result, Verdict

__all__ = ["render", "write"]

_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MESSAGE, _DETAIL = 1_000, 8_000  # characters of one case
_OUTPUT = 8_000_000  # characters of all details: servers refuse files of some 30 MB
_ERRORS = (Verdict.TIMEOUT, Verdict.CRASH, Verdict.INFRA)


def _text(value: str, most: int = _MESSAGE) -> str:
    """Return the end of `value` that fits, without what XML refuses."""
    kept = value if len(value) <= most else "[...] " + value[-most:]
    return _REFUSED.sub("\ufffd", kept)


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items() if value is not None)


def _outcome(result: Result) -> tuple[str, str]:
    """Return the element that says what came of `result` (empty of a pass), and its message."""
    message = result.message or f"no message came with the verdict {result.verdict}"
    if result.verdict.bad and result.quarantined:
        return "skipped", f"quarantined, {result.verdict}: {message}"
    if result.verdict in _ERRORS:
        return "error", message
    if result.verdict.bad:
        return "failure", message
    if result.verdict is Verdict.XFAIL:
        return "skipped", f"failed as expected: {message}"
    if result.verdict is Verdict.SKIPPED:
        return "skipped", result.message or "skipped by its own wish"
    return "", ""


def _output(result: Result) -> str:
    """Return what a reader of the server's page needs to go on."""
    lines = [
        f"repeat: {result.command}" if result.command else "",
        f"place: {result.place}" if result.place else "",
        f"host: {result.host}, attempt {result.attempts}" if result.host and result.attempts > 1 else "",
        "flaky: the same seed on the same inputs passed and failed" if result.flaky else "",
        f"log: {result.log}" if result.log else "",
        # GitLab links a file named like this, when the job keeps it as an artefact.
        f"[[ATTACHMENT|{result.waves}]]" if result.waves else "",
    ]
    return "\n".join(line for line in lines if line)


class _Budget:
    """How many characters of detail may still be written."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, value: str) -> str:
        kept = _text(value, min(_DETAIL, max(self.left, 0))) if self.left > 0 else ""
        self.left -= len(kept)
        return kept


def _case(result: Result, budget: _Budget) -> Iterator[str]:
    name = f"{result.testcase or result.test} [seed {result.seed}]"
    time = f"{result.time_s:.6f}" if result.time_s is not None else None
    head = "<testcase" + _attributes(name=_text(name), classname=_text(result.test), time=time)
    kind, message = _outcome(result)
    if not kind and not result.flaky:
        yield f"{head}/>\n"
        return
    yield f"{head}>"
    if kind == "skipped":
        yield f"<skipped{_attributes(message=_text(message))}/>"
    elif kind:
        detail = escape(budget.take(result.traceback or message))
        yield f"<{kind}{_attributes(message=_text(message), type=result.verdict)}>{detail}</{kind}>"
    if said := budget.take(_output(result)):
        yield f"<system-out>{escape(said)}</system-out>"
    yield "</testcase>\n"


def _tally(results: Sequence[Result]) -> dict[str, object]:
    kinds = [_outcome(result)[0] for result in results]
    return {
        "tests": len(results),
        "failures": kinds.count("failure"),
        "errors": kinds.count("error"),
        "skipped": kinds.count("skipped"),
        "time": f"{sum(result.time_s or 0.0 for result in results):.6f}",
    }


def _properties(regression: Regression) -> Iterator[str]:
    listed = {
        "regression": regression.id,
        "design": regression.design,
        "suite": regression.suite,
        "commit": regression.commit + (" with changes" if regression.dirty else ""),
        "master_seed": str(regression.master_seed),
        "command": regression.command,
    }
    yield "<properties>"
    for name, value in listed.items():
        if value:
            yield f"<property{_attributes(name=name, value=_text(value))}/>"
    yield "</properties>\n"


def render(regression: Regression) -> Iterator[str]:
    """Yield the document in pieces.

    Parameters
    ----------
    regression
        Each of its tests becomes a suite, and each test case with a seed a
        case. Tests without a result are cases of a suite of their own.
    """
    suites: dict[str, list[Result]] = {}
    for result in regression.results:
        suites.setdefault(result.test, []).append(result)
    whole = _tally(regression.results)
    lost = len(regression.missing)
    whole |= {"tests": len(regression.results) + lost, "errors": int(str(whole["errors"])) + lost}
    title = " ".join(part for part in (regression.design, regression.suite) if part)
    stamp = re.sub(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", "", regression.started) or None
    budget = _Budget(_OUTPUT)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name=_text(title), **whole)}>\n"
    for test, results in suites.items():
        yield f"<testsuite{_attributes(name=_text(test), timestamp=stamp, **_tally(results))}>\n"
        yield from _properties(regression)
        for result in results:
            yield from _case(result, budget)
        yield "</testsuite>\n"
    if lost:
        counts = {"tests": lost, "failures": 0, "errors": lost, "skipped": 0, "time": "0"}
        yield f"<testsuite{_attributes(name='without a result', timestamp=stamp, **counts)}>\n"
        yield from _properties(regression)
        for name, reason in regression.missing:
            said = _attributes(message=_text(reason or "no result"), type="missing")
            where = _attributes(name=_text(name), classname=_text(name), time="0")
            yield f"<testcase{where}><error{said}/></testcase>\n"
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def write(regression: Regression, path: Path) -> Path:
    """Write `regression` to `path` as JUnit XML, and return `path`; an unfinished file never stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.tmp")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(render(regression))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path

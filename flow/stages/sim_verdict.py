"""Judge one simulation: from its results file, its exit status and its record, together."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow.model.check import Check
from flow.model.errors import ConfigError, ToolError
from flow.tools import icarus, verilator
from flow.tools.cocotb import (
    BenchError,
    CaseStatus,
    Record,
    TestCase,
    place_in_bench,
    read_junit,
    replacement,
)

__all__ = ["Verdict", "judge"]

_TAIL_LINES = 12
_TAIL_BYTES = 64 << 10
_TRACEBACK = 4000
_NO_DATA = "A test sees Python files only: list the others that it reads in data_files in the manifest"
_NOT_STARTED = "Mend the testbench; its traceback is in the log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one run.

    Attributes
    ----------
    seed
        Its seed.
    checks
        All that failed; one that passed, when nothing did.
    rows
        A row for each test case.
    xml
        Its results file, or nothing.
    """

    seed: int
    checks: tuple[Check, ...]
    rows: tuple[Mapping[str, Any], ...]
    xml: str = field(repr=False)

    def _count(self, *statuses: str) -> int:
        return sum(row["status"] in statuses for row in self.rows)

    @property
    def ran(self) -> int:
        """How many test cases ran."""
        return len(self.rows) - self._count("skipped")

    @property
    def passed(self) -> int:
        """How many passed."""
        return self._count("passed")

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it: something ran, all of it passed, and the process ended well."""
        return not any(check.failed for check in self.checks)

    @property
    def failed(self) -> int:
        """How many did not pass, including one that crashed or hung."""
        return self.ran - self.passed


def judge(
    test: str,
    folder: Path,
    returncode: int,
    seed: int,
    *,
    record: Record,
    testcase: str | None,
    timed_out: bool,
    bench_root: Path,
    modules: Sequence[str],
) -> Verdict:
    """Judge a run.

    Parameters
    ----------
    test
        The test's name in the manifest.
    folder
        Where ``results.xml`` and ``sim.log`` are.
    returncode
        Exit status; negative for a signal.
    seed
        Its seed.
    record
        What the code inside the simulator recorded.
    testcase
        Regular expression that selected test cases.
    timed_out
        Whether it was stopped at its limit.
    bench_root
        Folder of the bench.
    modules
        Its modules.

    Raises
    ------
    ConfigError
        The bench could not be started, or nothing was selected.
    """
    if record.error is not None:
        raise _not_started(record.error, test, bench_root)
    xml = _read(folder / "results.xml")
    log = _tail(folder / "sim.log")
    if timed_out:
        return _broken(test, seed, "timeout", "was stopped at its wall-clock limit", log)
    if not xml:
        how = _how_it_ended(returncode)
        return _broken(test, seed, "crash", f"the simulator {how} and left no results", log)
    try:
        cases = read_junit(xml)
    except ToolError as error:
        how = _how_it_ended(returncode)
        return _broken(test, seed, "crash", f"the simulator {how}; {error.reason}", log)
    checks = _unread_images(test, seed, folder)
    checks += [_failure(test, seed, case, bench_root) for case in cases if case.failed]
    checks += _no_tests(test, cases, testcase, record, modules)
    if not checks:
        checks += _bad_exit(test, seed, returncode, folder, ended=seed in record.ended)
    if not checks:
        ran = sum(case.status is CaseStatus.PASSED for case in cases)
        checks.append(Check(name=f"sim.{test}", passed=True, message=f"{ran} passed with seed {seed}"))
    rows = tuple(_row(test, seed, case, bench_root) for case in cases)
    return Verdict(seed=seed, checks=tuple(checks), rows=rows, xml=xml)


def _not_started(error: BenchError, test: str, bench_root: Path) -> ConfigError:
    place = error.file if error.line is None else f"{error.file}:{error.line}"
    if "No tests were discovered" in error.message:
        return ConfigError(
            f"the module {error.module} has no cocotb tests",
            f"test {test}",
            "Decorate them with @cocotb.test(), or mend module in the manifest",
        )
    if error.kind == "ModuleNotFoundError" and f"'{error.module}'" in error.message:
        return ConfigError(
            f"there is no Python module {error.module}",
            f"test {test}",
            "Mend module in the manifest; it is looked up below python_root",
        )
    lacking = error.kind == "FileNotFoundError" and f"{bench_root}/" in error.message
    message = error.message.replace(f"{bench_root}/", "")
    return ConfigError(
        f"the testbench {error.module} of test {test} cannot be imported: {error.kind}: {message}",
        place or error.module,
        _NO_DATA if lacking else replacement(message) or _NOT_STARTED,
    )


def _no_tests(
    test: str, cases: Sequence[TestCase], testcase: str | None, record: Record, modules: Sequence[str]
) -> list[Check]:
    if any(case.status is not CaseStatus.SKIPPED for case in cases):
        return []
    if not cases and testcase is not None:
        known = ", ".join(record.tests) or "none"
        raise ConfigError(
            f"testcase {testcase!r} selects none of the tests ({known})",
            f"test {test}",
            "Mend testcase in the manifest: it is a regular expression on module.name",
        )
    what = "every test was skipped" if cases else "no test ran"
    return [
        Check(
            name=f"sim.{test}.no_tests",
            passed=False,
            message=f"{what} in {', '.join(modules)}",
            remedy="A run without tests proves nothing: enable one, or remove the test from the manifest",
        )
    ]


def _failure(test: str, seed: int, case: TestCase, bench_root: Path) -> Check:
    return Check(
        name=f"sim.{test}.{case.name}",
        passed=False,
        message=f"{'; '.join(_said(case, bench_root).splitlines())} (seed {seed})",
        place=place_in_bench(case, str(bench_root)),
        remedy="Run this test alone with the same seed and waves to look at it",
    )


def _said(case: TestCase, bench_root: Path) -> str:
    """Return why a test failed, with files as its user knows them."""
    said = case.message.replace(f"{bench_root}/", "")
    if said != case.message and said.startswith("FileNotFoundError"):
        return f"{said}. {_NO_DATA}"
    instead = replacement(said)
    return f"{said}. {instead}" if instead else said


def _unread_images(test: str, seed: int, folder: Path) -> list[Check]:
    """Look for memories that stayed empty: simulators only warn, and go on."""
    text = _read(folder / "sim.log")
    names = dict.fromkeys([*icarus.unread_images(text), *verilator.unread_images(text)])
    if not names:
        return []
    return [
        Check(
            name=f"sim.{test}.data",
            passed=False,
            message=f"the RTL cannot open {', '.join(names)} (seed {seed})",
            remedy="List it in data_files: RTL finds it by its path relative to the manifest, without '../'",
        )
    ]


def _bad_exit(test: str, seed: int, returncode: int, folder: Path, *, ended: bool) -> list[Check]:
    """Look for what passing tests do not show: errors of the RTL's own, and a bad exit status.

    Icarus ends with success after ``$error``, so that its log decides.
    """
    text = _read(folder / "sim.log")
    errors = [*verilator.read_runtime_errors(text), *icarus.read_runtime_errors(text)]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        message, place = f"the RTL reported an error: {errors[0].text}{more}", errors[0].place
    elif returncode != 0:
        message, place = f"all tests passed, but the simulator {_how_it_ended(returncode)}", ""
    elif not ended:
        message, place = "results say that all passed, but the testbench ended the process by itself", ""
    else:
        return []
    return [
        Check(
            name=f"sim.{test}.exit",
            passed=False,
            message=f"{message} (seed {seed})",
            place=place.removeprefix("in/src/"),
            remedy="See the simulation log",
        )
    ]


def _broken(test: str, seed: int, what: str, message: str, log: str) -> Verdict:
    check = Check(
        name=f"sim.{test}.{what}",
        passed=False,
        message=f"{message} (seed {seed})",
        remedy=f"The log ends with:\n{log}" if log else "The log is empty",
    )
    row = {
        "test": test, "module": "", "name": what, "status": what, "seed": seed,
        "time_s": None, "sim_time_ns": None, "message": message, "place": "", "traceback": log,
    }  # fmt: skip
    return Verdict(seed=seed, checks=(check,), rows=(row,), xml="")


def _row(test: str, seed: int, case: TestCase, bench_root: Path) -> Mapping[str, Any]:
    inside = f"{bench_root}/"
    return {
        "test": test,
        "module": case.module,
        "name": case.name,
        "status": "failed" if case.failed else case.status.value,
        "seed": seed,
        "time_s": case.time_s,
        "sim_time_ns": case.sim_time_ns,
        "message": _said(case, bench_root),
        "place": place_in_bench(case, str(bench_root)),
        "traceback": case.traceback[-_TRACEBACK:].replace(inside, ""),
    }


def _how_it_ended(returncode: int) -> str:
    number = -returncode if returncode < 0 else returncode - 128
    if 0 < number < signal.NSIG:
        try:
            return f"was ended by {signal.Signals(number).name}"
        except ValueError:
            return f"was ended by signal {number}"
    return f"ended with exit status {returncode}"


def _tail(path: Path) -> str:
    """Return the last lines of a log, however large it is."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""

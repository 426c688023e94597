"""Results from what came of steps."""

from __future__ import annotations

from dataclasses import replace

from flow.model.design import TestSpec
from flow.model.step import Outcome, Status
from flow.regress.model import Result, Verdict
from flow.regress.verdicts import expected, results_of, settle
from flow.stages.chip import TestRun

TEST = TestSpec(name="t", module="bench")
RUNS = [TestRun(test=TEST, index=i, seed=10 + i) for i in range(2)]


def case(seed, status, name="one", message=""):
    return {"name": name, "status": status, "seed": seed, "time_s": 0.5, "sim_time_ns": 9.0,
            "message": message,
            "place": "bench.py:f" if message else "", "traceback": ""}  # fmt: skip


def done(tests, runs=()):
    return Outcome(
        status=Status.DONE, key="", data={"tests": tests, "runs": list(runs)}, host="h", attempts=2
    )


def failed(kind, what, status=Status.FAILED, log=None):
    return Outcome(status=status, key="", error={"type": kind, "what": what, "where": "x.py:3", "log": log})


def verdicts(outcome, runs=RUNS):
    return [(r.seed, r.testcase, r.verdict) for r in results_of(runs, outcome, "s")]


def result(verdict, seed=10, test="t", **values):
    return Result(test=test, testcase="one", seed=seed, verdict=verdict, **values)


def test_rows_become_results():
    outcome = done([case(10, "passed"), case(10, "skipped", "two"), case(11, "failed", message="no\nmore")])
    found = results_of(RUNS, outcome, "s")
    assert [(r.seed, r.testcase, r.verdict) for r in found] == [
        (10, "one", Verdict.PASS), (10, "two", Verdict.SKIPPED), (11, "one", Verdict.FAIL)
    ]  # fmt: skip
    assert (found[2].message, found[2].place, found[2].index) == ("no; more", "bench.py:f", 1)
    assert (found[0].host, found[0].attempts, found[0].module, found[0].step) == ("h", 2, "bench", "s")


def test_what_no_test_case_tells_is_a_failure_of_its_own():
    end = {"seed": 11, "passed": False, "wall_s": 2.0, "message": "all tests passed, but it ended badly"}
    outcome = done([case(10, "passed"), case(11, "passed")], [end])
    assert verdicts(outcome)[-1] == (11, "", Verdict.FAIL)


def test_no_row_is_a_failure():
    assert verdicts(done([case(10, "passed")]))[1] == (11, "", Verdict.FAIL)


def test_hangs_and_crashes_have_no_test_case():
    outcome = done([case(10, "timeout", "timeout"), case(11, "crash", "crash")],
                   [{"seed": 10, "passed": False, "wall_s": 4.0}])  # fmt: skip
    assert verdicts(outcome) == [(10, "", Verdict.TIMEOUT), (11, "", Verdict.CRASH)]
    assert results_of(RUNS, outcome, "s")[0].time_s == 4.0


def test_failures_of_the_whole_step(tmp_path):
    log = tmp_path / "sim.log"
    log.write_text("first\n" * 100 + "last\n")
    late = failed("ToolError", "test t was stopped after its limit of 3 s of wall-clock time", log=str(log))
    assert verdicts(late, RUNS[:1]) == [(10, "", Verdict.TIMEOUT)]
    (found,) = results_of(RUNS[:1], late, "s")
    assert found.message == "was stopped at its wall-clock limit"
    assert found.traceback.splitlines()[-1] == "last"
    assert verdicts(failed("ToolError", "was stopped at 9 MB of memory"))[0][2] is Verdict.CRASH
    bench = failed("ConfigError", "the module bench has no cocotb tests")
    assert verdicts(bench)[0][2] is Verdict.FAIL
    assert verdicts(failed("InfraError", "lost", Status.INFRA))[0][2] is Verdict.INFRA


def test_what_did_not_run_has_no_result():
    assert results_of(RUNS, Outcome(status=Status.SKIPPED, key=""), "s") == []
    assert results_of(RUNS, Outcome(status=Status.CANCELLED, key=""), "s") == []


def test_a_run_that_shared_its_process_counts_as_it_went_alone():
    first, again = [result(Verdict.TIMEOUT, message="was stopped")], [result(Verdict.PASS)]
    (settled,) = settle(first, again, alone_before=False)
    assert (settled.verdict, settled.flaky) == (Verdict.PASS, True)
    assert "timeout beside other runs" in settled.message
    (settled,) = settle(first, [result(Verdict.FAIL, message="m")], alone_before=False)
    assert (settled.verdict, settled.flaky) == (Verdict.FAIL, False)


def test_a_run_that_was_alone_and_failed_once_has_failed():
    (settled,) = settle([result(Verdict.FAIL)], [result(Verdict.PASS)], alone_before=True)
    assert (settled.verdict, settled.flaky) == (Verdict.FAIL, True)


def test_without_a_repetition_nothing_changes():
    first = [result(Verdict.FAIL)]
    assert settle(first, [], alone_before=True) == first


def test_expected_failures():
    results = [result(Verdict.FAIL, message="m"), result(Verdict.PASS, 11), result(Verdict.PASS, test="u")]
    found = expected(results, {"t": "known", "u": "known too"})
    assert [r.verdict for r in found] == [Verdict.XFAIL, Verdict.PASS, Verdict.XPASS]
    assert found[0].message == "m (expected: known)"
    assert "known too" in found[2].message
    assert expected(results, {}) == results
    machine = replace(results[2], verdict=Verdict.INFRA, seed=12)
    assert expected([results[2], machine], {"u": "known"})[0].verdict is Verdict.PASS

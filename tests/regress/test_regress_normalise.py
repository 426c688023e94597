"""Messages without what differs from seed to seed, and with what tells bugs apart."""

from __future__ import annotations

import pytest

from flow.regress.model import Result, Verdict
from flow.regress.normalise import Kind, normalise, place_of, symptom_of

SAME = [
    ("value 5 is not 17", "value 123 is not 0"),
    ("read 0xdeadbeef at 0x80001000", "read 0x0 at 0x4"),
    ("got 8'hff", "got 8'h0a"),
    ("after 12.5 ns", "after 1e6 ns"),
    ("timeout after 10us", "timeout after 250ns"),
    ("value -5", "value 7"),
    ("stopped (seed 12)", "stopped (seed 9223372036854775807)"),
    ("count 5 is too large (and 3 more)", "count 6 is too large"),
    ("no file /tmp/run_12/data.hex", "no file /home/someone/else/data.hex"),
    ("bench.py:12 said so", "bench.py:97 said so"),
    ("2026-11-23T10:11:12 late", "2027-01-02T03:04:05.678 late"),
    ("<Foo object at 0x7f3a10>", "<Foo object at 0x55d0aa>"),
    ("lane[3] is stuck", "lane[12] is stuck"),
    ("1 result but 2 expected", "7 results but 12 expected"),
    ("[1, 2, 3] != [1, 2, 3, 4]", "[5] != [0, 9]"),
    ("payload is XXXXXXXX in cycle 3", "payload is 0X01ZZ in cycle 9"),
    ("LogicArray('0101', Range(3, 'downto', 0)) == 4", "LogicArray('1', Range(0, 'downto', 0)) == 9"),
    ("b'\\x00\\x12' came", "b'abc' came"),
    ("burst_1024 lost", "burst_128 lost"),
    ("\x1b[31mred\x1b[0m 4", "red 5"),
    ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174fff"),
]  # fmt: skip
DIFFERENT = [
    ("port0: valid withdrawn", "port1: valid withdrawn"),
    ("valid withdrawn", "payload changed"),
    ("ended with exit status 1", "ended with exit status 134"),
    ("was ended by SIGSEGV", "was ended by SIGABRT"),
    ("no file a.hex", "no file b.hex"),
    ("is 5", "is 4'b01x0"),
    ("axi4 said no", "axi5 said no"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_drops_what_differs_from_seed_to_seed(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_keeps_what_tells_bugs_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_keeps_the_words() -> None:
    message = (
        "ScoreboardError: after reset 2: result 7 (cycle 47), column 0: -120550, but the model says 8507"
    )
    assert normalise(message) == (
        "ScoreboardError: after reset <n>: result <n> (cycle <n>), column <n>, but the model says <n>"
    )


def test_is_stable_and_short() -> None:
    assert len(normalise("E: " + "word 1 and 0x2, " * 100)) <= 240
    for one, _ in SAME:
        assert normalise(normalise(one)) == normalise(one)


def test_takes_the_first_line_and_the_signals_of_a_bare_assertion() -> None:
    explained = "level 3 when full\nassert 3 == 4\n + where 3 = LogicObject(fifo.level).value"
    assert normalise(explained) == normalise(explained.replace("\n", "; ")) == "level <n> when full"
    bare = "AssertionError: assert 3 == 4\n + where 3 = LogicObject(fifo.level).value"
    assert normalise(bare) == "AssertionError: assert <n> == <n> {fifo.level}"


def test_a_place_is_the_function_around_it() -> None:
    traceback = '  File "a/b.py", line 12, in outer\n  File "/x/a/b.py", line 40, in check\n    assert 0\n'
    assert place_of("a/b.py:40", traceback) == "a/b.py:check"
    assert place_of("a/b.py:41", traceback) == "a/b.py"
    assert place_of("rtl/fifo.sv:3", "") == "rtl/fifo.sv"
    assert place_of("", traceback) == ""


def _failure(message: str, verdict: Verdict = Verdict.FAIL, traceback: str = "") -> Result:
    return Result(
        test="t", testcase="c", seed=1, verdict=verdict, message=message, traceback=traceback, module="bench"
    )


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("ScoreboardError: got 1, expected 2", Kind.DATA),
        ("ProtocolError: o: valid withdrawn before ready", Kind.DIRECT),
        ("the RTL reported an error: count 5 is beyond the depth", Kind.DIRECT),
        ("AssertionError: full\nassert 0 == 1\n + where 0 = LogicObject(fifo.full).value", Kind.DIRECT),
        ("AssertionError: bad\nassert Logic('X') == 0\n + where Logic('X') = LogicObject(f.v)", Kind.UNKNOWN),
        ("AssertionError: bad; assert Logic('X') == 0; + where Logic('X') = LogicObject(f.v)", Kind.UNKNOWN),
        ("ValueError: Can't convert LogicArray to int: it contains non-0/1 values", Kind.UNKNOWN),
        ("SimTimeoutError", Kind.LIVENESS),
        ("HangError: no transfer on any port for 400 cycles", Kind.LIVENESS),
    ],
)  # fmt: skip
def test_tells_how_much_a_symptom_says(message: str, kind: Kind) -> None:
    assert symptom_of(_failure(message)).kind is kind


def test_crashes_are_told_apart_by_what_the_log_ends_with() -> None:
    message = "the simulator was ended by SIGABRT and left no results"
    logs = [
        "  120.00ns INFO running\n%Error: fifo.sv:30: Assertion failed in top.fifo: overflow\nAborting...",
        "  430.00ns INFO running\n%Error: fifo.sv:34: Assertion failed in top.fifo: overflow\nAborting...",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "  10.00ns INFO running test",
    ]
    first, again, memory, silent = (symptom_of(_failure(message, Verdict.CRASH, log)) for log in logs)
    assert first.id == again.id
    assert "overflow" in first.text
    assert len({first.id, memory.id, silent.id}) == 3


def test_verdict_and_bench_are_part_of_a_symptom() -> None:
    failure = _failure("stopped")
    timeout = _failure("stopped", Verdict.TIMEOUT)
    assert symptom_of(failure).id != symptom_of(timeout).id
    assert symptom_of(timeout).kind is Kind.LIVENESS

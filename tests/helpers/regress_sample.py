"""Makes regressions as a night leaves them, of any size and the same for the same size."""
# ruff: noqa: E501 - tables read better unwrapped

from __future__ import annotations

import random

from flow.regress.model import Bucket, BucketState, Night, Regression, Result, Verdict

TESTS = [(f"{design}_{kind}", f"{kind}_case") for design in ("fifo", "tile", "bridge", "dma")
         for kind in ("fill", "drain", "stall", "random", "reset")]  # fmt: skip

#: title, verdict, state, place, message with {n}, test
BUGS = [
    ("scoreboard: got <n>, expected <n>", Verdict.FAIL, BucketState.NEW, "verif/benches/tile.py:118",
     "scoreboard: got {n}, expected 7", 7),
    ("no response to read of <addr> within <n> cycles", Verdict.TIMEOUT, BucketState.BACK, "",
     "no response to read of 0x{n:08x} within 200 cycles", 11),
    ("<script>alert('x')</script> & co", Verdict.FAIL, BucketState.KNOWN, "a<b>.py:1",
     "<script>alert('x')</script> & co {n}", 2),
    ("assertion failed: full and write", Verdict.CRASH, BucketState.KNOWN, "rtl/fifo.sv:40",
     "assertion failed: full and write at {n} ns", 3),
]  # fmt: skip
FIXED = Bucket(id="f1f1f1f1f1", title="reset lost a beat", verdict=Verdict.FAIL, state=BucketState.FIXED,
               since="2026-11-20T01:00:00+00:00", first_seen="c0ffee0", last_good="beef000")  # fmt: skip


def regression(size: int = 400, *, fails: int = 40) -> Regression:
    """Return `size` results; one of `fails` belongs to a bug, and a few are odd in other ways."""
    chance = random.Random(size)
    results: list[Result] = []
    members: dict[int, list[tuple[str, str, int]]] = {n: [] for n in range(len(BUGS))}
    for number in range(size):
        test, case = TESTS[number % len(TESTS)]
        seed = chance.getrandbits(64)
        fields: dict[str, object] = {"verdict": Verdict.PASS}
        if number % fails == 5:
            bug = chance.randrange(len(BUGS))
            _, verdict, _, place, message, _ = BUGS[bug]
            test, case = TESTS[BUGS[bug][5]]
            fields = {"verdict": verdict, "message": message.format(n=chance.randrange(1 << 20)), "place": place,
                      "traceback": f"Traceback (most recent call last):\n  seed {seed}\n" + "  frame\n" * 12,
                      "flaky": chance.random() < 0.1, "quarantined": bug == 2}  # fmt: skip
            members[bug].append((test, case, seed))
        elif number % 97 == 3:
            fields = {"verdict": Verdict.XFAIL, "message": "waits for the new arbiter"}
        elif number % 211 == 9:
            fields = {"verdict": Verdict.INFRA, "message": "the worker was lost", "attempts": 3, "host": "b2"}
        elif number % 307 == 11:
            fields = {"verdict": Verdict.SKIPPED, "message": "needs Verilator"}
        results.append(Result(
            test=test, testcase=case, seed=seed, index=number // len(TESTS), time_s=chance.lognormvariate(-1, 0.8),
            sim_time_ns=float(chance.randrange(1_000, 2_000_000)), log=f"logs/simulate.{test}.{seed}.log",
            command=f"suzuri test {test} --design rtl/tile --seed {seed} --waves", **fields,
        ))  # type: ignore[arg-type]  # fmt: skip
    buckets = [
        Bucket(id=f"{n:010x}", title=title, verdict=verdict, place=place, members=tuple(members[n]), state=state,
               first_seen="0123456789abcdef", last_good="fedcba9876543210", since="2026-11-22T01:30:00+00:00",
               owner="ines" if n == 3 else "", note="being looked at" if n == 3 else "")
        for n, (title, verdict, state, place, _, _) in enumerate(BUGS) if members[n]
    ]  # fmt: skip
    return Regression(
        id="20261123-013000-tile", design="tile", suite="nightly", commit="0123456789abcdef0123", dirty=True,
        started="2026-11-23T01:30:00+00:00", elapsed_s=1234.5, master_seed=1, results=results,
        command="suzuri regress nightly --master-seed 1", buckets=[*buckets, FIXED],
        missing=[("tile_power", "the simulation ended without a result file")],
    )  # fmt: skip


def nights(many: int = 11) -> list[Night]:
    """Return the regressions before."""
    chance = random.Random(many)
    return [
        Night(id=f"n{n}", suite="nightly", commit=f"{n:x}abcdef01234", started=f"2026-11-{n + 5:02d}T01:30:00+00:00",
              elapsed_s=1000 + chance.randrange(400), flaky=n % 3,
              counts={Verdict.PASS: 380, Verdict.FAIL: chance.randrange(12), Verdict.CRASH: chance.randrange(3)},
              states={BucketState.NEW: chance.randrange(3), BucketState.KNOWN: chance.randrange(4)})
        for n in range(many)
    ]  # fmt: skip

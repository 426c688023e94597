"""Every check notices a fault planted at the ports of a core."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from prove import prove

_spec = importlib.util.spec_from_file_location("faulty", Path(__file__).with_name("faulty.py"))
assert _spec is not None
assert _spec.loader is not None
faulty = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(faulty)

pytestmark = pytest.mark.eda

#: Those that every test run looks at; the others take longer, and only the nightly run does.
QUICK = ("illegal", "order")
DEPTHS = {"data_memory": 12, "interrupts": 14, "liveness": 20, "pc": 8, "registers": 10, "csr_state": 9,
          "interrupt_taken": 18}  # fmt: skip
WITHIN = {"liveness": 8, "interrupt_taken": 2}


@pytest.mark.parametrize(
    "check",
    [pytest.param(c, marks=() if c in QUICK else pytest.mark.nightly) for c in faulty.FAULTS],
)
def test_the_check_notices(check: str, tmp_path: Path) -> None:
    options = {"within": WITHIN[check]} if check in WITHIN else {}
    component = faulty.FaultyProperties(check, preset="nano", memory="ideal", **options)
    proof = prove(
        tmp_path,
        component,
        depth=DEPTHS.get(check, 8),
        timeout_s=1200,
        solver="yices" if check in QUICK else "abc",
    )
    assert not proof.passed
    assert proof.counterexample

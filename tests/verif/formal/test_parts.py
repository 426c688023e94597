"""The parts of a core around its pipeline: each is proved, and each proof notices a fault."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from prove import prove

from verif.formal.riscv import bridges, memories, protection

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.eda

#: Top, its parameters, how it is asked, and its covers' depth.
PARTS: dict[str, tuple[Callable[..., Any], dict[str, Any], str, int, str]] = {
    "wishbone": (bridges.WishboneProperties, {}, "prove", 6, "abc"),
    "wishbone_pipelined": (bridges.WishboneProperties, {"pipelined": True}, "prove", 6, "abc"),
    "axi4lite": (bridges.AxiProperties, {}, "prove", 6, "abc"),
    "pmp_check": (protection.PmpProperties, {}, "bmc", 2, "yices"),
    "pmp_registers": (protection.PmpRegisterProperties, {}, "prove", 6, "abc"),
    "cache": (memories.CacheProperties, {}, "bmc", 12, "abc"),
    "tcm": (memories.TcmProperties, {}, "bmc", 8, "abc"),
}
_LONGER = ("cache", "tcm")


def _each(longer: tuple[str, ...]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.nightly if name in longer else ()) for name in PARTS]


@pytest.mark.parametrize("name", _each(_LONGER))
def test_a_part_keeps_its_promises(name: str, tmp_path: Path) -> None:
    top, parameters, mode, depth, solver = PARTS[name]
    result = prove(tmp_path, top(**parameters), depth=depth, mode=mode, solver=solver)
    assert result.passed, result.counterexample


@pytest.mark.parametrize("name", _each(_LONGER))
def test_what_is_asserted_of_a_part_can_happen(name: str, tmp_path: Path) -> None:
    top, parameters, _, depth, solver = PARTS[name]
    assert prove(tmp_path, top(**parameters), depth=depth, mode="cover", solver=solver).passed


#: Where the part is used, its source, and an expression of that with what it becomes.
FAULTS: dict[str, tuple[ModuleType, str, str, str]] = {
    "wishbone": (bridges, "bus/wishbone.py", "Mux(accepted, 1, strobe & ~moved)", "accepted"),
    "wishbone_pipelined": (bridges, "bus/wishbone.py", "((waiting != self._depth) | answer)", "1"),
    "axi4lite": (bridges, "bus/axi4lite.py", "Mux(memory.write, write_free, free) & same",
                 "Mux(memory.write, write_free, free)"),
    "pmp_check": (protection, "system/pmp.py", "(machine & ~region.locked)", "machine"),
    "pmp_registers": (protection, "system/pmp.py", "(above.matching == PmpMatching.TOR)",
                      "(above.matching == PmpMatching.NA4)"),
    "cache": (memories, "memory/cache.py", "(way.tag == tag)", "(way.tag[1:] == tag[1:])"),
    "tcm": (memories, "memory/tcm.py", "((away == 0) | ((away == 1) & behind.response))", "1"),
}  # fmt: skip


@pytest.mark.parametrize("name", _each(_LONGER))
def test_a_fault_of_a_part_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, path, right, wrong = FAULTS[name]
    text = (ROOT / "rtl/riscv" / path).read_text()
    assert text.count(right) == 1
    faulty = ModuleType("faulty_part")
    monkeypatch.setitem(sys.modules, "faulty_part", faulty)  # where annotations are looked up
    exec(compile(text.replace(right, wrong), path, "exec", dont_inherit=True), vars(faulty))
    for attribute, value in vars(faulty).items():
        if getattr(value, "__module__", None) == "faulty_part" and hasattr(user, attribute):
            monkeypatch.setattr(user, attribute, value)
    top, parameters, _, depth, solver = PARTS[name]
    result = prove(tmp_path, top(**parameters), depth=depth + 4, solver=solver)
    assert not result.passed
    assert result.counterexample

# amaranth: UnusedElaboratable=no
"""Every proof in the manifests of the cores, and the units'; long, so most are for the nightly run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prove import prove

from flow.engine.manifest import load_design
from flow.model.design import FormalSpec
from verif.formal.riscv import units
from verif.formal.riscv.properties import CHECKS, CoreProperties

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = sorted(ROOT.glob("rtl/riscv/*/suzuri.toml"))
PROOFS = [(path.parent.name, proof) for path in MANIFESTS for proof in load_design(path).formal]

pytestmark = pytest.mark.eda


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("core", "proof"), [pytest.param(c, p, id=f"{c}-{p.name}") for c, p in PROOFS])
def test_core(core: str, proof: FormalSpec, tmp_path: Path) -> None:
    component = CoreProperties(**proof.parameters)
    result = prove(
        tmp_path,
        component,
        depth=proof.depth,
        mode=proof.mode,
        timeout_s=proof.timeout_s,
        solver=proof.solver,
    )
    assert result.passed, f"{core} {proof.name}\n{result.counterexample}"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"preset": "small"}, id="small"),
        pytest.param({"preset": "fast", "zcb": True}, id="fast", marks=pytest.mark.nightly),
    ],
)
def test_expander_decoder_and_alu_are_the_table_of_instructions(
    options: dict[str, Any], tmp_path: Path
) -> None:
    result = prove(tmp_path, units.ExecuteProperties(**options), depth=2, timeout_s=1200)
    assert result.passed, result.counterexample


@pytest.mark.parametrize(
    ("early_out", "bits", "depth"),
    [
        (True, 4, 11),
        pytest.param(True, 6, 13, marks=pytest.mark.nightly),
        pytest.param(False, 6, 40, marks=pytest.mark.nightly),
    ],
)
def test_the_divider_divides_as_on_paper(early_out: bool, bits: int, depth: int, tmp_path: Path) -> None:
    component = units.DividerProperties(early_out=early_out, bits=bits)
    result = prove(tmp_path, component, depth=depth, timeout_s=1200)
    assert result.passed, result.counterexample


def test_the_manifests_prove_every_check() -> None:
    for path in MANIFESTS:
        proofs = load_design(path).formal
        if proofs:
            assert set(CHECKS) - {"instruction"} <= {p.parameters["check"] for p in proofs}


def test_a_check_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no check, instruction or group of this core is called 'mul'"):
        CoreProperties(check="mul", preset="nano")
    with pytest.raises(ValueError, match="memory must be 'any' or 'ideal', not 'fast'"):
        CoreProperties(check="pc", memory="fast")

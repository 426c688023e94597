"""Put a component's assertions before a solver, as the formal stage does, without the engine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amaranth.back import rtlil
from fake_context import FakeContext

from flow.model.check import Check
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.stages.formal import Formal
from flow.tools.abc import ABC
from flow.tools.smtbmc import SMTBMC, YICES
from flow.tools.yosys import Yosys


@dataclass(frozen=True)
class Proof:
    """What came of a question: the failed checks, and the counterexample as text."""

    failed: tuple[Check, ...]
    counterexample: str
    seconds: float
    covered: dict[str, int]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


def tools() -> list[ToolIdentity]:
    """Return the tools, or skip the test."""
    try:
        return [Yosys().detect(), SMTBMC.detect(), YICES.detect(), ABC.detect()]
    except ConfigError as error:
        pytest.skip(str(error))


def prove(
    folder: Path,
    component: Any,
    *,
    depth: int,
    mode: str = "bmc",
    timeout_s: float = 3000.0,
    solver: str = "yices",
    progress: Callable[[str], None] = lambda text: None,
) -> Proof:
    """Ask whether an assertion of `component` can fail within `depth` cycles.

    Parameters
    ----------
    folder
        For the files.
    component
        With assertions; its reset is active in the first cycle.
    depth, mode, timeout_s, solver
        As in the manifest's ``[[formal]]``.
    progress
        Is told what is done.
    """
    identities = tools()
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "formal_top.il"
    source.write_text(rtlil.convert(component, name="formal_top"))
    progress("elaborated")
    params = {"name": "proof", "top": "formal_top", "mode": mode, "depth": depth, "solver": solver,
              "timeout_s": timeout_s, "reset": "rst"}  # fmt: skip
    context = FakeContext(folder / "work", params, {"rtl": source}, identities)
    start = time.monotonic()
    Formal().execute(context)
    example = context.outputs.get("counterexample")
    return Proof(
        failed=tuple(check for check in context.checks if not check.passed),
        counterexample=example.read_text() if example else "",
        seconds=time.monotonic() - start,
        covered=context.tables["formal"]["covered"],
    )


def main() -> None:
    """Prove one check of a core: ``python tests/helpers/prove.py nano alu 12 [bmc] [name=value ...]``."""
    import tempfile

    from verif.formal.riscv.properties import CoreProperties

    preset, check, depth, *rest = sys.argv[1:]
    mode = rest.pop(0) if rest and "=" not in rest[0] else "bmc"
    options = {name: int(value) if value.isdigit() else {"true": True, "false": False}.get(value, value)
               for name, value in (item.split("=") for item in rest)}  # fmt: skip
    with tempfile.TemporaryDirectory(prefix=f"prove_{preset}_{check}_") as folder:
        component = CoreProperties(check=check, preset=preset, **options)
        proof = prove(Path(folder), component, depth=int(depth), mode=mode)
    for failure in proof.failed:
        print(f"FAILED {failure.place}: {failure.message}")
    print(proof.counterexample)
    print(
        f"{preset} {check} {mode} {depth}: {'passed' if proof.passed else 'FAILED'} in {proof.seconds:.1f} s"
    )
    for place, step in proof.covered.items():
        print(f"  covered in cycle {step}: {place}")


if __name__ == "__main__":
    main()

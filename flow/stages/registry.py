"""Which stages there are, where they are imported from, and what their code is.

Built-in stages are listed here; others register under the entry point group
``suzuri.stages``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

__all__ = ["STAGES", "StageInfo", "stage_info"]

_FLOW = Path(__file__).parents[1]
_HDL = ("stages/rtl.py", "stages/_*.py", "tools/_hdl.py")
_SIM = (*_HDL, "tools/verilator/**/*.py", "tools/icarus/**/*.py", "tools/cocotb/**/*.py", "simside/**/*.py")
_NETLIST = ("formats/**/*.py", "tools/netlist/**/*.py", "tools/_*.py", "stages/libraries.py")
_EDA = (
    *_NETLIST,
    "stages/sta*.py",
    "tools/opensta/**/*.py",
    "tools/activity*.py",
    "tools/activity/**/*.py",
)
_LOCKSTEP = (
    "stages/lockstep.py",
    "isa/elf.py",
    "isa/image.py",
    "isa/simulation.py",
    "tools/spike/**/*.py",
    "tools/cocotb/coverage.py",
)
_YOSYS = (*_NETLIST, "stages/synthesis*.py", "tools/yosys/**/*.py")


class StageInfo:
    """One stage: where it is imported from, and which files are its code.

    Parameters
    ----------
    path
        ``package.module:attribute``.
    code
        Patterns below ``flow/`` of the files whose change makes results
        stale; empty for a stage that is shipped by others.
    """

    def __init__(self, path: str, code: tuple[str, ...] = ()) -> None:
        self.path = path
        self._code = code

    def version(self, digest: Callable[[Path], str]) -> str:
        """Return the stage's version: a digest of its code, so that nobody must remember to count.

        Parameters
        ----------
        digest
            Returns the digest of a file's content.
        """
        files = sorted({f for pattern in self._code for f in _FLOW.glob(pattern)})
        module = self.path.partition(":")[0]
        if not files:
            return f"{module}/{_distribution_version(module)}"
        text = "\n".join(f"{f.relative_to(_FLOW)} {digest(f)}" for f in files)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _distribution_version(module: str) -> str:
    from importlib.metadata import PackageNotFoundError, packages_distributions, version  # noqa: PLC0415

    names = packages_distributions().get(module.partition(".")[0], [])
    try:
        return version(names[0]) if names else "unknown"
    except PackageNotFoundError:
        return "unknown"


STAGES: dict[str, StageInfo] = {
    "elaborate": StageInfo("flow.stages.elaborate:Elaborate", ("stages/elaborate*.py",)),
    "performance": StageInfo(
        "flow.stages.performance:Performance", ("stages/performance*.py", "stages/elaborate_child.py")
    ),
    "lint": StageInfo("flow.stages.lint:Lint", ("stages/lint*.py", *_HDL, "tools/verilator/**/*.py")),
    "sim_runtime": StageInfo("flow.stages.simulate:SimRuntime", ("stages/sim*.py", *_SIM)),
    "sim_build": StageInfo("flow.stages.simulate:SimBuild", ("stages/sim*.py", *_SIM)),
    "simulate": StageInfo("flow.stages.simulate:Simulate", ("stages/sim*.py", *_SIM)),
    "isa_build": StageInfo(
        "flow.stages.isa_build:IsaBuild", ("stages/isa_build.py", "isa/wrapper.py", *_SIM)
    ),
    "nn_build": StageInfo(
        "flow.stages.nn_build:NnBuild", ("stages/nn_build.py", "stages/isa_build.py", *_SIM)
    ),
    "lockstep_build": StageInfo(
        "flow.stages.lockstep_build:LockstepBuild", ("stages/lockstep_build.py", "tools/spike/**/*.py")
    ),
    "lockstep": StageInfo("flow.stages.lockstep:Lockstep", _LOCKSTEP),
    "lockstep_coverage": StageInfo("flow.stages.lockstep:LockstepCoverage", _LOCKSTEP),
    "formal": StageInfo(
        "flow.stages.formal:Formal",
        (
            "stages/formal*.py",
            *_HDL,
            *_NETLIST,
            "stages/synthesis_input.py",
            "tools/yosys/**/*.py",
            "tools/abc/**/*.py",
            "tools/smtbmc/**/*.py",
        ),
    ),
    "synthesize": StageInfo("flow.stages.synthesize:Synthesize", ("stages/synth*.py", *_HDL, *_YOSYS)),
    "timing": StageInfo("flow.stages.timing:Timing", ("stages/timing*.py", *_EDA)),
    "equivalence": StageInfo("flow.stages.equivalence:Equivalence", ("stages/equivalence.py",)),
    "power": StageInfo("flow.stages.power:Power", ("stages/power*.py", *_EDA)),
}


def stage_info(kind: str) -> StageInfo:
    """Return the stage of this kind, built in or from an entry point.

    Raises
    ------
    KeyError
        There is none.
    """
    if kind in STAGES:
        return STAGES[kind]
    for entry in entry_points(group="suzuri.stages"):
        if entry.name == kind:
            return StageInfo(entry.value)
    raise KeyError(kind)

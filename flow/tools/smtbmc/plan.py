"""Plan a proof: the model that Yosys writes, and what yosys-smtbmc is to show of it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from flow.model.tool import Command, ToolIdentity

__all__ = ["MODEL", "MODES", "TRACE", "CheckPlan", "check_command", "model_lines"]

MODEL = "model.smt2"
TRACE = "trace.vcd"
_CONSTRAINTS = "reset.smtc"

#: What can be asked: ``bmc`` looks for a failing assertion within the depth,
#: ``prove`` also shows by induction that there is none beyond it, ``cover``
#: looks for a way to every cover statement.
MODES = ("bmc", "prove", "cover")


def model_lines(top: str, *, any_start: bool) -> list[str]:
    """Return the Yosys commands that turn a design that was read into ``model.smt2``.

    Parameters
    ----------
    top
        The top module, a plain name.
    any_start
        Whether registers begin with any value instead of the initial ones
        in the source: power-up, before the first cycle of reset.
    """
    return [
        f"hierarchy -check -top {top}",
        "proc",
        *(["setattr -unset init w:*"] if any_start else []),
        "flatten",
        "delete t:$scopeinfo t:$print",
        "async2sync",
        "chformal -lower",
        "opt -fast",
        "check -assert",
        "memory_nordff",
        # What nothing drives may change in every cycle, as an input does.
        "setundef -undriven -anyseq",
        "opt -fast",
        "opt_clean",
        "dffunmap",
        f"write_smt2 -wires {MODEL}",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """One process of yosys-smtbmc.

    Attributes
    ----------
    mode
        ``bmc``, ``cover``, or ``induction``, the second half of ``prove``.
    depth
        Cycles to look at; the induction's length.
    reset
        A port that is active in the first cycle and inactive afterwards.
        Assertions count from the second cycle then.
    first
        First cycle whose assertions are checked; those before are assumed to hold.
    """

    mode: str
    depth: int
    reset: str | None = None
    first: int = 0


def check_command(smtbmc: ToolIdentity, solver: ToolIdentity, plan: CheckPlan) -> Command:
    """Return the process that looks for a counterexample, written to ``trace.vcd``."""
    first = max(plan.first, 0 if plan.reset is None else 1)
    options = ["-s", solver.name, "--noprogress"]
    if plan.mode == "induction":
        options += ["-i", "-t", str(plan.depth)]
    else:
        options += ["-t", f"{first}:{plan.depth}"]
        options += ["-c"] if plan.mode == "cover" else ["--presat"]
    options += ["--dump-vcd", TRACE]
    files = {}
    if plan.reset is not None:
        files[_CONSTRAINTS] = f"state 0\nassume [{plan.reset}]\nalways -1\nassume (not [{plan.reset}])\n"
        options += ["--smtc", _CONSTRAINTS]
    path = os.pathsep.join([str(Path(solver.path).parent), os.environ.get("PATH", os.defpath)])
    if smtbmc.flavour == "yowasp":
        start: tuple[str, ...] = (sys.executable, smtbmc.path)
        env = {"PATH": path, "PYTHONPATH": str(Path(smtbmc.path).parent / "share" / "python3")}
    else:
        start, env = (smtbmc.path,), {"PATH": path}
    return Command(argv=(*start, *options, MODEL), env=env, files=files, log=f"{plan.mode}.log")

"""Plan a proof with ABC: the graph that Yosys writes, and what is asked about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flow.model.tool import Command, ToolIdentity

__all__ = [
    "GRAPH",
    "MAP",
    "MAPS",
    "WITNESS",
    "graph_lines",
    "possible_command",
    "prove_command",
    "trace_command",
]

GRAPH = "model.aig"
MAP = "model.ywm"
WITNESS = "trace.aiw"
#: Files that the commands read, and their text: ABC shows that assertions fail, so what is to be
#: reached is asserted never to be; and that anything can happen at all, that nothing can.
MAPS = {
    "cover.v": """module \\$cover (input A, input EN);
  \\$assert _TECHMAP_REPLACE_ (.A(~A), .EN(EN));
endmodule
""",
    "never.v": """module \\$assert (input A, input EN);
  \\$assert _TECHMAP_REPLACE_ (.A(1'b0), .EN(1'b1));
endmodule
""",
}
_POSSIBLE = "possible.aig"
NAMES = "model.aim"
_MODEL = "model.smt2"


def graph_lines(top: str, *, reset: str | None, any_start: bool, cover: bool) -> list[str]:
    """Return the Yosys commands that turn a design that was read into ``model.aig``, and ``model.smt2``.

    The second is the same design, with the same names, for the trace of a
    counterexample.

    Parameters
    ----------
    top
        The top module, a plain name.
    reset
        A port that has been active for one cycle when the first cycle
        begins, and is inactive from then on: registers that it resets start
        from their reset values, the others from any.
    any_start
        Whether registers without reset begin with any value instead of the
        initial ones in the source.
    cover
        Whether cover statements are wanted instead of assertions.
    """
    return [
        f"hierarchy -check -top {top}",
        "proc",
        "flatten",
        "delete t:$scopeinfo t:$print",
        "opt_expr",
        "opt_clean",
        # A register whose reset is synchronous becomes a cell that says so.
        "opt_dff",
        *_start(reset, any_start),
        "async2sync",
        "chformal -lower",
        f"chformal -remove {'-assert' if cover else '-cover'}",
        "opt -fast",
        "check -assert",
        "memory_map -formal",
        "setundef -undriven -anyseq",
        "opt",
        "opt_clean",
        "dffunmap",
        "rename -witness",
        f"write_smt2 -wires {_MODEL}",
        *(["techmap -map cover.v t:$cover"] if cover else []),
        "formalff -setundef -clk2ff -hierarchy",
        "delete -output",
        "simplemap",
        "techmap",
        "aigmap",
        "opt_clean",
        f"write_aiger -I -B -zinit -no-startoffset -map {NAMES} -ywmap {MAP} {GRAPH}",
        *([] if cover else ["techmap -max_iter 1 -map never.v t:$assert", "opt_clean"]),
        *([] if cover else [f"write_aiger -I -B -zinit -no-startoffset {_POSSIBLE}"]),
    ]


def _start(reset: str | None, any_start: bool) -> list[str]:
    if not any_start:
        return []
    if reset is None:
        return ["setattr -unset init w:*"]
    return [
        "select -set resettable t:$sdff t:$sdffe t:$sdffce %u %u %co1:+[Q] w:* %i",
        "setattr -unset init w:* @resettable %d",
        f"delete -input w:{reset}",
        f"connect -set {reset} 1'0",
    ]


def prove_command(abc: ToolIdentity, mode: str, frames: int) -> Command:
    """Return the process that answers about ``model.aig``; a counterexample goes to ``trace.aiw``.

    Parameters
    ----------
    abc
        The tool.
    mode
        ``bmc``, ``cover`` (every output on its own), or ``prove``, which
        finds its own invariants (property-directed reachability) and knows
        no depth.
    frames
        Cycles to look at.
    """
    # Invariants are found sooner where what is equal by induction was merged. To look a few cycles
    # ahead it is a waste: it takes many times as long as the search of a core, and hardly shortens it;
    # and where it merges every register away, bmc3 refuses what is left.

    # Without -x, which keeps the traces, it crashes on many outputs.
    ask = {
        "bmc": f"dc2; bmc3 -g -F {frames}; write_cex -a {WITNESS}",
        "cover": f"bmc3 -g -a -x -F {frames}",
        "prove": f"dc2; scorr; pdr; write_cex -a {WITNESS}",
    }[mode]
    script = f"read_aiger {GRAPH}; fold; strash; {ask}"
    return Command(argv=(abc.path, "-c", script), log=f"{mode}.log")


def possible_command(abc: ToolIdentity, frames: int) -> Command:
    """Return the process that shows that the assumptions allow anything at all for so many cycles."""
    script = f"read_aiger {_POSSIBLE}; fold; strash; bmc3 -g -S {frames - 1} -F {frames}"
    return Command(argv=(abc.path, "-c", script), log="possible.log")


def trace_command(smtbmc: ToolIdentity, solver: ToolIdentity, trace: str) -> Command:
    """Return the process of yosys-smtbmc that replays ``trace.aiw`` and writes a VCD to `trace`."""
    options = ["-s", solver.name, "--noprogress", "--aig", f"{NAMES}:{WITNESS}", "--aig-noheader"]
    options += ["--dump-vcd", trace]
    path = os.pathsep.join([str(Path(solver.path).parent), os.environ.get("PATH", os.defpath)])
    if smtbmc.flavour == "yowasp":
        start: tuple[str, ...] = (sys.executable, smtbmc.path)
        env = {"PATH": path, "PYTHONPATH": str(Path(smtbmc.path).parent / "share" / "python3")}
    else:
        start, env = (smtbmc.path,), {"PATH": path}
    return Command(argv=(*start, *options, _MODEL), env=env, log="replay.log")

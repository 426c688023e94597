"""Portfolio and search for the clock against ``synth; abc -liberty``, timed alike.

``python -m benchmarks sweep_portfolio`` takes six small blocks;
``python -m benchmarks.sweep_portfolio --full`` adds a filter, the tensor tile
and the smallest core, and compares with sized netlists of plain Yosys too.
The recipes were chosen by what they did on the blocks; the tile and the core had
no say in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import REPOSITORY, Row

__all__ = ["measure"]

_BLOCKS = ("alu", "crossbar", "crc32", "fp16_add", "sorter", "aes_column")
_DESIGNS = tuple(f"benchmarks/designs/{name}" for name in _BLOCKS)
_MORE = ("benchmarks/designs/fir", "rtl/riscv/nano", "rtl/tensor")
#: Of the tile, a quarter: each try of the whole one takes minutes.
_PARAMETERS = {"rtl/tensor": {"rows": 4, "columns": 4}}
_PDKS = ("nangate45", "sky130A")
_SMALL = ("area", "balanced", "wide-half")  # recipes that the least area is looked for with
_GOAL = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A netlist of plain Yosys: its clock and its area."""

    period_ns: float
    area_um2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A design on a PDK: gains in per cent; area is that of a netlist that meets plain Yosys's own clock."""

    fmax: float
    area: float
    fmax_over_sized: float | None = None


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield a row for each design on each PDK, and the medians."""
    yield from _measure(scratch, cache, full=False)


def _measure(scratch: Path, cache: Path, *, full: bool, only: str | None = None) -> Iterator[Row]:
    os.environ["SUZURI_CACHE"] = str(cache)
    cases: dict[str, list[_Case]] = {}
    designs = [d for d in ((*_DESIGNS, *_MORE) if full else _DESIGNS) if only in (None, Path(d).name)]
    for pdk in _PDKS:
        for design in designs:
            case, row = _one(scratch, design, pdk, full)
            cases.setdefault(pdk, []).append(case)
            yield row
    for pdk, found in (*cases.items(), ("all", [c for some in cases.values() for c in some])):
        yield from _medians(pdk, found)


def _medians(pdk: str, found: list[_Case]) -> Iterator[Row]:
    fmax = statistics.median(case.fmax for case in found)
    area = statistics.median(case.area for case in found)
    yield Row(
        name=f"portfolio: median fmax, {len(found)} on {pdk}", value=f"{fmax:+.1f} %",
        against=f"least {min(case.fmax for case in found):+.1f} %", goal=f"at least +{_GOAL:.0f} %",
        met=fmax >= _GOAL,
    )  # fmt: skip
    yield Row(
        name=f"    area at the plain flow's clock, {pdk}", value=f"{area:+.1f} %",
        against=f"from {min(c.area for c in found):+.1f} to {max(c.area for c in found):+.1f} %",
    )  # fmt: skip
    sized = [case.fmax_over_sized for case in found if case.fmax_over_sized is not None]
    if sized:
        yield Row(
            name=f"    fmax over abc -liberty -constr -D, {pdk}", value=f"{statistics.median(sized):+.1f} %",
            against=f"least {min(sized):+.1f} %",
        )  # fmt: skip


def _one(scratch: Path, design: str, pdk: str, full: bool) -> tuple[_Case, Row]:
    from flow.project.request import Request
    from flow.project.session import Session
    from flow.sweep.portfolio import AreaSearch, PortfolioSearch
    from flow.sweep.tries import Tries, fixed_recipes
    from flow.tools.yosys import PORTFOLIO

    parts = frozenset({"elaborate", "synthesize", "timing"})
    build = scratch / "portfolio" / Path(design).name / pdk
    changed = _PARAMETERS.get(design, {})
    session = Session(
        Request(path=REPOSITORY / design, pdks=(pdk,), parts=parts, build=build, parameters=changed)
    )
    tries = Tries(session, session.pdks[0])
    plain = _plain(session, tries, sized=False)
    fastest = PortfolioSearch(PORTFOLIO, plain.period_ns, fixed=fixed_recipes(PORTFOLIO))
    count = len(tries.search(fastest))
    best = fastest.best
    smallest = AreaSearch(_SMALL, plain.period_ns, rounds=2)
    tries.search(smallest)
    small = smallest.best
    if best is None or best.period_ns is None or small is None or not small.area_um2 or not small.period_ns:
        raise RuntimeError(f"{design} on {pdk}: no try was timed")
    met = [t for t in (*fastest.tried, *smallest.tried) if t.period_ns and t.period_ns <= plain.period_ns]
    area = min((t.area_um2 or 0.0 for t in met), default=float("nan"))
    sized = _plain(session, tries, sized=True) if full else None
    case = _Case(
        fmax=100 * (plain.period_ns / best.period_ns - 1),
        area=100 * (area / plain.area_um2 - 1),
        fmax_over_sized=100 * (sized.period_ns / best.period_ns - 1) if sized else None,
    )
    row = Row(
        name=f"    {Path(design).name} on {pdk}",
        value=f"{1000 / best.period_ns:.0f} MHz, {best.area_um2 or 0:,.0f} um2"
        f" ({best.aim.recipe}, {count} tries)",
        against=f"plain {1000 / plain.period_ns:.0f} MHz, {plain.area_um2:,.0f} um2",
        ratio=f"fmax {case.fmax:+.0f} %, area at its clock {case.area:+.1f} %",
    )
    print(row.name, row.value, row.against, row.ratio, sep="  ", file=sys.stderr, flush=True)
    return case, row


def _plain(session: Any, tries: Any, *, sized: bool) -> _Plain:  # noqa: ANN401 - imported late
    """Run plain Yosys, and the timing step that the recipes have."""
    from flow.engine.driver import Options, run_graph
    from flow.engine.provenance import new_run_id
    from flow.model.graph import Graph
    from flow.sweep.fmax import Aim

    steps = dict(tries.steps(Aim("area", tries.plan.clock_period_ns)))
    own = next(step for step in steps.values() if step.kind == "synthesize")
    code = hashlib.sha256(Path(__file__).with_name("stages.py").read_bytes()).hexdigest()[:16]
    steps[own.name] = replace(
        own,
        kind="plain_synthesis",
        stage="benchmarks.stages:PlainSynthesis",
        version=code,
        params={**own.params, **({"sized": True} if sized else {})},
        outputs=("netlist",),
        label=f"plain {own.label}",
    )
    options = Options(run_id=new_run_id(), keep=session.build / "failed", jobs=session.request.jobs)
    outcomes = run_graph(Graph(steps.values()), session.cache, options, lambda event: None)
    metrics: dict[str, Any] = {}
    for name, outcome in outcomes.items():
        if not outcome.status.ok:
            raise RuntimeError(f"{name}: {outcome.error}")
        metrics |= outcome.metrics
    return _Plain(
        period_ns=1000.0 / metrics["timing__fmax"], area_um2=float(metrics["design__instance__area"])
    )


def main() -> int:
    """Measure, and print the table."""
    from benchmarks.__main__ import print_rows

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="nine designs instead of six")
    parser.add_argument("--only", metavar="NAME", help="this design alone, such as nano")
    parser.add_argument("--cache", type=Path, help="keep what is synthesised here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="suzuri-bench-") as scratch:
        cache = chosen.cache or Path(scratch) / "cache"
        rows = list(_measure(Path(scratch), cache, full=chosen.full, only=chosen.only))
    print_rows(rows)
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

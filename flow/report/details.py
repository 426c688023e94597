"""The detail tables of stages (paths, slacks, areas, powers, tests), in one shape each.

Stages are separate plugins, so a few spellings of each key are understood and
whatever is missing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flow.report.rundata import StepRun, mapping, rows, text
from flow.report.units import number

__all__ = [
    "Histogram",
    "Module",
    "Path",
    "PathStage",
    "PowerRow",
    "TestRow",
    "cells_by_type",
    "histogram",
    "modules",
    "paths",
    "power_rows",
    "testcases",
]

_PASSED = frozenset({"pass", "passed", "ok", "success"})
_SKIPPED = frozenset({"skip", "skipped"})
_BINS = 24


def _num(row: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = number(row.get(name))
        if value is not None:
            return value
    return None


def _str(row: Mapping[str, Any], *names: str) -> str:
    return next((text(row[n]) for n in names if row.get(n) not in (None, "")), "")


# ---------------------------------------------------------------- timing


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStage:
    """One pin on a path: times in nanoseconds."""

    pin: str
    cell: str
    delay: float | None
    arrival: float | None
    slew: float | None
    fanout: float | None
    load: float | None
    edge: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A timing path; `kind` is ``setup`` or ``hold``, times in nanoseconds."""

    kind: str
    start: str
    end: str
    slack: float | None
    arrival: float | None
    required: float | None
    stages: tuple[PathStage, ...]


def _stage(row: Mapping[str, Any], before: float) -> PathStage:
    delay = _num(row, "delay_ns", "delay", "incr_ns", "incr")
    arrival = _num(row, "arrival_ns", "arrival", "time_ns", "time")
    if arrival is None and delay is not None:
        arrival = before + delay
    return PathStage(
        pin=_str(row, "pin", "name", "point"),
        cell=_str(row, "cell", "type", "master"),
        delay=delay,
        arrival=arrival,
        slew=_num(row, "slew_ns", "transition_ns", "slew"),
        fanout=_num(row, "fanout"),
        load=_num(row, "load_pf", "cap_pf", "cap", "capacitance", "load"),
        edge=_str(row, "edge", "transition_edge", "rise_fall"),
        place=_str(row, "place", "source", "src"),
    )


def _path(row: Mapping[str, Any], kind: str) -> Path:
    stages: list[PathStage] = []
    listed = next((rows(row[k]) for k in ("stages", "points", "rows", "path") if rows(row.get(k))), [])
    for item in listed:
        stages.append(_stage(item, (stages[-1].arrival or 0.0) if stages else 0.0))
    given = _str(row, "kind", "check", "path_type", "type").lower() or kind
    return Path(
        kind="hold" if given in ("hold", "min") else "setup",
        start=_str(row, "startpoint", "start", "from"),
        end=_str(row, "endpoint", "end", "to"),
        slack=_num(row, "slack_ns", "slack"),
        arrival=_num(row, "arrival_ns", "data_arrival_ns", "arrival"),
        required=_num(row, "required_ns", "data_required_ns", "required"),
        stages=tuple(stages),
    )


def paths(step: StepRun) -> list[Path]:
    """Return the worst paths of a timing step, setup first, worst first."""
    found: list[Path] = []
    data = step.data
    for kind in ("setup", "hold"):
        for key in (f"{kind}_paths", f"worst_{kind}", f"{kind}_worst_paths"):
            found += [_path(r, kind) for r in rows(data.get(key))]
        for key in ("paths", "worst_paths"):
            found += [_path(r, kind) for r in rows(mapping(data.get(key)).get(kind))]
    for key in ("paths", "worst_paths"):
        found += [_path(r, "setup") for r in rows(data.get(key))]
    return sorted(found, key=lambda p: (p.kind == "hold", p.slack if p.slack is not None else 1e30))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Endpoint counts by slack; ``edges`` has one more entry than ``counts``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    worst: float
    total: int
    violated: int


def _bin(values: Sequence[float]) -> Histogram:
    """Bin `values` so that zero is an edge, and no bin mixes met with violated."""
    low, high = min(values), max(values)
    width = max((max(high, 0.0) - min(low, 0.0)) / _BINS, 1e-6)
    first = int(low // width)
    total = max(1, int(high // width) - first + 1)
    counts = [0] * total
    for value in values:
        counts[min(total - 1, max(0, int(value // width) - first))] += 1
    edges = tuple((first + i) * width for i in range(total + 1))
    return Histogram(edges, tuple(counts), low, len(values), sum(v < 0 for v in values))


def histogram(step: StepRun, kind: str = "setup") -> Histogram | None:
    """Return the endpoint slacks of a timing step as a histogram, if it has them."""
    own = (f"{kind}_slacks", f"{kind}_histogram")
    shared = ("endpoint_slacks", "slacks", "endpoints", "slack_histogram", "histogram")
    for key in (*own, *shared):
        value = step.data.get(key)
        inner = mapping(value)
        if kind in inner:
            value, inner = inner[kind], mapping(inner[kind])
        elif kind == "hold" and key in shared:
            continue  # not said to be of hold: taken as setup
        found = _binned(inner) or _from_slacks(value)
        if found:
            # Bins need not be cut at zero; the count is then the timer's.
            missed = number(step.metrics.get(f"timing__{kind}_vio__count"))
            return found if missed is None else replace(found, violated=int(missed))
    return None


def _from_slacks(value: object) -> Histogram | None:
    if isinstance(value, Mapping):
        known = [] if "edges" in value else [v for v in map(number, value.values()) if v is not None]
    else:
        known = [v for v in map(_slack, value) if v is not None] if isinstance(value, list | tuple) else []
    return _bin(known) if known else None


def _slack(item: object) -> float | None:
    """Return the slack of one endpoint: a number, a row, or a ``[name, slack]`` pair."""
    if isinstance(item, Mapping):
        return _num(item, "slack_ns", "slack")
    if isinstance(item, Sequence) and not isinstance(item, str):
        return next((v for v in map(number, reversed(item)) if v is not None), None)
    return number(item)


def _binned(value: Mapping[str, Any]) -> Histogram | None:
    """Return an already binned histogram."""
    edges = [number(e) for e in value.get("edges") or ()]
    counts = [number(c) for c in value.get("counts") or ()]
    clean = [e for e in edges if e is not None]
    whole = [int(c) for c in counts if c is not None]
    if not whole or len(clean) != len(whole) + 1:
        return None
    violated = sum(c for c, right in zip(whole, clean[1:], strict=True) if right <= 0)
    return Histogram(tuple(clean), tuple(whole), clean[0], sum(whole), violated)


# ------------------------------------------------------------ area and power


@dataclass(frozen=True, slots=True)
class Module:
    """Area (um^2) and cells of one module instance, or of one cell type."""

    name: str
    area: float
    cells: float | None
    estimated: bool = False


def _areas(value: object) -> list[Module]:
    if isinstance(value, Mapping):
        items: Iterable[tuple[str, object]] = ((str(k), v) for k, v in value.items())
    else:
        items = ((_str(r, "module", "cell", "name", "type", "instance", "path"), r) for r in rows(value))
    found = []
    for name, item in items:
        row = mapping(item)
        area = _num(row, "area_um2", "area", "total_area") if row else number(item)
        cells = _num(row, "cells", "count", "instances", "num_cells") if row else None
        if area is not None or cells is not None:
            found.append(Module(name or "(top)", area or 0.0, cells, row.get("estimated") is True))
    return sorted(found, key=lambda m: (-m.area, -(m.cells or 0), m.name))


def modules(step: StepRun) -> list[Module]:
    """Return the area of each module of a synthesis step, largest first."""
    for key in ("area_by_module", "modules", "areas"):
        found = _areas(step.data.get(key))
        if found:
            return found
    return []


def cells_by_type(step: StepRun) -> list[Module]:
    """Return the cells of a synthesis step by library cell, largest area first."""
    for key in ("cells_by_type", "cells", "cell_types"):
        value = step.data.get(key)
        if isinstance(value, Mapping) and all(number(v) is not None for v in value.values()):
            counted = [Module(str(k), 0.0, number(v)) for k, v in value.items()]
            return sorted(counted, key=lambda m: (-(m.cells or 0), m.name))
        found = _areas(value)
        if found:
            return found
    return []


@dataclass(frozen=True, slots=True)
class PowerRow:
    """Power (W) of a group of cells or of a module."""

    name: str
    internal: float | None
    switching: float | None
    leakage: float | None
    total: float


def power_rows(step: StepRun, by: str = "group") -> list[PowerRow]:
    """Return the power of a step by ``group`` or by ``module``, without totals."""
    found = []
    for key in (f"power_by_{by}", f"by_{by}", f"{by}s"):
        value = step.data.get(key)
        pairs = [(str(k), mapping(v)) for k, v in value.items()] if isinstance(value, Mapping) else []
        pairs += [(_str(r, by, "name", "instance", "path"), r) for r in rows(value)]
        for name, row in pairs:
            internal, switching, leakage = parts = [
                _num(row, f"{p}_w", p) for p in ("internal", "switching", "leakage")
            ]
            total = _num(row, "total_w", "total", "power_w")
            if total is None and any(p is not None for p in parts):
                total = sum(p or 0.0 for p in parts)
            if total is not None and (by == "module" or name.lower() != "total"):
                found.append(PowerRow(name or "(top)", internal, switching, leakage, total))
        if found:
            break
    return found


# ---------------------------------------------------------------- simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """One testcase with one seed; `status` is ``pass``, ``fail``, ``skip`` or ``none``."""

    __test__ = False  # not a pytest class

    test: str
    case: str
    seed: str
    status: str
    time_s: float | None
    sim_ns: float | None
    message: str
    detail: str
    place: str
    step: StepRun


def testcases(steps: Iterable[StepRun]) -> list[TestRow]:
    """Return every testcase of the simulation steps; a step without any is one row."""
    found = []
    for step in steps:
        listed: list[Mapping[str, Any]] = []
        for key in ("testcases", "tests", "results"):
            listed = listed or rows(step.data.get(key))
        test = step.tag("test") or step.label
        if not listed:
            message = step.why_missing("") if not step.ok else "the simulation reported no testcase"
            status = "fail" if step.ok or step.status in ("failed", "infra") else "none"
            listed = [{"name": "", "status": status, "time_s": step.raw.get("wall_s"), "message": message}]
        for row in listed:
            found.append(_testcase(step, test, row))
    return found


def _testcase(step: StepRun, test: str, row: Mapping[str, Any]) -> TestRow:
    status = _str(row, "status", "result", "outcome").lower()
    if status != "none":
        status = "pass" if status in _PASSED else "skip" if status in _SKIPPED else "fail"
    return TestRow(
        test=test,
        case=_str(row, "name", "testcase", "case"),
        seed=_str(row, "seed") or step.tag("seed"),
        status=status,
        time_s=_num(row, "time_s", "time", "wall_s"),
        sim_ns=_num(row, "sim_time_ns", "sim_ns"),
        message=_str(row, "message", "error", "reason"),
        detail=_str(row, "traceback", "detail"),
        place=_str(row, "place"),
        step=step,
    )

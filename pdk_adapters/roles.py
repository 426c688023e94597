"""Derive what cells are for from what Liberty says they do.

Adapters carry the result as constants, so that describing a PDK does not read
megabytes; the conformance check derives it again and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from flow.formats.boolean import Function, parse_function
from flow.formats.liberty import LibertyCell, Library
from flow.model.pdk import CellRoles
from pdk_adapters.hints import RoleHints

__all__ = ["derive_roles", "drive_pf", "is_excluded"]


def is_excluded(name: str, patterns: Iterable[str]) -> bool:
    """Whether `name` matches one of the shell patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def drive_pf(cell: LibertyCell) -> float:
    """Return the largest load that an output of `cell` may drive, in picofarads; 0 if unsaid."""
    return max((p.max_capacitance_pf or 0.0 for p in cell.outputs), default=0.0)


def _order(cell: LibertyCell) -> tuple[float, float, str]:
    return (round(drive_pf(cell), 9), cell.area_um2, cell.name)


def _function(cell: LibertyCell, pin: str) -> Function | None:
    found = cell.pin(pin)
    if found is None or not found.function or found.three_state:
        return None
    try:
        return parse_function(found.function)
    except ValueError:
        return None


def _gate(cell: LibertyCell, inputs: int) -> Function | None:
    """Return the function of a plain gate with one output and so many inputs."""
    if cell.sequential or cell.statetable or cell.is_pad or len(cell.inputs) != inputs:
        return None
    if len(cell.outputs) != 1 or cell.outputs[0].direction != "output":
        return None
    return _function(cell, cell.outputs[0].name)


def _is(cell: LibertyCell, table: int) -> bool:
    function = _gate(cell, 1)
    return function is not None and function.table((cell.inputs[0].name,)) == table


def _plain_flop(cell: LibertyCell) -> bool:
    if (
        len(cell.sequential) != 1
        or cell.sequential[0].kind != "ff"
        or cell.scan
        or cell.sequential[0].width > 1
    ):
        return False
    try:
        inputs = parse_function(cell.sequential[0].data or "").inputs
    except ValueError:
        return False
    return len(inputs) == 1


def _flop_order(cell: LibertyCell) -> tuple[object, ...]:
    group = cell.sequential[0]
    falling = (group.trigger or "").lstrip("(").startswith("!")
    return (bool(group.clear) + bool(group.preset), falling, *_order(cell))


def _latch(cell: LibertyCell) -> bool:
    if len(cell.sequential) != 1 or cell.clock_gate or any(p.three_state for p in cell.outputs):
        return False
    return cell.sequential[0].kind == "latch"


def _tie(cells: Iterable[LibertyCell], value: str) -> tuple[str, str] | None:
    found = [
        (cell.area_um2, cell.name, pin.name)
        for cell in cells
        if not cell.inputs and not cell.is_pad
        for pin in cell.outputs
        if (function := _function(cell, pin.name)) is not None and function.tree == (value,)
    ]
    return min(found)[1:] if found else None


def derive_roles(libraries: Iterable[Library], hints: RoleHints, physical: Iterable[str] = ()) -> CellRoles:
    """Return the roles of the cells of one corner.

    Parameters
    ----------
    libraries
        All Liberty files of the corner.
    hints
        What they do not say.
    physical
        Names of cells that only LEF knows (fillers, taps).

    Notes
    -----
    Buffers and inverters are by function and ordered by the load they may
    drive. Clock gates are listed although libraries mark them ``dont_use``:
    they are only ever used on purpose; so are tie cells. Flops: those with the fewest
    asynchronous pins first, rising before falling, then by drive.
    """
    every: Mapping[str, LibertyCell] = {c.name: c for lib in libraries for c in lib.cells.values()}
    usable = [c for c in every.values() if not c.dont_use and not is_excluded(c.name, hints.dont_use)]

    def names(test: Callable[[LibertyCell], bool], skip: tuple[str, ...] = ()) -> tuple[str, ...]:
        found = [c for c in usable if not is_excluded(c.name, skip) and test(c)]
        return tuple(c.name for c in sorted(found, key=_order))

    known = {*every, *physical}
    ties = [c for c in every.values() if not is_excluded(c.name, hints.dont_use)]
    flops = sorted((c for c in usable if _plain_flop(c)), key=_flop_order)
    gates = sorted((c for c in every.values() if c.clock_gate), key=_order)
    return CellRoles(
        buffers=names(lambda c: _is(c, 0b10), (*hints.delay, *hints.clock)),
        inverters=names(lambda c: _is(c, 0b01), (*hints.delay, *hints.clock)),
        flops=tuple(c.name for c in flops),
        latches=names(_latch),
        clock_gates=tuple(c.name for c in gates),
        clock_buffers=names(lambda c: _is(c, 0b10) and is_excluded(c.name, hints.clock), hints.delay),
        fillers=tuple(name for name in hints.fillers if name in known),
        tap=hints.tap if hints.tap in known else None,
        antenna=hints.antenna if hints.antenna in known else None,
        tie_hi=_tie(ties, "1"),
        tie_lo=_tie(ties, "0"),
        driving_cell=hints.driving_cell,
        load_pf=hints.load_pf,
        dont_use=hints.dont_use,
    )

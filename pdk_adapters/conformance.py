"""Does an adapter tell the truth about its PDK? The part that needs no tool.

Checks are named ``pdk.<what>``. An error means that a flow would go wrong; a
warning points at a flaw of the PDK itself, or at roles that could be better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from fnmatch import fnmatchcase

from flow.formats.boolean import parse_function
from flow.formats.liberty import LibertyCell, Library
from flow.model.check import Check, Severity
from flow.model.pdk import CellRoles, Macro, Pdk
from pdk_adapters.cell_models import cell_models
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import LefMacro
from pdk_adapters.roles import derive_roles, is_excluded
from pdk_adapters.views import PdkViews

__all__ = ["static_checks"]

_AREA_TOLERANCE = 0.01
_MACRO_TOLERANCE = 0.25  # abstract SRAMs are rounded to the grid
_ADAPTER = "Correct the adapter, or install the version of the PDK that it knows"
_PDK = "Install the PDK again, or report it to its makers"


def static_checks(pdk: Pdk, views: PdkViews, hints: RoleHints | None = None) -> list[Check]:
    """Return the findings about `pdk`, passed and failed.

    Parameters
    ----------
    views
        What ``pdk_adapters.views.load_views`` read; corners that were not
        read are not checked.
    hints
        What the roles were derived with (``Offer.hints``); with them, the
        roles are derived again and compared.
    """
    checks = [*_read(pdk, views), *_corners(pdk, views), *_units(pdk, views)]
    default = views.corners.get(pdk.default_corner)
    if default is not None:
        cells = {c.name: c for lib in default for c in lib.cells.values()}
        checks += _roles(pdk.roles, cells, views)
        checks += _dont_use(pdk.roles, cells, views)
        checks += _lef(pdk, cells, views)
        checks += _models(default, pdk.roles)
        if hints is not None:
            checks += _derived(pdk.roles, default, hints, views)
    for macro in pdk.macros:
        checks += _macro(macro, pdk, views)
    return checks


def _check(name: str, faults: Iterable[str], good: str, *, severity: Severity = Severity.ERROR,
           place: str = "", remedy: str = _ADAPTER) -> Check:  # fmt: skip
    found = list(faults)
    if not found:
        return Check(name=f"pdk.{name}", passed=True, message=good, place=place)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return Check(
        name=f"pdk.{name}", passed=False, severity=severity, message="; ".join(found[:5]) + more,
        place=place, remedy=remedy,
    )  # fmt: skip


def _read(pdk: Pdk, views: PdkViews) -> Iterator[Check]:
    for place, error in views.problems.items():
        yield Check(
            name="pdk.views", passed=False, message=str(error.what), place=error.where or place,
            remedy=error.remedy or _PDK,
        )  # fmt: skip
    read = sum(len(libs) for libs in views.corners.values())
    if not views.problems:
        yield _check(
            "views", [], f"{read} Liberty files, {len(views.lef)} LEF macros read", place=str(pdk.root)
        )


def _corners(pdk: Pdk, views: PdkViews) -> Iterator[Check]:
    names = [c.name for c in pdk.corners]
    faults = (
        [] if pdk.default_corner in names else [f"the default corner {pdk.default_corner} does not exist"]
    )
    faults += [f"two corners are called {n}" for n in dict.fromkeys(names) if names.count(n) > 1]
    yield _check("corners", faults, f"{len(names)} corners")
    faults = []
    functions: dict[str, tuple[str, tuple[object, ...]]] = {}
    for corner in pdk.corners:
        for library in views.corners.get(corner.name, ()):
            volts, celsius = library.nom_voltage_v, library.nom_temperature_c
            if volts is not None and abs(volts - float(corner.voltage_v)) > 0.0051:
                faults.append(f"{corner.name}: {library.name} is for {volts} V")
            if celsius is not None and abs(celsius - corner.temperature_c) > 0.5:
                faults.append(f"{corner.name}: {library.name} is for {celsius} C")
    yield _check("corners.conditions", faults, "voltages and temperatures are those of the files")
    faults = []
    for name, libraries in views.corners.items():
        for library in libraries:
            for cell in library.cells.values():
                first = functions.setdefault(cell.name, (name, _behaviour(cell)))
                if first[1] != _behaviour(cell):
                    faults.append(f"{cell.name} differs between {first[0]} and {name}")
    yield _check(
        "corners.cells", faults, "cells do the same in every corner", severity=Severity.WARNING, remedy=_PDK
    )


def _behaviour(cell: LibertyCell) -> tuple[object, ...]:
    return tuple(sorted((p.name, p.direction, _table(p.function)) for p in cell.pins))


def _table(text: str | None) -> str:
    if not text:
        return ""
    try:
        function = parse_function(text)
        names = sorted(function.inputs)
        if len(names) > 12:
            return text
        return f"{names}{function.table(names)}"
    except ValueError:
        return text


def _units(pdk: Pdk, views: PdkViews) -> Iterator[Check]:
    faults = []
    for name, libraries in views.corners.items():
        for library in libraries:
            if abs(library.time_unit_ns - pdk.time_unit_ns) > 1e-9:
                faults.append(f"{name}: the time unit of {library.name} is {library.time_unit_ns} ns")
            if abs(library.cap_unit_pf - pdk.cap_unit_pf) > 1e-9:
                faults.append(f"{name}: the capacitance unit of {library.name} is {library.cap_unit_pf} pF")
    yield _check("units", faults, f"{pdk.time_unit_ns} ns, {pdk.cap_unit_pf} pF")


def _buffer(cell: LibertyCell, table: int) -> str | None:
    outputs = [p for p in cell.outputs if p.function]
    if len(cell.inputs) != 1 or len(outputs) != 1 or cell.sequential:
        return "is not a gate with one input"
    if parse_function(outputs[0].function or "").table((cell.inputs[0].name,)) != table:
        return f"does {outputs[0].function}"
    return None


def _tried(test: Callable[[LibertyCell], str | None], cell: LibertyCell) -> str | None:
    try:
        return test(cell)
    except ValueError as error:
        return f"has a function that cannot be read ({error})"


def _sequential(cell: LibertyCell, kind: str) -> str | None:
    return None if any(s.kind == kind for s in cell.sequential) else f"is no {kind}"


_TESTS: dict[str, Callable[[LibertyCell], str | None]] = {
    "buffers": lambda c: _buffer(c, 0b10),
    "clock_buffers": lambda c: _buffer(c, 0b10),
    "inverters": lambda c: _buffer(c, 0b01),
    "flops": lambda c: _sequential(c, "ff"),
    "latches": lambda c: _sequential(c, "latch"),
    "clock_gates": lambda c: None if c.clock_gate else "is no clock gate",
}


def _roles(roles: CellRoles, cells: dict[str, LibertyCell], views: PdkViews) -> Iterator[Check]:
    for role, test in _TESTS.items():
        names = getattr(roles, role)
        faults = [f"{n}: not in the libraries" for n in names if n not in cells]
        faults += [f"{n} {why}" for n in names if n in cells and (why := _tried(test, cells[n]))]
        if not names and role in ("buffers", "inverters", "flops"):
            faults.append(f"there are no {role}")
        yield _check(f"roles.{role}", faults, f"{len(names)} cells")
    physical = [*roles.fillers, *(n for n in (roles.tap, roles.antenna) if n)]
    faults = [f"{n}: in no LEF or Liberty" for n in physical if n not in views.lef and n not in cells]
    yield _check("roles.physical", faults, f"{len(physical)} cells", severity=Severity.WARNING)
    for role, tie, value in (("tie_hi", roles.tie_hi, "1"), ("tie_lo", roles.tie_lo, "0")):
        if tie is not None:
            yield _check(f"roles.{role}", _tie(tie, value, cells), "/".join(tie))
    name, pin = roles.driving_cell
    cell = cells.get(name)
    faults = (
        [] if cell and pin in {p.name for p in cell.outputs} else [f"{name}/{pin} is no output of a cell"]
    )
    if roles.load_pf <= 0:
        faults.append(f"load_pf is {roles.load_pf}")
    yield _check("roles.driving_cell", faults, f"{name}/{pin}, {roles.load_pf} pF")


def _tie(tie: tuple[str, str], value: str, cells: dict[str, LibertyCell]) -> list[str]:
    pin = cells[tie[0]].pin(tie[1]) if tie[0] in cells else None
    if pin is None or pin.direction != "output":
        return [f"{tie[0]} has no output {tie[1]}"]
    if _table(pin.function) != f"[]{value}":
        return [f"{tie[0]}/{tie[1]} is {pin.function}, not {value}"]
    return []


def _dont_use(roles: CellRoles, cells: dict[str, LibertyCell], views: PdkViews) -> Iterator[Check]:
    every = {*cells, *views.lef}
    unused = [p for p in roles.dont_use if not any(fnmatchcase(n, p) for n in every)]
    yield _check(
        "dont_use.match", [f"{p} matches no cell" for p in unused], "every pattern matches",
        severity=Severity.INFO,
    )  # fmt: skip
    usable = [c for c in cells.values() if not c.dont_use and not is_excluded(c.name, roles.dont_use)]
    # An inverter and a nand or a nor make every function.
    faults = [] if any(_complete(c) for c in usable) else ["no two-input nand or nor is left"]
    yield _check("dont_use.complete", faults, f"{len(usable)} of {len(cells)} cells may be used")


def _complete(cell: LibertyCell) -> bool:
    """Whether `cell` is a two-input nand or nor."""
    if cell.sequential or len(cell.inputs) != 2 or len(cell.outputs) != 1:
        return False
    output = cell.outputs[0]
    if not output.function or output.three_state:
        return False
    try:
        return parse_function(output.function).table([p.name for p in cell.inputs]) in (0b0111, 0b0001)
    except (ValueError, KeyError):
        return False


def _lef(pdk: Pdk, cells: dict[str, LibertyCell], views: PdkViews) -> Iterator[Check]:
    roles = pdk.roles
    pairs = [(c, views.lef[c.name]) for c in cells.values() if c.name in views.lef]
    inverter = views.lef.get(roles.inverters[0]) if roles.inverters else None
    if inverter is not None:
        layout = {"power": pdk.extra.get("power_pin"), "ground": pdk.extra.get("ground_pin")}
        wrong = [
            f"{name} is no {use} pin of {inverter.name}" for use, name in layout.items()
            if name and (name not in inverter.pins or inverter.pins[name].use != use)
        ]  # fmt: skip
        layers = {layer.name for layer in pdk.layers}
        routed = (pdk.extra.get("min_routing_layer"), pdk.extra.get("max_routing_layer"))
        wrong += [f"there is no layer {name}" for name in routed if name and name not in layers]
        yield _check("layout", wrong, "supply pins and routing layers exist")
    missing = [
        f"{c.name} has no LEF" for c in cells.values()
        if c.name not in views.lef and not c.dont_use and not is_excluded(c.name, roles.dont_use)
    ]  # fmt: skip
    yield _check("lef.cells", missing, f"{len(pairs)} cells have a LEF", remedy=_PDK)
    areas = [f for c, m in pairs if (f := _area(c, m, _AREA_TOLERANCE))]
    # A few are the library's own slips; many mean wrong units or the wrong file.
    severity = Severity.ERROR if len(areas) > max(8, len(pairs) // 5) else Severity.WARNING
    yield _check("lef.area", areas, "areas are those of Liberty", severity=severity, remedy=_PDK)
    pins = [f for c, m in pairs if (f := _pins(c, m))]
    usable = [f for f in pins if not is_excluded(f.split(":")[0], roles.dont_use)]
    yield _check("lef.pins", usable, "pins are those of Liberty", remedy=_PDK)


def _area(cell: LibertyCell, macro: LefMacro, tolerance: float) -> str | None:
    drawn = macro.width_um * macro.height_um
    if abs(drawn - cell.area_um2) <= tolerance * max(drawn, cell.area_um2):
        return None
    return f"{cell.name}: {drawn:.6g} um2 in LEF, {cell.area_um2:.6g} in Liberty"


def _pins(cell: LibertyCell, macro: LefMacro) -> str | None:
    liberty: set[str] = set()
    for pin in cell.pins:
        if pin.direction == "internal":
            continue
        # Buses start at 0 in every library at hand; only the count is compared with LEF's bits.
        liberty |= {pin.name} if pin.width == 1 else {f"{pin.name}[{i}]" for i in range(pin.width)}
    drawn = macro.signals - set(cell.power_pins)
    if liberty == drawn:
        return None
    return (
        f"{cell.name}: only in Liberty {', '.join(sorted(liberty - drawn)[:3]) or 'none'}, "
        f"only in LEF {', '.join(sorted(drawn - liberty)[:3]) or 'none'}"
    )


def _models(libraries: tuple[Library, ...], roles: CellRoles) -> Iterator[Check]:
    models = cell_models(libraries)
    used = {c.name: c for lib in libraries for c in lib.cells.values() if not c.dont_use}
    faults = [
        f"{name}: {reason}" for name, reason in models.omitted.items()
        if name in used and not is_excluded(name, roles.dont_use) and not used[name].is_macro
    ]  # fmt: skip
    yield _check(
        "models", faults, f"{len(models.models)} cells have a simulation model",
        remedy="Add the cell to the don't-use list, or give it a function in Liberty",
    )  # fmt: skip


def _derived(
    roles: CellRoles, libraries: tuple[Library, ...], hints: RoleHints, views: PdkViews
) -> Iterator[Check]:
    fresh = derive_roles(libraries, hints, views.lef)
    faults = [
        f"{f.name}: adapter says {getattr(roles, f.name)}, Liberty gives {getattr(fresh, f.name)}"
        for f in fields(CellRoles)
        if getattr(roles, f.name) != getattr(fresh, f.name)
    ]
    yield _check("roles.derived", faults, "roles are what Liberty gives", severity=Severity.WARNING)


def _macro(macro: Macro, pdk: Pdk, views: PdkViews) -> Iterator[Check]:
    corners = {c.name for c in pdk.corners}
    faults = [f"{macro.name}: no corner {c}" for c in macro.liberty if c not in corners]
    library, drawn = views.macro_liberty.get(macro.name), views.macro_lef.get(macro.name)
    if not macro.liberty:
        faults.append(f"{macro.name} has no Liberty file for any corner")
    if (
        macro.lef is not None
        and drawn is None
        and f"macro {macro.name}" not in views.problems
        and views.macro_lef
    ):
        faults.append(f"{macro.name} is not in its LEF file")
    cell = library.cells.get(macro.name) if library is not None else None
    if library is not None and cell is None:
        faults.append(f"{macro.name} is not in its Liberty file")
    memory = cell.memory if cell is not None else None
    if memory is not None and (memory.word_width, 1 << memory.address_width >= macro.words) != (
        macro.bits,
        True,
    ):
        faults.append(
            f"{macro.name}: {macro.words} x {macro.bits}, but Liberty has {memory.address_width} "
            f"address and {memory.word_width} data bits"
        )
    if cell is not None and macro.access:
        faults += _access(macro, cell)
    if cell is not None and drawn is not None:
        faults += [f for f in (_area(cell, drawn, _MACRO_TOLERANCE), _pins(cell, drawn)) if f]
    if library is not None and abs(library.time_unit_ns - pdk.time_unit_ns) > 1e-9 and not faults:
        # Not a fault: tools scale each file by its own unit.
        yield Check(name="pdk.macro.units", passed=True, message=f"{macro.name} has units of its own")
    yield _check(
        "macro", faults, f"{macro.words} x {macro.bits}, {macro.ports} ports", place=macro.name, remedy=_PDK
    )


def _access(macro: Macro, cell: LibertyCell) -> list[str]:
    """Return what the adapter says of a memory's pins that its Liberty file does not."""
    inputs, outputs = dict.fromkeys(macro.ties, 0), {}
    for port in macro.access:
        single = (port.clock, *port.enables, port.write, port.read)
        inputs |= {name.removeprefix("!"): 1 for name in single if name}
        inputs[port.address] = (macro.words - 1).bit_length()
        if port.write_data:
            inputs[port.write_data] = macro.bits
        if port.mask:
            inputs[port.mask.removeprefix("!")] = macro.bits // port.mask_bits
        if port.read_data:
            outputs[port.read_data] = macro.bits
    faults = []
    for direction, said in (("input", inputs), ("output", outputs)):
        pins = {pin.name: pin.width for pin in cell.pins if pin.direction == direction}
        faults += [f"{macro.name}: no {direction} is called {name}" for name in said if name not in pins]
        faults += [f"{macro.name}: {direction} {name} has no use" for name in pins if name not in said]
        faults += [
            f"{macro.name}: {name} has {pins[name]} bits, not {width}"
            for name, width in said.items()
            if width and name in pins and pins[name] != width
        ]
    if len(macro.access) != macro.ports:
        faults.append(f"{macro.name} has {macro.ports} ports, of which {len(macro.access)} are described")
    return faults

"""What timing and power share: the design, its constraints, one run of OpenSTA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flow.formats.kept import Kept
from flow.formats.liberty import CellLibrary
from flow.model.constraint import Clock, Constraints
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages.libraries import read_libraries
from flow.tools._collector import without_collector
from flow.tools.netlist import Netlist, NetlistError, read_verilog
from flow.tools.netlist.flat import flatten
from flow.tools.opensta import Load, OpenSta, Ports, SdcError, read_log, write_sdc

__all__ = [
    "StaDesign",
    "constant_outputs",
    "load_design",
    "read_constraints",
    "read_netlist",
    "run_sta",
    "write_constraints",
]

# OpenSTA 2.0 takes a number that is not quoted for joules, whatever the file's units.
_BARE_VALUE = re.compile(r"(\bvalues\s*)\(\s*([-+.\deE]+)\s*\)")
_WIRE_LOAD = re.compile(r"default_wire_load(?:_\w+)?\s*:\s*[^;\n]+;?")
_WORD = re.compile(r"[A-Za-z_][\w$]*")
_REMEDY = "Correct [clock] port (false where there is no clock), [[clocks]] or [constraints]."
_SDC = "constraints.sdc"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaDesign:
    """A netlist with the cells it is made of, ready to be loaded.

    Attributes
    ----------
    kinds
        Types of the top's instances, by name.
    wire_loads
        Default wire load models of the libraries, which are not applied.
    """

    library: CellLibrary
    load: Load
    ports: Ports
    kinds: Mapping[str, str]
    wire_loads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """What is to be known of a netlist that OpenSTA reads: its top's ports and instances, all types."""

    top: str
    ports: Ports
    kinds: Mapping[str, str]
    types: frozenset[str]


# Timing at each corner, and power, ask for the same netlist.
_OUTLINES: Kept[_Outline] = Kept(24 << 20)


def read_constraints(params: Mapping[str, Any]) -> Constraints:
    """Take the constraints out of a step's parameters.

    Raises
    ------
    ConfigError
        They do not hold together.
    """
    raw = dict(params.get("constraints") or {})
    try:
        if "clocks" in raw:
            raw["clocks"] = tuple(Clock(**clock) for clock in raw["clocks"])
        return Constraints(**raw)
    except (TypeError, ValueError) as error:
        raise ConfigError(str(error), "constraints", _REMEDY) from error


@without_collector
def load_design(ctx: StepContext, constraints: Constraints) -> StaDesign:
    """Read netlist and libraries, and write excerpts with only the cells that matter.

    A library's default wire load model is left out: OpenSTA would apply it
    without a word, to a netlist that has no placement yet.
    """
    source = ctx.input("netlist")
    outline = _OUTLINES.get(
        source, lambda _path: _outline(read_netlist(ctx, pins=False)), ctx.params.get("top")
    )
    wanted = set(outline.types)
    roles = ctx.params.get("roles") or {}
    wanted.update(str(name) for name in (roles.get("driving_cell") or ())[:1])
    wanted.add(constraints.driving_cell or "")
    if ctx.has_input("sdc"):
        wanted.update(_WORD.findall(ctx.input("sdc").read_text(encoding="utf-8", errors="replace")))
    names: list[str] = []
    wire_loads: list[str] = []
    parts = []
    for prefix in ("lib", "macro"):
        library = read_libraries(ctx, prefix)
        for index, part in enumerate(library.parts if library else ()):
            parts.append(part)
            if part.default_wire_load:
                wire_loads.append(part.default_wire_load)
            if not names or wanted & set(part):
                name = f"{prefix}_{index}.lib"
                text = CellLibrary([part]).excerpt(wanted.__contains__, power=True)
                text = _BARE_VALUE.sub(r'\1("\2")', _WIRE_LOAD.sub("", text))
                (ctx.workdir / name).write_text(text, encoding="utf-8")
                names.append(name)
    if not parts:
        raise ConfigError("timing needs at least one Liberty file", "lib0", "Name a PDK that is installed.")
    link = ctx.workdir / "sta_netlist.v"
    if not link.exists():
        link.symlink_to(source)
    load = Load(libraries=tuple(names), netlist=link.name, top=outline.top)
    return StaDesign(
        library=CellLibrary(parts),
        load=load,
        ports=outline.ports,
        kinds=outline.kinds,
        wire_loads=tuple(dict.fromkeys(wire_loads)),
    )


def read_netlist(ctx: StepContext, *, pins: bool = True) -> Netlist:
    """Read the step's netlist.

    Raises
    ------
    ConfigError
        It is not structural Verilog, or lacks its top.
    """
    source = ctx.input("netlist")
    text = source.read_text(encoding="utf-8", errors="replace")
    try:
        return read_verilog(text, ctx.params.get("top"), pins=pins)
    except NetlistError as error:
        raise ConfigError(f"netlist cannot be read: {error}", str(source.name)) from error


def _outline(netlist: Netlist) -> _Outline:
    return _Outline(
        top=netlist.top,
        ports=_ports(netlist),
        kinds={cell.name: cell.type for cell in netlist.modules[netlist.top].cells.values()},
        types=frozenset(cell.type for module in netlist.modules.values() for cell in module.cells.values()),
    )


def _ports(netlist: Netlist) -> Ports:
    inputs: list[str] = []
    outputs: list[str] = []
    vectors: dict[str, tuple[str, ...]] = {}
    for port in netlist.modules[netlist.top].ports.values():
        bits = tuple(port.bit_name(i) for i in range(len(port.bits)))
        if port.vector:
            vectors[port.name] = bits
        if port.direction in ("input", "inout"):
            inputs += bits
        if port.direction in ("output", "inout"):
            outputs += bits
    return Ports(inputs=tuple(inputs), outputs=tuple(outputs), vectors=vectors)


def write_constraints(
    ctx: StepContext, design: StaDesign, constraints: Constraints
) -> tuple[str, str | None]:
    """Write the step's SDC.

    Returns
    -------
    tuple
        The file, and the same constraints with every time in terms of the
        Tcl variable ``scale``; ``None`` when the SDC is the user's own.
    """
    target = ctx.workdir / _SDC
    if ctx.has_input("sdc"):
        target.write_bytes(ctx.input("sdc").read_bytes())
        return _SDC, None
    roles = ctx.params.get("roles") or {}
    driving = tuple(roles.get("driving_cell") or ("", ""))
    if constraints.driving_cell is not None:
        driving = _driving(design.library, constraints.driving_cell)
    load = constraints.load_pf if constraints.load_pf is not None else float(roles.get("load_pf") or 0.0)
    pair = (str(driving[0]), str(driving[1])) if driving[0] else None
    try:
        text = write_sdc(constraints, design.ports, driving_cell=pair, load_pf=load)
        scaled = write_sdc(constraints, design.ports, driving_cell=pair, load_pf=load, scale="scale")
    except SdcError as error:
        raise ConfigError(str(error), "constraints", _REMEDY) from error
    target.write_text(text, encoding="utf-8")
    return _SDC, scaled


@without_collector
def constant_outputs(ctx: StepContext, design: StaDesign) -> set[str]:
    """Return bits of output ports that a tie cell or a constant drives."""
    flat = flatten(read_netlist(ctx))
    constant = set(flat.constants)
    for cell in flat.cells:
        known = design.library.get(cell.type)
        if (known is not None and not known.inputs) or (
            known is not None and known.buffer and cell.pins.get(known.inputs[0].name) in flat.constants
        ):
            constant.update(cell.pins.values())
    return {name for name, net in flat.ports.items() if net in constant}


def _driving(library: CellLibrary, name: str) -> tuple[str, str]:
    if not name:
        return "", ""
    cell = library.get(name)
    if cell is None or not cell.outputs:
        raise ConfigError(
            f"driving_cell {name!r} is no cell of the library", "constraints", "Name one of its buffers."
        )
    return name, cell.outputs[0].name


def run_sta(ctx: StepContext, script: str, name: str, *, user_sdc: bool) -> str:
    """Run one script to its end and return what it printed.

    Raises
    ------
    ConfigError
        A cell is in no library, or the user's SDC has an error.
    ToolError
        OpenSTA failed otherwise.
    """
    result = ctx.run(OpenSta().command(ctx.tool("opensta"), f"{name}.tcl", script, f"{name}.log"))
    text = result.text()
    reading = read_log(text)
    unresolved = [m for m in reading.messages if m.code == "unresolved_cell"]
    if unresolved:
        raise ConfigError(
            f"the netlist has a cell that no library has: {unresolved[0].text}",
            None,
            "Give the Liberty file that describes it (a macro's belongs to the PDK's macros).",
        )
    errors = reading.errors
    if result.returncode != 0 or errors or not reading.data["done"]:
        said = errors[0].text if errors else f"ended with status {result.returncode}"
        if user_sdc and errors and (errors[0].file is None or str(errors[0].file).endswith(_SDC)):
            line = f":{errors[0].line}" if errors and errors[0].line else ""
            raise ConfigError(f"the SDC has an error: {said}", f"sdc{line}", f"See {result.log.name}.")
        raise ToolError("opensta", said, result.log)
    return text

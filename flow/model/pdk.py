"""What a PDK adapter returns: frozen descriptions of a process and its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

__all__ = ["CellRoles", "Corner", "Layer", "Macro", "Pdk", "Site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """Process, voltage and temperature, and the Liberty files that hold there.

    Attributes
    ----------
    name
        Unique in the PDK, for example ``tt_025C_1v80``.
    process
        ``tt``, ``ss`` or ``ff``.
    voltage_v
        Supply in volts.
    temperature_c
        Temperature in degrees Celsius.
    liberty
        Liberty files of the standard cells, plain or gzip.
    """

    name: str
    process: str
    voltage_v: Decimal
    temperature_c: int
    liberty: tuple[Path, ...]

    def __post_init__(self) -> None:
        if self.process not in ("tt", "ss", "ff"):
            raise ValueError(f"corner {self.name}: process {self.process!r} is none of tt, ss, ff")
        if not self.liberty:
            raise ValueError(f"corner {self.name}: no Liberty file")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRoles:
    """Cells by what they are for; a tuple is ordered by increasing drive.

    ``tie_hi`` and ``tie_lo`` are ``(cell, pin)``. ``dont_use`` holds shell
    patterns. ``driving_cell`` drives inputs in timing; ``load_pf`` loads
    outputs.
    """

    buffers: tuple[str, ...]
    inverters: tuple[str, ...]
    flops: tuple[str, ...]
    latches: tuple[str, ...] = ()
    clock_gates: tuple[str, ...] = ()
    clock_buffers: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    tap: str | None = None
    antenna: str | None = None
    tie_hi: tuple[str, str] | None = None
    tie_lo: tuple[str, str] | None = None
    driving_cell: tuple[str, str] = ("", "")
    load_pf: float = 0.0
    dont_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The placement site: width and height in micrometres."""

    name: str
    width_um: float
    height_um: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A routing layer: preferred direction, pitch and width in micrometres."""

    name: str
    direction: str
    pitch_um: float
    width_um: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPort:
    """Pins of one port of a memory macro. What is read appears after the edge, until the next read.

    Attributes
    ----------
    clock, address
        Pins; data are taken and given at the rising edge.
    enables
        Pins that must all be active for any access; a name that begins with
        ``!`` is active low, here and below.
    write
        Active in a cycle that writes; ``None`` of a port that only reads.
    read
        Active in a cycle that reads; ``None`` where that is `write` inactive.
    write_data, read_data
        Data; ``None`` where the port has none.
    mask, mask_bits
        Pin whose bits choose what a write changes, and data bits for each; ``None`` where
        all bits are written.
    """

    clock: str
    address: str
    enables: tuple[str, ...]
    write: str | None
    read: str | None = None
    write_data: str | None
    read_data: str | None
    mask: str | None = None
    mask_bits: int = 1

    def __post_init__(self) -> None:
        if (self.write is None) != (self.write_data is None):
            raise ValueError("a memory's port that writes has both a write and a write_data pin")
        if self.mask_bits < 1:
            raise ValueError(f"mask_bits must be at least 1, not {self.mask_bits}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """A hard macro, for example an SRAM, with its views.

    Attributes
    ----------
    words, bits, ports
        Of a memory.
    liberty
        Maps a corner's name to the file that holds there.
    access
        What the pins of its ports are; synthesis composes memories of macros
        that say so.
    ties
        Other input pins, and the bit, 0 or 1, that they are tied to.
    """

    name: str
    kind: str
    words: int
    bits: int
    ports: int
    area_um2: float
    liberty: Mapping[str, Path]
    lef: Path | None = None
    gds: Path | None = None
    access: tuple[MemoryPort, ...] = ()
    ties: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdk:
    """One PDK with one standard-cell library, as installed on this machine.

    Attributes
    ----------
    name
        What a user types: ``osu018``, ``sky130A``, ``nangate45``.
    family
        The process family; one adapter serves one family.
    library
        The standard-cell library.
    node_nm
        Nominal feature size in nanometres.
    root
        Where its views were found.
    version
        As the installer reports it, or ``unknown``.
    licence
        SPDX identifier, or a short name.
    corners
        At least one; ``default_corner`` names one of them.
    time_unit_ns, cap_unit_pf
        Units of the Liberty files.
    """

    name: str
    family: str
    library: str
    description: str
    node_nm: int
    root: Path
    version: str
    licence: str
    corners: tuple[Corner, ...]
    default_corner: str
    roles: CellRoles
    time_unit_ns: float
    cap_unit_pf: float
    site: Site | None = None
    layers: tuple[Layer, ...] = ()
    macros: tuple[Macro, ...] = ()
    tech_lef: Path | None = None
    cell_lef: tuple[Path, ...] = ()
    gds: tuple[Path, ...] = ()
    cdl: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    def corner(self, name: str | None = None) -> Corner:
        """Return the corner called `name`, or the default one.

        `name` may also be a process alone (``ss``) where that is unique, or
        the process of the default library voltage.

        Raises
        ------
        KeyError
            There is no such corner.
        """
        wanted = name or self.default_corner
        for corner in self.corners:
            if corner.name == wanted:
                return corner
        by_process = [c for c in self.corners if c.process == wanted]
        if by_process:
            return by_process[0]
        raise KeyError(wanted)

"""Compose memories of a PDK's macros: what Yosys's ``memory_libmap`` chooses from, and how it is wired.

Each macro becomes a type of RAM with its area as cost; ``memory_libmap`` tiles
a memory with those that cost least, or leaves it to flip-flops when these do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flow.formats.liberty import LibertyCell
from flow.model.pdk import MemoryPort
from flow.tools.yosys.log import Memory

__all__ = ["RamMacro", "macro_outline", "outside_outline", "ram_library", "ram_map", "read_ram_macros"]

_CELL = "$__suzuri_ram_"


@dataclass(frozen=True, slots=True, kw_only=True)
class RamMacro:
    """A memory macro that may be used.

    Attributes
    ----------
    words, bits
        Its size; `words` is a power of two.
    area_um2
        What it costs.
    access, ties
        As of :class:`flow.model.pdk.Macro`.
    widths
        Widths of its input pins, by name.
    """

    name: str
    words: int
    bits: int
    area_um2: float
    access: tuple[MemoryPort, ...]
    ties: Mapping[str, int] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)

    @property
    def address_bits(self) -> int:
        """Bits of an address."""
        return self.words.bit_length() - 1

    def unknown_pins(self) -> list[str]:
        """Return input pins of which nobody says what they are."""
        known = set(self.ties)
        for port in self.access:
            named = (
                port.clock,
                port.address,
                *port.enables,
                port.write,
                port.read,
                port.write_data,
                port.mask,
            )
            known.update(_pin(name) for name in named if name)
        return sorted(set(self.widths) - known) + sorted(known - set(self.widths))


def read_ram_macros(described: Iterable[Mapping[str, Any]]) -> list[RamMacro]:
    """Take macros out of a step's parameters, as ``dataclasses.asdict`` gives them."""
    found = []
    for item in described:
        access = tuple(
            MemoryPort(**{**port, "enables": tuple(port.get("enables", ()))}) for port in item["access"]
        )
        known = {k: item[k] for k in ("name", "words", "bits", "area_um2", "ties")}
        found.append(RamMacro(**known, access=access))
    return found


def macro_outline(cell: LibertyCell) -> str:
    """Return the Verilog of a macro without its inside: Yosys's reader of Liberty stumbles over buses."""
    ports = [
        f"{pin.direction} {f'[{pin.width - 1}:0] ' if pin.width > 1 else ''}{pin.name}"
        for pin in cell.pins
        if pin.direction in ("input", "output", "inout")
    ]
    return f"(* blackbox *)\nmodule {cell.name} ({', '.join(ports)});\nendmodule\n"


def outside_outline(kind: str, memory: Memory) -> str:
    """Return the Verilog of a black box with the pins of Yosys's own cell of a memory."""
    reads, writes, width = memory.reads, memory.writes, memory.width
    pins = (
        ("input", "RD_CLK", reads),
        ("input", "RD_EN", reads),
        ("input", "RD_ARST", reads),
        ("input", "RD_SRST", reads),
        ("input", "RD_ADDR", reads * memory.address_bits),
        ("output", "RD_DATA", reads * width),
        ("input", "WR_CLK", writes),
        ("input", "WR_EN", writes * width),
        ("input", "WR_ADDR", writes * memory.address_bits),
        ("input", "WR_DATA", writes * width),
    )
    ports = ", ".join(f"{way} [{bits - 1}:0] {name}" for way, name, bits in pins if bits)
    return f"(* blackbox *)\nmodule {kind} ({ports});\nendmodule\n"


def ram_library(macros: Sequence[RamMacro], mux_area: float = 0.0) -> str:
    """Return the description of `macros` that ``memory_libmap`` reads.

    Parameters
    ----------
    mux_area
        Area of a two-input multiplexer of one bit, which each macro needs for
        each bit where several make a deep memory.
    """
    lines = []
    for place, macro in enumerate(macros):
        lines += [
            f"ram block {_CELL}{place} {{",
            f"  abits {macro.address_bits};",
            f"  width {macro.bits};",
            f"  cost {max(1, round(macro.area_um2 + mux_area * macro.bits))};",
            # What a memory holds at first is looked at beforehand.
            "  init any;",
        ]
        masks = {port.mask_bits for port in macro.access if port.mask}
        if masks:
            lines.append(f"  byte {min(masks)};")
        for index, port in enumerate(macro.access):
            kind = "srsw" if port.write and port.read_data else "sr" if port.read_data else "sw"
            lines += [f'  port {kind} "P{index}" {{', "    clock posedge;"]
            if port.read_data:
                # Not a clock enable: a bank must not read while another one is written.
                lines.append("    rden;")
            if kind == "srsw":
                lines.append("    rdwr no_change;")
            if masks and port.write:
                lines.append("    wrbe_separate;")
            lines.append("  }")
        lines.append("}")
    return "\n".join(lines) + "\n"


def ram_map(macros: Sequence[RamMacro]) -> str:
    """Return the Verilog that ``techmap`` puts in place of each type of RAM."""
    return "\n".join(_module(place, macro) for place, macro in enumerate(macros))


def _module(place: int, macro: RamMacro) -> str:
    ports: list[str] = []
    pins: list[str] = []
    masks = {port.mask_bits for port in macro.access if port.mask}
    for index, port in enumerate(macro.access):
        p = f"PORT_P{index}_"
        ports += [f"input {p}CLK", f"input [{macro.address_bits - 1}:0] {p}ADDR"]
        pins += [f".{port.clock}({p}CLK)", f".{port.address}({p}ADDR)"]
        used = [f"{p}WR_EN"] if port.write else []
        if port.read_data:
            ports.append(f"input {p}RD_EN")
            used.append(f"{p}RD_EN")
        pins += [_drive(name, " | ".join(used)) for name in port.enables]
        if port.write and port.write_data:
            ports += [f"input {p}WR_EN", f"input [{macro.bits - 1}:0] {p}WR_DATA"]
            pins += [_drive(port.write, f"{p}WR_EN"), f".{port.write_data}({p}WR_DATA)"]
            if masks:
                ports.append(f"input [{macro.bits // min(masks) - 1}:0] {p}WR_BE")
            if port.mask:
                pins.append(_drive(port.mask, f"{p}WR_BE"))
        if port.read:
            pins.append(_drive(port.read, f"{p}RD_EN & ~{p}WR_EN" if port.write else f"{p}RD_EN"))
        if port.read_data:
            ports.append(f"output [{macro.bits - 1}:0] {p}RD_DATA")
            pins.append(f".{port.read_data}({p}RD_DATA)")
    for pin, value in macro.ties.items():
        pins.append(f".{pin}({{{macro.widths.get(pin, 1)}{{1'b{value}}}}})")
    names = ", ".join(declaration.rpartition(" ")[2] for declaration in ports)
    declared = "".join(f"  {declaration};\n" for declaration in ports)
    return (
        f"module \\{_CELL}{place} ({names});\n"
        # Parameters that memory_libmap gives and that nothing here depends on.
        f"  parameter INIT = 0;\n{declared}  {macro.name} macro (\n    "
        + ",\n    ".join(pins)
        + "\n  );\nendmodule\n"
    )


def _pin(name: str) -> str:
    return name.removeprefix("!")


def _drive(name: str, value: str) -> str:
    return f".{_pin(name)}({'~' if name.startswith('!') else ''}({value}))"

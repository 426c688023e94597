"""Simulation models of memory macros, from what their descriptions say of their pins."""

from __future__ import annotations

from collections.abc import Iterable

from flow.formats.liberty import LibertyCell
from flow.model.pdk import Macro, MemoryPort

__all__ = ["macro_model"]


def macro_model(macro: Macro, cell: LibertyCell) -> str:
    """Return Verilog that does what `macro` says; its pins are those of `cell`.

    Without delays. A word that was never written is unknown, and so is what
    one port reads while another writes the same word. A pin of ``ties`` that
    is not tied as it should be makes what is read unknown.

    Raises
    ------
    ValueError
        The macro does not say what its pins are.
    """
    if not macro.access:
        raise ValueError(f"macro {macro.name} does not say what its pins are")
    pins = [pin for pin in cell.pins if pin.direction in ("input", "output")]
    outputs = {port.read_data for port in macro.access}
    lines = [f"module {macro.name} ({', '.join(pin.name for pin in pins)});"]
    for pin in pins:
        held = "reg " if pin.name in outputs else ""
        lines.append(f"  {pin.direction} {held}{f'[{pin.width - 1}:0] ' if pin.width > 1 else ''}{pin.name};")
    tied = " & ".join(f"({pin} === {_fill(pin, bit, cell)})" for pin, bit in macro.ties.items()) or "1'b1"
    lines += [
        f"  reg [{macro.bits - 1}:0] store [0:{macro.words - 1}];",
        "  integer i;",
        f"  wire tied = {tied};",
    ]
    for port in macro.access:
        lines += _port(macro, port, macro.access)
    return "\n".join([*lines, "endmodule", ""])


def _port(macro: Macro, port: MemoryPort, access: Iterable[MemoryPort]) -> list[str]:
    enabled = " & ".join(_active(name) for name in port.enables) or "1'b1"
    lines = [f"  always @(posedge {port.clock}) if ({enabled}) begin"]
    writing = _active(port.write) if port.write else "1'b0"
    if port.write and port.write_data:
        mask = _active(port.mask) if port.mask else None
        chosen = f"{_group(mask, port.mask_bits)} & " if mask else ""
        lines += [
            f"    if ({writing})",
            f"      for (i = 0; i < {macro.bits}; i = i + 1)",
            f"        if ({chosen}tied) store[{port.address}][i] <= {port.write_data}[i];",
        ]
    if port.read_data:
        reading = _active(port.read) if port.read else f"~({writing})"
        others = [o for o in access if o is not port and o.write]
        clash = " | ".join(
            f"({' & '.join(map(_active, (*o.enables, o.write or '')))} & {o.address} === {port.address})"
            for o in others
        )
        known = f"tied & ~({clash})" if clash else "tied"
        lines.append(
            f"    if ({reading}) {port.read_data} <= ({known}) ? store[{port.address}] : {macro.bits}'bx;"
        )
    return [*lines, "  end"]


def _active(name: str) -> str:
    return f"~{name[1:]}" if name.startswith("!") else name


def _group(mask: str, bits: int) -> str:
    inverted, name = ("~", mask[1:]) if mask.startswith("~") else ("", mask)
    return f"{inverted}{name}[i / {bits}]" if bits > 1 else f"{inverted}{name}[i]"


def _fill(pin: str, bit: int, cell: LibertyCell) -> str:
    width = next((p.width for p in cell.pins if p.name == pin), 1)
    return f"{{{width}{{1'b{bit}}}}}"

"""The Verilog module that puts a core behind the fixed ports of the simulation harness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["MissingPorts", "harness_core"]

#: Ports of the harness by the core's: what a core of the port contract calls its own.
_INPUTS = {
    "clk": "clk",
    "rst": "rst",
    "ibus__grant": "ibus_grant",
    "ibus__response": "ibus_response",
    "ibus__read_data": "ibus_read_data",
    "ibus__error": "ibus_error",
    "dbus__grant": "dbus_grant",
    "dbus__response": "dbus_response",
    "dbus__read_data": "dbus_read_data",
    "dbus__error": "dbus_error",
    "interrupts__software": "lines[3]",
    "interrupts__timer": "lines[7]",
    "interrupts__external": "lines[11]",
    "interrupts__local": "lines[16 +: {width}]",
    "time": "mtime",
    "custom__request_ready": "custom_ready",
    "custom__response_valid": "custom_valid",
    "custom__response_data": "custom_data",
    "custom__response_error": "custom_error",
}
_OUTPUTS = {
    "ibus__request": ("ibus_request", 1),
    "ibus__address": ("ibus_address", 32),
    "dbus__request": ("dbus_request", 1),
    "dbus__address": ("dbus_address", 32),
    "dbus__write": ("dbus_write", 1),
    "dbus__strobe": ("dbus_strobe", 4),
    "dbus__write_data": ("dbus_write_data", 32),
    "sleeping": ("sleeping", 1),
}
_LANES = {
    "valid": 1, "order": 64, "insn": 32, "trap": 1, "halt": 1, "intr": 1, "mode": 2, "rd_addr": 5,
    "rd_wdata": 32, "pc_rdata": 32, "pc_wdata": 32, "mem_addr": 32, "mem_rmask": 4, "mem_wmask": 4,
    "mem_rdata": 32, "mem_wdata": 32,
}  # fmt: skip
_STATE = ("mstatus", "mepc", "mcause", "mtval", "mtvec", "mie", "mip", "mscratch")
_CUSTOM = {
    "custom__request_valid": ("custom_request", 1),
    "custom__instruction": ("custom_instruction", 32),
    "custom__rs1": ("custom_rs1", 32),
    "custom__rs2": ("custom_rs2", 32),
}
_NEEDED = tuple(name for name in (*_INPUTS, *_OUTPUTS) if name.startswith(("ibus", "dbus")))
#: Other buses by a port that tells them: the target's module, and the port that carries read data.
_BRIDGES = {"cyc": ("harness_wishbone", "dat_r"), "arvalid": ("harness_axi4lite", "rdata")}
#: Ports of a bridge towards the harness, and the instruction bus's that nobody drives.
_NATIVE = ("request", "grant", "address", "response", "read_data", "error")
_IDLE = {"harness_wishbone": ("we",), "harness_axi4lite": ("awvalid", "wvalid", "bready")}
_WRITING = ("write", "strobe", "write_data")


class MissingPorts(ValueError):
    """A core lacks ports of the contract; ``names`` says which."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self.names = names


def harness_core(module: str, ports: Iterable[Mapping[str, Any]]) -> str:
    """Return Verilog of the module ``harness_core``: `module` behind the harness's ports.

    Ports that the contract leaves open (``time``, ``custom``, local
    interrupts, ``rvfi``) are connected where the core has them, and buses may
    be Wishbone or AXI4-Lite. Inputs that
    the contract does not know, such as a debugger's, are tied to zero.

    Parameters
    ----------
    module
        The core's Verilog module.
    ports
        Its ports, each with ``name``, ``direction`` (``in``, ``out``) and ``width``.

    Raises
    ------
    MissingPorts
        The core lacks a bus.
    """
    widths = {str(p["name"]): int(p["width"]) for p in ports}
    inputs = {str(p["name"]) for p in ports if p["direction"] == "in"} | {"clk", "rst"}
    bridges = {bus: _bridge(bus, widths) for bus in ("ibus", "dbus")}
    native = tuple(bus for bus, lines in bridges.items() if not lines)
    missing = (
        tuple(name for name in _NEEDED if name.startswith(native) and name not in widths) if native else ()
    )
    if missing:
        raise MissingPorts(missing)
    lanes = widths.get("rvfi__valid", 1)
    outputs = _outputs(lanes)
    known = {**outputs, **_CUSTOM}
    bridged = tuple(f"{bus}__" for bus, lines in bridges.items() if lines)
    driven = {name for name in outputs if name in widths or (bridged and name.startswith(bridged))}
    # Escaped, since `time` is a keyword.
    joins = [f".\\{name} ({_driven(name, widths, bridged)})" for name in sorted(inputs)]
    joins += [
        f".\\{name} ({name if bridged and name.startswith(bridged) else known[name][0]})"
        for name in sorted(set(widths) - inputs)
        if name in known or (bridged and name.startswith(bridged))
    ]
    body = ",\n      ".join(joins)
    return "\n".join(
        [
            *_header(lanes, _fetch_words(widths)),
            *(f"  assign {wire} = 0;" for name, (wire, _) in outputs.items() if name not in driven),
            *bridges["ibus"],
            *bridges["dbus"],
            *(_custom_unit() if "custom__request_valid" in widths else []),
            f"  \\{module} core (\n      {body}\n  );",
            "endmodule",
            "",
        ]
    )


def _fetch_words(widths: Mapping[str, int]) -> int:
    names = ("ibus__read_data", *(f"ibus__{data}" for _, data in _BRIDGES.values()))
    return next(widths[name] for name in names if name in widths) // 32


def _bridge(bus: str, widths: Mapping[str, int]) -> list[str]:
    """Return wires and the target of a bus that is not the harness's own; nothing for one that is."""
    found = next((row for told, row in _BRIDGES.items() if f"{bus}__{told}" in widths), None)
    if found is None:
        return []
    module, data = found
    ports = {name: width for name, width in widths.items() if name.startswith(f"{bus}__")}
    joins = [f".{name.removeprefix(f'{bus}__')}({name})" for name in ports if not name.endswith("prot")]
    joins += [f".{name}({bus}_{name})" for name in _NATIVE]
    if bus == "dbus":
        joins += [f".{name}({bus}_{name})" for name in _WRITING]
    else:
        joins += [f".{name}(1'b0)" for name in _IDLE[module]]
    size = f".WIDTH({ports[f'{bus}__{data}']})"
    if module == "harness_wishbone":
        size += f", .ADDRESS({ports[f'{bus}__adr']})"
    wires = [f"  wire [{width - 1}:0] {name};" for name, width in ports.items()]
    return [*wires, f"  {module} #({size}) {bus} (.clk(clk), .rst(rst), {', '.join(joins)});"]


def _outputs(lanes: int) -> dict[str, tuple[str, int]]:
    outputs = dict(_OUTPUTS)
    outputs |= {f"rvfi__{name}": (f"rvfi_{name}", width * lanes) for name, width in _LANES.items()}
    outputs |= {f"rvfi__state__{name}": (f"state_{name}", 32) for name in _STATE}
    outputs["rvfi__stall"] = ("rvfi_stall", 4)
    return outputs


def _header(lanes: int, fetch_words: int) -> list[str]:
    fixed = {
        "clk": 1, "rst": 1, "ibus_grant": 1, "ibus_response": 1, "ibus_read_data": 32 * fetch_words,
        "ibus_error": 1, "dbus_grant": 1, "dbus_response": 1, "dbus_read_data": 32, "dbus_error": 1,
        "lines": 32, "mtime": 64,
    }  # fmt: skip
    ports = [f"    input wire [{width - 1}:0] {name}" for name, width in fixed.items()]
    ports += [f"    output wire [{width - 1}:0] {name}" for name, width in _outputs(lanes).values()]
    return [
        f"`define HARNESS_LANES {lanes}",
        f"`define HARNESS_FETCH_WORDS {fetch_words}",
        "module harness_core (",
        ",\n".join(ports),
        ");",
    ]


def _driven(name: str, widths: Mapping[str, int], bridged: tuple[str, ...]) -> str:
    width = widths.get(name, 1)
    if bridged and name.startswith(bridged):
        return name
    return _INPUTS[name].format(width=width) if name in _INPUTS else f"{width}'d0"


def _custom_unit() -> list[str]:
    lines = [f"  wire [{width - 1}:0] {name};" for name, width in _CUSTOM.values()]
    return [
        *lines,
        "  wire custom_ready, custom_valid, custom_error;",
        "  wire [31:0] custom_data;",
        "  harness_custom unit (.clk(clk), .rst(rst), .request(custom_request), .ready(custom_ready),",
        "      .instruction(custom_instruction), .rs1(custom_rs1), .rs2(custom_rs2),",
        "      .valid(custom_valid), .data(custom_data), .error(custom_error));",
    ]

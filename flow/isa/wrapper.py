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
_NEEDED = tuple(name for name in (*_INPUTS, *_OUTPUTS) if name.startswith(("clk", "ibus", "dbus")))


class MissingPorts(ValueError):
    """A core lacks ports of the contract; ``names`` says which."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self.names = names


def harness_core(module: str, ports: Iterable[Mapping[str, Any]]) -> str:
    """Return Verilog of the module ``harness_core``: `module` behind the harness's ports.

    Ports that the contract leaves open (``time``, ``custom``, local
    interrupts, ``rvfi``) are connected where the core has them. Inputs that
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
    missing = tuple(name for name in _NEEDED if name not in widths and name not in ("clk", "rst"))
    if missing:
        raise MissingPorts(missing)
    lanes = widths.get("rvfi__valid", 1)
    outputs = _outputs(lanes)
    fetch_words = widths["ibus__read_data"] // 32
    wanted = [*_header(lanes, fetch_words), *_declared(outputs, widths)]
    known = {**outputs, **_CUSTOM}
    # Escaped, since `time` is a keyword.
    connections = [f".\\{name} ({_driven(name, widths)})" for name in sorted(inputs)]
    connections += [f".\\{name} ({known[name][0]})" for name in sorted(set(widths) - inputs) if name in known]
    body = ",\n      ".join(connections)
    custom = _custom_unit() if "custom__request_valid" in widths else []
    return "\n".join([*wanted, *custom, f"  \\{module} core (\n      {body}\n  );", "endmodule", ""])


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


def _declared(outputs: Mapping[str, tuple[str, int]], widths: Mapping[str, int]) -> list[str]:
    """Let what the core does not drive read as zero."""
    return [f"  assign {name} = 0;" for port, (name, _) in outputs.items() if port not in widths]


def _driven(name: str, widths: Mapping[str, int]) -> str:
    width = widths.get(name, 1)
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

"""Structural Verilog, written one bit a net."""

from __future__ import annotations

import re

from flow.tools._collector import without_collector
from flow.tools.netlist.model import Bit, Module, Netlist, Port

__all__ = ["write_verilog"]

_SIMPLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_$]*$")
_KEYWORDS = frozenset(  # a list of words reads better than one of literals
    [
        "always",
        "and",
        "assign",
        "automatic",
        "begin",
        "bit",
        "bufif0",
        "bufif1",
        "buf",
        "byte",
        "case",
        "casex",
        "casez",
        "cell",
        "cmos",
        "config",
        "const",
        "deassign",
        "default",
        "defparam",
        "design",
        "disable",
        "edge",
        "else",
        "end",
        "endcase",
        "endconfig",
        "endfunction",
        "endgenerate",
        "endmodule",
        "endprimitive",
        "endspecify",
        "endtable",
        "endtask",
        "enum",
        "event",
        "for",
        "force",
        "forever",
        "fork",
        "function",
        "generate",
        "genvar",
        "highz0",
        "highz1",
        "if",
        "ifnone",
        "incdir",
        "include",
        "initial",
        "inout",
        "input",
        "instance",
        "int",
        "integer",
        "interface",
        "join",
        "large",
        "liblist",
        "library",
        "localparam",
        "logic",
        "longint",
        "macromodule",
        "medium",
        "modport",
        "module",
        "nand",
        "negedge",
        "nmos",
        "nor",
        "noshowcancelled",
        "not",
        "notif0",
        "notif1",
        "or",
        "output",
        "package",
        "packed",
        "parameter",
        "pmos",
        "posedge",
        "primitive",
        "pull0",
        "pull1",
        "pulldown",
        "pullup",
        "pulsestyle_ondetect",
        "pulsestyle_onevent",
        "rcmos",
        "real",
        "realtime",
        "reg",
        "release",
        "repeat",
        "return",
        "rnmos",
        "rpmos",
        "rtran",
        "rtranif0",
        "rtranif1",
        "scalared",
        "shortint",
        "showcancelled",
        "signed",
        "small",
        "specify",
        "specparam",
        "string",
        "strong0",
        "strong1",
        "struct",
        "supply0",
        "supply1",
        "table",
        "task",
        "time",
        "tran",
        "tranif0",
        "tranif1",
        "tri",
        "tri0",
        "tri1",
        "triand",
        "trior",
        "trireg",
        "type",
        "typedef",
        "union",
        "unsigned",
        "use",
        "var",
        "vectored",
        "void",
        "wait",
        "wand",
        "weak0",
        "weak1",
        "while",
        "wire",
        "wor",
        "xnor",
        "xor",
        "do",
        "final",
        "import",
        "export",
        "global",
        "static",
        "this",
        "new",
        "null",
        "priority",
        "unique",
        "program",
        "property",
        "sequence",
    ]
)


def _identifier(name: str) -> str:
    return name if _SIMPLE.match(name) and name not in _KEYWORDS else f"\\{name} "


class _Names:
    """Verilog references of the nets of one module, all different."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.refs: dict[int, str] = {}
        self.wires: list[str] = []
        taken = {port.name for port in module.ports.values()} | set(module.cells)
        for port in module.ports.values():
            base = _identifier(port.name)
            for index, bit in enumerate(port.bits):
                if isinstance(bit, int) and bit not in self.refs:
                    suffix = port.bit_name(index)[len(port.name) :]
                    self.refs[bit] = base + suffix
                    taken.add(port.bit_name(index))
        self.taken = taken

    def ref(self, bit: Bit) -> str:
        if isinstance(bit, str):
            return f"1'b{bit}"
        found = self.refs.get(bit)
        if found is None:
            name = stem = self.module.net_name(bit)
            count = 0
            while name in self.taken:
                count += 1
                name = f"{stem}_{count}"
            self.taken.add(name)
            found = self.refs[bit] = _identifier(name)
            self.wires.append(found)
        return found


@without_collector
def write_verilog(netlist: Netlist) -> str:
    """Return the netlist as Verilog, children before parents.

    Nets are single bits, so no concatenation is written, except for vector
    ports of macros and kept modules; the module keeps its vector ports.
    """
    return "\n".join(_write_module(netlist.modules[name]) for name in reversed(netlist.order()))


def _range(port: Port) -> str:
    if not port.vector:
        return ""
    low, high = port.offset, port.offset + len(port.bits) - 1
    return f"[{low}:{high}] " if port.upto else f"[{high}:{low}] "


def _write_module(module: Module) -> str:
    names = _Names(module)
    body: list[str] = []
    # What repeats for each cell of a type is written once.
    heads: dict[str, str] = {}
    labels: dict[str, str] = {}
    refs, ref = names.refs, names.ref
    for cell in module.cells.values():
        pins = []
        for pin, bits in cell.pins.items():
            label = labels.get(pin) or labels.setdefault(pin, f".{_identifier(pin)}(")
            if len(bits) == 1:
                bit = bits[0]
                value = (None if isinstance(bit, str) else refs.get(bit)) or ref(bit)
            else:
                value = "{" + ", ".join([ref(bit) for bit in reversed(bits)]) + "}" if bits else ""
            pins.append(f"{label}{value})")
        head = heads.get(cell.type) or heads.setdefault(cell.type, f"  {_identifier(cell.type)} ")
        body.append(f"{head}{_identifier(cell.name)} ({', '.join(pins)});")
    assigns = []
    for port in module.ports.values():
        for index, bit in enumerate(port.bits):
            own = _identifier(port.name) + port.bit_name(index)[len(port.name) :]
            if port.direction != "input" and bit != "z" and names.ref(bit) != own:
                assigns.append(f"  assign {own} = {names.ref(bit)};")
    head = f"module {_identifier(module.name)} ({', '.join(_identifier(p) for p in module.ports)});"
    ports = [f"  {p.direction} {_range(p)}{_identifier(p.name)};" for p in module.ports.values()]
    wires = [f"  wire {wire};" for wire in names.wires]
    return "\n".join([head, *ports, *wires, *body, *assigns, "endmodule\n"])

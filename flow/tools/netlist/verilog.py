"""Structural Verilog: written one bit a net, and read back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flow.tools.netlist.model import Bit, Cell, Module, Netlist, NetlistError, Port

__all__ = ["read_verilog", "write_verilog"]

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
    for cell in module.cells.values():
        pins = []
        for pin, bits in cell.pins.items():
            refs = [names.ref(bit) for bit in reversed(bits)]
            value = refs[0] if len(refs) == 1 else "{" + ", ".join(refs) + "}"
            pins.append(f".{_identifier(pin)}({value if bits else ''})")
        body.append(f"  {_identifier(cell.type)} {_identifier(cell.name)} ({', '.join(pins)});")
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


_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|\(\*.*?\*\)|`[^\n]*"
    r"|(\\[^\s]+)\s|([A-Za-z_][\w$]*)|(\d*'s?[bBhHdDoO][0-9a-fA-FxXzZ_]+|\d+)|([()\[\]{}:;,.=#])",
    re.DOTALL,
)


def _tokens(text: str) -> Iterator[str]:
    position, length = 0, len(text)
    match_at = _TOKEN.match
    while position < length:
        match = match_at(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise NetlistError(f"line {line}: not structural Verilog: {text[position : position + 20]!r}")
        position = match.end()
        if match.lastindex:
            yield match.group(match.lastindex)


class _Reader:
    def __init__(self, text: str) -> None:
        self.stream = _tokens(text)
        self.modules: dict[str, Module] = {}
        self.module = Module(name="")
        self.vectors: dict[str, tuple[int, int]] = {}
        self.bits: dict[str, int] = {}

    def next(self) -> str:
        try:
            return next(self.stream)
        except StopIteration:
            raise NetlistError("the netlist ends in the middle of a module") from None

    def until(self, end: str) -> list[str]:
        tokens = []
        while (token := self.next()) != end:
            tokens.append(token)
        return tokens

    def read(self) -> dict[str, Module]:
        for token in self.stream:
            if token == "module":
                self._module()
        return self.modules

    def _bit(self, name: str) -> int:
        found = self.bits.get(name)
        if found is None:
            found = self.bits[name] = self.module.new_net()
            self.module.names[found] = name
            self.module.aliases[found] = [name]
        return found

    def _module(self) -> None:
        name = self.next().removeprefix("\\")
        self.module = Module(name=name)
        self.vectors, self.bits = {}, {}
        self._header(self.until(";"))
        while (token := self.next()) != "endmodule":
            statement = self.until(";")
            if token in ("input", "output", "inout"):
                self._declare(token, statement)
            elif token in ("wire", "tri", "supply0", "supply1"):
                self._declare("", statement)
            elif token == "assign":
                self._assign(statement)
            else:
                self._instance(token, statement)
        self.modules[name] = self.module

    def _header(self, tokens: list[str]) -> None:
        """Read ANSI port declarations, if the header has any."""
        direction, group = "", []  # type: str, list[str]
        for token in [*tokens, "input"]:
            if token in ("input", "output", "inout"):
                if direction:
                    self._declare(direction, [t for t in group if t not in ("(", ")")])
                direction, group = token, []
            else:
                group.append(token)

    def _declare(self, direction: str, tokens: list[str]) -> None:
        tokens = [t for t in tokens if t not in (",", "wire", "reg", "logic", "signed")]
        span: tuple[int, int] | None = None
        if tokens and tokens[0] == "[":
            span = (int(tokens[1]), int(tokens[3]))
            tokens = tokens[5:]
        for token in tokens:
            name = token.removeprefix("\\")
            if span:
                self.vectors[name] = span
            if direction:
                low = min(span or (0, 0))
                bits: list[Bit] = list(self._select(name))
                self.module.ports[name] = Port(
                    name=name,
                    direction=direction,
                    bits=bits,
                    offset=low,
                    upto=span is not None and span[0] < span[1],
                    vector=span is not None,
                )

    def _select(self, name: str) -> list[int]:
        """Return the bits of a whole net, least significant first."""
        span = self.vectors.get(name)
        if span is None:
            return [self._bit(name)]
        step = 1 if span[0] >= span[1] else -1
        return [self._bit(f"{name}[{i}]") for i in range(span[1], span[0] + step, step)]

    def _expression(self, tokens: list[str]) -> list[Bit]:
        if not tokens:
            return []
        if tokens[0] == "{":
            parts: list[list[str]] = [[]]
            for token in tokens[1:-1]:
                if token == ",":
                    parts.append([])
                else:
                    parts[-1].append(token)
            return [bit for part in reversed(parts) for bit in self._expression(part)]
        if "'" in tokens[0]:
            return _constant(tokens[0])
        name = tokens[0].removeprefix("\\")
        if len(tokens) == 1:
            return list(self._select(name))
        left = int(tokens[2])
        right = int(tokens[4]) if tokens[3] == ":" else left
        step = 1 if left >= right else -1
        return [self._bit(f"{name}[{i}]") for i in range(right, left + step, step)]

    def _assign(self, tokens: list[str]) -> None:
        cut = tokens.index("=")
        left, right = self._expression(tokens[:cut]), self._expression(tokens[cut + 1 :])
        if not left or len(left) != len(right):
            raise NetlistError(f"assign {' '.join(tokens)}: sides of different width")
        for target, source in zip(left, right, strict=False):
            self.module.new_cell("$assign", "$assign", {"A": source, "Y": target})

    def _instance(self, kind: str, tokens: list[str]) -> None:
        pins: dict[str, list[Bit]] = {}
        position = 2
        while position < len(tokens):
            if tokens[position] == ".":
                pin = tokens[position + 1].removeprefix("\\")
                end = tokens.index(")", position + 2)
                pins[pin] = self._expression(tokens[position + 3 : end])
                position = end
            position += 1
        name = tokens[0].removeprefix("\\")
        self.module.cells[name] = Cell(name=name, type=kind.removeprefix("\\"), pins=pins)


def _constant(token: str) -> list[Bit]:
    width, _, digits = token.partition("'")
    digits = digits.lower().removeprefix("s")
    base, digits = digits[0], digits[1:].replace("_", "")
    size = int(width or 32)
    if base == "b":
        bits = digits
    elif set(digits) & set("xz"):
        bits = digits[0] * size
    else:
        bits = format(int(digits, {"h": 16, "d": 10, "o": 8}[base]), "b")
    fill = bits[0] if bits[0] in "xz" else "0"
    return list(bits.rjust(size, fill)[-size:][::-1])


def read_verilog(text: str, top: str | None = None) -> Netlist:
    """Read a structural netlist.

    Parameters
    ----------
    top
        Its outermost module; ``None`` for the one that no other contains.

    Raises
    ------
    NetlistError
        It is not structural Verilog, or has no such module.
    """
    try:
        modules = _Reader(text).read()
    except (IndexError, ValueError) as error:
        if isinstance(error, NetlistError):
            raise
        raise NetlistError(f"not structural Verilog: {error}") from error
    used = {cell.type for module in modules.values() for cell in module.cells.values()}
    roots = [name for name in modules if name not in used]
    wanted = top or (roots[0] if roots else "")
    if wanted not in modules:
        raise NetlistError(f"module {wanted or '(none)'} is not in the netlist")
    return Netlist(top=wanted, modules=modules)

"""Read structural Verilog."""

from __future__ import annotations

import re

from flow.tools._collector import without_collector
from flow.tools.netlist.model import Bit, Cell, Module, Netlist, NetlistError, Port

__all__ = ["read_verilog"]

_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|\(\*.*?\*\)|`[^\n]*"
    r"|(\\[^\s]+)\s|([A-Za-z_][\w$]*)|(\d*'s?[bBhHdDoO][0-9a-fA-FxXzZ_]+|\d+)|([()\[\]{}:;,.=#])",
    re.DOTALL,
)
# Nearly all of a netlist are declarations of single wires, and instances whose pins are named: those
# are matched as a whole. Repeated groups are held by atomic groups: until Python 3.11.5 the possessive
# repetition of a group that backtracks inside matched wrongly (CPython's issue 106052). Whatever these
# expressions do not take, the tokens above do.
_BLANK = r"(?>(?:\s++|//[^\n]*+|\(\*(?>(?:[^*]++|\*(?!\)))*)\*\))*)"
_NAME = r"(?:\\\S++(?=\s)|[A-Za-z_][\w$]*+)"
_VALUE = rf"(?>(?:{_NAME}\s*+(?>(?:\[\d++\]\s*+)?)|\d*+'[bB][01xXzZ]++\s*+|\{{[^{{}}()\\]*+\}}\s*+)?)"
_WIRES = re.compile(rf"(?>(?:{_BLANK}wire\s++{_NAME}\s*+;)+)")
_INSTANCE = re.compile(
    rf"{_BLANK}({_NAME})\s++({_NAME})\s*+\(\s*+((?>(?:\.{_NAME}\s*+\(\s*+{_VALUE}\)\s*+,?+\s*+)*))\)\s*+;"
)
_PIN = re.compile(rf"\.({_NAME})\s*+\(\s*+({_VALUE})\)")
_PLAIN = re.compile(rf"({_NAME})\s*+(\[\d++\]\s*+)?")


class _Reader:
    def __init__(self, text: str, pins: bool = True) -> None:
        self.text, self.pins = text, pins
        self.position = 0
        self.modules: dict[str, Module] = {}
        self._begin("")

    def _begin(self, name: str) -> None:
        self.module = Module(name=name)
        self.vectors: dict[str, tuple[int, int]] = {}
        self.bits: dict[str, int] = {}
        self.seen: dict[str, Bit] = {}

    def token(self) -> str:
        """Return the next token, blank at the end of the text."""
        length = len(self.text)
        while self.position < length:
            match = _TOKEN.match(self.text, self.position)
            if match is None:
                line = self.text.count("\n", 0, self.position) + 1
                rest = self.text[self.position : self.position + 20]
                raise NetlistError(f"line {line}: not structural Verilog: {rest!r}")
            self.position = match.end()
            if match.lastindex:
                return match.group(match.lastindex)
        return ""

    def next(self) -> str:
        token = self.token()
        if not token:
            raise NetlistError("the netlist ends in the middle of a module")
        return token

    def until(self, end: str) -> list[str]:
        tokens = []
        while (token := self.next()) != end:
            tokens.append(token)
        return tokens

    def read(self) -> dict[str, Module]:
        while token := self.token():
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
        self._begin(name)
        self._header(self.until(";"))
        while True:
            self._usual()
            token = self.next()
            if token == "endmodule":
                break
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

    def _usual(self) -> None:
        """Take all wires and instances from here on that are written in the usual way."""
        text, position, cells, seen = self.text, self.position, self.module.cells, self.seen
        instance, wires, pins_of = _INSTANCE.match, _WIRES.match, _PIN.findall
        while True:
            match = instance(text, position)
            if match is None:
                skipped = wires(text, position)
                if skipped is None:
                    break
                position = skipped.end()
                continue
            kind, name, inside = match.groups()
            if kind == "endmodule":
                break
            position = match.end()
            pins: dict[str, list[Bit]] = {}
            for pin, value in pins_of(inside) if self.pins else ():
                bit = seen.get(value)
                if pin[0] == "\\":
                    pin = pin[1:]  # noqa: PLW2901 - an escaped name
                pins[pin] = self._value(value) if bit is None else [bit]
            name = name.removeprefix("\\")
            cells[name] = Cell(name=name, type=kind.removeprefix("\\"), pins=pins)
        self.position = position

    def _value(self, text: str) -> list[Bit]:
        """Return what `text` connects to; a single net is remembered under that spelling."""
        plain = _PLAIN.fullmatch(text)
        name = plain.group(1).removeprefix("\\") if plain else ""
        if plain and (plain.group(2) or name not in self.vectors):
            bit = self.seen[text] = self._bit(name + (plain.group(2) or "").rstrip())
            return [bit]
        reader = _Reader(text + " ")
        tokens = []
        while token := reader.token():
            tokens.append(token)
        return self._expression(tokens)

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


@without_collector
def read_verilog(text: str, top: str | None = None, *, pins: bool = True) -> Netlist:
    """Read a structural netlist.

    Parameters
    ----------
    top
        Its outermost module; ``None`` for the one that no other contains.
    pins
        Whether to read what instances connect to; ports, instances and their
        types alone take a fraction of the time.

    Raises
    ------
    NetlistError
        It is not structural Verilog, or has no such module.
    """
    try:
        modules = _Reader(text, pins).read()
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

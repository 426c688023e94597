"""Read what Yosys printed: messages with places, latches, problems of the design, what ABC did."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from flow.model.check import Severity
from flow.model.tool import Message, Reading

__all__ = ["Latch", "Problem", "read_latches", "read_log", "read_problems"]

# ``file:12: ERROR: text`` (also ``file:12: ERROR:text`` and slang's), ``file:12: Warning: text``
_PLACED = re.compile(
    r"^(?P<file>[^\s:][^:]*):(?P<line>\d+)(?:\.\d+(?:-\d+(?:\.\d+)?)?)?(?::(?P<column>\d+))?:\s*"
    r"(?P<kind>ERROR|error|Warning|warning):\s*(?P<text>.*)$"
)
_BARE = re.compile(r"^(?P<kind>ERROR|Warning): ?(?P<text>.*)$")
_ABC_ERROR = re.compile(r"^ABC: (?:\*\* cmd error|Error|ERROR)[: ]*(?P<text>.*)$")
_ABC_RESULT = re.compile(r"ABC:.*Area =\s*(?P<area>[\d.]+).*?Delay =\s*(?P<delay>[\d.]+) ps", re.IGNORECASE)
_MISSING = re.compile(
    r"Module `\\?(?P<module>[^']+)' referenced in module `\\?(?P<parent>[^']+)' in cell `\\?(?P<cell>[^']+)'"
)
_PROCESS = re.compile(r"\$proc\$([^\s:`']+):(\d+)\$")
_CODES = (
    ("liberty", re.compile(r"liberty", re.IGNORECASE)),
    ("syntax", re.compile(r"syntax error|expected |unexpected ", re.IGNORECASE)),
    ("missing_module", re.compile(r"is not part of the design|unknown module", re.IGNORECASE)),
    ("missing_top", re.compile(r"^Module `[^']*' not found|not a valid top-level module")),
    ("parameter", re.compile(r"defparam|parameter .*(?:does not exist|not found)", re.IGNORECASE)),
    ("missing_file", re.compile(r"not found or is a directory|Can't open|No such file", re.IGNORECASE)),
    ("latch", re.compile(r"Latch inferred", re.IGNORECASE)),
)


def _code(text: str) -> str:
    return next((code for code, pattern in _CODES if pattern.search(text)), "yosys")


def _keep(name: str) -> str:
    return name


def read_log(text: str, real: Callable[[str], str] = _keep) -> Reading:
    """Read a log of Yosys.

    Parameters
    ----------
    real
        Gives the user's name of a file that the script knew by another.

    Returns
    -------
    Reading
        Errors and warnings without repeats. ``data["abc"]`` holds area and
        delay (ps) of each run of ABC, in its own units; ``data["last_process"]``
        is the place of the always block that Yosys spoke of last.
    """
    messages: dict[Message, None] = {}
    runs = []
    for line in text.splitlines():
        result = _ABC_RESULT.search(line)
        if result:
            runs.append({"area": float(result["area"]), "delay_ps": float(result["delay"])})
            continue
        match = _PLACED.match(line) or _BARE.match(line)
        abc = _ABC_ERROR.match(line) if match is None else None
        if match is not None:
            groups = match.groupdict()
            severity = Severity.ERROR if groups["kind"].lower() == "error" else Severity.WARNING
            message = Message(
                severity=severity,
                code=_code(groups["text"]),
                text=groups["text"].strip(),
                file=real(groups["file"]) if groups.get("file") else None,
                line=int(groups["line"]) if groups.get("line") else None,
                column=int(groups["column"]) if groups.get("column") else None,
            )
            messages.setdefault(message)
        elif abc is not None:
            messages.setdefault(Message(severity=Severity.ERROR, code="abc", text=abc["text"].strip()))
    # What slang says last only repeats that it failed.
    kept = [m for m in messages if "see full log for details" not in m.text]
    processes = _PROCESS.findall(text)
    last = f"{real(processes[-1][0])}:{processes[-1][1]}" if processes else None
    return Reading(messages=tuple(kept or messages), data={"abc": runs, "last_process": last})


def missing_module(message: Message) -> tuple[str, str, str] | None:
    """Return ``(module, parent, instance)`` of a message about a missing module."""
    match = _MISSING.search(message.text)
    return None if match is None else (match["module"], match["parent"], match["cell"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """A latch that the RTL implies: its signal, width and place; ``intended`` for ``always_latch``."""

    signal: str
    width: int
    place: str
    intended: bool = False


def first_place(src: str, real: Callable[[str], str] = _keep) -> str:
    """Return ``file:line`` of a Yosys ``src`` attribute, the most specific of several."""
    first = src.rsplit("|", maxsplit=1)[-1].strip()
    match = re.match(r"(?P<file>.*?):(?P<line>\d+)(?:[.:-].*)?$", first)
    return f"{real(match['file'])}:{match['line']}" if match else real(first)


def read_latches(text: str, real: Callable[[str], str] = _keep) -> list[Latch]:
    """Read latches from the RTLIL that ``dump`` wrote of them."""
    found = []
    for cell in re.finditer(
        r"(?P<attrs>(?:^\s*attribute [^\n]*\n)*)^\s*cell \$\w+ (?P<name>\S+)\n(?P<body>.*?)^\s*end$",
        text,
        re.DOTALL | re.MULTILINE,
    ):
        attributes: dict[str, str] = dict(
            re.findall(r"attribute \\(\S+) (\"[^\"]*\"|\S+)", cell["attrs"] or "")
        )
        width = re.search(r"parameter \\WIDTH (\d+)", cell["body"])
        output = re.search(r"connect \\Q (.*)", cell["body"])
        signal = str(output.group(1) if output else cell["name"]).strip()
        found.append(
            Latch(
                signal=re.sub(r"\\(\S+)", r"\1", signal),
                width=int(width.group(1)) if width else 1,
                place=first_place(attributes.get("src", '""').strip('"'), real),
                intended="always_latch" in attributes,
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What Yosys's ``check`` found: ``undriven``, ``multidriven`` or ``loop``.

    Attributes
    ----------
    name
        The net, or the nets and cells of a loop.
    places
        ``file:line`` of what takes part, as far as known.
    """

    kind: str
    name: str
    places: tuple[str, ...] = ()


_UNDRIVEN = re.compile(r"^Warning: Wire (?P<module>[^\s]+?)\.\\(?P<wire>.*) is used but has no driver\.$")
_UNDRIVEN_HIDDEN = re.compile(r"^Warning: Wire (?P<module>\S+?)\.(?P<wire>\$.*) is used but has no driver\.$")
_MULTI = re.compile(r"^Warning: multiple conflicting drivers for (?P<module>[^\s]+?)\.\\?(?P<wire>.*):$")
_LOOP = re.compile(r"^Warning: found logic loop in module (?P<module>.*):$")


def read_problems(text: str, real: Callable[[str], str] = _keep) -> list[Problem]:
    """Read what ``check`` printed."""
    problems: list[Problem] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        undriven = _UNDRIVEN.match(line) or _UNDRIVEN_HIDDEN.match(line)
        if undriven:
            problems.append(Problem(kind="undriven", name=_plain(undriven["wire"])))
        elif multi := _MULTI.match(line):
            details = _indented(lines, number)
            places = re.findall(r"source: (\S+)", "\n".join(details))
            problems.append(
                Problem(
                    kind="multidriven",
                    name=_plain(multi["wire"]),
                    places=tuple(first_place(p, real) for p in places),
                )
            )
        elif _LOOP.match(line):
            problems.append(_loop(_indented(lines, number), real))
    return problems


def _plain(name: str) -> str:
    return re.sub(r" (?=\[)", "", name.strip().removeprefix("\\"))


def _indented(lines: list[str], number: int) -> list[str]:
    details = []
    for line in lines[number + 1 :]:
        if not line.startswith((" ", "\t")):
            break
        details.append(line.strip())
    return details


def _loop(details: list[str], real: Callable[[str], str]) -> Problem:
    wires: dict[str, None] = {}
    places: dict[str, None] = {}
    for line in details:
        wire = re.match(r"wire \\(\S+(?: \[\S+\])?)", line)
        if wire:
            wires.setdefault(_plain(wire.group(1)))
        source = re.search(r"source: (\S+)", line)
        if source:
            places.setdefault(first_place(source.group(1), real))
    cells = [m.group(1) for line in details if (m := re.match(r"cell (\S+)", line))]
    return Problem(kind="loop", name=" -> ".join(wires or cells[:8]), places=tuple(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A memory of the RTL.

    Attributes
    ----------
    name, words, width, place
        What it is called, its size, and where it is declared.
    cell
        What Yosys calls it.
    preset
        It holds something other than zeros at first.
    reads, writes, address_bits
        Its ports, and the bits of their addresses.
    """

    name: str
    words: int
    width: int
    place: str
    cell: str = ""
    preset: bool = False
    reads: int = 0
    writes: int = 0
    address_bits: int = 0

    @property
    def bits(self) -> int:
        """How many bits it holds."""
        return self.words * self.width


def read_memories(text: str, real: Callable[[str], str] = _keep) -> list[Memory]:
    """Read memories from the RTLIL that ``dump`` wrote of them."""
    found = []
    for cell in re.finditer(
        r"(?P<attrs>(?:^\s*attribute [^\n]*\n)*)^\s*cell \$mem\w* (?P<name>\S+)\n(?P<body>.*?)^\s*end$",
        text,
        re.DOTALL | re.MULTILINE,
    ):
        values: dict[str, str] = dict(re.findall(r"parameter (?:signed )?\\(\w+) (\S+)", cell["body"]))
        src = re.search(r"attribute \\src \"([^\"]*)\"", cell["attrs"])
        found.append(
            Memory(
                name=values.get("MEMID", str(cell["name"])).strip('"').lstrip("\\"),
                words=_size(values.get("SIZE", "0")),
                width=_size(values.get("WIDTH", "0")),
                place=first_place(src.group(1), real) if src else "",
                cell=str(cell["name"]),
                preset="1" in values.get("INIT", "").partition("'")[2],
                reads=_size(values.get("RD_PORTS", "0")),
                writes=_size(values.get("WR_PORTS", "0")),
                address_bits=_size(values.get("ABITS", "0")),
            )
        )
    return found


def _size(text: str) -> int:
    bits = re.match(r"\d+'([01]+)$", text)
    return int(bits.group(1), 2) if bits else int(text) if text.isdigit() else 0


def wire_places(rtlil: str, names: set[str], real: Callable[[str], str] = _keep) -> dict[str, str]:
    """Find where the wires called `names` (without bit selects) were declared."""
    places: dict[str, str] = {}
    for match in re.finditer(
        r"attribute \\src \"([^\"]*)\"\n(?:\s*attribute [^\n]*\n)*\s*wire [^\n]*\\(\S+)\n", rtlil
    ):
        if match.group(2) in names:
            places.setdefault(match.group(2), first_place(match.group(1), real))
    return places

"""Read what yosys-smtbmc printed, and the traces that it wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flow.model.check import Severity
from flow.model.tool import Message, Reading

__all__ = ["Step", "Trace", "read_log", "read_trace"]

_LINE = re.compile(r"^##\s+\d+:\d+:\d+\s+(.*)$")
_ASSERT = re.compile(r"^Assert failed in (?P<module>\S+): (?P<place>.*?)(?: \((?P<name>\S+)\))?$")
_COVER = re.compile(r"^Reached cover statement in step (?P<step>\d+) at \S+: (?P<place>.*?)(?: \(\S+\))?$")
_UNREACHED = re.compile(r"^Unreached cover statement at \S+: (?P<place>.*?)(?: \(\S+\))?$")
_STEP = re.compile(r"^(?:Checking (?:assertions|cover reachability)|Trying induction) in step (\d+)")
_STATUS = re.compile(r"^Status: (\S+)")
_SOURCE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?:\.(?P<column>\d+)\S*)?$")


def read_log(text: str) -> Reading:
    """Read a log of yosys-smtbmc.

    Returns
    -------
    Reading
        An error for each assertion that fails (code ``ASSERT``), each cover
        statement that is not reached (``COVER``), assumptions that exclude
        each other (``ASSUME``) and a solver that broke (``SOLVER``); an
        ``INFO`` for each cover statement that is reached. ``data`` holds
        ``status`` (``passed``, ``failed`` or empty), ``step``, the last that
        was begun, and ``covered``, places by the step that reaches them.
    """
    messages: list[Message] = []
    covered: dict[str, int] = {}
    status, step = "", -1
    for raw in text.splitlines():
        match = _LINE.match(raw)
        if match is None:
            if "Error" in raw or raw.startswith("(error"):
                messages.append(Message(severity=Severity.ERROR, code="SOLVER", text=raw.strip()))
            continue
        line = match[1]
        if found := _STEP.match(line):
            step = int(found[1])
        elif found := _ASSERT.match(line):
            messages.append(_message("ASSERT", f"an assertion fails in cycle {step}", found["place"]))
        elif found := _COVER.match(line):
            covered[found["place"].split("|")[0]] = int(found["step"])
        elif found := _UNREACHED.match(line):
            messages.append(_message("COVER", "no way leads to a cover statement", found["place"]))
        elif "unsatisfiable" in line or line.startswith("Warmup failed"):
            messages.append(_message("ASSUME", f"the assumptions exclude each other in cycle {step}", ""))
        elif found := _STATUS.match(line):
            status = found[1].lower()
        elif "Unexpected EOF" in line or line.startswith("ERROR"):
            messages.append(Message(severity=Severity.ERROR, code="SOLVER", text=line))
    if status not in ("passed", ""):
        status = "failed"
    return Reading(
        messages=tuple(dict.fromkeys(messages)), data={"status": status, "step": step, "covered": covered}
    )


def _message(code: str, text: str, place: str) -> Message:
    source = _SOURCE.match(place.split("|", maxsplit=1)[0])
    if source is None:
        return Message(severity=Severity.ERROR, code=code, text=text, file=place or None)
    return Message(
        severity=Severity.ERROR, code=code, text=text, file=source["file"], line=int(source["line"])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One cycle of a trace: signals of the top module by name, as integers."""

    cycle: int
    values: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A counterexample, cycle by cycle.

    Attributes
    ----------
    widths
        Width of each signal of the top module, in the order of the file.
    steps
        The cycles.
    """

    widths: dict[str, int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    def table(self, names: list[str] | None = None, last: int = 12) -> str:
        """Return the last cycles as text: a row for each signal, a column for each cycle.

        Parameters
        ----------
        names
            Signals to show; all by default, less those that stay zero.
        last
            How many cycles.
        """
        steps = self.steps[-last:]
        shown = names if names is not None else [n for n in self.widths if any(s.values[n] for s in steps)]
        rows = [["cycle", *(str(s.cycle) for s in steps)]]
        for name in shown:
            digits = (self.widths[name] + 3) // 4
            values = [f"{s.values[name]:0{digits}x}" for s in steps]
            # A value that stays is a dot, so that changes are seen.
            kept = ["." if i and v == values[i - 1] and digits > 1 else v for i, v in enumerate(values)]
            rows.append([name, *kept])
        size = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join([row[0].ljust(size[0]), *(v.rjust(w) for v, w in zip(row[1:], size[1:], strict=True))])
            for row in rows
        ]
        return "\n".join(lines) + "\n"


def read_trace(text: str) -> Trace:
    """Read the VCD of a counterexample: the signals of the top module, once a cycle."""
    head, _, body = text.partition("$enddefinitions $end")
    names: dict[str, str] = {}
    widths: dict[str, int] = {}
    depth = 0
    for words in map(str.split, head.splitlines()):
        if words[:1] == ["$scope"]:
            depth += 1
        elif words[:1] == ["$upscope"]:
            depth -= 1
        elif words[:1] == ["$var"] and depth == 1 and words[1] != "event":
            names.setdefault(words[3], words[4])
            widths[words[4]] = int(words[2])
    values = dict.fromkeys(widths, 0)
    steps: list[Step] = []
    for chunk in body.split("\n#")[:]:
        seen = False
        for line in chunk.splitlines()[1:]:
            if line.startswith("b"):
                bits, _, code = line[1:].partition(" ")
                name = names.get(code.strip())
                if name is not None:
                    values[name] = int(bits.replace("x", "0").replace("z", "0"), 2)
            seen |= line == "1!"  # smtbmc's own clock: one event each cycle
        if seen:
            steps.append(Step(cycle=len(steps), values=dict(values)))
    return Trace(widths=widths, steps=tuple(steps))

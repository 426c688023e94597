"""Read what ABC printed, in the terms in which yosys-smtbmc's log is read."""

from __future__ import annotations

import json
import re

from flow.model.check import Severity
from flow.model.tool import Message, Reading

__all__ = ["check_possible", "read_log", "statements", "states_visited"]

_ASSERTED = re.compile(r"Output\s+(\d+)(?: of miter \S+)? (?:was asserted|is trivially SAT) in frame\s+(\d+)")
_FRAMES = re.compile(r"No output asserted in (\d+) frames")
_VISITED = re.compile(r"Explored all reachable states after completing (\d+) frames")
_SOURCE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?:\.\d+\S*)?$")
_PROVED = ("Property proved", "All outputs solved or timed out")  # no time limit is given to it
_BROKEN = (
    "Cannot open input file",
    "Wrong input file format",
    "has failed",
    "Does not work for combinational",
    "Assertion `",
)


def statements(names: str, model: str) -> tuple[str, ...]:
    """Return the place in the source of each output of the graph, in order.

    Parameters
    ----------
    names
        The text of ``model.ywm``, which names the outputs.
    model
        That of ``model.smt2``, which says where each name comes from.
    """
    places: dict[str, str] = {}
    for line in model.splitlines():
        if line.startswith(("; yosys-smt2-assert ", "; yosys-smt2-cover ")):
            words = line.split(maxsplit=4)
            places[words[3]] = words[4].split("|")[0] if len(words) > 4 else words[3]
    paths = [".".join(part.removeprefix("\\") for part in path) for path in json.loads(names)["asserts"]]
    return tuple(places.get(path, path) for path in paths)


def read_log(text: str, mode: str, places: tuple[str, ...], first: int) -> Reading:
    """Read a log of ABC.

    Parameters
    ----------
    text
        What it printed.
    mode
        ``bmc``, ``cover`` or ``prove``.
    places
        Of :func:`statements`.
    first
        The number of the cycle that it calls frame 0.

    Returns
    -------
    Reading
        Messages and ``data`` as :func:`flow.tools.smtbmc.read_log` has them.
    """
    reached: dict[int, int] = {}
    for found in _ASSERTED.finditer(text):
        reached.setdefault(int(found[1]), int(found[2]) + first)
    frames = _FRAMES.search(text)
    status, messages = "", []
    if any(sign in text for sign in _BROKEN):
        line = next(line for line in text.splitlines() if any(sign in line for sign in _BROKEN))
        messages.append(Message(severity=Severity.ERROR, code="SOLVER", text=line.strip()))
    elif mode == "cover":
        missing = [place for number, place in enumerate(places) if number not in reached]
        if len(reached) == len(places):
            status = "passed"
        elif frames or "No output failed in" in text or "was asserted in frame" in text:
            status = "failed"
        messages += [_message("COVER", "no way leads to a cover statement", place) for place in missing]
    elif reached:
        status = "failed"
        messages += [
            _message("ASSERT", f"an assertion fails in cycle {cycle}", places[number])
            for number, cycle in reached.items()
        ]
    elif frames or _VISITED.search(text) or any(sign in text for sign in _PROVED):
        status = "passed"
    covered: dict[str, int] = {}
    if mode == "cover":
        for number, cycle in sorted(reached.items()):
            place = places[number]
            covered[place] = max(cycle, covered.get(place, 0))
    step = max(reached.values(), default=int(frames[1]) + first - 1 if frames else -1)
    return Reading(
        messages=tuple(dict.fromkeys(messages)), data={"status": status, "step": step, "covered": covered}
    )


def states_visited(text: str) -> int:
    """Return in how many frames every reachable state was visited, if that ended the search; else 0."""
    found = _VISITED.search(text)
    return max(int(found[1]) - 1, 1) if found else 0


def check_possible(reading: Reading, text: str, depth: int) -> Reading:
    """Return `reading`, or a failure where the log `text` shows that the assumptions exclude each other."""
    if _ASSERTED.search(text) or "has no constraints" in text:
        return reading
    frames = _FRAMES.search(text)
    said = f"the assumptions exclude each other within {depth} cycles"
    if frames is None:
        return Reading(data={**reading.data, "status": ""})
    return Reading(messages=(_message("ASSUME", said, ""),), data={**reading.data, "status": "failed"})


def _message(code: str, text: str, place: str) -> Message:
    source = _SOURCE.match(place)
    if source is None:
        return Message(severity=Severity.ERROR, code=code, text=text, file=place or None)
    return Message(
        severity=Severity.ERROR, code=code, text=text, file=source["file"], line=int(source["line"])
    )

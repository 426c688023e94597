"""Read what Verilator and the C++ compiler print."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from flow.model.check import Severity
from flow.model.tool import Message, Reading

__all__ = ["read_compile_log", "read_log", "read_runtime_errors", "unread_images"]

_HEAD = re.compile(
    r"^%(?P<kind>Error|Warning)(?:-(?P<code>[A-Z][A-Z0-9_]*))?:\s*"
    r"(?:(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)?\s)?\s*(?P<text>.*)$"
)
_NOTE = re.compile(r"^\s+: \.\.\. (?P<text>.*)$")
_PLACE_NOTE = re.compile(
    r"^\s+(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+):\s+(?:\.\.\. )?(?P<text>.*)$"
)
_BOILERPLATE = ("For warning description", "For error description", 'Use "/*', "See the manual", "Looked in")
_SUMMARY = re.compile(r"^(Exiting due to|Command Failed)")
_KEPT_NOTES = 12


def read_log(text: str) -> Reading:
    """Return the messages of a run of Verilator.

    A message spans several lines: notes are appended to its text (``; ...``),
    excerpts of the source and references to the manual are left out. The
    closing "Exiting due to" counts only when nothing else says what is wrong.

    Parameters
    ----------
    text
        The whole log.
    """
    messages: list[Message] = []
    summaries: list[Message] = []
    notes: list[str] = []
    head: Message | None = None

    def close() -> None:
        if head is not None:
            (summaries if _SUMMARY.match(head.text) else messages).append(_with_notes(head, notes))
        notes.clear()

    for line in text.splitlines():
        match = _HEAD.match(line)
        if match:
            close()
            head = _message(match)
        elif head is not None and len(notes) < _KEPT_NOTES:
            note = _note(line)
            if note:
                notes.append(note)
    close()
    if not any(m.severity is Severity.ERROR for m in messages) and not messages:
        messages.extend(summaries)
    return Reading(messages=tuple(dict.fromkeys(messages)))


def _message(match: re.Match[str]) -> Message:
    error = match["kind"] == "Error"
    text = match["text"].strip()
    code = match["code"] or _slug(text, error=error)
    return Message(
        severity=Severity.ERROR if error else Severity.WARNING,
        code=code,
        text=text,
        file=match["file"],
        line=int(match["line"]) if match["line"] else None,
        column=int(match["column"]) if match["column"] else None,
    )


def _slug(text: str, *, error: bool) -> str:
    """Name an error that carries no rule."""
    lowered = text.lower()
    for fragment, code in (
        ("syntax error", "SYNTAX"),
        ("internal error", "INTERNAL"),
        ("internal fault", "INTERNAL"),
        ("include file not found", "INCLUDE"),
        ("cannot find include file", "INCLUDE"),
        ("cannot find file", "FILE"),
        ("--top-module", "TOP"),
        ("parameters from the command line", "PARAMETER"),
        ("define or directive not defined", "DEFINE"),
        ("can't find definition", "UNDECLARED"),
        ("unsupported", "UNSUPPORTED"),
    ):
        if fragment in lowered:
            return code
    return "ERROR" if error else "WARNING"


def _note(line: str) -> str | None:
    place = _PLACE_NOTE.match(line)
    if place:
        return f"{place['file']}:{place['line']}: {place['text'].strip()}"
    note = _NOTE.match(line)
    if note and not note["text"].startswith(_BOILERPLATE):
        return note["text"].removeprefix("note: ").strip()
    return None


def _with_notes(message: Message, notes: Iterable[str]) -> Message:
    return replace(message, text="; ".join([message.text, *notes]))


_CXX = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)?\s+(?:fatal )?error:\s+(?P<text>.*)$"
)
_LINK = re.compile(r"(undefined reference to .*|cannot find -l\S+.*|collect2: error: .*|ld: error: .*)$")
_KILLED = re.compile(
    r"fatal error: Killed signal|internal compiler error|virtual memory exhausted|No space left"
)


def read_compile_log(text: str) -> Reading:
    """Return the errors of compiling and linking a model: C++, linker and make."""
    messages = []
    for line in text.splitlines():
        broken = _KILLED.search(line)
        error = _CXX.match(line)
        link = _LINK.search(line)
        if broken:
            messages.append(Message(severity=Severity.ERROR, code="COMPILER", text=line.strip()))
        elif error:
            messages.append(
                Message(
                    severity=Severity.ERROR,
                    code="CXX",
                    text=error["text"],
                    file=error["file"],
                    line=int(error["line"]),
                    column=int(error["column"]) if error["column"] else None,
                )
            )
        elif link:
            messages.append(Message(severity=Severity.ERROR, code="LINK", text=link[1]))
        elif line.startswith("make: ***") and not messages:
            messages.append(Message(severity=Severity.ERROR, code="MAKE", text=line.strip()))
    return Reading(messages=tuple(dict.fromkeys(messages)))


_RUNTIME = re.compile(
    r"^(?:\[(?P<time>\d+)\]\s*)?%(?P<kind>Error|Fatal):\s*(?P<file>[^\s:]+):(?P<line>\d+):?\s*(?P<text>.*)"
)


def read_runtime_errors(text: str) -> tuple[Message, ...]:
    """Return what a running model complained of: ``$error``, ``$fatal``, failed assertions."""
    found = []
    for line in text.splitlines():
        match = _RUNTIME.match(line)
        if match:
            found.append(
                Message(
                    severity=Severity.ERROR,
                    code="RUNTIME",
                    text=match["text"].strip() or "error in the RTL",
                    file=match["file"],
                    line=int(match["line"]),
                )
            )
    return tuple(dict.fromkeys(found))


_UNREAD = re.compile(r"^%Warning: (?P<name>.+):\d+: \$readmem file not found", re.MULTILINE)


def unread_images(text: str) -> tuple[str, ...]:
    """Return the memory images that a running model could not open; it goes on without them."""
    return tuple(dict.fromkeys(match["name"] for match in _UNREAD.finditer(text)))

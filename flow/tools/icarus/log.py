"""Read what Icarus Verilog prints."""

from __future__ import annotations

import re
from dataclasses import replace

from flow.model.check import Severity
from flow.model.tool import Message, Reading

__all__ = ["read_log", "read_runtime_errors", "unread_images"]

_PLACED = re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):\s*(?P<text>.*)$")
_UNPLACED = re.compile(r"^(?::0:\s*)?(?P<kind>error|warning):\s*(?P<text>.*)$")
_CONTINUED = re.compile(r"^(?:[^\s:][^:\n]*:\d+\s*:\s{2,}|\s+:\s+)(?P<text>.*)$")
_INTERNAL = re.compile(r"^(?:internal error|.*[Aa]ssertion .* failed|ivl: .*assert|.*sorry: .*)")


def read_log(text: str) -> Reading:
    """Return the messages of a run of ``iverilog``.

    Parameters
    ----------
    text
        The whole log.
    """
    messages: list[Message] = []
    for line in text.splitlines():
        continued = _CONTINUED.match(line)
        if continued and messages:
            last = messages.pop()
            messages.append(replace(last, text=f"{last.text}; {continued['text'].strip()}"))
            continue
        message = _message(line)
        if message is not None:
            messages.append(message)
    return Reading(messages=tuple(dict.fromkeys(messages)))


def _message(line: str) -> Message | None:
    placed = _PLACED.match(line)
    if placed:
        text = placed["text"].strip()
        severity = Severity.ERROR
        lowered = text.lower()
        if lowered.startswith("warning:"):
            severity = Severity.WARNING
        if "note:" in lowered[:6] or not text:
            return None
        return Message(
            severity=severity,
            code=_code(text, severity),
            text=re.sub(r"^(error|warning):\s*", "", text),
            file=placed["file"],
            line=int(placed["line"]),
        )
    unplaced = _UNPLACED.match(line)
    if unplaced:
        severity = Severity.ERROR if unplaced["kind"] == "error" else Severity.WARNING
        return Message(severity=severity, code=_code(unplaced["text"], severity), text=unplaced["text"])
    if _INTERNAL.match(line):
        return Message(severity=Severity.ERROR, code="INTERNAL", text=line.strip())
    return None


def _code(text: str, severity: Severity) -> str:
    lowered = text.lower()
    for fragment, code in (
        ("include file", "INCLUDE"),
        ("no such file", "FILE"),
        ("unable to find the root module", "TOP"),
        ("unknown module type", "MODMISSING"),
        ("not found in", "PARAMETER"),
        ("unable to bind", "UNDECLARED"),
        ("sorry:", "UNSUPPORTED"),
        ("assert", "INTERNAL"),
        ("syntax error", "SYNTAX"),
        ("invalid module item", "SYNTAX"),
        ("malformed", "SYNTAX"),
    ):
        if fragment in lowered:
            return code
    return "ERROR" if severity is Severity.ERROR else "WARNING"


_UNREAD = re.compile(
    r"^(?:ERROR|WARNING): [^\s:]+:\d+: \$readmem[bh]: Unable to open (?P<name>.+) for reading",
    re.MULTILINE,
)
_RUNTIME = re.compile(
    r"^(?:ERROR|FATAL): (?P<file>[^\s:]+):(?P<line>\d+): (?P<text>.*)\n\s+Time: \d+ +Scope: ", re.MULTILINE
)


def read_runtime_errors(text: str) -> tuple[Message, ...]:
    """Return what a running design complained of: ``$error`` and ``$fatal``."""
    return tuple(
        dict.fromkeys(
            Message(
                severity=Severity.ERROR,
                code="RUNTIME",
                text=match["text"].strip() or "error in the RTL",
                file=match["file"],
                line=int(match["line"]),
            )
            for match in _RUNTIME.finditer(text)
        )
    )


def unread_images(text: str) -> tuple[str, ...]:
    """Return the memory images that a running design could not open; Icarus goes on without them."""
    return tuple(dict.fromkeys(match["name"] for match in _UNREAD.finditer(text)))

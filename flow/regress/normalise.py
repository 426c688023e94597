"""What a failure says, without what differs from seed to seed: the raw material of buckets.

A message is cleaned of numbers, times, addresses and paths; the place becomes
the function around it, since lines move with every edit; and what kind of
symptom it is, is told apart, because a hang says less of its cause than a
broken assertion does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from flow.regress.model import Result, Verdict

__all__ = ["Kind", "Symptom", "normalise", "place_of", "symptom_of"]

_LONGEST = 240

#: In this order: each rule sees what those before it left.
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (r"\s*\((?:seed|and) [^()]*\)", ""),
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<id>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b", "<time>"),
        (r"(?:(?<=[\s'\"(=:,])|^)(?:/|\./|\.\./)(?:[^\s'\"(),:;/]+/)*([^\s'\"(),:;/]+)", r"\1"),
        (r"(\.(?:py|sv|svh|v|vh|cpp|h|hpp|c))(?::\d+){1,2}\b", r"\1"),
        (r"\b(?:Logic|LogicArray|Bit)\('([^']*)'(?:, Range\([^()]*\))?\)", r"'\1"),
        (r"'[01]*[XUZWLHxz\-][01XUZWLHxz\-]*(?!\w)'?", "<x>"),
        (r"'[01]+(?!\w)'?", "<n>"),
        (r"\bb'(?:[^'\\]|\\.)*'|\bb\"(?:[^\"\\]|\\.)*\"|\bbytearray\([^()]*\)", "<bytes>"),
        (r"\b\d*'s?[hH][0-9a-fA-F_]*[xXzZ][0-9a-fA-FxXzZ_]*", "<x>"),
        (r"\b\d*'s?[hdboHDBO][0-9a-fA-F_]+", "<n>"),
        (r"\b[01_]*[XZ][01XZ_]+\b|\b[01XZ_]+[XZ]\b", "<x>"),
        (r"[-+]?\b0[xX][0-9a-fA-F_]+\b", "<n>"),
        (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b|\b(?=\w*\d)(?=\w*[A-F])[0-9A-F]{6,}\b", "<n>"),
        (r"(exit status) (\d+)", r"\1 status=\2"),
        (
            r"(?<![\w=.<])[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?"
            r"(?=(?:[fpnum]?s|[kMG]?Hz|[kKMG]?i?B|%)?\b)(?![\w.]*\w*\.py)",
            "<n>",
        ),
        (r"<n>(?=\w)", "<n> "),
        (r"<n> (?:[fpnum]?s|[kMG]?Hz|[kKMG]?i?B)\b", "<n>"),
        (r"(\w)_\d{3,}\b", r"\1_<n>"),
        (r"<n>(?:\s*[,:x]\s*(?:\.\.\.|<n>))+", "<n>"),
        (r"(exit status) status=", r"\1 "),
        (r"<n> (\w{3,}[^s\W])s\b", r"<n> \1"),
        (r"\s+", " "),
    )
)  # fmt: skip
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE)
_HANDLE = re.compile(r"\b\w*Object\(([\w.\[\]]+)\)")
_LABEL = re.compile(r"^\w+(?:Error|Exception|Failed)?: ([A-Za-z_][\w.]*)(?:\[\d+\])?: ")
_LIVENESS = re.compile(
    r"time(?:d )?-?out|\bhang|\bhung\b|dead-?lock|live-?lock|\bstuck\b|\bstall(?:s|ed)? for"
    r"|\bno (?:\w+ ){0,2}(?:transfer|progress|response|handshake)|never (?:came|ended|arrived|finished|moved)"
    r"|did not (?:finish|end|complete|respond)|gave up waiting|watchdog",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"<x>|non-0/1|non-<n>|not (?:0|<n>) or (?:1|<n>)|unresolv|\bunknown (?:value|bit)|\bundriven\b"
)
_RTL = "the RTL reported an error"
#: Lines of a log that say why a process ended; the last that is found counts.
_FATAL = re.compile(
    r"%Error|%Fatal|\bFATAL\b|Fatal:|[Aa]ssertion.*failed|terminate called|what\(\):|Segmentation"
    r"|SIG[A-Z]{3,}|Aborted|AddressSanitizer|runtime error|double free|corrupted|[Oo]ut of memory|bad_alloc"
    r"|^\w+(?:Error|Exception)\b"
)
_FRAME_OF_STACK = re.compile(r"\bin ([A-Za-z_][\w:~]*)\(")


class Kind(StrEnum):
    """How much a symptom says of its cause, and of what."""

    DIRECT = "direct"  # names the signal or the rule that broke
    DATA = "data"  # a difference that is seen at the end of a path
    UNKNOWN = "unknown"  # unknown values, which spread
    LIVENESS = "liveness"  # nothing moved: the consequence of anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What a failure looks like, the same for every seed that shows it.

    Attributes
    ----------
    scope
        The bench that saw it: failures of two benches are never one bucket.
    verdict
        What came of it.
    text
        The normalised message.
    place
        ``file:function``, or the file where no function is known.
    kind
        Of the evidence.
    signals
        Ports and signals that the message names.
    path
        Functions of the bench that were under way, of one failure that shows it.
    """

    scope: str
    verdict: Verdict
    text: str
    place: str
    kind: Kind
    signals: frozenset[str] = frozenset()
    path: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def id(self) -> str:
        """Ten hexadecimal digits."""
        text = "\0".join(("suzuri-bucket/1", self.scope, self.verdict, self.text, self.place))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]


def normalise(message: str) -> str:
    """Return what messages of one failure share whatever the seed.

    Numbers in any notation become ``<n>``, values with unknown bits ``<x>``,
    times ``<time>``; paths lose their folders and files their line numbers.
    Digits inside a name stay, for they tell signals apart. Of several lines
    the first is kept, unless it is a bare ``assert``, whose signals follow.
    """
    text = _lines(message)[0][: 4 * _LONGEST]
    if re.match(r"(?:AssertionError: )?assert\b", text):  # pytest's explanation is all there is
        handles = list(dict.fromkeys(_HANDLE.findall(message)))
        text = f"{text} {{{', '.join(handles)}}}" if handles else text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4].rstrip()} ..."


def _lines(message: str) -> list[str]:
    """Return a message's lines; pytest's explanation may stand in one line with it."""
    return [line.strip() for line in re.split(r"\n|; (?=assert\b|\+\s+where\b)", message.strip())]


def place_of(place: str, traceback: str) -> str:
    """Return a place by its function: ``file:function``; its file where the traceback does not say."""
    file, _, line = place.rpartition(":")
    if not line.isdigit():
        return place
    for frame in reversed(list(_FRAME.finditer(traceback))):
        if frame["line"] == line and (frame["file"] == file or frame["file"].endswith(f"/{file}")):
            return f"{file}:{frame['function']}"
    return file


def symptom_of(result: Result) -> Symptom:
    """Return what `result`, a failure, looks like."""
    text = normalise(result.message)
    scope = result.module or result.test
    if result.verdict is Verdict.TIMEOUT:
        return Symptom(scope=scope, verdict=result.verdict, text=text, place="", kind=Kind.LIVENESS)
    if result.verdict is Verdict.CRASH:
        why = _why_it_ended(result.traceback)
        text = f"{text}: {why}" if why else text
        return Symptom(scope=scope, verdict=result.verdict, text=text, place="", kind=Kind.DIRECT)
    place = place_of(result.place, result.traceback)
    signals = _signals(result.message)
    kind = Kind.DATA
    if _RTL in text:
        kind = Kind.DIRECT
    elif _UNKNOWN.search(text) or _UNKNOWN.search(normalise(_assertion(result.message))):
        kind = Kind.UNKNOWN
    elif _LIVENESS.search(text):
        kind = Kind.LIVENESS
    elif signals:
        kind = Kind.DIRECT
    return Symptom(
        scope=scope,
        verdict=result.verdict,
        text=text,
        place=place,
        kind=kind,
        signals=frozenset(signals),
        path=frozenset(f"{f['file']}:{f['function']}" for f in _FRAME.finditer(result.traceback)),
    )


def _assertion(message: str) -> str:
    """Return pytest's line with the values that were compared."""
    return next((line for line in _lines(message)[1:] if line.startswith("assert ")), "")


def _signals(message: str) -> set[str]:
    """Return the signals that a message names: cocotb handles, or a label in front of it."""
    label = _LABEL.match(message)
    return {label[1]} if label else set(_HANDLE.findall(message))


def _why_it_ended(log: str) -> str:
    """Return the line of a log's tail that says why a process died, and the innermost function it names."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    fatal = [line for line in lines if _FATAL.search(line)]
    stack = [m[1] for m in map(_FRAME_OF_STACK.search, lines) if m]
    said = normalise(re.sub(r"^\[?[\d.]+\s*[fpnum]?s\]?\s*", "", fatal[-1])) if fatal else ""
    return f"{said} in {stack[0]}" if said and stack else said or (stack[0] if stack else "")

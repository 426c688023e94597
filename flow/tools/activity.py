"""Switching activity from simulation: SAIF and VCD, read as streams.

A VCD of hundreds of megabytes is never held in memory: only one record a bit
of the design under test is kept.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from flow.formats.kept import Kept

__all__ = ["Activity", "ActivityError", "base_name", "read_activity"]

_UNITS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "ps": 1e-3, "fs": 1e-6}
_IGNORED = frozenset({b"real", b"realtime", b"parameter", b"string", b"event", b"integer", b"time"})


class ActivityError(ValueError):
    """An activity file cannot be understood; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What each net did.

    Attributes
    ----------
    duration_ns
        How long the simulation lasted.
    scope
        Path of the design under test in the file, dots between names.
    nets
        Name of a bit below the scope (``core.acc[3]``) to ``(toggles, share
        of the time high)``.
    """

    duration_ns: float
    scope: str
    nets: dict[str, tuple[int, float]] = field(default_factory=dict)


def read_activity(
    path: Path, *, scope: str | None = None, ports: Iterable[str] = (), names: Iterable[str] = ()
) -> Activity:
    """Read a SAIF or VCD file, plain or gzip.

    Parameters
    ----------
    scope
        Path of the design under test, dots or slashes between names;
        ``None`` finds the scope that has `ports`, and most of `names`.
    ports
        Names of the top's ports, without bit selects.
    names
        Names of nets below the top, dots between instances, without bit
        selects; they tell the design from a testbench with the same names.

    Raises
    ------
    ActivityError
        It is neither, or has no such scope.
    """
    inside = None if scope is None else _plain(scope).replace("/", ".").strip(".")
    wanted = _Wanted(scope=inside, ports=frozenset(ports), names=frozenset(names))
    with _opened(path) as stream:
        start = stream.read(4096)
        stream.seek(0)
        if start.lstrip().startswith(b"(") or b"SAIFILE" in start:
            # Power on several PDKs asks for the same file.
            return _saif_activity(_SAIFS.get(path, _read_saif), wanted)
        if b"$" in start:
            return _read_vcd(stream, wanted)
    raise ActivityError("is neither SAIF nor VCD")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb") if packed else path.open("rb"))


def _plain(name: str) -> str:
    return name.replace("\\", "").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """How to know the design under test: its scope, or its ports and some of its nets."""

    scope: str | None
    ports: frozenset[str]
    names: frozenset[str]


def _choose(scopes: dict[str, set[str]], wanted: _Wanted) -> str:
    """Return the scope of the design under test.

    Raises
    ------
    ActivityError
        There is none.
    """
    scope, ports = wanted.scope, wanted.ports
    if scope is not None:
        matches = [s for s in scopes if s == scope or s.endswith(f".{scope}")]
        if matches:
            return min(matches, key=lambda s: s.count("."))
        known = ", ".join(list(scopes)[:8])
        raise ActivityError(f"has no scope {scope!r}; it has {known}")
    if not ports:
        raise ActivityError("the ports of the top are needed to find its scope")
    share = {name: len(ports & inside) / len(ports) for name, inside in scopes.items()}
    # A simulator may leave out a port that nothing uses.
    best = max(share.values(), default=0.0)
    if best < 0.8:
        raise ActivityError("has no scope with the ports of the top; name it with activity_scope")
    # A testbench often calls its signals as the ports: the inner nets decide.
    full = {f"{name}.{base}" for name, inside in scopes.items() for base in inside}

    def score(name: str) -> tuple[float, int, int]:
        inner = sum(f"{name}.{net}" in full for net in wanted.names)
        return inner, round(share[name] * 1000), -name.count(".")

    return max((name for name in sorted(scopes) if share[name] >= 0.8), key=score)


# --- SAIF ---------------------------------------------------------------------------------------------------

_SELECTS = re.compile(r"(?:\[\d+\])+$")
# A net as most simulators write it: on one line.
_SAIF_NET = re.compile(r"\s*\(([^\s()\"]++)((?>(?:\s*+\((?:T[01XZB]|TC|IG)\s++[\d.]++\))+))\s*+\)\s*")
_SAIF_LISTS = ("NET", "PORT")
_SAIF_COUNTS = ("T0", "T1", "TX", "TZ", "TC", "IG")
_SAIF_COUNT = re.compile(r"(\w+)\s+([\d.]+)")
_SAIF_TOKEN = re.compile(r"[()]|\"[^\"]*\"|[^\s()\"]+")


class _Saif:
    """Reads one file: nested lists, of which nets under their instances matter."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.unit, self.duration = 1.0, 0.0
        self.path: list[str] = []
        self.heads: list[str] = []
        self.found: dict[str, dict[str, tuple[int, float]]] = {}
        self.net: str | None = None
        self.values: dict[str, float] = {}
        self.words: list[str] = []
        self.fresh = False
        self.read()
        if self.heads:
            raise ActivityError("ends in the middle: the SAIF file was cut short")

    def tokens(self) -> Iterator[str]:
        for line in self.stream:
            text = line.decode("utf-8", errors="replace")
            if not self.fresh and self.net is None and self.heads and self.heads[-1] in _SAIF_LISTS:
                usual = _SAIF_NET.fullmatch(text)
                if usual is not None:
                    self.values = {key: float(value) for key, value in _SAIF_COUNT.findall(usual.group(2))}
                    self.keep(usual.group(1))
                    continue
            if "//" in text:
                text = text.split("//", 1)[0]
            yield from _SAIF_TOKEN.findall(text)

    def read(self) -> None:
        for token in self.tokens():
            if token == "(":
                self.fresh = True
            elif token == ")":
                self.close()
                self.words = []
                self.fresh = False
            elif self.fresh:
                self.fresh = False
                self.words = []
                if self.heads and self.heads[-1] in _SAIF_LISTS and self.net is None:
                    self.net, self.values = token, {}
                self.heads.append(token)
            elif self.heads and self.heads[-1] == "INSTANCE" and not token.startswith('"'):
                self.path.append(_plain(token))
            else:
                self.words.append(token)

    def close(self) -> None:
        head = self.heads.pop() if self.heads else ""
        words = self.words
        if head == "INSTANCE" and self.path:
            self.path.pop()
        elif head == "DURATION" and words:
            self.duration = float(words[-1])
        elif head == "TIMESCALE" and words:
            self.unit = _timescale("".join(words))
        elif head in _SAIF_COUNTS and words:
            self.values[head] = float(words[-1])
        elif self.net is not None and head == self.net:
            self.keep(head)
            self.net = None

    def keep(self, name: str) -> None:
        get = self.values.get
        span = get("T0", 0.0) + get("T1", 0.0) + get("TX", 0.0) + get("TZ", 0.0) or self.duration
        high = get("T1", 0.0) / span if span else 0.0
        self.found.setdefault(".".join(self.path), {})[_plain(name)] = (int(get("TC", 0)), high)


_SAIFS: Kept[_Saif] = Kept(16 << 20)


def _read_saif(path: Path) -> _Saif:
    with _opened(path) as stream:
        return _Saif(stream)


def _saif_activity(saif: _Saif, wanted: _Wanted) -> Activity:
    bases = {name: {base_name(n) for n in nets} for name, nets in saif.found.items()}
    chosen = _choose(bases, wanted)
    nets: dict[str, tuple[int, float]] = {}
    for name, inside in saif.found.items():
        if name == chosen or name.startswith(f"{chosen}."):
            prefix = name[len(chosen) + 1 :] + "." if name != chosen else ""
            nets.update({prefix + k: v for k, v in inside.items()})
    return Activity(duration_ns=saif.duration * saif.unit, scope=chosen, nets=nets)


def base_name(name: str) -> str:
    """Return `name` without its bit selects."""
    return _SELECTS.sub("", name) if name.endswith("]") else name


def _timescale(text: str) -> float:
    match = re.match(r"\s*(\d+)\s*(fs|ps|ns|us|ms|s)", text)
    return float(match.group(1)) * _UNITS[match.group(2)] if match else 1.0


# --- VCD ----------------------------------------------------------------------------------------------------


class _Signal:
    """State of one identifier: value, and per bit toggles, time high, time of the last change."""

    __slots__ = ("high", "known", "since", "toggles", "value", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.value = 0
        self.known = 0
        self.toggles = [0] * width
        self.high = [0] * width
        self.since = [0] * width

    def change(self, value: int, known: int, now: int) -> None:
        changed = (self.value ^ value) | (self.known ^ known)
        while changed:
            bit = (changed & -changed).bit_length() - 1
            mask = 1 << bit
            changed ^= mask
            if bit >= self.width:
                break
            if self.value & mask:
                self.high[bit] += now - self.since[bit]
            # Leaving or entering x is no toggle.
            if self.known & mask and known & mask:
                self.toggles[bit] += 1
            self.since[bit] = now
        self.value, self.known = value, known

    def finish(self, now: int) -> None:
        for bit in range(self.width):
            if self.value >> bit & 1:
                self.high[bit] += now - self.since[bit]
                self.since[bit] = now


@dataclass(slots=True)
class _Header:
    unit: float = 1.0
    names: dict[str, list[tuple[str, bytes, int, str]]] = field(default_factory=dict)
    """Scope to ``(name, identifier, width, range)``."""


def _read_header(stream: IO[bytes]) -> _Header:
    header = _Header()
    path: list[str] = []
    words: list[bytes] = []
    for line in stream:
        for word in line.split():
            if word != b"$end":
                words.append(word)
                continue
            if not words:
                continue
            command, rest = words[0], words[1:]
            words = []
            if command == b"$enddefinitions":
                return header
            if command == b"$timescale":
                header.unit = _timescale(b"".join(rest).decode("ascii", "replace"))
            elif command == b"$scope" and len(rest) > 1:
                path.append(_plain(rest[1].decode("utf-8", "replace")))
                header.names.setdefault(".".join(path), [])
            elif command == b"$upscope" and path:
                path.pop()
            elif command == b"$var" and len(rest) >= 4 and rest[0] not in _IGNORED and rest[1].isdigit():
                name = _plain(rest[3].decode("utf-8", "replace"))
                span = b"".join(rest[4:]).decode("ascii", "replace")
                header.names.setdefault(".".join(path), []).append((name, rest[2], int(rest[1]), span))
    raise ActivityError("has no $enddefinitions: the VCD file was cut short")


def _bit_names(name: str, width: int, span: str) -> list[str]:
    """Return the names of a variable's bits, least significant first."""
    if not span:
        inline = re.match(r"^(.*)\[(\d+):(\d+)\]$", name)
        if inline:
            name, span = inline.group(1), f"[{inline.group(2)}:{inline.group(3)}]"
    match = re.match(r"\[(-?\d+)(?::(-?\d+))?\]$", span)
    if match is None:
        return [name] if width == 1 else [f"{name}[{i}]" for i in range(width)]
    left = int(match.group(1))
    right = int(match.group(2)) if match.group(2) is not None else left
    step = 1 if left >= right else -1
    return [f"{name}[{right + step * i}]" for i in range(width)]


_ONES = bytes.maketrans(b"xXzZ-", b"00000")
_KNOWN = bytes.maketrans(b"01xXzZ-", b"1100000")


def _read_vcd(stream: IO[bytes], wanted: _Wanted) -> Activity:
    header = _read_header(stream)
    bases = {name: {base_name(v[0]) for v in inside} for name, inside in header.names.items()}
    chosen = _choose(bases, wanted)
    signals: dict[bytes, _Signal] = {}
    places: list[tuple[str, bytes, int]] = []
    for name, inside in header.names.items():
        if name != chosen and not name.startswith(f"{chosen}."):
            continue
        prefix = name[len(chosen) + 1 :] + "." if name != chosen else ""
        for variable, identifier, width, span in inside:
            signals.setdefault(identifier, _Signal(width))
            names = _bit_names(variable, width, span)
            places += [(prefix + bit_name, identifier, bit) for bit, bit_name in enumerate(names)]
    first, last = _follow(stream, signals)
    span_units = max(last - first, 0)
    nets: dict[str, tuple[int, float]] = {}
    for name, identifier, bit in places:
        signal = signals[identifier]
        if bit < signal.width:
            high = signal.high[bit] / span_units if span_units else 0.0
            nets[name] = (signal.toggles[bit], high)
    return Activity(duration_ns=span_units * header.unit, scope=chosen, nets=nets)


def _follow(stream: IO[bytes], signals: dict[bytes, _Signal]) -> tuple[int, int]:
    """Play all value changes; return the first and the last time."""
    now, first = 0, None
    find: Callable[[bytes], _Signal | None] = signals.get
    off = False
    for line in stream:
        kind = line[:1]
        if kind in b"01xXzZ" and kind:
            signal = find(line[1:].strip())
            if signal is not None and not off:
                signal.change(kind == b"1", kind in b"01", now)
        elif kind in (b"b", b"B"):
            digits, _, identifier = line[1:].partition(b" ")
            signal = find(identifier.strip())
            if signal is not None and not off:
                width = signal.width
                if len(digits) < width:
                    fill = digits[:1] if digits[:1] in b"xXzZ" else b"0"
                    digits = digits.rjust(width, fill)
                signal.change(int(digits.translate(_ONES), 2), int(digits.translate(_KNOWN), 2), now)
        elif kind == b"#":
            try:
                now = int(line[1:])
            except ValueError:
                break  # cut short in the middle of a time: what came before counts
            if first is None:
                first = now
        elif line.startswith(b"$dumpoff"):
            off = True
        elif line.startswith(b"$dumpon"):
            off = False
    for signal in signals.values():
        signal.finish(now)
    return first or 0, now

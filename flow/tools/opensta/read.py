"""Read what OpenSTA printed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flow.model.check import Severity
from flow.model.tool import Message, Reading
from flow.tools._collector import without_collector

__all__ = ["read_log", "read_power", "read_timing"]

_MESSAGE = re.compile(
    r"^(?P<kind>Error|Warning)(?: \d+)?: (?:(?P<file>\S+?),? line (?P<line>\d+),? )?(?P<text>.*)$"
)
_TOLD = ("@@done", "@@failed ", "Error", "Warning")
_CODES = (
    ("unresolved_cell", re.compile(r"module \S+ not found|not a verilog module|Creating black box")),
    ("syntax", re.compile(r"syntax error|unterminated")),
    ("missing_file", re.compile(r"cannot (?:read|open) file|no such file", re.IGNORECASE)),
    ("no_clock", re.compile(r"no clock|unclocked", re.IGNORECASE)),
    ("missing_object", re.compile(r"(?:port|pin|clock|instance|cell|net) '?\S+'? not found")),
    ("loop", re.compile(r"combinational loops?", re.IGNORECASE)),
)


def read_log(text: str) -> Reading:
    """Read errors and warnings; ``data["done"]`` says whether the script came to its end."""
    messages: dict[Message, None] = {}
    done = False
    for line in text.splitlines():
        if not line.startswith(_TOLD):
            continue  # of a power run, there is a line for each instance
        if line.startswith("@@done"):
            done = True
        elif line.startswith("@@failed "):
            said = line.removeprefix("@@failed ")
            messages.setdefault(Message(severity=Severity.ERROR, code=_code(said), text=said))
        elif match := _MESSAGE.match(line):
            messages.setdefault(
                Message(
                    severity=Severity.ERROR if match["kind"] == "Error" else Severity.WARNING,
                    code=_code(match["text"]),
                    text=match["text"].strip(),
                    file=match["file"],
                    line=int(match["line"]) if match["line"] else None,
                )
            )
    return Reading(messages=tuple(messages), data={"done": done})


def _code(text: str) -> str:
    return next((code for code, pattern in _CODES if pattern.search(text)), "sta")


def _finite(text: str) -> float | None:
    """Return a number, or ``None`` for OpenSTA's infinities and blanks."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e20 else None


def read_timing(text: str, *, bins: int = 40) -> Reading:
    """Read one timing run: metrics in ns and MHz, worst paths, slack histogram.

    Returns
    -------
    Reading
        ``data``: ``setup_paths`` and ``hold_paths`` (see `_path`),
        ``histogram`` (``edges``, ``counts`` of setup slacks), ``endpoints``,
        ``unconstrained``, ``no_clock``, ``no_input_delay`` (names),
        ``reg2reg_slack_ns``, ``registers``.
    """
    keyed: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("@@"):
            key, _, rest = line[2:].partition(" ")
            keyed.setdefault(key, []).append(rest)
    setup, hold = (_slacks(keyed.get(key, [])) for key in ("setup", "hold"))
    checks = _checks(text)
    unconstrained = checks.get("unconstrained", [])
    fmax = _finite(keyed.get("fmax", ["none"])[0])
    metrics: dict[str, float | int | str | None] = {
        **_violations("setup", setup),
        **_violations("hold", hold),
        "timing__unconstrained__count": len(unconstrained),
        "timing__fmax": round(1000.0 / fmax, 4) if fmax else None,
    }
    data: dict[str, Any] = {
        "endpoints": len(setup),
        "setup_paths": _paths(text, "max"),
        "hold_paths": _paths(text, "min"),
        "histogram": _histogram([slack for slack, _ in setup], bins),
        "unconstrained": unconstrained,
        "no_clock": checks.get("no_clock", []),
        "no_input_delay": checks.get("no_input_delay", []),
        "loops": checks.get("loops", []),
        "registers": int(keyed.get("registers", ["0"])[0]),
        "reg2reg_slack_ns": _finite(keyed.get("reg2reg", ["none"])[0]),
    }
    return Reading(metrics=metrics, messages=read_log(text).messages, data=data)


def _slacks(lines: Iterable[str]) -> list[tuple[float, str]]:
    worst: dict[str, float] = {}
    for line in lines:
        value, _, name = line.partition(" ")
        slack = _finite(value)
        if slack is not None:
            worst[name] = min(slack, worst.get(name, slack))
    return sorted((slack, name) for name, slack in worst.items())


def _violations(kind: str, slacks: list[tuple[float, str]]) -> dict[str, float | int | str | None]:
    missed = [slack for slack, _ in slacks if slack < -1e-9]
    known = bool(slacks)
    return {
        f"timing__{kind}__ws": round(slacks[0][0], 6) if known else None,
        f"timing__{kind}__tns": round(sum(missed), 6) if known else None,
        f"timing__{kind}_vio__count": len(missed) if known else None,
    }


_CHECK_HEADS = (
    ("unconstrained", re.compile(r"unconstrained endpoint")),
    ("no_clock", re.compile(r"unclocked register|register/latch pins with no clock", re.IGNORECASE)),
    ("no_input_delay", re.compile(r"missing set_input_delay")),
    ("loops", re.compile(r"combinational loop", re.IGNORECASE)),
)


def _checks(text: str) -> dict[str, list[str]]:
    """Read what ``check_setup -verbose`` listed."""
    start = text.find("@@checks\n")
    if start < 0:
        return {}
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text[start : text.find("@@end", start)].splitlines():
        if line.startswith("Warning:"):
            key = next((key for key, pattern in _CHECK_HEADS if pattern.search(line)), "other")
            current = found.setdefault(key, [])
        elif line.startswith("  ") and current is not None:
            current.append(line.strip())
    return found


def _histogram(slacks: list[float], bins: int) -> dict[str, list[float] | list[int]]:
    if not slacks:
        return {"edges": [], "counts": []}
    low, high = min(slacks), max(slacks)
    width = (high - low) / bins or 1e-3
    counts = [0] * bins
    for slack in slacks:
        counts[min(bins - 1, int((slack - low) / width))] += 1
    return {"edges": [round(low + i * width, 6) for i in range(bins + 1)], "counts": counts}


_PIN_ROW = re.compile(
    r"^(?P<numbers>[\s\d.eE+-]+?)\s+(?P<edge>[v^])\s+(?P<pin>\S+)(?: \((?P<cell>[^)]*)\))?$"
)
_NET_ROW = re.compile(r"^\s*(?P<fanout>\d+)\s+(?P<cap>[\d.eE+-]+)\s+(?P<net>\S.*) \(net(?:, unconnected)?\)$")
_TOTAL_ROW = re.compile(
    r"^\s*(?P<value>-?[\d.eE+-]+)\s+(?P<what>data arrival time|data required time|slack .*)$"
)


def _paths(text: str, kind: str) -> list[dict[str, Any]]:
    start = text.find(f"@@paths {kind}\n")
    if start < 0:
        return []
    block = text[start : text.find("@@end", start)]
    parts = block.split("Startpoint: ")[1:]
    found = [path for part in parts if (path := _path(part)) is not None]
    return sorted(found, key=lambda p: p["slack_ns"])[:10]


def _path(text: str) -> dict[str, Any] | None:
    """Read one path: ends, slack, and a row for each pin on it.

    Rows have ``pin``, ``cell``, ``edge``, ``delay_ns``, ``time_ns``,
    ``transition_ns``, and for drivers ``fanout``, ``load_pf``, ``net``.
    """
    lines = text.splitlines()
    # A long description is broken: ``(rising edge...)`` follows on a line of its own.
    startpoint = lines[0].split(" (")[0].strip()
    endpoint = next(
        (x.removeprefix("Endpoint: ").split(" (")[0].strip() for x in lines if x.startswith("Endpoint: ")), ""
    )
    group = next((x.removeprefix("Path Group: ").strip() for x in lines if x.startswith("Path Group: ")), "")
    rows: list[dict[str, Any]] = []
    totals: dict[str, float] = {}
    arrived = False
    for line in lines:
        total = _TOTAL_ROW.match(line)
        if total:
            what = total["what"].split(" (")[0].removeprefix("data ").removesuffix(" time")
            # Arrival and required come twice, the second time as a subtraction.
            totals.setdefault(what, float(total["value"]))
            arrived = True
        elif not arrived:
            _row(line, rows)
    if "slack" not in totals:
        return None
    return {
        "startpoint": startpoint,
        "endpoint": endpoint,
        "group": group,
        "slack_ns": totals["slack"],
        "arrival_ns": totals.get("arrival"),
        "required_ns": totals.get("required"),
        "rows": rows,
    }


def _row(line: str, rows: list[dict[str, Any]]) -> None:
    pin = _PIN_ROW.match(line)
    if pin:
        numbers = [float(n) for n in pin["numbers"].split()]
        rows.append(
            {
                "pin": pin["pin"],
                "cell": pin["cell"] or "",
                "edge": "rise" if pin["edge"] == "^" else "fall",
                "time_ns": numbers[-1] if numbers else None,
                "delay_ns": numbers[-2] if len(numbers) > 1 else None,
                "transition_ns": numbers[-3] if len(numbers) > 2 else None,
            }
        )
        return
    net = _NET_ROW.match(line)
    if net and rows:
        rows[-1].update(fanout=int(net["fanout"]), load_pf=float(net["cap"]), net=net["net"].strip())


_GROUPS = ("total", "sequential", "combinational", "macro", "pad")
_KINDS = ("internal", "switching", "leakage", "total")


@without_collector
def read_power(text: str) -> Reading:
    """Read one power run: metrics in watts, power by group and by instance.

    Returns
    -------
    Reading
        ``data``: ``by_group`` (rows), ``instances`` (name to
        ``[internal, switching, leakage, total]``), ``missing_pins``.
    """
    metrics: dict[str, float | int | str | None] = {}
    groups: list[dict[str, Any]] = []
    instances: dict[str, list[float]] = {}
    missing: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@power "):
            numbers = [float(n) for n in line.split()[1:]]
            rows = [dict(zip(_KINDS, numbers[i : i + 4], strict=True)) for i in range(0, len(numbers) - 3, 4)]
            groups = [{"group": name, **row} for name, row in zip(_GROUPS, rows, strict=False)]
            total = rows[0]
            metrics = {
                "power__total": total["total"],
                "power__internal__total": total["internal"],
                "power__switching__total": total["switching"],
                "power__leakage__total": total["leakage"],
            }
        elif line.startswith("@@instance "):
            _, internal, switching, leakage, whole, name = line.split(" ", 5)
            instances[name] = [float(internal), float(switching), float(leakage), float(whole)]
        elif line.startswith("@@nopin "):
            missing.append(line.removeprefix("@@nopin "))
    data = {"by_group": groups[1:], "instances": instances, "missing_pins": missing}
    return Reading(metrics=metrics, messages=read_log(text).messages, data=data)

"""Signals around a failure as a picture: lines for bits, boxes with values for buses."""

from __future__ import annotations

from collections.abc import Callable

from flow.report.markup import Html, h
from flow.report.regress.waves import Trace, Window
from flow.report.units import plain

__all__ = ["draw"]

_WIDTH, _RIGHT, _ROW, _TOP, _BOTTOM = 960, 10, 22, 8, 22
_CHARACTER = 6.4  # width of one of a name, in units of the picture
_VALUE = 5.8  # and of one of a value
_MOST_EDGES = 400
_STEPS = (1, 2, 5)


def _hex(bits: str) -> str:
    """Return bits as hexadecimal digits; x and z stay where a digit has one."""
    if not bits or set(bits) - set("01xzuw-hl"):
        return bits
    padded = bits.rjust(-(-len(bits) // 4) * 4, bits[0] if bits[0] in "xz" else "0")
    digits = (padded[i : i + 4] for i in range(0, len(padded), 4))
    return "".join(
        f"{int(d, 2):x}" if set(d) <= {"0", "1"} else "z" if set(d) == {"z"} else "x" for d in digits
    )


def _name(name: str, room: int) -> str:
    """Return the end of a path that fits: its last part tells most."""
    return name if len(name) <= room else "…" + name[-(room - 1) :]


def _spans(trace: Trace, window: Window) -> list[tuple[float, float, str]]:
    """Return ``(from, to, value)`` without gaps, from the window's beginning to its end, in ns."""
    known: list[tuple[float, str]] = []
    for when, value in trace.changes:
        at = max(when, window.start_ns)
        if known and known[-1][0] == at:
            known.pop()  # several at one time: the last one holds
        if not known or known[-1][1] != value:
            known.append((at, value))
    ends = [when for when, _ in known[1:]] + [window.end_ns]
    return [(when, end, value) for (when, value), end in zip(known, ends, strict=True) if end > when]


def _bit(spans: list[tuple[float, float, str]], x: Callable[[float], float], y: float) -> list[Html]:
    high, low = y + 4, y + _ROW - 4
    points: list[str] = []
    unknown: list[Html] = []
    for start, end, value in spans:
        if value in ("0", "1", "l", "h"):
            level = high if value in ("1", "h") else low
            points.append(f"{'L' if points else 'M'}{x(start):.1f} {level:.1f}L{x(end):.1f} {level:.1f}")
        else:
            width = max(0.5, x(end) - x(start))
            place = {
                "x": f"{x(start):.1f}",
                "y": f"{high:.1f}",
                "width": f"{width:.1f}",
                "height": f"{low - high:.1f}",
            }
            unknown.append(h("rect", h("title", value), class_="unknown", **place))
    return [*unknown, h("path", d="".join(points), class_="line")] if points else unknown


def _bus(
    spans: list[tuple[float, float, str]], x: Callable[[float], float], y: float, *, real: bool
) -> list[Html]:
    high, low, middle = y + 3, y + _ROW - 3, y + _ROW / 2
    found: list[Html] = []
    for start, end, value in spans:
        left, right = x(start), x(end)
        slant = min(2.5, (right - left) / 2)
        points = (
            f"M{left:.1f} {middle:.1f}L{left + slant:.1f} {high:.1f}L{right - slant:.1f} {high:.1f}"
            f"L{right:.1f} {middle:.1f}L{right - slant:.1f} {low:.1f}L{left + slant:.1f} {low:.1f}Z"
        )
        shown = value if real else _hex(value)
        # A value with an unknown bit is unknown to whoever reads it.
        cls = "bus unknown" if not real and set(value) - {"0", "1"} else "bus"
        found.append(h("path", h("title", shown), d=points, class_=cls))
        room = int((right - left - 4) / _VALUE)
        if room >= min(len(shown), 2):
            text = shown if len(shown) <= room else "…" + shown[-(room - 1) :]
            found.append(
                h("text", text, x=f"{(left + right) / 2:.1f}", y=f"{middle + 3.4:.1f}", class_="value")
            )
    return found


def _ticks(window: Window) -> list[float]:
    span = window.end_ns - window.start_ns
    scale = 10.0**-6
    while True:
        for step in _STEPS:
            if span / (step * scale) <= 10:
                first = int(window.start_ns / (step * scale)) + 1
                return [n * step * scale for n in range(first, int(window.end_ns / (step * scale)) + 1)]
        scale *= 10


def draw(window: Window, title: str) -> Html:
    """Return `window` as SVG.

    Parameters
    ----------
    window
        Signals, at least one.
    title
        Read aloud instead of the picture.
    """
    longest = max((len(trace.name) for trace in window.traces), default=0)
    left = min(300.0, 24 + longest * _CHARACTER)
    room = int((left - 14) / _CHARACTER)
    bottom = _TOP + _ROW * len(window.traces)
    scale = (_WIDTH - _RIGHT - left) / (window.end_ns - window.start_ns)

    def x(when: float) -> float:
        return left + (when - window.start_ns) * scale

    parts: list[Html] = []
    for when in _ticks(window):
        place = f"{x(when):.1f}"
        parts.append(h("line", class_="grid", x1=place, x2=place, y1=_TOP, y2=bottom))
        parts.append(
            h(
                "text",
                f"{plain(round(when, 6))} ns",
                x=place,
                y=bottom + 14,
                text_anchor="middle",
                class_="time",
            )
        )
    for number, trace in enumerate(window.traces):
        y = _TOP + number * _ROW
        spans = _spans(trace, window)
        parts.append(
            h("text", h("title", trace.name), _name(trace.name, room), x=8, y=f"{y + 15:.1f}", class_="name")
        )
        if len(spans) > _MOST_EDGES:
            whole = {
                "x": f"{left:.1f}",
                "width": f"{_WIDTH - _RIGHT - left:.1f}",
                "y": y + 4,
                "height": _ROW - 8,
            }
            parts.append(h("rect", h("title", f"{len(spans)} changes"), class_="bus", **whole))
        elif trace.width == 1:
            parts += _bit(spans, x, y)
        else:
            parts += _bus(spans, x, y, real=trace.width == 0)
    cursor = f"{x(window.failed_ns):.1f}"
    parts.append(
        h("line", h("title", "the failure"), class_="cursor", x1=cursor, x2=cursor, y1=_TOP - 4, y2=bottom)
    )
    return h("svg", h("title", title), *parts, viewbox=f"0 0 {_WIDTH} {bottom + _BOTTOM}", role="img")

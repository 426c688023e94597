"""What the signals did around a failure, read from a wave file.

A dump has far more signals than a picture can show. Shown are the clock and the reset, then signals that the
failure's text names, then those that lie nearest to the top of the hierarchy; of these, the ones that moved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Trace", "Window", "available", "read"]

_CYCLES, _AFTER = 24, 2  # clock cycles before and after the failure
_STEPS = 48  # changes before the failure, where there is no clock
_SIGNALS, _CANDIDATES = 20, 160
_KINDS = frozenset({"parameter", "string", "event", "realparameter"})
_CLOCK = re.compile(r"(^|_)(clk|clock|ck)\d*(_i)?$", re.IGNORECASE)
_RESET = re.compile(r"(^|_)(a?rst|reset|rstn|resetn)(_n|_ni|_i)?$", re.IGNORECASE)
# Verilator repeats the ports of the top in a scope of its own.
_PORTS = ("$rootio.", "TOP.$rootio.")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_SECONDS = {
    "zepto": -21,
    "atto": -18,
    "femto": -15,
    "pico": -12,
    "nano": -9,
    "micro": -6,
    "milli": -3,
    "second": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One signal in the window.

    Attributes
    ----------
    name
        Path in the hierarchy, without what all shown signals share.
    width
        In bits; 1 is drawn as a line.
    changes
        ``(time in ns, value)`` in order, the first at or before the window's
        beginning. A value is bits as text, most significant first, or a
        number's text for a real.
    """

    name: str
    width: int
    changes: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time around a failure: times in ns."""

    start_ns: float
    end_ns: float
    failed_ns: float
    scope: str
    traces: tuple[Trace, ...]
    left_out: int = 0


def available() -> bool:
    """Return whether wave files can be read here: whether pywellen is installed."""
    try:
        import pywellen  # noqa: F401, PLC0415 - optional
    except ImportError:
        return False
    return True


class _Signal:
    """A variable with its changes, found by bisection: a clock has millions of them."""

    def __init__(self, var: Any, unit_ns: float) -> None:  # noqa: ANN401 - pywellen has no types
        self.name: str = var.name.split()[0] if var.name else ""
        self.path: str = var.full_name
        self.width = int(var.bitwidth or 1)
        self.real = bool(var.is_real)
        self._signal = var.signal
        self._unit = unit_ns
        self.many = len(self._signal)

    def time(self, place: int) -> float:
        return float(self._signal[place][0]) * self._unit

    def before(self, when: float) -> int:
        """Return how many changes there are up to and at `when`."""
        low, high = 0, self.many
        while low < high:
            middle = (low + high) // 2
            if self.time(middle) <= when + 1e-9:
                low = middle + 1
            else:
                high = middle
        return low

    @property
    def last(self) -> float:
        return self.time(self.many - 1) if self.many else 0.0

    def text(self, value: object) -> str:
        if self.real:
            return f"{float(value):.6g}" if isinstance(value, int | float) else str(value)
        return f"{value:0{self.width}b}" if isinstance(value, int) else str(value).lower()

    def within(self, start: float, end: float) -> Iterator[tuple[float, str]]:
        first = max(0, self.before(start) - 1)
        for place in range(first, self.many):
            when, value = self._signal[place]
            if when * self._unit > end:
                return
            yield when * self._unit, self.text(value)


def _unit_ns(timescale: Any) -> float:  # noqa: ANN401 - pywellen has no types
    """Return a time step of the file in ns; 1 where the file does not say."""
    exponent = timescale.unit.to_exponent() if timescale is not None else None
    return 1.0 if exponent is None else float(timescale.factor) * 10.0 ** (exponent + 9)


def _variables(wave: Any, words: frozenset[str]) -> list[Any]:  # noqa: ANN401 - pywellen has no types
    """Return the variables that may be shown: those that are named, then level by level from the top."""
    found: dict[Any, Any] = {}
    listed = list(wave.all_vars())
    own = {var.name for var in listed if not var.full_name.startswith(_PORTS)}
    for var in listed:
        if var.full_name.startswith(_PORTS) and var.name in own:
            continue
        if str(var.var_type).lower() in _KINDS or var.is_string:
            continue
        known = found.get(str(var.signal_id))
        # The same net has a name at every level it passes; the one nearest to the top is shown.
        if known is None or var.full_name.count(".") < known.full_name.count("."):
            found[str(var.signal_id)] = var

    def order(var: Any) -> tuple[bool, bool, int]:  # noqa: ANN401 - pywellen has no types
        name = var.name.split()[0] if var.name else ""
        guide = bool(_CLOCK.search(name) or _RESET.search(name))
        return (
            not (guide and var.full_name.count(".") <= 2),
            name.lower() not in words,
            var.full_name.count("."),
        )

    return sorted(found.values(), key=order)[:_CANDIDATES]


def _clock(signals: Iterable[_Signal], when: float) -> _Signal | None:
    """Return the clock: by its name, and of several the one that ticks most."""
    named = [s for s in signals if s.width == 1 and _CLOCK.search(s.name) and s.before(when) > 4]
    return max(named, key=lambda s: s.before(when), default=None)


def _limits(
    clock: _Signal | None, signals: Sequence[_Signal], when: float, end: float
) -> tuple[float, float]:
    if clock is not None:
        at = clock.before(when)
        first = max(0, at - 2 * _CYCLES)
        period = (clock.time(at - 1) - clock.time(max(0, at - 1 - 8))) / max(1, min(at - 1, 8)) * 2
        return clock.time(first), min(end, when + _AFTER * period)
    steps = sorted(
        {
            t
            for s in signals
            for t in (s.time(p) for p in range(max(0, s.before(when) - _STEPS), s.before(when)))
        }
    )
    start = steps[-_STEPS] if len(steps) > _STEPS else steps[0] if steps else 0.0
    return start, min(end, when + max(0.0, when - start) / 12)


def _shared(paths: Sequence[str]) -> str:
    """Return the scope that all `paths` lie in."""
    parts = [path.split(".")[:-1] for path in paths]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return ".".join(shared)


def read(path: Path, *, failed_ns: float | None = None, text: str = "") -> Window | None:
    """Return the signals of a wave file around a failure.

    Parameters
    ----------
    path
        FST or VCD.
    failed_ns
        When it failed; ``None`` or a time behind the end means the end.
    text
        What the failure said: signals that it names are shown.

    Returns
    -------
    Window or None
        ``None`` where pywellen is not installed, the file cannot be read, or
        it has no signal.
    """
    if not available() or not path.is_file():
        return None
    import pywellen  # noqa: PLC0415 - optional

    try:
        wave = pywellen.Waveform(str(path), multi_threaded=False)
        unit = _unit_ns(wave.timescale)
        words = frozenset(word.lower() for word in _WORD.findall(text))
        signals = [s for s in (_Signal(var, unit) for var in _variables(wave, words)) if s.many]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a torn file of a killed simulator; the reader's panics are no Exception
        return None
    if not signals:
        return None
    end = max(signal.last for signal in signals)
    when = (
        end if failed_ns is None or not math.isfinite(failed_ns) or failed_ns > end else max(0.0, failed_ns)
    )
    clock = _clock(signals, when)
    start, stop = _limits(clock, signals, when, end)
    if stop <= start:
        return None
    chosen = _chosen(signals, clock, words, start, stop)
    scope = _shared([signal.path for signal in chosen])
    cut = len(scope) + 1 if scope else 0
    traces = [
        Trace(
            name=s.path[cut:].split()[0], width=0 if s.real else s.width, changes=tuple(s.within(start, stop))
        )
        for s in chosen
    ]
    return Window(
        start_ns=start,
        end_ns=stop,
        failed_ns=when,
        scope=scope,
        traces=tuple(traces),
        left_out=len(signals) - len(chosen),
    )


def _chosen(
    signals: Sequence[_Signal], clock: _Signal | None, words: frozenset[str], start: float, stop: float
) -> list[_Signal]:
    """Return the signals to show, in the order of the file behind clock and reset."""

    def rank(place: int) -> tuple[bool, bool, bool, int]:
        signal = signals[place]
        moved = signal.before(stop) > signal.before(start)
        return signal is not clock, signal.name.lower() not in words, not moved, place

    kept = sorted(sorted(range(len(signals)), key=rank)[:_SIGNALS])
    return sorted((signals[k] for k in kept), key=lambda s: (s is not clock, not _RESET.search(s.name)))

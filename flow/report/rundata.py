"""A run as the report sees it: tolerant access to ``run.json``, and the PPA rows.

``run.json`` may come from a failed or interrupted run, from an older engine,
or from a stage that somebody else wrote; so a missing or odd value becomes a
`Num` without a value and with a reason, and never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flow.report.units import number

__all__ = ["Corner", "Num", "Run", "StepRun", "Target", "bare", "lookup", "mapping", "rows", "text"]


def mapping(value: object) -> Mapping[str, Any]:
    """Return `value` when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings in `value` when it is a sequence, else nothing."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [v for v in value if isinstance(v, Mapping)]


def text(value: object, default: str = "") -> str:
    """Return `value` as text; ``None`` becomes `default`."""
    return default if value is None else str(value)


def bare(metric: str) -> str:
    """Return a metric's name without its ``__modifier:value`` parts."""
    head, colon, _ = metric.partition(":")
    return head.rsplit("__", 1)[0] if colon else metric


@dataclass(frozen=True, slots=True)
class Num:
    """A number, or why there is none."""

    value: float | None
    reason: str = ""
    step: str = ""

    @classmethod
    def missing(cls, reason: str) -> Num:
        """Return a number that is not there, because of `reason`."""
        return cls(None, reason)


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of the run."""

    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its unique name."""
        return text(self.raw.get("name"), "(unnamed step)")

    @property
    def kind(self) -> str:
        """The stage that executed it."""
        return text(self.raw.get("kind"), "other")

    @property
    def label(self) -> str:
        """What a person calls it."""
        return text(self.raw.get("label")) or self.name

    @property
    def status(self) -> str:
        """How it ended."""
        return text(self.raw.get("status"), "unknown")

    @property
    def ok(self) -> bool:
        """Whether its results can be used."""
        return self.status in ("done", "cached")

    @property
    def data(self) -> Mapping[str, Any]:
        """Its detail tables."""
        return mapping(self.raw.get("data"))

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Its metrics by name."""
        return mapping(self.raw.get("metrics"))

    @property
    def error(self) -> Mapping[str, Any]:
        """Its error, empty when it has none."""
        return mapping(self.raw.get("error"))

    def tag(self, name: str) -> str:
        """Return the tag `name`, or an empty string."""
        return text(mapping(self.raw.get("tags")).get(name))

    def why_missing(self, metric: str) -> str:
        """Say why this step has no value for `metric`."""
        for key in ("reasons", "null_reasons", "unmeasured", "missing"):
            given = mapping(self.data.get(key))
            for name in (metric, bare(metric)):
                if given.get(name):
                    return text(given[name])
        if self.ok:
            return f"{self.name} could not measure it"
        if self.error.get("what"):
            return f"{self.name} {self.status}: {self.error['what']}"
        because = {"skipped": "a step it needs did not succeed", "cancelled": "the run was interrupted"}
        return f"{self.name} {self.status}: {because.get(self.status, 'no result')}"


@dataclass(frozen=True, slots=True)
class Corner:
    """Timing and power of one target in one corner."""

    name: str
    timing: tuple[StepRun, ...] = ()
    power: tuple[StepRun, ...] = ()

    def num(self, metric: str) -> Num:
        """Return `metric` in this corner."""
        kind = "power" if metric.startswith("power__") else "timing"
        return lookup(self.power if kind == "power" else self.timing, metric, self.name, kind)

    @property
    def activity(self) -> str:
        """Where the activity behind its power came from: ``simulated``, ``default`` or unknown."""
        return next((s.tag("activity") for s in self.power if s.ok and s.tag("activity")), "")


@dataclass(frozen=True, slots=True)
class Target:
    """One PDK (with one recipe, when a run has several) and what came of it."""

    name: str
    pdk: str
    info: Mapping[str, Any]
    steps: tuple[StepRun, ...]
    corners: tuple[Corner, ...] = field(default=())

    def of(self, *kinds: str) -> tuple[StepRun, ...]:
        """Return its steps of these kinds."""
        return tuple(s for s in self.steps if s.kind in kinds)

    def num(self, metric: str) -> Num:
        """Return a metric of synthesis."""
        return lookup(self.of("synthesize"), metric, "", "synthesize")

    def worst(self, metric: str, *, highest: bool = False) -> tuple[Num, str]:
        """Return the lowest (or highest) value over the corners, and its corner."""
        found = [(c.num(metric), c.name) for c in self.corners]
        known = [(n.value, n, c) for n, c in found if n.value is not None]
        if not known:
            return found[0] if found else (Num.missing("no corner was timed"), "")
        best = (max if highest else min)(known, key=lambda k: k[0])
        return best[1], best[2]

    @property
    def period_ns(self) -> Num:
        """The clock period asked for."""
        asked = self.worst("timing__clock__period", highest=True)[0]
        if asked.value is not None:
            return asked
        return Num(
            number(self.info.get("clock_period_ns")), "the run does not say which period was asked for"
        )

    @property
    def broken(self) -> tuple[StepRun, ...]:
        """Its steps that did not succeed."""
        return tuple(s for s in self.steps if not s.ok)


def lookup(steps: Iterable[StepRun], metric: str, corner: str, kind: str) -> Num:
    """Return `metric` from the first of `steps` that has it, else why none has."""
    reason = ""
    for step in steps:
        names = [f"{metric}__corner:{corner}", metric] if corner else [metric]
        for name in names:
            value = number(step.metrics.get(name))
            if value is not None:
                return Num(value, "", step.name)
        reason = reason or step.why_missing(metric)
    return Num.missing(reason or f"the run has no {kind} step for this" + (" corner" if corner else " PDK"))


class Run:
    """The whole of ``run.json``, read tolerantly."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.steps = tuple(StepRun(s) for s in rows(raw.get("steps")))
        self.design = mapping(raw.get("design"))
        self.info = mapping(raw.get("run"))
        self.verdict = mapping(raw.get("verdict"))
        self.pdks = rows(raw.get("pdks"))
        self.limits = rows(raw.get("limits"))
        self.targets = tuple(self._targets())

    @property
    def status(self) -> str:
        """The verdict in one word; ``unknown`` when the file has none."""
        return text(self.verdict.get("status"), "unknown")

    @property
    def name(self) -> str:
        """Name of the design."""
        return text(self.design.get("name"), "unnamed design")

    def of(self, *kinds: str) -> tuple[StepRun, ...]:
        """Return the steps of these kinds."""
        return tuple(s for s in self.steps if s.kind in kinds)

    def checks(self) -> Iterator[tuple[StepRun, Mapping[str, Any]]]:
        """Yield each check with the step that made it."""
        for step in self.steps:
            for check in rows(step.raw.get("checks")):
                yield step, check

    def _targets(self) -> Iterator[Target]:
        infos = {text(p.get("name")): p for p in self.pdks}
        names = dict.fromkeys([*infos, *(s.tag("pdk") for s in self.steps if s.tag("pdk"))])
        for pdk in names:
            steps = tuple(s for s in self.steps if s.tag("pdk") == pdk)
            recipes = list(dict.fromkeys(s.tag("recipe") for s in steps if s.tag("recipe")))
            for recipe in recipes if len(recipes) > 1 else [""]:
                mine = tuple(s for s in steps if not recipe or s.tag("recipe") in ("", recipe))
                name = f"{pdk} · {recipe}" if recipe else pdk
                info = infos.get(pdk, {})
                yield Target(name, pdk, info, mine, tuple(_corners(info, mine)))


def _corners(info: Mapping[str, Any], steps: Sequence[StepRun]) -> Iterator[Corner]:
    """Yield the corners that were timed or powered, else those that the PDK names."""
    work = [s for s in steps if s.kind in ("timing", "power")]
    seen = [s.tag("corner") for s in work if s.tag("corner")]
    seen += [m.rsplit("__corner:", 1)[1] for s in work for m in s.metrics if "__corner:" in m]
    listed = info.get("corners")
    order = [str(c) for c in listed] if isinstance(listed, Sequence) and not isinstance(listed, str) else []
    names = [c for c in order if c in seen] + [c for c in seen if c not in order] if seen else order
    for name in dict.fromkeys(names) or ([""] if work else []):
        mine = [s for s in work if s.tag("corner") in ("", name)]
        timing = tuple(s for s in mine if s.kind == "timing")
        power = sorted((s for s in mine if s.kind == "power"), key=lambda s: s.tag("activity") == "default")
        yield Corner(name, timing, tuple(power))

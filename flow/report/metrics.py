"""``metrics.json``: every metric of a run, flat, with unit, direction and origin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flow.model.metric import REGISTRY
from flow.report.rundata import Run, StepRun, bare, mapping
from flow.report.units import number

__all__ = ["SCHEMA_VERSION", "metrics_json"]

SCHEMA_VERSION = 1

_MODIFIERS = ("pdk", "corner", "activity", "workload", "test", "seed")
_COMBINE: dict[str, Callable[[Iterable[float]], float]] = {"min": min, "max": max, "sum": sum}
_PROVENANCE = ("kind", "status", "key", "host", "attempts", "tags", "tools")


def _qualified(metric: str, step: StepRun, names: Iterable[str]) -> str:
    """Return `metric` with the step's tags as modifiers, those in the name kept."""
    found = metric
    for name in names:
        value = re.sub(r"\s+", "_", step.tag(name))
        if value and f"__{name}:" not in metric:
            found += f"__{name}:{value}"
    return found


def _entry(metric: str, value: object, **origin: object) -> dict[str, Any]:
    known = REGISTRY.get(bare(metric))
    entry: dict[str, Any] = {
        "value": value,
        "unit": known.unit if known else None,
        "higher_is_better": known.higher_is_better if known else None,
    }
    return entry | origin


def _aggregates(groups: Mapping[tuple[str, str], list[tuple[float, str]]]) -> dict[str, Any]:
    """Combine the corners of each PDK, and the tests of the run, as the registry says."""
    found = {}
    for (metric, pdk), values in groups.items():
        known = REGISTRY.get(metric)
        combine = _COMBINE.get(known.aggregate) if known else None
        if combine is None or len(values) < 2 or known is None:
            continue
        name = f"{metric}__pdk:{pdk}" if pdk else metric
        steps = [step for _, step in values]
        found[name] = _entry(metric, combine(v for v, _ in values), aggregate=known.aggregate, steps=steps)
    return found


def metrics_json(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of `run` as one flat document.

    Parameters
    ----------
    run
        The content of ``run.json``.

    Returns
    -------
    dict
        ``schema``; ``run`` (identity, verdict, the command that reproduces
        it); ``design``, ``tools`` and ``pdks`` as in ``run.json``;
        ``metrics``: METRICS2.1 name, qualified by
        ``__pdk:``, ``__corner:``, ``__test:``, ``__seed:``, to ``value``,
        ``unit``, ``higher_is_better`` and ``step`` (or ``aggregate`` and
        ``steps``), with ``reason`` where the value is null; ``steps``: what
        made them.
    """
    seen = Run(run)
    metrics: dict[str, Any] = {}
    steps: dict[str, Any] = {}
    groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
    recipes = {s.tag("recipe") for s in seen.steps if s.tag("recipe")}
    modifiers = (*_MODIFIERS, "recipe") if len(recipes) > 1 else _MODIFIERS
    for step in seen.steps:
        steps[step.name] = {k: step.raw.get(k) for k in _PROVENANCE if k in step.raw}
        for metric, value in step.metrics.items():
            name = _qualified(str(metric), step, modifiers)
            origin = (
                {"step": step.name}
                if value is not None
                else {
                    "step": step.name,
                    "reason": step.why_missing(str(metric)),
                }
            )
            metrics[name] = _entry(str(metric), value, **origin)
            known = number(value)
            if known is not None and step.tag("activity") != "default":
                groups.setdefault((bare(str(metric)), step.tag("pdk")), []).append((known, step.name))
    for name, entry in _aggregates(groups).items():
        metrics.setdefault(name, entry)
    return {
        "schema": {"name": "suzuri-metrics", "version": SCHEMA_VERSION, "grammar": "METRICS2.1"},
        "run": {**seen.info, "verdict": mapping(seen.raw.get("verdict"))},
        "design": dict(seen.design),
        "tools": list(seen.raw.get("tools") or ()),
        "pdks": list(seen.raw.get("pdks") or ()),
        "skipped_pdks": list(seen.raw.get("skipped_pdks") or ()),
        "metrics": dict(sorted(metrics.items())),
        "steps": steps,
    }

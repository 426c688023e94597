"""Tests of the accelerator: random programs of transfers and packing, by the AXI4 agent.

The accelerator's parameters come from ``SUZURI_PARAMETERS`` (a JSON object).
All that is random derives from cocotb's seed.
"""

import json
import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.agents.axi4 import AxiMemory, LiteManager
from verif.envs.accelerator.programs import REGION, random_program
from verif.envs.accelerator.reference import BASES, Expected, expect

_LIMIT = 60_000  # cycles; no healthy program comes near
_CONFIG, _CONTROL, _STATUS, _ENABLE, _FLAGS, _BASE = 0x04, 0x08, 0x0C, 0x10, 0x14, 0x20
_ID = 0x535A0001


def configured() -> AcceleratorConfig:
    """Return the accelerator that the environment variable describes."""
    parameters = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}")
    preset = AcceleratorConfig.preset(parameters.pop("preset", "8x8"))
    names = AcceleratorConfig.parameter_names()
    own = {name: value for name, value in parameters.items() if name in names}
    return AcceleratorConfig(**({name: getattr(preset, name) for name in names} | own))


async def start_up(*, latency: int, stall: float) -> tuple[AxiMemory, LiteManager]:
    """Give clock and reset, and return the memory and the registers."""
    dut, config = cocotb.top, configured()
    memory = AxiMemory(
        dut, "memory__", size=4 * REGION, width=config.bus_width, latency=latency, stall=stall,
        seed=cocotb.RANDOM_SEED,
    )  # fmt: skip
    registers = LiteManager(dut, "registers__")
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    cocotb.start_soon(memory.serve())
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return memory, registers


async def execute(memory: AxiMemory, registers: LiteManager, expected: Expected) -> None:
    """Run a program and compare memory."""
    memory.content[: len(expected.program)] = expected.program
    memory.content[REGION:] = expected.data
    for number, base in enumerate(BASES):
        await registers.write(_BASE + 4 * number, base)
    await registers.write(_ENABLE, 3)
    await registers.write(_CONTROL, 1)
    for _ in range(_LIMIT):
        await RisingEdge(cocotb.top.clk)
        if cocotb.top.interrupt.value:
            break
    else:
        raise AssertionError(f"no interrupt within {_LIMIT} cycles")
    status, _ = await registers.read(_STATUS)
    assert status & 0xFF == (0x4 | expected.code << 4 if expected.code else 0x2), f"status {status:#x}"
    assert await registers.read(_FLAGS) == (2 if expected.code else 1, 0)
    await registers.write(_FLAGS, 3)
    assert memory.content[2 * REGION :] == expected.after, "memory is not what the model leaves"
    assert memory.checker.complaints == []


async def _random(length: int, *, latency: int, stall: float) -> None:
    config = configured()
    memory, registers = await start_up(latency=latency, stall=stall)
    assert await registers.read(0) == (_ID, 0)
    program = random_program(cocotb.RANDOM_SEED, config, length=length)
    await execute(memory, registers, expect(program, config, seed=cocotb.RANDOM_SEED))
    assert memory.checker.beats["r"] > 0
    assert memory.checker.beats["w"] > 0


@cocotb.test()
async def smoke(_: object) -> None:
    """Take a short program."""
    await _random(3, latency=4, stall=0.0)


@cocotb.test()
async def random_pauses(_: object) -> None:
    """Take a program while the memory pauses."""
    await _random(10, latency=2, stall=0.4)


@cocotb.test()
async def slow_memory(_: object) -> None:
    """Take a program from a memory with a long latency."""
    await _random(10, latency=40, stall=0.05)

"""One inference of a network on the accelerator, for its switching activity and its cycles.

The files named by ``SUZURI_NETWORK`` (.tflite) and ``SUZURI_INPUTS`` (.npz with arrays ``input`` and
``output``) are in the run's folder. The first input is run, as `suzuri nn run` does, and its output is
compared. Cycles are the accelerator's own, from start to end: loading the input and the weights, and
storing the output, are among them.
"""

import json
import os
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout

from rtl.tensor.compiler.service import compile_network, parameters
from verif.agents.axi4 import AxiMemory, LiteManager

_CONTROL, _STATUS, _ENABLE, _BASE, _CYCLES = 0x08, 0x0C, 0x10, 0x20, 0x40
_LATENCY = 20  # as the simulated system of `suzuri nn`
_PAGE = 4096
_LONGEST_MS = 50  # of simulated time: five million cycles


def _pages(sizes: list[int]) -> list[int]:
    """Return where regions of these sizes begin, and where the last one ends."""
    ends = [0]
    for size in sizes:
        ends.append(-(-(ends[-1] + size) // _PAGE) * _PAGE)
    return ends


def _values() -> dict[str, int]:
    """Return the parameters of the accelerator that the environment variable describes."""
    given = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}")
    given.pop("burst_beats", None)  # concerns no program
    return parameters(given.pop("preset", "8x8"), given)


@cocotb.test()
async def inference(_: object) -> None:
    """Run the network once."""
    dut, values = cocotb.top, _values()
    network = compile_network(Path(os.environ["SUZURI_NETWORK"]), values)
    with np.load(os.environ["SUZURI_INPUTS"], allow_pickle=False) as arrays:
        given, wanted = arrays["input"][0], arrays["output"][0]
    *bases, size = _pages(
        [len(network.image), network.input_bytes, network.output_bytes, network.scratch_bytes]
    )
    memory = AxiMemory(dut, "memory__", size=max(size, _PAGE), width=values["bus_width"], latency=_LATENCY)
    region = network.input_region(given)
    memory.content[: len(network.image)] = network.image
    memory.content[bases[1] : bases[1] + len(region)] = region
    registers = LiteManager(dut, "registers__")
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    cocotb.start_soon(memory.serve())
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    for number, base in enumerate(bases):
        await registers.write(_BASE + 4 * number, base)
    await registers.write(_ENABLE, 3)
    await registers.write(_CONTROL, 1)
    await with_timeout(RisingEdge(dut.interrupt), _LONGEST_MS, "ms")
    status, _answer = await registers.read(_STATUS)
    cycles, _answer = await registers.read(_CYCLES)
    assert status & 0xFF == 2, f"status {status:#x}"
    assert memory.checker.complaints == []
    output = bytes(memory.content[bases[2] : bases[2] + network.output_bytes])
    found = network.results(output)[network.outputs[0]]
    assert (found.reshape(-1) == wanted.reshape(-1)).all(), "the output is not the expected one"
    Path(os.environ["SUZURI_WORKLOAD_FILE"]).write_text(json.dumps({"cycles": cycles}))

"""A cocotb bench that compares the filter with a model in three lines of Python."""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

COEFFS = [3, 5, 5, 3]
WIDTH = json.loads(os.environ.get("SUZURI_PARAMETERS", "{}")).get("Width", 8)


def model(samples):
    """Return what the filter makes of `samples`."""
    padded = [0] * (len(COEFFS) - 1) + samples
    return [sum(c * padded[i + k] for k, c in enumerate(COEFFS)) for i in range(len(samples))]


async def start(dut):
    """Start the clock and leave reset."""
    cocotb.start_soon(Clock(dut.clk_i, 10, "ns").start())
    dut.valid_i.value = 0
    dut.sample_i.value = 0
    dut.rst_ni.value = 0
    await ClockCycles(dut.clk_i, 2)
    dut.rst_ni.value = 1
    await RisingEdge(dut.clk_i)


async def feed(dut, samples):
    """Offer `samples` with random gaps."""
    for sample in samples:
        while random.random() < 0.3:
            dut.valid_i.value = 0
            await RisingEdge(dut.clk_i)
        dut.valid_i.value = 1
        dut.sample_i.value = sample
        await RisingEdge(dut.clk_i)
    dut.valid_i.value = 0


async def collect(dut, count):
    """Return the next `count` results."""
    results = []
    while len(results) < count:
        await RisingEdge(dut.clk_i)
        await ReadOnly()
        if dut.valid_o.value == 1:
            results.append(dut.result_o.value.to_signed())
    return results


def write_coverage(samples):
    """Tell the flow which kinds of samples were seen."""
    low, high = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
    kinds = {
        "lowest": samples.count(low),
        "highest": samples.count(high),
        "zero": samples.count(0),
        "negative": sum(s < 0 for s in samples),
        "positive": sum(s > 0 for s in samples),
    }
    bins = [{"name": name, "hits": hits, "goal": 1} for name, hits in kinds.items()]
    report = {"version": 1, "coverpoints": [{"name": "sample", "bins": bins}]}
    Path(os.environ["SUZURI_COVERAGE_FILE"]).write_text(json.dumps(report))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def matches_the_model(dut):
    """Compare random samples, and the extremes."""
    low, high = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
    samples = [low] * 5 + [high] * 5 + [0] + [random.randint(low, high) for _ in range(400)]
    await start(dut)
    results = cocotb.start_soon(collect(dut, len(samples)))
    await feed(dut, samples)
    assert await results == model(samples)
    if "SUZURI_COVERAGE_FILE" in os.environ:
        write_coverage(samples)

"""A plain cocotb bench: a receiver written in Python, and random bytes."""

import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, RisingEdge

# The flow says how the design was built.
DIVISOR = json.loads(os.environ.get("SUZURI_PARAMETERS", "{}")).get("DIVISOR", 16)


async def start(dut):
    """Start the clock and leave reset."""
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.valid.value = 0
    dut.data.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


async def send(dut, byte):
    """Offer a byte until it is taken."""
    dut.data.value = byte
    dut.valid.value = 1
    while True:
        await ReadOnly()
        taken = dut.ready.value == 1
        await RisingEdge(dut.clk)
        if taken:
            break
    dut.valid.value = 0


async def receive(dut):
    """Return the next byte from the line, sampled in the middle of each bit."""
    await FallingEdge(dut.txd)
    await ClockCycles(dut.clk, DIVISOR // 2)
    await ReadOnly()
    assert dut.txd.value == 0, "the start bit is too short"
    byte = 0
    for place in range(8):
        await ClockCycles(dut.clk, DIVISOR)
        await ReadOnly()
        byte |= int(dut.txd.value) << place
    await ClockCycles(dut.clk, DIVISOR)
    await ReadOnly()
    assert dut.txd.value == 1, "the stop bit is missing"
    return byte


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sends_random_bytes(dut):
    """Check that what goes in comes out of the line, in order."""
    await start(dut)
    sent = [0x00, 0xFF, 0x55, *(random.randrange(256) for _ in range(8))]
    received = []

    async def listen():
        for _ in sent:
            received.append(await receive(dut))

    listener = cocotb.start_soon(listen())
    for byte in sent:
        await send(dut, byte)
    await listener
    assert received == sent


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def line_is_idle_high(dut):
    """Check that nothing is sent while nothing is offered."""
    await start(dut)
    for _ in range(4 * DIVISOR):
        await RisingEdge(dut.clk)
        assert dut.txd.value == 1
        assert dut.ready.value == 1

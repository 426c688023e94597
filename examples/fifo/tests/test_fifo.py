"""Tests of the FIFO: what goes in comes out, in order, however both sides pause."""

import json
import os
import random
from collections import deque

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

DEPTH = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}").get("DEPTH", 8)


async def reset(dut):
    """Start the clock, and reset."""
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value, dut.i_valid.value, dut.o_ready.value, dut.i_data.value = 1, 0, 0, 0
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


async def exchange(dut, cycles, push, pop, held):
    """Offer and take words with these probabilities; compare with the words that it holds."""
    for cycle in range(cycles):
        offer, take, word = random.random() < push, random.random() < pop, random.getrandbits(8)
        dut.i_valid.value, dut.o_ready.value, dut.i_data.value = offer, take, word
        space, ready = len(held) < DEPTH, len(held) > 0
        assert int(dut.i_ready.value) == space, f"i_ready is {dut.i_ready.value} at level {len(held)}"
        assert int(dut.o_valid.value) == ready, f"o_valid is {dut.o_valid.value} at level {len(held)}"
        if take and ready:
            expected, found = held.popleft(), int(dut.o_data.value)
            assert found == expected, f"word {found:#04x} came out in cycle {cycle}, must be {expected:#04x}"
        if offer and space:
            held.append(word)
        await FallingEdge(dut.clk)
        level = int(dut.level.value)
        assert level == len(held), f"level is {level}, must be {len(held)}"
    return held


@cocotb.test()
async def mixed(dut):
    """Both sides pause at random."""
    await reset(dut)
    await exchange(dut, 60, random.uniform(0.2, 0.9), random.uniform(0.2, 0.9), deque())


@cocotb.test()
async def full_then_empty(dut):
    """Far more goes in than out, until it is full; then the reverse."""
    await reset(dut)
    held = await exchange(dut, 40, 0.9, 0.1, deque())
    assert len(held) >= DEPTH - 2, "it never came near to being full"
    await exchange(dut, 40, 0.1, 0.9, held)

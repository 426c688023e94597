"""Tests of the FIFO: what goes in comes out, in order, however both sides pause."""

import json
import os
import random
from collections import Counter, deque
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

DEPTH = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}").get("DEPTH", 8)


LEVELS = Counter()  # how often it held so many words
WORDS = Counter()  # what became of each word that was offered


def save_coverage():
    """Write what was seen to where the regression looks for it; run by hand, nobody asks."""
    if "SUZURI_COVERAGE_FILE" not in os.environ:
        return
    points = {
        "level": {str(level): LEVELS[level] for level in range(DEPTH + 1)},
        "offer": {name: WORDS[name] for name in ("taken", "refused", "taken while one leaves")},
    }
    listed = [
        {"name": point, "bins": [{"name": name, "hits": hits, "goal": 1} for name, hits in bins.items()]}
        for point, bins in points.items()
    ]
    text = json.dumps({"version": 1, "coverpoints": listed})
    Path(os.environ["SUZURI_COVERAGE_FILE"]).write_text(text)


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
        if offer:
            WORDS["taken" if space else "refused"] += 1
            WORDS["taken while one leaves"] += space and ready and take
        if offer and space:
            held.append(word)
        await FallingEdge(dut.clk)
        level = int(dut.level.value)
        assert level == len(held), f"level is {level}, must be {len(held)}"
        LEVELS[level] += 1
    save_coverage()
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

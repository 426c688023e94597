"""Multipliers against Python, corner cases first."""

from __future__ import annotations

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.units.multiplier import IterativeMultiplier, Multiplier

MASK = 0xFFFF_FFFF
EDGES = (0, 1, 2, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_8000, 0xFFFF_7FFF, MASK)


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def product(operation: int, a: int, b: int) -> int:
    left = a if operation == 3 else signed(a)
    right = b if operation >= 2 else signed(b)
    return (left * right >> (32 if operation else 0)) & MASK


def cases(count: int, edges=EDGES):
    source = random.Random(5)
    for a in edges:
        for b in edges:
            for operation in range(4):
                yield operation, a, b
    for _ in range(count):
        yield source.randrange(4), source.getrandbits(32), source.getrandbits(32)
        yield 0, source.getrandbits(32), signed(source.getrandbits(16) << 16) >> 16 & MASK


def simulate(dut, bench, clocked=True):
    sim = Simulator(dut)
    if clocked:
        sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("registered", [False, True])
def test_the_whole_array(registered):
    dut = Multiplier(registered=registered)

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        for operation, a, b in cases(6, (1, 0x8000_0000, MASK)):
            ctx.set(dut.operation, operation)
            ctx.set(dut.a, a)
            ctx.set(dut.b, b)
            if registered:
                await ctx.tick()
                ctx.set(dut.enable, 0)
                ctx.set(dut.operation, 0)
                ctx.set(dut.a, 0)
                await ctx.tick()
                ctx.set(dut.enable, 1)
            assert ctx.get(dut.result) == product(operation, a, b), (operation, hex(a), hex(b))

    simulate(dut, bench, registered)


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_passes(bits):
    dut = IterativeMultiplier(bits=bits)

    async def bench(ctx):
        for operation, a, b in cases(4, EDGES if bits == 16 else (0, 0x8000, 0x8000_0000, MASK)):
            ctx.set(dut.operation, operation)
            ctx.set(dut.a, a)
            ctx.set(dut.b, b)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles = 1
            while not ctx.get(dut.done):
                await ctx.tick()
                cycles += 1
            await ctx.tick()
            assert not ctx.get(dut.busy)
            assert ctx.get(dut.result) == product(operation, a, b), (operation, hex(a), hex(b))
            short = operation == 0 and -0x8000 <= signed(b) < 0x8000
            passes = 32 // bits
            assert cycles == (passes // 2 if short else 2 * passes - 1 if operation else passes)

    simulate(dut, bench)

"""The divider against Python, with the specification's corner cases."""

from __future__ import annotations

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.units.divider import Divider

MASK = 0xFFFF_FFFF
EDGES = (0, 1, 7, 0x7FFF_FFFF, 0x8000_0000, MASK)


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def expected(operation: int, a: int, b: int) -> int:
    rest, unsigned = operation >> 1, operation & 1
    if not unsigned:
        a, b = signed(a), signed(b)
    if b == 0:
        return (a if rest else -1) & MASK
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return (a - quotient * b if rest else quotient) & MASK


@pytest.mark.parametrize("early_out", [False, True])
def test_quotients_and_remainders(early_out):
    dut = Divider(early_out=early_out)
    source = random.Random(6)
    pairs = [(a, b) for a in EDGES for b in EDGES]
    for _ in range(20):
        pairs.append((source.getrandbits(32), source.getrandbits(32) >> source.randrange(32)))

    async def bench(ctx):
        for number, (a, b) in enumerate(pairs):
            operation = number % 4 if number < len(EDGES) ** 2 else source.randrange(4)
            for chosen in {operation, 0} if a in EDGES and b in EDGES else {operation}:
                ctx.set(dut.operation, chosen)
                ctx.set(dut.a, a)
                ctx.set(dut.b, b)
                ctx.set(dut.start, 1)
                await ctx.tick()
                ctx.set(dut.start, 0)
                cycles = 1
                while not ctx.get(dut.done):
                    assert ctx.get(dut.busy)
                    await ctx.tick()
                    cycles += 1
                assert ctx.get(dut.result) == expected(chosen, a, b), (chosen, hex(a), hex(b))
                magnitude = a if chosen & 1 else abs(signed(a))
                assert cycles == (3 + magnitude.bit_length() * (b != 0) if early_out else 34)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()

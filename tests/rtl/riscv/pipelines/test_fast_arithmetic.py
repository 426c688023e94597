"""The fast pipeline's multiplier, its unit for long operations, and its chained ALU."""

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.pipelines.fast.alu import ChainedAlu
from rtl.riscv.pipelines.fast.arithmetic import LongUnit, LowMultiplier

MASK = 0xFFFF_FFFF
CORNERS = (0, 1, 2, 3, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFE, MASK)


def operands(count):
    source = random.Random(7)
    pairs = [(a, b) for a in CORNERS for b in CORNERS]
    return pairs + [(source.getrandbits(32), source.getrandbits(source.randint(1, 32))) for _ in range(count)]


def signed(value):
    return value - (1 << 32) if value >> 31 else value


def expected(function, a, b):
    """Return what the instruction with this funct3 gives."""
    if function < 4:
        x = signed(a) if function != 3 else a
        y = signed(b) if function < 2 else b
        return (x * y >> (32 if function else 0)) & MASK
    x, y = (a, b) if function & 1 else (signed(a), signed(b))
    if y == 0:
        return a if function & 2 else MASK
    quotient = abs(x) // abs(y) * (-1 if (x < 0) != (y < 0) else 1)
    return (x - quotient * y if function & 2 else quotient) & MASK


def test_a_product_each_cycle():
    dut = LowMultiplier()
    pairs = operands(200)
    seen = []

    async def bench(ctx):
        for a, b in [*pairs, (0, 0)]:
            ctx.set(dut.a, a)
            ctx.set(dut.b, b)
            seen.append(ctx.get(dut.result))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[1:] == [a * b & MASK for a, b in pairs]


@pytest.mark.parametrize("early_out", [True, False])
def test_long_operations(early_out):
    dut = LongUnit(early_out=early_out)
    longest = 0

    async def bench(ctx):
        nonlocal longest
        for number, (a, b) in enumerate(operands(60)):
            for function in range(8) if number < 90 else (4, 7):
                ctx.set(dut.a, a)
                ctx.set(dut.b, b)
                ctx.set(dut.function, function)
                ctx.set(dut.start, 1)
                await ctx.tick()
                ctx.set(dut.start, 0)
                cycles = 1
                while ctx.get(dut.busy):
                    await ctx.tick()
                    cycles += 1
                longest = max(longest, cycles)
                assert ctx.get(dut.result) == expected(function, a, b), (function, hex(a), hex(b))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert longest == 34


def test_early_out_skips_the_dividends_zeros():
    dut = LongUnit(early_out=True)
    taken = {}

    async def bench(ctx):
        for a in (0xFFFF_FFFF, 0xFF, 0x1):
            ctx.set(dut.a, a)
            ctx.set(dut.b, 3)
            ctx.set(dut.function, 5)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            taken[a] = 1
            while ctx.get(dut.busy):
                await ctx.tick()
                taken[a] += 1
            assert ctx.get(dut.result) == a // 3

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert taken == {0xFFFF_FFFF: 34, 0xFF: 16, 0x1: 13}


def test_logic_extensions_and_shifts_chain():
    dut = ChainedAlu(CoreConfig.preset("fast"))

    async def bench(ctx):
        source = random.Random(3)
        for _ in range(50):
            a, b, quick, whole = (source.getrandbits(32) for _ in range(4))
            for port, value in (("a", a), ("b", b), ("quick", quick), ("whole", whole)):
                ctx.set(getattr(dut, port), value)
            ctx.set(dut.chain_a, 1)
            ctx.set(dut.chain_b, 0)
            ctx.set(dut.control.logic, 1)
            ctx.set(dut.control.logic_xor, 1)
            assert ctx.get(dut.result) == whole ^ b
            ctx.set(dut.control.logic, 0)
            ctx.set(dut.control.shift, 1)
            assert ctx.get(dut.result) == quick >> (b & 31)
            ctx.set(dut.control.shift, 0)
            ctx.set(dut.control.extension, 1)
            ctx.set(dut.control.half, 1)
            ctx.set(dut.control.signed_extension, 1)
            assert ctx.get(dut.result) == ((whole & 0xFFFF) ^ 0x8000) - 0x8000 & MASK
            ctx.set(dut.control.extension, 0)
            ctx.set(dut.control.sum, 1)
            assert ctx.get(dut.result) == (a + b) & MASK, "an addition is never chained"
            ctx.set(dut.control.sum, 0)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()

"""The register files against a list."""

from __future__ import annotations

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.units.registers import MemoryRegisterFile, RegisterFile


def simulate(dut, bench):
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize(("registers", "writes"), [(32, 1), (16, 1), (32, 2)])
def test_flip_flops(registers, writes):
    dut = RegisterFile(registers=registers, reads=3, writes=writes)
    source = random.Random(7)
    model = [0] * registers

    async def bench(ctx):
        for number in range(registers):
            ctx.set(dut.write_enable, 1)
            ctx.set(dut.write_number[0], number)
            ctx.set(dut.write_data[0], number * 0x0101_0101)
            model[number] = number * 0x0101_0101
            await ctx.tick()
        for _ in range(60):
            for port in range(writes):
                number, value = source.randrange(registers), source.getrandbits(32)
                ctx.set(dut.write_number[port], number)
                ctx.set(dut.write_data[port], value)
                if number:
                    model[number] = value
            ctx.set(dut.write_enable, (1 << writes) - 1)
            await ctx.tick()
            for port in range(3):
                number = source.randrange(registers)
                ctx.set(dut.read_number[port], number)
                assert ctx.get(dut.read_data[port]) == model[number]

    simulate(dut, bench)


def test_a_memory_shows_what_is_being_written_and_keeps_x0_zero():
    dut = MemoryRegisterFile()
    source = random.Random(8)
    model = [0] * 32

    async def bench(ctx):
        for cycle in range(150):
            number, value = (cycle, cycle) if cycle < 32 else (source.randrange(32), source.getrandbits(32))
            wanted = [source.choice((number, source.randrange(32))) for _ in range(2)]
            ctx.set(dut.write_enable, 1)
            ctx.set(dut.write_number[0], number)
            ctx.set(dut.write_data[0], value)
            for port in range(2):
                ctx.set(dut.read_number[port], wanted[port])
            await ctx.tick()
            model[number] = value if number else 0
            if cycle >= 32:
                assert [ctx.get(dut.read_data[port]) for port in range(2)] == [model[n] for n in wanted]

    simulate(dut, bench)

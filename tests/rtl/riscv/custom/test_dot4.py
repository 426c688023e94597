"""The example custom unit agrees with its model, and refuses what it does not know."""

import random

from amaranth.sim import Simulator

from rtl.riscv.custom.dot4 import Dot4Unit, dot4


def test_unit_agrees_with_model():
    rng = random.Random(4)
    dut = Dot4Unit()
    bus = dut.bus

    async def request(ctx, word, rs1, rs2):
        ctx.set(bus.request_valid, 1)
        ctx.set(bus.instruction, word)
        ctx.set(bus.rs1, rs1)
        ctx.set(bus.rs2, rs2)
        await ctx.tick().until(bus.request_ready)
        ctx.set(bus.request_valid, 0)
        ctx.set(bus.rs1, 0)
        while not ctx.get(bus.response_valid):
            await ctx.tick()
        result = ctx.get(bus.response_data), ctx.get(bus.response_error)
        await ctx.tick()
        return result

    async def bench(ctx):
        accumulator = 0
        for _ in range(300):
            function, rs1, rs2 = rng.randrange(3), rng.getrandbits(32), rng.getrandbits(32)
            if rng.random() < 0.2:
                rs1 = rs2 = 0x8080_8080
            got = await request(ctx, 0x0B | function << 12, rs1, rs2)
            if function == 0:
                assert got == (dot4(rs1, rs2), 0)
            elif function == 1:
                accumulator = dot4(rs1, rs2, accumulator)
                assert got == (accumulator, 0)
            else:
                assert got == (accumulator, 0)
                accumulator = rs1
            for word in (0x0B | 3 << 12, 0x2B, 0x0B | 1 << 25 | 1 << 12):
                assert (await request(ctx, word, rs1, rs2))[1] == 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()

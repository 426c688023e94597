# amaranth: UnusedElaboratable=no
"""The JTAG transport: port, registers, clocks of any ratio, and a core behind it."""

from __future__ import annotations

import pytest
from amaranth.sim import Simulator
from debug_system import BASE, DebugSystem, jtag, jtag_driver, run_system

from rtl.riscv.debug.jtag import JtagTransport
from verif.agents.debug import Halt, JtagDriver

IDCODE, DTMCS, DMI, BYPASS = 0x01, 0x10, 0x11, 0x1F
CYCLE = 1e-8


def run_port(bench: object, half_period: float = 0.7 * CYCLE, delay: int = 0, **options: int) -> list[tuple]:
    """Run a bench on the transport alone, before 128 registers; return their accesses."""
    dut = JtagTransport(**options)
    registers = [0x1111_0000 + index for index in range(128)]
    accesses: list[tuple] = []

    async def target(ctx: object) -> None:
        bus = dut.dmi
        while True:
            *_, request, write, address, data = await ctx.tick().sample(
                bus.request, bus.write, bus.address, bus.write_data
            )
            if request:
                accesses.append((write, address, data))
                if delay:
                    await ctx.tick().repeat(delay)
                ctx.set(bus.read_data, registers[address])
                if write:
                    registers[address] = data
                ctx.set(bus.response, 1)
                await ctx.tick()
                ctx.set(bus.response, 0)

    async def process(ctx: object) -> None:
        await bench(jtag_driver(ctx, dut.jtag, half_period))

    simulator = Simulator(dut)
    simulator.add_clock(CYCLE)
    simulator.add_process(target)
    simulator.add_testbench(process)
    simulator.run()
    return accesses


def dmi(operation: int, address: int = 0, value: int = 0) -> int:
    return address << 34 | value << 2 | operation


def test_idcode_is_selected_by_reset() -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        assert await port.shift_data(0, 32) == 0x1234_5ABD
        assert await port.shift_instruction(BYPASS) & 3 == 1
        await port.reset()
        assert await port.shift_data(0, 32) == 0x1234_5ABD

    run_port(bench, idcode=0x1234_5ABD)


@pytest.mark.parametrize("instruction", [BYPASS, 0x00, 0x12, 0x0F])
def test_everything_else_bypasses(instruction: int) -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        await port.shift_instruction(instruction)
        assert await port.shift_data(0b1011_0011_1010, 12) == 0b1011_0011_1010 << 1 & 0xFFF

    run_port(bench)


def test_a_scan_may_pause() -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        for tms in (1, 0, 0):
            await port.clock(tms)
        low = 0
        for index in range(16):
            low |= await port.clock(index == 15) << index
        for tms in (0, 0, 0, 1, 0):  # Pause-DR for a while, Exit2-DR, Shift-DR
            await port.clock(tms)
        high = 0
        for index in range(16):
            high |= await port.clock(index == 15) << index
        await port.clock(1)
        await port.clock(0)
        assert high << 16 | low == 0x8765_4321

    run_port(bench, idcode=0x8765_4321)


@pytest.mark.parametrize("half_period", [0.23 * CYCLE, 0.5 * CYCLE, 0.7 * CYCLE, 4.1 * CYCLE])
def test_accesses_cross_between_any_clocks(half_period: float) -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        await port.shift_instruction(DTMCS)
        dtmcs = await port.shift_data(0, 32)
        assert dtmcs & 0xF == 1
        assert dtmcs >> 4 & 0x3F == 7
        assert dtmcs >> 10 & 3 == 0
        await port.shift_instruction(DMI)
        for index in (0, 0x10, 0x7F):
            await port.shift_data(dmi(1, index), 41)
            await port.idle(40)
            out = await port.shift_data(dmi(2, index, 0xA5A5_0000 + index), 41)
            assert out & 3 == 0
            assert out >> 2 & 0xFFFF_FFFF == 0x1111_0000 + index
            assert out >> 34 == index
            await port.idle(40)
            await port.shift_data(dmi(1, index), 41)
            await port.idle(40)
            out = await port.shift_data(dmi(0), 41)
            assert out >> 2 & 0xFFFF_FFFF == 0xA5A5_0000 + index

    accesses = run_port(bench, half_period)
    kinds = [(write, address) for write, address, _data in accesses]
    assert kinds == [(write, index) for index in (0, 0x10, 0x7F) for write in (0, 1, 0)]


def test_too_early_is_busy_until_it_is_reset() -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        await port.shift_instruction(DMI)
        await port.shift_data(dmi(2, 5, 1), 41)
        assert await port.shift_data(dmi(2, 6, 1), 41) & 3 == 3
        await port.idle(1000)
        assert await port.shift_data(dmi(2, 7, 1), 41) & 3 == 3
        await port.shift_instruction(DTMCS)
        assert await port.shift_data(1 << 16, 32) >> 10 & 3 == 3
        assert await port.shift_data(0, 32) >> 10 & 3 == 0
        await port.shift_instruction(DMI)
        assert await port.shift_data(dmi(2, 8, 1), 41) & 3 == 0
        await port.idle(1000)

    accesses = run_port(bench, delay=200)
    assert [address for _write, address, _data in accesses] == [5, 8]


def test_looking_too_early_is_busy_as_well() -> None:
    async def bench(port: JtagDriver) -> None:
        await port.reset()
        await port.shift_instruction(DMI)
        await port.shift_data(dmi(2, 5, 1), 41)
        assert await port.shift_data(dmi(0), 41) & 3 == 3
        await port.idle(1000)
        assert await port.shift_data(dmi(2, 6, 1), 41) & 3 == 3

    assert [address for _write, address, _data in run_port(bench, delay=200)] == [5]


@pytest.mark.parametrize("idcode", [0, 2, 1 << 32])
def test_idcode_is_checked(idcode: int) -> None:
    with pytest.raises(ValueError, match=f"idcode must be an odd number of 32 bits, not {idcode:#x}"):
        JtagTransport(idcode=idcode)


@pytest.mark.parametrize("half_period", [0.31 * CYCLE, pytest.param(3.7 * CYCLE, marks=pytest.mark.nightly)])
def test_a_core_behind_jtag(half_period: float) -> None:
    program = [0x0000_0093, 0x0010_8093, 0xFFDF_F06F]  # x1 = 0; loop: x1 += 1
    system = DebugSystem("nano", program, debug="jtag")

    async def bench(ctx: object) -> None:
        debugger, transport = jtag(ctx, system, half_period)
        assert await transport.examine() == 1
        assert await debugger.examine() == 0x4000_0100
        count = await debugger.read_register(0x1001)
        place = await debugger.read_register(0x7B1)
        assert place in (BASE, BASE + 4, BASE + 8)
        assert await debugger.step() == Halt.STEP
        assert await debugger.step() == Halt.STEP
        assert await debugger.read_register(0x1001) in (count + 1, 0, 1)

    run_system(system, bench)

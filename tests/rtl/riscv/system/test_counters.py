"""Cycles and retired instructions: 64 bits, inhibited, written, stopped."""

from __future__ import annotations

from system_port import SystemDriver, run_unit

LOW, HIGH = 0xB02, 0xB82  # minstret
CYCLE, CYCLEH = 0xB00, 0xB80


def test_cycles_count_and_carry() -> None:
    async def bench(unit: SystemDriver) -> None:
        start = await unit.read(CYCLE)
        await unit.idle(10)
        assert await unit.read(CYCLE) == start + 11
        await unit.write(CYCLEH, 6)
        await unit.write(CYCLE, 0xFFFF_FFFE)
        assert await unit.read(CYCLE) == 0xFFFF_FFFE
        assert await unit.read(CYCLEH) == 6
        assert await unit.read(CYCLEH) == 7
        assert await unit.read(CYCLE) == 1

    run_unit(bench)


def test_retired_instructions_count_and_carry() -> None:
    async def bench(unit: SystemDriver) -> None:
        ctx, port = unit.ctx, unit.port
        await unit.idle(5)
        assert await unit.read(LOW) == 0
        ctx.set(port.retired, 1)
        await unit.idle(5)
        ctx.set(port.retired, 0)
        assert await unit.read(LOW) == 5
        # The write itself retires, and takes precedence over that.
        ctx.set(port.retired, 1)
        await unit.write(LOW, 0xFFFF_FFFF)
        ctx.set(port.retired, 0)
        assert await unit.read(LOW) == 0xFFFF_FFFF
        ctx.set(port.retired, 1)
        await unit.idle()
        ctx.set(port.retired, 0)
        assert await unit.read(LOW) == 0
        assert await unit.read(HIGH) == 1
        ctx.set(port.retired, 1)
        await unit.write(HIGH, 0xFFFF_FFFF)
        ctx.set(port.retired, 0)
        assert await unit.read(LOW) == 0
        assert await unit.read(HIGH) == 0xFFFF_FFFF

    run_unit(bench)


def test_two_retire_in_a_cycle() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(LOW, 0xFFFF_FFFD)
        for retired in (2, 1, 0, 2):
            unit.ctx.set(unit.port.retired, retired)
            await unit.idle()
        unit.ctx.set(unit.port.retired, 0)
        assert await unit.read(LOW) == 2
        assert await unit.read(HIGH) == 1

    run_unit(bench, "fast")


def test_inhibited_counters_hold() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x320, 0b001)
        value = await unit.read(CYCLE)
        unit.ctx.set(unit.port.retired, 1)
        await unit.idle(4)
        unit.ctx.set(unit.port.retired, 0)
        assert await unit.read(CYCLE) == value
        assert await unit.read(LOW) == 4
        await unit.write(0x320, 0b100)
        unit.ctx.set(unit.port.retired, 1)
        await unit.idle(4)
        unit.ctx.set(unit.port.retired, 0)
        assert await unit.read(CYCLE) > value
        assert await unit.read(LOW) == 4

    run_unit(bench)


def test_debug_mode_stops_counters() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0)
        value = await unit.read(CYCLE)
        unit.ctx.set(unit.port.retired, 1)
        await unit.idle(4)
        assert await unit.read(CYCLE) == value
        assert await unit.read(LOW) == 0
        await unit.strobe("dret")
        await unit.idle(3)
        assert await unit.read(LOW) == 3

    run_unit(bench, debug="direct")

"""Every CSR: whether it is there, its reset value, which bits can be written, in which mode."""

from __future__ import annotations

import pytest
from system_port import CLEAR, SET, WRITE, SystemDriver, run_unit

ALL = 0xFFFF_FFFF
COUNTERS = {0xB00: ALL, 0xB02: ALL, 0xB80: ALL, 0xB82: ALL, 0x320: 0b101}
EVENTS = [*range(0xB03, 0xB20), *range(0xB83, 0xBA0), *range(0x323, 0x340)]
# address: (reset value, what can be written); None for a register that the unit writes by itself
MACHINE = {
    0x300: (0x1800, 0x0088),
    0x301: (0x4000_1104, 0),
    0x304: (0, 0x888),
    0x305: (0, 0xFFFF_FFFD),
    0x310: (0, 0),
    0x340: (0, ALL),
    0x341: (0, 0xFFFF_FFFE),
    0x342: (0, 0x8000_000F),
    0x343: (0, ALL),
    0x344: (0, 0),
    0xF11: (0, 0),
    0xF12: (0, 0),
    0xF13: (0, 0),
    0xF14: (0, 0),
    0xF15: (0, 0),
    **dict.fromkeys(EVENTS, (0, 0)),
    **{address: (0, mask) for address, mask in COUNTERS.items()},
}
USER_COUNTERS = dict.fromkeys((3072, 3073, 3074, 3200, 3201, 3202), (0, 0))
USER = {
    0x300: (0, 0x22_1888),
    0x301: (0x4010_1104, 0),
    0x306: (0, 0b111),
    0x30A: (0, 0),
    0x31A: (0, 0),
}
LOCAL = {
    0x304: (0, 0x000F_0888),
    0x342: (0, 0x8000_001F),
}
PROTECTION = {
    **dict.fromkeys(range(0x3B0, 0x3B4), (0, ALL)),
    0x3A0: (0, 0x1F1F_1F1F),  # and the locks, which stay, see test_pmp
    **dict.fromkeys((*range(0x3A1, 0x3B0), *range(0x3B4, 0x3F0)), (0, 0)),
}
CONFIGURATIONS = {
    "small": ({}, MACHINE | USER_COUNTERS),
    "without C": ({"c": False}, MACHINE | USER_COUNTERS | {0x301: (0x4000_1100, 0), 0x341: (0, ALL - 3)}),
    "user": ({"user_mode": True}, MACHINE | USER_COUNTERS | USER),
    "local": ({"local_interrupts": 4}, MACHINE | USER_COUNTERS | LOCAL),
    "pmp": ({"pmp_regions": 4}, MACHINE | USER_COUNTERS | PROTECTION),
    "debug": ({"debug": "direct", "hart_id": 5}, MACHINE | USER_COUNTERS | {0xF14: (5, 0)}),
    "no counters": (
        {"zicntr": False},
        {address: (reset, 0 if address in COUNTERS else mask) for address, (reset, mask) in MACHINE.items()},
    ),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_reset_value_and_writable_bits(name: str) -> None:
    options, expected = CONFIGURATIONS[name]

    async def bench(unit: SystemDriver) -> None:
        assert unit.readable() == set(expected)
        await unit.write(0x320, ALL)
        assert await unit.read(0x320) == expected[0x320][1]
        await unit.write(0xB00, 0)  # what it has counted
        for address, (reset, mask) in expected.items():
            if address in (0x305, 0x320):
                continue  # what mtvec can hold depends on its mode, see below
            assert await unit.read(address) == reset, f"{address:#x}"
            keep = reset & ~mask
            old = await unit.write(address, ALL if address != 0x3A0 else 0x7F7F_7F7F)
            if address >> 10 == 3:  # read-only by its number
                assert old is None, f"{address:#x} must not be written"
                continue
            assert await unit.read(address) == keep | mask, f"{address:#x}"
            await unit.write(address, 0)
            assert await unit.read(address) == keep, f"{address:#x}"
        await unit.write(0x320, 0)
        assert await unit.read(0x320) == 0

    run_unit(bench, **options)


def test_debug_registers_exist_in_debug_mode_alone() -> None:
    async def bench(unit: SystemDriver) -> None:
        before = unit.readable()
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0x8000_1236)
        assert unit.debug_mode
        assert unit.readable() - before == {0x7B0, 0x7B1, 0x7B2}
        assert await unit.read(0x7B0) == 0x4000_04C3  # the cause is 3
        assert await unit.write(0x7B1, 0x1235) == 0x8000_1236
        assert unit.dret_target == 0x1234
        unit.ctx.set(unit.port.debug_data_in, 0xCAFE_F00D)
        assert await unit.read(0x7B2) == 0xCAFE_F00D
        await unit.write(0x7B0, ALL)
        assert await unit.read(0x7B0) == 0x4000_84C7
        assert unit.debug_step
        assert unit.debug_ebreak
        await unit.strobe("dret")
        assert not unit.debug_mode

    run_unit(bench, debug="direct")


def test_the_window_of_the_debugger_strobes_when_written() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0)
        ctx, port = unit.ctx, unit.port
        ctx.set(port.csr_address, 0x7B2)
        ctx.set(port.csr_operation, WRITE)
        ctx.set(port.csr_operand, 0x1234_5678)
        ctx.set(port.csr_write, 1)
        assert not ctx.get(port.debug_data_write)
        ctx.set(port.csr_commit, 1)
        assert ctx.get(port.debug_data_write)
        assert ctx.get(port.debug_data_out) == 0x1234_5678
        ctx.set(port.csr_write, 0)
        assert not ctx.get(port.debug_data_write)

    run_unit(bench, debug="direct")


def test_write_set_and_clear() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x340, 0x0F0F_1234)
        assert await unit.access(0x340, 0xFF00_0001, SET) == 0x0F0F_1234
        assert await unit.access(0x340, 0x0F00_0010, CLEAR) == 0xFF0F_1235
        assert await unit.access(0x340, 0xFFFF_FFFF, SET, write=False) == 0xF00F_1225
        assert await unit.access(0x340, 0xFFFF_FFFF, CLEAR, write=False) == 0xF00F_1225
        assert await unit.access(0x340, 0, WRITE) == 0xF00F_1225
        assert await unit.read(0x340) == 0

    run_unit(bench)


def test_an_access_without_commit_changes_nothing() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x340, 7)
        unit.ctx.set(unit.port.csr_operand, 9)
        unit.ctx.set(unit.port.csr_write, 1)
        await unit.idle(3)
        assert await unit.read(0x340) == 7

    run_unit(bench)


@pytest.mark.parametrize("local", [0, 8])
def test_vectored_table_is_aligned(local: int) -> None:
    """So that a handler's address needs no adder: 64 bytes, 128 with local interrupts."""
    table = 0x7C if local else 0x3C

    async def bench(unit: SystemDriver) -> None:
        for value in (0x8000_1234, 0x8000_1235, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x41, 2):
            await unit.write(0x305, value)
            expected = value & ~2
            if value & 1:
                expected &= ~table
            assert await unit.read(0x305) == expected

    run_unit(bench, local_interrupts=local)


def test_user_mode_reaches_only_what_it_may() -> None:
    async def bench(unit: SystemDriver) -> None:
        for enabled in (0, 5, 2):
            await unit.write(0x306, enabled)
            await unit.user_mode()
            assert unit.mode == 0
            may = {address for address in USER_COUNTERS if enabled >> (address & 3) & 1}
            assert unit.readable() == may
            await unit.trap(11)
            assert unit.mode == 3
            for address in USER_COUNTERS:
                assert await unit.read(address) is not None

    run_unit(bench, user_mode=True)


@pytest.mark.parametrize(
    ("address", "cut"),
    [(0xB00, 0xC00), (0xB02, 0xC02), (0xB80, 0xC80), (0xB82, 0xC82)],
)
def test_user_counters_mirror_the_machine_counters(address: int, cut: int) -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x320, 0b101)
        await unit.write(address, 0x1234_5678 + address)
        assert await unit.read(cut) == 0x1234_5678 + address

    run_unit(bench)


def test_time_is_the_input() -> None:
    async def bench(unit: SystemDriver) -> None:
        unit.ctx.set(unit.unit.time, 0x0123_4567_89AB_CDEF)
        assert await unit.read(0xC01) == 0x89AB_CDEF
        assert await unit.read(0xC81) == 0x0123_4567

    run_unit(bench)

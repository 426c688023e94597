"""Trap entry and return, modes, interrupts and their priority."""

from __future__ import annotations

import itertools
import random

import pytest
from system_port import SystemDriver, run_unit

from rtl.riscv.config import CoreConfig
from rtl.riscv.system.traps import interrupt_causes

MSTATUS, MIE, MTVEC, MEPC, MCAUSE, MTVAL, MIP = 0x300, 0x304, 0x305, 0x341, 0x342, 0x343, 0x344


def test_an_exception_is_recorded() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(MTVEC, 0x8000_0100)
        await unit.write(MSTATUS, 0x8)
        assert await unit.trap(5, pc=0x8000_0042, value=0xDEAD_BEEF) == 0x8000_0100
        assert await unit.read(MEPC) == 0x8000_0042
        assert await unit.read(MCAUSE) == 5
        assert await unit.read(MTVAL) == 0xDEAD_BEEF
        assert await unit.read(MSTATUS) == 0x1880
        assert unit.mret_target == 0x8000_0042
        await unit.strobe("mret")
        assert await unit.read(MSTATUS) == 0x1888

    run_unit(bench)


@pytest.mark.parametrize("local", [0, 16])
def test_vectored_interrupts(local: int) -> None:
    config = CoreConfig.preset("small", local_interrupts=local)

    async def bench(unit: SystemDriver) -> None:
        await unit.write(MTVEC, 0x8000_4081)
        base = 0x8000_4080
        for cause in interrupt_causes(config):
            assert await unit.trap(cause, interrupt=True) == base + 4 * cause
            assert await unit.read(MCAUSE) == 0x8000_0000 | cause
        for cause in (0, 2, 7, 11):
            assert await unit.trap(cause) == base
            assert await unit.read(MCAUSE) == cause
        await unit.write(MTVEC, base)
        assert await unit.trap(11, interrupt=True) == base

    run_unit(bench, local_interrupts=local)


def test_modes_nest_and_return() -> None:
    async def bench(unit: SystemDriver) -> None:
        assert unit.mode == 3
        assert not unit.mret_illegal
        await unit.user_mode()
        assert unit.mode == 0
        assert unit.mret_illegal
        await unit.trap(8)
        assert unit.mode == 3
        assert await unit.read(MSTATUS) == 0x0000  # MPP is user mode; MIE was 0
        await unit.trap(2)
        assert await unit.read(MSTATUS) == 0x1800
        await unit.strobe("mret")
        assert unit.mode == 3
        assert await unit.read(MSTATUS) == 0x0080  # and MPP is the least privileged mode
        await unit.strobe("mret")
        assert unit.mode == 0

    run_unit(bench, user_mode=True)


@pytest.mark.parametrize(("written", "legal"), [(0, 0), (1, 0), (2, 0), (3, 3)])
def test_previous_mode_is_legalised(written: int, legal: int) -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(MSTATUS, written << 11)
        assert await unit.read(MSTATUS) == legal << 11

    run_unit(bench, user_mode=True)


def test_loads_and_stores_in_the_previous_mode() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(MSTATUS, 1 << 17 | 3 << 11)
        assert (unit.mode, unit.data_mode) == (3, 3)
        await unit.write(MSTATUS, 1 << 17)
        assert (unit.mode, unit.data_mode) == (3, 0)
        await unit.trap(2)
        assert (unit.mode, unit.data_mode) == (3, 3)
        assert await unit.read(MSTATUS) == 1 << 17 | 3 << 11
        await unit.strobe("mret")  # to machine mode: MPRV stays
        assert await unit.read(MSTATUS) == 1 << 17 | 1 << 7
        assert unit.data_mode == 0
        await unit.strobe("mret")  # to user mode: MPRV falls
        assert (unit.mode, unit.data_mode) == (0, 0)
        await unit.trap(2)
        assert await unit.read(MSTATUS) & 1 << 17 == 0

    run_unit(bench, user_mode=True)


def test_wfi_may_be_forbidden_in_user_mode() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(MSTATUS, 1 << 21 | 3 << 11)
        assert not unit.wfi_illegal
        await unit.user_mode()
        assert not unit.wfi_illegal
        await unit.trap(2)
        await unit.user_mode(1 << 21)
        assert unit.wfi_illegal

    run_unit(bench, user_mode=True)


def set_lines(unit: SystemDriver, causes: set[int]) -> None:
    lines = unit.unit.interrupts
    unit.ctx.set(lines.software, 3 in causes)
    unit.ctx.set(lines.timer, 7 in causes)
    unit.ctx.set(lines.external, 11 in causes)
    if hasattr(lines, "local"):
        unit.ctx.set(lines.local, sum(1 << (cause - 16) for cause in causes if cause >= 16))


@pytest.mark.parametrize("local", [0, 3])
def test_the_most_urgent_interrupt_is_offered(local: int) -> None:
    order = [11, 3, 7, *range(15 + local, 15, -1)]
    assert interrupt_causes(CoreConfig.preset("small", local_interrupts=local)) == order
    rng = random.Random(7)

    async def bench(unit: SystemDriver) -> None:
        await unit.write(MSTATUS, 8)
        for _ in range(150):
            lines = {cause for cause in order if rng.random() < 0.4}
            enabled = {cause for cause in order if rng.random() < 0.6}
            set_lines(unit, lines)
            await unit.write(MIE, sum(1 << cause for cause in enabled))
            assert await unit.read(MIP) == sum(1 << cause for cause in lines)
            active = [cause for cause in order if cause in lines & enabled]
            assert unit.interrupt == bool(active)
            assert unit.wake == bool(active)
            if active:
                assert unit.interrupt_cause == active[0]

    run_unit(bench, local_interrupts=local)


def test_interrupts_are_masked_by_mode_and_status() -> None:
    async def bench(unit: SystemDriver) -> None:
        set_lines(unit, {7})
        await unit.write(MIE, 1 << 7)
        await unit.idle()
        for machine, enable in itertools.product((True, False), (0, 8)):
            if machine:
                await unit.write(MSTATUS, enable)
            else:
                await unit.user_mode(enable << 4)
            assert unit.wake
            assert unit.interrupt == (not machine or enable != 0)
            if not machine:
                await unit.trap(7, interrupt=True)
                assert not unit.interrupt

    run_unit(bench, user_mode=True)


def test_no_interrupt_in_debug_mode_or_a_step() -> None:
    async def bench(unit: SystemDriver) -> None:
        set_lines(unit, {7})
        await unit.write(MIE, 1 << 7)
        await unit.write(MSTATUS, 8)
        assert unit.interrupt
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0)
        assert not unit.interrupt
        await unit.write(0x7B0, 4)
        await unit.strobe("dret")
        assert unit.debug_step
        assert not unit.interrupt
        await unit.strobe("debug_enter", debug_cause=4, debug_pc=0)
        await unit.write(0x7B0, 0)
        await unit.strobe("dret")
        assert unit.interrupt

    run_unit(bench, debug="direct")


def test_debug_mode_keeps_the_mode() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.user_mode()
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0x100)
        assert unit.mode == 3
        assert await unit.read(0x7B0) == 0x4000_04C0
        await unit.write(0x7B0, 1 << 12)  # EBREAK halts in user mode
        await unit.strobe("dret")
        assert unit.mode == 0
        assert unit.debug_ebreak
        await unit.trap(8)
        assert not unit.debug_ebreak
        await unit.write(MSTATUS, 1 << 17)
        assert unit.data_mode == 0
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0x100)
        assert unit.data_mode == 3
        assert await unit.read(0x7B0) == 0x4000_14C3
        await unit.write(0x7B0, 0)
        await unit.strobe("dret")
        assert unit.mode == 0
        await unit.trap(8)
        assert await unit.read(MSTATUS) & 1 << 17 == 0  # left debug mode for user mode

    run_unit(bench, user_mode=True, debug="direct")


def test_state_shows_the_registers() -> None:
    async def bench(unit: SystemDriver) -> None:
        values = {
            0x340: 0x1234_5678,
            0x343: 0x9ABC_DEF0,
            0x341: 0x8000_0010,
            0x304: 0x888,
            0x305: 0x8000_0000,
        }
        for address, value in values.items():
            await unit.write(address, value)
        state = unit.port.state
        shown = {0x340: state.mscratch, 0x343: state.mtval, 0x341: state.mepc, 0x304: state.mie}
        shown |= {0x305: state.mtvec, 0x300: state.mstatus, 0x342: state.mcause, 0x344: state.mip}
        for address, signal in shown.items():
            assert await unit.read(address) == unit.ctx.get(signal)

    run_unit(bench)

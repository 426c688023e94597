# amaranth: UnusedElaboratable=no
"""Triggers: registers, who may write them, where they fire."""

from __future__ import annotations

import itertools

import pytest
from amaranth.sim import Simulator
from system_port import SystemDriver, run_unit

from rtl.riscv.config import CoreConfig
from rtl.riscv.system.triggers import TriggerChecker, TriggerRegisters

TSELECT, TDATA1, TDATA2, TDATA3, TINFO = range(0x7A0, 0x7A5)
LOAD, STORE, EXECUTE, USER, MACHINE = 1, 2, 4, 8, 64
HALT, LOCKED, TYPE = 1 << 12, 1 << 27, 2 << 28
OPTIONS = {"debug": "direct", "triggers": 2, "user_mode": True}


def test_registers_are_enumerated_as_debuggers_do() -> None:
    async def bench(unit: SystemDriver) -> None:
        for index in range(4):
            await unit.write(TSELECT, index)
            assert await unit.read(TSELECT) == min(index, 1)
        assert await unit.read(TINFO) == 0x0100_0004
        assert await unit.read(TDATA1) == TYPE
        assert await unit.read(TDATA3) == 0
        await unit.write(TDATA1, 0xFFFF_FFFF)
        await unit.write(TDATA2, 0x1234)
        await unit.write(TSELECT, 0)
        assert await unit.read(TDATA1) == TYPE
        assert await unit.read(TDATA2) == 0
        await unit.write(TSELECT, 1)
        # Neither locked nor halting: this was not the debugger.
        assert await unit.read(TDATA1) == TYPE | LOAD | STORE | EXECUTE | USER | MACHINE
        assert await unit.read(TDATA2) == 0x1234
        await unit.write(TDATA1, TYPE | LOCKED | HALT | MACHINE | EXECUTE)
        assert await unit.read(TDATA1) == TYPE | MACHINE | EXECUTE

    run_unit(bench, **OPTIONS)


def test_the_debugger_can_keep_a_trigger_for_itself() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0)
        value = TYPE | LOCKED | HALT | MACHINE | EXECUTE
        await unit.write(TDATA1, value)
        await unit.write(TDATA2, 0x8000_0000)
        armed = unit.unit.triggers[0]
        assert not unit.ctx.get(armed.execute), "nothing fires in debug mode"
        await unit.strobe("dret")
        assert unit.ctx.get(armed.execute)
        assert unit.ctx.get(armed.debug)
        await unit.write(TDATA1, 0)
        await unit.write(TDATA2, 0)
        assert await unit.read(TDATA1) == value
        assert await unit.read(TDATA2) == 0x8000_0000

    run_unit(bench, **OPTIONS)


def test_triggers_are_armed_by_mode() -> None:
    async def bench(unit: SystemDriver) -> None:
        armed = unit.unit.triggers[0]
        for modes in (0, MACHINE, USER, MACHINE | USER):
            await unit.write(TDATA1, TYPE | modes | LOAD)
            await unit.write(0x300, 8)
            assert unit.ctx.get(armed.load) == bool(modes & MACHINE)
            await unit.write(0x300, 0)
            assert not unit.ctx.get(armed.load), "no breakpoint exception inside of a handler"
            await unit.user_mode()
            assert unit.ctx.get(armed.load) == bool(modes & USER)
            assert not unit.ctx.get(armed.store)
            await unit.trap(11)

    run_unit(bench, **OPTIONS)


def test_checker() -> None:
    dut = TriggerChecker(CoreConfig.preset("small", debug="direct", triggers=2))

    async def bench(ctx: object) -> None:
        ctx.set(dut.state[0], {"address": 0x100, "execute": 1, "load": 1, "store": 0, "debug": 0})
        for kind, address, second in itertools.product(
            ("execute", "load", "store"), (0x100, 0x102, 0x200), (0, 1)
        ):
            ctx.set(
                dut.state[1],
                {"address": 0x100 if second else 0x200, "execute": 1, "load": 0, "store": 1, "debug": 1},
            )
            for name in ("execute", "load", "store"):
                ctx.set(getattr(dut, name), name == kind)
            ctx.set(dut.address, address)
            await ctx.delay(1e-9)
            halts = kind != "load" and address == (0x100 if second else 0x200)
            raises = kind != "store" and address == 0x100
            assert ctx.get(dut.debug) == halts
            assert ctx.get(dut.exception) == (raises and not halts)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("component", [TriggerChecker, TriggerRegisters])
def test_without_triggers_there_is_nothing_to_match(component: type) -> None:
    with pytest.raises(ValueError, match="matching needs triggers: there are 0"):
        component(CoreConfig.preset("small"))

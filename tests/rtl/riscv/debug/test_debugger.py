"""Each pipeline under a debugger: halt, step, registers, memory, breakpoints, reset."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from debug_system import BASE, DebugSystem, direct, run_system

from rtl.riscv.config import CoreConfig
from rtl.riscv.core import top_signature
from rtl.riscv.debug.dmi import CommandError, DmiRegister
from verif.agents.debug import DebugError, Debugger, Halt

DCSR, DPC, MSCRATCH, MEPC, MCAUSE, MTVEC, MISA = 0x7B0, 0x7B1, 0x340, 0x341, 0x342, 0x305, 0x301
RA, SP, T0 = 0x1001, 0x1002, 0x1005
DATA = BASE + 0x200
NOP, EBREAK, WFI = 0x13, 0x0010_0073, 0x1050_0073


def addi(rd: int, rs1: int, value: int) -> int:
    return (value & 0xFFF) << 20 | rs1 << 15 | rd << 7 | 0x13


def jal(offset: int) -> int:
    bits = (
        (offset >> 20 & 1) << 19 | (offset >> 1 & 0x3FF) << 9 | (offset >> 11 & 1) << 8 | offset >> 12 & 0xFF
    )
    return bits << 12 | 0x6F


def lw(rd: int, rs1: int, offset: int = 0) -> int:
    return (offset & 0xFFF) << 20 | rs1 << 15 | 2 << 12 | rd << 7 | 0x03


def sw(rs2: int, rs1: int, offset: int = 0) -> int:
    return (offset >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (offset & 0x1F) << 7 | 0x23


LUI_T0 = 0x8000_02B7  # x5 = 0x80000000
# x1 counts; x5 is the base of memory; each round stores the count and loads it back.
PROGRAM = [LUI_T0, addi(1, 0, 0), addi(1, 1, 1), sw(1, 5, 0x200), lw(2, 5, 0x200), jal(-12)]
LOOP = BASE + 8

Scenario = Callable[[Debugger], Awaitable[None]]
SCENARIOS: list[tuple[Scenario, list[int]]] = []


def scenario(program: list[int]) -> Callable[[Scenario], Scenario]:
    """Have a scenario run with every pipeline, from reset, on a program."""

    def add(run: Scenario) -> Scenario:
        SCENARIOS.append((run, program))
        return run

    return add


@pytest.mark.parametrize(
    ("preset", "some"),
    [
        ("nano", ""),
        ("small", ""),
        ("fast", "step_by_step"),  # which takes long to simulate
        pytest.param("fast", "", marks=pytest.mark.nightly),
    ],
)
def test_every_pipeline(preset: str, some: str) -> None:
    """One simulation for all scenarios, as building it is what takes the time."""
    system = DebugSystem(preset, PROGRAM, debug="direct", triggers=2)
    done = []

    async def bench(ctx: object) -> None:
        hart = direct(ctx, system)
        misa = await hart.examine()
        assert misa >> 30 == 1
        assert misa & 1 << 8
        for run, program in SCENARIOS:
            if some and run.__name__ != some:
                continue
            if run.__name__.startswith("compressed") and not misa & 1 << 2:
                continue
            for index, word in enumerate(program):
                ctx.set(system.memory.data[index], word)
            await hart.reset(halt=True)
            try:
                await run(hart)
            except (AssertionError, DebugError) as error:
                error.add_note(f"{preset}: {run.__name__}")
                raise
            if not await hart.halted():
                await hart.halt()
            done.append(run)

    run_system(system, bench)
    assert len(done) >= (1 if some else len(SCENARIOS) - 1)


@scenario(PROGRAM)
async def step_by_step(hart: Debugger) -> None:
    assert await hart.read_register(DCSR) >> 28 == 4
    await hart.write_register(DPC, BASE)
    await hart.write_register(RA, 41)
    places = []
    for _ in range(8):
        assert await hart.step() == Halt.STEP
        places.append(await hart.read_register(DPC) - BASE)
    assert places == [4, 8, 12, 16, 20, 8, 12, 16]
    assert await hart.read_register(RA) == 2
    assert await hart.read_register(SP) == 1
    assert await hart.read_memory(DATA) == 2


@scenario(PROGRAM)
async def run_and_halt_keep_registers(hart: Debugger) -> None:
    for number in range(6, 16):
        await hart.write_register(0x1000 + number, number * 0x0101_0101)
    assert await hart.step() == Halt.STEP  # x5 is the base
    await hart.write_register(DPC, LOOP)
    await hart.write_register(RA, 0x1000_0000)
    await hart.write_register(MSCRATCH, 0xCAFE_F00D)
    await hart.resume()
    for _ in range(30):
        assert not await hart.halted()
    await hart.halt()
    assert await hart.read_register(RA) > 0x1000_0000
    assert await hart.read_register(0x1000) == 0
    for number in range(6, 16):
        assert await hart.read_register(0x1000 + number) == number * 0x0101_0101
    assert await hart.read_register(MSCRATCH) == 0xCAFE_F00D


@scenario(PROGRAM)
async def memory_by_command_and_by_program(hart: Debugger) -> None:
    saved = {number: await hart.read_register(0x1000 + number) for number in (8, 9)}
    words = [0x0123_4567, 0x89AB_CDEF, 0xDEAD_BEEF, 0x0BAD_F00D]
    await hart.write_block(DATA, words)
    assert await hart.read_block(DATA, 4) == words
    assert [await hart.read_memory(DATA + 4 * index) for index in range(4)] == words
    await hart.write_memory(DATA + 1, 0x5A, 1)
    await hart.write_memory(DATA + 6, 0x1234, 2)
    assert await hart.read_block(DATA, 2) == [0x0123_5A67, 0x1234_CDEF]
    assert await hart.read_memory(DATA + 3, 1) == 0x01
    assert await hart.read_memory(DATA + 4, 2) == 0xCDEF
    for number, value in saved.items():
        assert await hart.read_register(0x1000 + number) == value


@scenario(PROGRAM)
async def errors_change_nothing(hart: Debugger) -> None:
    await hart.write_register(0x1008, 0x8888)
    await hart.write_register(0x1009, 0x9999)
    await hart.write_register(MEPC, 0x44)
    place = await hart.read_register(DPC)
    cause = await hart.read_register(MCAUSE)
    for number, reason in ((0x7C0, "EXCEPTION"), (0x1020, "NOT_SUPPORTED"), (0xC000, "NOT_SUPPORTED")):
        with pytest.raises(DebugError, match=f"read register {number:#x}: {reason}"):
            await hart.read_register(number)
    with pytest.raises(DebugError, match="write register 0xf11: EXCEPTION"):
        await hart.write_register(0xF11, 1)
    for address, size in ((0x100, 4), (DATA + 2, 4), (DATA + 1, 2)):
        with pytest.raises(DebugError, match=f"read {address:#x}: EXCEPTION"):
            await hart.read_memory(address, size)
        with pytest.raises(DebugError, match=f"write {address:#x}: EXCEPTION"):
            await hart.write_memory(address, 0, size)
    assert await hart.execute(0) == CommandError.EXCEPTION  # an illegal instruction
    assert await hart.execute(0x73) == CommandError.EXCEPTION  # ECALL
    assert await hart.execute(0x7B20_0073) == CommandError.EXCEPTION  # DRET
    assert await hart.halted()
    await hart.write_register(RA, 5)
    assert await hart.execute(0, addi(1, 1, 1)) == CommandError.EXCEPTION
    assert await hart.execute(addi(1, 1, 1)) == CommandError.NONE
    assert await hart.command(1 << 18 | 2 << 20 | 1 << 17 | 0x7C0) == CommandError.EXCEPTION
    assert await hart.read_register(RA) == 6  # what follows a failure is not executed
    assert await hart.command(3 << 24) == CommandError.NOT_SUPPORTED
    assert await hart.command(3 << 20 | 1 << 17 | RA) == CommandError.NOT_SUPPORTED
    assert await hart.read_register(0x1008) == 0x8888
    assert await hart.read_register(0x1009) == 0x9999
    assert await hart.read_register(MEPC) == 0x44
    assert await hart.read_register(MCAUSE) == cause
    assert await hart.read_register(DPC) == place
    await hart.resume()
    assert await hart.command(2 << 20 | 1 << 17 | RA) == CommandError.HALT_RESUME


@scenario(PROGRAM)
async def programs_in_the_buffer(hart: Debugger) -> None:
    await hart.write_register(RA, 10)
    assert await hart.execute(addi(1, 1, 5), addi(1, 1, 7)) == CommandError.NONE
    assert await hart.read_register(RA) == 22
    assert await hart.execute(EBREAK, addi(1, 1, 1)) == CommandError.NONE
    assert await hart.read_register(RA) == 22
    assert await hart.execute(WFI, addi(1, 1, 1)) == CommandError.NONE  # does not wait here
    assert await hart.read_register(RA) == 23
    assert await hart.execute(0x7B20_9073, NOP) == CommandError.NONE  # csrw dscratch0, x1
    assert await hart._dmi.read(DmiRegister.DATA0) == 23


@scenario(PROGRAM)
async def compressed_programs_in_the_buffer(hart: Debugger) -> None:
    c_addi, c_ebreak = 0x0085, 0x9002  # c.addi x1, 1
    await hart.write_register(RA, 0)
    assert await hart.execute(c_addi << 16 | c_addi, c_addi << 16 | c_addi) == CommandError.NONE
    assert await hart.read_register(RA) == 4
    full = addi(1, 1, 0x100)
    cut = (full & 0xFFFF) << 16
    assert await hart.execute(cut | c_addi, c_ebreak << 16 | full >> 16) == CommandError.NONE
    assert await hart.read_register(RA) == 0x105
    assert await hart.execute(c_addi << 16 | c_addi, cut | c_addi) == CommandError.EXCEPTION


@scenario(PROGRAM)
async def software_breakpoint(hart: Debugger) -> None:
    await hart.halt_at_ebreak()
    await hart.set_software_breakpoint(LOOP + 4)
    await hart.resume()
    assert await hart.wait_halted() == Halt.EBREAK
    assert await hart.read_register(DPC) == LOOP + 4
    count = await hart.read_register(RA)
    await hart.remove_software_breakpoint(LOOP + 4)
    assert await hart.step() == Halt.STEP
    await hart.set_software_breakpoint(LOOP + 4)
    await hart.resume()
    assert await hart.wait_halted() == Halt.EBREAK
    assert await hart.read_register(RA) == count + 1
    assert await hart.read_register(SP) == count


@scenario([EBREAK, jal(0), *[NOP] * 62, addi(1, 0, 7), jal(0)])
async def ebreak_traps_unless_the_debugger_wants_it(hart: Debugger) -> None:
    handler = 0x100
    await hart.write_register(MTVEC, BASE + handler)
    await hart.write_register(DPC, BASE)
    assert await hart.step() == Halt.STEP
    assert await hart.read_register(DPC) == BASE + handler
    assert await hart.read_register(MCAUSE) == 3
    assert await hart.read_register(MEPC) == BASE
    await hart.halt_at_ebreak()
    await hart.write_register(DPC, BASE)
    assert await hart.step() == Halt.EBREAK
    assert await hart.read_register(DPC) == BASE


@scenario([lw(1, 0, 0), jal(0), *[NOP] * 62, addi(1, 0, 7), jal(0)])
async def a_step_that_traps_halts_at_the_handler(hart: Debugger) -> None:
    await hart.write_register(MTVEC, BASE + 0x100)
    await hart.write_register(DPC, BASE)
    assert await hart.step() == Halt.STEP
    assert await hart.read_register(DPC) == BASE + 0x100
    assert await hart.read_register(MCAUSE) == 5
    assert await hart.step() == Halt.STEP
    assert await hart.read_register(RA) == 7


@scenario(PROGRAM)
async def reset_and_halt_before_the_first_instruction(hart: Debugger) -> None:
    await hart.write_register(RA, 0x1234)
    await hart.reset(halt=True)
    assert await hart.read_register(DCSR) >> 6 & 7 == Halt.RESET
    assert await hart.read_register(DPC) == BASE
    await hart.reset(halt=False)
    assert not await hart.halted()
    await hart.halt()


@scenario([WFI, jal(0)])
async def halt_wakes_a_sleeping_core(hart: Debugger) -> None:
    await hart.write_register(DPC, BASE)
    await hart.resume()
    assert await hart.halt() == Halt.REQUEST
    place = await hart.read_register(DPC)
    assert place in (BASE, BASE + 4)
    await hart.write_register(DPC, BASE)
    assert await hart.step() == Halt.STEP  # WFI does not wait when it is stepped over
    assert await hart.read_register(DPC) == BASE + 4


@scenario(PROGRAM)
async def busy_is_reported(hart: Debugger) -> None:
    dmi = hart._dmi
    await dmi.write(DmiRegister.DATA0, 0x77)
    await dmi.write(DmiRegister.COMMAND, 2 << 20 | 1 << 17 | MSCRATCH)
    await dmi.write(DmiRegister.DATA0, 0x55)  # too early
    assert await hart.finish() == CommandError.BUSY
    await dmi.write(DmiRegister.DATA0, 0x66)
    assert await dmi.read(DmiRegister.DATA0) == 0x66


@scenario(PROGRAM)
async def an_error_stops_commands_until_it_is_cleared(hart: Debugger) -> None:
    dmi = hart._dmi
    await hart.write_register(RA, 1)
    await dmi.write(DmiRegister.COMMAND, 9 << 24)
    while await dmi.read(DmiRegister.ABSTRACTCS) & 1 << 12:
        pass  # busy
    await dmi.write(DmiRegister.DATA0, 5)
    await dmi.write(DmiRegister.COMMAND, 2 << 20 | 1 << 17 | 1 << 16 | RA)
    assert await hart.finish() == CommandError.NOT_SUPPORTED
    assert await hart.read_register(RA) == 1


@scenario(PROGRAM)
async def triggers(hart: Debugger) -> None:
    assert await hart.triggers() == [4, 4]
    await hart.set_trigger(0, LOOP + 8, execute=True)
    await hart.set_trigger(1, DATA, store=True)
    await hart.write_register(DPC, BASE)
    places = []
    for _ in range(4):
        await hart.resume()
        assert await hart.wait_halted() == Halt.TRIGGER
        places.append((await hart.read_register(DPC) - BASE, await hart.read_register(RA)))
        # What has fired is stepped over as a debugger does it.
        index, place = (0, LOOP + 8) if places[-1][0] == 16 else (1, DATA)
        await hart.remove_trigger(index)
        await hart.step()
        await hart.set_trigger(index, place, execute=index == 0, store=index == 1)
    assert places == [(12, 1), (16, 1), (12, 2), (16, 2)]
    await hart.remove_trigger(0)
    await hart.remove_trigger(1)
    await hart.set_trigger(1, DATA, load=True)
    await hart.resume()
    assert await hart.wait_halted() == Halt.TRIGGER
    assert await hart.read_register(DPC) == BASE + 16
    assert await hart.read_register(SP) == await hart.read_register(RA) - 1
    await hart.set_trigger(1, DATA + 4, load=True)
    await hart.resume()
    assert not await hart.halted()
    await hart.halt()


def test_registers_that_rv32e_has_not() -> None:
    system = DebugSystem("nano", PROGRAM, debug="direct", e=True)

    async def bench(ctx: object) -> None:
        hart = direct(ctx, system)
        assert await hart.examine() == 0x4000_0010
        await hart.write_register(0x100F, 15)
        assert await hart.read_register(0x100F) == 15
        with pytest.raises(DebugError, match="read register 0x1010: NOT_SUPPORTED"):
            await hart.read_register(0x1010)
        assert await hart.triggers() == []

    run_system(system, bench)


@pytest.mark.parametrize(
    ("debug", "ports"), [("none", set()), ("direct", {"dmi"}), ("jtag", {"jtag"})], ids=str
)
def test_ports_of_a_core(debug: str, ports: set[str]) -> None:
    members = set(top_signature(CoreConfig.preset("small", debug=debug)).members)
    assert members & {"dmi", "jtag", "debug"} == ports
    assert ("debug_reset" in members) == bool(ports)

"""The small pipeline: every option elaborates; instructions take the cycles its page says."""

from __future__ import annotations

import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.pipelines.small import SmallPipeline

BASE = 0x8000_0000
NOP = 0x0000_0013


def i_type(opcode: int, f3: int, rd: int, rs1: int, immediate: int) -> int:
    return (immediate & 0xFFF) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode


def addi(rd: int, rs1: int, immediate: int) -> int:
    return i_type(0x13, 0, rd, rs1, immediate)


def mul(f3: int, rd: int, rs1: int, rs2: int) -> int:
    return 1 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x33


def store(rs2: int, rs1: int, offset: int) -> int:
    return (offset >> 5) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (offset & 31) << 7 | 0x23


def load(rd: int, rs1: int, offset: int) -> int:
    return i_type(0x03, 2, rd, rs1, offset)


def branch(f3: int, rs1: int, rs2: int, offset: int) -> int:
    return (offset >> 5 & 63) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (offset & 30) << 7 | 0x63


def jal(rd: int, offset: int) -> int:
    return (offset & 0x7FE) << 20 | rd << 7 | 0x6F


# x8 holds the address of data; x9 is 5, x10 is 0x12345000; x11 is 0.
PREPARE = [0x8000_0437, addi(8, 8, 0x400), addi(9, 0, 5), 0x1234_5537, addi(11, 0, 0), NOP]


def cycles(pieces: list[list[int]]) -> list[int]:
    """Return the cycles that each piece of a program takes, between two instructions of one cycle."""
    program = list(PREPARE)
    for number, piece in enumerate(pieces, 1):
        program += [addi(0, 0, number), *piece]
    last = len(pieces) + 1
    program += [addi(0, 0, last), jal(0, 0)]
    words = {BASE + 4 * n: word for n, word in enumerate(program)}
    dut = SmallPipeline(CoreConfig(rvfi=True))
    seen: dict[int, int] = {}

    async def memory(ctx):
        answers = [None, None]
        ctx.set(dut.ibus.grant, 1)
        ctx.set(dut.dbus.grant, 1)
        while True:
            for index, bus in enumerate((dut.ibus, dut.dbus)):
                address = ctx.get(bus.address)
                answers[index] = words.get(address, NOP) if ctx.get(bus.request) else None
            await ctx.tick()
            for answer, bus in zip(answers, (dut.ibus, dut.dbus), strict=True):
                ctx.set(bus.response, answer is not None)
                ctx.set(bus.read_data, answer or 0)

    async def watch(ctx):
        cycle = 0
        while last not in seen and cycle < 400:
            await ctx.tick()
            cycle += 1
            word = ctx.get(dut.rvfi.insn)
            if ctx.get(dut.rvfi.valid) and word & 0xF_FFFF == NOP:
                seen.setdefault(word >> 20, cycle)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(memory, background=True)
    sim.add_testbench(watch)
    sim.run()
    return [seen[n + 1] - seen[n] - 1 for n in range(1, last)]


def test_cycles():
    expected = [
        ([addi(5, 9, 1), addi(6, 5, 1), addi(7, 6, 1)], 3),
        ([load(5, 8, 0), store(9, 8, 4), load(6, 8, 8), addi(7, 5, 0)], 4),
        ([load(5, 8, 0), addi(6, 5, 0)], 3),
        ([branch(0, 9, 11, 8), NOP], 2),  # not taken
        ([branch(1, 9, 11, 8), NOP], 2),  # taken
        ([jal(1, 8), NOP], 2),
        ([0x0000_0297, i_type(0x67, 0, 1, 5, 12), NOP], 4),  # auipc, jalr
        ([mul(0, 5, 10, 9), NOP], 3),
        ([mul(0, 5, 9, 10), NOP], 4),
        ([mul(1, 5, 9, 10), addi(6, 5, 0)], 6),
        ([mul(4, 5, 10, 9), NOP], 36),
        ([i_type(0x73, 2, 5, 0, 0x340), NOP], 3),
        ([i_type(0x0F, 1, 0, 0, 0), NOP], 5),
    ]
    assert cycles([piece for piece, _ in expected]) == [count for _, count in expected]


@pytest.mark.parametrize(
    "options",
    [
        {"e": True, "c": False, "m": False, "multiplier": "none", "divider": "none", "zicntr": False},
        {"zba": True, "zbb": True, "zbs": True, "zcb": True, "zicond": True},
        {"user_mode": True, "pmp_regions": 8, "local_interrupts": 4},
        {"debug": "direct", "triggers": 2, "custom": "port"},
        {"multiplier": "serial", "divider": "early_out", "shifter": "serial", "register_file": "memory"},
        {"multiplier": "single", "rvfi": True},
    ],
)
def test_options_elaborate(options):
    assert "module" in rtlil.convert(SmallPipeline(CoreConfig(**options)))

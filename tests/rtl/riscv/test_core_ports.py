# amaranth: UnusedElaboratable=no
"""A core behind other buses, and with a unit of ours behind its extension interface, runs a program."""

import pytest
from amaranth.sim import Simulator

from rtl.riscv.core import Core
from rtl.riscv.custom.dot4 import dot4
from verif.agents.memory_bus.memory import WordMemory
from verif.lockstep.random.assembler import Code, i_type, j_type, s_type

BASE, RESULT, EXIT = 0x8000_0000, 0x8000_0800, 0x8000_0FFC
A, B = 0x80FF_7F02, 0x7F81_0305
DOT4, DOT4ACC, DOT4SET = 0x0B, 0x100B, 0x200B


def program(*, custom: bool) -> bytes:
    """Return a program that stores sums, dot products, and the causes of its traps."""
    code = Code(BASE)
    code.load_immediate(5, BASE + 0x100)
    code.word(i_type(0x1073, 0, 5, 0x305))  # csrw mtvec
    code.load_immediate(8, RESULT)
    code.load_immediate(10, A)
    code.load_immediate(11, B)
    code.word(0x33 | 12 << 7 | 10 << 15 | 11 << 20)
    code.word(s_type(0x2023, 8, 12, 0))
    code.word(s_type(0x23, 8, 10, 5))  # sb
    code.word(i_type(0x5003, 13, 8, 4))  # lhu
    code.word(s_type(0x1023, 8, 13, 10))  # sh
    code.word(i_type(0x2003, 14, 0, 0))  # a load that fails
    code.word(s_type(0x2023, 8, 9, 12))
    if custom:
        for match in (DOT4SET, DOT4ACC, DOT4, DOT4ACC):
            code.word(match | 12 << 7 | 10 << 15 | 11 << 20)
            code.word(i_type(0x13, 8, 8, 4))
            code.word(s_type(0x2023, 8, 12, 12))
        code.word(0x300B)  # the unit refuses this one
        code.word(s_type(0x2023, 8, 9, 16))
    code.load_immediate(5, EXIT)
    code.word(s_type(0x2023, 5, 5, 0))
    code.label("stop")
    code.refer("jump", "stop", j_type(0, 0))
    while code.pc < BASE + 0x100:
        code.word(0x13)
    code.word(i_type(0x2073, 9, 0, 0x342))  # the handler keeps mcause in x9, and goes on behind
    code.word(i_type(0x2073, 7, 0, 0x341))
    code.word(i_type(0x13, 7, 7, 4))
    code.word(i_type(0x1073, 0, 7, 0x341))
    code.word(0x3020_0073)
    return code.finish()


def wishbone(bus, memory):
    """Answer classic cycles a clock later."""

    async def process(ctx):
        writable = hasattr(bus, "we")
        while True:
            await ctx.tick()
            if not ctx.get(bus.stb):
                continue
            await ctx.tick()
            address = ctx.get(bus.adr) << 2
            if writable and ctx.get(bus.we):
                error = memory.write(address, ctx.get(bus.sel), ctx.get(bus.dat_w))
            else:
                value, error = memory.read(address)
                ctx.set(bus.dat_r, value)
            ctx.set(bus.err if error else bus.ack, 1)
            await ctx.tick()
            ctx.set(bus.ack, 0)
            ctx.set(bus.err, 0)

    return process


def axi4lite(bus, memory):
    """Take a request, and answer in the next cycle."""

    async def process(ctx):
        writable = hasattr(bus, "awvalid")
        while True:
            await ctx.tick()
            if ctx.get(bus.arvalid):
                value, error = memory.read(ctx.get(bus.araddr))
                ctx.set(bus.rdata, value)
                ctx.set(bus.rresp, 2 * error)
                await transfer(ctx, (bus.arready,), bus.rvalid)
            elif writable and ctx.get(bus.awvalid):
                error = memory.write(ctx.get(bus.awaddr), ctx.get(bus.wstrb), ctx.get(bus.wdata))
                ctx.set(bus.bresp, 2 * error)
                await transfer(ctx, (bus.awready, bus.wready), bus.bvalid)

    async def transfer(ctx, ready, valid):
        for signal in ready:
            ctx.set(signal, 1)
        await ctx.tick()
        for signal in ready:
            ctx.set(signal, 0)
        ctx.set(valid, 1)
        await ctx.tick()
        ctx.set(valid, 0)

    return process


def run(target, **options):
    """Return the memory after the program."""
    core = Core(preset="nano", e=True, **options)
    memory = WordMemory([(BASE, 0x1000)])
    memory.load(BASE, program(custom="custom" in options))

    async def bench(ctx):
        for _ in range(3000):
            await ctx.tick()
            if EXIT in memory.words:
                return
        raise AssertionError("the program has not ended")

    simulator = Simulator(core)
    simulator.add_clock(1e-9)
    for bus in (core.ibus, core.dbus):
        simulator.add_testbench(target(bus, memory), background=True)
    simulator.add_testbench(bench)
    simulator.run()
    return memory.words


@pytest.mark.parametrize("target", (wishbone, axi4lite), ids=lambda target: target.__name__)
def test_program_over_a_bus(target):
    words = run(target, bus=target.__name__)
    assert words[RESULT] == (A + B) & 0xFFFF_FFFF
    assert words[RESULT + 4] == 0x0200
    assert words[RESULT + 8] == 0x0200 << 16
    assert words[RESULT + 12] == 5


def test_dot4_in_a_core():
    words = run(wishbone, bus="wishbone", custom="dot4")
    old = (A + B) & 0xFFFF_FFFF
    assert old == words[RESULT]
    results = [words[RESULT + 16 + 4 * number] for number in range(4)]
    once = dot4(A, B, A)
    assert results == [0, once, dot4(A, B), dot4(A, B, once)]
    assert words[RESULT + 32] == 2


def test_ports():
    ports = set(Core(preset="nano", bus="axi4lite", custom="dot4").signature.members)
    assert ports == {"ibus", "dbus", "interrupts", "sleeping"}

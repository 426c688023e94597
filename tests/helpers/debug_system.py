"""A core with a debugger and a small memory, and the ways to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from rtl.riscv.core import Core
from verif.agents.debug import Debugger, DirectTransport, JtagDriver, JtagTransport

BASE = 0x8000_0000
_WORDS = 256
_CYCLE = 1e-8


class DebugSystem(wiring.Component):
    """A core and 1 KiB of memory at the reset vector; everything else is a bus error."""

    def __init__(self, preset: str, program: list[int], **options: object) -> None:
        self.core = Core(preset=preset, **options)
        self._program = program
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        m.submodules.core = core = self.core
        m.submodules.memory = self.memory = Memory(shape=32, depth=_WORDS, init=self._program)
        lanes = core.config.fetch_width // 32
        low = lanes.bit_length() - 1
        ports = [self.memory.read_port() for _ in range(lanes)]
        m.d.comb += core.ibus.grant.eq(1)
        m.d.sync += core.ibus.response.eq(core.ibus.request)
        m.d.sync += core.ibus.error.eq(core.ibus.address[10:] != BASE >> 10)
        for index, port in enumerate(ports):
            m.d.comb += [
                port.addr.eq((core.ibus.address[2:10] & -lanes) + index if low else core.ibus.address[2:10]),
                core.ibus.read_data.word_select(index, 32).eq(port.data),
            ]
        write, read = self.memory.write_port(granularity=8), self.memory.read_port()
        bus = core.dbus
        inside = bus.address[10:] == BASE >> 10
        m.d.comb += [
            bus.grant.eq(1),
            read.addr.eq(bus.address[2:]),
            write.addr.eq(bus.address[2:]),
            write.data.eq(bus.write_data),
            write.en.eq(bus.strobe & (bus.request & bus.write & inside).replicate(4)),
            bus.read_data.eq(read.data),
        ]
        m.d.sync += [bus.response.eq(bus.request), bus.error.eq(~inside)]
        return m


def direct(ctx: object, system: DebugSystem) -> Debugger:
    """Return a debugger at the register bus."""
    bus = system.core.dmi
    return Debugger(
        DirectTransport(
            lambda name, value: ctx.set(getattr(bus, name), value),
            lambda name: ctx.get(getattr(bus, name)),
            ctx.tick,
        )
    )


def jtag_driver(ctx: object, pins: object, half_period: float = 0.7 * _CYCLE) -> JtagDriver:
    """Return a driver of JTAG pins, whose clock has no relation to the core's."""
    return JtagDriver(
        lambda name, value: ctx.set(getattr(pins, name), value),
        lambda: ctx.get(pins.tdo),
        lambda: ctx.delay(half_period),
    )


def jtag(
    ctx: object, system: DebugSystem, half_period: float = 3.7 * _CYCLE
) -> tuple[Debugger, JtagTransport]:
    """Return a debugger at the JTAG pins, and its transport, to be examined first."""
    transport = JtagTransport(jtag_driver(ctx, system.core.jtag, half_period))
    return Debugger(transport), transport


def run_system(system: DebugSystem, bench: Callable[[object], Awaitable[None]]) -> None:
    """Run a bench with a clock of 100 MHz until it ends."""
    done = []

    async def process(ctx: object) -> None:
        await bench(ctx)
        done.append(True)

    simulator = Simulator(system)
    simulator.add_clock(_CYCLE)
    simulator.add_testbench(process)
    simulator.run()
    assert done

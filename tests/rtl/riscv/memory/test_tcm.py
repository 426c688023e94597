# amaranth: UnusedElaboratable=no
"""The tightly coupled memory against a model, with both buses at work."""

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.memory.tcm import TightlyCoupledMemory

BASE, SIZE = 0x1000_0000, 256


class Side:
    """One bus of the core and what lies behind it; random requests, random waits behind."""

    def __init__(self, bus, behind, width, rng, memory, *, writable):
        self.bus, self.behind, self.step, self.rng = bus, behind, width // 8, rng
        self.memory, self.writable = memory, writable
        self.held, self.waiting, self.away, self.done = None, [], [], 0

    def drive(self, ctx):
        rng, step = self.rng, self.step
        if self.held is None and rng.random() < 0.8:
            where = BASE if rng.random() < 0.7 else rng.choice([0x8000_0000, BASE + SIZE, BASE - SIZE])
            write = self.writable and rng.random() < 0.4
            address = where + rng.randrange(0, SIZE, step)
            self.held = (address, write, rng.randrange(16), rng.getrandbits(32))
        ctx.set(self.bus.request, self.held is not None)
        if self.held:
            ctx.set(self.bus.address, self.held[0])
            if self.writable:
                ctx.set(self.bus.write, self.held[1])
                ctx.set(self.bus.strobe, self.held[2])
                ctx.set(self.bus.write_data, self.held[3])
        self.due = bool(self.away) and rng.random() < 0.5
        ctx.set(self.behind.grant, rng.random() < 0.5)
        ctx.set(self.behind.response, self.due)
        address = self.away[0] if self.due else rng.getrandbits(32)
        ctx.set(self.behind.read_data, _outside(address, step))
        ctx.set(self.behind.error, address % 3 == 0)

    def sample(self, ctx):
        if ctx.get(self.bus.response):
            address, write, expected = self.waiting.pop(0)
            inside = BASE <= address < BASE + SIZE
            assert ctx.get(self.bus.error) == (not inside and address % 3 == 0)
            if not write:
                assert ctx.get(self.bus.read_data) == expected, hex(address)
            self.done += 1
        if self.due:
            self.away.pop(0)
        if ctx.get(self.behind.request) and ctx.get(self.behind.grant):
            self.away.append(ctx.get(self.behind.address))
        if self.held and ctx.get(self.bus.grant):
            self.waiting.append((self.held[0], self.held[1], self._access()))
            self.held = None

    def _access(self):
        """Do it in the model; what a read sees."""
        address, write, strobe, value = self.held
        if not BASE <= address < BASE + SIZE:
            return _outside(address, self.step)
        at = address - BASE
        seen = int.from_bytes(self.memory[at : at + self.step], "little")
        for lane in range(4 if write else 0):
            if strobe >> lane & 1:
                self.memory[at + lane] = value >> 8 * lane & 255
        return seen


def _outside(address, step):
    return (address * 0x9E37_79B9_7F4A_7C15) & ((1 << 8 * step) - 1)


@pytest.mark.parametrize("width", [32, 64])
def test_both_buses_at_once(width):
    tcm = TightlyCoupledMemory(base=BASE, size=SIZE, fetch_width=width)
    rng = random.Random(width)
    memory = bytearray(SIZE)
    data = Side(tcm.dbus, tcm.dmemory, 32, rng, memory, writable=True)
    fetch = Side(tcm.ibus, tcm.imemory, width, rng, memory, writable=False)

    async def bench(ctx):
        for _ in range(3000):
            for side in (data, fetch):
                side.drive(ctx)
            for side in (fetch, data):  # one memory, one access a cycle: the order is no matter
                side.sample(ctx)
            await ctx.tick()

    simulator = Simulator(tcm)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert data.done > 700
    assert fetch.done > 400


def test_alone_it_answers_every_cycle():
    tcm = TightlyCoupledMemory(base=BASE, size=SIZE)
    answers = []

    async def bench(ctx):
        for cycle in range(20):
            ctx.set(tcm.ibus.request, 1)
            ctx.set(tcm.ibus.address, BASE + 4 * cycle)
            assert ctx.get(tcm.ibus.grant)
            answers.append(ctx.get(tcm.ibus.response))
            await ctx.tick()

    simulator = Simulator(tcm)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert answers == [0] + [1] * 19


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"base": 0, "size": 100}, "size must be a power of two of at least 16, not 100"),
        ({"base": 0x80, "size": 256}, "base 0x80 must be a multiple of size 0x100"),
    ],
)
def test_places_that_cannot_be(shape, message):
    with pytest.raises(ValueError, match=message):
        TightlyCoupledMemory(**shape)

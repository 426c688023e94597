# amaranth: UnusedElaboratable=no
"""The cache against a model of memory, under random traffic, waits, errors and invalidation."""

import random

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.sim import Simulator

from rtl.riscv.memory.cache import Cache

BASE = 0x8000_0000
SHAPES = [
    {"size": 256, "line_bytes": 16, "ways": 1},
    {"size": 256, "line_bytes": 32, "ways": 2},
    {"size": 512, "line_bytes": 16, "ways": 4, "data_width": 64},
    {"size": 256, "line_bytes": 16, "ways": 2, "data_width": 64, "writable": False},
]


class World:
    """Bytes behind the cache. Words at and above `faulty` answer with an error; outsiders may write."""

    def __init__(self, width: int, seed: int) -> None:
        self.bytes, self.width, self.faulty = {}, width // 8, BASE + 0x1800
        self.random = random.Random(seed)

    def byte(self, address: int) -> int:
        return self.bytes.setdefault(address, self.random.randrange(256))

    def refuses(self, address: int) -> int:
        return int(self.faulty <= address < BASE + 0x2000)

    def read(self, address: int) -> int:
        return int.from_bytes(bytes(self.byte(address + i) for i in range(self.width)), "little")

    def write(self, address: int, value: int, strobe: int) -> None:
        for i in range(self.width):
            if strobe >> i & 1:
                self.bytes[address + i] = value >> 8 * i & 255


class Bench(Elaboratable):
    def __init__(self, cache):
        self.cache = cache

    def elaborate(self, platform):
        m = Module()
        m.submodules.cache = self.cache
        return m


class MemorySide:
    """Serves the cache: random grants, answers in order after random waits."""

    def __init__(self, bus, world, writable, patience):
        self.bus, self.world, self.writable, self.patience = bus, world, writable, patience
        self.queue = []

    def drive(self, ctx):
        bus, rng = self.bus, self.world.random
        self.due = bool(self.queue) and rng.random() < self.patience
        data, error = self.queue[0] if self.due else (rng.getrandbits(8 * self.world.width), 0)
        for signal, value in (
            (bus.grant, rng.random() < self.patience),
            (bus.response, self.due),
            (bus.read_data, data),
            (bus.error, error),
        ):
            ctx.set(signal, value)

    def sample(self, ctx):
        bus, world = self.bus, self.world
        if self.due:
            self.queue.pop(0)
        if not (ctx.get(bus.request) and ctx.get(bus.grant)):
            return
        address = ctx.get(bus.address)
        assert address % world.width == 0
        error = world.refuses(address)
        if self.writable and ctx.get(bus.write):
            if not error:
                world.write(address, ctx.get(bus.write_data), ctx.get(bus.strobe))
            self.queue.append((world.random.getrandbits(8 * world.width), error))
        else:
            self.queue.append((0 if error else world.read(address), error))


class CoreSide:
    """Asks at random, one request at a time on the bus, and compares the answers."""

    def __init__(self, cache, world, writable, count):
        self.cache, self.world, self.writable, self.count = cache, world, writable, count
        self.held, self.waiting, self.asked, self.done = None, [], 0, 0

    def drive(self, ctx):
        bus, world = self.cache.bus, self.world
        rng, step = world.random, world.width
        if self.held is None and self.asked < self.count and rng.random() < 0.8:
            where = rng.choice([BASE, BASE + 0x400, BASE + 0x1000, BASE + 0x17C0, 0x1000])
            write = self.writable and rng.random() < 0.3
            address = where + rng.randrange(0, 0x80, step)
            self.held = (address, write, rng.randrange(1, 1 << step), rng.getrandbits(8 * step))
            self.asked += 1
        flush = rng.random() < 0.01 and self.held is None and not self.waiting
        if flush:  # somebody else writes; after the strobe it must be seen
            for _ in range(20):
                world.write(BASE + rng.randrange(0, 0x80, step), rng.getrandbits(8 * step), (1 << step) - 1)
        ctx.set(self.cache.invalidate, flush)
        ctx.set(bus.request, self.held is not None)
        if self.held:
            ctx.set(bus.address, self.held[0])
            if self.writable:
                ctx.set(bus.write, self.held[1])
                ctx.set(bus.strobe, self.held[2])
                ctx.set(bus.write_data, self.held[3])

    def sample(self, ctx):
        bus, world = self.cache.bus, self.world
        if ctx.get(bus.response):
            address, write, _, _ = self.waiting.pop(0)
            assert ctx.get(bus.error) == world.refuses(address), hex(address)
            if not write and not world.refuses(address):
                assert ctx.get(bus.read_data) == world.read(address), hex(address)
            self.done += 1
        if self.held and ctx.get(bus.grant):
            self.waiting.append(self.held)
            self.held = None


def run(shape, seed, count=500, patience=0.6):
    """Answer `count` random requests."""
    cache = Cache(**shape)
    writable = shape.get("writable", True)
    world = World(shape.get("data_width", 32), seed)
    memory = MemorySide(cache.memory, world, writable, patience)
    core = CoreSide(cache, world, writable, count)

    async def bench(ctx):
        for _ in range(count * 100):
            memory.drive(ctx)
            core.drive(ctx)
            core.sample(ctx)
            memory.sample(ctx)
            await ctx.tick()
            if core.done == count:
                return
        raise AssertionError(f"no answer after {core.done} requests")

    simulator = Simulator(Bench(cache))
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(str(v) for v in s.values()))
@pytest.mark.parametrize("patience", [1.0, 0.5])
def test_memory_as_it_is(shape, patience):
    run(shape, seed=len(shape) * 100 + shape["size"], patience=patience)


def test_hits_stay_inside():
    cache = Cache(size=256, line_bytes=16, ways=2, writable=False)
    seen, answers = [], []

    async def core(ctx):
        # Two rounds over one line: four words come from memory, four do not.
        bus, memory = cache.bus, cache.memory
        ctx.set(memory.grant, 1)
        wanted = [BASE + 4 * i for i in (2, 3, 0, 1)] * 2
        due = None
        for _ in range(80):
            ctx.set(bus.request, bool(wanted))
            if wanted:
                ctx.set(bus.address, wanted[0])
            ctx.set(memory.response, due is not None)
            ctx.set(memory.read_data, due or 0)
            request, address = ctx.get(memory.request), ctx.get(memory.address)
            grant, response, data = ctx.get(bus.grant), ctx.get(bus.response), ctx.get(bus.read_data)
            if response:
                answers.append(data)
            await ctx.tick()
            due = None
            if request:
                seen.append(address)
                due = address ^ 0x5A5A
            if wanted and grant:
                wanted.pop(0)

    simulator = Simulator(Bench(cache))
    simulator.add_clock(1e-6)
    simulator.add_testbench(core)
    simulator.run()
    order = [BASE + 4 * i for i in (2, 3, 0, 1)]
    assert seen == order  # the word asked for first, then on around the line
    assert answers == [a ^ 0x5A5A for a in order * 2]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"size": 1000}, "size must be a power of two, not 1000"),
        ({"size": 1024, "ways": 8}, "ways must be 1, 2 or 4, not 8"),
        ({"size": 1024, "line_bytes": 4}, "line_bytes must be at least 8, not 4"),
        ({"size": 64, "line_bytes": 32, "ways": 2}, "size must be at least two sets, 128 bytes, not 64"),
    ],
)
def test_sizes_that_contradict(shape, message):
    with pytest.raises(ValueError, match=message):
        Cache(**shape)

"""The memories on chip: grants, and what is read, against a model."""

import random

import pytest
from amaranth.sim import Simulator

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.memory import ActivationMemory, WeightMemory

READERS = ("compute_read", "pack_read", "store")


class Client:
    """A client of the activation memory: what it asks for in a cycle, and what it must read in the next."""

    def __init__(self, dut, name):
        self.port, self.reads = getattr(dut, name), name in READERS
        self.counts = hasattr(self.port, "count")

    def ask(self, ctx, rng, words):
        self.valid, self.address = rng.random() < 0.4, rng.randrange(words)
        self.count = rng.randint(1, len(self.port.data)) if self.counts else 1
        self.data = [rng.getrandbits(len(self.port.data[0])) for _ in range(len(self.port.data))]
        ctx.set(self.port.valid, self.valid)
        ctx.set(self.port.address, self.address)
        if self.counts:
            ctx.set(self.port.count, self.count)
        for place, value in enumerate([] if self.reads else self.data):
            ctx.set(self.port.data[place], value)

    @property
    def banks(self):
        return {(self.address + i) % 4 for i in range(self.count)} if self.valid else set()

    def places(self, words):
        return [(self.address + i) % words for i in range(self.count)]


@pytest.mark.nightly
@pytest.mark.parametrize(("array", "bus_width"), [(4, 64), (8, 64)])
def test_activation_memory(array, bus_width):
    config = AcceleratorConfig(
        array=array, bus_width=bus_width, activation_kib=1, weight_kib=1, psum_words=16
    )
    dut = ActivationMemory(config)
    clients = [Client(dut, name) for name in dut.signature.members]
    rng = random.Random(array)
    words = config.activation_words
    model = {}
    seen = {"granted": 0, "refused": 0, "compared": 0}

    def compare(ctx, due):
        for client, expected in due:
            for place, value in enumerate(expected):
                if value is not None:
                    assert ctx.get(client.port.data[place]) == value
                    seen["compared"] += 1

    async def bench(ctx):
        due = []
        for _ in range(400):
            taken, granted = set(), []
            for client in clients:
                client.ask(ctx, rng, words)
                if client.valid and not client.banks & taken:
                    granted.append(client)
                taken |= client.banks
            compare(ctx, due)
            for client in clients:
                if client.valid:
                    assert ctx.get(client.port.ready) == (client in granted)
                    seen["granted" if client in granted else "refused"] += 1
            await ctx.tick()
            due = [(c, [model.get(w) for w in c.places(words)]) for c in granted if c.reads]
            for client in granted:
                if not client.reads:
                    model.update(zip(client.places(words), client.data, strict=False))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert min(seen.values()) > 50


def test_weight_memory():
    config = AcceleratorConfig(array=4, bus_width=32, activation_kib=1, weight_kib=1, psum_words=16)
    dut = WeightMemory(config)
    rng = random.Random(2)
    model, seen = {}, set()

    async def bench(ctx):
        due = None
        for _ in range(500):
            reads, writes = rng.random() < 0.5, rng.random() < 0.5
            at, to = rng.randrange(16), rng.randrange(16)
            value = rng.getrandbits(64)
            ctx.set(dut.read.valid, reads)
            ctx.set(dut.read.address, at)
            ctx.set(dut.load.valid, writes)
            ctx.set(dut.load.address, to)
            ctx.set(dut.load.data[0], value)
            if due is not None:
                assert ctx.get(dut.read.data[0]) == due
            refused = reads and at % 2 == to % 2
            assert ctx.get(dut.read.ready) == 1
            if writes:
                assert ctx.get(dut.load.ready) == (not refused)
                seen.add(refused)
            await ctx.tick()
            due = model.get(at) if reads else None
            if writes and not refused:
                model[to] = value

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == {False, True}

# amaranth: UnusedElaboratable=no
"""Bus initiators under random back-pressure: every answer is right, and every rule of the bus holds."""

import random

import pytest
from amaranth.sim import Simulator

from rtl.riscv.bus.axi4lite import Axi4LiteInitiator
from rtl.riscv.bus.wishbone import WishboneInitiator

BAD = 0x8000  # addresses from here on answer with an error
COUNT = 400


class Memory:
    """What lies behind the bus."""

    def __init__(self):
        self.words = {}

    def access(self, address, write, strobe, data):
        if address >= BAD:
            return 0, 1
        word = self.words.get(address, address ^ 0x5A5A_0F0F)
        if not write:
            return word, 0
        mask = sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)
        self.words[address] = word & ~mask | data & mask
        return 0, 0


class Requests:
    """Random accesses on the core's side; checks that answers come in order and are right."""

    def __init__(self, dut, rng, writable):
        self.bus = dut.memory
        self.rng = rng
        self.writable = writable
        self.expected = []
        self.answered = 0
        self.most = 0
        self.memory = Memory()

    async def drive(self, ctx):
        bus, rng = self.bus, self.rng
        for _ in range(COUNT):
            address = rng.choice((rng.randrange(16), rng.randrange(BAD // 4, BAD // 4 + 4))) * 4
            write = self.writable and rng.random() < 0.4
            strobe, data = rng.choice((1, 2, 3, 4, 8, 12, 15)), rng.getrandbits(32)
            ctx.set(bus.request, 1)
            ctx.set(bus.address, address)
            if self.writable:
                ctx.set(bus.write, write)
                ctx.set(bus.strobe, strobe)
                ctx.set(bus.write_data, data)
            *_, granted = await ctx.tick().sample(bus.grant)
            while not granted:
                *_, granted = await ctx.tick().sample(bus.grant)
            value, error = self.memory.access(address, write, strobe, data)
            self.expected.append((write, value, error))
            ctx.set(bus.request, 0)
            if rng.random() < 0.3:
                await ctx.tick().repeat(rng.randrange(1, 4))
        await ctx.tick().repeat(60)
        assert self.answered == COUNT

    async def check(self, ctx):
        bus = self.bus
        async for _, _, answers, value, error in ctx.tick().sample(bus.response, bus.read_data, bus.error):
            self.most = max(self.most, len(self.expected))
            if answers:
                assert self.expected, "an answer without a request"
                write, expected, fails = self.expected.pop(0)
                assert error == fails
                assert write or fails or value == expected
                self.answered += 1


def simulate(dut, processes, drive):
    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    for process in processes:
        simulator.add_process(process)
    simulator.add_testbench(drive)
    simulator.run()


def wishbone_target(dut, rng, writable, pipelined, patience):
    """Answer cycles, and check what the initiator must keep to."""
    bus, memory = dut.wishbone, Memory()

    async def process(ctx):
        pending, held = [], None
        outputs = [bus.cyc, bus.stb, bus.adr, bus.sel]
        outputs += [bus.we, bus.dat_w] if writable else []
        inputs = [bus.ack, bus.err] + ([bus.stall] if pipelined else [])
        async for _, _reset, *values in ctx.tick().sample(*outputs, *inputs):
            cyc, stb, adr, sel, *rest = values[: len(outputs)]
            we, data = rest or (0, 0)
            ack, err, *stall = values[len(outputs) :]
            request = (adr, sel, we, data)
            assert not stb or cyc, "STB without CYC"
            if held is not None:
                assert stb and request == held, "a request that was not taken has changed"
            taken = stb and not (stall[0] if pipelined else not (ack or err))
            held = request if stb and not taken else None
            if taken and pipelined:
                pending.append(request)
            # What the target does in the cycle that begins now.
            ctx.set(bus.ack, 0)
            ctx.set(bus.err, 0)
            if pipelined:
                ctx.set(bus.stall, rng.random() < patience)
            elif held is not None:
                pending = [held]
            if pending and rng.random() > patience:
                adr, sel, we, data = pending.pop(0)
                value, error = memory.access(adr * 4, we, sel, data)
                ctx.set(bus.err if error else bus.ack, 1)
                ctx.set(bus.dat_r, value)

    return process


@pytest.mark.parametrize("pipelined", (False, True))
@pytest.mark.parametrize("writable", (False, True))
@pytest.mark.parametrize("patience", (0.0, 0.6))
def test_wishbone(pipelined, writable, patience):
    rng = random.Random(f"{pipelined} {writable} {patience}")
    dut = WishboneInitiator(writable=writable, pipelined=pipelined, depth=3)
    requests = Requests(dut, rng, writable)
    target = wishbone_target(dut, rng, writable, pipelined, patience)
    simulate(dut, [requests.check, target], requests.drive)
    assert requests.most == (3 if pipelined and patience else 1 + pipelined)


def axi_target(dut, rng, writable, patience):
    """Take requests and answer them, channel by channel, and check the rules of each."""
    bus, memory = dut.axi, Memory()
    channels = {"ar": ("araddr", "arprot")}
    if writable:
        channels |= {"aw": ("awaddr", "awprot"), "w": ("wdata", "wstrb")}

    async def process(ctx):
        held = dict.fromkeys(channels)
        queues = {name: [] for name in channels}
        names = [n for c, p in channels.items() for n in (f"{c}valid", f"{c}ready", *p)]
        answers = {"r": ("rvalid", "rready"), "b": ("bvalid", "bready")} if writable else {}
        answers = answers or {"r": ("rvalid", "rready")}
        names += [n for pair in answers.values() for n in pair]
        async for _, _reset, *values in ctx.tick().sample(*(getattr(bus, n) for n in names)):
            now = dict(zip(names, values, strict=True))
            for channel, payload in channels.items():
                content = tuple(now[n] for n in payload)
                if held[channel] is not None:
                    assert now[f"{channel}valid"], f"{channel.upper()}VALID fell before READY"
                    assert content == held[channel], f"{channel.upper()} changed before READY"
                taken = now[f"{channel}valid"] and now[f"{channel}ready"]
                held[channel] = content if now[f"{channel}valid"] and not taken else None
                if taken:
                    queues[channel].append(content)
                ctx.set(getattr(bus, f"{channel}ready"), rng.random() >= patience)
            for channel, (valid, ready) in answers.items():
                assert now[ready], "an answer must be taken at once"
                ctx.set(getattr(bus, valid), 0)
                if rng.random() < patience:
                    continue
                if channel == "r" and queues["ar"]:
                    value, error = memory.access(queues["ar"].pop(0)[0], 0, 0, 0)
                    ctx.set(bus.rdata, value)
                    ctx.set(bus.rresp, 2 + rng.randrange(2) if error else 0)
                    ctx.set(bus.rvalid, 1)
                elif channel == "b" and queues["aw"] and queues["w"]:
                    (address, _), (data, strobe) = queues["aw"].pop(0), queues["w"].pop(0)
                    _, error = memory.access(address, 1, strobe, data)
                    ctx.set(bus.bresp, 2 + rng.randrange(2) if error else 0)
                    ctx.set(bus.bvalid, 1)

    return process


@pytest.mark.parametrize("writable", (False, True))
@pytest.mark.parametrize("patience", (0.0, 0.6))
def test_axi4lite(writable, patience):
    rng = random.Random(f"{writable} {patience}")
    dut = Axi4LiteInitiator(writable=writable, depth=2)
    requests = Requests(dut, rng, writable)
    simulate(dut, [requests.check, axi_target(dut, rng, writable, patience)], requests.drive)
    assert requests.most == 2


@pytest.mark.parametrize("kind", (WishboneInitiator, Axi4LiteInitiator))
def test_depth_is_checked(kind):
    with pytest.raises(ValueError, match="depth must be at least 1, not 0"):
        kind(depth=0)


def test_instructions_are_marked():
    dut = Axi4LiteInitiator(writable=False, instruction=True)
    seen = []

    async def bench(ctx):
        seen.append(ctx.get(dut.axi.arprot))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == [0b101]

"""The bridges to Wishbone and AXI4-Lite: what a core asks for arrives once, in order and unchanged.

One request is followed, which the solver chooses: what holds of it holds of
every one. Each top is proved for ever.

Source
------
Wishbone B4, sections 3.1.3, 3.2 and 3.3; AMBA AXI (ARM IHI 0022), A3.2 and part B.
"""

from amaranth.hdl import Assert, Assume, C, Cat, Cover, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, PureInterface

from rtl.riscv.bus.axi4lite import Axi4LiteInitiator
from rtl.riscv.bus.wishbone import WishboneInitiator
from verif.formal.riscv.environment import STROBES

__all__ = ["CORE", "AxiProperties", "WishboneProperties", "drive"]

#: What the solver chooses of a core's bus.
CORE = {
    "request": In(1), "address": In(32), "write": In(1), "strobe": In(4), "write_data": In(32),
}  # fmt: skip
_COUNT = 4  # bits of a counter of requests; no bridge here has more than a few under way


class _Followed:
    """The request that is followed, how many go before it, and how many of all await an answer."""

    def __init__(self, m: Module, top: PureInterface, memory: PureInterface) -> None:
        self.pending = Signal(_COUNT)  # granted, and not answered
        self.chosen = Signal()
        self.address, self.data = Signal(32, name="followed_address"), Signal(32, name="followed_data")
        self.write, self.strobe = Signal(name="followed_write"), Signal(4, name="followed_strobe")
        self.answers_before = Signal(_COUNT)
        self.answered = Signal()
        accept = memory.request & memory.grant
        self.begins = accept & top.follow & ~self.chosen
        drive(m, top, memory)
        m.d.sync += self.pending.eq(self.pending + accept - memory.response)
        with m.If(self.begins):
            m.d.sync += [
                self.chosen.eq(1),
                self.address.eq(memory.address),
                self.write.eq(memory.write),
                self.strobe.eq(memory.strobe),
                self.data.eq(memory.write_data),
                self.answers_before.eq(self.pending - memory.response),
            ]
        self.answer = self.chosen & ~self.answered & memory.response & (self.answers_before == 0)
        with m.If(self.chosen & ~self.answered & memory.response):
            with m.If(self.answers_before == 0):
                m.d.sync += self.answered.eq(1)
            with m.Else():
                m.d.sync += self.answers_before.eq(self.answers_before - 1)
        m.d.comb += [
            Assert(~memory.response | (self.pending != 0), "an answer that nobody waits for"),
            Assert(self.pending <= 2),
            Cover(self.answer & memory.error, "an error"),
        ]


def drive(m: Module, top: PureInterface, memory: PureInterface) -> None:
    """Let the solver be the core, which holds a request until it is granted."""
    fields = ("address", "write", "strobe", "write_data")
    waiting = Signal(name="core_waits")
    m.d.comb += memory.request.eq(top.request)
    m.d.sync += waiting.eq(memory.request & ~memory.grant)
    m.d.comb += Assume(~waiting | memory.request)
    for field in fields:
        port = getattr(memory, field)
        before = Signal(len(port), name=f"core_{field}")
        m.d.comb += [port.eq(getattr(top, field)), Assume(~waiting | (port == before))]
        m.d.sync += before.eq(port)
    m.d.comb += [Assume(memory.address[:2] == 0), Assume(memory.strobe.matches(*STROBES))]


def _stable(m: Module, valid: Value, moved: Value, name: str, *payload: Value) -> None:
    """Assert that a transfer that is offered stays, unchanged, until it is taken."""
    offered = Signal(name=f"{name}_offered")
    m.d.sync += offered.eq(valid & ~moved)
    m.d.comb += Assert(~offered | valid, f"{name} withdrawn")
    for number, value in enumerate(payload):
        before = Signal(len(value), name=f"{name}_before_{number}")
        m.d.sync += before.eq(value)
        m.d.comb += Assert(~offered | (value == before), f"{name} changed")


class _Turn:
    """Whose turn it is on the bus: counts what was granted and has not been offered to the target."""

    def __init__(self, m: Module, followed: _Followed, accept: Value, issue: Value, name: str) -> None:
        self.unissued = Signal(_COUNT, name=f"{name}_unissued")
        before, issued = Signal(_COUNT, name=f"{name}_before"), Signal(name=f"{name}_issued")
        m.d.sync += self.unissued.eq(self.unissued + accept - issue)
        self.now = followed.chosen & ~issued & issue & (before == 0)
        with m.If(followed.begins):
            m.d.sync += before.eq(self.unissued - issue)
        with m.Elif(followed.chosen & ~issued & issue):
            with m.If(before == 0):
                m.d.sync += issued.eq(1)
            with m.Else():
                m.d.sync += before.eq(before - 1)
        self.issued = issued


class WishboneProperties(wiring.Component):
    """The bridge to Wishbone between any core and any target.

    Parameters
    ----------
    pipelined
        As for :class:`rtl.riscv.bus.wishbone.WishboneInitiator`.
    """

    def __init__(self, *, pipelined: bool = False) -> None:
        self._pipelined = pipelined
        bus = {"ack": In(1), "err": In(1), "stall": In(1), "dat_r": In(32)}
        super().__init__({**CORE, "follow": In(1), **bus})

    def elaborate(self, platform: object) -> Module:
        """Return the bridge, its neighbours and the assertions."""
        m = Module()
        m.submodules.dut = dut = WishboneInitiator(pipelined=self._pipelined)
        bus, memory = dut.wishbone, dut.memory
        followed = _Followed(m, self, memory)
        answer = bus.ack | bus.err
        m.d.comb += [bus.ack.eq(self.ack), bus.err.eq(self.err), bus.dat_r.eq(self.dat_r)]
        m.d.comb += Assume(~(self.ack & self.err))
        offered = bus.cyc & bus.stb
        if self._pipelined:
            m.d.comb += bus.stall.eq(self.stall)
            issue = offered & ~bus.stall
        else:
            issue = offered & answer
        turn = _Turn(m, followed, memory.request & memory.grant, issue, "bus")
        outstanding = Signal(_COUNT)  # offered, and not answered
        m.d.sync += outstanding.eq(outstanding + issue - (bus.cyc & answer))
        m.d.comb += [
            Assume(~answer | (bus.cyc & ((outstanding != 0) | issue))),
            Assert(~bus.stb | bus.cyc, "stb without cyc"),
            Assert((outstanding == 0) | bus.cyc, "cyc falls before the last answer"),
            Assert(followed.pending == turn.unissued + outstanding),
            Assert(memory.response == (bus.cyc & answer)),
            Cover(turn.now & followed.write, "a write"),
        ]
        moved = issue if self._pipelined else offered & answer
        _stable(m, offered, moved, "request", bus.adr, bus.sel, bus.we, bus.dat_w)
        with m.If(turn.now):
            m.d.comb += [
                Assert(bus.adr == followed.address[2:]),
                Assert(bus.we == followed.write),
                Assert(bus.sel == followed.strobe),
                Assert(~followed.write | (bus.dat_w == followed.data)),
            ]
        with m.If(followed.answer):
            m.d.comb += [
                Assert(turn.issued | turn.now, "answered before it was asked"),
                Assert(memory.read_data == bus.dat_r),
                Assert(memory.error == bus.err),
                Cover(~followed.write & ~memory.error, "a read"),
            ]
        return m


class AxiProperties(wiring.Component):
    """The bridge to AXI4-Lite between any core and any target."""

    def __init__(self) -> None:
        names = {"arready": 1, "rvalid": 1, "rdata": 32, "rresp": 2, "awready": 1, "wready": 1,
                 "bvalid": 1, "bresp": 2}  # fmt: skip
        self._inputs = names
        super().__init__({**CORE, "follow": In(1), **{name: In(width) for name, width in names.items()}})

    def elaborate(self, platform: object) -> Module:
        """Return the bridge, its neighbours and the assertions."""
        m = Module()
        m.submodules.dut = dut = Axi4LiteInitiator()
        axi, memory = dut.axi, dut.memory
        m.d.comb += [getattr(axi, name).eq(getattr(self, name)) for name in self._inputs]
        followed = _Followed(m, self, memory)
        accept = memory.request & memory.grant
        taken = {c: getattr(axi, f"{c}valid") & getattr(axi, f"{c}ready") for c in ("ar", "aw", "w")}
        turns = {
            c: _Turn(m, followed, accept & (memory.write if c != "ar" else ~memory.write), go, c)
            for c, go in taken.items()
        }
        due = {c: Signal(_COUNT, name=f"due_{c}") for c in taken}  # taken, and not answered
        for channel, counter in due.items():
            answer = axi.rvalid if channel == "ar" else axi.bvalid
            m.d.sync += counter.eq(counter + taken[channel] - answer)
        m.d.comb += [
            Assume(~axi.rvalid | (due["ar"] != 0)),
            Assume(~axi.bvalid | ((due["aw"] != 0) & (due["w"] != 0))),
            Assert(~((turns["ar"].unissued + due["ar"] != 0) & (turns["aw"].unissued + due["aw"] != 0)),
                   "reads and writes at once"),
            Assert(followed.pending == sum((turns[c].unissued + due[c] for c in ("ar", "aw")), C(0, 1))),
            Assert(turns["aw"].unissued + due["aw"] == turns["w"].unissued + due["w"]),
            Assert(memory.response == (axi.rvalid | axi.bvalid)),
            Assert(axi.rready & axi.bready),
        ]  # fmt: skip
        _stable(m, axi.arvalid, taken["ar"], "ar", axi.araddr, axi.arprot)
        _stable(m, axi.awvalid, taken["aw"], "aw", axi.awaddr, axi.awprot)
        _stable(m, axi.wvalid, taken["w"], "w", axi.wdata, axi.wstrb)
        with m.If(~followed.write & turns["ar"].now):
            m.d.comb += Assert(axi.araddr == followed.address)
        with m.If(followed.write):
            with m.If(turns["aw"].now):
                m.d.comb += Assert(axi.awaddr == followed.address)
            with m.If(turns["w"].now):
                m.d.comb += [Assert(axi.wdata == followed.data), Assert(axi.wstrb == followed.strobe)]
        with m.If(followed.answer):
            wrong = Mux(followed.write, axi.bresp[1], axi.rresp[1])
            issued = Mux(followed.write, turns["aw"].issued & turns["w"].issued, turns["ar"].issued)
            m.d.comb += [
                Assert(issued, "answered before it was asked"),
                Assert(axi.bvalid == followed.write),
                Assert(memory.error == wrong),
                Assert(followed.write | (memory.read_data == axi.rdata)),
                Cover(followed.write, "a write"),
                Cover(~followed.write, "a read"),
            ]
        m.d.comb += Cover(Cat(due["aw"] != due["w"]).any(), "data and address apart")
        return m

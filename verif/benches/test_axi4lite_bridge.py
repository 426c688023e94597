"""Bench of the bridge from a memory bus to AXI4-Lite: a random initiator, a target that takes its time.

Every cycle the bench drives both sides after the falling edge, looks at what
has settled before the rising one, and compares: channels hold what they offer,
each access goes out once and unchanged, answers come in order with the data
and the error of their access, and a read sees every write before it.
"""

import json
import os
import random
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import FallingEdge, Timer

DEPTH = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}").get("depth", 2)

_PATIENCE = 400  # cycles without an answer
_FAILING = 0x8000_0000  # addresses from here on are answered with an error
_PRIVILEGED = 1


class BridgeError(AssertionError):
    """What the bridge did wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access of the memory bus, and what its answer must be."""

    write: bool
    address: int
    strobe: int
    data: int
    error: bool
    expected: int | None  # of a read that succeeds


@dataclass(slots=True, kw_only=True)
class Pace:
    """How both sides pause: probabilities of a request, of a channel's being ready, of an answer."""

    request: float = 0.7
    write: float = 0.5
    ready: float = 0.7
    answer: float = 0.7


@dataclass(slots=True)
class Words:
    """A memory of words, written by bytes."""

    words: dict[int, int] = field(default_factory=dict)

    def read(self, address: int) -> int:
        """Return a word; one that was never written differs from the others."""
        return self.words.get(address, (address * 0x9E37_79B1 + 0x1234_5678) & 0xFFFF_FFFF)

    def write(self, address: int, strobe: int, data: int) -> None:
        """Write the bytes of a word whose bits are set in `strobe`."""
        mask = sum(0xFF << (8 * lane) for lane in range(4) if strobe >> lane & 1)
        self.words[address] = (self.read(address) & ~mask) | (data & mask)


class Bench:
    """Both sides of the bridge."""

    def __init__(self, dut: SimHandleBase, pace: Pace) -> None:
        self.dut, self.pace = dut, pace
        self.wanted: Access | None = None  # asked for, and not granted
        self.waiting: deque[Access] = deque()  # granted, and not answered
        self.to_read: deque[Access] = deque()  # granted reads that AR has not shown
        self.to_address: deque[Access] = deque()  # granted writes that AW has not shown
        self.to_data: deque[Access] = deque()  # and those that W has not shown
        self.reads: deque[Access] = deque()  # taken by the target, to be answered
        self.addressed: deque[Access] = deque()
        self.written: deque[Access] = deque()
        self.ours, self.theirs = Words(), Words()  # as the initiator sees it, and in the target
        self.offered: dict[str, tuple[int, ...]] = {}
        self.quiet = self.answered = 0
        self.sent_r: Access | None = None
        self.sent_b: Access | None = None

    # -- driving ------------------------------------------------------------

    def drive(self, *, more: bool) -> None:
        """Set the inputs of a cycle; `more`: whether the initiator asks for anything new."""
        dut, pace = self.dut, self.pace
        if self.wanted is None and more and random.random() < pace.request:
            self.wanted = self._draw()
        dut.memory__request.value = self.wanted is not None
        if self.wanted is not None:
            dut.memory__write.value = self.wanted.write
            dut.memory__address.value = self.wanted.address
            dut.memory__strobe.value = self.wanted.strobe
            dut.memory__write_data.value = self.wanted.data
        for channel in ("ar", "aw", "w"):
            getattr(dut, f"axi__{channel}ready").value = random.random() < pace.ready
        self._answer()

    def _draw(self) -> Access:
        write = random.random() < self.pace.write
        address = 4 * random.randrange(8) | random.choice((0, 0, 0, 0x4000_0000, _FAILING))
        return Access(
            write=write,
            address=address,
            strobe=random.randrange(1, 16) if write else 15,
            data=random.getrandbits(32),
            error=address >= _FAILING,
            expected=None,
        )

    def _answer(self) -> None:
        """Let the target answer at most one access a channel; valid answers are always taken."""
        dut, pace = self.dut, self.pace
        self.sent_r = self.sent_b = None
        if self.reads and random.random() < pace.answer:
            self.sent_r = self.reads.popleft()
        elif self.addressed and self.written and random.random() < pace.answer:
            address, data = self.addressed.popleft(), self.written.popleft()
            if not address.error:
                self.theirs.write(address.address, data.strobe, data.data)
            self.sent_b = address
        dut.axi__rvalid.value = self.sent_r is not None
        dut.axi__rdata.value = (
            random.getrandbits(32) if self.sent_r is None else self.theirs.read(self.sent_r.address)
        )
        dut.axi__rresp.value = self._response(self.sent_r)
        dut.axi__bvalid.value = self.sent_b is not None
        dut.axi__bresp.value = self._response(self.sent_b)

    @staticmethod
    def _response(access: Access | None) -> int:
        if access is None:
            return random.randrange(4)
        return random.choice((2, 3)) if access.error else 0

    # -- looking ------------------------------------------------------------

    def look(self) -> None:
        """Compare what has settled in a cycle."""
        dut = self.dut
        self._channel("ar", ("araddr", "arprot"), self.to_read)
        self._channel("aw", ("awaddr", "awprot"), self.to_address)
        self._channel("w", ("wdata", "wstrb"), self.to_data)
        self._response_of_the_bridge()
        if self.wanted is not None and int(dut.memory__grant.value):
            self._granted(self.wanted)
            self.wanted = None
        self.quiet = self.quiet + 1 if self.waiting or self.wanted else 0
        if self.quiet > _PATIENCE:
            where = self.waiting[0] if self.waiting else self.wanted
            what = "write" if where.write else "read"
            state = "no answer to" if self.waiting else "no grant of"
            raise BridgeError(f"{state} the {what} of {where.address:#010x} in {_PATIENCE} cycles")

    def _granted(self, access: Access) -> None:
        if not access.write and not access.error:
            access = Access(
                write=False, address=access.address, strobe=access.strobe, data=0, error=False,
                expected=self.ours.read(access.address),
            )  # fmt: skip
        elif access.write and not access.error:
            self.ours.write(access.address, access.strobe, access.data)
        self.waiting.append(access)
        if len(self.waiting) > DEPTH:
            raise BridgeError(f"{len(self.waiting)} accesses await an answer, depth is {DEPTH}")
        if access.write:
            self.to_address.append(access)
            self.to_data.append(access)
        else:
            self.to_read.append(access)

    def _channel(self, name: str, payload: tuple[str, ...], queue: deque[Access]) -> None:
        dut = self.dut
        valid = int(getattr(dut, f"axi__{name}valid").value)
        ready = int(getattr(dut, f"axi__{name}ready").value)
        shown = tuple(int(getattr(dut, f"axi__{signal}").value) for signal in payload)
        before = self.offered.pop(name, None)
        if before is not None and not valid:
            raise BridgeError(f"axi__{name}valid: withdrawn before axi__{name}ready")
        if before is not None and before != shown:
            changed = next(s for s, a, b in zip(payload, before, shown, strict=True) if a != b)
            raise BridgeError(f"axi__{changed}: changed while axi__{name}valid waits")
        if not valid:
            return
        if not queue:
            raise BridgeError(f"axi__{name}valid: a transfer that nobody asked for")
        access = queue[0]
        expected = (access.data, access.strobe) if name == "w" else (access.address, _PRIVILEGED)
        for signal, found, wanted in zip(payload, shown, expected, strict=True):
            if found != wanted:
                raise BridgeError(f"axi__{signal}: {found:#x}, must be {wanted:#x}")
        if not ready:
            self.offered[name] = shown
            return
        queue.popleft()
        {"ar": self.reads, "aw": self.addressed, "w": self.written}[name].append(access)

    def _response_of_the_bridge(self) -> None:
        dut = self.dut
        sent = self.sent_r or self.sent_b
        response = int(dut.memory__response.value)
        if response != (sent is not None):
            raise BridgeError(f"memory__response: {response}, the target's answers: {int(sent is not None)}")
        if sent is None:
            return
        if not self.waiting:
            raise BridgeError("memory__response: an answer to nothing")
        access = self.waiting.popleft()
        self.quiet = 0
        self.answered += 1
        what = "write" if access.write else "read"
        if access.write != (self.sent_b is not None):
            raise BridgeError(f"memory__response: the {what} was overtaken")
        error = int(dut.memory__error.value)
        if error != access.error:
            raise BridgeError(f"memory__error: {error} after a {what}, must be {int(access.error)}")
        if access.expected is not None:
            found = int(dut.memory__read_data.value)
            if found != access.expected:
                raise BridgeError(
                    f"memory__read_data: {found:#010x} of {access.address:#010x}, "
                    f"must be {access.expected:#010x}"
                )

    # -- running ------------------------------------------------------------

    async def cycle(self, *, more: bool = True) -> None:
        """Run one cycle, from falling edge to falling edge."""
        self.drive(more=more)
        await Timer(4, "ns")
        self.look()
        await FallingEdge(self.dut.clk)

    async def run(self, cycles: int) -> None:
        """Run some cycles, then until all is answered."""
        for _ in range(cycles):
            await self.cycle()
        while self.waiting or self.wanted:
            await self.cycle(more=False)
        for _ in range(5):
            await self.cycle(more=False)


async def _reset(dut: SimHandleBase) -> None:
    for name in (
        "memory__request",
        "axi__rvalid",
        "axi__bvalid",
        "axi__arready",
        "axi__awready",
        "axi__wready",
    ):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0


async def _begin(dut: SimHandleBase) -> None:
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    await _reset(dut)


@cocotb.test()
async def smoke(dut: SimHandleBase) -> None:
    """One read or write after the other, and a target that is always ready."""
    await _begin(dut)
    bench = Bench(dut, Pace(request=1, ready=1, answer=1))
    await bench.run(40)
    # An access takes three cycles at most: asked for, shown, answered.
    if bench.answered < 40 // 3:
        raise BridgeError(f"{bench.answered} accesses in 40 cycles, 13 at least must do")


@cocotb.test()
async def mixed(dut: SimHandleBase) -> None:
    """Both sides pause at random."""
    await _begin(dut)
    request, write, ready, answer = (random.uniform(0.2, 1) for _ in range(4))
    await Bench(dut, Pace(request=request, write=write, ready=ready, answer=answer)).run(150)


@cocotb.test()
async def slow_target(dut: SimHandleBase) -> None:
    """Try a target that is seldom ready and answers late, with more writes than reads."""
    await _begin(dut)
    await Bench(dut, Pace(request=0.9, write=0.7, ready=0.2, answer=0.15)).run(200)


@cocotb.test()
async def reset_in_the_middle(dut: SimHandleBase) -> None:
    """After a reset nothing is left of what was under way."""
    await _begin(dut)
    for _ in range(3):
        bench = Bench(dut, Pace(ready=0.3, answer=0.2))
        for _ in range(random.randrange(5, 40)):
            await bench.cycle()
        await _reset(dut)
    await Bench(dut, Pace()).run(50)

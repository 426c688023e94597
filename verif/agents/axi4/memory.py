"""Memory behind an AXI4 port: latency, pauses, errors."""

from collections import deque
from random import Random

from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge

from verif.agents.axi4.protocol import AxiChecker
from verif.agents.axi4.recorder import AxiRecorder

__all__ = ["AxiMemory"]

_INPUTS = ("arready", "rvalid", "rdata", "rresp", "rlast", "awready", "wready", "bvalid", "bresp")
_OUTPUTS = (
    "arvalid", "araddr", "arlen", "arsize", "arburst", "rready", "awvalid", "awaddr", "awlen", "awsize",
    "awburst", "wvalid", "wdata", "wstrb", "wlast", "bready",
)  # fmt: skip
_SLVERR = 2


class AxiMemory:
    """Serve a manager, and check it.

    Parameters
    ----------
    dut
        The simulated top.
    prefix
        Of the port's signals, such as ``memory__``.
    size
        Bytes of memory, from address 0; beyond them is an error.
    width
        Bits of a beat.
    latency
        Cycles from an address to the first beat or the answer, at least 1.
    stall
        Chance that a channel pauses in a cycle, 0 to less than 1.
    seed
        Of the pauses.

    Attributes
    ----------
    content
        The memory.
    latency, stall
        May be changed at any time.
    failing
        Ranges of bytes that answer with an error, ends left out.
    checker, recorder
        What watches the port.
    """

    def __init__(
        self,
        dut: HierarchyObject,
        prefix: str,
        *,
        size: int,
        width: int,
        latency: int = 4,
        stall: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.content = bytearray(size)
        self.checker = AxiChecker(width // 8)
        self.recorder = AxiRecorder()
        self.failing: list[range] = []
        self._bytes = width // 8
        self.latency, self.stall, self._random = latency, stall, Random(seed)
        self._dut, self._wires = dut, {n: getattr(dut, prefix + n) for n in (*_INPUTS, *_OUTPUTS)}
        self._now = dict.fromkeys(_INPUTS, 0)
        # (due, address, whether it is the last beat); bursts of (address, beats); (due, response).
        self._reads: deque[tuple[int, int, int]] = deque()
        self._writes: deque[list[int]] = deque()
        self._answers: deque[tuple[int, int]] = deque()
        self._response = 0

    async def serve(self) -> None:
        """Serve for ever."""
        for wire in _INPUTS:
            self._wires[wire].value = 0
        cycle = 0
        while True:
            await RisingEdge(self._dut.clk)
            cycle += 1
            reset = bool(self._dut.rst.value)
            sample = dict(self._now)
            for name in _OUTPUTS:
                value = self._wires[name].value
                sample[name] = int(value) if value.is_resolvable else 0
            self.checker.observe(sample, reset=reset)
            self.recorder.observe(sample, reset=reset)
            if reset:
                for queue in (self._reads, self._writes, self._answers):
                    queue.clear()
                self._drive(dict.fromkeys(_INPUTS, 0))
                continue
            self._take(sample, cycle)
            self._drive(self._next(sample, cycle))

    def _take(self, sample: dict[str, int], cycle: int) -> None:
        """Take addresses and written beats."""
        if sample["wvalid"] and sample["wready"]:
            self._write(sample, cycle)
        if sample["arvalid"] and sample["arready"]:
            for beat in range(sample["arlen"] + 1):
                address = sample["araddr"] + beat * self._bytes
                self._reads.append((cycle + self.latency, address, int(beat == sample["arlen"])))
        if sample["awvalid"] and sample["awready"]:
            self._writes.append([sample["awaddr"], sample["awlen"] + 1])

    def _write(self, sample: dict[str, int], cycle: int) -> None:
        burst = self._writes[0]
        if self._fails(burst[0]):
            self._response = _SLVERR
        else:
            data = sample["wdata"].to_bytes(self._bytes, "little")
            for place in range(self._bytes):
                if sample["wstrb"] >> place & 1:
                    self.content[burst[0] + place] = data[place]
        burst[0] += self._bytes
        burst[1] -= 1
        if burst[1] == 0:
            self._writes.popleft()
            self._answers.append((cycle + self.latency, self._response))
            self._response = 0

    def _next(self, sample: dict[str, int], cycle: int) -> dict[str, int]:
        """Return what is driven in the next cycle."""
        driven = {name: sample[name] for name in _INPUTS}
        if sample["rready"] or not sample["rvalid"]:
            driven["rvalid"] = 0
            if self._reads and self._reads[0][0] <= cycle and not self._pauses():
                _, address, last = self._reads.popleft()
                good = not self._fails(address)
                data = bytes(self.content[address : address + self._bytes]) if good else b""
                driven |= {"rvalid": 1, "rdata": int.from_bytes(data, "little"), "rlast": last}
                driven["rresp"] = 0 if good else _SLVERR
        if sample["bready"] or not sample["bvalid"]:
            driven["bvalid"] = 0
            if self._answers and self._answers[0][0] <= cycle and not self._pauses():
                driven |= {"bvalid": 1, "bresp": self._answers.popleft()[1]}
        driven["arready"] = int(not self._pauses())
        driven["awready"] = int(not self._pauses())
        # One burst's data at a time: the next address may not have come.
        driven["wready"] = int(bool(self._writes) and not self._pauses())
        return driven

    def _fails(self, address: int) -> bool:
        beyond = address + self._bytes > len(self.content)
        return beyond or any(address in failing for failing in self.failing)

    def _pauses(self) -> bool:
        return self.stall > 0 and self._random.random() < self.stall

    def _drive(self, values: dict[str, int]) -> None:
        for name, value in values.items():
            if self._now[name] != value:
                self._wires[name].value = value
        self._now = values

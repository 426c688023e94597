"""The target of a memory bus: grants and answers, with pauses."""

from collections import deque
from random import Random
from typing import Protocol

from pyuvm import uvm_component

from verif.agents.memory_bus.bus import MemoryBusWires
from verif.agents.stream.pacing import Pacing

__all__ = ["MemoryResponder", "Target"]


class Target(Protocol):
    """What lies behind the bus, in words of 32 bits."""

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word, and whether the access fails."""

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Write, and return whether the access fails."""


class MemoryResponder(uvm_component):
    """Serve a memory bus.

    What it does not answer with is noise, so that a core that looks at data
    without ``response`` is found out.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The bus.
    target
        What it leads to.
    grants, answers
        Pauses before a grant, and before an answer.
    seed
        What the noise derives from.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        bus: MemoryBusWires,
        target: Target,
        grants: Pacing,
        answers: Pacing,
        seed: int,
    ) -> None:
        super().__init__(name, parent)
        self.bus, self.target = bus, target
        self.grants, self.answers = grants, answers
        self._noise = Random(seed)
        self._queue: deque[tuple[int, int, int, int]] = deque()

    async def run_phase(self) -> None:
        """Serve for ever."""
        bus, queue = self.bus, self._queue
        pause, delay, granting, answering = 0, 0, 0, 1
        bus.grant.value = 0
        self._silence()
        while True:
            await bus.edge
            if bus.reset.value:
                queue.clear()
            elif granting and bus.request.value:
                queue.append(self._request())
                pause = self.grants.next()
            if queue and not delay:
                self._answer(queue.popleft())
                answering, delay = 1, self.answers.next()
            else:
                delay -= delay > 0
                if answering:
                    self._silence()
                    answering = 0
            grant = int(pause == 0)
            pause -= pause > 0
            if grant != granting:
                bus.grant.value = granting = grant

    def _request(self) -> tuple[int, int, int, int]:
        bus = self.bus
        address = int(bus.address.value)
        if bus.writable and bus.write.value:
            return address, 1, int(bus.strobe.value), int(bus.write_data.value)
        return address, 0, 0, 0

    def _answer(self, access: tuple[int, int, int, int]) -> None:
        bus, target = self.bus, self.target
        address, write, strobe, data = access
        if write:
            error = target.write(address, strobe, data)
            value = self._noise.getrandbits(32 * bus.words)
        else:
            words = [target.read(address + 4 * number) for number in range(bus.words)]
            error = any(bad for _, bad in words)
            value = sum(word << 32 * number for number, (word, _) in enumerate(words))
            if error:
                value = self._noise.getrandbits(32 * bus.words)
        bus.response.value = 1
        bus.read_data.value = value
        bus.error.value = int(error)

    def _silence(self) -> None:
        bus = self.bus
        bus.response.value = 0
        bus.read_data.value = self._noise.getrandbits(32 * bus.words)
        bus.error.value = self._noise.getrandbits(1)

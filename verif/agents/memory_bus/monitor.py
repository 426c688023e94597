"""The passive observer of a memory bus."""

from collections import deque

from pyuvm import uvm_analysis_port, uvm_component

from verif.agents.memory_bus.bus import MemoryBusWires
from verif.agents.memory_bus.items import BusAccess
from verif.agents.memory_bus.protocol import MemoryBusProtocol, MemoryProtocolError

__all__ = ["MemoryBusMonitor"]


class MemoryBusMonitor(uvm_component):
    """Report every access that is answered, and check the bus's rules.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The bus.

    Attributes
    ----------
    ap
        Analysis port of ``BusAccess``.
    cycle
        Clock edges seen.
    reported
        Accesses seen.
    outstanding
        Accesses that were granted and are not answered.
    """

    def __init__(self, name: str, parent: uvm_component, *, bus: MemoryBusWires) -> None:
        super().__init__(name, parent)
        self.bus = bus
        self.protocol = MemoryBusProtocol(bus.name, 4 * bus.words)
        self.cycle = self.reported = 0
        self._granted: deque[tuple[tuple[int, ...], int, int]] = deque()

    @property
    def outstanding(self) -> int:
        """As the class says."""
        return len(self._granted)

    def build_phase(self) -> None:
        """Make the analysis port."""
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self) -> None:
        """Sample at every clock edge, before the design's flops change."""
        bus, granted = self.bus, self._granted
        waited = 0
        while True:
            await bus.edge
            self.cycle += 1
            if bus.reset.value:
                self.protocol.reset()
                granted.clear()
                waited = 0
                continue
            request = self._request() if self._known("request") else None
            grant, answer = bool(bus.grant.value), bool(bus.response.value)
            if request is None and not answer and not self.protocol.outstanding:
                self.protocol.clock(self.cycle, None, grant, False)
                continue
            self.protocol.clock(self.cycle, request, grant, answer)
            if answer:
                self._report(*granted.popleft())
            if request is not None:
                if grant:
                    granted.append((request, self.cycle, waited))
                waited = 0 if grant else waited + 1

    def _request(self) -> tuple[int, ...]:
        if self.bus.writable:
            # What a read has for data does not count.
            write = self._known("write")
            data = self._known("write_data") if write else 0
            return self._known("address"), write, self._known("strobe"), data
        return (self._known("address"),)

    def _report(self, request: tuple[int, ...], since: int, waited: int) -> None:
        address, *rest = request
        write, strobe, data = rest or (0, (1 << 4 * self.bus.words) - 1, 0)
        self.reported += 1
        self.ap.write(
            BusAccess(
                self.cycle,
                address,
                bool(write),
                strobe,
                data if write else int(self.bus.read_data.value),
                bool(self.bus.error.value),
                waited,
                self.cycle - since,
            )
        )

    def _known(self, wire: str) -> int:
        value = getattr(self.bus, wire).value
        try:
            return int(value)
        except ValueError:
            raise MemoryProtocolError(
                f"{self.bus.name}: {wire} is {value} (not 0 or 1 throughout) in cycle {self.cycle}"
            ) from None

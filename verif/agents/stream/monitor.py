"""The passive observer of a stream."""

from pyuvm import uvm_analysis_port, uvm_component

from verif.agents.stream.bus import StreamBus
from verif.agents.stream.items import StreamReset, StreamTransfer
from verif.agents.stream.protocol import ProtocolError, StreamProtocol

__all__ = ["StreamMonitor"]


class StreamMonitor(uvm_component):
    """Report every beat that is taken and every reset, and check the protocol.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The stream.

    Attributes
    ----------
    ap
        Analysis port of ``StreamTransfer`` and ``StreamReset``.
    cycle
        Clock edges seen.
    transfers
        Beats seen.
    stalled, idle
        Cycles in which an offer waited, and in which there was none.
    """

    def __init__(self, name: str, parent: uvm_component, *, bus: StreamBus) -> None:
        super().__init__(name, parent)
        self.bus = bus
        self.protocol = StreamProtocol(bus.name)
        self.cycle = self.transfers = self.stalled = self.idle = 0

    def build_phase(self) -> None:
        """Make the analysis port."""
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self) -> None:
        """Sample at every clock edge, before the design's flops change."""
        bus, protocol = self.bus, self.protocol
        in_reset = False
        waited = 0
        while True:
            await bus.edge
            self.cycle += 1
            if bus.reset.value:
                if not in_reset:
                    self.ap.write(StreamReset(self.cycle))
                    protocol.reset()
                    in_reset, waited = True, 0
                continue
            in_reset = False
            valid, ready = self._known("valid"), self._known("ready")
            if not valid:
                self.idle += 1
                if protocol.waiting:
                    protocol.clock(self.cycle, 0, ready, None)
                continue
            payload = self._known("payload")
            protocol.clock(self.cycle, 1, ready, payload)
            if ready:
                self.transfers += 1
                self.ap.write(StreamTransfer(self.cycle, payload, waited))
                waited = 0
            else:
                self.stalled += 1
                waited += 1

    def _known(self, wire: str) -> int:
        value = getattr(self.bus, wire).value
        try:
            return int(value)
        except ValueError:
            raise ProtocolError(
                f"{self.bus.name}: {wire} is {value} (not 0 or 1 throughout) in cycle {self.cycle}"
            ) from None

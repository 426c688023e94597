"""Agents: what belongs to one stream, put together."""

from pyuvm import uvm_agent, uvm_component, uvm_sequencer

from verif.agents.stream.bus import StreamBus
from verif.agents.stream.driver import StreamDriver
from verif.agents.stream.monitor import StreamMonitor
from verif.agents.stream.pacing import Pacing
from verif.agents.stream.responder import StreamResponder
from verif.coverage import derive_seed

__all__ = ["StreamSink", "StreamSource"]


class StreamSource(uvm_agent):
    """Drive and observe a stream into the design.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The stream.
    pacing
        Name of the pattern of pauses.
    seed
        What everything random derives from.
    """

    def __init__(self, name: str, parent: uvm_component, *, bus: StreamBus, pacing: str, seed: int) -> None:
        super().__init__(name, parent)
        self._bus, self._pacing, self._seed = bus, pacing, seed

    def build_phase(self) -> None:
        """Make the parts."""
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = StreamDriver(
            "driver",
            self,
            bus=self._bus,
            pacing=Pacing(self._pacing, derive_seed(self._seed, self.get_name(), "pauses")),
            seed=derive_seed(self._seed, self.get_name(), "noise"),
        )
        self.monitor = StreamMonitor("monitor", self, bus=self._bus)

    def connect_phase(self) -> None:
        """Join driver and sequencer."""
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)


class StreamSink(uvm_agent):
    """Take and observe a stream out of the design; parameters as for the source."""

    def __init__(self, name: str, parent: uvm_component, *, bus: StreamBus, pacing: str, seed: int) -> None:
        super().__init__(name, parent)
        self._bus, self._pacing, self._seed = bus, pacing, seed

    def build_phase(self) -> None:
        """Make the parts."""
        self.responder = StreamResponder(
            "responder",
            self,
            bus=self._bus,
            pacing=Pacing(self._pacing, derive_seed(self._seed, self.get_name(), "pauses")),
        )
        self.monitor = StreamMonitor("monitor", self, bus=self._bus)

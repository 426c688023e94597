"""What belongs to one memory bus, put together."""

from pyuvm import uvm_agent, uvm_component

from verif.agents.memory_bus.bus import MemoryBusWires
from verif.agents.memory_bus.monitor import MemoryBusMonitor
from verif.agents.memory_bus.responder import MemoryResponder, Target
from verif.agents.stream.pacing import Pacing
from verif.coverage import derive_seed

__all__ = ["MemoryTarget"]


class MemoryTarget(uvm_agent):
    """Serve and observe a memory bus of the design.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The bus.
    target
        What it leads to.
    pacing
        Name of the pattern of pauses, of grants and answers.
    seed
        What everything random derives from.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        bus: MemoryBusWires,
        target: Target,
        pacing: str,
        seed: int,
    ) -> None:
        super().__init__(name, parent)
        self._bus, self._target, self._pacing, self._seed = bus, target, pacing, seed

    def build_phase(self) -> None:
        """Make the parts."""
        name = self.get_name()
        self.responder = MemoryResponder(
            "responder",
            self,
            bus=self._bus,
            target=self._target,
            grants=Pacing(self._pacing, derive_seed(self._seed, name, "grants")),
            answers=Pacing(self._pacing, derive_seed(self._seed, name, "answers")),
            seed=derive_seed(self._seed, name, "noise"),
        )
        self.monitor = MemoryBusMonitor("monitor", self, bus=self._bus)

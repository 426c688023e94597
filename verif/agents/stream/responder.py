"""The active sink of a stream."""

from pyuvm import uvm_component

from verif.agents.stream.bus import StreamBus
from verif.agents.stream.pacing import Pacing

__all__ = ["StreamResponder"]


class StreamResponder(uvm_component):
    """Take beats, with pauses; whether one is offered does not matter to it.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The stream.
    pacing
        Cycles without ``ready`` before each cycle with it; may be replaced
        at any time.
    """

    def __init__(self, name: str, parent: uvm_component, *, bus: StreamBus, pacing: Pacing) -> None:
        super().__init__(name, parent)
        self.bus = bus
        self.pacing = pacing

    async def run_phase(self) -> None:
        """Drive ``ready`` for ever."""
        edge, ready = self.bus.edge, self.bus.ready
        driven = None
        while True:
            pause = self.pacing.next()
            if pause:
                if driven != 0:
                    ready.value = driven = 0
                for _ in range(pause):
                    await edge
            if driven != 1:
                ready.value = driven = 1
            await edge

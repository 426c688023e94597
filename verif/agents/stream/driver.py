"""The active source of a stream."""

from random import Random

from pyuvm import uvm_component, uvm_driver

from verif.agents.stream.bus import StreamBus
from verif.agents.stream.items import StreamBurst
from verif.agents.stream.pacing import Pacing

__all__ = ["StreamDriver"]


class StreamDriver(uvm_driver):
    """Offer the beats of bursts, with pauses.

    While it pauses, the payload carries noise: a design that looks at it
    without ``valid`` is found out.

    Parameters
    ----------
    name, parent
        As for every component.
    bus
        The stream.
    pacing
        Pauses of bursts that bring none of their own.
    seed
        What the noise derives from.
    """

    def __init__(self, name: str, parent: uvm_component, *, bus: StreamBus, pacing: Pacing, seed: int) -> None:
        super().__init__(name, parent)
        self.bus = bus
        self.pacing = pacing
        self._noise = Random(seed)
        self._aborted = False

    def idle(self) -> None:
        """Offer nothing, from now on."""
        self.bus.valid.value = 0
        self.bus.payload.value = self._noise.getrandbits(self.bus.width)

    def abort(self) -> None:
        """Give up what is being driven, and drop bursts until :meth:`resume`."""
        self._aborted = True

    def resume(self) -> None:
        """Drive bursts again."""
        self._aborted = False

    async def run_phase(self) -> None:
        """Drive burst after burst."""
        self.idle()
        await self.bus.edge
        while True:
            burst = await self.seq_item_port.get_next_item()
            await self._drive(burst)
            self.seq_item_port.item_done()

    async def _drive(self, burst: StreamBurst) -> None:
        bus, edge, ready = self.bus, self.bus.edge, self.bus.ready
        for number, payload in enumerate(burst.payloads):
            gap = self.pacing.next() if burst.gaps is None else burst.gaps[number]
            for _ in range(gap):
                if self._aborted:
                    break
                self.idle()
                await edge
            if self._aborted:
                break
            bus.valid.value = 1
            bus.payload.value = payload
            await edge
            while not ready.value:
                if self._aborted:
                    break
                await edge
        self.idle()

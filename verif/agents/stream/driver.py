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

    def __init__(
        self, name: str, parent: uvm_component, *, bus: StreamBus, pacing: Pacing, seed: int
    ) -> None:
        super().__init__(name, parent)
        self.bus = bus
        self.pacing = pacing
        self._noise = Random(seed)
        self._held = False
        self._aborts = 0

    def idle(self) -> None:
        """Offer nothing, from now on."""
        self.bus.valid.value = 0
        self.bus.payload.value = self._noise.getrandbits(self.bus.width)

    def abort(self) -> None:
        """Give up what is being driven, and drop bursts until :meth:`resume`."""
        self._held = True
        self._aborts += 1

    def resume(self) -> None:
        """Drive bursts again."""
        self._held = False

    async def run_phase(self) -> None:
        """Drive burst after burst."""
        self.idle()
        await self.bus.edge
        while True:
            burst = await self.seq_item_port.get_next_item()
            await self._drive(burst)
            self.seq_item_port.item_done()

    async def _drive(self, burst: StreamBurst) -> None:
        # Counted, since a reset of one cycle can be over before this task runs again.
        bus, edge, ready, aborts = self.bus, self.bus.edge, self.bus.ready, self._aborts
        for number, payload in enumerate(burst.payloads):
            gap = self.pacing.next() if burst.gaps is None else burst.gaps[number]
            for _ in range(gap):
                self.idle()
                await edge
                if self._aborts != aborts:
                    break
            if self._held or self._aborts != aborts:
                break
            bus.valid.value = 1
            bus.payload.value = payload
            await edge
            while not ready.value and self._aborts == aborts:
                await edge
        self.idle()

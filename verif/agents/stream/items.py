"""What travels between sequences, drivers, monitors and scoreboards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyuvm import uvm_sequence, uvm_sequence_item

__all__ = ["StreamBurst", "StreamReset", "StreamSequence", "StreamTransfer"]


class StreamBurst(uvm_sequence_item):
    """Beats to drive one after the other.

    A burst, and not a beat, is the item: the hand-over between sequence and
    driver costs more than driving a beat does.

    Parameters
    ----------
    name
        For messages.
    payloads
        Beats in order.
    gaps
        Idle cycles before each beat; ``None`` leaves them to the driver's
        pacing.

    Raises
    ------
    ValueError
        There are not as many gaps as beats.
    """

    def __init__(self, name: str, payloads: Sequence[int], gaps: Sequence[int] | None = None) -> None:
        super().__init__(name)
        if gaps is not None and len(gaps) != len(payloads):
            raise ValueError(f"burst {name}: {len(payloads)} beats, but {len(gaps)} gaps")
        self.payloads = tuple(payloads)
        self.gaps = None if gaps is None else tuple(gaps)


class StreamSequence(uvm_sequence):
    """Send bursts until they or the test's patience end.

    Parameters
    ----------
    name
        For messages.
    bursts
        Made as they are needed, if it is a generator.
    """

    def __init__(self, name: str, bursts: Iterable[StreamBurst]) -> None:
        super().__init__(name)
        self._bursts = bursts
        self._stopped = False

    def stop(self) -> None:
        """Send no further burst."""
        self._stopped = True

    async def body(self) -> None:
        """Hand burst after burst to the driver."""
        for burst in self._bursts:
            if self._stopped:
                break
            await self.start_item(burst)
            await self.finish_item(burst)


@dataclass(frozen=True, slots=True)
class StreamTransfer:
    """One beat that was taken.

    Attributes
    ----------
    cycle
        Clock edges since the monitor began.
    payload
        The beat.
    waited
        Cycles it was offered before it was taken.
    """

    cycle: int
    payload: int
    waited: int


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The first cycle of a reset."""

    cycle: int

"""What an AXI4 port did: bursts, and how long each channel waited."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AxiRecorder", "Burst"]

_CHANNELS = ("ar", "r", "aw", "w", "b")


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst that was asked for.

    Attributes
    ----------
    channel
        ``ar`` or ``aw``.
    address, beats
        Its first byte, and its length.
    """

    channel: str
    address: int
    beats: int


@dataclass
class AxiRecorder:
    """Watch a port at every clock edge; knows no simulator.

    Attributes
    ----------
    bursts
        In order of their addresses.
    waits
        By channel, how many transfers waited how many cycles.
    errors
        Beats of ``r`` and answers of ``b`` that said so.
    """

    bursts: list[Burst] = field(default_factory=list)
    waits: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in _CHANNELS})
    errors: dict[str, int] = field(default_factory=lambda: {"r": 0, "b": 0})
    _since: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_CHANNELS, 0))

    def observe(self, sample: Mapping[str, int], *, reset: bool = False) -> None:
        """Take the values before an edge."""
        if reset:
            self._since = dict.fromkeys(_CHANNELS, 0)
            return
        for channel in _CHANNELS:
            if not sample[f"{channel}valid"]:
                continue
            if not sample[f"{channel}ready"]:
                self._since[channel] += 1
                continue
            waited, self._since[channel] = self._since[channel], 0
            self.waits[channel][waited] = self.waits[channel].get(waited, 0) + 1
            if channel in ("ar", "aw"):
                self.bursts.append(Burst(channel, sample[f"{channel}addr"], sample[f"{channel}len"] + 1))
            elif channel in self.errors and sample[f"{channel}resp"]:
                self.errors[channel] += 1

    def clear(self) -> None:
        """Forget what was seen; a transfer that waits goes on waiting."""
        self.bursts.clear()
        for found in self.waits.values():
            found.clear()
        self.errors = dict.fromkeys(self.errors, 0)

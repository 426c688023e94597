"""Rules of AXI4 for a manager whose transactions have one ID. Knows no simulator."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AxiChecker", "AxiSample"]

#: Signals of the port, by channel, that must not change while they wait.
_HELD = {
    "ar": ("addr", "len", "size", "burst"),
    "aw": ("addr", "len", "size", "burst"),
    "w": ("data", "strb", "last"),
    "r": ("data", "resp", "last"),
    "b": ("resp",),
}
AxiSample = Mapping[str, int]


@dataclass
class AxiChecker:
    """Watch a port at every clock edge.

    Attributes
    ----------
    bytes_per_beat
        Bytes of a beat.
    complaints
        Rules that were broken, with the cycle.
    bursts, beats
        Bursts asked for and beats moved, by channel: ``ar`` and ``aw``, ``r`` and ``w``.
    """

    bytes_per_beat: int
    complaints: list[str] = field(default_factory=list)
    bursts: dict[str, int] = field(default_factory=lambda: {"ar": 0, "aw": 0})
    beats: dict[str, int] = field(default_factory=lambda: {"r": 0, "w": 0})
    _cycle: int = 0
    _waiting: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _reads: deque[int] = field(default_factory=deque)
    _writes: deque[int] = field(default_factory=deque)
    _unanswered: int = 0

    def observe(self, sample: AxiSample, *, reset: bool = False) -> None:
        """Take the values before an edge.

        Parameters
        ----------
        sample
            Signals by name, such as ``arvalid``.
        reset
            Whether reset is active; then nothing is asked of the port.
        """
        self._cycle += 1
        if reset:
            self._waiting.clear()
            self._reads.clear()
            self._writes.clear()
            self._unanswered = 0
            return
        for channel, names in _HELD.items():
            self._stays(sample, channel, names)
        # An address of this cycle does not let data of this cycle pass.
        if self._moves(sample, "r"):
            self._beat("r", self._reads, sample["rlast"])
        if self._moves(sample, "b"):
            self._unanswered -= 1
            if self._unanswered < 0:
                self._complain("a write is answered that was not complete")
        if self._moves(sample, "w") and self._beat("w", self._writes, sample["wlast"]):
            self._unanswered += 1
        for channel, lengths in (("ar", self._reads), ("aw", self._writes)):
            if self._moves(sample, channel):
                self._request(channel, sample)
                lengths.append(sample[f"{channel}len"] + 1)

    def finish(self) -> None:
        """Complain about what is under way at the end."""
        if self._reads or self._writes or self._unanswered:
            self._complain("the port is not quiet at the end")

    def _complain(self, what: str) -> None:
        self.complaints.append(f"cycle {self._cycle}: {what}")

    @staticmethod
    def _moves(sample: AxiSample, channel: str) -> bool:
        return bool(sample[f"{channel}valid"] and sample[f"{channel}ready"])

    def _stays(self, sample: AxiSample, channel: str, names: tuple[str, ...]) -> None:
        values = tuple(sample[f"{channel}{name}"] for name in names)
        before = self._waiting.pop(channel, None)
        if before is not None and not sample[f"{channel}valid"]:
            self._complain(f"{channel.upper()} is withdrawn")
        elif before is not None and before != values:
            self._complain(f"{channel.upper()} changes while it waits")
        if sample[f"{channel}valid"] and not sample[f"{channel}ready"]:
            self._waiting[channel] = values

    def _request(self, channel: str, sample: AxiSample) -> None:
        address, beats = sample[f"{channel}addr"], sample[f"{channel}len"] + 1
        size = self.bytes_per_beat
        self.bursts[channel] += 1
        if 1 << sample[f"{channel}size"] != size:
            self._complain(f"{channel.upper()}SIZE is not the port's")
        if sample[f"{channel}burst"] != 1:
            self._complain(f"{channel.upper()}BURST is not INCR")
        if address % size:
            self._complain(f"{channel.upper()}ADDR is not aligned")
        if address // 4096 != (address + beats * size - 1) // 4096:
            self._complain(f"{channel.upper()} crosses 4 KiB")

    def _beat(self, channel: str, lengths: deque[int], last: int) -> bool:
        """Count a beat, and return whether it is its burst's last."""
        self.beats[channel] += 1
        if not lengths:
            self._complain(f"{channel.upper()} has a beat before its address")
            return False
        lengths[0] -= 1
        if bool(last) != (lengths[0] == 0):
            self._complain(f"{channel.upper()}LAST is at another beat than the length says")
        if lengths[0] == 0:
            lengths.popleft()
            return True
        return False

"""A memory of words with holes; needs no simulator."""

from collections.abc import Iterable

__all__ = ["WordMemory"]


class WordMemory:
    """Words of 32 bits in regions; outside of them every access fails.

    Parameters
    ----------
    regions
        Base and size of each, in bytes.
    """

    def __init__(self, regions: Iterable[tuple[int, int]]) -> None:
        self.regions = tuple(regions)
        self.words: dict[int, int] = {}

    def holds(self, address: int) -> bool:
        """Return whether a region covers the address."""
        return any(base <= address < base + size for base, size in self.regions)

    def load(self, address: int, content: bytes) -> None:
        """Put bytes into memory, from an address that is a multiple of four.

        Raises
        ------
        ValueError
            They do not lie in a region.
        """
        padded = content + bytes(-len(content) % 4)
        if address % 4 or (padded and not (self.holds(address) and self.holds(address + len(padded) - 1))):
            raise ValueError(f"{len(content)} bytes at {address:#x} do not lie in memory, on a whole word")
        for offset in range(0, len(padded), 4):
            self.words[address + offset] = int.from_bytes(padded[offset : offset + 4], "little")

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word at a multiple of four, and whether the access fails."""
        if not self.holds(address):
            return 0, True
        return self.words.get(address, 0), False

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Write the bytes of a strobe, and return whether the access fails."""
        if not self.holds(address):
            return True
        mask = sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)
        self.words[address] = self.words.get(address, 0) & ~mask | data & mask
        return False

    def copy(self) -> "WordMemory":
        """Return another with the same contents."""
        other = WordMemory(self.regions)
        other.words = dict(self.words)
        return other

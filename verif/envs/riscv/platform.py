"""What a core sees of the world: memory, timer, test device. Needs no simulator.

The map is the simulation harness's (``verif/harness/riscv``).
"""

from dataclasses import dataclass

from verif.agents.memory_bus.memory import WordMemory

__all__ = ["RAM_BASE", "FetchPort", "Lines", "Platform", "Shadow", "is_device"]

RAM_BASE = 0x8000_0000
_RAM_SIZE = 0x0040_0000
_CLINT, _CLINT_SIZE = 0x0200_0000, 0xC000
_SOFTWARE, _COMPARE, _TIME = 0x0200_0000, 0x0200_4000, 0x0200_BFF8
_DEVICE, _DEVICE_SIZE = 0x1000_0000, 0x800
_EXTERNAL_BIT, _LOCAL_BIT = 11, 16
_MASK = 0xFFFF_FFFF


def is_device(address: int) -> bool:
    """Return whether what a read gives is known to the device alone."""
    return _CLINT <= address < _CLINT + _CLINT_SIZE or _DEVICE <= address < _DEVICE + _DEVICE_SIZE


def _merge(old: int, strobe: int, data: int) -> int:
    mask = sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)
    return old & ~mask | data & mask


@dataclass(slots=True)
class Lines:
    """Interrupt lines."""

    software: int = 0
    timer: int = 0
    external: int = 0
    local: int = 0


class Platform:
    """Memory and devices of the data bus.

    Attributes
    ----------
    memory
        The memory.
    cycle, mtime
        Clock cycles so far; they are one.
    exit_code
        What was written to the exit register, if anything was.
    """

    def __init__(self) -> None:
        self.memory = WordMemory([(RAM_BASE, _RAM_SIZE)])
        self.cycle = 0
        self.exit_code: int | None = None
        self._software = 0
        self._compare = (1 << 64) - 1
        self._raised = 0
        self._later: list[tuple[int, int]] = []

    def tick(self) -> Lines:
        """Let a cycle pass, and return the lines in the next one."""
        self.cycle += 1
        for item in [item for item in self._later if item[0] <= self.cycle]:
            self._raised |= 1 << item[1]
            self._later.remove(item)
        return Lines(
            software=self._software,
            timer=int(self.cycle >= self._compare),
            external=self._raised >> _EXTERNAL_BIT & 1,
            local=self._raised >> _LOCAL_BIT,
        )

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word at a multiple of four, and whether the access fails."""
        if not is_device(address):
            return self.memory.read(address)
        values = {
            _SOFTWARE: self._software,
            _COMPARE: self._compare & _MASK,
            _COMPARE + 4: self._compare >> 32,
            _TIME: self.cycle & _MASK,
            _TIME + 4: self.cycle >> 32,
            _DEVICE + 8: self.cycle & _MASK,
        }
        return values.get(address, 0), False

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Write the bytes of a strobe, and return whether the access fails."""
        if not is_device(address):
            return self.memory.write(address, strobe, data)
        if address == _SOFTWARE:
            self._software = _merge(self._software, strobe, data) & 1
        elif address in (_COMPARE, _COMPARE + 4):
            shift = 8 * (address - _COMPARE)
            self._compare = (
                _merge(self._compare, strobe << (shift // 8), data << shift)
                if not shift
                else (self._compare & _MASK | _merge(self._compare >> 32, strobe, data) << 32)
            )
        elif address == _DEVICE + 4:
            self.exit_code = data
        elif address == _DEVICE + 0x10:
            self._raised = data
        elif address == _DEVICE + 0x14:
            self._later.append((self.cycle + (data >> 16), data & 31))
        return False


class FetchPort:
    """The instruction bus's view: memory alone; from devices nothing is executed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word, and whether the access fails."""
        return self._platform.memory.read(address)

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Fail: nothing is written through the instruction bus."""
        return True


class Shadow:
    """The model's memory: a copy, in which devices swallow writes.

    Attributes
    ----------
    writes
        Every write that went through: address, strobe, and the bytes that count.
    exit_code
        As the platform's.
    """

    def __init__(self, platform: Platform) -> None:
        self._memory = platform.memory.copy()
        self.writes: list[tuple[int, int, int]] = []
        self.exit_code: int | None = None

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word, and whether the access fails."""
        return (0, False) if is_device(address) else self._memory.read(address)

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Write, and return whether the access fails."""
        if not is_device(address):
            if self._memory.write(address, strobe, data):
                return True
        elif address == _DEVICE + 4:
            self.exit_code = data
        self.writes.append((address, strobe, _merge(0, strobe, data)))
        return False

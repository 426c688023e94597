"""Random registers, values and offsets: corners often, registers in use again soon."""

import random
from itertools import repeat

from verif.lockstep.random.frame import Registers

__all__ = ["EXTREMES", "Operands"]

_CORNERS = (0, 1, 2, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFE, 31, 32, 0xFF, 0xFFFF)
#: Values that coverage looks for.
EXTREMES = (0, 1, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000)
_IMMEDIATES = (0, 1, -1, 2047, -2048, 31, 32, -32)


class Operands:
    """Choices of registers and numbers.

    Parameters
    ----------
    rng
        Where chance comes from.
    registers
        How many there are.
    regs
        Those with a purpose.
    """

    def __init__(self, rng: random.Random, registers: int, regs: Registers) -> None:
        self._rng = rng
        self._bits = rng.getrandbits
        self._registers = registers
        self.regs = regs
        self.blocked: tuple[int, ...] = ()  # not to be written for now, besides `regs.kept`
        self.looping = False  # the inner counter counts
        self._recent = [0, 0, 0, 0]
        self._turn = 0
        self._renew()

    @property
    def writable(self) -> list[int]:
        """Registers to write, without x0."""
        return self._free

    @property
    def low_writable(self) -> list[int]:
        """Those of them that most compressed instructions can name."""
        return self._low

    def _renew(self) -> None:
        """Make the tables that the choices are drawn from: 64 entries, so that 6 bits choose."""
        blocked = self.regs.kept.union(self.blocked)
        free = [n for n in range(1, self._registers) if n not in blocked]
        low = [n for n in free if 8 <= n < 16]
        self._free = free
        self._destinations = self._spread([*free, *free, 0])
        self._low = low
        self._sources = self._spread(list(range(self._registers)))

    def _spread(self, items: list[int]) -> list[int]:
        table = [item for _ in repeat(None, 64 // len(items)) for item in items]
        return table + self._rng.sample(items, 64 - len(table))

    def keep(self, *registers: int) -> None:
        """From now on, write none of these, besides those that are always kept."""
        self.blocked = registers
        self._renew()

    def used(self, register: int) -> None:
        """Remember a result, so that it is used soon."""
        self._turn = (self._turn + 1) & 3
        self._recent[self._turn] = register

    def rd(self) -> int:
        """Return a register to write, sometimes x0."""
        rd = self._destinations[self._bits(6)]
        self._turn = (self._turn + 1) & 3
        self._recent[self._turn] = rd
        return rd

    def free(self) -> int:
        """Return a register to write that is not x0."""
        return self._free[int(self._rng.random() * len(self._free))]

    def two_free(self) -> tuple[int, int]:
        """Return two different registers to write."""
        first, second = self._rng.sample(self._free, 2)
        return first, second

    def low(self) -> int | None:
        """Return a register to write out of x8 to x15, less 8; ``None`` if there is none."""
        if not self._low:
            return None
        register = self._low[self._bits(8) % len(self._low)]
        self.used(register)
        return register - 8

    def rs(self) -> int:
        """Return a register to read, every other time a recent result."""
        bits = self._bits(9)
        if bits & 1:
            return self._recent[(self._turn - (bits >> 1 & 3)) & 3]
        return self._sources[bits >> 3]

    def low_source(self) -> int:
        """Return a register to read out of x8 to x15, less 8."""
        bits = self._bits(6)
        recent = self._recent[(self._turn - (bits >> 1 & 3)) & 3]
        return recent - 8 if bits & 1 and 8 <= recent < 16 else bits >> 3

    def value(self) -> int:
        """Return 32 bits, a corner half of the time."""
        bits = self._bits(36)
        if bits & 1:
            return _CORNERS[(bits >> 4) % len(_CORNERS)]
        if bits & 2:
            return 1 << (bits >> 4 & 31)
        return bits >> 4

    def immediate(self) -> int:
        """Return a signed number of 12 bits."""
        bits = self._bits(14)
        if bits & 3 == 0:
            return _IMMEDIATES[bits >> 2 & 7]
        return (bits >> 2) - 2048

    def amount(self) -> int:
        """Return a shift amount."""
        bits = self._bits(7)
        return (0, 1, 31, 16)[bits >> 2 & 3] if bits & 3 == 0 else bits >> 2

    def offset(self, size: int) -> int:
        """Return an aligned offset from a data pointer, often within the same few words."""
        bits = self._bits(14)
        small = bits & 3
        return ((bits >> 2) - 2048 if not small else (bits >> 2) % 64 - 32) & -size

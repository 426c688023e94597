"""Writes the assembly of a generated test."""

import random
from collections.abc import Sequence

from rtl.riscv.config import CoreConfig
from verif.programs.directed.reference import MASK

__all__ = ["CORNERS", "Writer"]

#: Operands at which adders, comparers, shifters, multipliers and dividers change their ways.
CORNERS = (
    0x0000_0000,
    0x0000_0001,
    0x0000_0002,
    0xFFFF_FFFF,
    0xFFFF_FFFE,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0x5555_5555,
    0xAAAA_AAAA,
    0x0000_FFFF,
    0xFFFF_0000,
)

_RESERVED = (0, 3, 4)  # zero, the number of the test, scratch of the checks


class Writer:
    """Collects lines of one program.

    Parameters
    ----------
    config
        Core that it is for: decides over the registers.
    seed
        Of the choices of registers and distances, which do not change what is tested.

    Attributes
    ----------
    config, random
        The core, and the source of choices.
    registers
        Numbers of the registers that a test may use.
    """

    def __init__(self, config: CoreConfig, seed: int) -> None:
        self.config = config
        self.random = random.Random(seed)
        self.registers = [n for n in range(config.registers) if n not in _RESERVED]
        self._number = 0
        self._lines: list[str] = []
        self._data: list[str] = []

    @property
    def number(self) -> int:
        """Number of the present test."""
        return self._number

    def emit(self, *lines: str) -> None:
        """Append instructions, labels or directives."""
        self._lines += lines

    def data(self, *lines: str) -> None:
        """Append to the data section."""
        self._data += lines

    def test(self, comment: str = "") -> int:
        """Begin the next test and return its number."""
        self._number += 1
        comment = " ".join(comment.split())
        self.emit(f"test  # {comment}" if comment else "test")
        return self._number

    def load(self, register: int, value: int) -> None:
        """Load a constant, by one or two instructions."""
        self.emit(f"li x{register}, {value & MASK:#x}")

    def check(self, register: int, value: int) -> None:
        """Fail unless a register has this value."""
        if value & MASK == 0:
            self.emit(f"bnez x{register}, fail")
        else:
            self.emit(f"li x4, {value & MASK:#x}", f"bne x{register}, x4, fail")

    def pick(self, count: int, *, avoid: Sequence[int] = ()) -> list[int]:
        """Return different registers."""
        return self.random.sample([n for n in self.registers if n not in avoid], count)

    def gap(self, length: int, *, avoid: Sequence[int] = ()) -> None:
        """Put unrelated instructions between."""
        for _ in range(length):
            register = self.pick(1, avoid=avoid)[0]
            self.emit(self.random.choice(("nop", f"xori x{register}, x{register}, 85")))

    def text(self) -> str:
        """Return the whole program."""
        body = "\n".join(line if line.endswith(":") else f"        {line}" for line in self._lines)
        data = "\n".join(self._data)
        return (
            f'#include "directed.h"\n        .option norvc\n        begin\n{body}\n        end\n'
            f"        .data\n        .balign 4096\n{data}\n"
        )

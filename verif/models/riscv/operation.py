"""From an instruction word to what it asks for; compressed ones in the terms of those they stand for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from verif.lockstep.encoding import Instruction, instructions
from verif.programs.directed.reference import signed

__all__ = ["Operation", "decode"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An instruction, taken apart.

    Attributes
    ----------
    name
        Mnemonic; of a compressed instruction, of the one that it stands for.
    rd, rs1, rs2
        Registers; 0 where there is none.
    immediate
        Signed; a shift amount, or a CSR's address.
    size
        Bytes.
    group
        Kind of work, as :class:`verif.lockstep.encoding.Instruction` has it.
    mnemonic
        As it was written.
    """

    name: str
    rd: int
    rs1: int
    rs2: int
    immediate: int
    size: int
    group: str
    mnemonic: str


@cache
def _ordered(enabled: frozenset[str]) -> tuple[Instruction, ...]:
    return tuple(sorted(instructions(enabled), key=lambda item: -item.mask.bit_count()))


@cache
def decode(word: int, enabled: frozenset[str]) -> Operation | None:
    """Return what a word means to a core with these extensions, or None if it is illegal.

    Parameters
    ----------
    word
        32 bits, or 16 whose low two are not both set.
    enabled
        As :func:`verif.lockstep.encoding.extensions` returns them.
    """
    for item in _ordered(enabled):
        if word & item.mask == item.match:
            if item.group == "illegal":
                return None
            return _wide(word, item) if item.size == 4 else _compressed(word, item)
    return None


def _field(word: int, high: int, low: int) -> int:
    return word >> low & ((1 << (high - low + 1)) - 1)


def _gather(word: int, *places: int) -> int:
    """Return a number from the bits of a word, the most significant first; negative places are zeros."""
    value = 0
    for place in places:
        value = value << 1 | (word >> place & 1 if place >= 0 else 0)
    return value


_IMMEDIATES: dict[str, Callable[[int], int]] = {
    "I": lambda w: signed(w >> 20, 12),
    "S": lambda w: signed(_field(w, 31, 25) << 5 | _field(w, 11, 7), 12),
    "B": lambda w: signed(_gather(w, 31, 7, *range(30, 24, -1), *range(11, 7, -1), -1), 13),
    "U": lambda w: w & 0xFFFF_F000,
    "J": lambda w: signed(_gather(w, 31, *range(19, 11, -1), 20, *range(30, 20, -1), -1), 21),
    "H": lambda w: _field(w, 24, 20),
    "C": lambda w: w >> 20,
    "Z": lambda w: w >> 20,
    "-": lambda w: 0,
}


def _wide(word: int, item: Instruction) -> Operation:
    places = {"-": 0, "d": _field(word, 11, 7), "s": _field(word, 19, 15), "t": _field(word, 24, 20)}
    rd, rs1, rs2 = (places[letter] for letter in item.fields)
    immediate = _IMMEDIATES[item.immediate](word)
    return Operation(item.name, rd, rs1, rs2, immediate, 4, item.group, item.name)


# What a compressed instruction stands for, and the bits of its immediate.
_SHORT = (6, 5, 4, 3, 2)
_JUMP = (12, 8, 10, 9, 6, 7, 2, 11, 5, 4, 3, -1)
_NEAR = (12, 6, 5, 2, 11, 10, 4, 3, -1)
_FULL: dict[str, tuple[str, Callable[[int], int]]] = {
    "c.addi4spn": ("addi", lambda h: _gather(h, 10, 9, 8, 7, 12, 11, 5, 6, -1, -1)),
    "c.lw": ("lw", lambda h: _gather(h, 5, 12, 11, 10, 6, -1, -1)),
    "c.sw": ("sw", lambda h: _gather(h, 5, 12, 11, 10, 6, -1, -1)),
    "c.addi": ("addi", lambda h: signed(_gather(h, 12, *_SHORT), 6)),
    "c.jal": ("jal", lambda h: signed(_gather(h, *_JUMP), 12)),
    "c.li": ("addi", lambda h: signed(_gather(h, 12, *_SHORT), 6)),
    "c.lui": ("lui", lambda h: signed(_gather(h, 12, *_SHORT), 6) << 12),
    "c.addi16sp": ("addi", lambda h: signed(_gather(h, 12, 4, 3, 5, 2, 6, -1, -1, -1, -1), 10)),
    "c.srli": ("srli", lambda h: _gather(h, *_SHORT)),
    "c.srai": ("srai", lambda h: _gather(h, *_SHORT)),
    "c.andi": ("andi", lambda h: signed(_gather(h, 12, *_SHORT), 6)),
    "c.j": ("jal", lambda h: signed(_gather(h, *_JUMP), 12)),
    "c.beqz": ("beq", lambda h: signed(_gather(h, *_NEAR), 9)),
    "c.bnez": ("bne", lambda h: signed(_gather(h, *_NEAR), 9)),
    "c.slli": ("slli", lambda h: _gather(h, *_SHORT)),
    "c.lwsp": ("lw", lambda h: _gather(h, 3, 2, 12, 6, 5, 4, -1, -1)),
    "c.swsp": ("sw", lambda h: _gather(h, 8, 7, 12, 11, 10, 9, -1, -1)),
    "c.jr": ("jalr", lambda h: 0),
    "c.jalr": ("jalr", lambda h: 0),
    "c.mv": ("add", lambda h: 0),
    "c.lbu": ("lbu", lambda h: _gather(h, 5, 6)),
    "c.lhu": ("lhu", lambda h: _gather(h, 5, -1)),
    "c.lh": ("lh", lambda h: _gather(h, 5, -1)),
    "c.sb": ("sb", lambda h: _gather(h, 5, 6)),
    "c.sh": ("sh", lambda h: _gather(h, 5, -1)),
    "c.zext.b": ("andi", lambda h: 0xFF),
    "c.not": ("xori", lambda h: -1),
}


def _compressed(half: int, item: Instruction) -> Operation:
    places = {
        "-": 0,
        "d": _field(half, 11, 7),
        "c": _field(half, 6, 2),
        "p": 8 + _field(half, 4, 2),
        "q": 8 + _field(half, 9, 7),
        "1": 1,
        "2": 2,
    }
    rd, rs1, rs2 = (places[letter] for letter in item.fields)
    name, immediate = _FULL.get(item.name, (item.name.removeprefix("c."), lambda h: 0))
    return Operation(name, rd, rs1, rs2, immediate(half), 2, item.group, item.name)

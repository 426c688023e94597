"""Allocation of the activation memory: buffers by when they are needed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.items import Buffer, Item

__all__ = ["Lifetime", "NoRoomError", "allocate"]

_TRIES = 60
_BANKS = 4


class NoRoomError(Exception):
    """The activation memory is too small.

    Attributes
    ----------
    item
        Place of the item at which most words are needed.
    needed
        Words that are needed there.
    """

    def __init__(self, item: int, needed: int) -> None:
        super().__init__(item, needed)
        self.item, self.needed = item, needed


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A buffer, and the first and the last item that touch it."""

    buffer: Buffer
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Return whether both are needed at a time."""
        return self.first <= other.last and other.first <= self.last


def allocate(items: Sequence[Item], config: AcceleratorConfig) -> list[Lifetime]:
    """Give each buffer of the items its address.

    Parameters
    ----------
    items
        In the order of a machine that does one at a time.
    config
        Size of the memory; buffers begin in their banks where there is room, and take whole beats.

    Returns
    -------
    list of Lifetime
        All buffers.

    Raises
    ------
    NoRoomError
        They do not fit.
    """
    lifetimes = _lifetimes(items)
    unit = max(1, config.bus_bytes // config.activation_word)
    sizes = {id(life.buffer): -(-life.buffer.words // unit) * unit for life in lifetimes}
    item, needed = _peak(lifetimes, sizes)
    if needed > config.activation_words:
        raise NoRoomError(item, needed)
    smallest = None
    for banks in (_BANKS, 1):
        for order in _orders(lifetimes):
            addresses, end = _place(order, sizes, banks)
            if end <= config.activation_words:
                for life in lifetimes:
                    life.buffer.address = addresses[id(life.buffer)]
                return lifetimes
            smallest = end if smallest is None else min(smallest, end)
    raise NoRoomError(item, smallest or needed)


def _lifetimes(items: Sequence[Item]) -> list[Lifetime]:
    found: dict[int, Lifetime] = {}
    for place, item in enumerate(items):
        for buffer in item.places.values():
            known = found.get(id(buffer))
            found[id(buffer)] = Lifetime(buffer, known.first if known else place, place)
    return list(found.values())


def _peak(lifetimes: Sequence[Lifetime], sizes: dict[int, int]) -> tuple[int, int]:
    """Return at which item most words are needed, and how many."""
    changes: dict[int, int] = {}
    for life in lifetimes:
        size = sizes[id(life.buffer)]
        changes[life.first] = changes.get(life.first, 0) + size
        changes[life.last + 1] = changes.get(life.last + 1, 0) - size
    best, total = (0, 0), 0
    for place in sorted(changes):
        total += changes[place]
        if total > best[1]:
            best = (place, total)
    return best


def _orders(lifetimes: Sequence[Lifetime]) -> Iterable[list[Lifetime]]:
    """Yield orders in which buffers may be placed: large ones first, then as they come, then at random."""
    yield sorted(lifetimes, key=lambda life: (-life.buffer.words, life.first))
    yield sorted(lifetimes, key=lambda life: (life.first, -life.buffer.words))
    yield sorted(lifetimes, key=lambda life: (life.first - life.last, -life.buffer.words))
    shuffled = list(lifetimes)
    generator = random.Random(0)
    for _ in range(_TRIES):
        generator.shuffle(shuffled)
        yield shuffled


def _place(order: Sequence[Lifetime], sizes: dict[int, int], banks: int) -> tuple[dict[int, int], int]:
    """Return addresses where each goes into the lowest gap that takes it, and the end of all.

    With so many banks, addresses are those of its bank; with one, any.
    """
    placed: list[Lifetime] = []
    addresses: dict[int, int] = {}
    end = 0
    for life in order:
        size = sizes[id(life.buffer)]
        taken = sorted(
            (addresses[id(other.buffer)], sizes[id(other.buffer)]) for other in placed if other.meets(life)
        )
        address = life.buffer.bank % banks
        for start, words in taken:
            if address + size <= start:
                break
            address = max(address, start + words)
            address += (life.buffer.bank - address) % banks
        addresses[id(life.buffer)] = address
        placed.append(life)
        end = max(end, address + size)
    return addresses, end

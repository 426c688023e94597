"""From commands without addresses to a program: weights in a ring, waits, and the order of commands."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rtl.tensor.accelerator.commands import Command, Engine, Load, Memory
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.items import Item, Tile
from rtl.tensor.compiler.lower import INPUT_TAG
from rtl.tensor.compiler.performance import Timeline
from rtl.tensor.compiler.transfers import transfer_items
from rtl.tensor.machine import Space, engine_of, footprint

__all__ = ["place", "stream", "with_waits"]

_WAITS = tuple((engine, f"wait_{engine.name.lower()}") for engine in Engine)


@dataclass(slots=True)
class _Ring:
    """The weight memory: tiles one after another, the oldest make room."""

    config: AcceleratorConfig
    head: int = 0
    there: dict[int, tuple[int, int]] = field(default_factory=dict)

    def find(self, tile: Tile) -> int | None:
        """Return the word at which a tile lies, if it does."""
        known = self.there.get(id(tile))
        return None if known is None else known[0]

    def put(self, tile: Tile) -> int:
        """Return the word from which on a tile goes."""
        words = len(tile.image) // self.config.weight_word
        start = self.head if self.head + words <= self.config.weight_words else 0
        end = start + words
        self.there = {key: span for key, span in self.there.items() if span[1] <= start or span[0] >= end}
        self.there[id(tile)] = (start, end)
        self.head = end
        return start


def place(items: Iterable[Item], config: AcceleratorConfig) -> tuple[list[Command], list[Tile]]:
    """Put addresses into commands, and loads of weights before the commands that need them.

    Parameters
    ----------
    items
        Their buffers are allocated.
    config
        Sizes of the memories.

    Returns
    -------
    list of Command
        In the order of a machine that does one at a time; offsets of loads
        count from the first constant.
    list of Tile
        Constants in their order, with offsets.
    """
    ring = _Ring(config)
    commands: list[Command] = []
    tiles: list[Tile] = []
    offset = 0
    for item in items:
        command = item.command
        values = {name: getattr(command, name) + buffer.address for name, buffer in item.places.items()}
        tile = item.tile
        if tile is not None:
            address = ring.find(tile)
            if address is None:
                address = ring.put(tile)
                if tile.offset < 0:
                    tile.offset = offset
                    offset += len(tile.image)
                    tiles.append(tile)
                load = Load(
                    tag=command.tag,
                    memory=Memory.WEIGHT,
                    offset=tile.offset,
                    address=address,
                    row_bytes=1,
                )
                commands += transfer_items(load, len(tile.image), config.weight_word)
            values["weights"] = address
        commands.append(dataclasses.replace(command, **values))
    return commands, tiles


def with_waits(commands: Sequence[Command], config: AcceleratorConfig) -> list[Command]:
    """Return commands with what each must wait for, so that the result is as if one were done at a time.

    Everything waits for the loads of the input. Counts are whole: not modulo 2**16.
    """
    sizes = {Space.ACTIVATION: config.activation_words, Space.WEIGHT: config.weight_words}
    wrote, read = (
        {space: np.zeros((len(Engine), size), np.int64) for space, size in sizes.items()} for _ in range(2)
    )
    known: list[list[np.ndarray]] = [[] for _ in Engine]
    result = []
    inputs = sum(isinstance(c, Load) and c.tag == INPUT_TAG for c in commands)
    for command in commands:
        engine = engine_of(command)
        assert engine is not None
        touches = [touch for touch in footprint(command, config) if touch.space in sizes]
        waits = np.zeros(len(Engine), np.int64)
        if command.tag != INPUT_TAG:
            waits[Engine.LOAD] = inputs
        for touch in touches:
            if not len(touch.addresses):
                continue
            needed = wrote[touch.space][:, touch.addresses].max(axis=1)
            if touch.write:
                needed = np.maximum(needed, read[touch.space][:, touch.addresses].max(axis=1))
                needed[engine] = 0  # an engine keeps the order of its writes, and of reads before them
            waits = np.maximum(waits, needed)
        waits = _close(waits, engine, known)
        number = len(known[engine])
        for touch in touches:
            (wrote if touch.write else read)[touch.space][engine, touch.addresses] = number
        result.append(dataclasses.replace(command, **{name: int(waits[e]) for e, name in _WAITS}))
    return result


def _close(waits: np.ndarray, engine: Engine, known: list[list[np.ndarray]]) -> np.ndarray:
    """Return waits with what they imply: so that even modulo 2**16 none is far behind."""
    before = known[engine][-1] if known[engine] else np.zeros(len(Engine), np.int64)
    closed = np.maximum(waits, before)
    for other, done in enumerate(closed.tolist()):
        if done:
            closed = np.maximum(closed, known[other][done - 1])
    known[engine].append(closed)
    return closed


def stream(commands: Sequence[Command], config: AcceleratorConfig) -> list[Command]:
    """Return commands in the order of the program.

    Each engine keeps its order, and a command comes after all it waits for,
    so that the sequencer, which hands commands out in order, always gets on.
    Otherwise what a queue has room for first comes first, by the estimate
    of times: loads come as early as they may without holding up others.
    """
    queues: dict[Engine, deque[Command]] = {engine: deque() for engine in Engine}
    for command in commands:
        engine = engine_of(command)
        assert engine is not None
        queues[engine].append(command)
    timeline = Timeline(config)
    order = (Engine.COMPUTE, Engine.PACK, Engine.STORE, Engine.LOAD)
    result = []
    while any(queues.values()):
        ready = [engine for engine in order if queues[engine] and timeline.known(queues[engine][0])]
        best = min(ready, key=timeline.room)
        command = queues[best].popleft()
        timeline.add(command)
        result.append(command)
    return result

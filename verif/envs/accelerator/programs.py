"""Programs of random commands that wait for what they must, and for no more."""

import random
from dataclasses import dataclass, field, replace

import numpy as np

from rtl.tensor.accelerator.commands import Base, Command, End, Engine, Load, Memory, Pack, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import pack_words
from rtl.tensor.machine.execute import engine_of
from rtl.tensor.machine.footprint import Touch, footprint

__all__ = ["REGION", "ProgramWriter", "random_load", "random_pack", "random_program", "random_store"]

#: Bytes of external memory behind each base register.
REGION = 1 << 16


@dataclass
class ProgramWriter:
    """Collect commands, and give each the waits that its addresses ask for.

    Attributes
    ----------
    config
        The accelerator.
    commands
        What was added, with waits and tags.
    """

    config: AcceleratorConfig
    commands: list[Command] = field(default_factory=list)
    _done: list[tuple[Engine, int, tuple[Touch, ...]]] = field(default_factory=list)
    _counts: dict[Engine, int] = field(default_factory=lambda: dict.fromkeys(Engine, 0))

    def add(self, command: Command, *, also: frozenset[Engine] = frozenset()) -> None:
        """Append a command; it waits for all it conflicts with, and for all before it of `also`."""
        engine = engine_of(command)
        if engine is None:
            raise ValueError("End is appended by end()")
        mine = footprint(command, self.config)
        waits = {other: self._counts[other] for other in also}
        for other, number, touches in self._done:
            if _conflict(mine, touches):
                waits[other] = max(waits.get(other, 0), number)
        self._counts[engine] += 1
        self._done.append((engine, self._counts[engine], mine))
        named = {f"wait_{other.name.lower()}": count for other, count in waits.items()}
        self.commands.append(replace(command, tag=len(self.commands) + 1, **named))

    def end(self) -> list[Command]:
        """Return the program, with its end."""
        return [*self.commands, End()]


def _conflict(mine: tuple[Touch, ...], theirs: tuple[Touch, ...]) -> bool:
    return any(
        a.space is b.space and (a.write or b.write) and bool(np.isin(a.addresses, b.addresses).any())
        for a in mine
        for b in theirs
    )


def random_load(rng: random.Random, config: AcceleratorConfig) -> Load:
    """Return a load of any legal shape."""
    memory = rng.choice([Memory.ACTIVATION, Memory.ACTIVATION, Memory.WEIGHT])
    return Load(memory=memory, base=Base.INPUT, **_block(rng, config, memory))


def random_store(rng: random.Random, config: AcceleratorConfig) -> Store:
    """Return a store of any legal shape."""
    return Store(
        memory=Memory.ACTIVATION, base=Base.SCRATCH, **_block(rng, config, Memory.ACTIVATION, apart=True)
    )


def _block(
    rng: random.Random, config: AcceleratorConfig, memory: Memory, *, apart: bool = False
) -> dict[str, int]:
    """Return fields of a block; rows that do not overlap in external memory if they must lie `apart`."""
    weights = memory is Memory.WEIGHT
    word = config.weight_word if weights else config.activation_word
    total = config.weight_words if weights else config.activation_words
    unit = max(word, config.bus_bytes)
    units = rng.choice([1, 2, 3, rng.randint(1, 40), rng.randint(1, max(1, total * word // unit // 2))])
    row_words = units * unit // word
    rows = rng.choice([1, 1, 2, 3, rng.randint(1, 12)])
    most = max(1, (total - row_words) // rows)
    pitch = rng.choice([row_words, rng.randint(row_words, max(row_words, most)), most])
    while rows > 1 and (rows - 1) * pitch + row_words > total:
        rows -= 1
    pitch = min(pitch, 65535)
    address = rng.randint(0, total - (rows - 1) * pitch - row_words)
    row_bytes = units * unit
    stride = rng.choice([row_bytes, row_bytes + config.bus_bytes * rng.randint(0, 40)])
    if not apart and rng.random() < 0.1:
        stride = 0
    while rows > 1 and (rows - 1) * stride + row_bytes > REGION:
        rows -= 1
    room = (REGION - (rows - 1) * stride - row_bytes) // config.bus_bytes
    place = rng.randint(0, room)
    if rng.random() < 0.3:  # close to a boundary of 4 KiB
        place = min(room, max(0, place // 512 * 512 - rng.randint(0, 20)))
    return {
        "offset": config.bus_bytes * place, "address": address, "row_bytes": row_bytes, "rows": rows,
        "stride": stride, "pitch": pitch,
    }  # fmt: skip


def random_pack(rng: random.Random, config: AcceleratorConfig) -> Pack:
    """Return a pack command of any legal shape whose source and target are apart."""
    while True:
        channels, width = rng.randint(1, 5), rng.randint(1, 24)
        kernel = rng.randint(1, rng.choice([1, 3, 6]))
        row_bytes, in_rows = channels * width, rng.randint(1, 12)
        stride = rng.choice([1, 1, 2, 3])
        command = Pack(
            source=0, row_bytes=row_bytes, in_rows=in_rows,
            segment_bytes=rng.choice([channels * kernel, rng.randint(1, 5 * config.array)]),
            step_bytes=stride * channels, first_byte=-channels * rng.randint(-2, 3),
            first_row=rng.randint(-3, 2), row_step=rng.choice([1, 1, 2, 0, 3]),
            kernel_rows=rng.randint(1, rng.choice([1, 4, 11])),
            fill=rng.choice((-128, 127, 0, rng.randint(-128, 127))),
            columns=rng.randint(1, 10), rows=rng.randint(1, 6), target=0, target_row=0, target_group=0,
        )  # fmt: skip
        groups = pack_words(command, config)
        source = -(-row_bytes * in_rows // config.activation_word)
        plane = command.rows * command.columns
        shapes = (
            {"target_column": 1, "target_row": command.columns, "target_group": plane},
            {"target_column": command.rows, "target_row": 1, "target_group": plane},
            {"target_column": groups, "target_row": groups * command.columns, "target_group": 1},
        )
        words = groups * plane
        if source + words > config.activation_words:
            continue
        spare = rng.randint(0, config.activation_words - source - words)
        first, second = (0, source + spare) if rng.random() < 0.5 else (words + spare, 0)
        moved = replace(command, source=first, target=second)
        return replace(moved, **rng.choice(shapes))


def random_program(seed: int, config: AcceleratorConfig, *, length: int = 12) -> list[Command]:
    """Return a program: all memory is loaded, then random commands, then all is stored.

    Every command of the middle is as free as its addresses allow.
    """
    rng = random.Random(seed)
    writer = ProgramWriter(config)
    whole = {"address": 0, "row_bytes": 1024, "rows": config.activation_kib, "stride": 1024}
    whole["pitch"] = 1024 // config.activation_word
    writer.add(Load(memory=Memory.ACTIVATION, base=Base.INPUT, offset=0, **whole))
    makers = (random_load, random_store, random_pack)
    for _ in range(length):
        also = frozenset(Engine) if rng.random() < 0.1 else frozenset()
        writer.add(rng.choice(makers)(rng, config), also=also)
    writer.add(Store(memory=Memory.ACTIVATION, base=Base.OUTPUT, offset=0, **whole), also=frozenset(Engine))
    return writer.end()

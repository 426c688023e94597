"""Random command streams of all engines, good ones and bad ones."""

import random
from collections.abc import Sequence
from dataclasses import replace

from rtl.tensor.accelerator.commands import (
    HEADER,
    Base,
    Command,
    Compute,
    End,
    Engine,
    Load,
    Memory,
    Operation,
    Store,
)
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import check, weight_words
from rtl.tensor.machine.errors import ErrorCode, MachineError
from rtl.tensor.machine.execute import engine_of
from verif.coverage import derive_seed
from verif.envs.accelerator.programs import REGION, ProgramWriter, random_load, random_pack, random_store
from verif.envs.accelerator.stimulus import SIZE, SPACING, Ending, Layout, Stimulus
from verif.models.tensor.compute_commands import Batch, random_batch

__all__ = ["KINDS", "random_stimulus"]

#: What a run may be, and how often.
KINDS = {
    "mixed": 5,
    "compute": 3,
    "transfers": 2,
    "illegal": 4,
    "bus error": 2,
    "fetch error": 1,
    "deadlock": 1,
    "configuration": 1,
    "stopped": 3,
    "reset": 3,
}
_WAITS = {engine: f"wait_{engine.name.lower()}" for engine in Engine}
_JUNK = (random_load, random_store, random_pack)


def random_stimulus(config: AcceleratorConfig, seed: int, kind: str) -> Stimulus:
    """Return a run.

    Parameters
    ----------
    config
        The accelerator; its weight memory has at most half of ``REGION``.
    seed
        Decides everything.
    kind
        Of :data:`KINDS`.
    """
    rng = random.Random(derive_seed(seed, kind))
    batch = _batch(config, rng, kind)
    writer = _stream(config, rng, batch, kind)
    run = Stimulus(
        kind=kind,
        commands=tuple(writer.commands),
        content=Stimulus.assembled(tuple(writer.end())),
        layout=_layout(rng),
        inputs={_weights_at(config): batch.memories.weight.tobytes()},
        latency=rng.choice((1, 2, 4, 12, 40)),
        stall=rng.choice((0.0, 0.0, 0.05, 0.3, 0.7)),
        enable=rng.choice((3, 3, 2, 1, 0)),
        expected_config=rng.choice(("none", "right")),
    )
    change = {
        "illegal": _illegal,
        "bus error": _bus_error,
        "fetch error": _fetch_error,
        "deadlock": _deadlock,
        "configuration": lambda *_: {
            "commands": (),
            "expected_config": "wrong",
            "ending": Ending(code=ErrorCode.CONFIG, engine=None, tag=None),
        },
        "stopped": lambda *_: {"stop_after": _moment(rng)},
        "reset": lambda *_: {"reset_after": _moment(rng)},
    }.get(kind)
    return run if change is None else replace(run, **change(run, config, rng))


def _moment(rng: random.Random) -> int:
    return rng.choice((1, 3, 8, rng.randint(10, 60), rng.randint(60, 300), rng.randint(300, 2500)))


def _layout(rng: random.Random) -> Layout:
    places = [SPACING * number + 16 * rng.choice((0, rng.randrange(256), 255)) for number in range(4)]
    rng.shuffle(places)
    first, second, third, fourth = places
    return Layout(bases=(first, second, third, fourth), offset=16 * rng.choice((0, 0, rng.randrange(512))))


def _weights_at(config: AcceleratorConfig) -> int:
    """Return where the region of inputs has an image of the weight memory."""
    return REGION - 1024 * config.weight_kib


def _batch(config: AcceleratorConfig, rng: random.Random, kind: str) -> Batch:
    most = {"compute": 10, "transfers": 1, "mixed": 6}.get(kind, 4)
    work = rng.choice((100, 300, 800))
    return random_batch(config, rng.randrange(1 << 40), commands=most, work=work)


def _stream(config: AcceleratorConfig, rng: random.Random, batch: Batch, kind: str) -> ProgramWriter:
    """Return a program of the batch's commands, their weights' loads, and others between."""
    writer = ProgramWriter(config)
    if rng.random() < 0.5:
        writer.add(_whole(config, Load, Base.INPUT))
    junk = {"compute": 0.2, "transfers": 0.95}.get(kind, 0.6)
    ahead: Compute | None = None
    for command, after in zip(batch.commands, [*batch.commands[1:], None], strict=True):
        while rng.random() < junk and len(writer.commands) < 30:
            writer.add(_harmless(rng, config, ahead), also=_also(rng))
        if command is not ahead and (rng.random() < 0.85 or not _any_weights(command)):
            _load_weights(writer, rng, command)
        ahead = None
        if after is not None and rng.random() < 0.5 and not _shared(command, after, config):
            _load_weights(writer, rng, after)
            ahead = after
        writer.add(command, also=_also(rng))
    if rng.random() < 0.5:
        writer.add(_whole(config, Store, Base.OUTPUT), also=_also(rng))
    return writer


def _any_weights(command: Compute) -> bool:
    """Return whether a command may work with whatever the weight memory holds."""
    return command.operation is not Operation.DEPTHWISE or command.kernel_columns == 4


def _also(rng: random.Random) -> frozenset[Engine]:
    """Return engines for all of whose commands one waits without need."""
    chance = rng.choice((0.0, 0.0, 0.0, 0.3, 0.6))
    return frozenset(engine for engine in Engine if rng.random() < chance)


def _harmless(rng: random.Random, config: AcceleratorConfig, ahead: Compute | None) -> Command:
    """Return a command that leaves alone weights that are there already."""
    while True:
        command = rng.choice(_JUNK)(rng, config)
        if ahead is None or not (isinstance(command, Load) and command.memory is Memory.WEIGHT):
            return command


def _whole(config: AcceleratorConfig, kind: type[Load | Store], base: Base) -> Load | Store:
    return kind(
        memory=Memory.ACTIVATION, base=base, offset=0, address=0, row_bytes=1024, rows=config.activation_kib,
        stride=1024, pitch=1024 // config.activation_word,
    )  # fmt: skip


def _words(command: Compute, config: AcceleratorConfig) -> range:
    words = weight_words(command, config) * command.groups
    return range(command.weights, command.weights + words)


def _shared(one: Compute, other: Compute, config: AcceleratorConfig) -> bool:
    a, b = _words(one, config), _words(other, config)
    return max(a.start, b.start) < min(a.stop, b.stop)


def _load_weights(writer: ProgramWriter, rng: random.Random, command: Compute) -> None:
    """Load a command's weights, at once or in two parts."""
    config = writer.config
    words = _words(command, config)
    if not words:
        return
    cut = rng.randrange(words.start, words.stop)
    for part in (range(words.start, cut), range(cut, words.stop)):
        if part:
            writer.add(
                Load(
                    memory=Memory.WEIGHT, base=Base.INPUT, address=part.start,
                    offset=_weights_at(config) + part.start * config.weight_word,
                    row_bytes=len(part) * config.weight_word,
                ),
                also=_also(rng),
            )  # fmt: skip


def _cut(run: Stimulus, rng: random.Random) -> tuple[Command, ...]:
    """Return the first commands of a program, mostly many."""
    return run.commands[: rng.choice((0, 1, len(run.commands), rng.randint(0, len(run.commands))))]


def _appended(
    run: Stimulus, rng: random.Random, before: Sequence[Command], bad: bytes, ending: Ending
) -> dict[str, object]:
    """Return a program that goes on behind a command which is wrong."""
    after = [*run.commands[len(before) :], End()]
    content = Stimulus.assembled(tuple(before)) + bad + Stimulus.assembled(tuple(after))
    return {"commands": tuple(before), "content": content, "ending": ending}


def _illegal(run: Stimulus, config: AcceleratorConfig, rng: random.Random) -> dict[str, object]:
    before = _cut(run, rng)
    tag = rng.randrange(1 << 15, 1 << 16)
    if rng.random() < 0.15:
        headers = (0x0005, 0x0A05, 0x0301, 0x0501, 0x0502, 0x0703, 0x0B04, 0x0200, 0x00FF, 0xFF00)
        bad = (rng.choice(headers) | tag << 16).to_bytes(4, "little") + bytes(124)
        return _appended(run, rng, before, bad, Ending(code=ErrorCode.COMMAND, tag=tag))
    command, code = _refused(config, rng)
    words = replace(command, tag=tag).encode()
    if isinstance(command, Compute) and rng.random() < 0.1:
        words[3] = words[3] & ~15 | rng.randint(len(Operation), 15)
        code = ErrorCode.FIELD
    bad = b"".join(word.to_bytes(4, "little") for word in words)
    return _appended(run, rng, before, bad, Ending(code=code, engine=engine_of(command), tag=tag))


def _refused(config: AcceleratorConfig, rng: random.Random) -> tuple[Command, ErrorCode]:
    """Return a legal command with a field changed so that it is none any more, and the error."""
    wanted, engine = rng.choice((ErrorCode.FIELD, ErrorCode.ADDRESS)), rng.choice(list(Engine))
    makers = {Engine.LOAD: random_load, Engine.PACK: random_pack, Engine.STORE: random_store}
    while True:
        if engine is Engine.COMPUTE:
            batch = random_batch(config, rng.randrange(1 << 40), commands=1, work=100)
            command: Command = batch.commands[0]
        else:
            command = makers[engine](rng, config)
        # Waits of random numbers would hold up the command, not make it wrong.
        skipped = (*HEADER[0:1], *(field for field in command.LAYOUT if field.name in _WAITS.values()))
        field = rng.choice([field for field in command.LAYOUT if field not in skipped])
        value = rng.choice((0, field.minimum, field.maximum, rng.randint(field.minimum, field.maximum)))
        if field.name in ("operation", "memory", "base"):
            value = {"operation": Operation, "memory": Memory, "base": Base}[field.name](value % 2)
        try:
            changed = replace(command, **{field.name: value})
            changed.encode()
            check(changed, config)
        except MachineError as error:
            if error.code is wanted:
                return changed, error.code
        except ValueError:
            continue


def _bus_error(run: Stimulus, config: AcceleratorConfig, rng: random.Random) -> dict[str, object]:
    """Let a load or a store reach memory that fails, among good commands."""
    place = rng.randrange(len(run.commands) + 1)
    zone = range(4 * SPACING + 4096, SIZE - 4096)
    base = rng.choice(list(Base))
    kind = rng.choice((Load, Store))
    row = config.weight_word * rng.randint(1, 40)
    at = zone.start + rng.randrange(2048) // 16 * 16
    words = min(row // config.activation_word, config.activation_words)
    tag = 1 << 15
    bad = kind(
        memory=Memory.ACTIVATION, base=base, tag=tag, row_bytes=words * config.activation_word,
        offset=(at - run.layout.bases[base]) % (1 << 32), address=0,
    )  # fmt: skip
    failing = at + rng.randrange(bad.row_bytes) // 16 * 16
    # Whatever it may conflict with comes before it; what follows does not conflict, or waits for it.
    writer = ProgramWriter(config)
    for number, command in enumerate((*run.commands[:place], bad, *run.commands[place:])):
        writer.add(command, also=frozenset(Engine) if number == place else frozenset())
    commands = tuple(replace(c, tag=tag if n == place else c.tag) for n, c in enumerate(writer.commands))
    return {
        "commands": commands,
        "content": Stimulus.assembled((*commands, End())),
        "failing": (range(failing, failing + 16),),
        "ending": Ending(code=ErrorCode.BUS, engine=engine_of(bad), tag=tag),
    }


def _fetch_error(run: Stimulus, config: AcceleratorConfig, rng: random.Random) -> dict[str, object]:
    """Let the program itself become unreadable at a command."""
    before = _cut(run, rng)
    start = run.layout.bases[0] + run.layout.offset + len(Stimulus.assembled(before))
    start = start // config.bus_bytes * config.bus_bytes
    while before and start < run.layout.bases[0] + run.layout.offset + len(Stimulus.assembled(before)):
        before = before[:-1]  # a beat has the end of one command and the beginning of another
    return {
        "commands": before,
        "failing": (range(start, start + 4096),),
        "ending": Ending(code=ErrorCode.BUS, engine=Engine.LOAD),
    }


def _deadlock(run: Stimulus, config: AcceleratorConfig, rng: random.Random) -> dict[str, object]:
    """Let a command wait for one that never comes."""
    before = _cut(run, rng)
    awaited = rng.choice(list(Engine))
    count = sum(engine_of(command) is awaited for command in before)
    command = rng.choice((_whole(config, Load, Base.INPUT), _whole(config, Store, Base.OUTPUT)))
    if engine_of(command) is awaited:
        count += 1  # itself
    stuck = replace(command, tag=1 << 15, **{_WAITS[awaited]: count + 1})
    return {
        "commands": before,
        "content": Stimulus.assembled((*before, stuck, End())),
        "ending": Ending(code=ErrorCode.DEADLOCK, tag=1 << 15),
    }

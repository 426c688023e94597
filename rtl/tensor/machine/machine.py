"""Programs: commands in the order that waits leave open."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import COMMANDS, Base, Command, CommandError, End, Engine
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.errors import ErrorCode, MachineError
from rtl.tensor.machine.execute import engine_of, execute
from rtl.tensor.machine.hazards import HazardTracker
from rtl.tensor.machine.memories import Memories

__all__ = ["QUEUE_DEPTHS", "Executed", "Machine", "config_word"]

#: Commands that may wait in front of each engine. Commands leave the program
#: in order, so that a full queue holds up those for other engines too.
QUEUE_DEPTHS = {Engine.LOAD: 4, Engine.PACK: 1, Engine.COMPUTE: 1, Engine.STORE: 4}

_WAITS = tuple((engine, f"wait_{engine.name.lower()}") for engine in Engine)
#: Who goes first, when several could: engines in this order, or drawn by a seed.
Order = Sequence[Engine] | int


def config_word(config: AcceleratorConfig) -> int:
    """Return what the register ``CONFIG`` reads."""
    return (
        config.array
        | config.bus_bytes << 8
        | (config.activation_kib.bit_length() - 1) << 16
        | (config.weight_kib.bit_length() - 1) << 20
        | (config.psum_words.bit_length() - 1) << 24
    )


@dataclass(frozen=True, slots=True)
class Executed:
    """A command that was executed.

    Attributes
    ----------
    engine, number
        Which engine, and the how-many-eth of its commands, from 0.
    command
        The command.
    """

    engine: Engine
    number: int
    command: Command


class Machine:
    """An accelerator, command by command.

    Parameters
    ----------
    config
        Its configuration.
    memories
        What it works on; empty ones when ``None``.
    order
        Which command goes first where several may: engines, the most eager
        first, or a seed.
    hazards
        Whether to look for commands that touch the same words without order.

    Attributes
    ----------
    memories
        What it worked on.
    """

    def __init__(
        self,
        config: AcceleratorConfig,
        memories: Memories | None = None,
        *,
        order: Order = tuple(Engine),
        hazards: bool = True,
    ) -> None:
        self.config = config
        self.memories = Memories.create(config) if memories is None else memories
        self._random = random.Random(order) if isinstance(order, int) else None
        self._priority: Sequence[Engine] = tuple(Engine) if isinstance(order, int) else tuple(order)
        self._tracker = HazardTracker(config) if hazards else None

    def run(
        self,
        offset: int = 0,
        *,
        expected_config: int = 0,
        watch: Callable[[Executed, Memories], None] | None = None,
    ) -> int:
        """Execute the program in external memory until its ``End``.

        Parameters
        ----------
        offset
            Where it begins, bytes from base 0.
        expected_config
            As the register of that name.
        watch
            Called after each command.

        Returns
        -------
        int
            Commands executed, ``End`` not among them.

        Raises
        ------
        MachineError
            As the hardware stops.
        HazardError
            A wait is missing.
        """
        if expected_config not in (0, config_word(self.config)):
            raise MachineError(
                ErrorCode.CONFIG,
                f"the program is for configuration {expected_config:#010x}, "
                f"this is {config_word(self.config):#010x}",
            )
        queues: dict[Engine, deque[Command]] = {engine: deque() for engine in Engine}
        done = dict.fromkeys(Engine, 0)
        fetched, ended = offset, False
        while True:
            while not ended:
                command, after = self._fetch(fetched)
                engine = engine_of(command)
                if engine is None:
                    ended = True
                elif len(queues[engine]) < QUEUE_DEPTHS[engine]:
                    queues[engine].append(command)
                else:
                    break
                fetched = after
            ready = [e for e in self._priority if queues[e] and self._may_start(queues[e][0], done)]
            if not ready:
                if ended and not any(queues.values()):
                    return sum(done.values())
                raise MachineError(ErrorCode.DEADLOCK, self._stuck(queues, done))
            engine = ready[0] if self._random is None else self._random.choice(ready)
            command = queues[engine].popleft()
            execute(command, self.memories, self.config)
            if self._tracker is not None:
                self._tracker.add(engine, command, self._waits(command, done))
            if watch is not None:
                watch(Executed(engine, done[engine], command), self.memories)
            done[engine] += 1

    def _fetch(self, offset: int) -> tuple[Command, int]:
        program = self.memories.external.get(Base.PROGRAM, np.zeros(0, np.uint8))
        words = _words(program, offset, 2)
        kind = COMMANDS.get(words[0] & 0xFF)
        if kind is None or words[0] >> 8 & 0xFF != kind.WORDS // 2:
            raise MachineError(
                ErrorCode.COMMAND, f"byte {offset}: no command has header {words[0] & 0xFFFF:#06x}"
            )
        words = _words(program, offset, kind.WORDS)
        try:
            return kind.decode(words), offset + 4 * kind.WORDS
        except CommandError as error:
            raise MachineError(ErrorCode.FIELD, f"byte {offset}: {error}") from None

    @staticmethod
    def _waits(command: Command, done: dict[Engine, int]) -> tuple[int, int, int, int]:
        """Return how many commands must be done, from waits modulo 2**16 that are met."""
        load, pack, compute, store = (
            done[engine] - ((done[engine] - getattr(command, name)) & 0xFFFF) for engine, name in _WAITS
        )
        return load, pack, compute, store

    @staticmethod
    def _may_start(command: Command, done: dict[Engine, int]) -> bool:
        if isinstance(command, End):
            return True
        return all((done[engine] - getattr(command, name)) & 0xFFFF < 1 << 15 for engine, name in _WAITS)

    @staticmethod
    def _stuck(queues: dict[Engine, deque[Command]], done: dict[Engine, int]) -> str:
        waiting = [
            f"{engine.name} (tag {queue[0].tag}) for "
            + ", ".join(f"{getattr(queue[0], name)} of {other.name}" for other, name in _WAITS
                        if getattr(queue[0], name) > done[other])
            for engine, queue in queues.items() if queue
        ]  # fmt: skip
        return f"no command can start: waiting are {'; '.join(waiting)}"


def _words(program: np.ndarray, offset: int, count: int) -> list[int]:
    if offset + 4 * count > len(program):
        raise MachineError(
            ErrorCode.BUS, f"byte {offset} of PROGRAM, which has {len(program)}, is no command"
        )
    return [int(word) for word in program[offset : offset + 4 * count].view("<u4")]

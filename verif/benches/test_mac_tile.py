"""Tests of the MAC tile.

The tile's parameters come from ``SUZURI_PARAMETERS`` (a JSON object; what it
leaves out has its default). ``+beats=N``, or ``SUZURI_BEATS``, sets the
length of the random tests. All that is random derives from cocotb's seed.
"""

import json
import os
from dataclasses import replace
from random import Random
from typing import ClassVar

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles
from pyuvm import uvm_test

from rtl.tensor.config import TileConfig
from verif.agents.stream import Pacing
from verif.coverage import derive_seed
from verif.envs.mac_tile.env import MacTileEnv
from verif.envs.mac_tile.program import Program, corner_program, random_program, wrap_program

BEATS = 3000


def configured() -> TileConfig:
    """Return the tile that the environment variable describes."""
    parameters = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}")
    unknown = sorted(set(parameters) - set(TileConfig.parameter_names()))
    if unknown:
        raise ValueError(f"SUZURI_PARAMETERS: MacTile has no parameter {', '.join(unknown)}")
    return TileConfig(**parameters)


def length(share: float = 1.0) -> int:
    """Return how many beats a random test has, at least 20."""
    beats = int(cocotb.plusargs.get("beats") or os.environ.get("SUZURI_BEATS") or BEATS)
    if beats < 1:
        raise ValueError(f"beats must be at least 1, not {beats}")
    return max(20, int(beats * share))


#: Simulated time that no healthy test comes near: ends what moves for ever without ending.
LIMIT_MS = 2 + length() // 1000


class MacTileTest(uvm_test):
    """What the tests share; each says its pauses and its stimulus."""

    pacing: ClassVar[dict[str, str]] = {"i": "full", "weights": "full", "o": "full"}

    def build_phase(self) -> None:
        """Make the environment."""
        self.seed = cocotb.RANDOM_SEED
        self.config = configured()
        self.env = MacTileEnv(
            "env", self, dut=cocotb.top, config=self.config, seed=self.seed, pacing=self.pacing
        )

    def random_program(self, name: str, beats: int, **shape: float) -> Program:
        """Return a program of its own for each name."""
        return random_program(self.config, derive_seed(self.seed, "program", name), beats, **shape)

    async def run_phase(self) -> None:
        """Reset, stimulate, end."""
        self.raise_objection()
        await self.env.reset()
        await self.stimulate()
        self.drop_objection()

    async def stimulate(self) -> None:
        """Feed the design; the default is a short random program."""
        await self.env.run(self.random_program("main", length(0.02)))


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class Smoke(MacTileTest):
    """A short program at full speed."""


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class DirectedCorners(MacTileTest):
    """Extreme operands, every lane and column by itself."""

    async def stimulate(self) -> None:
        """Feed corners."""
        await self.env.run(corner_program(self.config))


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class ConstrainedRandom(MacTileTest):
    """Everything at random, pauses on all three streams."""

    pacing: ClassVar[dict[str, str]] = {"i": "storm", "weights": "light", "o": "storm"}

    async def stimulate(self) -> None:
        """Feed a long random program."""
        await self.env.run(self.random_program("main", length()))


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class StallStorm(MacTileTest):
    """A result for nearly every beat, and a sink that keeps stopping."""

    pacing: ClassVar[dict[str, str]] = {"i": "full", "weights": "full", "o": "storm"}

    async def stimulate(self) -> None:
        """Feed reductions of one beat."""
        program = self.random_program("main", length(0.3), swap_rate=0.02)
        # Lasts everywhere: each stall backs up through the whole pipeline at once.
        program.beats = [replace(beat, last=True) for beat in program.beats]
        await self.env.run(program)


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class SwapUnderLoad(MacTileTest):
    """Weights change every few beats while beats keep coming."""

    pacing: ClassVar[dict[str, str]] = {"i": "full", "weights": "full", "o": "light"}

    async def stimulate(self) -> None:
        """Feed many swaps, with fast and then with slow weights."""
        await self.env.run(self.random_program("fast", length(0.1), swap_rate=0.3, back_to_back=0.5))
        await self.env.reset()
        self.env.rows.driver.pacing = Pacing("slow", derive_seed(self.seed, "slow weights"))
        await self.env.run(self.random_program("slow", length(0.05), swap_rate=0.3, back_to_back=0.5))


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class ResetInTheMiddle(MacTileTest):
    """Resets at random moments; nothing of before may be seen after."""

    pacing: ClassVar[dict[str, str]] = {"i": "light", "weights": "light", "o": "half"}

    async def stimulate(self) -> None:
        """Start programs, and reset in their midst."""
        random = Random(derive_seed(self.seed, "resets"))
        for number in range(18):
            program = self.random_program(str(number), 80, swap_rate=0.1)
            # Every other time the first beat has no marker: reset alone must begin the reduction.
            if number % 2:
                program.beats[0] = replace(program.beats[0], first=False, swap=False, last=True)
            # And in a third of them every beat ends one, so that the reset meets results everywhere.
            if number % 3 == 0:
                program.beats = [replace(beat, last=True) for beat in program.beats]
            running = self.env.start(program)
            cycles = random.randint(1, 4 * self.config.rows + 40)
            await ClockCycles(cocotb.top.clk, cycles)
            for sequence, _ in running:
                sequence.stop()
            # Mostly for one cycle: what reset forgets has no time to drain.
            await self.env.reset(random.choice((1, 1, 1, 2, 4)))
            for _, task in running:
                await task
        await self.env.run(self.random_program("main", length(0.03)))


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class AccumulatorWrap(MacTileTest):
    """Sums beyond both ends of the accumulators, if they can be reached in time."""

    async def stimulate(self) -> None:
        """Feed the longest reductions."""
        await self.env.run(wrap_program(self.config) or self.random_program("main", length(0.02)))

"""Tests of the accelerator: random programs, errors, stops and resets.

The accelerator's parameters come from ``SUZURI_PARAMETERS`` (a JSON object).
``+runs=N``, or ``SUZURI_RUNS``, sets how many programs a random test runs. All
that is random derives from cocotb's seed.
"""

import json
import os
from random import Random
from typing import ClassVar

import cocotb
import pyuvm
from pyuvm import uvm_test

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.coverage import derive_seed
from verif.envs.accelerator.env import AcceleratorEnv
from verif.envs.accelerator.streams import KINDS

RUNS = 10
_ID = 0x535A0001


def configured() -> AcceleratorConfig:
    """Return the accelerator that the environment variable describes."""
    parameters = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}")
    preset = AcceleratorConfig.preset(parameters.pop("preset", "8x8"))
    names = AcceleratorConfig.parameter_names()
    own = {name: value for name, value in parameters.items() if name in names}
    return AcceleratorConfig(**({name: getattr(preset, name) for name in names} | own))


def runs() -> int:
    """Return how many programs a random test runs.

    Raises
    ------
    ValueError
        It is less than 1.
    """
    count = int(cocotb.plusargs.get("runs") or os.environ.get("SUZURI_RUNS") or RUNS)
    if count < 1:
        raise ValueError(f"runs must be at least 1, not {count}")
    return count


class AcceleratorTest(uvm_test):
    """What the tests share; each says which kinds of runs it draws from."""

    kinds: ClassVar[tuple[str, ...]] = ("mixed",)
    count: ClassVar[int | None] = None

    def build_phase(self) -> None:
        """Make the environment."""
        self.env = AcceleratorEnv("env", self, dut=cocotb.top, config=configured(), seed=cocotb.RANDOM_SEED)

    async def run_phase(self) -> None:
        """Reset, look who is there, run."""
        self.raise_objection()
        await self.env.reset()
        assert await self.env.registers.read(0) == (_ID, 0)
        random = Random(derive_seed(cocotb.RANDOM_SEED, "kinds"))
        weights = [KINDS[kind] for kind in self.kinds]
        await self.env.run(random.choices(self.kinds, weights, k=self.count or runs()))
        self.drop_objection()


@pyuvm.test(timeout_time=100, timeout_unit="ms")
class Smoke(AcceleratorTest):
    """Two programs."""

    count: ClassVar[int | None] = 2


@pyuvm.test(timeout_time=100, timeout_unit="ms")
class Programs(AcceleratorTest):
    """Programs that end well."""

    kinds: ClassVar[tuple[str, ...]] = ("mixed", "compute", "transfers")


@pyuvm.test(timeout_time=100, timeout_unit="ms")
class Everything(AcceleratorTest):
    """Programs that end well, illegal commands, error answers, deadlocks, stops and resets."""

    kinds: ClassVar[tuple[str, ...]] = tuple(KINDS)

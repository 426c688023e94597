"""Tests of the RISC-V cores. They need no compiler.

The core's parameters come from ``SUZURI_PARAMETERS`` (a JSON object; what it
leaves out has its default). With ``rvfi`` every instruction is compared with
the Python model; without, only what the core writes, and only the tests that
say so run. ``+instructions=N``, or ``SUZURI_INSTRUCTIONS``, sets the length
of the random tests. All that is random derives from cocotb's seed.
"""

import json
import os
from typing import ClassVar

import cocotb
import pyuvm
from pyuvm import uvm_test

from rtl.riscv.config import CoreConfig
from verif.coverage import derive_seed
from verif.envs.riscv.env import CoreEnv
from verif.envs.riscv.program import Program, random_program, smoke_program

INSTRUCTIONS = 4000
_CYCLES_PER_INSTRUCTION = 120
_SHORTEST = 400


def configured() -> CoreConfig:
    """Return the core that the environment variable describes."""
    parameters = json.loads(os.environ.get("SUZURI_PARAMETERS") or "{}")
    return CoreConfig.preset(parameters.pop("preset", "small"), **parameters)


def length() -> int:
    """Return how many instructions a random test executes, by and large."""
    number = int(cocotb.plusargs.get("instructions") or os.environ.get("SUZURI_INSTRUCTIONS") or INSTRUCTIONS)
    if number < _SHORTEST:
        raise ValueError(f"instructions must be at least {_SHORTEST}, not {number}")
    return number


#: Simulated time that no healthy test comes near.
LIMIT_MS = 4 + length() // 200


class CoreTest(uvm_test):
    """What the tests share; each says its pauses and its program."""

    pacing: ClassVar[dict[str, str]] = {"ibus": "full", "dbus": "full"}
    #: Instructions after which a test has seen enough; None: at its program's end.
    enough: int | None = None

    def build_phase(self) -> None:
        """Make the environment."""
        self.seed = cocotb.RANDOM_SEED
        self.config = configured()
        self.env = CoreEnv(
            "env", self, dut=cocotb.top, config=self.config, seed=self.seed, pacing=self.pacing
        )

    async def run_phase(self) -> None:
        """Run the program."""
        self.raise_objection()
        program = self.program()
        await self.env.run(
            program, limit=_CYCLES_PER_INSTRUCTION * length() + 100_000, instructions=self.enough
        )
        self.drop_objection()

    def program(self) -> Program:
        """Return what to run: by default, a random program of its own for each test."""
        if not self.config.rvfi:
            raise ValueError("random programs need rvfi: their interrupts come at any time")
        self.enough = 2 * length()  # the program's own length is only about that
        seed = derive_seed(self.seed, "program", type(self).__name__)
        return random_program(self.config, seed, size=length() // 3, length=length())


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class Smoke(CoreTest):
    """A sort and checksums, memory at its fastest. Runs without RVFI, too."""

    def program(self) -> Program:
        """Return the fixed program."""
        return smoke_program(self.config)


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class SmokeSlow(CoreTest):
    """The same, with pauses on both buses."""

    pacing: ClassVar[dict[str, str]] = {"ibus": "half", "dbus": "storm"}

    def program(self) -> Program:
        """Return the fixed program, shorter."""
        return smoke_program(self.config, elements=9)


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class RandomFast(CoreTest):
    """A random program, memory at its fastest."""


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class RandomStorm(CoreTest):
    """A random program, pauses of all kinds on both buses."""

    pacing: ClassVar[dict[str, str]] = {"ibus": "storm", "dbus": "storm"}


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class RandomSlowFetch(CoreTest):
    """A random program, instructions that come late and data that comes at once."""

    pacing: ClassVar[dict[str, str]] = {"ibus": "slow", "dbus": "full"}


@pyuvm.test(timeout_time=LIMIT_MS, timeout_unit="ms")
class RandomSlowData(CoreTest):
    """A random program, instructions that come at once and data that comes late."""

    pacing: ClassVar[dict[str, str]] = {"ibus": "full", "dbus": "slow"}

"""The compute engine against the functional model: batches of random commands, ports granted at random."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import numpy as np

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.harness.tensor_compute import ComputeSimulator, Grants
from verif.models.tensor.compute_commands import Batch, expected, random_batch
from verif.models.tensor.compute_features import GOALS, features

__all__ = ["GOALS", "SMALL", "WIDE", "Mismatch", "batch_of", "compare", "grants_of", "run_seeds"]

#: Little of everything, so that simulators are quickly built and memories soon full.
SMALL = AcceleratorConfig(array=4, bus_width=32, activation_kib=4, weight_kib=2, psum_words=16)
#: The same with depthwise steps of two pixels.
WIDE = AcceleratorConfig(array=8, bus_width=32, activation_kib=8, weight_kib=8, psum_words=16)


class Mismatch(AssertionError):
    """The memory is not what the model leaves."""


def grants_of(seed: int) -> Grants:
    """Return how often ports are granted in the run of a seed: always, mostly or seldom, each for itself."""
    random = Random(f"grants {seed}")
    rates = (256, 256, 200, 60, 12)  # results pile up behind a port that is seldom granted
    return Grants(
        read=random.choice(rates),
        weight=random.choice(rates),
        write=random.choice(rates),
        banked=random.random() < 0.5,
        seed=seed,
    )


def batch_of(config: AcceleratorConfig, seed: int, work: int) -> Batch:
    """Return the batch of a seed: of every fourth one, short commands close behind one another."""
    return random_batch(config, seed, work=work, crowded=seed % 4 == 3)


def compare(batch: Batch, activation: np.ndarray, seed: int) -> None:
    """Compare the activation memory with the model's.

    Raises
    ------
    Mismatch
        Names words, and the seed that repeats it.
    """
    wanted = expected(batch)
    wrong = np.flatnonzero((activation != wanted).any(axis=1))
    if len(wrong):
        first = int(wrong[0])
        raise Mismatch(
            f"seed {seed}: {len(wrong)} words differ, first {first}: "
            f"{activation[first].tolist()} instead of {wanted[first].tolist()}"
        )


def run_seeds(simulator: ComputeSimulator, seeds: Iterable[int], *, work: int = 1500) -> tuple[set[str], int]:
    """Run a batch for each seed; return the features that were tried, and the number of commands.

    Raises
    ------
    Mismatch, SimulationError
        The engine computes something else, or breaks a rule.
    """
    seen: set[str] = set()
    commands = 0
    for seed in seeds:
        batch = batch_of(simulator.config, seed, work)
        outcome = simulator.run(
            batch.commands,
            batch.memories,
            barriers=batch.barriers,
            delays=batch.delays,
            grants=grants_of(seed),
            limit=2_000_000,
        )
        compare(batch, outcome.activation, seed)
        commands += len(batch.commands)
        for command in batch.commands:
            seen |= features(command, simulator.config)
    return seen, commands

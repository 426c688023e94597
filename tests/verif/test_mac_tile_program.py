"""Stimulus of the MAC tile: legal, reproducible, and reaching what it is for."""

import numpy as np
import pytest

from rtl.tensor.config import TileConfig
from rtl.tensor.model import mac_tile
from verif.envs.mac_tile.program import Program, corner_program, random_program, wrap_program

CONFIGS = [
    TileConfig(rows=1, columns=1, activation_width=2, weight_width=2, accumulator_width=4),
    TileConfig(rows=3, columns=5, activation_width=5, weight_width=4, accumulator_width=16),
    TileConfig(),
]


def results(program: Program) -> np.ndarray:
    """Run the model, which refuses what does not fit."""
    return mac_tile(
        [beat.data for beat in program.beats],
        program.sets,
        first=[beat.first for beat in program.beats],
        last=[beat.last for beat in program.beats],
        swap=[beat.swap for beat in program.beats],
        config=program.config,
    )


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_random_programs_are_legal_and_end_with_a_result(config: TileConfig) -> None:
    program = random_program(config, 3, 200)
    assert len(program.beats) == 200
    assert len(results(program))
    needed = sum(beat.swap for beat in program.beats[1:]) + 1
    assert len(program.sets) == needed
    assert all(word < 1 << config.activation_payload_width for word in program.activation_payloads())
    assert len(program.weight_payloads()) == needed * config.rows


def test_random_programs_repeat_from_their_seed() -> None:
    config = TileConfig()
    assert random_program(config, 5, 50) == random_program(config, 5, 50)
    assert random_program(config, 5, 50) != random_program(config, 6, 50)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_corner_programs_are_legal(config: TileConfig) -> None:
    program = corner_program(config)
    assert len(results(program)) == len(program.beats)


def test_wrap_program_crosses_both_ends() -> None:
    config = TileConfig(rows=4, columns=2, accumulator_width=20)
    program = wrap_program(config)
    assert program is not None
    values = results(program)[:, 0]
    assert (np.diff(values) < -(1 << 18)).any()
    assert (np.diff(values) > 1 << 18).any()


def test_wrap_program_gives_up_on_wide_accumulators() -> None:
    assert wrap_program(TileConfig(accumulator_width=48)) is None

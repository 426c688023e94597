"""The compute engine as a whole: results bit for bit, and how many cycles they take."""

from pathlib import Path

import numpy as np
import pytest

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import Memories, check
from verif.benches.tensor_compute import GOALS, SMALL, WIDE, Mismatch, compare, run_seeds
from verif.harness.tensor_compute import ComputeSimulator, Outcome, build
from verif.models.tensor.compute_commands import random_batch

pytestmark = pytest.mark.sim

#: From a command's last slot to `done`.
_BACK = 15


@pytest.fixture(scope="session")
def small(compute_cache: Path) -> ComputeSimulator:
    return build(SMALL, compute_cache)


@pytest.fixture(scope="session")
def wide(compute_cache: Path) -> ComputeSimulator:
    return build(WIDE, compute_cache)


def windowed(operation: Operation, **fields: int | bool) -> Compute:
    """Return a command on 6 x 5 input pixels, with as many output pixels unless said otherwise."""
    common = {"source": 0, "in_columns": 6, "in_rows": 5, "source_group": 30, "columns": 6, "rows": 5}
    common |= {"target": 400, "target_row": 6, "target_group": 30}
    return Compute(operation=operation, **(common | fields))


def run(simulator: ComputeSimulator, *commands: Compute, barriers: bool = True) -> Outcome:
    """Run commands on random memories whose unused depthwise taps are 0."""
    memories = Memories.create(simulator.config, seed=1)
    memories.weight[:] = 0
    for command in commands:
        check(command, simulator.config)
    return simulator.run(commands, memories, barriers=[barriers] * len(commands), limit=100_000)


def slots(outcome: Outcome, number: int = -1) -> int:
    """Return the cycles of a command between its first and its last slot, both counted."""
    _, started, done = outcome.times[number]
    return done - started - _BACK + 1


def test_random_commands(small: ComputeSimulator) -> None:
    seen, commands = run_seeds(small, range(60), work=600)
    assert commands > 200
    kinds = {operation.name for operation in Operation}
    assert kinds <= seen


def test_a_wrong_word_is_noticed() -> None:
    batch = random_batch(SMALL, 1)
    memory = batch.memories.activation.copy()
    with pytest.raises(Mismatch, match=r"seed 1: .* words differ, first"):
        compare(batch, memory, 1)


@pytest.mark.parametrize("groups", [1, 3])
def test_convolutions_lose_no_cycle_between_sets_blocks_and_groups(
    small: ComputeSimulator, groups: int
) -> None:
    command = windowed(
        Operation.CONV, kernel_columns=3, kernel_rows=2, first_column=-1, in_groups=2, groups=groups
    )
    outcome = run(small, command)
    assert outcome.counters["busy"] == 30 * 6 * 2 * groups
    assert slots(outcome) == 30 * 6 * 2 * groups


def test_commands_in_a_row_lose_no_cycle(small: ComputeSimulator) -> None:
    commands = [windowed(Operation.CONV, tag=n, target=200 + 100 * n, in_groups=2) for n in range(4)]
    outcome = run(small, *commands, barriers=False)
    assert outcome.times[-1][2] - outcome.times[0][1] == 4 * 60 + _BACK - 1


def test_a_single_pixel_takes_a_cycle_a_tap(small: ComputeSimulator) -> None:
    command = windowed(Operation.SUM, kernel_columns=6, kernel_rows=5, columns=1, rows=1, groups=2)
    assert slots(run(small, command)) == 2 * 30


def test_a_fully_connected_layer_takes_a_weight_word_a_cycle(small: ComputeSimulator) -> None:
    groups = 20
    command = windowed(Operation.CONV, columns=1, rows=1, in_groups=groups, source_group=1, per_tensor=True)
    words = 2 * groups
    outcome = run(small, command)
    assert words - 8 <= slots(outcome) <= words


@pytest.mark.parametrize(
    ("columns", "kernel", "stride"), [(6, 3, 1), (5, 1, 1), (6, 4, 1), (3, 3, 2), (3, 2, 2)]
)
def test_depthwise_takes_a_cycle_a_kernel_row(
    small: ComputeSimulator, columns: int, kernel: int, stride: int
) -> None:
    command = windowed(
        Operation.DEPTHWISE, kernel_columns=kernel, kernel_rows=3, first_column=-1, first_row=-1,
        columns=columns, rows=4, groups=3, stride_x=stride, stride_y=1,
    )  # fmt: skip
    outcome = run(small, command)
    assert outcome.counters["busy"] == columns * 4 * 3 * 3
    assert columns * 4 * 3 * 3 <= slots(outcome) <= columns * 4 * 3 * 3 + 2 * 8


def test_additions_take_three_cycles_a_word(small: ComputeSimulator) -> None:
    command = windowed(Operation.ADD, source_b=100, multiplier=1 << 30, multiplier_a=1, multiplier_b=1)
    outcome = run(small, command)
    assert 90 <= outcome.times[0][2] - outcome.times[0][1] <= 90 + 2 * _BACK


def test_weights_are_waited_for(small: ComputeSimulator) -> None:
    command = windowed(Operation.CONV, columns=2, rows=1, in_groups=2, groups=4, target_row=2)
    counters = run(small, command).counters
    assert counters["busy"] == 16
    assert counters["stall_weights"] > 0
    assert counters["stall_activations"] <= 1
    assert counters["stall_output"] == 0


def test_kept_sums_are_gone_on_with(small: ComputeSimulator) -> None:
    fields = {"per_tensor": True, "multiplier": 1 << 30, "left": 1, "columns": 5, "rows": 3, "target_row": 5}
    ways = []
    for commands in (
        [windowed(Operation.SUM, kernel_columns=2, **fields)],
        [
            windowed(Operation.SUM, keep=True, **fields),
            windowed(Operation.SUM, accumulate=True, first_column=1, **fields),
        ],
    ):
        outcome = run(small, *commands, barriers=False)
        ways.append(outcome.activation[400:415])
    assert np.array_equal(*ways)


@pytest.mark.nightly
def test_many_random_commands(small: ComputeSimulator) -> None:
    seen, commands = run_seeds(small, range(1000, 2500))
    assert commands > 10_000
    assert not GOALS - seen


@pytest.mark.nightly
@pytest.mark.parametrize("array", [4, 8, 16])
def test_presets(array: int, compute_cache: Path) -> None:
    simulator = build(AcceleratorConfig.preset(f"{array}x{array}"), compute_cache)
    seen, _ = run_seeds(simulator, range(400))
    assert not GOALS - seen


@pytest.mark.nightly
def test_depthwise_steps_of_two_pixels(wide: ComputeSimulator) -> None:
    command = windowed(
        Operation.DEPTHWISE, kernel_columns=3, kernel_rows=3, first_column=-1, first_row=-1, groups=4
    )
    outcome = run(wide, command)
    assert outcome.counters["busy"] == 3 * 5 * 3 * 4
    assert slots(outcome) <= 3 * 5 * 3 * 4 + 3 * 8
    odd = windowed(Operation.DEPTHWISE, kernel_columns=3, kernel_rows=1, columns=5, groups=2)
    assert run(wide, odd).counters["busy"] == 3 * 5 * 2

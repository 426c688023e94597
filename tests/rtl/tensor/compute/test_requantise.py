# amaranth: UnusedElaboratable=no
"""Requantisation against its formula: corners, ties and random operands, a word a cycle."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from amaranth.sim import Simulator

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.compute.layouts import COMMAND
from rtl.tensor.accelerator.compute.requantise import Requantise
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.arithmetic import average, clamp, scale, wrap

CONFIG = AcceleratorConfig.preset("4x4")
LANES = CONFIG.array
LATENCY = 5
CORNERS = (0, 1, -1, 2, -2, 127, -128, 1 << 30, -(1 << 30), (1 << 31) - 1, -(1 << 31), 1 - (1 << 31))
MULTIPLIERS = (0, 1, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, (1 << 31) - 1)


def sums_around_ties(random: Random, multiplier: int, right: int, left: int) -> Iterator[int]:
    """Yield sums whose scaled value lies at, or next to, the middle of two results."""
    while True:
        half = random.randrange(-130, 130) * 2 + 1
        if multiplier:
            middle = (half << right + 30 - left) // multiplier
            if -(1 << 31) < middle < (1 << 31) - 2:
                yield middle + random.randint(-2, 2)
                continue
        yield random.choice(CORNERS)


def simulate(
    command: Compute, words: list[list[int]], scales: list[tuple[int, int, int]] | None
) -> list[int]:
    """Return results of sums, one word after another; `scales` are multiplier, right, left by channel."""
    unit = Requantise(CONFIG)
    bits = sum(word << 32 * i for i, word in enumerate(command.encode()))
    results: list[int] = []

    async def drive(ctx):
        ctx.set(unit.command, COMMAND.from_bits(bits))
        for lane, (multiplier, right, left) in enumerate(scales or []):
            ctx.set(unit.multiplier[lane], multiplier)
            ctx.set(unit.shift[lane], right | left << 5)
        for number, word in enumerate(words):
            ctx.set(unit.valid, 1)
            ctx.set(unit.token.command, number == 0)
            ctx.set(unit.token.scales, number == 0 and scales is not None)
            ctx.set(unit.token.result, 1)
            ctx.set(unit.token.add, command.operation is Operation.ADD)
            ctx.set(unit.token.second, number % 2)
            for lane, value in enumerate(word):
                ctx.set(unit.sums[lane], value)
            await ctx.tick()
            if command.operation is Operation.ADD and number % 2:
                ctx.set(unit.valid, 0)
                await ctx.tick()
        ctx.set(unit.valid, 0)
        await ctx.tick().repeat(3 * LATENCY)

    async def watch(ctx):
        async for _, _, valid, word in ctx.tick().sample(unit.o_valid, unit.result.data):
            if valid:
                results.extend(np.frombuffer(int(word).to_bytes(LANES, "little"), np.int8).tolist())

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return results


def command(operation: Operation = Operation.CONV, **fields: int | bool) -> Compute:
    return Compute(
        operation=operation, source=0, in_columns=1, in_rows=1, columns=1, rows=1, target=0, **fields
    )


@pytest.mark.parametrize("seed", range(12))
def test_scales_of_each_channel(seed: int) -> None:
    random = Random(seed)
    scales = []
    for _ in range(LANES):
        multiplier = random.choice((*MULTIPLIERS, random.randrange(1 << 31)))
        scales.append(
            (multiplier, random.choice((0, 1, 5, 31, random.randrange(32))), random.choice((0, 0, 1, 7)))
        )
    ties = [sums_around_ties(random, *scale) for scale in scales]
    words = [[value] * LANES for value in CORNERS]
    words += [[next(tie) for tie in ties] for _ in range(60)]
    words += [[random.randrange(-(1 << 31), 1 << 31) for _ in range(LANES)] for _ in range(20)]
    zero = random.choice((-128, 127, 0, 5))
    low, high = sorted(random.choice(((-128, 127), (-5, 100), (0, 0))))
    found = simulate(command(zero_out=zero, minimum=low, maximum=high), words, scales)
    multiplier, right, left = np.array(scales, np.int64).T
    expected = clamp(scale(np.array(words, np.int64), multiplier, right, left), zero, low, high)
    assert found == expected.reshape(-1).tolist()


@pytest.mark.parametrize(("right", "left"), [(0, 0), (0, 1), (31, 0), (9, 7), (1, 0)])
def test_scales_of_the_command(right: int, left: int) -> None:
    random = Random(right)
    multiplier = random.randrange(1 << 30, 1 << 31)
    ties = sums_around_ties(random, multiplier, right, left)
    words = [[value] * LANES for value in CORNERS] + [[next(ties) for _ in range(LANES)] for _ in range(40)]
    one = command(per_tensor=True, multiplier=multiplier, right=right, left=left, zero_out=-3)
    expected = clamp(scale(np.array(words, np.int64), multiplier, right, left), -3, -128, 127)
    assert simulate(one, words, None) == expected.reshape(-1).tolist()


@pytest.mark.parametrize("count", [1, 2, 9, 64, 125, 65535])
def test_averages(count: int) -> None:
    random = Random(count)
    right = (count - 1).bit_length()
    multiplier = min(-(-(1 << 31 + right) // count), (1 << 31) - 1)
    near = [count * k + d for k in range(-9, 9) for d in (-1, 0, 1)] + [
        count * k + count // 2 + d for k in range(-20, 20) for d in (-1, 0, 1)
    ]
    words = [[random.choice(near) for _ in range(LANES)] for _ in range(60)]
    words += [[value] * LANES for value in CORNERS]
    one = command(Operation.SUM, divide=True, multiplier=multiplier, right=right, half=count // 2, zero_out=1)
    expected = clamp(average(np.array(words, np.int64), multiplier, right, count // 2), 1, -128, 127)
    assert simulate(one, words, None) == expected.reshape(-1).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_sums_of_two_operands(seed: int) -> None:
    random = Random(seed)
    fields = {
        name: random.choice((*MULTIPLIERS[2:], random.randrange(1 << 31)))
        for name in ("multiplier", "multiplier_a", "multiplier_b")
    }
    shifts = {
        "right": random.choice((17, 19, 20)),
        "right_a": random.randrange(4),
        "right_b": random.choice((0, 31)),
    }
    words = [[random.randrange(-255, 256) for _ in range(LANES)] for _ in range(80)]
    found = simulate(command(Operation.ADD, **fields, **shifts, zero_out=7), words, None)
    a, b = np.array(words[::2], np.int64) << 20, np.array(words[1::2], np.int64) << 20
    total = scale(a, fields["multiplier_a"], shifts["right_a"]) + scale(
        b, fields["multiplier_b"], shifts["right_b"]
    )
    expected = clamp(scale(wrap(total), fields["multiplier"], shifts["right"]), 7, -128, 127)
    assert found == expected.reshape(-1).tolist()

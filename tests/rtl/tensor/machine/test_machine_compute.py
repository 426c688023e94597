"""Compute commands against a model that goes pixel by pixel and byte by byte."""

import random

import numpy as np
import pytest

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import Memories, check, execute, weight_words
from rtl.tensor.machine.errors import MachineError

CONFIGS = [
    AcceleratorConfig(array=4, bus_width=32, activation_kib=1, weight_kib=2, psum_words=16),
    AcceleratorConfig(array=8, bus_width=64, activation_kib=4, weight_kib=4, psum_words=16),
    AcceleratorConfig(array=16, bus_width=128, activation_kib=8, weight_kib=16, psum_words=16),
]


def int32(value):
    return (value + 2**31) % 2**32 - 2**31


def scaled(value, multiplier, right, left=0):
    p = (int32(value << left) * multiplier + 2**30) >> 31
    return (p + ((1 << right) >> 1) - (p < 0 and right > 0)) >> right


class Scalar:
    """The page on the accelerator, said with loops."""

    def __init__(self, command, memories, config):
        self.c, self.config, self.n = command, config, config.array
        self.activation = [int(v) for v in memories.activation.reshape(-1)]
        self.weights = memories.weight.tobytes()
        self.kept = memories.sums.copy()

    def run(self):
        """Return the activation memory and the kept sums afterwards."""
        after = list(self.activation)
        sums = self.kept.copy()
        for g, y, x, ch in np.ndindex(self.c.groups, self.c.rows, self.c.columns, self.n):
            if self.c.operation is Operation.ADD:
                word = (g * self.c.rows + y) * self.c.columns + x
                after[(self.c.target + word) * self.n + ch] = self.add(word, ch)
                continue
            acc, multiplier, right, left = self.accumulated(g, y, x, ch)
            if self.c.keep:
                sums[y * self.c.columns + x, ch] = acc
                continue
            if self.c.divide:
                value = ((abs(acc) + self.c.half) * multiplier) >> (31 + right)
                value = -value if acc < 0 else value
            else:
                value = scaled(acc, multiplier, right, left)
            word = self.c.target + g * self.c.target_group + y * self.c.target_row + x
            after[word * self.n + ch] = self.clamped(value)
        return np.array(after, np.int8).reshape(-1, self.n), sums

    def clamped(self, value):
        return min(max(value + self.c.zero_out, self.c.minimum), self.c.maximum)

    def add(self, word, ch):
        c = self.c
        a = (self.activation[(c.source + word) * self.n + ch] - c.zero) << 20
        b = (self.activation[(c.source_b + word) * self.n + ch] - c.zero_b) << 20
        total = scaled(a, c.multiplier_a, c.right_a) + scaled(b, c.multiplier_b, c.right_b)
        return self.clamped(scaled(total, c.multiplier, c.right))

    def number(self, byte):
        return int.from_bytes(self.weights[byte : byte + 4], "little", signed=True)

    def accumulated(self, g, y, x, ch):
        c, n = self.c, self.n
        begin = (c.weights + g * weight_words(c, self.config)) * 2 * n
        multiplier, right, left, bias = c.multiplier, c.right, c.left, 0
        if c.operation in (Operation.CONV, Operation.DEPTHWISE, Operation.CHANNEL):
            bias = self.number(begin + 4 * ch)
            if not c.per_tensor:
                multiplier = self.number(begin + 4 * n + 4 * ch) & 0x7FFFFFFF
                shifts = self.weights[begin + 8 * n + ch]
                right, left = shifts % 32, shifts >> 5
            begin += 4 * n if c.per_tensor else 10 * n
        acc = int(self.kept[y * c.columns + x, ch]) if c.accumulate else bias
        largest = []
        groups = range(c.in_groups) if c.operation is Operation.CONV else [g]
        for ky, kx in np.ndindex(c.kernel_rows, c.kernel_columns):
            for ig in groups:
                iy, ix = y * c.stride_y + c.first_row + ky, x * c.stride_x + c.first_column + kx
                if not (0 <= iy < c.in_rows and 0 <= ix < c.in_columns):
                    continue
                word = c.source + ig * c.source_group + iy * c.in_columns + ix
                lanes = [v - c.zero for v in self.activation[word * n : word * n + n]]
                tap = ky * c.kernel_columns + kx
                if c.operation is Operation.CONV:
                    place = begin + (tap * c.in_groups + ig) * n * n
                    acc += sum(v * self.signed(place + lane * n + ch) for lane, v in enumerate(lanes))
                elif c.operation is Operation.DEPTHWISE:
                    acc += lanes[ch] * self.signed(begin + ky * 4 * n + kx * n + ch)
                elif c.operation is Operation.CHANNEL:
                    acc += lanes[ch] * self.signed(begin + tap * 2 * n + ch)
                elif c.operation is Operation.SUM:
                    acc += lanes[ch]
                else:
                    largest.append(lanes[ch])
        if c.operation is Operation.MAX:
            acc = max([*largest, acc] if c.accumulate else largest)
        return int32(acc), multiplier, right, left

    def signed(self, byte):
        return int.from_bytes(self.weights[byte : byte + 1], "little", signed=True)


def draw(rng, operation, config):
    """Return a command that may be asked for, small."""
    partial = operation in (Operation.CONV, Operation.CHANNEL, Operation.SUM)
    depthwise = operation is Operation.DEPTHWISE
    kernel = (rng.randint(1, 3), rng.randint(1, 4)) if depthwise else (rng.randint(1, 4), rng.randint(1, 3))
    fields = {
        "operation": operation,
        "per_tensor": rng.random() < 0.3,
        "stride_x": rng.randint(1, 2 if depthwise else 3),
        "stride_y": rng.randint(1, 2 if depthwise else 3),
        "in_groups": rng.randint(1, 3) if operation is Operation.CONV else 1,
        "groups": rng.randint(1, 2),
        "kernel_rows": kernel[0],
        "kernel_columns": kernel[1],
        "rows": rng.randint(1, 3),
        "columns": rng.randint(1, 4),
        "source": rng.randint(0, 5),
        "target": rng.randint(120, 125),
        "target_row": rng.randint(4, 6),
        "target_group": rng.randint(18, 20),
        "weights": rng.randint(0, 3),
        "zero": rng.choice([-128, 127, rng.randint(-128, 127)]),
        "zero_b": rng.choice([-128, 127, rng.randint(-128, 127)]),
        "zero_out": rng.choice([-128, 127, rng.randint(-128, 127)]),
        "multiplier": rng.choice([0, 2**31 - 1, rng.randrange(2**31)]),
        "right": rng.choice([0, 31, rng.randint(0, 31)]),
        "left": rng.choice([0, 0, 7]),
        "multiplier_a": rng.randrange(2**31),
        "multiplier_b": rng.randrange(2**31),
        "right_a": rng.randint(0, 8),
        "right_b": rng.randint(0, 8),
    }
    fields["minimum"], fields["maximum"] = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    if operation is Operation.SUM and rng.random() < 0.7:
        fields |= {"divide": True, "half": rng.randint(0, 40)}
    if partial and rng.random() < 0.4:
        fields |= {"groups": 1, "keep": rng.random() < 0.5, "accumulate": rng.random() < 0.7}
    pad_y, pad_x = rng.randint(0, kernel[0] - 1), rng.randint(0, kernel[1] - 1)
    fields["first_row"], fields["first_column"] = -pad_y, -pad_x
    fields["in_rows"] = max(1, (fields["rows"] - 1) * fields["stride_y"] + 1 - pad_y + rng.randint(0, 2))
    fields["in_columns"] = max(
        1, (fields["columns"] - 1) * fields["stride_x"] + 1 - pad_x + rng.randint(0, 2)
    )
    fields["source_group"] = rng.choice([fields["in_rows"] * fields["in_columns"], 35])
    if operation is Operation.ADD:
        fields |= {"source": 0, "source_b": 40, "weights": 0}
    return Compute(**fields)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.array}")
@pytest.mark.parametrize("operation", Operation)
def test_equals_the_loops(operation, config):
    rng = random.Random(f"{operation} {config.array}")
    compared = 0
    while compared < 12:
        command = draw(rng, operation, config)
        try:
            check(command, config)
        except MachineError:
            continue
        memories = Memories.create(config, seed=rng.randrange(2**32))
        expected = Scalar(command, memories, config).run()
        execute(Compute.decode(command.encode()), memories, config)
        np.testing.assert_array_equal(memories.activation, expected[0])
        np.testing.assert_array_equal(memories.sums, expected[1])
        compared += 1

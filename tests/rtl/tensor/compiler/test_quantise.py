"""Factors, limits and divisors, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from rtl.tensor.compiler.graph import Scale
from rtl.tensor.compiler.quantise import (
    QuantisationError,
    add_scales,
    clamp_range,
    convolution_scaling,
    fully_connected_scaling,
    mean_scale,
    reciprocal,
    rescaling,
    softmax_scale,
)
from rtl.tensor.compiler.schema import Activation

ONE = np.float32(1)


def factor(scale):
    return Fraction(scale.multiplier) * Fraction(2) ** (scale.left - scale.right - 31)


def single(value):
    scaling = rescaling(np.float32(value), ONE, 3)
    assert scaling.multiplier.shape == (3,)
    return scaling.per_tensor


@pytest.mark.parametrize(
    ("value", "multiplier", "right", "left"),
    [
        (1.0, 1 << 30, 0, 1),
        (0.5, 1 << 30, 0, 0),
        (0.75, 3 << 29, 0, 0),
        (2.0**-32, 1 << 30, 31, 0),
        (2.0**-33, 0, 0, 0),  # too small for a shift of 31
        (127.0, 127 << 24, 0, 7),
        (0.0, 0, 0, 0),
    ],
)
def test_factors(value, multiplier, right, left):
    assert single(value) == Scale(multiplier=multiplier, right=right, left=left)


def test_factors_are_nearest():
    rng = np.random.default_rng(1)
    scales = (2.0 ** rng.uniform(-30, 6, 500)).astype(np.float32)
    scale_in, scale_out = np.float32(0.37), np.float32(0.61)
    scaling = convolution_scaling(scale_in, scales, scale_out, 500)
    for index in range(500):
        exact = Fraction(float(scale_in)) * Fraction(float(scales[index])) / Fraction(float(scale_out))
        made = Scale(
            multiplier=int(scaling.multiplier[index]),
            right=int(scaling.right[index]),
            left=int(scaling.left[index]),
        )
        assert 1 << 30 <= made.multiplier < 1 << 31
        assert min(made.right, made.left) == 0
        # Half of the last bit, and the double's own error.
        assert abs(factor(made) / exact - 1) <= Fraction(1, 1 << 31) + Fraction(3, 1 << 53)


def test_a_multiplier_that_rounds_up_to_a_power_of_two():
    scaling = convolution_scaling(ONE, np.array([1.0], np.float32), ONE, 1)
    assert scaling.multiplier[0] == 1 << 30 and scaling.left[0] == 1
    # float32 has no number this near below 1, a quotient in double has.
    nearly = rescaling(np.float32(1 - 2**-24), np.float32(1.0), 1)
    assert nearly.multiplier[0] == (1 << 31) - 128 and nearly.left[0] == 0
    with np.errstate(all="raise"):
        split = add_scales(np.float32(1 - 2**-24), ONE, ONE)[0]
    assert split == Scale(multiplier=(1 << 30) - 64 << 1, right=1)


def test_fully_connected_rounds_the_product_to_float32():
    scale, weight, out = np.float32(0.1), np.float32(0.3), np.float32(1.0)
    one = fully_connected_scaling(scale, np.array([weight]), out, 2).per_tensor
    both = fully_connected_scaling(scale, np.array([weight, weight]), out, 2).per_tensor
    conv = convolution_scaling(scale, np.array([weight]), out, 2).per_tensor
    assert both == conv
    assert one != conv
    product = float(np.float32(float(scale) * float(weight)))
    assert factor(one) == Fraction(product)


def test_factors_that_hardware_lacks():
    with pytest.raises(
        QuantisationError, match=r"is 128 times the output's scale, and the hardware.*than 128"
    ):
        single(128.0)
    with pytest.raises(QuantisationError, match="times the output's scale"):
        fully_connected_scaling(np.float32(3e38), np.array([3e38], np.float32), ONE, 1)


def test_add():
    a, b, total = add_scales(np.float32(0.25), np.float32(0.5), np.float32(2.0))
    assert (factor(a), factor(b)) == (Fraction(1, 4), Fraction(1, 2))
    assert factor(total) == Fraction(1, 2) / (1 << 20)
    with pytest.raises(QuantisationError, match=r"2\*\*20 times the output's is 1, which must lie"):
        add_scales(np.float32(0.5), np.float32(0.5), np.float32(2.0**-20))
    with pytest.raises(QuantisationError, match="first input's scale over twice the larger one is 0"):
        add_scales(np.float32(0.0), np.float32(0.5), ONE)


def test_mean():
    assert factor(mean_scale(ONE, ONE, 4)) == Fraction(1, 4)
    assert factor(mean_scale(np.float32(100), ONE, 1)) == 100
    made = mean_scale(ONE, ONE, 49)
    assert made.multiplier == ((1 << 30) << 5) // 49 and (made.right, made.left) == (4, 0)
    # 200 is too much, but not for the sum of four.
    assert factor(mean_scale(np.float32(200), ONE, 4)) == 50
    with pytest.raises(QuantisationError, match=r"is 200 times the output's, for 1 pixels"):
        mean_scale(np.float32(200), ONE, 1)
    # So small that the count cannot be part of the shift.
    made = mean_scale(np.float32(2.0**-31), ONE, 100)
    assert (made.multiplier, made.right) == ((1 << 30 << 1) // 100, 31)


def test_softmax():
    multiplier, left, lowest = softmax_scale(1.0, np.float32(0.125))
    assert (multiplier, left, lowest) == (1 << 30, 24, -(31 << 2))
    multiplier, left, lowest = softmax_scale(1.0, np.float32(1e9))
    assert (multiplier, left, lowest) == ((1 << 31) - 1, 31, 0)
    with pytest.raises(QuantisationError, match="too small"):
        softmax_scale(1.0, np.float32(2.0**-26))
    assert softmax_scale(1.5, np.float32(2.0**-26))[:2] == (3 << 29, 1)


@pytest.mark.parametrize(
    ("scale", "zero", "relu", "relu6", "around"),
    [
        (1.0, 0, (0, 127), (0, 6), (-1, 1)),
        (0.5, 10, (10, 127), (10, 22), (8, 12)),
        (4.0, -3, (-3, 127), (-3, -1), (-3, -3)),  # 1.5 rounds to 2, 0.25 to 0
        (2.0, 0, (0, 127), (0, 3), (-1, 1)),  # halves away from 0
        (0.01, -128, (-128, 127), (-128, 127), (-128, -28)),
        (0.01, 127, (127, 127), (127, 127), (27, 127)),
    ],
)
def test_clamps(scale, zero, relu, relu6, around):
    scale = np.float32(scale)
    assert clamp_range(Activation.NONE, scale, zero) == (-128, 127)
    assert clamp_range(Activation.RELU, scale, zero) == relu
    assert clamp_range(Activation.RELU6, scale, zero) == relu6
    assert clamp_range(Activation.RELU_N1_TO_1, scale, zero) == around


def test_clamps_without_an_integer():
    with pytest.raises(QuantisationError, match=r"6\.0 is 6e\+10 steps of the output's scale"):
        clamp_range(Activation.RELU6, np.float32(1e-10), 0)
    with pytest.raises(QuantisationError, match=r"-1\.0 is -inf steps"):
        clamp_range(Activation.RELU_N1_TO_1, np.float32(1e-40), 0)


def test_reciprocals_divide_exactly():
    """At every multiple of the divisor and around it, where a quotient changes; all sums of small ones."""
    for count in (*range(2, 300), 1023, 1024, 1025, 21609, 32768, 32769, 65025, 65535):
        made = reciprocal(count)
        assert 1 << 30 <= made.multiplier < 1 << 31 and 0 <= made.right <= 31
        quotients = np.arange(1, 258, dtype=np.int64) * count
        sums = np.concatenate([quotients - 1, quotients, quotients + count // 2, np.arange(1000)])
        assert ((sums * made.multiplier >> 31 + made.right) == sums // count).all()
    for count in (0, 1, 65536):
        with pytest.raises(ValueError, match=r"count must lie in 2\.\.65535"):
            reciprocal(count)

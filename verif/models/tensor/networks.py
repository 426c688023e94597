"""Random int8 networks, as .tflite files: for tests of the compiler, the models and the hardware.

A network is a random walk over the supported operators. Sizes, kernels,
strides, padding, zero points and scales are random; some factors are extreme
(shifts from 7 to the left to 31 to the right, multiplier 0, biases near
2**30), as they occur in real networks that were pruned by training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.compiler.schema import Activation, OptionsType, Padding
from rtl.tensor.compiler.schema import AddField as AddOption
from rtl.tensor.compiler.schema import ConvField as ConvOption
from rtl.tensor.compiler.schema import DepthwiseField as DepthwiseOption
from rtl.tensor.compiler.schema import FullyConnectedField as FullyConnectedOption
from rtl.tensor.compiler.schema import PoolField as PoolOption
from rtl.tensor.compiler.schema import ReducerField as ReducerOption
from rtl.tensor.compiler.schema import SoftmaxField as SoftmaxOption
from verif.models.tensor.factors import Factors
from verif.models.tensor.tflite_writer import Network, OperatorSpec, TensorSpec

__all__ = ["KINDS", "random_inputs", "random_network"]

#: Steps of the random walk, and how often each is tried.
_STEPS = {
    "conv": 5,
    "depthwise": 4,
    "add": 3,
    "average_pool": 2,
    "max_pool": 2,
    "pad": 1,
    "mean": 1,
    "quantize": 1,
    "relu": 1,
}

#: Names for `random_network`'s `kinds`.
KINDS = tuple(_STEPS)

_ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
_LARGEST_CHANNELS = 40


def random_network(
    seed: int,
    *,
    macs: int = 300_000,
    steps: int = 7,
    kinds: Sequence[str] = KINDS,
    values: int = 8192,
    extreme: bool = True,
) -> bytes:
    """Make a network.

    Parameters
    ----------
    seed
        The same seed and parameters give the same network.
    macs
        Most multiplications of an operator; steps that would need more are
        made smaller or left out.
    steps
        Most operators before the classifier at the end.
    kinds
        Steps to choose from, of `KINDS`.
    values
        Most values of a tensor.
    extreme
        Whether extreme factors and biases occur.

    Returns
    -------
    bytes
        A .tflite file of one input.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown or not kinds:
        raise ValueError(f"kinds must be of {', '.join(KINDS)}, not {', '.join(sorted(unknown)) or 'none'}")
    return _Walk(seed, macs, values, extreme).network(steps, kinds).encode()


def random_inputs(size: int, seed: int, count: int) -> NDArray[np.int8]:
    """Return inputs of a network: the two constant extremes, then random ones.

    Parameters
    ----------
    size
        Values of the input tensor.
    seed, count
        Seed, and how many inputs.

    Returns
    -------
    int8, (count, size)
    """
    rng = np.random.default_rng([seed, 1])
    inputs = rng.integers(-128, 128, (count, size), dtype=np.int8)
    if count > 2:
        inputs[0], inputs[1] = -128, 127
    return inputs


class _Walk:
    """A network that grows, and the tensors that further operators may read."""

    def __init__(self, seed: int, macs: int, values: int, extreme: bool) -> None:
        self._rng = np.random.default_rng(seed)
        self._macs = macs
        self._values = values
        self._net = Network()
        self._factors = Factors(self._rng, extreme)
        self._open: list[int] = []

    def network(self, steps: int, kinds: Sequence[str]) -> Network:
        net, rng = self._net, self._rng
        makers: dict[str, Callable[[int], int | None]] = {
            "conv": self._conv,
            "depthwise": self._depthwise,
            "add": self._add,
            "average_pool": lambda tensor: self._pool(tensor, "AVERAGE_POOL_2D"),
            "max_pool": lambda tensor: self._pool(tensor, "MAX_POOL_2D"),
            "pad": self._pad,
            "mean": self._mean,
            "quantize": self._quantize,
            "relu": self._relu,
        }
        current = self._input()
        net.inputs = [current]
        weights = np.array([_STEPS[kind] for kind in kinds], float)
        for _ in range(int(rng.integers(1, steps + 1))):
            self._open.append(current)
            made = makers[str(rng.choice(list(kinds), p=weights / weights.sum()))](current)
            current = current if made is None else made
        if rng.random() < 0.6 or not net.operators:
            current = self._classifier(current)
        net.outputs = [current]
        return net

    # Tensors.

    def _size(self, tensor: int) -> tuple[int, int, int]:
        _, rows, columns, channels = self._net.tensors[tensor].shape
        return rows, columns, channels

    def _scale(self, tensor: int) -> float:
        return float(self._net.tensors[tensor].scales[0])

    def _zero(self, tensor: int) -> int:
        return self._net.tensors[tensor].zero_points[0]

    def _channels(self) -> int:
        """Return 1 to 40; a multiple of 8 in a third of all cases."""
        if self._rng.random() < 0.35:
            return 8 * int(self._rng.integers(1, 6))
        return int(self._rng.integers(1, _LARGEST_CHANNELS + 1))

    def _activation_tensor(
        self, shape: Sequence[int], scale: float | None = None, zero: int | None = None
    ) -> int:
        rng = self._rng
        if scale is None:
            scale = float(2.0 ** rng.uniform(-8, 1))
        if zero is None:
            zero = int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))], p=[0.2, 0.05, 0.1, 0.65]))
        name = f"t{len(self._net.tensors)}"
        return self._net.add(
            TensorSpec(shape=tuple(shape), name=name, scales=(float(np.float32(scale)),), zero_points=(zero,))
        )

    def _input(self) -> int:
        rng = self._rng
        channels = int(rng.choice([1, 3, self._channels()]))
        largest = max(1, min(24, int((self._values / channels) ** 0.5)))
        rows, columns = (int(side) for side in rng.integers(1, largest + 1, 2))
        return self._activation_tensor((1, rows, columns, channels))

    def _constant(
        self, values: NDArray[np.generic], dtype: str, scales: Sequence[float], axis: int = 0
    ) -> int:
        name = f"c{len(self._net.tensors)}"
        return self._net.add(
            TensorSpec(
                shape=values.shape,
                dtype=dtype,
                name=name,
                scales=scales,
                zero_points=(0,) * len(scales),
                axis=axis,
                data=values,
            )
        )

    def _emit(
        self,
        kind: str,
        inputs: Sequence[int],
        output: int,
        options_type: OptionsType = OptionsType.NONE,
        options: dict[object, int | float | bool] | None = None,
    ) -> int:
        self._net.operators.append(
            OperatorSpec(
                kind=kind,
                inputs=inputs,
                outputs=(output,),
                options_type=options_type,
                options=options or {},  # type: ignore[arg-type]
            )
        )
        return output

    # Windows.

    def _kernel(self, rows: int, columns: int, padding: Padding, largest: int) -> tuple[int, int]:
        """Return a kernel that fits; often 1 x 1 or 3 x 3, sometimes 10 x 4, up to 11 x 11."""
        rng = self._rng
        sides = [(1, 1), (3, 3), (10, 4), (2, 2), tuple(int(side) for side in rng.integers(1, 12, 2))]
        kernel = sides[int(rng.choice(5, p=[0.2, 0.3, 0.1, 0.1, 0.3]))]
        bounds = (rows, columns) if padding is Padding.VALID else (11, 11)
        return min(kernel[0], bounds[0], largest), min(kernel[1], bounds[1], largest)

    @staticmethod
    def _slide(size: int, kernel: int, stride: int, padding: Padding) -> int:
        return -(-(size if padding is Padding.SAME else size - kernel + 1) // stride)

    def _window(self, tensor: int, largest_stride: int, largest: int = 11) -> tuple[Padding, list[int]]:
        """Return padding, and kernel rows, columns, stride rows, columns, output rows, columns."""
        rng = self._rng
        rows, columns, _ = self._size(tensor)
        padding = Padding(int(rng.integers(2)))
        kernel = self._kernel(rows, columns, padding, largest)
        stride = [int(rng.integers(1, largest_stride + 1))] * 2
        if rng.random() < 0.25:
            stride = [int(side) for side in rng.integers(1, largest_stride + 1, 2)]
        sides = [
            self._slide(size, side, step, padding)
            for size, side, step in zip((rows, columns), kernel, stride, strict=True)
        ]
        return padding, [*kernel, *stride, *sides]

    # Operators with weights.

    def _weighted(
        self, tensor: int, weights: NDArray[np.int8], axis: int, output: int, per_axis: bool
    ) -> list[int]:
        """Return the inputs of an operator with weights: data, weights and mostly a bias."""
        prepared = self._factors.prepare(weights, axis, self._zero(tensor), per_axis)
        scales = prepared.factors * self._scale(output) / self._scale(tensor)
        scales = scales.astype(np.float32)
        inputs = [tensor, self._constant(prepared.weights, "int8", scales, axis if per_axis else 0)]
        if prepared.bias is not None:
            bias_scales = (scales * np.float32(self._scale(tensor))).astype(np.float32)
            inputs.append(self._constant(prepared.bias, "int32", bias_scales))
        return inputs

    def _fused(self) -> tuple[Activation, float | None, int | None]:
        """Return an activation, and a scale and a zero point at which it matters; mostly."""
        activation = _ACTIVATIONS[int(self._rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]))]
        reach = {Activation.RELU6: 6.0, Activation.RELU_N1_TO_1: 1.0}.get(activation)
        zero = None if self._rng.random() < 0.2 else int(self._rng.choice([-128, -128, -100, 0]))
        if activation is Activation.NONE:
            zero = None
        return activation, None if reach is None else reach / float(2.0 ** self._rng.uniform(3, 8)), zero

    def _conv(self, tensor: int, channels: int | None = None, same: bool = False) -> int | None:
        padding, (rows, columns, down, right, high, wide) = self._window(tensor, 2)
        depth = self._size(tensor)[2]
        if same:
            padding, rows, columns, down, right = Padding.SAME, min(rows, 3), min(columns, 3), 1, 1
            high, wide = self._size(tensor)[:2]
        channels = channels or self._channels()
        room = min(self._macs // (high * wide * rows * columns * depth), self._values // (high * wide))
        if room < 1 or (same and room < channels):
            return None
        channels = min(channels, room)
        activation, scale, zero = self._fused()
        output = self._activation_tensor((1, high, wide, channels), scale, zero)
        weights = self._factors.weights((channels, rows, columns, depth))
        per_axis = self._rng.random() < 0.8
        inputs = self._weighted(tensor, weights, 0, output, per_axis)
        return self._emit(
            "CONV_2D",
            inputs,
            output,
            OptionsType.CONV,
            {
                ConvOption.PADDING: padding,
                ConvOption.STRIDE_H: down,
                ConvOption.STRIDE_W: right,
                ConvOption.ACTIVATION: activation,
                ConvOption.DILATION_H: 1,
                ConvOption.DILATION_W: 1,
            },
        )

    def _depthwise(self, tensor: int) -> int | None:
        padding, (rows, columns, down, right, high, wide) = self._window(tensor, 3)
        depth = self._size(tensor)[2]
        multiplier = int(self._rng.integers(2, 5)) if self._rng.random() < 0.2 and depth <= 10 else 1
        channels = depth * multiplier
        if high * wide * rows * columns * channels > self._macs or high * wide * channels > self._values:
            return None
        activation, scale, zero = self._fused()
        output = self._activation_tensor((1, high, wide, channels), scale, zero)
        weights = self._factors.weights((1, rows, columns, channels))
        inputs = self._weighted(tensor, weights, 3, output, self._rng.random() < 0.8)
        return self._emit(
            "DEPTHWISE_CONV_2D",
            inputs,
            output,
            OptionsType.DEPTHWISE,
            {
                DepthwiseOption.PADDING: padding,
                DepthwiseOption.STRIDE_H: down,
                DepthwiseOption.STRIDE_W: right,
                DepthwiseOption.MULTIPLIER: multiplier,
                DepthwiseOption.ACTIVATION: activation,
                DepthwiseOption.DILATION_H: 1,
                DepthwiseOption.DILATION_W: 1,
            },
        )

    def _fully_connected(self, tensor: int, channels: int, shape: Sequence[int]) -> int:
        activation, scale, zero = self._fused()
        output = self._activation_tensor(shape, scale, zero)
        depth = int(np.prod(self._net.tensors[tensor].shape))
        weights = self._factors.weights((channels, depth))
        inputs = self._weighted(tensor, weights, 0, output, False)
        return self._emit(
            "FULLY_CONNECTED",
            inputs,
            output,
            OptionsType.FULLY_CONNECTED,
            {FullyConnectedOption.ACTIVATION: activation},
        )

    # Other operators.

    def _add(self, tensor: int) -> int | None:
        """Add an earlier tensor of the same shape, one that a convolution brings to it, or itself."""
        rng = self._rng
        shape = self._net.tensors[tensor].shape
        others = [
            other for other in self._open if other != tensor and self._net.tensors[other].shape == shape
        ]
        other: int | None = tensor
        if others and rng.random() < 0.7:
            other = int(rng.choice(others))
        elif rng.random() < 0.9:
            other = self._conv(tensor, channels=shape[3], same=True)
        if other is None:
            return None
        activation, scale, zero = self._fused()
        larger = max(self._scale(tensor), self._scale(other))
        if scale is None or scale * 2**18 < larger:
            scale = larger * float(2.0 ** rng.uniform(-2, 3))
        output = self._activation_tensor(shape, scale, zero)
        inputs = (tensor, other) if rng.random() < 0.5 else (other, tensor)
        return self._emit("ADD", inputs, output, OptionsType.ADD, {AddOption.ACTIVATION: activation})

    def _pool(self, tensor: int, kind: str) -> int:
        padding, (rows, columns, down, right, high, wide) = self._window(tensor, 4, largest=7)
        if self._rng.random() < 0.2:
            (rows, columns, channels), padding, high, wide = self._size(tensor), Padding.VALID, 1, 1
        channels = self._size(tensor)[2]
        output = self._activation_tensor((1, high, wide, channels), self._scale(tensor), self._zero(tensor))
        return self._emit(
            kind,
            (tensor,),
            output,
            OptionsType.POOL,
            {
                PoolOption.PADDING: padding,
                PoolOption.STRIDE_H: down,
                PoolOption.STRIDE_W: right,
                PoolOption.KERNEL_H: rows,
                PoolOption.KERNEL_W: columns,
                PoolOption.ACTIVATION: self._fused()[0],
            },
        )

    def _pad(self, tensor: int) -> int | None:
        """Pad, then convolve."""
        rng = self._rng
        rows, columns, channels = self._size(tensor)
        pairs = rng.integers(0, 4, (2, 2))
        shape = (1, rows + int(pairs[0].sum()), columns + int(pairs[1].sum()), channels)
        amounts = np.array([(0, 0), *pairs, (0, 0)], np.int32)
        padded = self._activation_tensor(shape, self._scale(tensor), self._zero(tensor))
        before = len(self._net.operators)
        made = self._conv(padded) if rng.random() < 0.5 else self._depthwise(padded)
        if made is None:
            return None
        spec = OperatorSpec(
            kind="PAD", inputs=(tensor, self._constant(amounts, "int32", ())), outputs=(padded,)
        )
        self._net.operators.insert(before, spec)
        return made

    def _mean(self, tensor: int) -> int:
        channels = self._size(tensor)[2]
        output = self._activation_tensor((1, 1, 1, channels), self._factors.ratio() * self._scale(tensor))
        axes = self._constant(np.array([1, 2], np.int32), "int32", ())
        return self._emit(
            "MEAN", (tensor, axes), output, OptionsType.REDUCER, {ReducerOption.KEEP_DIMENSIONS: True}
        )

    def _quantize(self, tensor: int) -> int:
        shape = self._net.tensors[tensor].shape
        output = self._activation_tensor(shape, self._factors.ratio() * self._scale(tensor))
        return self._emit("QUANTIZE", (tensor,), output)

    def _relu(self, tensor: int) -> int:
        shape = self._net.tensors[tensor].shape
        if self._rng.random() < 0.5:
            output = self._activation_tensor(shape, self._factors.ratio() * self._scale(tensor))
            return self._emit("RELU", (tensor,), output)
        return self._emit(
            "RELU6", (tensor,), self._activation_tensor(shape, self._scale(tensor), self._zero(tensor))
        )

    def _classifier(self, tensor: int) -> int:
        """Reshape to a vector, one or two fully connected layers, often a softmax."""
        rng = self._rng
        values = int(np.prod(self._net.tensors[tensor].shape))
        vector = self._activation_tensor((1, values), self._scale(tensor), self._zero(tensor))
        self._emit("RESHAPE", (tensor,), vector)
        for _ in range(int(rng.integers(1, 3))):
            depth = int(np.prod(self._net.tensors[vector].shape))
            channels = max(1, min(int(rng.integers(1, 48)), self._macs // depth))
            vector = self._fully_connected(vector, channels, (1, channels))
        if rng.random() < 0.6:
            shape = self._net.tensors[vector].shape
            output = self._activation_tensor(shape, 1 / 256, -128)
            beta = float(rng.choice([1.0, 0.5, 2.0]))
            return self._emit("SOFTMAX", (vector,), output, OptionsType.SOFTMAX, {SoftmaxOption.BETA: beta})
        return vector

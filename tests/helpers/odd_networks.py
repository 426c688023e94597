"""Odd but legal networks, written by the schema's own object API rather than by our writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

CODE = schema.BuiltinOperator
OPTIONS = schema.BuiltinOptions


def _made(form, **values):
    made = form()
    for name, value in values.items():
        assert hasattr(made, name), name
        setattr(made, name, value)
    return made


class Builder:
    """A network of one graph that grows; tensors are known by their numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._graph = _made(schema.SubGraphT, tensors=[], operators=[], name="main")
        self._model = _made(
            schema.ModelT, version=3, operatorCodes=[], subgraphs=[self._graph], buffers=[schema.BufferT()]
        )

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self._graph.tensors[tensor].shape)

    def scale(self, tensor: int) -> float:
        return self._graph.tensors[tensor].quantization.scale[0]

    def zero(self, tensor: int) -> int:
        return self._graph.tensors[tensor].quantization.zeroPoint[0]

    def tensor(self, shape, scale=None, zero=0, data=None, dtype=schema.TensorType.INT8, axis=0) -> int:
        made = _made(schema.TensorT, shape=list(shape), type=dtype, name=f"t{len(self._graph.tensors)}")
        if data is not None:
            made.buffer = len(self._model.buffers)
            raw = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self._model.buffers.append(_made(schema.BufferT, data=raw))
        if scale is not None:
            scales = [float(one) for one in np.atleast_1d(scale)]
            made.quantization = _made(
                schema.QuantizationParametersT,
                scale=scales,
                zeroPoint=[int(zero)] * len(scales),
                quantizedDimension=axis,
            )
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def integers(self, values) -> int:
        data = np.array(values, np.int32)
        return self.tensor(data.shape, data=data, dtype=schema.TensorType.INT32)

    def operator(self, kind: str, inputs: Sequence[int], output: int, form: str = "", **options) -> int:
        code = getattr(CODE, kind)
        codes = [each.builtinCode for each in self._model.operatorCodes]
        if code not in codes:
            self._model.operatorCodes.append(
                _made(schema.OperatorCodeT, builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=1)
            )
            codes.append(code)
        made = _made(schema.OperatorT, opcodeIndex=codes.index(code), inputs=list(inputs), outputs=[output])
        if form:
            made.builtinOptionsType = getattr(OPTIONS, form)
            made.builtinOptions = _made(getattr(schema, form + "T"), **options)
        self._graph.operators.append(made)
        return output

    def encode(self, source: int, *outputs: int) -> bytes:
        self._graph.inputs, self._graph.outputs = [source], list(outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    # Operators; each returns its output.

    def _weighted(self, source: int, weights, axis: int, shape, bias: bool, per_channel: bool):
        """Return inputs and output of an operator with random weights."""
        count = weights.shape[axis]
        scales = (2.0 ** self.rng.uniform(-9, -5, count if per_channel else 1)).astype(np.float32)
        inputs = [source, self.tensor(weights.shape, scales, 0, weights, axis=axis if per_channel else 0)]
        if bias:
            values = self.rng.integers(-2000, 2000, count).astype(np.int32)
            of_bias = (scales * np.float32(self.scale(source))).astype(np.float32)
            inputs.append(self.tensor((count,), of_bias, 0, values, schema.TensorType.INT32))
        reach = self.scale(source) * float(scales.mean()) * 60 * (weights.size / count) ** 0.5
        return inputs, self.tensor(shape, reach, self.rng.choice([-128, 127, 5, -60]))

    def _slides(self, source: int, kernel, stride, same: bool, dilation=(1, 1)) -> tuple[int, ...]:
        return tuple(
            -(-(size if same else size - (side - 1) * apart) // step)
            for size, side, step, apart in zip(self.shape(source)[1:3], kernel, stride, dilation, strict=True)
        )

    def conv(self, source, channels, kernel, stride=(1, 1), same=True, *, dilation=(1, 1), groups=1,
             activation=0, bias=True, per_channel=True):  # fmt: skip
        depth = self.shape(source)[3] // groups
        weights = self.rng.integers(-127, 128, (channels, *kernel, depth)).astype(np.int8)
        shape = (1, *self._slides(source, kernel, stride, same, dilation), channels)
        inputs, output = self._weighted(source, weights, 0, shape, bias, per_channel)
        return self.operator(
            "CONV_2D", inputs, output, "Conv2DOptions", padding=0 if same else 1, strideH=stride[0],
            strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1],
            fusedActivationFunction=activation,
        )  # fmt: skip

    def depthwise(self, source, multiplier, kernel, stride=(1, 1), same=True, *, dilation=(1, 1),
                  activation=0, bias=True, per_channel=True):  # fmt: skip
        channels = self.shape(source)[3] * multiplier
        weights = self.rng.integers(-127, 128, (1, *kernel, channels)).astype(np.int8)
        shape = (1, *self._slides(source, kernel, stride, same, dilation), channels)
        inputs, output = self._weighted(source, weights, 3, shape, bias, per_channel)
        return self.operator(
            "DEPTHWISE_CONV_2D", inputs, output, "DepthwiseConv2DOptions", padding=0 if same else 1,
            strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0],
            dilationWFactor=dilation[1], depthMultiplier=multiplier, fusedActivationFunction=activation,
        )  # fmt: skip

    def dense(self, source, channels, *, keep=False, activation=0, bias=True, per_channel=False):
        before = self.shape(source)
        depth = before[-1] if keep else int(np.prod(before))
        weights = self.rng.integers(-127, 128, (channels, depth)).astype(np.int8)
        shape = (*before[:-1], channels) if keep else (1, channels)
        inputs, output = self._weighted(source, weights, 0, shape, bias, per_channel)
        return self.operator(
            "FULLY_CONNECTED", inputs, output, "FullyConnectedOptions", keepNumDims=keep,
            fusedActivationFunction=activation,
        )  # fmt: skip

    def like(self, source, shape) -> int:
        return self.tensor(shape, self.scale(source), self.zero(source))

    def pool(self, kind, source, kernel, stride=(1, 1), same=True, *, activation=0):
        output = self.like(source, (1, *self._slides(source, kernel, stride, same), self.shape(source)[3]))
        return self.operator(
            kind, [source], output, "Pool2DOptions", padding=0 if same else 1, strideH=stride[0],
            strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
            fusedActivationFunction=activation,
        )  # fmt: skip

    def add(self, first, second, activation=0):
        scale = 1.7 * max(self.scale(first), self.scale(second))
        output = self.tensor(self.shape(first), scale, self.rng.choice([-128, 127, 5]))
        return self.operator("ADD", [first, second], output, "AddOptions", fusedActivationFunction=activation)

    def pad(self, source, *pairs):
        before = self.shape(source)
        output = self.like(source, [side + sum(pair) for side, pair in zip(before, pairs, strict=True)])
        return self.operator("PAD", [source, self.integers(pairs)], output, "PadOptions")

    def reshape(self, source, *shape):
        return self.operator("RESHAPE", [source, self.integers(shape)], self.like(source, shape))

    def reduce(self, kind, source, axes, shape, ratio=0.4):
        output = self.tensor(shape, self.scale(source) * ratio, self.zero(source))
        return self.operator(kind, [source, self.integers(axes)], output, "ReducerOptions", keepDims=True)

    def unary(self, kind, source, scale, zero):
        return self.operator(kind, [source], self.tensor(self.shape(source), scale, zero))


def network(make: Callable[[Builder, int], int | list[int]], shape, seed: int, zero: int) -> bytes:
    """Return a network of one input, whose zero point is `zero`."""
    builder = Builder(seed)
    source = builder.tensor(shape, 0.03, zero)
    made = make(builder, source)
    return builder.encode(source, *(made if isinstance(made, list) else [made]))

"""From a .tflite file to a checked network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from rtl.tensor.compiler import pointwise, windowed
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.graph import Graph, Operator, Tensor
from rtl.tensor.compiler.model import Model, RawOperator
from rtl.tensor.compiler.operands import Operands

__all__ = ["SUPPORTED", "read_model"]

_LARGEST_FILE = 1 << 30
_BROKEN = "The file is damaged or no TensorFlow Lite model; convert the network again"

_Check = Callable[[Operands, RawOperator], Operator | None]

_CHECKS: dict[str, _Check] = {
    "ADD": pointwise.add,
    "AVERAGE_POOL_2D": windowed.average_pool,
    "CONV_2D": windowed.conv,
    "DEPTHWISE_CONV_2D": windowed.depthwise,
    "EXPAND_DIMS": pointwise.reshape,
    "FULLY_CONNECTED": pointwise.fully_connected,
    "LOGISTIC": pointwise.logistic,
    "MAX_POOL_2D": windowed.max_pool,
    "MEAN": windowed.mean,
    "PACK": pointwise.shape,
    "PAD": windowed.pad,
    "QUANTIZE": pointwise.quantize,
    "REDUCE_MAX": windowed.reduce_max,
    "RELU": pointwise.relu,
    "RELU6": pointwise.relu6,
    "RESHAPE": pointwise.reshape,
    "SHAPE": pointwise.shape,
    "SOFTMAX": pointwise.softmax,
    "SQUEEZE": pointwise.reshape,
    "STRIDED_SLICE": pointwise.shape,
}

#: Names of the operators that are supported.
SUPPORTED = tuple(_CHECKS)

_REMEDIES = {
    "DEQUANTIZE": "Convert the network with int8 outputs",
}


def read_model(source: str | Path | bytes, name: str | None = None) -> Graph:
    """Read and check a network.

    Parameters
    ----------
    source
        Path of a .tflite file, or all of its bytes.
    name
        What messages call it; by default the path.

    Returns
    -------
    Graph
        Its operators in the order of execution.

    Raises
    ------
    CompileError
        The file cannot be read, is damaged, or holds something that is not
        supported.
    """
    if isinstance(source, bytes):
        name, data = name or "model", source
    else:
        name = name or str(source)
        data = _load(Path(source), name)
    model = Model(name, data)
    graphs: list[Graph] = []
    model.decode(lambda: graphs.append(_read(model)))
    return graphs[0]


def _load(path: Path, name: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise CompileError(name, "", "not a file", "Name a .tflite file")
        if path.stat().st_size > _LARGEST_FILE:
            raise CompileError(name, "", "larger than 1 GiB", "Only smaller models are read")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, CompileError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CompileError(name, "", f"cannot be read: {reason}", "Check the path") from None


def _read(model: Model) -> Graph:
    operands = Operands(model=model)
    source = _input(model, operands)
    operators: list[Operator] = []
    if not model.operator_count:
        model.fail("", "the model has no operators", "There is nothing to compile")
    for index in range(model.operator_count):
        raw = model.read_operator(index)
        if raw.kind not in _CHECKS:
            model.refuse(
                f"{raw.kind} is not supported",
                _REMEDIES.get(raw.kind, f"Supported are {', '.join(SUPPORTED)}"),
            )
        operator = _CHECKS[raw.kind](operands, raw)
        if operator is not None:
            operators.append(operator)
            operands.computed[operator.output] = model.tensor(operator.output, "its output")
    model.operator = None
    return Graph(
        name=model.name,
        tensors=MappingProxyType(dict(operands.computed)),
        operators=tuple(operators),
        input=source.id,
        outputs=_outputs(model, operands),
    )


def _input(model: Model, operands: Operands) -> Tensor:
    if len(model.inputs) != 1:
        model.fail(
            "", f"the model has {len(model.inputs)} inputs", "Only networks of one input are supported"
        )
    source = operands.activation(model.inputs[0], "the input")
    operands.computed[source.id] = source
    return source


def _outputs(model: Model, operands: Operands) -> tuple[int, ...]:
    if not model.outputs:
        model.fail("", "the model has no outputs", _BROKEN)
    for number in model.outputs:
        tensor = operands.activation(number, "the output")
        if number in operands.padded:
            model.fail(
                "", f"the output '{tensor.name}' comes from PAD", "PAD is supported only before convolutions"
            )
        if number not in operands.computed:
            model.fail("", f"the output '{tensor.name}' is never computed", _BROKEN)
    return model.outputs

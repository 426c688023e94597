"""TensorFlow Lite Micro's interpreter: the reference that networks are compared with."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interpreter", "available"]

_ARENA_BYTES = 1 << 24


def available() -> bool:
    """Return whether the interpreter is installed: it has wheels for x86-64 Linux only."""
    return importlib.util.find_spec("tflite_micro") is not None


class Interpreter:
    """One network, of which all tensors are kept.

    Parameters
    ----------
    data
        The .tflite file.

    Raises
    ------
    RuntimeError
        The interpreter refuses the network.
    """

    def __init__(self, data: bytes) -> None:
        from tflite_micro import runtime  # noqa: PLC0415 - not on every machine

        self._interpreter = runtime.Interpreter.from_bytes(
            data,
            arena_size=_ARENA_BYTES + 4 * len(data),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
        self._shape = tuple(self._interpreter.get_input_details(0)["shape"])

    def run(self, values: NDArray[Any], tensors: Iterable[int]) -> dict[int, NDArray[np.int8]]:
        """Run one inference.

        Parameters
        ----------
        values
            The input, int8.
        tensors
            Numbers of the tensors to return.
        """
        self._interpreter.set_input(np.ascontiguousarray(values.reshape(self._shape)), 0)
        self._interpreter.invoke()
        return {
            number: np.array(self._interpreter.GetTensor(number, 0)["tensor_data"], np.int8)
            for number in tensors
        }

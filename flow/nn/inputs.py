"""Inputs of a network from files."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.model.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Inputs", "read_inputs"]

_LARGEST = 1 << 28
_REMEDY = "Give int8 values: .npy, .npz with an array `input`, or bytes"


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Inputs of a network.

    Attributes
    ----------
    values
        int8, ``(inputs, ...)``.
    names
        What each is called.
    outputs
        Outputs that are expected, ``(inputs, ...)``, if the file has them.
    """

    values: NDArray[np.int8]
    names: tuple[str, ...]
    outputs: NDArray[np.int8] | None = None


def read_inputs(path: Path, shape: tuple[int, ...]) -> Inputs:
    """Read the inputs of a network.

    Parameters
    ----------
    path
        ``.npy``; ``.npz`` with an array ``input``, or with one array, and
        perhaps ``output`` and ``names``; any other file is bytes. One input,
        or several one after another.
    shape
        Shape of one, without the batch.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds something else.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"it has more than {_LARGEST >> 20} MiB", path, _REMEDY)
        arrays = _arrays(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, SyntaxError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        first = what.partition("\n")[0] or "damaged"
        raise ConfigError(f"it cannot be read ({first})", path, _REMEDY) from None
    found = arrays.get("input")
    if found is None:
        if len(arrays) != 1:
            raise ConfigError("it has no array `input`", path, _REMEDY)
        (found,) = arrays.values()
    values = _shaped(found, shape, path)
    names = arrays.get("names")
    texts = tuple(map(str, names)) if names is not None and len(names) == len(values) else ()
    outputs = arrays.get("output")
    if outputs is not None and (outputs.ndim == 0 or len(outputs) != len(values)):
        outputs = None
    return Inputs(values, texts or tuple(f"input {i}" for i in range(len(values))), outputs)


def _arrays(path: Path) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415 - heavy, and only needed here

    if path.suffix == ".npy":
        with path.open("rb") as file:
            return {"input": np.load(file, allow_pickle=False)}
    if path.suffix != ".npz":
        return {"input": np.frombuffer(path.read_bytes(), np.int8)}
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > _LARGEST:
            raise ValueError(f"it unpacks to more than {_LARGEST >> 20} MiB")
    with np.load(path, allow_pickle=False) as archive:
        wanted = [name for name in archive.files if name in ("input", "output", "names")]
        return {name: archive[name] for name in wanted or archive.files}


def _shaped(found: NDArray[Any], shape: tuple[int, ...], path: Path) -> NDArray[np.int8]:
    size = prod(shape)
    if found.dtype != "int8":
        raise ConfigError(f"its values are {found.dtype}, not int8", path, _REMEDY)
    if not found.size or found.size % size:
        raise ConfigError(
            f"it has {found.size} values, and an input of shape {shape} has {size}", path, _REMEDY
        )
    return found.reshape(-1, *shape)

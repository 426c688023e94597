"""Bit-exact model of the MAC tile, vectorised over beats, and its ports' packing.

Timing plays no part: the tile's results depend on the order of beats alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtl.tensor.config import TileConfig

__all__ = ["mac_tile", "pack", "pack_activations", "swap_points", "unpack", "wrap"]


def wrap(values: ArrayLike, width: int) -> NDArray[np.int64]:
    """Reduce modulo ``2 ** width`` to two's complement.

    Parameters
    ----------
    values : int64, any shape
        Sums, themselves exact or already modulo ``2 ** 64``.
    width
        Bits of the result, 1 to 64.

    Returns
    -------
    int64, the same shape
        In ``-2 ** (width - 1) .. 2 ** (width - 1) - 1``.
    """
    if not 1 <= width <= 64:
        raise ValueError(f"width must lie in 1..64, not {width}")
    shift = np.uint64(64 - width)
    bits = np.asarray(values, dtype=np.int64).view(np.uint64) << shift
    return bits.view(np.int64) >> np.int64(64 - width)


def swap_points(swap: ArrayLike) -> NDArray[np.bool_]:
    """Return which beats take the next weights: those marked, and the first of all.

    Parameters
    ----------
    swap : bool (beats,)
        The marker, in order of acceptance since reset.
    """
    points = np.array(swap, dtype=bool, ndmin=1)
    if points.size:
        points[0] = True
    return points


def mac_tile(
    activations: ArrayLike,
    weights: ArrayLike,
    *,
    first: ArrayLike,
    last: ArrayLike,
    swap: ArrayLike,
    config: TileConfig | None = None,
) -> NDArray[np.int64]:
    """Compute what the tile puts out for beats accepted since reset.

    The first beat begins a reduction and takes the first weights whatever
    its markers say. A beat after a ``last`` without ``first`` goes on from
    the sum that was put out.

    Parameters
    ----------
    activations : int (beats, rows)
        Activations, zero point removed.
    weights : int (sets, rows, columns)
        Weight sets in the order they were loaded; surplus sets are not used.
    first, last, swap : bool (beats,)
        Markers: begins a reduction, puts the sums out, takes the next
        weights before it computes.
    config
        The tile; the default is 8x8.

    Returns
    -------
    int64 (results, columns)
        One vector for each ``last``, modulo ``2 ** accumulator_width``.

    Raises
    ------
    ValueError
        A shape does not fit the tile, an operand does not fit its width, or
        there are fewer weight sets than the beats take.
    """
    config = config or TileConfig()
    x = np.asarray(activations, dtype=np.int64).reshape(-1, config.rows)
    w = np.asarray(weights, dtype=np.int64).reshape(-1, config.rows, config.columns)
    _check_range("activations", x, config.activation_width)
    _check_range("weights", w, config.weight_width)
    markers = [np.array(marker, dtype=bool, ndmin=1) for marker in (first, last, swap)]
    for name, marker in zip(("first", "last", "swap"), markers, strict=True):
        if marker.shape != (len(x),):
            raise ValueError(f"{name} must have shape ({len(x)},), not {marker.shape}")
    begins, ends, _ = markers
    if not len(x):
        return np.zeros((0, config.columns), dtype=np.int64)

    used = np.cumsum(swap_points(swap)) - 1
    if used[-1] >= len(w):
        raise ValueError(f"weights must hold at least {used[-1] + 1} sets for these beats, not {len(w)}")
    sums = np.empty((len(x), config.columns), dtype=np.int64)
    for number in range(used[-1] + 1):
        beats = used == number
        sums[beats] = x[beats] @ w[number]

    # A running total less the total before the reduction began; int64 wraps
    # modulo 2**64, so the difference is exact modulo any smaller power of two.
    begins[0] = True
    total = np.cumsum(sums, axis=0)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(x)), 0))
    return wrap((total - (total - sums)[start])[ends], config.accumulator_width)


def pack(values: Iterable[int], width: int) -> int:
    """Join signed elements to one port value, the first in the lowest bits.

    Parameters
    ----------
    values : int (elements,)
        Each fits `width` bits.
    width
        Bits of an element.
    """
    mask = (1 << width) - 1
    word = 0
    for position, value in enumerate(values):
        word |= (int(value) & mask) << (position * width)
    return word


def unpack(word: int, width: int, count: int) -> list[int]:
    """Split a port value into signed elements; undoes :func:`pack`."""
    mask, sign = (1 << width) - 1, 1 << (width - 1)
    return [(((word >> (n * width)) & mask) ^ sign) - sign for n in range(count)]


def pack_activations(lanes: Sequence[int], *, first: bool, last: bool, swap: bool, config: TileConfig) -> int:
    """Return the payload of one activation beat.

    Parameters
    ----------
    lanes : int (rows,)
        Activations.
    first, last, swap
        Markers.
    config
        The tile.
    """
    markers = bool(first) | bool(last) << 1 | bool(swap) << 2
    return pack(lanes, config.activation_width) | markers << (config.rows * config.activation_width)


def _check_range(name: str, values: NDArray[np.int64], width: int) -> None:
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    if values.size and (values.min() < low or values.max() > high):
        raise ValueError(
            f"{name} must lie in {low}..{high} ({width} bits), not {values.min()}..{values.max()}"
        )

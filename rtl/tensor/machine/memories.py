"""Memories of an accelerator, as NumPy arrays."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import Base
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Memories"]


@dataclass(slots=True)
class Memories:
    """What commands read and write.

    Attributes
    ----------
    activation
        int8, ``(activation_words, array)``.
    weight
        int8, ``(weight_words, 2 * array)``.
    sums
        Partial sums: int32, ``(psum_words, array)``; pixel by pixel of the
        rectangle that a command kept.
    external
        Memory from each base register on: uint8, one dimension.
    """

    activation: np.ndarray
    weight: np.ndarray
    sums: np.ndarray
    external: dict[Base, np.ndarray]

    @classmethod
    def create(
        cls,
        config: AcceleratorConfig,
        external: Mapping[Base, bytes | bytearray | np.ndarray] | None = None,
        *,
        seed: int | None = None,
    ) -> Memories:
        """Return memories of a configuration.

        Parameters
        ----------
        config
            Sizes.
        external
            Contents from each base on; they are copied.
        seed
            Of what the memories on chip hold at first, as after power-up;
            zeros when ``None``.
        """
        shapes = (
            (np.int8, (config.activation_words, config.activation_word)),
            (np.int8, (config.weight_words, config.weight_word)),
            (np.int32, (config.psum_words, config.array)),
        )
        if seed is None:
            made = [np.zeros(shape, kind) for kind, shape in shapes]
        else:
            random = np.random.default_rng(seed)
            made = [
                random.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape, dtype=kind)
                for kind, shape in shapes
            ]
        regions = {
            base: np.frombuffer(bytes(content), np.uint8).copy() for base, content in (external or {}).items()
        }
        return cls(made[0], made[1], made[2], regions)

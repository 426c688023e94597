"""What lowering makes: commands whose addresses are not decided yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rtl.tensor.accelerator.commands import Command
from rtl.tensor.compiler.graph import Operator
from rtl.tensor.compiler.layout import Layout

__all__ = ["MOST_COMMANDS", "Buffer", "Item", "Layer", "Stored", "Tile", "TooManyCommandsError"]

_NOWHERE: Mapping[str, Buffer] = MappingProxyType({})

#: Commands of an operator: more would take longer to plan than anyone waits.
MOST_COMMANDS = 1 << 12


class TooManyCommandsError(Exception):
    """An operator would take more than :data:`MOST_COMMANDS`.

    Attributes
    ----------
    count
        How many.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


@dataclass(slots=True, eq=False)
class Buffer:
    """Words of the activation memory that belong together.

    Attributes
    ----------
    name
        What is in them.
    words
        How many.
    bank
        Bank in which it begins: so that reads and writes of a command that go
        along rows side by side meet in few cycles.
    address
        First word, once it is allocated.
    """

    name: str
    words: int
    bank: int = 0
    address: int = -1


@dataclass(slots=True, eq=False)
class Tile:
    """Weights that are loaded together.

    Attributes
    ----------
    image
        Their bytes, whole words of the weight memory.
    offset
        Where they are among the constants, once that is decided.
    """

    image: bytes
    offset: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A row of the plan: an operator that the accelerator executes.

    Attributes
    ----------
    tag
        What its commands bear.
    operator
        The operator.
    macs
        Multiplications that its definition needs, padding counted.
    array_cycles
        Cycles that its operations need on the array, nothing else counted.
    weight_bytes
        Bytes of its constants.
    """

    tag: int
    operator: Operator
    macs: int
    array_cycles: int
    weight_bytes: int

    @property
    def name(self) -> str:
        """Such as ``3 CONV_2D``."""
        return f"{self.operator.index} {self.operator.kind}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor on chip: where, and how."""

    buffer: Buffer
    layout: Layout


@dataclass(slots=True, eq=False)
class Item:
    """A command, in the order of a machine that does one at a time.

    Attributes
    ----------
    command
        Its addresses count from the buffers, weights from the tile.
    places
        Buffers by the names of address fields.
    tile
        What must be in the weight memory.
    """

    command: Command
    places: Mapping[str, Buffer] = field(default_factory=lambda: _NOWHERE)
    tile: Tile | None = None

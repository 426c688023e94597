"""Commands of the accelerator: their fields, and their encoding. Imports no library.

A program is a sequence of commands in external memory. Each begins with a
header word (opcode, length, tag) and, but for ``End``, two words that say what
must be done before it starts. The hardware, the compiler and the functional
model all take fields from here.

All words are 32 bits, little-endian; a command is a multiple of 8 bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

__all__ = [
    "COMMANDS",
    "Base",
    "Command",
    "CommandError",
    "Compute",
    "End",
    "Engine",
    "Field",
    "Load",
    "Memory",
    "Operation",
    "Pack",
    "Store",
    "Transfer",
    "assemble",
    "disassemble",
]


class Engine(enum.IntEnum):
    """What executes commands, each its own in order, all at the same time."""

    LOAD = 0
    PACK = 1
    COMPUTE = 2
    STORE = 3


class Memory(enum.IntEnum):
    """On-chip memories that a transfer reaches."""

    ACTIVATION = 0
    WEIGHT = 1


class Base(enum.IntEnum):
    """What an external address counts from: a base register each."""

    PROGRAM = 0  # constants, beside the commands
    INPUT = 1
    OUTPUT = 2
    SCRATCH = 3


class Operation(enum.IntEnum):
    """What a compute command does."""

    CONV = 0  # convolution, and fully connected layers
    DEPTHWISE = 1  # depthwise convolution of at most 3 rows x 4 columns, strides 1 and 2
    CHANNEL = 2  # depthwise convolution of any kernel, one tap at a time
    SUM = 3  # sums over windows, for average pooling
    MAX = 4  # maxima over windows
    ADD = 5  # sum of two tensors


class CommandError(ValueError):
    """A command does not exist, or a field does not fit."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field lies in a command: word, lowest bit, bits, and whether it has a sign."""

    name: str
    word: int
    low: int
    width: int
    signed: bool = False

    @property
    def minimum(self) -> int:
        """Smallest value."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Largest value."""
        return (1 << (self.width - self.signed)) - 1

    def insert(self, words: list[int], value: int) -> None:
        """Put `value` into its bits of `words`.

        Raises
        ------
        CommandError
            It does not fit.
        """
        if not self.minimum <= value <= self.maximum:
            raise CommandError(f"{self.name} must lie in {self.minimum}..{self.maximum}, not {value}")
        words[self.word] |= (value & ((1 << self.width) - 1)) << self.low

    def extract(self, words: list[int]) -> int:
        """Return its value in `words`."""
        value = words[self.word] >> self.low & ((1 << self.width) - 1)
        return value - (1 << self.width) if self.signed and value >> (self.width - 1) else value


#: Header, in every command.
HEADER = (Field("opcode", 0, 0, 8), Field("length", 0, 8, 8), Field("tag", 0, 16, 16))

#: Commands of each engine that must be done, counted from the program's start modulo 2**16.
WAITS = (
    Field("wait_load", 1, 0, 16),
    Field("wait_pack", 1, 16, 16),
    Field("wait_compute", 2, 0, 16),
    Field("wait_store", 2, 16, 16),
)

_C = TypeVar("_C", bound="Command")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of any kind.

    Attributes
    ----------
    tag
        Number that comes back in events and in the error register, 0 to 65535.
    """

    OPCODE: ClassVar[int]
    WORDS: ClassVar[int]
    LAYOUT: ClassVar[tuple[Field, ...]]

    tag: int = 0

    def encode(self) -> list[int]:
        """Return its words.

        Raises
        ------
        CommandError
            A field does not fit.
        """
        words = [0] * self.WORDS
        words[0] = self.OPCODE | self.WORDS // 2 << 8
        HEADER[2].insert(words, self.tag)
        for field in self.LAYOUT:
            field.insert(words, int(getattr(self, field.name)))
        return words

    @classmethod
    def decode(cls: type[_C], words: list[int]) -> _C:
        """Return the command that `words` encode.

        Raises
        ------
        CommandError
            They are too few, of another kind, or a field holds what it must not.
        """
        if len(words) < cls.WORDS or words[0] & 0xFFFF != cls.OPCODE | cls.WORDS // 2 << 8:
            raise CommandError(f"not a command of kind {cls.__name__}")
        values: dict[str, Any] = {"tag": HEADER[2].extract(words)}
        values |= {field.name: field.extract(words) for field in cls.LAYOUT}
        for name, kind in (("operation", Operation), ("memory", Memory), ("base", Base)):
            if name in values:
                try:
                    values[name] = kind(values[name])
                except ValueError:
                    raise CommandError(f"{cls.__name__}: no {name} has number {values[name]}") from None
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class End(Command):
    """End of the program: when every engine is idle, the program is done."""

    OPCODE: ClassVar[int] = 0
    WORDS: ClassVar[int] = 2
    LAYOUT: ClassVar[tuple[Field, ...]] = ()


@dataclass(frozen=True, kw_only=True)
class _Waiting(Command):
    """A command of an engine, which starts when enough others are done.

    Attributes
    ----------
    wait_load, wait_pack, wait_compute, wait_store
        How many commands of each engine must be done, modulo 2**16, by a
        comparison that wraps: ``(done - wait) % 2**16 < 2**15``.
    """

    wait_load: int = 0
    wait_pack: int = 0
    wait_compute: int = 0
    wait_store: int = 0


@dataclass(frozen=True, kw_only=True)
class Transfer(_Waiting):
    """Rows between external memory and one on chip.

    Attributes
    ----------
    offset
        Bytes from the base register to the first row; a multiple of the bus.
    base
        Base register.
    memory, address
        On-chip memory, and the word in it.
    row_bytes
        Bytes of a row; a multiple of the bus and of a word of the memory.
    rows
        Rows, at least 1.
    stride
        Bytes from a row to the next in external memory; a multiple of the bus.
    pitch
        Words from a row to the next on chip.
    """

    WORDS: ClassVar[int] = 8
    LAYOUT: ClassVar[tuple[Field, ...]] = (
        *WAITS,
        Field("offset", 3, 0, 32),
        Field("address", 4, 0, 20),
        Field("memory", 4, 20, 1),
        Field("base", 4, 24, 2),
        Field("row_bytes", 5, 0, 16),
        Field("rows", 5, 16, 16),
        Field("stride", 6, 0, 32),
        Field("pitch", 7, 0, 16),
    )

    offset: int
    base: Base = Base.PROGRAM
    memory: Memory = Memory.WEIGHT
    address: int
    row_bytes: int
    rows: int = 1
    stride: int = 0
    pitch: int = 0


@dataclass(frozen=True, kw_only=True)
class Load(Transfer):
    """From external memory."""

    OPCODE: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True)
class Store(Transfer):
    """To external memory, from the activation memory."""

    OPCODE: ClassVar[int] = 2


@dataclass(frozen=True, kw_only=True)
class Pack(_Waiting):
    """Unfold a tensor of dense pixels (NHWC) into words of ``array`` bytes.

    For each output position, row by row, the bytes under the kernel, row
    after row of it, make one string; it is cut into words, the last filled
    with `fill`. Word ``g`` of position (x, y) goes to
    ``target + g * target_group + y * target_row + x * target_column``. A
    convolution of few input channels becomes one of 1 x 1 with full lanes; a
    kernel of 1 x 1 turns dense pixels into the layout of all other tensors.

    Attributes
    ----------
    source
        Word of the activation memory where the dense tensor begins.
    row_bytes, in_rows
        Bytes of one of its rows (width times channels), and rows.
    segment_bytes
        Bytes of a kernel's row: its width times channels.
    step_bytes
        Bytes from a position to the next in a row: stride times channels.
    first_byte
        Byte of the row under the kernel at column 0: minus left padding times channels.
    first_row
        Row under the kernel at row 0: negative where there is padding.
    row_step
        Input rows from an output row to the next: the vertical stride.
    kernel_rows
        Rows of the kernel.
    fill
        Byte that stands where the tensor is not, -128 to 127: its zero point.
    columns, rows
        Output positions.
    target, target_column, target_row, target_group
        Word of the activation memory of position (0, 0), and distances in words.
    """

    OPCODE: ClassVar[int] = 3
    WORDS: ClassVar[int] = 12
    LAYOUT: ClassVar[tuple[Field, ...]] = (
        *WAITS,
        Field("source", 3, 0, 20),
        Field("row_bytes", 4, 0, 16),
        Field("in_rows", 4, 16, 16),
        Field("segment_bytes", 5, 0, 16),
        Field("step_bytes", 5, 16, 16),
        Field("first_byte", 6, 0, 16, signed=True),
        Field("first_row", 6, 16, 16, signed=True),
        Field("row_step", 7, 0, 8),
        Field("kernel_rows", 7, 8, 8),
        Field("fill", 7, 16, 8, signed=True),
        Field("columns", 8, 0, 16),
        Field("rows", 8, 16, 16),
        Field("target", 9, 0, 20),
        Field("target_column", 10, 0, 16),
        Field("target_row", 10, 16, 16),
        Field("target_group", 11, 0, 20),
    )

    source: int
    row_bytes: int
    in_rows: int
    segment_bytes: int
    step_bytes: int
    first_byte: int = 0
    first_row: int = 0
    row_step: int = 1
    kernel_rows: int = 1
    fill: int = 0
    columns: int
    rows: int
    target: int
    target_column: int = 1
    target_row: int
    target_group: int


@dataclass(frozen=True, kw_only=True)
class Compute(_Waiting):
    """Compute a rectangle of an output tensor, or of some of its channels.

    Tensors are stored as ``[group][y][x]``, one word of ``array`` channels
    each. The channels of the last group that do not exist hold anything;
    their weights are 0.

    Attributes
    ----------
    operation
        What to do.
    per_tensor
        Multiplier and shifts are the command's; the weights bring only biases.
    accumulate
        Begin from the partial sums that are there, not from the bias.
    keep
        Leave partial sums, and write nothing. With either flag the rectangle
        has at most ``psum_words`` pixels, and `groups` is 1.
    divide
        Average: ``sign(sum) * floor((abs(sum) + half) * multiplier / 2**(31 + right))``.
    stride_x, stride_y
        Input pixels from an output pixel to the next: 1 to 255; 1 or 2 of ``DEPTHWISE``.
    source, source_group
        Word of input pixel (0, 0) of the first group, and words from a group to the next.
    in_groups
        Groups of input channels that ``CONV`` reduces, at least 1.
    in_columns, in_rows
        Size of the input; what lies outside counts as the zero point
        (nothing at all of ``MAX``).
    kernel_columns, kernel_rows
        Size of the kernel, 1 to 255.
    first_column, first_row
        Input pixel under the kernel's first tap at output (0, 0); negative
        where there is padding.
    columns, rows
        Output pixels of the rectangle, at least 1.
    target, target_row, target_group
        Word of its first pixel, and words from a row and a group to the next.
    groups
        Groups of output channels, one after another; of all operations but
        ``CONV`` input and output have the same.
    weights
        Word of the weight memory where the first group's begin.
    source_b
        ``ADD``: word of the second tensor.
    zero, zero_b, zero_out
        Zero points of input, second input and output, -128 to 127.
    minimum, maximum
        Clamp of the output, -128 to 127.
    multiplier, right, left
        Per tensor: multiplier of 31 bits, and shifts to the right 0..31 and, before,
        to the left 0..7. Of ``ADD``, those of the sum.
    half
        ``divide``: half of the divisor, added before.
    multiplier_a, right_a, multiplier_b, right_b
        ``ADD``: of the operands.

    ``ADD`` takes ``groups * rows * columns`` words that lie one after another
    in each of the three tensors.
    """

    OPCODE: ClassVar[int] = 4
    WORDS: ClassVar[int] = 20
    LAYOUT: ClassVar[tuple[Field, ...]] = (
        *WAITS,
        Field("operation", 3, 0, 4),
        Field("per_tensor", 3, 4, 1),
        Field("accumulate", 3, 5, 1),
        Field("keep", 3, 6, 1),
        Field("divide", 3, 7, 1),
        Field("stride_x", 3, 8, 8),
        Field("stride_y", 3, 16, 8),
        Field("source", 4, 0, 20),
        Field("in_groups", 4, 20, 12),
        Field("in_columns", 5, 0, 16),
        Field("in_rows", 5, 16, 16),
        Field("source_group", 6, 0, 20),
        Field("groups", 6, 20, 12),
        Field("kernel_columns", 7, 0, 8),
        Field("kernel_rows", 7, 8, 8),
        Field("first_column", 8, 0, 16, signed=True),
        Field("first_row", 8, 16, 16, signed=True),
        Field("columns", 9, 0, 16),
        Field("rows", 9, 16, 16),
        Field("target", 10, 0, 20),
        Field("target_row", 11, 0, 16),
        Field("half", 11, 16, 16),
        Field("target_group", 12, 0, 20),
        Field("weights", 13, 0, 20),
        Field("zero", 14, 0, 8, signed=True),
        Field("zero_b", 14, 8, 8, signed=True),
        Field("zero_out", 14, 16, 8, signed=True),
        Field("minimum", 15, 0, 8, signed=True),
        Field("maximum", 15, 8, 8, signed=True),
        Field("right", 15, 16, 5),
        Field("left", 15, 21, 3),
        Field("multiplier", 16, 0, 32),
        Field("multiplier_a", 17, 0, 32),
        Field("multiplier_b", 18, 0, 32),
        Field("right_a", 19, 0, 5),
        Field("right_b", 19, 8, 5),
        Field("source_b", 13, 0, 20),
    )

    operation: Operation
    per_tensor: bool = False
    accumulate: bool = False
    keep: bool = False
    divide: bool = False
    stride_x: int = 1
    stride_y: int = 1
    source: int
    in_groups: int = 1
    in_columns: int
    in_rows: int
    source_group: int = 0
    groups: int = 1
    kernel_columns: int = 1
    kernel_rows: int = 1
    first_column: int = 0
    first_row: int = 0
    columns: int
    rows: int
    target: int
    target_row: int = 0
    half: int = 0
    target_group: int = 0
    weights: int = 0
    zero: int = 0
    zero_b: int = 0
    zero_out: int = 0
    minimum: int = -128
    maximum: int = 127
    right: int = 0
    left: int = 0
    multiplier: int = 0
    multiplier_a: int = 0
    multiplier_b: int = 0
    right_a: int = 0
    right_b: int = 0
    source_b: int = 0

    def encode(self) -> list[int]:
        """Return its words; `weights` and `source_b` share one.

        Raises
        ------
        CommandError
            A field does not fit, or both `weights` and `source_b` are given.
        """
        if self.weights and self.source_b:
            raise CommandError("weights and source_b exclude each other")
        return super().encode()

    @classmethod
    def decode(cls, words: list[int]) -> Compute:
        """Return the command that `words` encode.

        Raises
        ------
        CommandError
            They are too few, of another kind, or a field holds what it must not.
        """
        command = super().decode(words)
        unused = "weights" if command.operation is Operation.ADD else "source_b"
        values = {item.name: getattr(command, item.name) for item in fields(command)}
        return cls(**(values | {unused: 0}))


#: Commands by opcode.
COMMANDS: dict[int, type[Command]] = {kind.OPCODE: kind for kind in (End, Load, Store, Pack, Compute)}


def assemble(commands: list[Command]) -> bytes:
    """Return the program of `commands`.

    Raises
    ------
    CommandError
        A field does not fit; the command is named by its place.
    """
    program = bytearray()
    for place, command in enumerate(commands):
        try:
            words = command.encode()
        except CommandError as error:
            raise CommandError(f"command {place}, {type(command).__name__}: {error}") from None
        for word in words:
            program += word.to_bytes(4, "little")
    return bytes(program)


def disassemble(program: bytes) -> Iterator[Command]:
    """Yield the commands of `program`, up to the first ``End``.

    Raises
    ------
    CommandError
        It holds no command where one must be, or ends before ``End``.
    """
    words = [int.from_bytes(program[i : i + 4], "little") for i in range(0, len(program) - 3, 4)]
    place = 0
    while place < len(words):
        kind = COMMANDS.get(words[place] & 0xFF)
        if kind is None:
            raise CommandError(f"byte {4 * place}: no command has opcode {words[place] & 0xFF}")
        try:
            command = kind.decode(words[place : place + kind.WORDS])
        except CommandError as error:
            raise CommandError(f"byte {4 * place}: {error}") from None
        yield command
        if isinstance(command, End):
            return
        place += kind.WORDS
    raise CommandError("the program ends without End")

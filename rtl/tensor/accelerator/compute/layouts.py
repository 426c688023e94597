"""What the stages of the compute engine hand on: slots, tokens, and widths that follow from the shape."""

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.commands import Compute
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import command_layout

__all__ = [
    "COMMAND",
    "RING_SLOTS",
    "SUM_DISTANCE",
    "TILE_WIDTH",
    "WORDS",
    "activation_address",
    "field",
    "result_layout",
    "slot_layout",
    "token_layout",
    "weight_address",
    "window_words",
]

#: Words of the activation memory that a slot fetches at most.
WORDS = 4
#: Places for the weights of four lanes each, in front of the multipliers.
RING_SLOTS = 4
#: Cycles from a slot to the next that reads the sum which it writes, at least.
SUM_DISTANCE = 5
#: Bits of what a slot adds to a sum: 16 lanes of 16 bits, or 3 rows of 4 taps.
TILE_WIDTH = 20

#: A compute command, as its port has it.
COMMAND = command_layout(Compute)


def field(name: str) -> Shape:
    """Return the shape of a field of a compute command."""
    return Shape.cast(COMMAND[name].shape)


def activation_address(config: AcceleratorConfig) -> int:
    """Return the bits of a word's address in the activation memory."""
    return ceil_log2(config.activation_words)


def weight_address(config: AcceleratorConfig) -> int:
    """Return the bits of a word's address in the weight memory."""
    return ceil_log2(config.weight_words)


def window_words(config: AcceleratorConfig) -> int:
    """Return how many words the taps of neighbouring pixels reach over: 4 taps, strides up to 2."""
    return 4 + 2 * (config.depthwise_pixels - 1)


def token_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return what goes with operands through the array to the partial sums.

    Members
    -------
    command, bias, scales
        First of its command, so that what holds for all of it is taken over;
        first of its output group, whose biases, multipliers and shifts come.
    chain, memory
        The sum begins with the sum before; with the partial sum in memory;
        without either, with the bias.
    write
        The sum goes to the partial sums.
    read_place, write_place
        Where it is in memory, and where it goes.
    result, void, end
        The sum is a result; rather than one, only the end of a command; the
        last of its command.
    second, add
        Of ``ADD``: second operand; either.
    maximum, skip
        Largest value instead of the sum; this one does not count.
    row_first, complete, pixels
        Depthwise: first kernel row; last one; pixels that are then complete.
    """
    return data.StructLayout(
        {
            "command": 1,
            "bias": 1,
            "scales": 1,
            "chain": 1,
            "memory": 1,
            "write": 1,
            "read_place": ceil_log2(config.psum_words),
            "write_place": ceil_log2(config.psum_words),
            "result": 1,
            "void": 1,
            "end": 1,
            "second": 1,
            "add": 1,
            "maximum": 1,
            "skip": 1,
            "depthwise": 1,
            "row_first": 1,
            "complete": 1,
            "pixels": range(config.depthwise_pixels + 1),
        }
    )


def slot_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return a slot: what is fetched in a cycle, and what becomes of it.

    Members
    -------
    begin
        First slot of its command.
    request, address, count
        Words of the activation memory; none when no word under the kernel exists.
    words
        Which of them exist; the others count as the zero point.
    zero
        Zero point.
    place, shift, rows
        Depthwise: where in the window the words go, whether it moves on by a
        step before, and rows of the kernel.
    near, distance
        Among the first pixels of a block: for so many cycles after this slot
        the sum of the block's first pixel must not be read.
    compute
        Operands are complete: the array takes them.
    start, resume
        First pixel with its weights; of a command that goes on with kept sums.
    need, free
        The weights must have come; they are not needed again.
    load, ones, ring
        New weights for the array: from place `ring`; or 1 in the first lane.
    broadcast, wide
        Lanes are input channels, rather than taps; the taps of neighbouring
        pixels are two words apart.
    results
        Results that the slot leads to.
    token
        For the stages behind the array.
    """
    return data.StructLayout(
        {
            "begin": 1,
            "request": 1,
            "address": activation_address(config),
            "count": range(WORDS + 1),
            "words": WORDS,
            "zero": signed(8),
            "place": range(window_words(config) + 1),
            "shift": 1,
            "rows": 2,
            "compute": 1,
            "start": 1,
            "resume": 1,
            "near": 1,
            "distance": range(SUM_DISTANCE),
            "need": 1,
            "free": 1,
            "load": 1,
            "ones": 1,
            "ring": ceil_log2(RING_SLOTS),
            "broadcast": 1,
            "wide": 1,
            "results": range(config.depthwise_pixels + 1),
            "token": token_layout(config),
        }
    )


def result_layout(config: AcceleratorConfig) -> data.StructLayout:
    """Return what is written: a word of results, or only (`void`) the end of a command."""
    return data.StructLayout({"data": unsigned(8 * config.array), "void": 1, "end": 1})

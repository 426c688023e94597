"""What joins the engines of the accelerator to its memories and its sequencer."""

import enum

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Command, Engine

__all__ = ["CommandPort", "ErrorCode", "Events", "ReadPort", "WritePort", "command_layout"]


class ErrorCode(enum.IntEnum):
    """What stopped a program, as the status register shows it; 0 is nothing."""

    COMMAND = 1
    FIELD = 2
    ADDRESS = 3
    BUS = 4
    DEADLOCK = 5
    CONFIG = 6


class ReadPort(wiring.Signature):
    """Words of a memory that lie one after another, seen from the engine that reads.

    Parameters
    ----------
    word
        Bytes of a word.
    words
        Most words that a request brings.
    address_width
        Bits of a word's address.

    Members
    -------
    valid, ready : Out(1), In(1)
        A request, and whether its banks are granted in this cycle.
    address : Out(address_width)
        First word.
    count : Out
        How many words, 1 to `words`; not there for a port of one word.
    data : In, array of `words` words
        The words, in the cycle after the grant; word ``i`` at place ``i``.
    """

    def __init__(self, *, word: int, words: int, address_width: int) -> None:
        members = {
            "valid": Out(1),
            "ready": In(1),
            "address": Out(address_width),
            "data": In(data.ArrayLayout(unsigned(8 * word), words)),
        }
        if words > 1:
            members["count"] = Out(range(words + 1))
        super().__init__(members)


class WritePort(wiring.Signature):
    """Words of a memory that lie one after another, seen from the engine that writes.

    Parameters
    ----------
    word, words, address_width
        As of a :class:`ReadPort`.

    Members
    -------
    valid, ready : Out(1), In(1)
        A request, and whether it is written in this cycle.
    address, count : Out
        As of a :class:`ReadPort`.
    data : Out, array of `words` words
        What to write.
    """

    def __init__(self, *, word: int, words: int, address_width: int) -> None:
        members = {
            "valid": Out(1),
            "ready": In(1),
            "address": Out(address_width),
            "data": Out(data.ArrayLayout(unsigned(8 * word), words)),
        }
        if words > 1:
            members["count"] = Out(range(words + 1))
        super().__init__(members)


def command_layout(kind: type[Command]) -> data.FlexibleLayout:
    """Return where the fields of a command lie in its bits, the header's tag among them."""
    fields = {"tag": data.Field(unsigned(16), 16)}
    for item in kind.LAYOUT:
        shape = signed(item.width) if item.signed else unsigned(item.width)
        fields[item.name] = data.Field(shape, 32 * item.word + item.low)
    return data.FlexibleLayout(32 * kind.WORDS, fields)


class CommandPort(wiring.Signature):
    """Commands that may start, seen from the sequencer; what they wait for is done.

    Parameters
    ----------
    kind
        Class of the commands.

    Members
    -------
    valid, ready : Out(1), In(1)
        A command, and whether the engine takes it; it may take the next while
        one is under way.
    payload : Out, ``command_layout(kind)``
        The command.
    started, done : In(1)
        Pulses: the command has asked for its first operand; everything of it
        is written. Once each for a command, in order.
    started_tag, done_tag : In(16)
        Tag of that command.
    error : In(4)
        0, or the code of the fault of the command `error_tag`; held until reset.
    error_tag : In(16)
        Its tag.
    """

    def __init__(self, *, kind: type[Command]) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "ready": In(1),
                "payload": Out(command_layout(kind)),
                "started": In(1),
                "started_tag": In(16),
                "done": In(1),
                "done_tag": In(16),
                "error": In(4),
                "error_tag": In(16),
            }
        )


class Events(wiring.Signature):
    """When commands start and are done, one event of each engine a cycle at most.

    Members
    -------
    started, done : Out(4)
        A bit for each of :class:`Engine`.
    started_tag, done_tag : Out, array of 4 tags
        Their tags.
    """

    def __init__(self) -> None:
        tags = data.ArrayLayout(unsigned(16), len(Engine))
        super().__init__(
            {
                "started": Out(len(Engine)),
                "done": Out(len(Engine)),
                "started_tag": Out(tags),
                "done_tag": Out(tags),
            }
        )

"""The states of the nano pipeline."""

from amaranth.hdl import unsigned
from amaranth.lib import enum

__all__ = ["State"]


class State(enum.Enum, shape=unsigned(4)):
    """What the pipeline is at."""

    FETCH = 0  #: the request of an instruction waits for its grant
    WAIT = 1  #: the instruction comes, and reads its first register
    READ = 2  #: a register file in memory delivers the first register
    EXECUTE = 3  #: the second register is read, and the result written
    BRANCH = 4  #: a branch has been compared, and adds its offset
    REQUEST = 5  #: a load or store waits for its grant
    RESPONSE = 6  #: a load or store waits for its response
    OFFER = 7  #: a custom instruction is offered to its unit
    ANSWER = 8  #: the custom unit works
    HALTED = 9  #: debug mode, for an instruction to be injected

"""The register bus of a debug module."""

from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ADDRESS_WIDTH", "CommandError", "DmiBus", "DmiRegister"]

ADDRESS_WIDTH = 7


class DmiRegister(enum.IntEnum):
    """Addresses of the debug module's registers."""

    DATA0 = 0x04
    DATA1 = 0x05
    DMCONTROL = 0x10
    DMSTATUS = 0x11
    HARTINFO = 0x12
    ABSTRACTCS = 0x16
    COMMAND = 0x17
    ABSTRACTAUTO = 0x18
    PROGBUF0 = 0x20
    PROGBUF1 = 0x21
    HALTSUM0 = 0x40


class CommandError(enum.IntEnum):
    """Why an abstract command failed (``abstractcs.cmderr``)."""

    NONE = 0
    BUSY = 1
    NOT_SUPPORTED = 2
    EXCEPTION = 3
    HALT_RESUME = 4


class DmiBus(wiring.Signature):
    """One access a cycle to the registers of a debug module. Seen from the debugger's side.

    A request is taken in the cycle in which it is made, and answered in the
    next one.

    Members
    -------
    request, write, address, write_data : Out(1), Out(1), Out(7), Out(32)
        An access.
    response, read_data : In(1), In(32)
        Its answer; data of a read.

    Source
    ------
    RISC-V External Debug Support 0.13.2, 3.1: the Debug Module Interface.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "request": Out(1),
                "write": Out(1),
                "address": Out(ADDRESS_WIDTH),
                "write_data": Out(32),
                "response": In(1),
                "read_data": In(32),
            }
        )

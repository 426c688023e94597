"""A debugger: what OpenOCD does with a core, through the register bus or JTAG."""

from verif.agents.debug.bitbang import RemoteBitbang
from verif.agents.debug.debugger import DebugError, Debugger, Halt
from verif.agents.debug.transport import DirectTransport, JtagDriver, JtagError, JtagTransport, Transport

__all__ = [
    "DebugError",
    "Debugger",
    "DirectTransport",
    "Halt",
    "JtagDriver",
    "JtagError",
    "JtagTransport",
    "RemoteBitbang",
    "Transport",
]

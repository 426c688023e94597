"""Functional model of the accelerator: its commands on NumPy arrays, bit for bit.

``execute(command, memories, config)`` executes one command; :class:`Machine`
a program, in any order that its waits allow, and finds waits that are missing.
"""

from rtl.tensor.machine.check import check, pack_words, weight_words
from rtl.tensor.machine.errors import ErrorCode, HazardError, MachineError
from rtl.tensor.machine.execute import engine_of, execute
from rtl.tensor.machine.footprint import Space, Touch, footprint
from rtl.tensor.machine.machine import Executed, Machine, config_word
from rtl.tensor.machine.memories import Memories

__all__ = [
    "ErrorCode",
    "Executed",
    "HazardError",
    "Machine",
    "MachineError",
    "Memories",
    "Space",
    "Touch",
    "check",
    "config_word",
    "engine_of",
    "execute",
    "footprint",
    "pack_words",
    "weight_words",
]

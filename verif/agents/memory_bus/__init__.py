"""A core's memory bus: a target with pauses and errors, a monitor, the bus's rules."""

from verif.agents.memory_bus.agent import MemoryTarget
from verif.agents.memory_bus.bus import MemoryBusWires
from verif.agents.memory_bus.items import BusAccess
from verif.agents.memory_bus.memory import WordMemory
from verif.agents.memory_bus.monitor import MemoryBusMonitor
from verif.agents.memory_bus.protocol import MemoryBusProtocol, MemoryProtocolError
from verif.agents.memory_bus.responder import MemoryResponder, Target

__all__ = [
    "BusAccess",
    "MemoryBusMonitor",
    "MemoryBusProtocol",
    "MemoryBusWires",
    "MemoryProtocolError",
    "MemoryResponder",
    "MemoryTarget",
    "Target",
    "WordMemory",
]

"""AXI4: memory behind a manager, a checker of what the manager does, and a manager of AXI4-Lite."""

from verif.agents.axi4.lite import LiteManager
from verif.agents.axi4.memory import AxiMemory
from verif.agents.axi4.protocol import AxiChecker, AxiSample

__all__ = ["AxiChecker", "AxiMemory", "AxiSample", "LiteManager"]

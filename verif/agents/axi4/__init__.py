"""AXI4: memory behind a manager, a checker of what the manager does, and a manager of AXI4-Lite."""

from verif.agents.axi4.lite import LiteManager
from verif.agents.axi4.memory import AxiMemory
from verif.agents.axi4.protocol import AxiChecker, AxiSample
from verif.agents.axi4.recorder import AxiRecorder, Burst

__all__ = ["AxiChecker", "AxiMemory", "AxiRecorder", "AxiSample", "Burst", "LiteManager"]

"""The verification port of a core: a monitor of what retires."""

from verif.agents.rvfi.monitor import Retirement, RvfiMonitor

__all__ = ["Retirement", "RvfiMonitor"]

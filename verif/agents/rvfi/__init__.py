"""The verification port of a core: a monitor of what retires."""

from verif.agents.rvfi.monitor import STATE, Retirement, RvfiMonitor

__all__ = ["STATE", "Retirement", "RvfiMonitor"]

"""OpenSTA: static timing and power of a netlist.

``adapter`` finds it, ``sdc`` writes constraints, ``script`` plans the Tcl,
``read`` understands what came back.
"""

from __future__ import annotations

from flow.tools.opensta.adapter import OpenSta
from flow.tools.opensta.read import read_log, read_power, read_timing
from flow.tools.opensta.script import Load, power_script, timing_script
from flow.tools.opensta.sdc import Ports, SdcError, write_sdc

__all__ = [
    "Load",
    "OpenSta",
    "Ports",
    "SdcError",
    "power_script",
    "read_log",
    "read_power",
    "read_timing",
    "timing_script",
    "write_sdc",
]

"""Gate-level netlists: read from Yosys JSON or structural Verilog, mended, measured, written.

A netlist is plain data that knows no tool; ``repair`` makes what logic
synthesis leaves into what timing, layout and simulation tools accept.
"""

from __future__ import annotations

from flow.tools.netlist.buffering import Fanout, buffer_fanout, resize_flops
from flow.tools.netlist.connect import Links
from flow.tools.netlist.measure import Measures, area_by_module, measure
from flow.tools.netlist.model import Bit, Cell, Module, Netlist, NetlistError, Port, read_yosys_json
from flow.tools.netlist.outside import OUTSIDE, Outside, move_outside
from flow.tools.netlist.repair import Ties, repair
from flow.tools.netlist.trees import balance_buffers
from flow.tools.netlist.verilog import write_verilog
from flow.tools.netlist.verilog_read import read_verilog

__all__ = [
    "OUTSIDE",
    "Bit",
    "Cell",
    "Fanout",
    "Links",
    "Measures",
    "Module",
    "Netlist",
    "NetlistError",
    "Outside",
    "Port",
    "Ties",
    "area_by_module",
    "balance_buffers",
    "buffer_fanout",
    "measure",
    "move_outside",
    "read_verilog",
    "read_yosys_json",
    "repair",
    "resize_flops",
    "write_verilog",
]

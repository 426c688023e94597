"""cocotb: run a simulator under Python benches, and read what they found."""

from __future__ import annotations

from flow.tools.cocotb.adapter import COCOTB, CocotbAdapter, Installation, SimRun, run_command, simside_dir
from flow.tools.cocotb.coverage import Bin, Coverage, merge_coverage, read_coverage, read_coverage_xml
from flow.tools.cocotb.junit import CaseStatus, TestCase, merge_junit, place_in_bench, read_junit
from flow.tools.cocotb.record import BenchError, ForkEnd, Record, read_record
from flow.tools.cocotb.removed import replacement

__all__ = [
    "COCOTB",
    "BenchError",
    "Bin",
    "CaseStatus",
    "CocotbAdapter",
    "Coverage",
    "ForkEnd",
    "Installation",
    "Record",
    "SimRun",
    "TestCase",
    "merge_coverage",
    "merge_junit",
    "place_in_bench",
    "read_coverage",
    "read_coverage_xml",
    "read_junit",
    "read_record",
    "replacement",
    "run_command",
    "simside_dir",
]

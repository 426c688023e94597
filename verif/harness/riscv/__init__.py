"""The simulated system around a RISC-V core, in Verilog, and its main program."""

from pathlib import Path

__all__ = ["FOLDER"]

#: Where its files are: what the entry point ``harness`` of ``suzuri.isa`` names.
FOLDER = Path(__file__).parent

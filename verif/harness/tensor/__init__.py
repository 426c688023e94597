"""The simulated system around an accelerator, in SystemVerilog, and its main program."""

from pathlib import Path

__all__ = ["FOLDER"]

#: Where its files are: what the entry point ``harness`` of ``suzuri.nn`` names.
FOLDER = Path(__file__).parent

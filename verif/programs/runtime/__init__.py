"""Start-up, linker script and a small C runtime for programs on the simulated system."""

from pathlib import Path

__all__ = ["FOLDER"]

#: Where its files are: what the entry point ``runtime`` of ``suzuri.isa`` names.
FOLDER = Path(__file__).parent

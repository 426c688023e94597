"""Where the accelerator's manifest is: what the entry point ``design`` of ``suzuri.nn`` names."""

from pathlib import Path

__all__ = ["ACCELERATOR"]

ACCELERATOR = Path(__file__).parent / "accelerator" / "suzuri.toml"

"""Lockstep with Spike, random programs, and what they covered."""

from pathlib import Path

__all__ = ["FOLDER"]

#: Sources of the comparator: what the entry point ``lockstep`` of ``suzuri.isa`` names.
FOLDER = Path(__file__).parent / "cpp"

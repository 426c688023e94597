"""Where the manifests of the presets are: what the entry points of ``suzuri.designs`` name."""

from pathlib import Path

__all__ = ["FAST", "NANO", "SMALL"]

_HERE = Path(__file__).parent

NANO = _HERE / "nano" / "suzuri.toml"
SMALL = _HERE / "small" / "suzuri.toml"
FAST = _HERE / "fast" / "suzuri.toml"

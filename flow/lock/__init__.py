"""``tools.lock``: the tools, PDKs and Python packages that results were made with.

A lock says which tool (flavour, version, digest of what runs on each
platform), which PDK (version, digest of its views) and which Python packages
decide the results. ``suzuri run --locked`` refuses a difference; without it a
difference is said.
"""

from __future__ import annotations

from flow.lock.file import FILE, find_lock, read_lock, render, write_lock
from flow.lock.pins import (
    Difference,
    Lock,
    PdkPin,
    ToolPin,
    absent,
    compare,
    current,
    merge,
    packages_here,
    pdk_digest,
    pdk_pin,
    platform_name,
)

__all__ = [
    "FILE",
    "Difference",
    "Lock",
    "PdkPin",
    "ToolPin",
    "absent",
    "compare",
    "current",
    "find_lock",
    "merge",
    "packages_here",
    "pdk_digest",
    "pdk_pin",
    "platform_name",
    "read_lock",
    "render",
    "write_lock",
]

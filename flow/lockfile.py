"""The file ``tools.lock``, under its earlier name: see ``flow.lock``."""

from __future__ import annotations

from flow.lock import read_lock

__all__ = ["read_lock"]

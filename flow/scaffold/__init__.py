"""``suzuri new``: a small design that passes, to start one's own from."""

from __future__ import annotations

from flow.scaffold.names import check_name
from flow.scaffold.write import KINDS, create

__all__ = ["KINDS", "check_name", "create"]

"""Seeds that depend on what a test is, and on nothing else."""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(master: int, test: str, index: int) -> int:
    """Return the 63-bit seed of run `index` of `test` under `master`.

    The same whatever the order, the subset or the number of workers. 63 bits,
    so that it fits a signed 64-bit integer in every tool and database.
    """
    text = f"suzuri-seed/1\0{master}\0{test}\0{index}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1

"""docs/riscv/csrs.md names every CSR there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

from system_port import SystemDriver, run_unit

PAGE = Path(__file__).resolve().parents[4] / "docs" / "riscv" / "csrs.md"


def documented() -> set[int]:
    """Return the addresses in the tables, up to the differences from Spike."""
    found: set[int] = set()
    for line in PAGE.read_text().partition("## Where Spike differs")[0].splitlines():
        if not line.startswith("|"):
            continue
        for cell in line.split("|")[1:3]:
            if re.fullmatch(r"[0-9A-Fa-fx, -]+", cell.strip()) and "0x" in cell:
                for item in cell.split(","):
                    first, _, last = item.strip().partition("-")
                    found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def test_the_page_lists_every_register() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.strobe("debug_enter", debug_cause=3, debug_pc=0)
        assert {hex(address) for address in unit.readable() ^ documented()} == set()

    run_unit(bench, user_mode=True, pmp_regions=16, debug="direct", triggers=2)

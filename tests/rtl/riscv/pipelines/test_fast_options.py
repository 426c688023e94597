"""Every option of the fast pipeline elaborates, and what it cannot be is refused."""

import pytest
from amaranth.back import rtlil

from rtl.riscv.config import CoreConfig
from rtl.riscv.core import Core

OPTIONS = (
    {"issue_width": 1, "a": True, "rvfi": True},
    {"debug": "direct", "triggers": 2, "user_mode": True, "pmp_regions": 4, "custom": "port"},
    {"c": False, "zba": False, "zbb": False, "zbs": False, "multiplier": "serial", "btb_entries": 64},
    {"m": False, "multiplier": "none", "divider": "none", "bht_entries": 64, "instruction_cache_bytes": 256},
    {"branch_predictor": "none", "btb_entries": 0, "ras_entries": 0, "multiplier": "single"},
)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(options) or "preset")
def test_elaborates(options):
    assert "module \\core" in rtlil.convert(Core(preset="fast", **options), name="core", emit_src=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multiplier": "fast"}, "has multiplier 'pipelined', 'single' or 'serial', not 'fast'"),
        ({"btb_entries": 2}, "btb_entries must be at least 4, not 2"),
        ({"btb_entries": 3}, "btb_entries must be at least 4, not 3"),
        ({"btb_entries": 18}, "btb_entries must be a power of two, or three times one, or 0, not 18"),
        ({"btb_entries": 0}, "bht_entries and ras_entries need btb_entries"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        CoreConfig.preset("fast", **options)

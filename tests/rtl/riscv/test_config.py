"""Configurations that contradict themselves are refused, and the message names both sides."""

import re

import pytest

from rtl.riscv.config import PRESETS, CoreConfig

# Preset, options, and what the message must contain.
CONTRADICTIONS = [
    ("small", {"reset_vector": 0x8000_0002}, "reset_vector must be a multiple of 4, not 0x80000002"),
    ("small", {"multiplier": "none"}, "m needs a multiplier"),
    ("small", {"divider": "none"}, "m needs a divider"),
    ("small", {"m": False, "divider": "none"}, "multiplier 'fast' needs m"),
    ("small", {"m": False, "multiplier": "none"}, "divider 'serial' needs m"),
    ("small", {"c": False, "zcb": True}, "zcb needs c"),
    ("small", {"pmp_regions": 6}, "pmp_regions must be a multiple of 4, not 6"),
    ("small", {"triggers": 2}, "triggers needs debug"),
    ("small", {"ras_entries": 4}, "need branch_predictor 'dynamic', not 'none'"),
    ("fast", {"branch_predictor": "none"}, "need branch_predictor 'dynamic', not 'none'"),
    ("fast", {"btb_entries": 10}, "must be a power of two, or three times one, or 0, not 10"),
    ("fast", {"instruction_cache_bytes": 128}, "must be powers of two of at least 256, or 0, not 128"),
    ("fast", {"data_cache_bytes": 3000}, "must be powers of two of at least 256"),
    ("fast", {"data_tcm_bytes": 3000}, "must be powers of two of at least 256"),
    (
        "fast",
        {"instruction_tcm_bytes": 4096, "instruction_tcm_base": 0x800},
        "instruction_tcm_base 0x800 must be a multiple of instruction_tcm_bytes",
    ),
    (
        "fast",
        {"data_tcm_bytes": 8192, "data_tcm_base": 0x1000},
        "data_tcm_base 0x1000 must be a multiple of data_tcm_bytes",
    ),
    (
        "fast",
        {"instruction_tcm_bytes": 8192, "data_tcm_bytes": 4096, "data_tcm_base": 0x1000},
        "the instruction and data TCM overlap at 0x0 and 0x1000",
    ),
    ("small", {"issue_width": 2}, "issue_width 2 needs pipeline 'fast'"),
    ("small", {"branch_predictor": "dynamic"}, "branch_predictor 'dynamic' needs pipeline 'fast'"),
    ("small", {"instruction_cache_bytes": 1024}, "caches need pipeline 'fast'"),
    ("small", {"data_tcm_bytes": 1024}, "tightly coupled memories need pipeline 'fast'"),
    ("small", {"a": True}, "a needs pipeline 'fast'"),
    ("nano", {"c": True}, "pipeline 'nano' is RV32I or RV32E"),
    ("nano", {"zbb": True}, "pipeline 'nano' is RV32I or RV32E"),
    ("nano", {"user_mode": True}, "pipeline 'nano' has machine mode only"),
    ("nano", {"pmp_regions": 4}, "pipeline 'nano' has machine mode only"),
    ("nano", {"branch_predictor": "static"}, "branch_predictor must be one of none, dynamic, not 'static'"),
    ("fast", {"e": True}, "e and shifter 'serial' need another pipeline"),
    ("fast", {"shifter": "serial"}, "e and shifter 'serial' need another pipeline"),
    ("fast", {"register_file": "memory"}, "pipeline 'fast' needs register_file 'flops'"),
    ("small", {"multiplier": "pipelined"}, "multiplier 'pipelined' needs pipeline 'fast'"),
]


@pytest.mark.parametrize(("preset", "options", "message"), CONTRADICTIONS, ids=lambda value: str(value)[:40])
def test_contradiction_is_refused(preset: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        CoreConfig.preset(preset, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pipeline": "medium"}, "pipeline must be one of nano, small, fast, not 'medium'"),
        (
            {"multiplier": "slow"},
            "multiplier must be one of none, serial, fast, single, pipelined, not 'slow'",
        ),
        ({"pmp_regions": 20}, "pmp_regions must lie in 0..16, not 20"),
        ({"issue_width": 0}, "issue_width must lie in 1..2, not 0"),
        ({"reset_vector": -4}, "reset_vector must lie in 0..4294967292, not -4"),
    ],
)
def test_value_out_of_range_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        CoreConfig.preset("small", **options)


def test_wrong_types_are_refused() -> None:
    with pytest.raises(TypeError, match="zba must be true or false, not 1"):
        CoreConfig.preset("small", zba=1)
    with pytest.raises(TypeError, match="pmp_regions must be an integer, not True"):
        CoreConfig.preset("small", pmp_regions=True)
    with pytest.raises(TypeError, match="divider must be a string, not 3"):
        CoreConfig.preset("small", divider=3)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="no parameter 'zbba'; did you mean 'zbb'"):
        CoreConfig.preset("small", zbba=True)
    with pytest.raises(TypeError, match="no parameter 'qqq'; there are pipeline, e, m"):
        CoreConfig.preset("small", qqq=True)
    with pytest.raises(ValueError, match="preset must be one of nano, small, fast, not 'tiny'"):
        CoreConfig.preset("tiny")


def test_presets_are_what_they_say() -> None:
    assert {name: config.pipeline for name, config in PRESETS.items()} == {name: name for name in PRESETS}
    assert PRESETS["nano"].isa == "rv32i_zicsr_zifencei"
    assert PRESETS["small"].isa == "rv32imc_zicsr_zifencei_zicntr"
    assert PRESETS["fast"].isa.endswith("_zicntr_zicond_zba_zbb_zbs")
    assert CoreConfig.preset("small", e=True, zcb=True).isa.startswith("rv32emc_")
    assert CoreConfig.preset("small", e=True).registers == 16
    assert PRESETS["fast"].fetch_width == 64

"""Random programs: the same for a seed, legal for their core, ending by themselves, covering much."""

import json
import random
import re
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rtl.riscv.config import PRESETS, CoreConfig
from verif.lockstep.csrs import csr_addresses, interrupt_mask, spike_options
from verif.lockstep.encoding import extensions, instructions
from verif.lockstep.explain import explain
from verif.lockstep.goals import coverage, goals
from verif.lockstep.memories import walls
from verif.lockstep.random import generate
from verif.lockstep.random.assembler import Code, b_type, elf_file, j_type
from verif.lockstep.random.frame import Registers
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain
from verif.lockstep.random.targets import ROUND, seeds_for, targets

FULL = {
    **dict.fromkeys(("zba", "zbb", "zbs", "zcb", "zicond", "user_mode"), True),
    "pmp_regions": 8,
    "local_interrupts": 3,
}
CONFIGS = {
    **{name: PRESETS[name] for name in PRESETS},
    "nano_e": CoreConfig.preset("nano", e=True),
    "small_full": CoreConfig.preset("small", **FULL),
    "small_plain": CoreConfig.preset("small", c=False, m=False, multiplier="none", divider="none"),
    "fast_full": CoreConfig.preset("fast", **{**FULL, "a": True, "pmp_regions": 16}),
    "fast_tcm": CoreConfig.preset(
        "fast",
        instruction_tcm_bytes=4096,
        instruction_tcm_base=0x3000_0000,
        data_tcm_bytes=1024,
        data_tcm_base=0x2000_0000,
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_seed_says_it_all(name: str) -> None:
    first, again, other = (generate(CONFIGS[name], seed, size=600) for seed in (5, 5, 6))
    assert first == again
    assert first.segments != other.segments
    assert 500 < first.instructions < 2500  # 600 at random, and what aims at goals


def test_every_encoding_is_one_instruction() -> None:
    known = instructions(extensions(CONFIGS["fast_full"]))
    assert len({item.name for item in known}) > 130
    for item in known:
        assert item.match & ~item.mask == 0, item.name
        same = [
            other.name
            for other in known
            if other is not item
            and other.mask.bit_count() == item.mask.bit_count()
            and (other.match ^ item.match) & other.mask & item.mask == 0
            and other.group != "illegal"
        ]
        assert not same, f"{item.name} could be {same}"


@pytest.mark.sim
@pytest.mark.parametrize("name", CONFIGS)
def test_programs_end_and_are_varied(name: str, comparator: Callable, tmp_path: Path) -> None:
    """On Spike, which also says that what the table calls an instruction is one, and what not, not."""
    config = CONFIGS[name]
    total: Counter[str] = Counter()
    for seed in (1, 2, 3):
        elf, trace = comparator.emit(config, generate(config, seed, length=10_000), name, 400_000)
        file = tmp_path / "coverage.json"
        code, report, said = comparator.report(config, elf, trace, "--coverage", file)
        assert code == 0, said
        assert 3_000 < report["instructions"] < 400_000, "it does not end, or too soon"
        assert report["traps"] > 20
        assert report["interrupts"] > 1
        counters = json.loads(file.read_text())
        total.update(counters["instruction"])
        unknown = [b for b in counters["trap"] if re.match(r"2\*(?!illegal|csr|system)", b)]
        assert not unknown, "Spike calls an instruction of the table illegal"
    wanted = {i.name for i in instructions(extensions(config)) if i.group not in ("illegal", "system", "amo")}
    assert len(wanted - set(total)) <= 5, wanted - set(total)


def test_goals_fit_the_core() -> None:
    for name, config in CONFIGS.items():
        found = goals(config)
        names = {i.name for i in instructions(extensions(config))}
        assert {b.split("*")[0] for b in found["operands"]} <= names, name
        modes = {b.split("*")[2] for b in found["trap"]}
        assert modes == ({"M", "U"} if config.user_mode else {"M"}), name
        addresses = {int(b.split("*")[0], 16) for b in found["csr"]}
        assert addresses == set(csr_addresses(config)), name
        assert ("0*jump*M" in found["trap"]) == (not config.c), name


@pytest.mark.parametrize("name", CONFIGS)
def test_ten_seeds_aim_at_every_goal(name: str) -> None:
    config = CONFIGS[name]
    aimed = Counter(
        (target.point, "*".join(parts))
        for seed in range(73, 73 + ROUND)
        for target in targets(config, seed)
        for parts in target.bins
    )
    wanted = [(point, bin_) for point, bins in goals(config).items() for bin_ in bins]
    assert aimed == Counter(wanted)
    for point, bin_ in wanted[:: len(wanted) // 50]:
        seed = seeds_for(config, point, bin_)
        assert any(t.point == point and tuple(bin_.split("*")) in t.bins for t in targets(config, seed + 70))


def test_memories_inside_the_core_have_a_place_of_their_own() -> None:
    tcm = {"data_tcm_bytes": 4096}
    for base, what in (
        (0x1000_0000, "the test device is at 0x10000000"),
        (0x0200_8000, "the interrupt controller is at 0x2000000"),
        (0x8003_0000, "the program is at 0x80000000"),
        (0, "Spike's debugger is at 0x0"),
    ):
        config = CoreConfig.preset("fast", data_tcm_base=base, **tcm)
        with pytest.raises(ValueError, match=f"memory at {base:#x}: {what}"):
            generate(config, 1)
    config = CoreConfig.preset("fast", data_tcm_base=0x4000_0000, **tcm)
    assert 0x4000_0000 in walls(CONFIGS["fast"])
    assert 0x4000_0000 not in walls(config)
    assert "0x40000000:0x1000" in spike_options(config)


def test_a_core_with_custom_instructions_is_given_none() -> None:
    """What their opcodes do is not known to Spike; to other cores they are illegal."""
    opcodes = {0x0B, 0x2B, 0x5B, 0x7B}
    for custom in ("none", "port", "dot4"):
        config = CoreConfig.preset("nano", custom=custom)
        code, rng = Code(0), random.Random(1)
        operands = Operands(rng, 32, Registers.choose(rng, 32))
        plain = Plain(rng, config, code, operands)
        drawn = {plain.illegal() & 0x7F for _ in range(3000)}
        assert (not drawn & opcodes) == (custom != "none")


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("name", CONFIGS)
def test_ten_programs_reach_every_goal(name: str, comparator: Callable, tmp_path: Path) -> None:
    """On Spike: a goal that no program can reach shows here, without any core."""
    config = CONFIGS[name]
    total: dict[str, Counter[str]] = {}
    for seed in range(20, 20 + ROUND):
        elf, trace = comparator.emit(config, generate(config, seed, length=200_000), name, 2_000_000)
        file = tmp_path / "coverage.json"
        code, _, said = comparator.report(config, elf, trace, "--coverage", file)
        assert code == 0, said
        for point, bins in json.loads(file.read_text()).items():
            total.setdefault(point, Counter()).update(bins)
    assert coverage(config, total).missing == ()


def test_every_goal_is_explained() -> None:
    for config in CONFIGS.values():
        for point, bins in goals(config).items():
            for bin_ in bins:
                said = explain(config, point, bin_)
                assert "aim at it" in said
                assert "*" not in said
    config = CONFIGS["small_full"]
    assert re.fullmatch(
        r"CSR 0x305 \(mtvec\) changed by CSRRC in machine mode; "
        r"the programs of seeds (\d), 1\1, 2\1 \.\.\. aim at it",
        explain(config, "csr", "0x305*clear*M*done"),
    )
    assert explain(config, "trap", "7*store*U").startswith(
        "exception 7 (store fault) of a store in user mode"
    )
    assert explain(config, "interrupt_at", "18*alu*M").startswith("interrupt 18 (local 2) instead of ")
    with pytest.raises(KeyError, match="trap: 7\\*store\\*S"):
        explain(config, "trap", "7*store*S")


def test_coverage_is_measured_against_the_goals() -> None:
    config = CONFIGS["nano"]
    nothing = coverage(config, {})
    assert nothing.ratio == 0
    hits = {point: dict(bins) for point, bins in goals(config).items()}
    assert coverage(config, hits).ratio == 1
    hits["instruction"]["sub"] -= 1
    assert coverage(config, hits).missing == ("instruction: sub",)


def test_interrupt_mask_has_the_local_ones() -> None:
    assert interrupt_mask(CONFIGS["nano"]) == 0x888
    assert interrupt_mask(CONFIGS["small_full"]) == 0x7_0888


def test_references_that_cannot_be_filled_in() -> None:
    code = Code(0x1000)
    code.refer("branch", "nowhere", b_type(0x63, 0, 0, 0))
    with pytest.raises(ValueError, match="there is no label 'nowhere'"):
        code.finish()
    code = Code(0x1000)
    code.refer("branch", "far", b_type(0x63, 0, 0, 0))
    for _ in range(2000):
        code.word(0x13)
    code.label("far")
    with pytest.raises(ValueError, match="out of reach of a branch: 8004 bytes"):
        code.finish()


def test_jumps_reach_what_they_name() -> None:
    code = Code(0x1000)
    code.refer("jump", "end", j_type(1, 0))
    code.half(1)
    code.label("end")
    assert struct.unpack("<I", code.finish()[:4])[0] == 0x0060_00EF


def test_elf_files_can_be_read() -> None:
    from flow.isa.elf import read_elf

    program = read_elf(elf_file(0x8000_0004, [(0x8000_0000, b"abcdefgh"), (0x8000_1000, b"xyz")]), "made")
    assert program.entry == 0x8000_0004
    assert [(s.address, bytes(s.data)) for s in program.segments] == [
        (0x8000_0000, b"abcdefgh"),
        (0x8000_1000, b"xyz"),
    ]

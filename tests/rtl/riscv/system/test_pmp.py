# amaranth: UnusedElaboratable=no
"""Memory protection against a model written from the specification, region by region."""

from __future__ import annotations

import random

import pytest
from amaranth.hdl import Cat
from amaranth.sim import Simulator
from system_port import SystemDriver, run_unit

from rtl.riscv.config import CoreConfig
from rtl.riscv.system.pmp import PmpAccess, PmpChecker, PmpRegisters

READ, WRITE, EXECUTE, LOCK = 1, 2, 4, 0x80
OFF, TOR, NA4, NAPOT = 0, 8, 16, 24


def region_bounds(config: int, address: int, previous: int) -> tuple[int, int]:
    """Return the first address of a region and the one after its last."""
    kind = config & 0x18
    if kind == TOR:
        return previous << 2, address << 2
    if kind == NA4:
        return address << 2, (address << 2) + 4
    if kind == NAPOT:
        ones = 0
        while address >> ones & 1:
            ones += 1
        size = 1 << (ones + 3)
        start = (address & ~((1 << ones) - 1)) << 2
        return start, start + size
    return 0, 0


def may(configs: list[int], addresses: list[int], where: int, right: int, machine: bool) -> bool:
    """Whether an access to the word at ``where`` is allowed."""
    previous = 0
    for config, address in zip(configs, addresses, strict=True):
        low, high = region_bounds(config, address, previous)
        previous = address
        if low <= where < high:
            return bool(config & right) or (machine and not config & LOCK)
    return machine


def random_address(rng: random.Random) -> int:
    """Return a pmpaddr: few different bases, so that regions overlap, and all sizes."""
    word = rng.choice((0x2000_0000, 0x0000_0000, 0x2000_0400, 0x3FFF_F000, 0xC000_0000)) + rng.randrange(64)
    ones = rng.choice((0, 0, 1, 2, 3, 8, 12, 30, 32))
    return (word | ((1 << ones) - 1)) & 0xFFFF_FFFF


@pytest.mark.parametrize(
    ("regions", "rounds"),
    [(4, 30), (16, 4), pytest.param(16, 400, marks=pytest.mark.nightly)],
)
def test_checker_equals_the_model(regions: int, rounds: int) -> None:
    dut = PmpChecker(CoreConfig.preset("small", pmp_regions=regions))
    rng = random.Random(regions)
    inputs = Cat(dut.address, dut.access, dut.mode)  # in one piece: each setting takes time
    outcomes = {True: 0, False: 0}

    async def bench(ctx: object) -> None:
        for _ in range(rounds):
            configs = [rng.choice((OFF, TOR, NA4, NAPOT, TOR, NAPOT)) for _ in range(regions)]
            rights = [rng.choice((0, 1, 3, 4, 5, 7)) | rng.choice((0, 0, LOCK)) for _ in range(regions)]
            configs = [kind | right for kind, right in zip(configs, rights, strict=True)]
            addresses = [random_address(rng) for _ in range(regions)]
            packed = 0
            for config, address in zip(reversed(configs), reversed(addresses), strict=True):
                packed = packed << 38 | config >> 7 << 37 | (config & 0x1F) << 32 | address
            ctx.set(dut.state.as_value(), packed)
            for _ in range(40):
                index = rng.randrange(regions)
                where = (addresses[index] << 2) + rng.choice((-4, 0, 4, 8, 60, 64, 1024))
                where &= 0xFFFF_FFFC
                kind, right = rng.choice(
                    ((PmpAccess.READ, READ), (PmpAccess.WRITE, WRITE), (PmpAccess.EXECUTE, EXECUTE))
                )
                machine = rng.random() < 0.5
                mode = 3 if machine else 0
                ctx.set(inputs, where | rng.randrange(4) | kind.value << 32 | mode << 34)
                expected = may(configs, addresses, where, right, machine)
                assert ctx.get(dut.allowed) == expected, (configs, addresses, hex(where), kind, machine)
                outcomes[expected] += 1

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert min(outcomes.values()) > rounds


def test_locks_hold_until_reset() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x3B0, 0x1000)
        await unit.write(0x3B1, 0x2000)
        await unit.write(0x3A0, (LOCK | TOR | READ) << 8)
        await unit.write(0x3B1, 0)
        assert await unit.read(0x3B1) == 0x2000, "its own address is locked"
        await unit.write(0x3B0, 0)
        assert await unit.read(0x3B0) == 0x1000, "and the base of the range"
        await unit.write(0x3B2, 0x3000)
        assert await unit.read(0x3B2) == 0x3000
        await unit.write(0x3A0, 0x1F1F_1F1F)
        assert await unit.read(0x3A0) == 0x1F1F_1F1F & ~0xFF00 | (LOCK | TOR | READ) << 8
        await unit.write(0x3A0, (LOCK | NAPOT) << 24)
        await unit.write(0x3B2, 0)
        assert await unit.read(0x3B2) == 0, "only a range locks the address below it"

    run_unit(bench, pmp_regions=4)


def test_write_without_read_is_dropped() -> None:
    async def bench(unit: SystemDriver) -> None:
        for rights in range(8):
            await unit.write(0x3A1, NAPOT | rights)
            expected = rights & ~WRITE if not rights & READ else rights
            assert await unit.read(0x3A1) == NAPOT | expected

    run_unit(bench, pmp_regions=8)


def test_the_unit_shows_its_regions_to_checkers() -> None:
    async def bench(unit: SystemDriver) -> None:
        await unit.write(0x3B3, 0x1234_5678)
        await unit.write(0x3A0, (LOCK | TOR | READ | EXECUTE) << 24)
        region = unit.unit.pmp[3]
        get = unit.ctx.get
        assert get(region.address) == 0x1234_5678
        assert (get(region.read), get(region.write), get(region.execute)) == (1, 0, 1)
        assert get(region.matching).value == 1
        assert get(region.locked)

    run_unit(bench, pmp_regions=4)


@pytest.mark.parametrize("component", [PmpChecker, PmpRegisters])
def test_without_regions_there_is_nothing_to_check(component: type) -> None:
    with pytest.raises(ValueError, match="protection needs pmp_regions: there are 0"):
        component(CoreConfig.preset("small"))

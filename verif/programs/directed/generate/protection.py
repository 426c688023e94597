"""Physical memory protection: every mode and boundary, against a model of the rules."""

from dataclasses import dataclass

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import Writer

__all__ = ["Region", "allowed", "protection"]

_READ, _WRITE, _EXECUTE, _TOR, _NA4, _NAPOT = 1, 2, 4, 8, 16, 24
# Where the accesses go: an arena of its own, at this offset of RAM.
_ARENA = 0x10_0000


@dataclass(frozen=True, slots=True)
class Region:
    """One entry: ``pmpcfg`` byte and ``pmpaddr``."""

    config: int
    address: int


def allowed(
    regions: list[Region], address: int, size: int, permission: int, *, machine: bool = False
) -> bool:
    """Return whether an access may happen.

    Source: privileged manual (20240411), section 3.7.
    """
    previous = 0
    for region in regions:
        low, high = _bounds(region, previous)
        previous = region.address << 2
        inside = [low <= byte < high for byte in range(address, address + size)]
        if not any(inside):
            continue
        if not all(inside):
            return False
        if machine and not region.config & 0x80:
            return True
        return bool(region.config & permission)
    return machine


def _bounds(region: Region, previous: int) -> tuple[int, int]:
    mode = region.config & 0x18
    base = region.address << 2
    if mode == 0:
        return 0, 0
    if mode == _TOR:
        return previous, base
    if mode == _NA4:
        return base, base + 4
    ones = (region.address ^ (region.address + 1)).bit_length()  # trailing ones and the zero above
    size = 1 << (ones + 2)
    return base & ~(size - 1), (base & ~(size - 1)) + size


def _napot(base: int, size: int) -> int:
    return (base | (size // 2 - 1)) >> 2


def _arrangements(config: CoreConfig, arena: int) -> list[list[Region]]:
    """Return sets of regions that show each rule, around the arena."""
    everything = Region(_NAPOT | 7, 0x3FFF_FFFF)
    sets = [
        [],
        [everything],
        [Region(0, arena >> 2), everything],
        # Each permission by itself, of the smallest region, then a larger one.
        *([Region(_NA4 | rwx, arena + 16 >> 2)] for rwx in (0, 1, 3, 4, 5, 7)),
        *([Region(_NAPOT | rwx, _napot(arena + 16, 8))] for rwx in (1, 3, 4, 7)),
        *([Region(_NAPOT | 7, _napot(arena, size))] for size in (16, 32, 64, 128)),
        # Top of range: of nothing before it, of the one before it, empty, reversed.
        [Region(_TOR | 7, arena + 20 >> 2)],
        [Region(0, arena + 8 >> 2), Region(_TOR | 7, arena + 24 >> 2)],
        [Region(0, arena + 8 >> 2), Region(_TOR | 1, arena + 8 >> 2), Region(_TOR | 5, arena + 28 >> 2)],
        [Region(0, arena + 24 >> 2), Region(_TOR | 7, arena + 8 >> 2)],
        [
            Region(_NA4 | 1, arena + 8 >> 2),
            Region(_TOR | 7, arena + 16 >> 2),
            Region(_TOR | 4, arena + 24 >> 2),
        ],
        # The lowest number wins, whatever the others allow.
        [Region(_NA4, arena + 16 >> 2), everything],
        [Region(_NAPOT | 1, _napot(arena + 16, 16)), Region(_NAPOT | 7, _napot(arena, 64))],
        [Region(_NAPOT | 7, _napot(arena, 64)), Region(_NAPOT, _napot(arena + 16, 16))],
        [Region(_NAPOT | 4, _napot(arena, 32)), Region(_NAPOT | 3, _napot(arena + 16, 16)), everything],
    ]
    count = config.pmp_regions
    # And with the last entries in use.
    sets.append([*[Region(0, 0)] * (count - 2), Region(_NA4 | 1, arena + 16 >> 2), everything])
    sets.append(
        [*[Region(_NA4 | 7, arena + 4 * n >> 2) for n in range(count - 1)], Region(_TOR | 1, arena + 48 >> 2)]
    )
    return [regions for regions in sets if len(regions) <= count]


def protection(config: CoreConfig) -> str:
    """Return the test of PMP in user mode: loads and stores by MPRV, fetches by MRET."""
    writer = Writer(config, seed=15)
    arena = config.reset_vector + _ARENA
    # Everything in the arena is ECALL; a fetch that is allowed ends in cause 8.
    writer.emit("li x5, 0x73", f"li x6, {arena - 64:#x}", "li x7, 64", "1: sw x5, 0(x6)", "addi x6, x6, 4")
    writer.emit("addi x7, x7, -1", "bnez x7, 1b")
    for regions in _arrangements(config, arena):
        _write_regions(writer, config, regions)
        for offset in (-4, 0, 4, 8, 12, 16, 20, 24, 28, 32, 60, 64):
            _data(writer, regions, arena + offset, 4)
            _fetch(writer, regions, arena + offset)
        for offset in (15, 16, 19, 20):
            _data(writer, regions, arena + offset, 1)
        for offset in (14, 18, 20):
            _data(writer, regions, arena + offset, 2)
    return writer.text()


def _write_regions(writer: Writer, config: CoreConfig, regions: list[Region]) -> None:
    full = [*regions, *[Region(0, 0)] * (config.pmp_regions - len(regions))]
    for index in range(0, config.pmp_regions, 4):
        writer.emit(f"csrw pmpcfg{index // 4}, x0")
    for index, region in enumerate(full):
        writer.emit(f"li x5, {region.address:#x}", f"csrw pmpaddr{index}, x5")
    for index in range(0, config.pmp_regions, 4):
        word = sum(region.config << 8 * n for n, region in enumerate(full[index : index + 4]))
        writer.emit(f"li x5, {word:#x}", f"csrw pmpcfg{index // 4}, x5")


_ACCESS = {1: ("lbu", "sb"), 2: ("lhu", "sh"), 4: ("lw", "sw")}


def _data(writer: Writer, regions: list[Region], address: int, size: int) -> None:
    """Load and store as user mode would, from machine mode."""
    load, store = _ACCESS[size]
    for name, permission in ((load, _READ), (store, _WRITE)):
        number = writer.test(f"{name} {address:#x}")
        good = allowed(regions, address, size, permission)
        # The value that is there is stored: nothing changes where it is allowed.
        writer.emit(
            f"li x6, {address:#x}", f"{load} x7, 0(x6)", "mv x9, x7", f"load_value x5, after_{number}"
        )
        writer.emit("csrw mscratch, x5", "li x5, MSTATUS_MPRV | MSTATUS_MPP", "csrc mstatus, x5")
        writer.emit("li x5, MSTATUS_MPRV", "csrs mstatus, x5", "li x10, -1")
        writer.emit(
            f"at_{number}: {name} x7, 0(x6)", f"after_{number}:", "li x5, MSTATUS_MPRV", "csrc mstatus, x5"
        )
        if good:
            writer.check(10, -1)
            writer.emit("bne x7, x9, fail", "csrw mscratch, x0")
        else:
            writer.emit(
                f"load_value x5, at_{number}", "bne a1, x5, fail", "bne a2, x6, fail", "bne x7, x9, fail"
            )
            writer.check(10, 5 if name == load else 7)


def _fetch(writer: Writer, regions: list[Region], address: int) -> None:
    number = writer.test(f"fetch {address:#x}")
    good = allowed(regions, address, 4, _EXECUTE)
    writer.emit(f"li x6, {address:#x}", f"expect_at after_{number}", "csrw mepc, x6")
    writer.emit("li x5, MSTATUS_MPP", "csrc mstatus, x5", "mret", f"after_{number}:", "bne a1, x6, fail")
    writer.check(10, 8 if good else 1)
    writer.emit("bnez a2, fail" if good else "bne a2, x6, fail")

from __future__ import annotations

import pytest
from tiny_elf import STOP, elf, words

from flow.isa.boot import plan_boot
from flow.isa.elf import Segment, read_elf
from flow.isa.image import MemoryMap, Region, image_text, parse_region
from flow.model.errors import ConfigError


def program(*addresses: int, entry: int | None = None):
    return read_elf(elf({a: words(STOP, STOP) for a in addresses}, entry), "x.elf")


def test_regions_as_written() -> None:
    assert parse_region("0x80000000:4M") == Region(0x8000_0000, 4 << 20)
    assert parse_region("0:0x1000") == Region(0, 4096)
    assert str(Region(0x2000_0000, 65536)) == "0x20000000:64K"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4M", "not of the form ADDRESS:SIZE"),
        ("0x80000000:5", "pages of 4 KiB"),
        ("0x80000001:4K", "pages of 4 KiB"),
        ("0xfffff000:8K", "beyond the 32-bit address space"),
    ],
)
def test_regions_that_are_wrong(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_region(text)
    assert said in str(caught.value)


def test_memory_follows_the_program() -> None:
    assert MemoryMap.for_program(program(0x8000_0000)).regions == (Region(0x8000_0000, 4 << 20),)
    apart = MemoryMap.for_program(program(0x0800_0000, 0x2000_0100)).regions
    assert [r.base for r in apart] == [0x0800_0000, 0x2000_0000]


def test_default_memory_leaves_the_devices_alone() -> None:
    memory = MemoryMap.for_program(program(0x01F0_0000))
    assert memory.regions == (Region(0x01F0_0000, 0x10_0000),)
    assert memory.hidden() == ()
    assert MemoryMap((Region(0, 1 << 28),)).hidden() == ("CLINT",)


def test_overlap_and_number() -> None:
    with pytest.raises(ConfigError, match=r"0x00000000:8K and 0x00001000:4K overlap"):
        MemoryMap((Region(0x1000, 4096), Region(0, 8192)))
    with pytest.raises(ConfigError, match="there are 9 memory regions; the harness has 8"):
        MemoryMap(tuple(Region(n << 16, 4096) for n in range(9)))


def test_program_outside_of_memory() -> None:
    with pytest.raises(ConfigError) as caught:
        MemoryMap((Region(0, 65536),)).check(program(0x8000_0000))
    assert str(caught.value) == (
        "x.elf: the program has 8 bytes at 0x80000000, outside the memory (0x00000000:64K). "
        "Give it memory there, --memory 0x80000000:SIZE, or link it anew"
    )


def test_image_counts_the_words_of_all_regions() -> None:
    memory = MemoryMap((Region(0x1000, 4096), Region(0x8000_0000, 8192)))
    text = image_text((Segment(0x1FFE, b"\x11\x22", 2), Segment(0x8000_0005, b"\xaa\xbb", 2)), memory)
    lines = text.splitlines()
    assert lines[0] == "@3f8"
    assert lines[1].split()[-1] == "22110000"
    assert lines[2] == "@400"
    assert lines[3].split()[:3] == ["00000000", "00bbaa00", "00000000"]


def test_image_says_no_address_where_lines_touch() -> None:
    memory = MemoryMap((Region(0x1000, 4096),))
    text = image_text((Segment(0x1000, bytes(60), 60), Segment(0x1080, b"\x01", 1)), memory)
    assert [line[0] for line in text.splitlines()] == ["@", "0", "0", "@", "0"]


def test_program_in_too_many_places() -> None:
    with pytest.raises(ConfigError, match=r"x\.elf: the program lies in 9 places far apart"):
        MemoryMap.for_program(program(*(n << 24 for n in range(9))))


def test_boot_at_once() -> None:
    memory = MemoryMap((Region(0x8000_0000, 4096),))
    boot = plan_boot(program(0x8000_0000), memory, 0x8000_0000, movable=False)
    assert (boot.reset_vector, boot.segments, boot.memory) == (None, (), memory)


def test_boot_by_two_instructions_at_a_free_reset_vector() -> None:
    memory = MemoryMap((Region(0, 4096),))
    boot = plan_boot(program(0xF00, entry=0xF00), memory, 0x8000_0000, movable=False)
    assert boot.reset_vector is None
    assert [(s.address, s.data) for s in boot.segments] == [(0x8000_0000, words(0x0000_12B7, 0xF002_8067))]
    assert Region(0x8000_0000, 4096) in boot.memory.regions


def test_boot_by_moving_the_reset_vector() -> None:
    memory = MemoryMap((Region(0x8000_0000, 4096),))
    boot = plan_boot(program(0x8000_0000, entry=0x8000_0004), memory, 0x8000_0000, movable=True)
    assert boot.reset_vector == boot.segments[0].address == 0x1000


def test_no_page_is_free_to_boot() -> None:
    places = (0x1000, 0x3_0000, 0x4000_0000, 0x7FFF_F000, 0x8000_0000, 0xFFFF_F000)
    full = program(*places, entry=0x8000_0004)
    with pytest.raises(ConfigError, match="leaves no page free for the jump to its entry 0x80000004"):
        plan_boot(full, MemoryMap.for_program(full, 4096), 0x8000_0000, movable=True)


def test_no_way_to_boot() -> None:
    memory = MemoryMap((Region(0x8000_0000, 4096),))
    with pytest.raises(ConfigError) as caught:
        plan_boot(program(0x8000_0000, entry=0x8000_0004), memory, 0x8000_0000, movable=False)
    assert "the core starts at 0x80000000" in str(caught.value)
    assert "reset_parameter" in str(caught.value)

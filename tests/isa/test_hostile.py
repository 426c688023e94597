"""ELF files that were made to hurt: refused at once, in little memory."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from flow.isa.elf import read_elf
from flow.model.errors import ConfigError

BASE = 0x8000_0000


def load(address: int, size: int, memory: int | None = None, at: int = 0) -> bytes:
    return struct.pack("<8I", 1, at, address, address, size, size if memory is None else memory, 7, 4)


def symbol(name: int) -> bytes:
    return struct.pack("<IIIBBH", name, BASE, 4, 0x12, 0, 1)


def section(kind: int, at: int, size: int, link: int = 0) -> bytes:
    return struct.pack("<10I", 0, kind, 0, 0, at, size, link, 0, 0, 16)


def file(
    programs: bytes,
    count: int,
    rest: bytes = b"",
    *,
    sections: tuple[int, int] = (0, 0),
    sizes: tuple[int, int] = (32, 40),
) -> bytes:
    """Return a file with `count` program headers, and sections at an offset in `rest`."""
    at = 52 + len(programs) + sections[0] if sections[1] else 0
    head = b"\x7fELF\1\1\1" + bytes(9)
    head += struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, BASE, 52, at, 0, 52, sizes[0], count, sizes[1], sections[1], 0
    )
    return head + programs + rest


def named(names: bytes, starts: Iterable[int], tables: int = 1) -> bytes:
    """Return a file with a symbol for each of `starts` in `names`, and its table in `tables` sections."""
    table = b"".join(map(symbol, starts))
    at = 52 + 32
    rows = section(0, 0, 0) + section(3, at + len(table), len(names))
    rows += tables * section(2, at, len(table), link=1)
    rest = table + names + rows
    return file(load(BASE, 52), 1, rest, sections=(len(table) + len(names), 2 + tables))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (file(load(BASE, 20_000) + bytes(20_000), 65_535, sizes=(0, 40)), "damaged or cut short"),
        (file(b"".join(load(BASE + 64 * n, 4) for n in range(257)), 257), "loaded in 257 segments"),
        (file(load(BASE, 84, 4), 1), "damaged or cut short"),
        (file(load(BASE, 84) + load(BASE + 40, 84, at=4), 2, bytes(100)), "overlap at 0x80000028"),
        (named(b"\0" + b"a" * 100_000 + b"\0", range(1, 20_000)), "damaged or cut short"),
        (named(b"a\0", range(2), tables=1)[:-1], "damaged or cut short"),
        (file(load(BASE, 52), 1, bytes(400), sections=(0, 10), sizes=(32, 0)), "damaged or cut short"),
    ],
    ids=["one-header-65535-times", "segments", "file-beyond-memory", "overlap", "names", "cut", "sections"],
)
def test_refused(content: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_elf(content, "bad.elf")
    assert said in str(caught.value)


def test_one_symbol_table_is_read_however_often_it_is_named() -> None:
    names = b"\0" + b"".join(b"s%d\0" % n for n in range(2000))
    starts = range(1, 100)
    assert len(read_elf(named(names, starts, tables=60_000), "x.elf").functions) == len(starts)


def test_many_symbols_may_have_one_name() -> None:
    program = read_elf(named(b"\0" + b"a" * 50 + b"\0", range(1, 2)), "x.elf")
    assert list(program.symbols) == ["a" * 50]
    often = named(b"\0" + b"a" * 50 + b"\0", [1] * 5000)
    assert list(read_elf(often, "x.elf").symbols) == ["a" * 50]

from __future__ import annotations

import contextlib
import random

import pytest
from tiny_elf import STOP, elf, words

from flow.isa.elf import read_elf
from flow.model.errors import ConfigError

BASE = 0x8000_0000
CODE = words(STOP, STOP, STOP)


def test_reads_segments_entry_symbols_and_isa() -> None:
    program = read_elf(
        elf({BASE: CODE}, symbols={"tohost": BASE + 8}, functions={"main": (BASE, 8)}, arch="rv32i2p1_m2p0"),
        "x.elf",
    )
    assert program.entry == BASE
    assert [(s.address, s.data, s.size) for s in program.segments] == [(BASE, CODE, 12)]
    assert program.symbols["tohost"] == BASE + 8
    assert program.functions == ((BASE, BASE + 8),)
    assert program.arch == "rv32i2p1_m2p0"
    assert program.where(BASE + 4) == "main+0x4"
    assert program.where(0x1000) == ""
    assert program.half(BASE + 2) == 0
    assert program.half(BASE + 12) is None
    assert program.plusargs() == ["tohost=80000008"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/bin/sh\n", "not an ELF file"),
        (elf({BASE: CODE})[:40], "damaged or cut short"),
        (elf({BASE: CODE})[:100], "damaged or cut short"),
        (elf({BASE: CODE}, machine=62), "for x86-64, not for RISC-V"),
        (elf({BASE: CODE}, machine=999), "for machine 999, not for RISC-V"),
        (elf({BASE: CODE}, bits=2), "64-bit ELF file"),
        (elf({BASE: CODE}, kind=1), "an object file, not a linked program"),
        (elf({BASE: CODE}, flags=2), "single-precision numbers in floating-point registers"),
        (elf({BASE: CODE}, 0), "no entry address"),
        (elf({BASE: CODE}, 0x1234), "entry address 0x1234 lies outside"),
        (elf({}, BASE), "nothing to load"),
        (elf({0xFFFF_FFFC: CODE}), "beyond the 32-bit address space"),
    ],
)
def test_refuses_what_cannot_run(content: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_elf(content, "bad.elf")
    assert said in str(caught.value)
    assert str(caught.value).startswith("bad.elf: ")
    assert caught.value.remedy


def test_an_entry_of_zero_is_right_where_code_lies_there() -> None:
    assert read_elf(elf({0: CODE}, 0), "rom.elf").entry == 0


def test_random_damage_is_an_error_or_a_program() -> None:
    whole = elf({BASE: CODE}, symbols={"a": BASE}, arch="rv32i2p1")
    chance = random.Random(1)
    for _ in range(2000):
        broken = bytearray(whole)
        for _ in range(3):
            broken[chance.randrange(16, len(broken))] = chance.randrange(256)
        with contextlib.suppress(ConfigError):
            read_elf(bytes(broken), "broken.elf")

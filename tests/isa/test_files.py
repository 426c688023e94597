from __future__ import annotations

from pathlib import Path

import pytest
from tiny_elf import STOP, elf, words

from flow.isa.files import read_program
from flow.model.errors import ConfigError


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_intel_hex(tmp_path: Path) -> None:
    text = ":020000048000 7A\n:0400000013000000E9\n:0400040093000000 65\n:04000005800000007 7\n:00000001FF\n"
    program = read_program(write(tmp_path, "a.hex", text.replace(" ", "")))
    assert [(s.address, s.data) for s in program.segments] == [(0x8000_0000, words(0x13, 0x93))]
    assert program.entry == 0x8000_0000


def test_verilog_hex_of_bytes_and_of_words(tmp_path: Path) -> None:
    by_bytes = read_program(write(tmp_path, "b.hex", "@80000000\n13 00 00 00\n// x\n93 00 00 00\n"))
    by_words = read_program(write(tmp_path, "w.hex", "@20000000 00000013 0000_0093"))
    for program in (by_bytes, by_words):
        assert [(s.address, s.data) for s in program.segments] == [(0x8000_0000, words(0x13, 0x93))]


def test_verilog_hex_without_address_counts_from_the_load_address(tmp_path: Path) -> None:
    program = read_program(write(tmp_path, "w.hex", "00000013\n00000093"), load_address=0x100)
    assert program.entry == 0x100


def test_binary_needs_an_address(tmp_path: Path) -> None:
    path = write(tmp_path, "a.bin", words(STOP))
    assert read_program(path, load_address=0x4000).entry == 0x4000
    assert read_program(path, load_address=0x4000, entry=0x4002).entry == 0x4002
    with pytest.raises(ConfigError, match="does not say where it is loaded"):
        read_program(path)


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.hex", ":0400000013000000EA\n", {}, "a.hex:1: this is no record"),
        ("a.hex", ":00000001FF\n", {}, "nothing to load"),
        ("a.hex", ":00000000\n", {}, "a.hex:1: this is no record"),
        ("a.hex", ":0400000013000000E9\n", {}, "cut short: it has no record that ends it"),
        ("a.hex", ":0400000013000000E9\n:0400020013000000E7\n:00000001FF\n", {}, "overlap at 0x00000002"),
        ("a.hex", "@0 00000013 @0 00000093", {}, "overlap at 0x00000000"),
        ("a.hex", "@0 123456789", {}, "its words have 9 digits"),
        ("a.hex", "@0 wxyz", {}, "'wxyz' is no hexadecimal number"),
        ("a.bin", b"", {"load_address": 0}, "the file is empty"),
        ("a.bin", b"1234", {"load_address": 0xFFFF_FFFE}, "beyond the 32-bit address space"),
        ("a.bin", b"1234", {"load_address": 1}, "entry address 0x1 is odd"),
        ("a.elf", elf({0x100: words(STOP)}, 0x101), {}, "entry address 0x101 is odd"),
        ("a.bin", b"1234", {"load_address": 0, "entry": 8}, "entry address 0x8 lies outside"),
        ("a.elf", elf({0x100: words(STOP)}), {"load_address": 0}, "says itself where it is loaded"),
        ("a.txt", b"hello", {}, "not an ELF file"),
    ],
)
def test_refusals(tmp_path: Path, name: str, content: bytes | str, options: dict, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_program(write(tmp_path, name, content), **options)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_program(tmp_path / "none.elf")

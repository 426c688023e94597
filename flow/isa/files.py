"""Programs in files: ELF, Intel hex, Verilog hex, raw binary.

Source: Intel, Hexadecimal Object File Format Specification, revision A (1988);
IEEE Std 1364-2005, 17.2.9 (``$readmemh``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from flow.isa.elf import Program, Segment, check_overlap, read_elf
from flow.model.errors import ConfigError

__all__ = ["FORMATS", "read_program"]

FORMATS = ("auto", "elf", "ihex", "verilog", "binary")
_MOST_BYTES = 512 << 20
_SUFFIXES = {
    ".hex": "verilog",
    ".vh": "verilog",
    ".mem": "verilog",
    ".ihex": "ihex",
    ".ihx": "ihex",
    ".bin": "binary",
}


def read_program(
    path: Path,
    *,
    form: str = "auto",
    load_address: int | None = None,
    entry: int | None = None,
    symbols: Mapping[str, int] | None = None,
) -> Program:
    """Return the program in a file.

    Parameters
    ----------
    path
        The file.
    form
        One of :data:`FORMATS`; ``auto`` looks at the content, then at the name.
    load_address
        Where a raw binary goes, and what addresses of a Verilog hex file
        count from.
    entry
        Address of the first instruction, instead of the file's, or of the
        first byte.
    symbols
        Addresses by name, beside those of the file, or instead.

    Raises
    ------
    ConfigError
        The file cannot be read as what it is said to be.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", path, "Name a program") from None
    if not content:
        raise ConfigError("the file is empty", path, "Name a program")
    if len(content) > _MOST_BYTES:
        raise ConfigError("the file is larger than 512 MiB", path, "Name a program, stripped if need be")
    form = _form(content, path) if form == "auto" else form
    if form == "elf":
        if load_address is not None:
            raise ConfigError(
                "an ELF file says itself where it is loaded", "--load-address", "Leave the option out"
            )
        program = read_elf(content, str(path))
    else:
        program = _plain(form, content, path, load_address, entry)
    if symbols:
        program = replace(program, symbols={**program.symbols, **symbols})
    program = program if entry is None else _entered(program, entry)
    if program.entry % 2:
        raise ConfigError(
            f"the entry address {program.entry:#x} is odd",
            path,
            "Instructions lie at even addresses: see --entry",
        )
    return program


def _form(content: bytes, path: Path) -> str:
    if content[:4] == b"\x7fELF":
        return "elf"
    if re.match(rb"\s*:[0-9A-Fa-f]{2}", content):
        return "ihex"
    if re.match(rb"\s*@[0-9A-Fa-f]+\s", content):
        return "verilog"
    return _SUFFIXES.get(path.suffix.lower(), "elf")


def _entered(program: Program, entry: int) -> Program:
    if not program.holds(entry):
        raise ConfigError(
            f"the entry address {entry:#x} lies outside everything that the program loads", "--entry",
            "Give an address of its code",
        )  # fmt: skip
    return replace(program, entry=entry)


def _plain(form: str, content: bytes, path: Path, load_address: int | None, entry: int | None) -> Program:
    start: int | None = None
    segments: tuple[Segment, ...]
    if form == "binary":
        if load_address is None:
            raise ConfigError(
                "a raw binary does not say where it is loaded", path, "Give --load-address ADDRESS"
            )
        segments = (Segment(load_address, content, len(content)),)
    elif form == "ihex":
        if load_address is not None:
            raise ConfigError(
                "an Intel hex file says itself where it is loaded", "--load-address", "Leave the option out"
            )
        segments, start = _intel(content, path)
    else:
        segments = _verilog(content, path, load_address or 0)
    for s in segments:
        if not 0 <= s.address <= s.end <= 1 << 32:
            raise ConfigError(
                f"{s.size} bytes at {s.address:#x} reach beyond the 32-bit address space", path,
                "Check the addresses, and --load-address",
            )  # fmt: skip
    first = segments[0].address if start is None else start
    return Program(name=str(path), entry=first if entry is None else entry, segments=segments)


def _joined(chunks: Iterable[tuple[int, bytes | bytearray]], path: Path) -> tuple[Segment, ...]:
    """Return chunks as segments, those that touch in one."""
    joined: list[tuple[int, bytearray]] = []
    for address, data in sorted(row for row in chunks if row[1]):
        if joined and joined[-1][0] + len(joined[-1][1]) == address:
            joined[-1][1].extend(data)
        else:
            joined.append((address, bytearray(data)))
    if not joined:
        raise ConfigError("the program has nothing to load", path, "Make it anew")
    segments = tuple(Segment(a, bytes(d), len(d)) for a, d in joined)
    check_overlap(segments, str(path))
    return segments


def _intel(content: bytes, path: Path) -> tuple[tuple[Segment, ...], int | None]:
    chunks: list[tuple[int, bytes]] = []
    base, start, ended = 0, None, False
    for number, line in enumerate(content.decode("ascii", "replace").split(), 1):
        try:
            record = bytes.fromhex(line[1:])
        except ValueError:
            record = b""
        if line[:1] != ":" or len(record) < 5 or len(record) != record[0] + 5 or sum(record) & 0xFF:
            raise ConfigError(
                "this is no record of an Intel hex file, or its checksum is wrong", f"{path}:{number}",
                "Make the file anew",
            )  # fmt: skip
        offset, kind, data = record[1] << 8 | record[2], record[3], record[4:-1]
        if kind == 0:
            chunks.append((base + offset, data))
        elif kind == 1:
            ended = True
            break
        elif kind == 2:
            base = int.from_bytes(data, "big") << 4
        elif kind == 4:
            base = int.from_bytes(data, "big") << 16
        elif kind == 5:
            start = int.from_bytes(data, "big")
    if not ended:
        raise ConfigError(
            "the file is cut short: it has no record that ends it (:00000001FF)", path, "Make the file anew"
        )
    return _joined(chunks, path), start


def _verilog(content: bytes, path: Path, origin: int) -> tuple[Segment, ...]:
    """Bytes, or words of up to 8 digits; addresses count what the tokens are."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", content.decode("ascii", "replace"), flags=re.DOTALL)
    tokens = text.split()
    digits = max((len(t.replace("_", "")) for t in tokens if not t.startswith("@")), default=0)
    if digits > 8:
        raise ConfigError(f"its words have {digits} digits; they may have up to 8", path, "Give 32-bit words")
    width = 1 if digits <= 2 else 2 if digits <= 4 else 4
    chunks = [(origin, bytearray())]
    for token in tokens:
        try:
            if token.startswith("@"):
                chunks.append((origin + int(token[1:], 16) * width, bytearray()))
            else:
                value = int(token.replace("_", ""), 16)
                chunks[-1][1].extend(value.to_bytes(width, "little"))
        except (ValueError, OverflowError):
            raise ConfigError(
                f"{token[:20]!r} is no hexadecimal number", path, "Make the file anew"
            ) from None
    return _joined(chunks, path)

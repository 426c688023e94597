"""Machine code as a list of halfwords, with labels; and ELF files of it."""

import struct
from array import array

__all__ = [
    "Code",
    "b_type",
    "elf_file",
    "i_type",
    "j_type",
    "s_type",
]

ADDI, ADD = 0x13, 0x33
_NOP = 0x13


def i_type(match: int, rd: int, rs1: int, immediate: int) -> int:
    """Return an I-format word."""
    return match | rd << 7 | rs1 << 15 | (immediate & 0xFFF) << 20


def s_type(match: int, rs1: int, rs2: int, immediate: int) -> int:
    """Return an S-format word."""
    return match | rs1 << 15 | rs2 << 20 | (immediate & 0x1F) << 7 | (immediate >> 5 & 0x7F) << 25


def b_type(match: int, rs1: int, rs2: int, offset: int) -> int:
    """Return a B-format word."""
    return (
        match
        | rs1 << 15
        | rs2 << 20
        | (offset >> 11 & 1) << 7
        | (offset >> 1 & 15) << 8
        | (offset >> 5 & 63) << 25
        | (offset >> 12 & 1) << 31
    )


def j_type(rd: int, offset: int) -> int:
    """Return JAL."""
    return (
        0x6F
        | rd << 7
        | (offset >> 12 & 0xFF) << 12
        | (offset >> 11 & 1) << 20
        | (offset >> 1 & 0x3FF) << 21
        | (offset >> 20 & 1) << 31
    )


def _cb(offset: int) -> int:
    return (
        (offset >> 8 & 1) << 12
        | (offset >> 3 & 3) << 10
        | (offset >> 6 & 3) << 5
        | (offset >> 1 & 3) << 3
        | (offset >> 5 & 1) << 2
    )


def _cj(offset: int) -> int:
    return (
        (offset >> 11 & 1) << 12
        | (offset >> 4 & 1) << 11
        | (offset >> 8 & 3) << 9
        | (offset >> 10 & 1) << 8
        | (offset >> 6 & 1) << 7
        | (offset >> 7 & 1) << 6
        | (offset >> 1 & 7) << 3
        | (offset >> 5 & 1) << 2
    )


# By the kind of an open reference: how far it reaches, and what it adds to the word.
_KINDS = {
    "branch": (4094, lambda word, offset: b_type(word, 0, 0, offset)),
    "jump": ((1 << 20) - 2, lambda word, offset: word | j_type(0, offset)),
    "c.branch": (254, lambda word, offset: word | _cb(offset)),
    "c.jump": (2046, lambda word, offset: word | _cj(offset)),
}


class Code:
    """Machine code under construction.

    Parameters
    ----------
    base
        Address of its beginning.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self.parcels: list[int] = []
        self.count = 0
        self._labels: dict[str, int] = {}
        self._open: list[tuple[str, str, int]] = []

    @property
    def pc(self) -> int:
        """Address of what is appended next."""
        return self.base + 2 * len(self.parcels)

    def word(self, word: int) -> None:
        """Append a 32-bit instruction."""
        self.parcels += (word & 0xFFFF, word >> 16 & 0xFFFF)
        self.count += 1

    def half(self, half: int) -> None:
        """Append a 16-bit instruction."""
        self.parcels.append(half)
        self.count += 1

    def insn(self, insn: int) -> None:
        """Append an instruction of either size."""
        if insn & 3 == 3:
            self.word(insn)
        else:
            self.half(insn)

    def patch(self, at: int, word: int) -> None:
        """Replace the 32-bit instruction that begins with parcel `at`."""
        self.parcels[at : at + 2] = (word & 0xFFFF, word >> 16 & 0xFFFF)

    def label(self, name: str) -> int:
        """Name this place."""
        self._labels[name] = self.pc
        return self.pc

    def address(self, name: str) -> int:
        """Return where a label is."""
        return self._labels[name]

    def refer(self, kind: str, name: str, word: int) -> None:
        """Append a branch or jump to a label that may come later.

        Parameters
        ----------
        kind
            ``branch``, ``jump``, ``c.branch``, ``c.jump``.
        name
            The label.
        word
            The instruction, its offset zero.
        """
        self._open.append((kind, name, len(self.parcels)))
        self.insn(word)

    def load_immediate(self, rd: int, value: int) -> None:
        """Append LI."""
        value &= 0xFFFF_FFFF
        low = (value & 0xFFF) - (0x1000 if value & 0x800 else 0)
        high = (value - low) & 0xFFFF_F000
        if high:
            self.word(0x37 | rd << 7 | high)
        if low or not high:
            self.word(i_type(ADDI, rd, rd if high else 0, low))

    def align(self, bytes_: int) -> None:
        """Fill up with NOPs."""
        if self.pc & 2:
            self.half(0x0001)
        while self.pc % bytes_:
            self.word(_NOP)

    def finish(self) -> bytes:
        """Return the code, with its references filled in.

        Raises
        ------
        ValueError
            A label is missing or out of reach.
        """
        for kind, name, at in self._open:
            if name not in self._labels:
                raise ValueError(f"there is no label {name!r}")
            offset = self._labels[name] - (self.base + 2 * at)
            reach, fill = _KINDS[kind]
            if not -reach <= offset <= reach:
                raise ValueError(f"label {name!r} is out of reach of a {kind}: {offset} bytes")
            word = self.parcels[at]
            wide = word & 3 == 3
            if wide:
                word |= self.parcels[at + 1] << 16
            word = fill(word, offset)
            self.parcels[at] = word & 0xFFFF
            if wide:
                self.parcels[at + 1] = word >> 16
        self._open.clear()
        return array("H", self.parcels).tobytes()


def elf_file(entry: int, segments: list[tuple[int, bytes]]) -> bytes:
    """Return a 32-bit RISC-V ELF file.

    Parameters
    ----------
    entry
        Where it begins.
    segments
        Address and contents of each.
    """
    header_bytes, segment_bytes = 52, 32
    offset = header_bytes + segment_bytes * len(segments)
    headers, contents = b"", b""
    for address, content in segments:
        size = len(content)
        headers += struct.pack("<8I", 1, offset + len(contents), address, address, size, size, 7, 4)
        contents += content + bytes(-size % 4)
    return (
        b"\x7fELF\x01\x01\x01"
        + bytes(9)
        + struct.pack(
            "<2H5I6H",
            2,
            243,
            1,
            entry,
            header_bytes,
            0,
            0,
            header_bytes,
            segment_bytes,
            len(segments),
            40,
            0,
            0,
        )
        + headers
        + contents
    )

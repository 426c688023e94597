"""Compiled networks as files: what a driver needs, in one piece.

All numbers are 32 bits, little-endian. First the header:

========  =======================================================
byte      what
========  =======================================================
0         ``SZNN``
4         version of the format, 1
8         register ``CONFIG`` of the accelerator it is for
12        CRC-32 of everything from byte 16 on
16        bytes of the file
20        byte of the file at which the image begins, a multiple of 16
24        bytes of the image: commands, then constants
28        byte of the image of the first command, for ``PROGRAM_OFFSET``
32        bytes of the region at ``BASE1``, the input
36        bytes of the region at ``BASE2``, the outputs
40        bytes of the region at ``BASE3``, scratch
44        number of tensors
48        tensors, 40 bytes each
========  =======================================================

A tensor: what it is (0 input, 1 output, 2 kept), its number in the model's
file, the byte of its region, its bytes, rows, columns, channels, how it lies
(bit 0: dense, NHWC; otherwise ``[group][y][x]`` in words of as many channels
as the array has; bit 1: ``[group][x][y]``), its scale as float32, and its zero
point, signed. The image goes to the address in ``BASE0``.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.layout import Layout

__all__ = ["MAGIC", "VERSION", "Binary", "BinaryTensor", "read_binary"]

MAGIC = b"SZNN"
VERSION = 1
_HEADER = struct.Struct("<4s11I")
_TENSOR = struct.Struct("<8Ifi")
_MOST_TENSORS = 4096
_REMEDY = "Compile the network again"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryTensor:
    """A tensor that the driver writes or reads.

    Attributes
    ----------
    kind
        0 input, 1 output, 2 kept.
    number
        Its number in the model's file.
    offset, size
        Where in its region, bytes.
    layout
        How it lies.
    scale, zero_point
        How it is quantised.
    """

    kind: int
    number: int
    offset: int
    size: int
    layout: Layout
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A compiled network.

    Attributes
    ----------
    config
        What the register ``CONFIG`` must read.
    image
        Commands and constants, for ``BASE0``.
    input_bytes, output_bytes, scratch_bytes
        Sizes of the other regions.
    tensors
        Input, outputs, and those that are kept.
    program_offset
        Byte of the image of the first command.
    """

    config: int
    image: bytes
    input_bytes: int
    output_bytes: int
    scratch_bytes: int
    tensors: tuple[BinaryTensor, ...]
    program_offset: int = 0

    def to_bytes(self) -> bytes:
        """Return the file."""
        start = -(-(_HEADER.size + _TENSOR.size * len(self.tensors)) // 16) * 16
        table = b"".join(
            _TENSOR.pack(
                t.kind, t.number, t.offset, t.size, t.layout.rows, t.layout.columns, t.layout.channels,
                t.layout.dense | t.layout.transposed << 1, t.scale, t.zero_point,
            )
            for t in self.tensors
        )  # fmt: skip
        fields = (
            start + len(self.image), start, len(self.image), self.program_offset, self.input_bytes,
            self.output_bytes, self.scratch_bytes, len(self.tensors),
        )  # fmt: skip
        rest = struct.pack("<8I", *fields) + table
        rest = rest.ljust(start - 16, b"\0") + self.image
        return struct.pack("<4s3I", MAGIC, VERSION, self.config, zlib.crc32(rest)) + rest


def read_binary(data: bytes, name: str, config: int | None = None) -> Binary:
    """Read a compiled network.

    Parameters
    ----------
    data
        The file.
    name
        What messages call it.
    config
        Register ``CONFIG`` of the accelerator that is to run it; any when ``None``.

    Raises
    ------
    CompileError
        It is no compiled network, damaged, or for another configuration.
    """
    if len(data) < _HEADER.size or data[:4] != MAGIC:
        raise CompileError(
            name, "", "it is no compiled network", "Give a file that `suzuri nn compile` wrote"
        )
    _, version, word, crc, size, start, image, program, inputs, outputs, scratch, count = _HEADER.unpack_from(
        data
    )
    if version != VERSION:
        raise CompileError(name, "byte 4", f"version {version} of the format is not {VERSION}", _REMEDY)
    if size != len(data) or zlib.crc32(data[16:]) != crc:
        raise CompileError(name, "", f"it is damaged: {len(data)} bytes, of {size}, or changed ones", _REMEDY)
    end = _HEADER.size + count * _TENSOR.size
    if count > _MOST_TENSORS or end > start or start % 16 or start + image != size or program % 16:
        raise CompileError(name, "byte 16", "its header contradicts itself", _REMEDY)
    if config is not None and config != word:
        raise CompileError(
            name, "byte 8", f"it is for the configuration {describe(word)}, not {describe(config)}",
            "Compile it for this one",
        )  # fmt: skip
    tensors = []
    for place in range(count):
        kind, number, offset, length, rows, columns, channels, lies, scale, zero = _TENSOR.unpack_from(
            data, _HEADER.size + place * _TENSOR.size
        )
        layout = Layout(
            rows=rows, columns=columns, channels=channels, dense=bool(lies & 1), transposed=bool(lies & 2)
        )
        tensors.append(
            BinaryTensor(
                kind=kind, number=number, offset=offset, size=length, layout=layout, scale=scale,
                zero_point=zero,
            )
        )  # fmt: skip
    return Binary(
        config=word, image=data[start:], input_bytes=inputs, output_bytes=outputs, scratch_bytes=scratch,
        tensors=tuple(tensors), program_offset=program,
    )  # fmt: skip


def describe(word: int) -> str:
    """Return in words what a ``CONFIG`` register says."""
    array, bus = word & 0xFF, (word >> 8 & 0xFF) * 8
    activation, weight, psum = (1 << (word >> low & 15) for low in (16, 20, 24))
    return (
        f"{array}x{array} (port {bus} bits, activations {activation} KiB, weights {weight} KiB, "
        f"{psum} partial sums)"
    )

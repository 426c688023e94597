"""Reading of FlatBuffers files that nobody vouches for.

Every offset, length and table is checked against the file before it is used,
so that a truncated or hostile file ends in a `FlatbufferError`, at a byte.
Since offsets may overlap, a small file can describe a large structure; what
has been decoded is counted, and a file that describes many times its own size
is refused.

Source: the FlatBuffers internals page, https://flatbuffers.dev/internals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flatbuffer", "FlatbufferError", "Table"]

#: How many times its own size a file may describe, and how many bytes more.
_REUSE = 16
_ALLOWANCE = 1 << 20

#: Smallest table: the offset of its vtable, and of its vtable: two lengths.
_TABLE_BYTES = 4
_VTABLE_BYTES = 4

_FORMATS = {
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "uint64": struct.Struct("<Q"),
    "float32": struct.Struct("<f"),
}
_UINT16 = struct.Struct("<H")


class FlatbufferError(ValueError):
    """The file's structure is broken: what, and at which byte."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what, position)
        self.what = what
        self.position = position

    def __str__(self) -> str:
        return f"byte {self.position}: {self.what}"


class Flatbuffer:
    """A file, and a count of what was decoded of it.

    Parameters
    ----------
    data
        The whole file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = _REUSE * len(data) + _ALLOWANCE

    def __len__(self) -> int:
        return len(self.data)

    def root(self) -> Table:
        """Return the root table.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        return Table(self, self.follow(0))

    def scalar(self, kind: str, position: int) -> int | float:
        """Return the number of type `kind` at `position`.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        form = _FORMATS[kind]
        self.claim(position, form.size)
        value: int | float = form.unpack_from(self.data, position)[0]
        return value

    def follow(self, position: int) -> int:
        """Return where the offset at `position` points to.

        Raises
        ------
        FlatbufferError
            Offset or target do not lie in the file.
        """
        target = position + int(self.scalar("uint32", position))
        if target + 4 > len(self.data):
            raise FlatbufferError(f"an offset points to byte {target} of {len(self.data)}", position)
        return target

    def claim(self, position: int, size: int) -> None:
        """Check that `size` bytes from `position` lie in the file, and count them as decoded.

        Raises
        ------
        FlatbufferError
            They do not, or far more than the file's size has been decoded.
        """
        if not 0 <= position <= len(self.data) - size:
            raise FlatbufferError(f"{size} bytes do not lie in the file of {len(self.data)}", position)
        self._left -= size
        if self._left < 0:
            raise FlatbufferError(
                "parts overlap so often that they exceed the file's size many times", position
            )


class Table:
    """A table: a record whose fields are found by number, each optional.

    Parameters
    ----------
    file
        The file.
    position
        Its first byte.

    Raises
    ------
    FlatbufferError
        It does not lie in the file.
    """

    __slots__ = ("_fields", "_file", "_size", "position")

    def __init__(self, file: Flatbuffer, position: int) -> None:
        self._file = file
        self.position = position
        vtable = position - int(file.scalar("int32", position))
        file.claim(vtable, _VTABLE_BYTES)
        length, size = (_UINT16.unpack_from(file.data, vtable + at)[0] for at in (0, 2))
        if length < _VTABLE_BYTES or length % 2 or size < _TABLE_BYTES:
            raise FlatbufferError(f"a table's layout has lengths {length} and {size}", vtable)
        file.claim(vtable, length)
        file.claim(position, size)
        self._size = size
        self._fields = struct.unpack_from(f"<{length // 2 - 2}H", file.data, vtable + _VTABLE_BYTES)

    def _find(self, field: int, size: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        if not offset:
            return None
        if offset < _TABLE_BYTES or offset + size > self._size:
            raise FlatbufferError(f"field {field} lies outside its table", self.position)
        return self.position + int(offset)

    def has(self, field: int) -> bool:
        """Return whether the field is there."""
        return field < len(self._fields) and self._fields[field] != 0

    def integer(self, field: int, kind: str = "int32", default: int = 0) -> int:
        """Return an integer of type `kind`.

        Raises
        ------
        FlatbufferError
            It lies outside the table.
        """
        position = self._find(field, _FORMATS[kind].size)
        return default if position is None else int(self._file.scalar(kind, position))

    def real(self, field: int, default: float = 0.0) -> float:
        """Return a float32.

        Raises
        ------
        FlatbufferError
            It lies outside the table.
        """
        position = self._find(field, 4)
        return default if position is None else float(self._file.scalar("float32", position))

    def _target(self, field: int) -> int | None:
        position = self._find(field, 4)
        return None if position is None else self._file.follow(position)

    def table(self, field: int) -> Table | None:
        """Return a table, or None where there is none.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        target = self._target(field)
        return None if target is None else Table(self._file, target)

    def _vector(self, field: int, item: int) -> tuple[int, int]:
        """Return a vector's first byte and its length, after a check that it lies in the file."""
        target = self._target(field)
        if target is None:
            return 0, 0
        length = int(self._file.scalar("uint32", target))
        if length * item > len(self._file) - target - 4:
            raise FlatbufferError(f"a vector claims {length} items, more than the file holds", target)
        return target + 4, length

    def length(self, field: int, item: int = 4) -> int:
        """Return how many items of `item` bytes a vector has; 0 where there is none.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        return self._vector(field, item)[1]

    def entry(self, field: int, index: int) -> Table:
        """Return the table at `index` of a vector of tables.

        Raises
        ------
        IndexError
            The vector is shorter.
        FlatbufferError
            It does not lie in the file.
        """
        start, length = self._vector(field, 4)
        if not 0 <= index < length:
            raise IndexError(index)
        return Table(self._file, self._file.follow(start + 4 * index))

    def entries(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector.

        Raises
        ------
        FlatbufferError
            One does not lie in the file.
        """
        for index in range(self.length(field)):
            yield self.entry(field, index)

    def numbers(self, field: int, dtype: str) -> NDArray[np.generic]:
        """Return a vector of numbers without copying it, read-only; `dtype` as ``<i4``.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        form = np.dtype(dtype)
        start, length = self._vector(field, form.itemsize)
        self._file.claim(start, length * form.itemsize)
        return np.frombuffer(self._file.data, form, length, start)

    def text(self, field: int, longest: int) -> str:
        """Return at most `longest` bytes of a text; bytes that are no UTF-8 become question marks.

        Raises
        ------
        FlatbufferError
            It does not lie in the file.
        """
        start, length = self._vector(field, 1)
        length = min(length, longest)
        self._file.claim(start, length)
        text = self._file.data[start : start + length].decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else "?" for letter in text)

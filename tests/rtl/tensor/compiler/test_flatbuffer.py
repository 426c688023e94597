"""The reader of FlatBuffers: what is right is read, what lies outside is refused at a byte."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rtl.tensor.compiler.flatbuffer import Flatbuffer, FlatbufferError, Table


def words(*values):
    return struct.pack(f"<{len(values)}i", *values)


def table(fields, body, after=b""):
    """A file whose root table has `fields` (offsets) and `body`; it begins at byte 4 + its vtable."""
    vtable = struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + len(body), *fields)
    vtable += bytes(-len(vtable) % 4)
    start = 4 + len(vtable)
    return words(start) + vtable + words(start - 4) + body + after


def root(data):
    return Flatbuffer(data).root()


def test_scalars_and_their_defaults():
    found = root(table([4, 0, 8, 12], words(-5) + b"\xfe\0\0\0" + struct.pack("<f", 1.5)))
    assert found.integer(0) == -5
    assert found.integer(1, default=7) == 7
    assert found.integer(99, default=8) == 8
    assert found.integer(2, "uint8") == 254
    assert found.integer(2, "int8") == -2
    assert found.real(3) == 1.5
    assert found.has(0) and not found.has(1) and not found.has(99)


def test_a_vector_is_not_copied():
    data = table([4], words(4), words(3, 10, 20, 30))
    numbers = root(data).numbers(0, "<i4")
    assert numbers.tolist() == [10, 20, 30]
    assert np.shares_memory(numbers, np.frombuffer(data, np.uint8))
    assert not numbers.flags.writeable
    assert root(data).length(0) == 3


def test_text_is_made_printable_and_cut():
    data = table([4], words(4), words(6) + "a\nbé!".encode())
    assert root(data).text(0, 100) == "a?bé!"
    assert root(data).text(0, 3) == "a?b"


def test_an_absent_vector_and_table():
    found = root(table([0], b""))
    assert found.length(0) == 0 and found.table(0) is None and list(found.entries(0)) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"byte 0: 4 bytes do not lie in the file of 0"),
        (words(100), r"byte 0: an offset points to byte 100 of 4"),
        (words(4, -100), r"byte 104: 4 bytes do not lie in the file"),
        (words(4, 100), r"byte -96: 4 bytes do not lie in the file"),
        (words(8) + struct.pack("<HH", 3, 4) + words(4), r"byte 4: a table's layout has lengths 3 and 4"),
        (words(8) + struct.pack("<HH", 400, 4) + words(4), r"byte 4: 400 bytes do not lie in the file"),
        (words(8) + struct.pack("<HH", 4, 400) + words(4), r"byte 8: 400 bytes do not lie in the file"),
    ],
)
def test_tables_outside_of_the_file(data, message):
    with pytest.raises(FlatbufferError, match=message):
        root(data)


def test_a_field_outside_of_its_table():
    with pytest.raises(FlatbufferError, match="field 0 lies outside its table"):
        root(table([8], words(1))).integer(0)
    with pytest.raises(FlatbufferError, match="field 0 lies outside its table"):
        root(table([2], words(1))).integer(0)


def test_a_vector_that_lies_about_its_length():
    for claimed in (4, 1 << 30, -1):
        found = root(table([4], words(4), words(claimed, 10, 20, 30)))
        with pytest.raises(FlatbufferError, match=r"a vector claims \d+ items, more than the file holds"):
            found.numbers(0, "<i4")


def test_an_entry_that_is_not_there():
    with pytest.raises(IndexError):
        root(table([4], words(4), words(0))).entry(0, 0)


def test_overlapping_parts_end():
    """A file that describes many times its size costs no more than that."""
    data = table([4], words(4), words(1 << 20) + bytes(4 << 20))
    file = Flatbuffer(data)
    with pytest.raises(FlatbufferError, match="parts overlap so often"):
        for _ in range(30):
            Table(file, 12).numbers(0, "<i4")

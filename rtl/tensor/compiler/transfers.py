"""Transfers of any length, in commands of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

from rtl.tensor.accelerator.commands import Transfer

__all__ = ["transfer_items"]

_T = TypeVar("_T", bound=Transfer)
#: Bytes of a row of long transfers: the longest power of two that a command takes.
_ROW = 32768


def transfer_items(base: _T, size: int, word: int) -> Iterator[_T]:
    """Yield commands that move bytes that lie one after another on both sides.

    Parameters
    ----------
    base
        Command with all but sizes.
    size
        Bytes: whole beats and whole words.
    word
        Bytes of a word of the memory on chip.
    """
    rows = size // _ROW
    if rows:
        yield dataclasses.replace(base, row_bytes=_ROW, rows=rows, stride=_ROW, pitch=_ROW // word)
    done = rows * _ROW
    if size > done:
        yield dataclasses.replace(
            base, row_bytes=size - done, rows=1, stride=0, pitch=0,
            offset=base.offset + done, address=base.address + done // word,
        )  # fmt: skip

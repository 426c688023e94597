"""What was read from large files, kept for the next step that reads the same ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["Kept"]

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Results of reading files, by what the file is and not by what it is called.

    Each step sees its own link to a file, so device, inode, size and time of
    change tell files apart. Those that were not asked for the longest are
    forgotten.

    Parameters
    ----------
    most
        Bytes of files whose results are kept; a larger file is never kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[tuple[Hashable, ...], _T] = OrderedDict()
        self._sizes: dict[tuple[Hashable, ...], int] = {}
        self._lock = threading.Lock()

    def get(self, path: Path, read: Callable[[Path], _T], *how: Hashable) -> _T:
        """Return what `read` makes of `path`, or made of the same file before.

        Parameters
        ----------
        how
            What else the result depends on.

        Raises
        ------
        OSError
            The file is not there; and whatever `read` raises.
        """
        found = path.stat()
        if found.st_size > self._most:
            return read(path)
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, *how)
        with self._lock:
            if key not in self._known:
                self._known[key] = read(path)
                self._sizes[key] = found.st_size
            self._known.move_to_end(key)
            while sum(self._sizes.values()) > self._most:
                del self._sizes[self._known.popitem(last=False)[0]]
            return self._known[key]

"""Views: file artefacts known by what is in them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Tree", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One file artefact.

    Attributes
    ----------
    name
        File name that a step sees.
    digest
        SHA-256 of the content, in hex.
    size
        Bytes.
    path
        Where a copy may be found on this machine: a hint, checked against
        the digest before use, and not part of any key.
    """

    name: str
    digest: str
    size: int
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A source tree: relative paths to views.

    A step that takes a tree names, when it is done, the files that it really
    read; only those decide whether it must run again.
    """

    files: tuple[tuple[str, View], ...]

    def get(self, relative: str) -> View | None:
        """Return the view at `relative`, or ``None``."""
        for name, view in self.files:
            if name == relative:
                return view
        return None

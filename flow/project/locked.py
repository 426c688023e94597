"""Compares what a run is about to use with ``tools.lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.model.errors import ConfigError

if TYPE_CHECKING:
    from flow.project.session import Session

__all__ = ["check_lock"]


def check_lock(session: Session, *, refuse: bool) -> list[str]:
    """Say how the tools of `session` differ from ``tools.lock``.

    Raises
    ------
    ConfigError
        `refuse` is given and there is a difference, or no lock.
    """
    from flow.lock import compare, find_lock, read_lock  # noqa: PLC0415 - a run without a lock needs none of it

    path = find_lock(session.design.root)
    if path is None:
        if refuse:
            raise ConfigError("there is no tools.lock here or above", session.design.root,
                              "Write one: suzuri lock")  # fmt: skip
        return []
    pdks = [plan.pdk for plan in session.pdks]
    found = compare(read_lock(path), list(session.tools.values()), pdks)
    # What the lock does not name is worth a word only where it must not be used.
    differences = [str(d) for d in found if refuse or d.what != "pin"]
    if differences and refuse:
        raise ConfigError(f"{len(differences)} of the tools differ: {'; '.join(differences)}", path,
                          "Install what it pins, or accept what is here: suzuri lock")  # fmt: skip
    return differences

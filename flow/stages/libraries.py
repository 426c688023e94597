"""The Liberty files of a step."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

from flow.formats.liberty import CellLibrary, LibertyError, read_liberty
from flow.model.errors import ConfigError
from flow.model.step import StepContext

__all__ = ["plain_liberty", "read_libraries"]


def liberty_inputs(ctx: StepContext, prefix: str) -> list[tuple[str, Path]]:
    """Return the inputs called `prefix` and a number, in order."""
    named = [
        (int(m.group(1) or 0), name, path)
        for name, path in ctx.inputs_matching(prefix)
        if (m := re.fullmatch(re.escape(prefix) + r"(\d*)", name))
    ]
    return [(name, path) for _, name, path in sorted(named, key=lambda item: item[0])]


def read_libraries(ctx: StepContext, prefix: str) -> CellLibrary | None:
    """Read the step's Liberty inputs called `prefix` and a number; ``None`` when it has none.

    Raises
    ------
    ConfigError
        A file cannot be read, is no Liberty file, or was cut short.
    """
    parts = []
    for _, path in liberty_inputs(ctx, prefix):
        try:
            parts.append(read_liberty(path))
        except LibertyError as error:
            raise ConfigError(
                f"Liberty file {path.name} {error}", str(path), "Install the PDK again, or name another file."
            ) from error
    return CellLibrary(parts) if parts else None


def plain_liberty(ctx: StepContext, prefix: str) -> list[tuple[str, str]]:
    """Put the step's Liberty inputs under plain names into its directory.

    Returns
    -------
    list
        ``(name in the step's directory, the user's file name)``; the names
        are safe in any script, and gzip is undone.
    """
    names = []
    for index, (_, path) in enumerate(liberty_inputs(ctx, prefix)):
        name = f"{prefix}_{index}.lib"
        target = ctx.workdir / name
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        try:
            if packed:
                with gzip.open(path, "rb") as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
            elif not target.exists():
                target.symlink_to(path)
        except (OSError, EOFError) as error:
            raise ConfigError(f"cannot be read: {error}", str(path), "Install the PDK again.") from error
        names.append((name, path.name))
    return names

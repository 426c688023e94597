"""Write a new design from its templates, all of it or nothing."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from flow.model.errors import ConfigError, InfraError
from flow.scaffold.names import check_name

__all__ = ["KINDS", "create", "render"]

#: What a design can start from; each is a folder of templates.
KINDS = ("amaranth", "verilog")

_SUFFIX = ".tmpl"
_SOURCE_ROWS = {
    "amaranth": "| `{{name}}/design.py` | the hardware, an Amaranth component |",
    "verilog": "| `rtl/{{name}}.v` | the hardware |",
}


def render(name: str, kind: str) -> dict[str, str]:
    """Return the files of a new design: relative path to content.

    Parameters
    ----------
    name
        Of the design.
    kind
        One of ``KINDS``.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no template {kind!r}; there are {', '.join(KINDS)}")
    words = {
        "source_row": _SOURCE_ROWS[kind],
        "name": name,
        "class": "".join(part[:1].upper() + part[1:] for part in name.split("_")),
    }
    templates = resources.files("flow.scaffold") / "templates"
    files: dict[str, str] = {}
    for folder in ("common", kind):
        for relative, text in _walk(templates / folder, ""):
            files[_fill(relative, words)] = _fill(text, words)
    return dict(sorted(files.items()))


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            name = entry.name.removesuffix(_SUFFIX)
            # A leading dot would hide the template from packaging.
            name = f".{name[4:]}" if name.startswith("dot_") else name
            found.append((prefix + name, entry.read_text(encoding="utf-8")))
    return found


def _fill(text: str, words: Mapping[str, str]) -> str:
    # Not string.Template: Verilog is full of dollar signs.
    for word, value in words.items():
        text = text.replace("{{" + word + "}}", value)
    return text


def create(target: Path, kind: str) -> list[Path]:
    """Write a new design at `target` and return its files.

    It is written beside its place and moved there in one step, so there is
    never half a design.

    Parameters
    ----------
    target
        The folder to make; its last part is the design's name. An empty
        folder is taken over.
    kind
        One of ``KINDS``.

    Raises
    ------
    ConfigError
        The name is not possible, something is in the way, or the parent is
        missing or cannot be written.
    InfraError
        The disk is full.
    """
    # As the user wrote it, except "." and ".." at its end.
    name = target.name if target.name not in ("", "..") else target.resolve().name
    check_name(name)
    _check_place(target)
    files = render(name, kind)
    scratch: Path | None = None
    try:
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{name}-"))
        made = scratch / name
        for relative, text in files.items():
            path = made / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        made.rename(target)
    except OSError as error:
        raise _refusal(error, target) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return [target / relative for relative in files]


def _check_place(target: Path) -> None:
    if not target.parent.is_dir():
        raise ConfigError(
            f"there is no folder {str(target.parent)!r}", target, "Make it first, or name another."
        )
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConfigError("a file of that name is there already", target, "Name another place.")
    if target.is_dir():
        try:
            inside = next(target.iterdir(), None)
        except OSError as error:
            raise _refusal(error, target) from None
        if inside is not None:
            raise ConfigError(
                f"the folder is not empty ({inside.name!r} is in it)",
                target,
                "Nothing was written; name another place.",
            )


def _refusal(error: OSError, target: Path) -> ConfigError | InfraError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InfraError("the disk is full; nothing was written", target, "Make room there.")
    if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
        return ConfigError("something was put there meanwhile; nothing was written", target)
    return ConfigError(
        f"cannot be written ({error.strerror}); nothing was",
        target,
        "Name a place where you may write.",
    )

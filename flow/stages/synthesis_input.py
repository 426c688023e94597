"""What synthesis is given: sources under names that Yosys takes, and what their errors mean."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from flow.formats.liberty import CellLibrary
from flow.model.errors import ConfigError, ToolError
from flow.model.tool import Message, Reading
from flow.stages.rtl import RtlSources
from flow.tools.yosys.log import missing_module

__all__ = ["SafeFiles", "cells_used", "check_parameters", "explain", "safe_top"]

_PLAIN = re.compile(r"^[A-Za-z0-9_./+=@%,~-]+$")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_DEFINED = re.compile(r"\bmodule\s+(?:automatic\s+|static\s+)?\\?([A-Za-z_][\w$]*)")


class SafeFiles:
    """Sources and include folders by names that are one word in a script.

    A path with blanks or other odd characters is reached by a link with a
    plain name; ``real`` turns names in messages back into the user's.

    Parameters
    ----------
    workdir
        The step's directory.
    sources
        What the step was given.
    copy
        Copy the sources instead, for a Yosys that cannot follow links out of
        its directory.
    """

    def __init__(self, workdir: Path, sources: RtlSources, copy: bool = False) -> None:
        self._workdir, self._root = workdir, sources.root
        self._real: dict[str, str] = {}
        self._count = 0
        self._base = sources.root
        if copy:
            self._base = workdir / "copied"
            shutil.copytree(sources.root, self._base, ignore=_ignore_outputs(workdir), dirs_exist_ok=True)
        self.sources = tuple(self._name(path, sources) for path in sources.files)
        folders = list(sources.include_dirs)
        # A file that is reached through a link has lost its neighbours.
        folders += [p.parent for p in sources.files if not self._plain(p)]
        self.include_dirs = tuple(dict.fromkeys(self._name(path, sources) for path in folders))

    def _relative(self, path: Path) -> str:
        with contextlib.suppress(ValueError):
            path = self._base / path.relative_to(self._root)
        return os.path.relpath(path, self._workdir)

    def _plain(self, path: Path) -> bool:
        return bool(_PLAIN.match(self._relative(path)))

    def _name(self, path: Path, sources: RtlSources) -> str:
        if not path.exists():
            raise ConfigError(
                "source file or folder is missing", sources.relative(path), "Correct 'sources'."
            )
        relative = self._relative(path)
        name = relative
        if not _PLAIN.match(relative):
            self._count += 1
            suffix = path.suffix if _PLAIN.match(path.suffix or "x") else ""
            name = f"linked_{self._count}{suffix}"
            target = (self._workdir / relative).resolve()
            link = self._workdir / name
            if self._base != self._root and target.is_file():
                shutil.copyfile(target, link)
            elif not link.is_symlink():
                link.symlink_to(target)
        self._real[name] = sources.relative(path)
        return name

    def real(self, name: str) -> str:
        """Return the user's name of a file in a message."""
        if name in self._real:
            return self._real[name]
        for alias, original in self._real.items():
            if name.startswith(alias + "/"):
                return f"{original}/{name[len(alias) + 1 :]}"
        absolute = Path(os.path.normpath(self._workdir / name))
        # Slang prints where a link leads to.
        for path, bases in (
            (absolute, (self._base, self._root)),
            (absolute.resolve(), (self._base.resolve(), self._root.resolve())),
        ):
            for base in bases:
                try:
                    return str(path.relative_to(base))
                except ValueError:
                    continue
        return name


def _ignore_outputs(workdir: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - shutil's callback
    def ignore(folder: str, names: list[str]) -> set[str]:
        return {"copied"} if Path(folder) == workdir else set()

    return ignore


def safe_top(top: str) -> str:
    """Return the top's name when it can be one.

    Raises
    ------
    ConfigError
        It is no Verilog identifier.
    """
    if not re.match(r"^[A-Za-z_][A-Za-z0-9_$]*$", top):
        raise ConfigError(f"top {top!r} is no Verilog module name", "top", "Correct 'top'.")
    return top


def cells_used(sources: RtlSources, library: CellLibrary) -> set[str]:
    """Return cells of `library` that the sources name but do not define."""
    words: set[str] = set()
    defined: set[str] = set()
    for path in sources.files:
        text = path.read_text(encoding="utf-8", errors="replace")
        words.update(_WORD.findall(text))
        defined.update(_DEFINED.findall(text))
    return {word for word in words - defined if word in library}


def check_parameters(sources: RtlSources) -> None:
    """Refuse overrides that no source ever names; slang would ignore them.

    Raises
    ------
    ConfigError
        There is one.
    """
    words: set[str] = set()
    for path in sources.files if sources.parameters else ():
        words.update(_WORD.findall(path.read_text(encoding="utf-8", errors="replace")))
    for name in sources.parameters:
        if name not in words:
            raise ConfigError(
                f"parameter that the top does not have: {name}", "parameters", "Correct 'parameters'."
            )


def _instance_place(sources: RtlSources, module: str, instance: str) -> str | None:
    """Find ``file:line`` of an instance by its module's and its own name."""
    near = re.compile(rf"\b{re.escape(module)}\b[^;]*?{re.escape(instance)}", re.DOTALL)
    for path in sources.files:
        text = path.read_text(encoding="utf-8", errors="replace")
        match = near.search(text)
        if match:
            return f"{sources.relative(path)}:{text.count(chr(10), 0, match.start()) + 1}"
    return None


def explain(reading: Reading, sources: RtlSources, log: Path) -> ConfigError | ToolError:  # noqa: PLR0911 - one return a kind of error
    """Return the error that a failed elaboration amounts to."""
    if not reading.errors:
        return ToolError("yosys", "ended without saying why", log)
    message = reading.errors[0]
    missing = missing_module(message)
    if missing:
        module, parent, cell = missing
        return ConfigError(
            f"module {module}, instantiated as {cell} in {parent}, is not defined",
            _instance_place(sources, module, cell),
            "Add the file that defines it to 'sources', or its Liberty file to the PDK's macros.",
        )
    if message.code == "missing_module":
        return ConfigError(
            f"module is not defined: {message.text}",
            message.place or None,
            "Add the file that defines it to 'sources', or its Liberty file to the PDK's macros.",
        )
    if message.code == "missing_top":
        return ConfigError(
            f"top module {sources.top} is in none of the sources", "top", "Correct 'top' or 'sources'."
        )
    if message.code == "missing_file":
        return ConfigError(
            f"file cannot be read: {message.text}", message.place or None, "Correct 'sources'."
        )
    if message.code == "parameter":
        return ConfigError(
            f"parameter that the top does not have: {message.text}", "parameters", "Correct 'parameters'."
        )
    return _other(message, log, reading.data.get("last_process"))


def _other(message: Message, log: Path, last_process: str | None) -> ConfigError | ToolError:
    if message.file is not None:
        return ConfigError(f"Yosys cannot read the RTL: {message.text}", message.place, f"See {log.name}.")
    if re.search(r"^Assert |internal error|[Aa]bort|caught signal|out of memory", message.text):
        return ToolError("yosys", message.text, log)
    return ConfigError(f"Yosys cannot elaborate the RTL: {message.text}", last_process, f"See {log.name}.")

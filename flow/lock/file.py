"""The file ``tools.lock``: find it, read it, write it."""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.lock.pins import Lock, PdkPin, ToolPin
from flow.model.errors import ConfigError, InfraError

__all__ = ["FILE", "find_lock", "read_lock", "render", "write_lock"]

FILE = "tools.lock"
FORMAT = 1

_HEADER = """\
# The tools, PDKs and Python packages that this project's results were made with.
# Written by: suzuri lock        Compared by: suzuri lock --check
# A run with --locked refuses a difference; without it, a difference is said.
# Entries of tools, PDKs and platforms that are not on the machine which writes
# are kept as they are.
"""


def find_lock(start: Path) -> Path | None:
    """Return the ``tools.lock`` nearest to `start`, there or in a folder above it."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises
    ------
    ConfigError
        There is none, or it is not one; the message names the key.
    """
    remedy = "Write it anew with: suzuri lock"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such lock", path, remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the lock cannot be read ({error})", path) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the lock is not valid TOML: {error}", path, remedy) from None
    if data.get("format") != FORMAT:
        raise ConfigError(
            f"the lock has format {data.get('format')!r}; this Suzuri reads {FORMAT}", path, remedy
        )
    reader = _Reader(path, remedy)
    tools = {
        name: ToolPin(
            name=name,
            flavour=reader.text(table, f"tool.{name}", "flavour"),
            version=reader.text(table, f"tool.{name}", "version"),
            licence=reader.text(table, f"tool.{name}", "licence"),
            digests=reader.strings(table.get("digest"), f"tool.{name}.digest"),
        )
        for name, table in reader.tables(data, "tool").items()
    }
    pdks = {
        name: PdkPin(
            name=name,
            version=reader.text(table, f"pdk.{name}", "version"),
            licence=reader.text(table, f"pdk.{name}", "licence"),
            digest=reader.text(table, f"pdk.{name}", "digest"),
        )
        for name, table in reader.tables(data, "pdk").items()
    }
    return Lock(tools=tools, pdks=pdks, packages=reader.strings(data.get("python", {}), "python"))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads typed values out of the TOML, or says which key is wrong."""

    path: Path
    remedy: str

    def wrong(self, key: str, expected: str) -> ConfigError:
        return ConfigError(f"expected {expected}", f"{self.path}: {key}", self.remedy)

    def tables(self, data: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
        table = data.get(key, {})
        if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
            raise self.wrong(key, "a table of tables")
        return table

    def text(self, table: Mapping[str, Any], place: str, key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str):
            raise self.wrong(f"{place}.{key}", "a string")
        return value

    def strings(self, table: object, place: str) -> dict[str, str]:
        if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
            raise self.wrong(place, "a table of strings")
        return table


def render(lock: Lock) -> str:
    """Return `lock` as TOML: sorted, the same for the same content, without paths of a machine."""
    lines = [_HEADER, f"format = {FORMAT}"]
    for name, pin in sorted(lock.tools.items()):
        lines += ["", f"[tool.{_key(name)}]"]
        lines += [f"{key} = {_string(getattr(pin, key))}" for key in ("flavour", "version", "licence")]
        lines += [f"digest.{_key(where)} = {_string(value)}" for where, value in sorted(pin.digests.items())]
    for name, pdk in sorted(lock.pdks.items()):
        lines += ["", f"[pdk.{_key(name)}]"]
        lines += [f"{key} = {_string(getattr(pdk, key))}" for key in ("version", "licence", "digest")]
    if lock.packages:
        lines += ["", "[python]"]
        lines += [f"{_key(name)} = {_string(version)}" for name, version in sorted(lock.packages.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def write_lock(path: Path, lock: Lock) -> bool:
    """Write `lock` at `path` in one move; return whether that changed the file.

    Raises
    ------
    InfraError
        It cannot be written.
    """
    text = render(lock)
    temporary: str | None = None
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise InfraError(
            f"the lock cannot be written ({error.strerror})", path, "Choose another place with --file."
        ) from None
    return True

"""Finds the regressions of a design again: by their ids, by how long ago they ran, or as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flow.engine.manifest import find_manifest, load_design
from flow.model.errors import ConfigError
from flow.regress.history import History
from flow.regress.model import Bucket, Regression

__all__ = ["RECORD", "Home", "Kept", "bucket_of", "read_regression", "with_notes"]

#: The file that holds a regression, in its folder.
RECORD = "regression.json"
_LATEST = re.compile(r"latest(?:~([0-9]+))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A regression, and the folder with its report, logs and waves."""

    regression: Regression
    folder: Path

    @property
    def report(self) -> Path | None:
        """Its report, if it is still there."""
        path = self.folder / "report.html"
        return path if path.is_file() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a design's regressions are kept.

    Attributes
    ----------
    design
        Its name, by which the history knows it.
    root
        Its folder.
    build
        Folder of results: each regression has one of its own below ``regress``.
    database
        The history: a file, or a URL.
    """

    design: str
    root: Path
    build: Path
    database: Path | str

    @classmethod
    def of(cls, path: Path, build: Path | None = None, database: str | None = None) -> Home:
        """Return that of the design at `path`, as ``suzuri regress`` has it.

        Raises
        ------
        ConfigError
            There is no design, or its manifest is wrong.
        """
        manifest = find_manifest(path)
        folder = (build or manifest.parent / "build").absolute()
        return cls(
            design=load_design(manifest).name,
            root=manifest.parent,
            build=folder,
            database=database or folder / "suzuri.sqlite",
        )

    @contextmanager
    def history(self) -> Iterator[History]:
        """Open the history, for a while.

        Raises
        ------
        ConfigError
            There is none: no regression ran.
        """
        if isinstance(self.database, Path) and not self.database.is_file():
            raise ConfigError("there is no regression yet", self.build, "Run one: suzuri regress")
        history = History(self.database)
        try:
            yield history
        finally:
            history.close()

    def find(self, word: str) -> Kept:
        """Return a regression.

        Parameters
        ----------
        word
            Its id or how that begins, or how the part after its dash begins;
            ``latest``, or ``latest~2`` for the one two before; or a path of
            its file or folder.

        Raises
        ------
        ConfigError
            There is none, there are several, or its file is damaged.
        """
        path = Path(word)
        if path.is_dir() or path.is_file():
            return read_regression(path)
        there = self.ids()
        if match := _LATEST.match(word):
            back = int(match[1] or 0)
            if back >= len(there):
                have = f"{len(there)} of its regressions" if there else "none"
                raise ConfigError(f"there is no regression {word}", self.build, f"The folder has {have}.")
            return self.read(there[back])
        found = [i for i in there if word and (i.startswith(word) or i.rpartition("-")[2].startswith(word))]
        if len(found) != 1:
            what = "several regressions are" if found else "there is no regression"
            remedy = f"They are: {', '.join(found[:5])}" if found else "See: suzuri regress list"
            raise ConfigError(f"{what} {word}", self.build, remedy)
        return self.read(found[0])

    def ids(self) -> list[str]:
        """Return the ids of regressions whose folders are here, newest first.

        Those that were interrupted come last, for they are not recorded.
        """
        here = {path.parent.name for path in self.build.glob(f"regress/*/{RECORD}")}
        recorded: list[str] = []
        if here and not (isinstance(self.database, Path) and not self.database.is_file()):
            with self.history() as history:
                recorded = [night.id for night, _ in history.regressions(self.design) if night.id in here]
        return [*recorded, *sorted(here - set(recorded), reverse=True)]

    def read(self, identity: str) -> Kept:
        """Return the regression of an id.

        Raises
        ------
        ConfigError
            Its folder is not here, or its file is damaged.
        """
        return read_regression(self.build / "regress" / identity)


def read_regression(path: Path) -> Kept:
    """Return the regression of a file or folder.

    Raises
    ------
    ConfigError
        There is none, or it is damaged.
    """
    path = path / RECORD if path.is_dir() else path
    try:
        return Kept(regression=Regression.from_json(json.loads(path.read_text())), folder=path.parent)
    except OSError as error:
        raise ConfigError(f"there is no regression ({error.strerror})", path) from None
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"this is no record of a regression ({error})", path) from None


def with_notes(regression: Regression, known: Mapping[str, Bucket]) -> Regression:
    """Return a regression whose buckets have the owners and notes of today."""
    return replace(
        regression,
        buckets=[
            replace(b, owner=known[b.id].owner, note=known[b.id].note) if b.id in known else b
            for b in regression.buckets
        ],
    )


def bucket_of(word: str, known: Sequence[str], where: str | Path) -> str:
    """Return the bucket whose id is `word` or begins so.

    Raises
    ------
    ConfigError
        There is none, or there are several.
    """
    found = [word] if word in known else sorted(i for i in known if word and i.startswith(word.lower()))
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"several buckets are {word}", where, f"They are: {', '.join(found[:5])}")
    remedy = "Its id is in the report: ten hexadecimal digits" if known else "No regression has failed yet"
    raise ConfigError(f"there is no bucket {word}", where, remedy)

"""A design's source trees: what its steps may read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from flow.model.design import Design
from flow.model.errors import ConfigError
from flow.model.view import Tree, View

__all__ = ["hdl_tree", "imported_modules", "python_tree"]

_MAX_FILES = 5000
_SKIPPED = {"__pycache__", "build", "node_modules", "site-packages", "sim_build"}
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_HDL = {".v", ".sv", ".vh", ".svh", ".inc", ".mem", ".hex", ".bin", ".txt"}


def hdl_tree(design: Design, view_of: Callable[[Path], View]) -> tuple[Path, Tree]:
    """Return the folder that all HDL files share, and the tree of them below it.

    Sources, whatever lies in the include folders, and the data files.
    """
    root = Path(os.path.abspath(design.root))  # noqa: PTH100 - symbolic links keep their names
    files = {_clean(root / name) for name in (*design.sources, *design.data_files)}
    for folder in design.include_dirs:
        files |= {f for f in _walk(_clean(root / folder), design) if f.suffix in _HDL}
    folders = [_clean(root / d) for d in design.include_dirs]
    base = Path(os.path.commonpath([str(root), *map(str, files), *map(str, folders)]))
    return base, _tree(base, sorted(files), view_of)


def python_tree(design: Design, view_of: Callable[[Path], View]) -> Tree:
    """Return the tree of Python files that the top and the testbenches may import."""
    base = design.python_root
    files: set[Path] = set()
    if design.python_packages:
        for name in design.python_packages:
            package = base / name
            if package.is_dir():
                files |= {f for f in _walk(package, design) if f.suffix == ".py"}
            else:
                files.add(base / f"{name}.py")
    else:
        files |= {f for f in _walk(base, design) if f.suffix == ".py"}
    for name in design.data_files:
        path = _clean(design.root / name)
        if path.is_relative_to(base):
            files.add(path)
    return _tree(base, sorted(files), view_of)


def imported_modules(tree: Tree) -> frozenset[str]:
    """Return the top-level modules that files of `tree` import from outside of it.

    By their text alone: a name too many costs a needless rerun, and what is
    imported behind a computed name is missed.
    """
    own = {name.partition("/")[0].removesuffix(".py") for name, _ in tree.files}
    found: set[str] = set()
    for name, view in tree.files:
        if name.endswith(".py") and view.path is not None:
            found.update(m.decode() for m in _IMPORT.findall(Path(view.path).read_bytes()))
    return frozenset(found - own - set(sys.stdlib_module_names))


def _clean(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _walk(folder: Path, design: Design) -> Iterator[Path]:
    count = 0
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(
            d
            for d in folders
            if d not in _SKIPPED
            and not d.startswith(".")
            and not os.path.exists(os.path.join(current, d, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - may be unreadable
        )
        for name in names:
            count += 1
            if count > _MAX_FILES:
                raise ConfigError(
                    f"{folder} holds more than {_MAX_FILES} files",
                    f"{design.manifest}: design.python_root",
                    'Name the packages that the design uses: python_packages = ["..."].',
                )
            yield Path(current) / name


def _tree(base: Path, files: list[Path], view_of: Callable[[Path], View]) -> Tree:
    return Tree(files=tuple((str(f.relative_to(base)), view_of(f)) for f in files if f.is_file()))

"""Load the bench's modules from a cache of compiled code, by content.

A step's directory is new each time, so Python's own cache, which goes by
path, never hits. Here the key is the source itself. Assertions are rewritten
by pytest's rewriter, as cocotb has it done, so that a failing ``assert`` says
what it compared.
"""

# Every import here is paid for by every simulation, so os.path serves.
# ruff: noqa: PTH100, PTH103, PTH105, PTH118, PTH123

from __future__ import annotations

import _imp
import ast
import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import marshal
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

_DIGEST = 32


class BenchLoader(importlib.machinery.SourceFileLoader):
    """Loads one source file of the bench."""

    cache: str | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code: from the cache, or compiled now."""
        path = self.get_filename(fullname)
        data = self.get_data(path)
        key = hashlib.sha256(_tag() + data).hexdigest()
        code = _cached(self.cache, key)
        if code is None:
            code = _compile(data, path)
            _keep(self.cache, key, code)
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
        return code


class BenchFinder(importlib.abc.MetaPathFinder):
    """Finds modules as Python does, and has those of the bench loaded by `BenchLoader`.

    Parameters
    ----------
    root
        Folder of the bench.
    """

    def __init__(self, root: str) -> None:
        self._roots = tuple({os.path.join(root, ""), os.path.join(os.path.realpath(root), "")})

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find `fullname` on the path."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if (
            spec is not None
            and type(spec.loader) is importlib.machinery.SourceFileLoader
            and isinstance(spec.origin, str)
            and os.path.abspath(spec.origin).startswith(self._roots)
        ):
            spec.loader = BenchLoader(fullname, spec.origin)
        return spec


def install(root: str, cache: str | None) -> None:
    """Load modules below `root` by content; keep compiled code in `cache`."""
    BenchLoader.cache = cache
    finders = sys.meta_path
    at = next((i for i, f in enumerate(finders) if f is importlib.machinery.PathFinder), len(finders))
    finders.insert(at, BenchFinder(root))


def _tag() -> bytes:
    import _pytest  # noqa: PLC0415 - cocotb has imported it by now

    version = getattr(_pytest, "__version__", "")
    return f"{sys.implementation.cache_tag} {sys.hexversion} {sys.flags.optimize} {version}\n".encode()


def _compile(data: bytes, path: str) -> CodeType:
    tree = ast.parse(data, filename=path)
    try:
        from _pytest.assertion.rewrite import rewrite_asserts  # noqa: PLC0415 - as above

        rewrite_asserts(tree, data, path)
    except Exception:  # plain assertions are better than no test
        tree = ast.parse(data, filename=path)
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


def _cached(cache: str | None, key: str) -> CodeType | None:
    if cache is None:
        return None
    try:
        with open(os.path.join(cache, key[:2], key), "rb") as stream:
            stored = stream.read()
        body = stored[_DIGEST:]
        if hashlib.sha256(body).digest() != stored[:_DIGEST]:
            return None
        code = marshal.loads(body)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _keep(cache: str | None, key: str, code: CodeType) -> None:
    if cache is None:
        return
    body = marshal.dumps(code)
    folder = os.path.join(cache, key[:2])
    temporary = os.path.join(folder, f".{key}.{os.getpid()}")
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        os.makedirs(folder, exist_ok=True)
        with open(temporary, "wb") as stream:
            stream.write(hashlib.sha256(body).digest() + body)
        os.replace(temporary, os.path.join(folder, key))

"""The content-addressed cache: blobs by digest, results by key.

Layout below the root::

    blobs/ab/<sha256>      file contents, read-only
    results/ab/<key>       sealed outcomes of successful steps
    reads/ab/<base key>    which files of its trees a step read, a list
    work/                  directories of running steps, hard links to blobs in them
    locks/                 one writer a key

Everything is written to a temporary name, flushed to the disk, and renamed;
a reader sees all of it or nothing. What is read is checked against its
digest; what fails the check is dropped and made again. A step has its inputs
as hard links: whoever may write to read-only files (root may) could change a
blob through one, so a blob is looked at again whenever its inode, size or time
of change differ from what they were when it was last checked.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from flow.engine.hashing import digest_file, digest_value
from flow.engine.record import dump_sealed, load_sealed, outcome_from_json, outcome_to_json
from flow.engine.remote import RemoteStore
from flow.model.errors import ConfigError, FlowError, InfraError
from flow.model.step import Outcome
from flow.model.view import Tree, View

__all__ = ["Cache", "default_root", "full_disk"]

_MAX_VARIANTS = 32


def default_root() -> Path:
    """Return the cache's folder: ``$SUZURI_CACHE``, or ``suzuri`` in the user's cache folder."""
    if root := os.environ.get("SUZURI_CACHE"):
        return Path(root).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "suzuri"


def full_disk(error: OSError, where: Path) -> FlowError:
    """Return the error to raise for `error`, met while writing at `where`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InfraError(
            "the disk is full",
            where,
            "Free some space (suzuri gc helps) and run the same command again: finished steps are kept.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ConfigError(
            "the cache is read-only",
            where,
            "Make it writable, or name another folder: SUZURI_CACHE=FOLDER suzuri ...",
        )
    return InfraError(f"cannot be written ({error.strerror})", where)


class Cache:
    """One cache folder, and an optional store that machines share.

    Parameters
    ----------
    root
        The folder; made when first written to.
    remote
        Where views travel between machines that share no folder.
    """

    def __init__(self, root: Path, remote: RemoteStore | None = None) -> None:
        self.root = root
        self.remote = remote
        self._seen: dict[str, tuple[int, int, int]] = {}
        #: Messages about entries that were corrupt, for the driver to show.
        self.corrupt: list[str] = []

    # -- paths ------------------------------------------------------------

    def _blob(self, digest: str) -> Path:
        return self.root / "blobs" / digest[:2] / digest

    def _result(self, key: str) -> Path:
        return self.root / "results" / key[:2] / key

    def _reads(self, base: str) -> Path:
        return self.root / "reads" / base[:2] / base

    # -- results ----------------------------------------------------------

    def lookup(self, base: str, trees: Mapping[str, Tree]) -> Outcome | None:
        """Return the outcome cached for `base` and the contents of `trees`, checked, or ``None``."""
        if not trees:
            return self.load(base)
        for reads in self.variants(base):
            if all(_tree_digest(trees, name) == digest for name, digest in reads.items()):
                outcome = self.load(final_key(base, reads))
                if outcome is not None:
                    return outcome
        return None

    def variants(self, base: str) -> list[dict[str, str]]:
        """Return the sets of files that steps with this base key have read, newest first."""
        try:
            found = load_sealed(self._reads(base).read_bytes())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise full_disk(error, self._reads(base)) from None
        return found if isinstance(found, list) else []

    def load(self, key: str) -> Outcome | None:
        """Return the outcome cached under `key` if it and all its views are intact."""
        path = self._result(key)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InfraError(f"a cache entry cannot be read ({error.strerror})", path) from None
        try:
            data = load_sealed(raw)
            outcome = None if data is None else outcome_from_json(data)
        except (ValueError, TypeError, KeyError):
            outcome = None
        if outcome is None:
            self._drop(path, f"cache entry {key[:12]} was damaged; it is dropped and rebuilt")
            return None
        for name, view in outcome.outputs.items():
            if not self.intact(view) and not self._fetch_remote(view):
                self._drop(path, f"{name} of cache entry {key[:12]} was damaged; it is dropped and rebuilt")
                return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the garbage collector drops what was not used for longest
        return outcome

    def intact(self, view: View) -> bool:
        """Whether the blob of `view` is there and has its digest; a damaged one is removed."""
        path = self._blob(view.digest)
        try:
            stamp = _stamp(path)
            if stamp[1] == view.size and digest_file(path)[0] == view.digest:
                self._seen[view.digest] = stamp
                return True
        except FileNotFoundError:
            return False
        except OSError:
            pass  # unreadable sectors count as damage
        with contextlib.suppress(OSError):
            path.unlink()
        return False

    def _sound(self, view: View) -> bool:
        """Like :meth:`intact`, but without reading a blob that nobody touched since it was last read."""
        try:
            if self._seen.get(view.digest) == _stamp(self._blob(view.digest)):
                return True
        except OSError:
            return False
        return self.intact(view)

    def altered(self, view: View) -> bool:
        """Whether the blob of `view`, which was sound, has been written to; it is removed then."""
        try:
            before, now = self._seen.get(view.digest), _stamp(self._blob(view.digest))
        except OSError:
            return False
        return before is not None and before != now and not self.intact(view)

    def publish(self, base: str, outcome: Outcome) -> None:
        """Keep `outcome`, whose views are already blobs, under its key.

        Raises
        ------
        FlowError
            The disk is full, or the cache is read-only.
        """
        self._write(self._result(outcome.key), dump_sealed(outcome_to_json(outcome)))
        if outcome.reads:
            reads = dict(outcome.reads)
            with self.locked(base):
                others = [v for v in self.variants(base) if v != reads][: _MAX_VARIANTS - 1]
                self._write(self._reads(base), dump_sealed([reads, *others]))

    def _drop(self, path: Path, message: str) -> None:
        self.corrupt.append(message)
        with contextlib.suppress(OSError):
            path.unlink()

    # -- blobs ------------------------------------------------------------

    def adopt(self, path: Path, name: str) -> View:
        """Move the file at `path`, on the cache's own file system, in as a blob."""
        try:
            digest, size = digest_file(path)
            target = self._blob(digest)
            if not self._sound(View(name=name, digest=digest, size=size)):
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
                _sync_file(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.chmod(0o555 if os.access(path, os.X_OK) else 0o444)
                path.replace(target)
                self._seen[digest] = _stamp(target)
        except OSError as error:
            raise full_disk(error, self.root) from None
        return View(name=name, digest=digest, size=size)

    def ingest(self, view: View) -> Path:
        """Copy the file that `view` points to in as a blob, and return the blob.

        Raises
        ------
        InfraError
            The file is gone or changed since its digest was taken.
        """
        target = self._blob(view.digest)
        if self._sound(view):
            return target
        if view.path is None or not Path(view.path).is_file():
            if self._fetch_remote(view):
                return target
            raise InfraError(f"{view.name} cannot be found on {socket.gethostname()}", view.path,
                             "Give workers a shared folder or object store: --store URL.")  # fmt: skip
        temporary = self._temporary(target)
        try:
            shutil.copyfile(view.path, temporary)
            if digest_file(temporary)[0] != view.digest:
                raise InfraError("changed while the run was being prepared", view.path, "Run it again.")
            temporary.chmod(0o444)
            _sync_file(temporary)
            temporary.replace(target)
            self._seen[view.digest] = _stamp(target)
        except OSError as error:
            raise full_disk(error, self.root) from None
        finally:
            temporary.unlink(missing_ok=True)
        return target

    def locate(self, view: View) -> Path:
        """Return a path on this machine with the content of `view`.

        A blob first; then the path it came from, if that still has the
        content; then the shared store.
        """
        if self._sound(view):
            return self._blob(view.digest)
        if view.path is not None:
            path = Path(view.path)
            with contextlib.suppress(OSError):
                if path.stat().st_size == view.size and digest_file(path)[0] == view.digest:
                    return path
        return self.ingest(view)

    def push(self, view: View) -> None:
        """Make sure that the shared store, if there is one, has `view`."""
        if self.remote is not None and not self.remote.has(view.digest):
            self.remote.put(view.digest, self.locate(view))

    def _fetch_remote(self, view: View) -> bool:
        if self.remote is None or not self.remote.has(view.digest):
            return False
        target = self._blob(view.digest)
        temporary = self._temporary(target)
        try:
            self.remote.get(view.digest, temporary)
            if digest_file(temporary)[0] != view.digest:
                return False
            temporary.chmod(0o444)
            temporary.replace(target)
        except OSError as error:
            raise full_disk(error, self.root) from None
        finally:
            temporary.unlink(missing_ok=True)
        return True

    # -- trees ------------------------------------------------------------

    def place_tree(self, tree: Tree, folder: Path) -> None:
        """Make `folder` with the files of `tree`: one step's own, so that no other sees its changes."""
        try:
            folder.mkdir(parents=True)
            made = {folder}
            for name, view in tree.files:
                target = folder / name
                if target.parent not in made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    made.add(target.parent)
                blob = self.ingest(view)
                try:
                    os.link(blob, target)
                except OSError:  # somebody else's file, or a file system without links
                    shutil.copyfile(blob, target)
        except OSError as error:
            raise full_disk(error, self.root) from None

    # -- writing ----------------------------------------------------------

    def _temporary(self, target: Path) -> Path:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise full_disk(error, self.root) from None
        return target.with_name(f".{target.name[:16]}.{uuid.uuid4().hex[:12]}.tmp")

    def _write(self, target: Path, content: bytes) -> None:
        temporary = self._temporary(target)
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
            finally:
                os.close(fd)
            temporary.replace(target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise full_disk(error, self.root) from None

    def make_workdir(self) -> Path:
        """Return a fresh directory for one step, on the cache's file system."""
        path = self.root / "work" / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise full_disk(error, self.root) from None
        return path

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the lock of `key`, waiting for whoever has it."""
        path = self.root / "locks" / key
        while True:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise full_disk(error, self.root) from None
            fcntl.flock(fd, fcntl.LOCK_EX)
            try:
                # Whoever held it removed the file: then this lock is of nothing.
                if os.fstat(fd).st_ino == path.stat().st_ino:
                    break
            except FileNotFoundError:
                pass
            os.close(fd)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)


def final_key(base: str, reads: Mapping[str, str]) -> str:
    """Return the key of a step with this base key that read these files."""
    return digest_value({"base": base, "reads": dict(reads)}) if reads else base


def _tree_digest(trees: Mapping[str, Tree], name: str) -> str | None:
    """Digest of ``input/relative`` in `trees`; ``None`` when it is not there."""
    tree, _, relative = name.partition("/")
    view = trees[tree].get(relative) if tree in trees else None
    return None if view is None else view.digest


def _stamp(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

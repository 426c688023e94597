"""A store of blobs that machines share: a folder or an object store, by fsspec.

fsspec comes with Dask and speaks S3, GCS, Azure, SFTP and plain folders
through one interface, so a cluster needs no shared file system.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError, InfraError

__all__ = ["RemoteStore"]


class RemoteStore:
    """Blobs by digest at an fsspec URL.

    Parameters
    ----------
    url
        ``file:///shared/folder``, ``s3://bucket/prefix``, ...

    Raises
    ------
    ConfigError
        The URL's protocol is unknown or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        import fsspec  # noqa: PLC0415 - only when a shared store is used

        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigError(
                f"the shared store cannot be used ({error})", url, "Give an fsspec URL."
            ) from None
        self._known: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return (RemoteStore, (self.url,))

    def _path(self, digest: str) -> str:
        return f"{self._root.rstrip('/')}/blobs/{digest[:2]}/{digest}"

    def has(self, digest: str) -> bool:
        """Whether the store has the blob."""
        if digest not in self._known and self._fs.exists(self._path(digest)):
            self._known.add(digest)
        return digest in self._known

    def put(self, digest: str, source: Path) -> None:
        """Upload `source` under a temporary name and rename it.

        Raises
        ------
        InfraError
            The store cannot be written.
        """
        target = self._path(digest)
        temporary = f"{target}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(source), temporary)
            self._fs.mv(temporary, target)
        except OSError as error:
            raise InfraError(f"the shared store cannot be written ({error})", self.url) from None
        self._known.add(digest)

    def get(self, digest: str, target: Path) -> None:
        """Download a blob to `target`.

        Raises
        ------
        InfraError
            The store cannot be read.
        """
        try:
            self._fs.get_file(self._path(digest), str(target))
        except OSError as error:
            raise InfraError(f"the shared store cannot be read ({error})", self.url) from None

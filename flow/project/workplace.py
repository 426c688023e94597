"""Where a request is worked on: the cache, what is known of files, and a run of a graph for its outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flow.engine.cache import Cache, default_root
from flow.engine.driver import Options, run_graph
from flow.engine.events import Listener
from flow.engine.hashing import DigestMemo
from flow.engine.provenance import new_run_id
from flow.engine.remote import RemoteStore
from flow.model.errors import ConfigError, FlowError
from flow.model.graph import Graph
from flow.model.step import Outcome
from flow.model.view import View

__all__ = ["Workplace", "step_error"]


class Workplace:
    """The user's cache, and the digests of files that are remembered beside it.

    Parameters
    ----------
    remote
        A store that the cache is shared through, if there is one.

    Attributes
    ----------
    cache
        What was made before.
    """

    def __init__(self, remote: RemoteStore | None = None) -> None:
        self.cache = Cache(default_root(), remote)
        self._memo = DigestMemo(self.cache.root / "digests.json")

    def digest(self, path: Path) -> str:
        """Return the digest of a file's content.

        Raises
        ------
        OSError
            It cannot be read.
        """
        return self._memo.digest(path)[0]

    def view(self, path: Path) -> View:
        """Return a file as an input of a step.

        Raises
        ------
        ConfigError
            It cannot be read.
        """
        try:
            digest, size = self._memo.digest(path)
        except OSError as error:
            raise ConfigError(f"cannot be read ({error.strerror})", path) from None
        return View(name=path.name, digest=digest, size=size, path=str(path))

    def save(self) -> None:
        """Remember the digests for the next time."""
        self._memo.save()

    def run(self, graph: Graph, listener: Listener, jobs: int | None = None) -> Mapping[str, Outcome]:
        """Return the outcome of each step of a graph, all of them good.

        Raises
        ------
        FlowError
            A step failed; as it said.
        KeyboardInterrupt
            The user stopped it.
        """
        options = Options(run_id=new_run_id(), keep=self.cache.root / "failed", jobs=jobs)
        outcomes = run_graph(graph, self.cache, options, listener)
        self.save()
        for step in graph:
            if not outcomes[step.name].status.ok:
                raise step_error(outcomes[step.name])
        return outcomes


def step_error(outcome: Outcome) -> FlowError:
    """Return what to raise for a step that failed."""
    error = outcome.error
    if not error:
        raise KeyboardInterrupt
    what, where, remedy = str(error.get("what") or "failed"), error.get("where"), error.get("remedy")
    if error.get("log"):
        remedy = f"{remedy.rstrip('.')}; see {error['log']}" if remedy else f"See {error['log']}"
    kind = ConfigError if error.get("type") == "ConfigError" else FlowError
    return kind(what, where, remedy)

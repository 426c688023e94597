"""The state machine of a run: outcomes in, steps that may start out. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flow.model.graph import Graph
from flow.model.step import Outcome, OutputRef, Status, Step
from flow.model.view import Tree, View

__all__ = ["Schedule"]


class Schedule:
    """Which steps may start, given what came of the others.

    Parameters
    ----------
    graph
        What is to be done.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._users = dict(graph.users())
        self._missing = {step.name: len(step.needs) for step in graph}
        self._waiting = {step.name for step in graph}
        self.outcomes: dict[str, Outcome] = {}

    @property
    def finished(self) -> bool:
        """Whether every step has an outcome."""
        return len(self.outcomes) == len(self._graph)

    def start(self) -> list[Step]:
        """Return the steps that need nothing."""
        ready = [step for step in self._graph if self._missing[step.name] == 0]
        self._waiting.difference_update(step.name for step in ready)
        return [self._resolve(step) for step in ready]

    def add(self, steps: Iterable[Step]) -> tuple[list[Step], list[str]]:
        """Take more steps, which may need those that are there.

        Returns
        -------
        tuple
            As :meth:`done` has it: the steps that may start now, and the
            names of those that never will, since what they need did not
            succeed.

        Raises
        ------
        ValueError
            Names repeat, or something needed is not there.
        """
        ready: list[Step] = []
        skipped: list[str] = []
        for step in self._graph.add(steps):
            self._users[step.name] = []
            lost = None
            missing = 0
            for need in step.needs:
                self._users[need].append(step.name)
                outcome = self.outcomes.get(need)
                if outcome is None:
                    missing += 1
                elif not outcome.status.ok:
                    lost = need
            self._missing[step.name] = missing
            if lost is not None:
                self.outcomes[step.name] = _skipped(lost, self.outcomes[lost])
                skipped.append(step.name)
            elif missing == 0:
                ready.append(self._resolve(step))
            else:
                self._waiting.add(step.name)
        return ready, skipped

    def done(self, name: str, outcome: Outcome) -> tuple[list[Step], list[str]]:
        """Take the outcome of a step.

        Returns
        -------
        tuple
            The steps that may start now, with their inputs resolved, and the
            names of those that never will and were given an outcome here.
        """
        if name in self.outcomes:
            raise ValueError(f"step {name} already has an outcome")
        self.outcomes[name] = outcome
        ready: list[Step] = []
        skipped: list[str] = []
        if outcome.status.ok:
            for user in self._users[name]:
                self._missing[user] -= 1
                if self._missing[user] == 0 and user in self._waiting:
                    self._waiting.discard(user)
                    ready.append(self._resolve(self._graph[user]))
        else:
            skipped = self._skip(name, outcome)
        return ready, skipped

    def _skip(self, name: str, outcome: Outcome) -> list[str]:
        """Give everything that waits for `name` an outcome of its own."""
        skipped: list[str] = []
        stack = list(self._users[name])
        while stack:
            user = stack.pop()
            if user not in self._waiting:
                continue
            self._waiting.discard(user)
            self.outcomes[user] = _skipped(name, outcome)
            skipped.append(user)
            stack += self._users[user]
        return skipped

    def _resolve(self, step: Step) -> Step:
        """Replace references by the views that their steps produced."""
        inputs: dict[str, View | Tree | OutputRef] = {}
        for name, item in step.inputs.items():
            if isinstance(item, OutputRef):
                view = self.outcomes[item.step].outputs.get(item.name)
                if view is not None:  # an optional output that was not made is no input
                    inputs[name] = view
            else:
                inputs[name] = item
        return replace(step, inputs=inputs)


def _skipped(need: str, outcome: Outcome) -> Outcome:
    """Outcome of a step that needs one which did not succeed."""
    cancelled = outcome.status is Status.CANCELLED
    return Outcome(
        status=Status.CANCELLED if cancelled else Status.SKIPPED,
        key="",
        error={"type": "Skipped", "what": f"{need} did not succeed", "where": None, "remedy": None},
    )

"""Graphs: steps joined by views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flow.model.step import OutputRef, Step

__all__ = ["Graph"]


class Graph:
    """Steps by name, checked when made: no cycle, no missing step or output.

    Parameters
    ----------
    steps
        In any order.

    Raises
    ------
    ValueError
        Two steps share a name, a step needs one that is not there or an
        output that it does not declare, or the steps form a cycle.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps: dict[str, Step] = {}
        for step in steps:
            if step.name in self._steps:
                raise ValueError(f"two steps are called {step.name!r}")
            self._steps[step.name] = step
        self._check_references(self._steps.values())
        self._order = self._sort(self._steps)

    def add(self, steps: Iterable[Step]) -> list[Step]:
        """Add steps, which may need those that are there, and return them in topological order.

        Raises
        ------
        ValueError
            As when a graph is made; the graph stays as it was.
        """
        new: dict[str, Step] = {}
        for step in steps:
            if step.name in self._steps or step.name in new:
                raise ValueError(f"two steps are called {step.name!r}")
            new[step.name] = step
        before = self._steps
        self._steps = {**before, **new}
        try:
            self._check_references(new.values())
            order = self._sort(new)
        except ValueError:
            self._steps = before
            raise
        self._order += order
        return [new[name] for name in order]

    def _check_references(self, steps: Iterable[Step]) -> None:
        for step in steps:
            for need in step.needs:
                if need not in self._steps:
                    raise ValueError(f"step {step.name!r} needs {need!r}, which is not in the graph")
            for name, ref in step.inputs.items():
                if isinstance(ref, OutputRef):
                    declared = {o.removesuffix("?") for o in self._steps[ref.step].outputs}
                    if ref.name not in declared:
                        raise ValueError(
                            f"step {step.name!r} takes {ref.name!r} of {ref.step!r} as {name!r}, "
                            f"which declares only {', '.join(sorted(declared)) or 'nothing'}"
                        )

    def _sort(self, steps: Mapping[str, Step]) -> list[str]:
        """Topological order, stable in the order given (Kahn); what else they need comes before them."""
        waiting = {name: sum(need in steps for need in step.needs) for name, step in steps.items()}
        users: dict[str, list[str]] = {name: [] for name in steps}
        for step in steps.values():
            for need in step.needs:
                if need in steps:
                    users[need].append(step.name)
        ready = [name for name, count in waiting.items() if count == 0]
        order: list[str] = []
        for name in ready:  # grows while it is walked
            order.append(name)
            for user in users[name]:
                waiting[user] -= 1
                if waiting[user] == 0:
                    ready.append(user)
        if len(order) != len(steps):
            rest = sorted(set(steps) - set(order))
            raise ValueError(f"these steps wait for each other: {', '.join(rest[:5])}")
        return order

    def users(self) -> Mapping[str, list[str]]:
        """For each step, the steps that need it."""
        users: dict[str, list[str]] = {name: [] for name in self._steps}
        for step in self._steps.values():
            for need in step.needs:
                users[need].append(step.name)
        return users

    def __iter__(self) -> Iterator[Step]:
        return (self._steps[name] for name in self._order)

    def __len__(self) -> int:
        return len(self._steps)

    def __contains__(self, name: object) -> bool:
        return name in self._steps

    def __getitem__(self, name: str) -> Step:
        return self._steps[name]

    def to_dot(self) -> str:
        """Return the graph in Graphviz's language."""
        lines = ["digraph flow {", "  rankdir=LR; node [shape=box, fontname=sans];"]
        lines += [f'  "{step.name}" [label="{step.label or step.name}"];' for step in self]
        lines += [f'  "{need}" -> "{step.name}";' for step in self for need in step.needs]
        return "\n".join([*lines, "}"]) + "\n"

"""Keys: what decides the result of a step, hashed.

The *base key* covers everything known before the step runs: stage and its
version, parameters, tool identities, declared outputs, and the content of
every view. A source tree is not part of it: what a step reads of a tree is
known only afterwards, so the *final key* adds the digests of the files that
were really read. Editing a file that a step never opened changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.engine.hashing import digest_value
from flow.model.step import Step
from flow.model.view import Tree, View

__all__ = ["base_key", "signature"]


def signature(step: Step) -> dict[str, Any]:
    """Return what the base key of a resolved step is made of, for explaining a change."""
    inputs: dict[str, Any] = {}
    for name, item in step.inputs.items():
        if isinstance(item, View):
            inputs[name] = [item.name, item.digest]
        elif isinstance(item, Tree):
            inputs[name] = "tree"
        else:
            raise TypeError(f"input {name} of {step.name} is not resolved")
    return {
        "stage": step.stage,
        "version": step.version,
        "params": dict(step.params),
        "tools": sorted(tool.key for tool in step.tools),
        "outputs": list(step.outputs),
        "inputs": inputs,
    }


def base_key(step: Step) -> str:
    """Return the base key of a step whose inputs are resolved."""
    return digest_value(signature(step))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say in words how two signatures differ."""
    said: list[str] = []
    if before.get("version") != after["version"] or before.get("stage") != after["stage"]:
        said.append("the stage's own code changed")
    old, new = before.get("params", {}), after["params"]
    for name in sorted(set(old) | set(new)):
        if old.get(name) != new.get(name):
            said.append(_change(f"parameter {name}", old.get(name), new.get(name)))
    if before.get("tools") != after["tools"]:
        gone = [t for t in before.get("tools", []) if t not in after["tools"]]
        come = [t for t in after["tools"] if t not in before.get("tools", [])]
        said.append(f"tool changed: {', '.join(map(_tool, gone))} to {', '.join(map(_tool, come))}")
    old, new = before.get("inputs", {}), after["inputs"]
    said += [
        f"input {name} changed" for name in sorted(set(old) | set(new)) if old.get(name) != new.get(name)
    ]
    return said


def _tool(key: str) -> str:
    name, _, version, digest = key.split("/", 3)
    return f"{name} {version} ({digest[:8]})"


def _change(what: str, old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
    shown = [repr(v) if len(repr(v)) <= 40 else "..." for v in (old, new)]
    return f"{what} changed" if "..." in shown else f"{what}: {shown[0]} is now {shown[1]}"

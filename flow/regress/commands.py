"""Commands that repeat a regression or one of its runs, from the top of another checkout."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from flow.model.design import Design
from flow.project.request import Request

if TYPE_CHECKING:
    from flow.regress.order import Order

__all__ = ["regress_command", "test_command"]


def test_command(design: Design, request: Request, test: str, seed: int) -> str:
    """Return the command that runs one test with one seed."""
    return shlex.join(["suzuri", "test", test, *_where(design), "--seed", str(seed), *_set(request)])


def regress_command(design: Design, request: Request, order: Order) -> str:
    """Return the command that runs the same tests with the same seeds."""
    choice = order.choice
    words = ["suzuri", "regress", *([choice.suite] if choice.suite else []), *_where(design)]
    for test in choice.tests:
        words += ["--test", test]
    if choice.tags:
        words += ["--tag", choice.tags]
    if order.ranked is not None:
        words += ["--ranked", order.ranked]
    elif order.fixed_seed is not None:
        words += ["--fixed-seed", str(order.fixed_seed)]
    else:
        words += ["--master-seed", str(request.master_seed)]
        words += ["--seeds", str(choice.seeds)] if choice.seeds is not None else []
    if order.coverage is not None:
        words += ["--coverage", ",".join(order.coverage) or "none"]
    return shlex.join([*words, *_set(request)])


def _where(design: Design) -> list[str]:
    """Name the design as it is called from the top of its checkout, or from here where there is none."""
    root = design.root
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), Path.cwd())
    relative = os.path.relpath(root, top)
    return [] if relative == "." else ["--design", relative]


def _set(request: Request) -> list[str]:
    return [word for k, v in request.parameters.items() for word in ("--set", f"{k}={json.dumps(v)}")]

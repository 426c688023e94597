"""Checks the axes of a sweep against what the design's top takes, before anything is evaluated."""

from __future__ import annotations

import difflib
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from flow.engine.runner import Runner
from flow.model.design import Design
from flow.model.errors import ConfigError, FlowError
from flow.model.step import Resources

__all__ = ["check_parameters"]

_CHILD = """
import dataclasses, importlib, inspect, json, sys, typing
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].partition(":")
found = getattr(importlib.import_module(module), name)
init = inspect.unwrap(found.__init__)
known = inspect.signature(init).parameters.values()
try:
    hints = typing.get_type_hints(init)
except Exception:
    hints = {}
names = [p.name for p in known if p.name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
inner = {}
for own in names:
    if dataclasses.is_dataclass(hints.get(own)):
        inner[own] = [field.name for field in dataclasses.fields(hints[own])]
anything = any(p.kind is p.VAR_KEYWORD for p in known)
print("\\n@@" + json.dumps({"names": names, "inner": inner, "anything": anything}))
"""


def check_parameters(design: Design, names: Iterable[str], where: str) -> None:
    """Refuse axes that are no parameters of the top.

    What cannot be found out (a top that takes ``**options``, sources with
    macros) is left to elaboration, which says it of each point.

    Raises
    ------
    ConfigError
        The top does not take one of `names`.
    """
    names = list(names)
    if not names:
        return
    if design.language == "verilog":
        _check_verilog(design, names, where)
    else:
        _check_python(design, names, where)


def _check_python(design: Design, names: Iterable[str], where: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "describe.log"
        argv = [sys.executable, "-c", _CHILD, str(design.python_root), design.top]
        try:
            result = Runner(Path(scratch), Resources(wall_s=60)).run(argv, log=log, env={})
        except FlowError:
            return
        last = result.text().rpartition("\n@@")[2] if result.returncode == 0 else ""
    try:
        found = json.loads(last)
    except ValueError:
        return  # elaboration says what is wrong with it
    for name in names:
        first, dot, rest = name.partition(".")
        if first not in found["names"]:
            if not found["anything"]:
                raise _unknown(name, first, found["names"], design.top, where)
        elif dot and first in found["inner"] and rest.partition(".")[0] not in found["inner"][first]:
            raise _unknown(name, rest, found["inner"][first], f"{first} of {design.top}", where)


def _check_verilog(design: Design, names: Iterable[str], where: str) -> None:
    """Look for the names in the sources: a parameter that no source mentions is none."""
    words: set[str] = set()
    declared: set[str] = set()
    folders = [design.root / name for name in design.include_dirs]
    files = [design.root / name for name in design.sources]
    files += [f for folder in folders for f in folder.glob("*") if f.suffix in (".v", ".sv", ".vh", ".svh")]
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        words |= set(re.findall(r"[A-Za-z_]\w*", text))
        declared |= set(re.findall(r"\bparameter\b[^=;]*?([A-Za-z_]\w*)\s*=", text))
    for name in names:
        if name not in words:
            raise _unknown(name, name, sorted(declared), design.top, where)


def _unknown(axis: str, name: str, known: list[str], top: str, where: str) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(known) or 'none'}."
    return ConfigError(f"{top} takes no parameter {axis!r}", f"{where}.parameters.{axis}", remedy)

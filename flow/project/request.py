"""What a user asks for, and how it changes the design."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flow.model.design import Design, FormalSpec, TestSpec, is_parameter
from flow.model.errors import ConfigError
from flow.stages.chip import PARTS

__all__ = ["PARTS", "Request", "apply", "parse_assignment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to plan or run a design.

    Attributes
    ----------
    path
        Folder of the manifest, or the manifest.
    pdks
        Names, ``("all",)``, or empty for the manifest's.
    corners
        Timing corners, the main one first; empty for the manifest's.
    recipe, hierarchy, clock_period_ns
        Override the manifest where given.
    parameters
        Override the design's parameters.
    tests
        Names of tests to run; empty for all.
    seeds
        Number of seeds of each test; ``None`` for the manifest's.
    master_seed
        Every test's seeds derive from it.
    seed
        One exact seed for every test, to repeat a run that failed.
    formal
        Names or tags of proofs to run, or ``all``; empty for those without
        the tag ``nightly``.
    parts
        Parts of the flow.
    waves
        Record waves of every test.
    skip_missing
        Leave out what needs a tool or PDK that is not installed, instead of
        refusing.
    locked
        Refuse tools and PDKs that differ from ``tools.lock``.
    jobs, scheduler, store
        Where it runs.
    force
        Names or kinds of steps to execute although they are cached.
    build
        Folder for results; ``build`` beside the manifest by default.
    database
        URL of the run database; a file in ``build`` by default.
    """

    path: Path
    pdks: tuple[str, ...] = ()
    corners: tuple[str, ...] = ()
    recipe: str | None = None
    hierarchy: str | None = None
    clock_period_ns: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    seeds: int | None = None
    master_seed: int = 1
    seed: int | None = None
    formal: tuple[str, ...] = ()
    parts: frozenset[str] = frozenset(PARTS)
    waves: bool = False
    skip_missing: bool = False
    locked: bool = False
    jobs: int | None = None
    scheduler: str | None = None
    store: str | None = None
    force: frozenset[str] = frozenset()
    build: Path | None = None
    database: str | None = None


def parse_assignment(text: str) -> tuple[str, Any]:
    """Return ``NAME=VALUE`` as a name and a TOML value; a bare word is a string.

    Raises
    ------
    ConfigError
        There is no ``=``, or no name before it.
    """
    import tomllib  # noqa: PLC0415

    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name.strip()):
        raise ConfigError(f"{text!r} is not of the form NAME=VALUE", "--set", "For example: --set rows=16")
    try:
        found = tomllib.loads(f"v = {value}")["v"]
    except (tomllib.TOMLDecodeError, RecursionError):
        found = value
    return name.strip(), found if is_parameter(found) else value


def apply(design: Design, request: Request) -> Design:
    """Return `design` with the overrides of `request`.

    Raises
    ------
    ConfigError
        An override names something that is not there, or is out of range.
    """
    tests = _select(design, request.tests)
    if request.seeds is not None:
        tests = tuple(t if t.workload else replace(t, seeds=request.seeds) for t in tests)
    try:
        synthesis = replace(
            design.synthesis,
            recipe=request.recipe or design.synthesis.recipe,
            hierarchy=request.hierarchy or design.synthesis.hierarchy,
        )
    except ValueError as error:
        raise ConfigError(str(error), "--recipe, --hierarchy") from None
    parameters = {**design.parameters, **request.parameters}
    return replace(
        design,
        tests=tests,
        formal=_select_formal(design, request.formal),
        synthesis=synthesis,
        parameters=parameters,
    )


def _select(design: Design, names: tuple[str, ...]) -> tuple[TestSpec, ...]:
    known = {t.name: t for t in design.tests}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known) or 'no test'}."
            raise ConfigError(f"there is no test {name!r}", design.manifest, remedy)
        if known[name].missing:
            raise ConfigError(
                f"the workload {name!r} cannot run: {known[name].missing}", design.manifest,
                "Its files come from there.",
            )  # fmt: skip
    if names:
        return tuple(known[n] for n in dict.fromkeys(names))
    return tuple(t for t in design.tests if not (t.workload and "nightly" in t.tags))


def _select_formal(design: Design, wanted: tuple[str, ...]) -> tuple[FormalSpec, ...]:
    if not wanted:
        return tuple(f for f in design.formal if "nightly" not in f.tags)
    known = ["all", *dict.fromkeys(name for f in design.formal for name in (f.name, *f.tags))]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}."
            raise ConfigError(f"no proof has the name or tag {name!r}", design.manifest, remedy)
    return tuple(f for f in design.formal if {"all", f.name, *f.tags} & set(wanted))

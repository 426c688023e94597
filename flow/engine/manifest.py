"""Loads ``suzuri.toml`` into a :class:`~flow.model.design.Design`.

Unknown keys are errors that suggest the right one; every message names the
file and the key.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from flow.engine.manifest_coverage import coverage_of, kinds_in
from flow.engine.manifest_sweep import sweep_of
from flow.engine.manifest_table import Table, build
from flow.model.constraint import Clock, Constraints
from flow.model.design import (
    Design,
    FormalSpec,
    IsaSpec,
    Limit,
    LintWaiver,
    PdkTarget,
    Synthesis,
    TestSpec,
    is_parameter,
)
from flow.model.errors import ConfigError
from flow.model.metric import REGISTRY, base_name
from flow.model.suite import SuiteSpec, TagExpression
from flow.model.testplan import TestplanEntry

__all__ = ["MANIFEST", "find_manifest", "load_design"]

MANIFEST = "suzuri.toml"

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_HDL_SUFFIXES = (".v", ".sv", ".vh", ".svh")
_TOP_KEYS = (
    "design", "clock", "clocks", "reset", "constraints", "synthesis", "test", "suite", "testplan",
    "workload", "formal", "lint", "limit", "pdk", "run", "isa", "sweep", "coverage",
)  # fmt: skip
_DESIGN_KEYS = (
    "name", "top", "description", "sources", "include_dirs", "defines", "python_root", "python_packages",
    "data_files", "parameters",
)  # fmt: skip


def find_manifest(path: Path) -> Path:
    """Return the manifest at `path`, a folder or the file itself.

    Raises
    ------
    ConfigError
        There is none.
    """
    candidate = path / MANIFEST if path.is_dir() else path
    if candidate.is_file():
        return candidate.resolve()
    near = sorted(p.parent for p in path.glob(f"*/{MANIFEST}"))[:3] if path.is_dir() else []
    hint = f"Did you mean {', '.join(str(p) for p in near)}? " if near else ""
    raise ConfigError(
        f"there is no {MANIFEST}",
        path,
        f"{hint}Name a folder that holds one, or start with: suzuri new NAME --from verilog",
    )


def load_design(path: Path) -> Design:
    """Load and check the manifest at `path` (a folder or the file).

    Raises
    ------
    ConfigError
        No manifest, a syntax error (with its line), an unknown or misspelt
        key, a value of the wrong type or out of range, a missing source.
    """
    manifest = find_manifest(path)
    try:
        data = tomllib.loads(manifest.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not valid TOML: {error}", manifest, "Mend the line it names.") from None
    except RecursionError:
        raise ConfigError("its values are nested too deeply", manifest, "Mend the manifest.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"this is not UTF-8 text ({error.reason} at byte {error.start})", manifest
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", manifest) from None
    root = Table(data, manifest, "")
    root.only(_TOP_KEYS)
    if "design" not in data:
        raise ConfigError(
            "the table [design] is missing", manifest, 'Add [design] with name and top = "...".'
        )
    design = root.table("design")
    design.only(_DESIGN_KEYS)
    return _design(root, design, manifest)


def _design(root: Table, design: Table, manifest: Path) -> Design:
    folder = manifest.parent
    name = design.get("name", str)
    top = design.get("top", str)
    for key, value in (("name", name), ("top", top)):
        if not value:
            raise ConfigError(f"the key {key!r} is missing", design.place(key), f'Add {key} = "..." there.')
    language = "amaranth" if ":" in top else "verilog"
    python_root = (folder / design.get("python_root", str, ".")).resolve()
    if not python_root.is_dir():
        raise ConfigError(f"there is no folder {python_root}", design.place("python_root"))
    run = root.table("run")
    run.only(("pdk",))
    lint = root.table("lint")
    lint.only(("waive",))
    values = {
        "name": name,
        "top": top,
        "language": language,
        "root": folder,
        "manifest": manifest,
        "description": design.get("description", str, ""),
        "sources": _sources(design, folder, language),
        "include_dirs": _folders(design, folder),
        "defines": _defines(design),
        "python_root": python_root,
        "python_packages": _packages(design, python_root),
        "data_files": _files(design, "data_files", folder, required=True),
        "parameters": _parameters(design),
        "constraints": _constraints(root, folder),
        "synthesis": _synthesis(root, folder),
        "tests": (
            *(_test(t) for t in root.tables("test")),
            *(_workload(t, folder) for t in root.tables("workload")),
        ),
        "suites": tuple(_suite(t) for t in root.tables("suite")),
        "testplan": tuple(_testplan(t) for t in root.tables("testplan")),
        "sweeps": tuple(sweep_of(t) for t in root.tables("sweep")),
        "formal": tuple(_formal(t) for t in root.tables("formal")),
        "lint_waivers": tuple(_waiver(t) for t in lint.tables("waive")),
        "limits": tuple(_limit(t) for t in root.tables("limit")),
        "pdks": _pdks(root),
        "default_pdks": run.strings("pdk") or ("osu018",),
        "isa": _isa(root.table("isa"), folder) if "isa" in root.data else None,
        "coverage": coverage_of(root.table("coverage")),
    }
    result: Design = build(Design, design, values)
    return result


def _files(table: Table, key: str, folder: Path, *, required: bool) -> tuple[str, ...]:
    """Expand names and patterns below `folder`, in the order given."""
    found: list[str] = []
    for pattern in table.strings(key):
        if Path(pattern).is_absolute():
            raise ConfigError(
                f"{pattern!r} is an absolute path", table.place(key), "Give paths relative to the manifest."
            )
        wild = any(c in pattern for c in "*?[")
        matches = sorted(p for p in folder.glob(pattern) if p.is_file()) if wild else [folder / pattern]
        if required and not (matches and all(p.is_file() for p in matches)):
            raise ConfigError(
                f"there is no file {pattern!r}",
                table.place(key),
                f"Looked in {folder}; mend the name or add it.",
            )
        # Not resolved: a symbolic link keeps the name its user gave it.
        found += [_relative(p, folder) for p in matches]
    return tuple(dict.fromkeys(found))


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)


def _sources(design: Table, folder: Path, language: str) -> tuple[str, ...]:
    sources = _files(design, "sources", folder, required=True)
    if language == "verilog" and not sources:
        raise ConfigError(
            f"top {design.data['top']!r} is a Verilog module, but there are no sources",
            design.place("sources"),
            'Add sources = ["rtl/*.v"], or name an Amaranth component as "package.module:Class".',
        )
    for name in sources:
        if not name.endswith(_HDL_SUFFIXES):
            raise ConfigError(
                f"{name!r} is neither Verilog nor SystemVerilog",
                design.place("sources"),
                f"Sources end in {', '.join(_HDL_SUFFIXES)}; other files belong in data_files.",
            )
    return sources


def _folders(design: Table, folder: Path) -> tuple[str, ...]:
    names = design.strings("include_dirs")
    for name in names:
        if not (folder / name).is_dir():
            raise ConfigError(f"there is no folder {name!r}", design.place("include_dirs"))
    return names


def _packages(design: Table, python_root: Path) -> tuple[str, ...]:
    names = design.strings("python_packages")
    for name in names:
        if not (python_root / name).is_dir() and not (python_root / f"{name}.py").is_file():
            raise ConfigError(
                f"there is no package {name!r} in {python_root}", design.place("python_packages")
            )
    return names


def _defines(design: Table) -> dict[str, str]:
    table = design.table("defines")
    return {name: str(table.get(name, (str, int, float))) for name in table.data}


def _parameters(table: Table) -> dict[str, Any]:
    values = table.table("parameters")
    for name, value in values.data.items():
        if not is_parameter(value):
            raise ConfigError(
                f"{value} cannot be a parameter",
                values.place(name),
                "Give a number, true or false, text, or a list or table of these.",
            )
    return dict(values.data)


def _clock(table: Table) -> Clock:
    table.only(tuple(f.name for f in fields(Clock)))
    values: dict[str, Any] = {}
    port = table.get("port", (str, bool), "clk")
    if port is True:
        raise ConfigError("port is a name, or false for a virtual clock", table.place("port"))
    values["port"] = port or None
    for key in ("period_ns", "uncertainty_ns"):
        value = table.get(key, (int, float))
        if value is not None:
            values[key] = float(value)
    clock: Clock = build(Clock, table, values)
    return clock


def _constraints(root: Table, folder: Path) -> Constraints:
    table = root.table("constraints")
    table.only(("input_delay", "output_delay", "load_pf", "driving_cell", "max_fanout", "sdc"))
    reset = root.table("reset")
    reset.only(("port",))
    if "clock" in root.data and "clocks" in root.data:
        raise ConfigError("give [clock] or [[clocks]], not both", root.place("clocks"))
    clocks = tuple(_clock(t) for t in root.tables("clocks")) or (_clock(root.table("clock")),)
    values: dict[str, Any] = {"clocks": clocks, "reset": reset.get("port", str)}
    for key in ("input_delay", "output_delay", "load_pf"):
        value = table.get(key, (int, float))
        if value is not None:
            values[key] = float(value)
    for key, kind in (("driving_cell", str), ("max_fanout", int), ("sdc", str)):
        value = table.get(key, kind)
        if value is not None:
            values[key] = value
    if "sdc" in values and not (folder / values["sdc"]).is_file():
        raise ConfigError(f"there is no file {values['sdc']!r}", table.place("sdc"))
    constraints: Constraints = build(Constraints, table, values)
    return constraints


def _synthesis(root: Table, folder: Path) -> Synthesis:
    table = root.table("synthesis")
    table.only(tuple(f.name for f in fields(Synthesis)))
    keys = ("recipe", "hierarchy", "abc_script", "memories")
    values: dict[str, Any] = {key: table.get(key, str) for key in keys if key in table.data}
    if "outside_bits" in table.data:
        values["outside_bits"] = table.get("outside_bits", int)
    values["dont_use"] = table.strings("dont_use")
    script = values.get("abc_script")
    if script and not (folder / script).is_file():
        raise ConfigError(f"there is no file {script!r}", table.place("abc_script"))
    synthesis: Synthesis = build(Synthesis, table, values)
    return synthesis


_WORKLOAD_KEYS = ("name", "module", "testcase", "simulator", "plusargs", "env", "timeout_s", "tags")


def _workload(table: Table, folder: Path) -> TestSpec:
    """Read a workload: a test of one seed and the design's own parameters, with files from anywhere."""
    table.only((*_WORKLOAD_KEYS, "files"))
    files, missing = _named_files(table, folder)
    plain = {key: value for key, value in table.data.items() if key != "files"}
    test = _test(Table(plain, table.file, table.key))
    values = {"workload": True, "activity": True, "files": files, "missing": missing}
    made: TestSpec = build(partial(replace, test), table, values)
    return made


def _named_files(table: Table, folder: Path) -> tuple[tuple[Path, ...], str]:
    """Return the files of a workload, and why one is not there; ``${NAME}`` is a variable's value."""
    files: list[Path] = []
    for text in table.strings("files"):
        unset = [name for name in _VARIABLE.findall(text) if not os.environ.get(name)]
        if unset:
            return (), f"the environment variable {unset[0]} is not set"
        path = folder / _VARIABLE.sub(lambda match: os.environ[match[1]], text)
        if not path.is_file():
            if not _VARIABLE.search(text):
                raise ConfigError(f"there is no file {text!r}", table.place("files"))
            return (), f"there is no file {path}"
        if any(path.name == other.name for other in files):
            raise ConfigError(f"two files are called {path.name!r}", table.place("files"))
        files.append(path.absolute())
    return tuple(files), ""


def _test(table: Table) -> TestSpec:
    table.only(tuple(f.name for f in fields(TestSpec) if f.name not in ("workload", "files", "missing")))
    for key in ("name", "module"):
        if not table.get(key, str):
            raise ConfigError(f"the key {key!r} is missing", table.place(key), f'Add {key} = "..." there.')
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str, "module": str, "testcase": str, "simulator": str, "seeds": int,
        "timeout_s": (int, float), "waves": bool, "activity": bool, "weight": (int, float), "owner": str,
    }  # fmt: skip
    values: dict[str, Any] = {k: table.get(k, kind) for k, kind in kinds.items() if k in table.data}
    for key in ("xfail", "quarantine"):
        if key in table.data:
            values[key] = _reason(table, key)
    for key in ("plusargs", "tags"):
        values[key] = table.strings(key)
    values["parameters"] = _parameters(table)
    values["env"] = {k: str(v) for k, v in table.table("env").data.items()}
    values["coverage"] = kinds_in(table, "coverage")
    test: TestSpec = build(TestSpec, table, values)
    return test


def _reason(table: Table, key: str) -> str:
    """Return what `key` says, which must be a reason."""
    reason: str = table.get(key, str).strip()
    if not reason:
        raise ConfigError("a reason is required", table.place(key), f'Say why: {key} = "..."')
    return reason


def _suite(table: Table) -> SuiteSpec:
    table.only(tuple(f.name for f in fields(SuiteSpec)))
    if not table.get("name", str):
        raise ConfigError("the key 'name' is missing", table.place("name"), 'Add name = "..." there.')
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str, "seeds": int, "runs": int, "timeout_factor": (int, float), "description": str,
    }  # fmt: skip
    values: dict[str, Any] = {k: table.get(k, kind) for k, kind in kinds.items() if k in table.data}
    values["tests"] = table.strings("tests")
    values["coverage"] = kinds_in(table, "coverage")
    if "tags" in table.data:
        values["tags"] = build(TagExpression, Table({}, table.file, f"{table.key}.tags"),
                                {"text": table.get("tags", str)})  # fmt: skip
    suite: SuiteSpec = build(SuiteSpec, table, values)
    return suite


def _testplan(table: Table) -> TestplanEntry:
    table.only(tuple(f.name for f in fields(TestplanEntry)))
    if not table.get("name", str):
        raise ConfigError("the key 'name' is missing", table.place("name"), 'Add name = "..." there.')
    values: dict[str, Any] = {k: table.get(k, str) for k in ("name", "requirement") if k in table.data}
    values |= {key: table.strings(key) for key in ("tests", "bins", "code")}
    entry: TestplanEntry = build(TestplanEntry, table, values)
    return entry


def _formal(table: Table) -> FormalSpec:
    table.only(tuple(f.name for f in fields(FormalSpec)))
    if not table.get("name", str):
        raise ConfigError("the key 'name' is missing", table.place("name"), 'Add name = "..." there.')
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str, "top": str, "mode": str, "depth": int, "solver": str, "timeout_s": (int, float),
    }  # fmt: skip
    values: dict[str, Any] = {k: table.get(k, kind) for k, kind in kinds.items() if k in table.data}
    values["tags"] = table.strings("tags")
    values["parameters"] = _parameters(table)
    spec: FormalSpec = build(FormalSpec, table, values)
    return spec


def _isa(table: Table, folder: Path) -> IsaSpec:
    table.only(tuple(f.name for f in fields(IsaSpec)))
    kinds: dict[str, type] = {
        "harness": str, "runtime": str, "wrapper": str, "arch": str, "reset_vector": int,
        "reset_parameter": str,
    }  # fmt: skip
    values: dict[str, Any] = {k: table.get(k, kind) for k, kind in kinds.items() if k in table.data}
    for key in ("harness", "runtime"):
        if key in values and not (folder / values[key]).is_dir():
            raise ConfigError(f"there is no folder {values[key]!r}", table.place(key))
    if "wrapper" in values and not (folder / values["wrapper"]).is_file():
        raise ConfigError(f"there is no file {values['wrapper']!r}", table.place("wrapper"))
    values["parameters"] = _parameters(table)
    spec: IsaSpec = build(IsaSpec, table, values)
    return spec


def _waiver(table: Table) -> LintWaiver:
    table.only(tuple(f.name for f in fields(LintWaiver)))
    values = {key: table.get(key, str) for key in ("rule", "reason", "file", "match") if key in table.data}
    for key in ("rule", "reason"):
        if key not in values:
            raise ConfigError(
                f"the key {key!r} is missing", table.place(key), "A waiver names a rule and why."
            )
    lines = table.get("lines", (list, int))
    if lines is not None:
        pair = [lines, lines] if isinstance(lines, int) else lines
        if len(pair) != 2 or not all(type(n) is int for n in pair):
            raise ConfigError(f"expected [first, last], found {lines!r}", table.place("lines"))
        values["lines"] = (pair[0], pair[1])
    waiver: LintWaiver = build(LintWaiver, table, values)
    return waiver


def _limit(table: Table) -> Limit:
    table.only(("metric", "min", "max"))
    metric = table.get("metric", str)
    if not metric:
        raise ConfigError("the key 'metric' is missing", table.place("metric"))
    known = sorted(d.name for d in REGISTRY)
    near = difflib.get_close_matches(base_name(metric), known, n=1, cutoff=0.7)
    if near and REGISTRY.get(metric) is None:
        raise ConfigError(
            f"there is no metric {metric!r}", table.place("metric"), f"Did you mean {near[0]!r}?"
        )
    bounds = {key: table.get(key, (int, float)) for key in ("min", "max")}
    limit: Limit = build(Limit, table, {"metric": metric, **bounds})
    return limit


def _pdks(root: Table) -> dict[str, PdkTarget]:
    table = root.table("pdk")
    targets: dict[str, PdkTarget] = {}
    for name in table.data:
        entry = table.table(name)
        entry.only(("clock_period_ns", "corners", "limit"))
        period = entry.get("clock_period_ns", (int, float))
        if period is not None and period <= 0:
            raise ConfigError(f"must be positive, not {period}", entry.place("clock_period_ns"))
        targets[name] = PdkTarget(
            name=name,
            clock_period_ns=None if period is None else float(period),
            corners=entry.strings("corners"),
            limits=tuple(_limit(t) for t in entry.tables("limit")),
        )
    return targets

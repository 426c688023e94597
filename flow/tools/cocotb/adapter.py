"""Find cocotb, and plan the run of a simulator under it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import Command, ToolIdentity
from flow.tools._probe import file_digest, remembered

__all__ = ["COCOTB", "CocotbAdapter", "Installation", "SimRun", "run_command", "simside_dir"]

_INSTALL = "Install it with 'pip install \"cocotb>=2.1,<3\"'"
#: What benches are usually built on: their versions decide results as well.
_BENCH_PACKAGES = ("pyuvm", "numpy", "pytest", "cocotb-bus", "cocotb-coverage", "pyvsc", "cocotbext-axi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where the parts of cocotb are on this machine.

    Attributes
    ----------
    python
        The interpreter whose packages the bench imports.
    libpython
        The shared library that the simulator loads.
    libs
        Folder of cocotb's simulator libraries.
    module
        cocotb's extension module, which the simulator starts.
    main
        cocotb's main program for Verilator.
    """

    python: str
    libpython: str
    libs: Path
    module: Path
    main: Path


class CocotbAdapter:
    """cocotb in the environment of the running Python."""

    name = "cocotb"
    minimum_version = (2, 1)
    licence = "BSD-3-Clause"

    def detect(self) -> ToolIdentity:
        """Find cocotb.

        Raises
        ------
        ConfigError
            It is missing or too old, or Python has no shared library.
        """
        try:
            version = importlib.metadata.version("cocotb")
        except importlib.metadata.PackageNotFoundError:
            raise ConfigError("cocotb is not installed in this Python", "cocotb", _INSTALL) from None
        if tuple(int(n) for n in version.split(".")[:2] if n.isdigit()) < self.minimum_version:
            raise ConfigError(f"cocotb {version} is older than 2.1", "cocotb", _INSTALL)
        installation = self.locate()
        parts = [sys.version.split()[0], version, file_digest(installation.module)]
        parts += [f"{name}={_version_of(name)}" for name in _BENCH_PACKAGES]
        return ToolIdentity(
            name=self.name,
            flavour="wheel",
            version=version,
            digest=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
            path=sys.executable,
            licence=self.licence,
        )

    def locate(self) -> Installation:
        """Return where cocotb is on this machine.

        Raises
        ------
        ConfigError
            It is not installed, or Python has no shared library.
        """
        spec = importlib.util.find_spec("cocotb")
        folders = list(spec.submodule_search_locations or ()) if spec else []
        if not folders:
            raise ConfigError("cocotb is not installed in this Python", "cocotb", _INSTALL)
        base = Path(folders[0])
        module = next(iter(sorted(base.glob("simulator.*.so"))), None)
        if module is None:
            raise ConfigError(f"cocotb in {base} has no simulator module", "cocotb", _INSTALL)
        libpython = remembered(sys.executable, f"libpython-{sys.prefix}", _find_libpython)
        if not libpython:
            raise ConfigError(
                f"{sys.executable} has no shared library libpython, which simulators load",
                "cocotb",
                "Install 'libpython3-dev', or a Python built with --enable-shared",
            )
        return Installation(
            python=sys.executable,
            libpython=libpython,
            libs=base / "libs",
            module=module,
            main=base / "share" / "lib" / "verilator" / "verilator.cpp",
        )


def _find_libpython() -> str:
    import find_libpython  # noqa: PLC0415 - slow, and its answer is remembered

    return find_libpython.find_libpython() or ""


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "-"


COCOTB = CocotbAdapter()


def simside_dir() -> Path:
    """Return the folder of the code that runs inside the simulator's Python."""
    return Path(__file__).resolve().parents[2] / "simside"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimRun:
    """One start of a simulator: which tests, with which seeds.

    Attributes
    ----------
    modules
        Python modules of cocotb tests.
    top
        The HDL top, as cocotb looks it up.
    bench_root
        Folder that the modules are imported from.
    seeds
        One 64-bit seed a run. Several run in one process, each in a fork of
        its own, in the folders ``run_0``, ``run_1`` ...
    testcase
        Regular expression that selects tests, or ``None``.
    parameters
        What the bench may know of the design, as JSON in
        ``SUZURI_PARAMETERS``.
    env
        The user's own variables.
    timeout_s
        Limit of each run, when there are several.
    code_cache
        Folder of compiled bench modules, by content.
    trust_inertial_writes
        Whether the simulator applies writes in the right region by itself,
        as Verilator does.
    """

    modules: tuple[str, ...]
    top: str
    bench_root: Path
    seeds: tuple[int, ...]
    testcase: str | None = None
    parameters: Mapping[str, object] | None = None
    env: Mapping[str, str] | None = None
    timeout_s: float = 300.0
    code_cache: Path | None = None
    trust_inertial_writes: bool = False

    def __post_init__(self) -> None:
        if not self.modules or not self.seeds:
            raise ValueError("a simulation needs a module and a seed")
        for seed in self.seeds:
            if not 0 <= seed < 1 << 64:
                raise ValueError(f"seed {seed} is not a 64-bit number")


def run_command(
    run: SimRun,
    where: Installation,
    argv: Sequence[str],
    *,
    workdir: Path,
    log: str,
    wall_s: float,
    log_mb: int = 64,
) -> Command:
    """Return the command that starts `argv`, a simulator, under cocotb.

    It writes ``results.xml`` and ``record.jsonl`` (what happened, and what
    was read; see ``flow/simside``) in the step's directory, or for several
    seeds one ``results.xml`` in each folder.

    Parameters
    ----------
    run
        What to run.
    where
        cocotb on this machine.
    argv
        The simulator's command.
    workdir
        The step's directory.
    log
        Name of the log.
    wall_s
        Limit of the whole process.
    log_mb
        Limit of what each of several runs may print.
    """
    user = dict(run.env or {})
    search = [str(run.bench_root), str(simside_dir()), *user.pop("PYTHONPATH", "").split(os.pathsep)]
    libraries = [
        str(where.libs),
        *(user.pop("LD_LIBRARY_PATH", "") or os.environ.get("LD_LIBRARY_PATH", "")).split(os.pathsep),
    ]
    spec = {
        "root": str(run.bench_root),
        "record": str(workdir / "record.jsonl"),
        "modules": list(run.modules),
        "seeds": list(run.seeds),
        "timeout_s": run.timeout_s,
        "log_mb": log_mb,
        "code_cache": str(run.code_cache) if run.code_cache else None,
    }
    env = {
        "COCOTB_ANSI_OUTPUT": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "SUZURI_COVERAGE_FILE": "functional_coverage.json",
        "SUZURI_PARAMETERS": json.dumps(dict(run.parameters or {}), sort_keys=True),
        **({"COCOTB_TRUST_INERTIAL_WRITES": "1"} if run.trust_inertial_writes else {}),
        **user,
        "COCOTB_RANDOM_SEED": str(run.seeds[0]),
        "COCOTB_RESULTS_FILE": "results.xml",
        "COCOTB_TEST_MODULES": ",".join(run.modules),
        "COCOTB_TOPLEVEL": run.top,
        "GPI_USERS": f"{where.libpython};{where.module},initialize",
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "PYGPI_PYTHON_BIN": where.python,
        "PYGPI_USERS": ",".join(
            (
                "suzuri_simside:start",
                "cocotb.logging:_configure",
                "cocotb._init:init_package_from_simulation",
                "suzuri_simside:run",
            )
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        "SUZURI_SIM": "sim.json",
        "TOPLEVEL_LANG": "verilog",
    }
    if run.testcase is not None:
        env["COCOTB_TEST_FILTER"] = run.testcase
    return Command(
        argv=tuple(argv), env=env, files={"sim.json": json.dumps(spec, indent=1)}, log=log, wall_s=wall_s
    )

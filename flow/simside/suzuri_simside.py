"""What cocotb calls in the simulator's Python: before it starts, and instead of its own run.

``SUZURI_SIM`` names a JSON file: ``root`` of the bench, the ``record`` to
append to, ``modules``, ``seeds``, ``timeout_s``, ``code_cache``.

Several seeds share one start: the process forks once for each, after the
simulator and cocotb are up and before any module of the bench is imported.
Each run so has a simulator of its own, in which nothing has happened yet;
one that crashes or hangs concerns no other.
"""

# Every import here is paid for by every simulation, so os.path serves.
# ruff: noqa: PTH100, PTH103, PTH109, PTH123

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import sys
import time
import traceback
from typing import Any

import suzuri_simload  # type: ignore[import-not-found]  # beside this file, on PYTHONPATH
import suzuri_simtrace  # type: ignore[import-not-found]

_spec: dict[str, Any] = {}
_trace: suzuri_simtrace.Trace | None = None


def start() -> None:
    """Read the specification and watch what is read; cocotb's first entry point."""
    global _trace  # noqa: PLW0603 - one simulator a process
    with open(os.environ["SUZURI_SIM"], encoding="utf-8") as stream:
        _spec.update(json.load(stream))
    _trace = suzuri_simtrace.Trace(_spec["root"], _spec["record"])
    _trace.install()
    # Looking for garbage in a process that ends costs a quarter of a short run.
    atexit.register(gc.freeze)


def run() -> None:
    """Run the tests; cocotb's last entry point."""
    if "COCOTB_REWRITE_ASSERTION_FILES" not in os.environ:  # the user's choice, when there is one
        os.environ["COCOTB_REWRITE_ASSERTION_FILES"] = ""
        suzuri_simload.install(_spec["root"], _spec["code_cache"])
    seeds = _spec["seeds"]
    if len(seeds) == 1:
        _run_tests(seeds[0])
        return
    importlib.import_module("cocotb.regression")
    for index, seed in enumerate(seeds):
        if _fork(index, seed):
            _reseed(seed)
            _run_tests(seed)
            return
    _flush()
    os._exit(0)  # the runs have happened in the forks


def _run_tests(seed: int) -> None:
    """Import the bench, and hand over to cocotb."""
    assert _trace is not None
    for name in ("COCOTB_RESULTS_FILE", "SUZURI_COVERAGE_FILE"):  # a bench may change the directory
        os.environ[name] = os.path.abspath(os.environ[name])
    names: list[str] = []
    for module in _spec["modules"]:
        try:
            names += _tests_of(importlib.import_module(module))
        except BaseException as error:
            _trace.write(event="error", module=module, **_describe(error))
            raise
    _trace.write(event="tests", names=names)
    # A bench may change the directory; what the simulator writes at its end belongs into this one.
    atexit.register(os.chdir, os.getcwd())
    # Not called when a bench ends the process by itself, whatever results it leaves behind.
    atexit.register(_trace.write, event="end", seed=seed)
    if len(_spec["seeds"]) > 1:
        _trace.write(event="modules", names=_foreign_modules())
    regression = importlib.import_module("cocotb.regression")
    try:
        regression._run_regression()
    except BaseException as error:
        _trace.write(event="error", module=",".join(_spec["modules"]), **_describe(error))
        raise


def _tests_of(module: Any) -> list[str]:  # noqa: ANN401 - a bench's module
    """Return the full names of the tests in `module`, for messages about filters."""
    from cocotb._decorators import Test, TestGenerator  # noqa: PLC0415 - cocotb is up only now

    names = []
    for name, item in vars(module).items():
        if isinstance(item, Test):
            names.append(item.fullname)
        elif isinstance(item, TestGenerator):
            names.append(f"{module.__name__}.{name}")
    return names


def _describe(error: BaseException) -> dict[str, Any]:
    """Say what `error` is, and where in the bench it came from."""
    assert _trace is not None
    file, line = "", None
    if isinstance(error, SyntaxError) and error.filename:
        file, line = _trace.inside(error.filename) or error.filename, error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            inside = _trace.inside(frame.filename)
            if inside is not None:
                file, line = inside, frame.lineno
    return {
        "kind": type(error).__name__,
        "message": str(error)[:4000],
        "file": file,
        "line": line,
        "traceback": "".join(traceback.format_exception(error))[-8000:],
    }


def _fork(index: int, seed: int) -> bool:
    """Fork for one run; return whether this is the child. The parent waits for it first."""
    assert _trace is not None
    folder = os.path.abspath(f"run_{index}")
    os.makedirs(folder, exist_ok=True)
    _flush()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        log = os.open("sim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        limit = _spec["log_mb"] << 20  # the runner watches only the log of the whole process
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return True
    timed_out = not _wait(child, _spec["timeout_s"])
    if timed_out:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    _trace.write(
        event="fork",
        index=index,
        seed=seed,
        returncode=os.waitstatus_to_exitcode(status),
        timed_out=timed_out,
        wall_s=round(time.monotonic() - began, 4),
    )
    if index == 0:
        _share_imports()
    return False


def _wait(child: int, timeout_s: float) -> bool:
    """Wait until `child` has ended; return whether it did in time."""
    descriptor = os.pidfd_open(child)
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def _share_imports() -> None:
    """Import here what the first run imported from installed packages, so that the others need not."""
    names: list[str] = []
    with open(_spec["record"], encoding="utf-8", errors="replace") as stream:
        for line in stream:
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("event") == "modules":
                    names = entry["names"]
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _foreign_modules() -> list[str]:
    """Return the loaded modules that lie in installed packages, not in the bench."""
    assert _trace is not None
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and "site-packages" in file and _trace.inside(file) is None:
            found.append(name)
    return found


def _reseed(seed: int) -> None:
    """Start this run as cocotb would have started with `seed`."""
    import cocotb  # noqa: PLC0415 - cocotb is up only now

    os.environ["COCOTB_RANDOM_SEED"] = str(seed)
    cocotb.RANDOM_SEED = seed
    random.seed(seed)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()

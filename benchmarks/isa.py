"""(f) Programs on a core: simulated clocks a second, against the same system in Icarus Verilog."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import REPOSITORY, Row, environment, suzuri

__all__ = ["measure"]

_KERNELS = REPOSITORY / "verif" / "programs" / "kernels"
_CORE = "small"
_GOAL = 2_000_000
_TRACED_GOAL = 300_000


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield a row without and one with the commit trace.

    Every rate is of what a longer run adds to a short one, so that neither
    building nor starting counts.
    """
    env = environment(cache)
    short, middle, long = (_program(scratch, env, n) for n in (1, 8, 60))
    plain = _rate(env, short, long)
    icarus = _icarus_rate(env, short)
    traced = _rate(env, short, middle, "--trace", str(scratch / "trace"))
    yield Row(
        name=f"(f) program on {_CORE}, Verilator",
        value=f"{plain / 1e6:.2f} million clocks/s",
        against=f"Icarus Verilog {icarus / 1e3:.0f} thousand",
        ratio=f"{plain / icarus:.0f}",
        goal=f"{_GOAL / 1e6:.0f} million",
        met=plain >= _GOAL,
    )
    yield Row(
        name="    with its commit trace as text",
        value=f"{traced / 1e3:.0f} thousand clocks/s",
        against="without",
        ratio=f"{traced / plain:.2f}",
    )
    raw = _raw_rate(env, short, long, scratch)
    yield Row(
        name="    with its commit trace, binary",
        value=f"{raw / 1e3:.0f} thousand clocks/s",
        against="without",
        ratio=f"{raw / plain:.2f}",
        goal=f"{_TRACED_GOAL / 1e3:.0f} thousand",
        met=raw >= _TRACED_GOAL,
    )


def _program(scratch: Path, env: dict[str, str], iterations: int) -> Path:
    target = scratch / f"mix_{iterations}.elf"
    sources = [str(_KERNELS / f"{name}.c") for name in ("mix", "list", "matrix", "text", "crc")]
    _run(
        suzuri("isa", "build", *sources, f"-DITERATIONS={iterations}", "-o", str(target), "--core", _CORE),
        env,
    )
    return target


def _rate(env: dict[str, str], short: Path, long: Path, *options: str) -> float:
    def timed(program: Path) -> tuple[float, int]:
        started = time.monotonic()
        said = _run(suzuri("isa", "run", str(program), "--core", _CORE, *options), env)
        found = re.search(r"^cycles +(\d+)$", said[said.rindex("right") :], re.MULTILINE)
        return time.monotonic() - started, int(found[1]) if found else 0

    timed(short)  # builds
    (first, few), (second, many) = timed(short), timed(long)
    return (many - few) / (second - first)


def _icarus_rate(env: dict[str, str], program: Path) -> float:
    """Return the rate of its first thousands of clocks: to the program's end it would take minutes."""
    few, many = 1000, 11000

    def timed(limit: int) -> float:
        options = ["--core", _CORE, "--sim", "icarus", "--limit", str(limit)]
        started = time.monotonic()
        _run(suzuri("isa", "run", str(program), *options), env, code=1)
        return time.monotonic() - started

    timed(few)  # builds
    first = timed(few)
    return (many - few) / (timed(many) - first)


def _raw_rate(env: dict[str, str], short: Path, long: Path, scratch: Path) -> float:
    """Return the rate with the harness's own records, as lockstep takes them."""
    quick = [
        "-m",
        "verif.harness.riscv.quick",
        "--cache",
        str(scratch / "quick"),
        "--trace",
        "/dev/null",
        _CORE,
    ]
    python = sys.executable

    def timed(program: Path) -> tuple[float, int]:
        started = time.monotonic()
        said = _run([python, *quick, str(program)], env)
        found = re.search(r"^exit 0: (\d+) cycles", said, re.MULTILINE)
        return time.monotonic() - started, int(found[1]) if found else 0

    timed(short)
    (first, few), (second, many) = timed(short), timed(long)
    return (many - few) / (second - first)


def _run(argv: list[str], env: dict[str, str], code: int = 0) -> str:
    done = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout

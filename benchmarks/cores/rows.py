"""(e) The cores: area, frequency and work per clock, beside the nearest peer measured the same way.

The peers' figures were taken with the same recipe from their published RTL:
Ibex for speed in its configurations, PicoRV32 and SERV; work per clock in
CoreMark iterations per second and MHz. Ours is that of the kernels in
``verif/programs/kernels``, which take about as many instructions an
iteration as CoreMark.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores.synthesis import LIBERTY, Result, elaborate
from benchmarks.cores.synthesis import measure as synthesize
from benchmarks.measure import REPOSITORY, Row, environment, suzuri

__all__ = ["measure", "work_per_clock"]

_KERNELS = REPOSITORY / "verif" / "programs" / "kernels"
_FLAGS = (
    "-O3", "-mtune=sifive-3-series", "-falign-functions=16", "-funroll-all-loops",
    "-finline-functions", "-falign-jumps=4", "-mstrict-align",
)  # fmt: skip
_ITERATIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    """What a preset must reach, and its nearest peer."""

    preset: str
    recipe: str
    area_kge: float
    frequency_mhz: float
    work: float
    peer: str
    peer_area_kge: float
    peer_frequency_mhz: float
    peer_work: float


_GOALS = (
    _Goal(preset="nano", recipe="area", area_kge=16, frequency_mhz=0, work=6 * 0.0235,
          peer="SERV", peer_area_kge=14.3, peer_frequency_mhz=882, peer_work=0.0244),
    _Goal(preset="small", recipe="speed", area_kge=32, frequency_mhz=700, work=2.7,
          peer="Ibex small", peer_area_kge=37.7, peer_frequency_mhz=646, peer_work=2.486),
    _Goal(preset="fast", recipe="speed", area_kge=60, frequency_mhz=700, work=3.4,
          peer="Ibex maxperf", peer_area_kge=44.9, peer_frequency_mhz=462, peer_work=3.151),
)  # fmt: skip


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield two rows a preset: size and speed, and work per clock."""
    liberty = Path(os.environ.get("PDK_ROOT", ".")) / LIBERTY
    for goal in _GOALS:
        if liberty.exists():
            yield _size(goal, liberty, scratch / "cores" / goal.preset)
        else:
            yield Row(name=f"(e) {goal.preset}: area", value="", against="Nangate 45 nm is not in PDK_ROOT")
        yield _work(goal, scratch, cache)


def _size(goal: _Goal, liberty: Path, folder: Path) -> Row:
    folder.mkdir(parents=True, exist_ok=True)
    result: Result = synthesize(elaborate(goal.preset, {}, folder), "core", liberty, goal.recipe, folder)
    at = f" at {goal.frequency_mhz:.0f} MHz" if goal.frequency_mhz else ""
    return Row(
        name=f"(e) {goal.preset}, for {goal.recipe}",
        value=f"{result.area_kge:.1f} kGE at {result.frequency_mhz:.0f} MHz",
        against=f"{goal.peer} {goal.peer_area_kge:.1f} kGE at {goal.peer_frequency_mhz:.0f} MHz",
        ratio=f"area x{result.area_kge / goal.peer_area_kge:.2f}, "
        f"frequency x{result.frequency_mhz / goal.peer_frequency_mhz:.2f}",
        goal=f"{goal.area_kge:.0f} kGE{at}",
        met=result.area_kge <= goal.area_kge and result.frequency_mhz >= goal.frequency_mhz,
    )


def work_per_clock(preset: str, parameters: Mapping[str, object], scratch: Path, cache: Path) -> float:
    """Return iterations of the kernels, compiled for the core, a second and MHz.

    Parameters
    ----------
    preset, parameters
        The core.
    scratch
        An existing folder for the program.
    cache
        Of ``suzuri``.

    Raises
    ------
    RuntimeError
        It cannot be built, or a kernel gives a wrong result.
    """
    env = environment(cache)
    program = scratch / f"mix_{preset}.elf"
    sources = [str(_KERNELS / f"{name}.c") for name in ("mix", "list", "matrix", "text", "crc")]
    core = ["--core", preset]
    for name, value in parameters.items():
        core += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    _run(
        suzuri("isa", "build", *sources, *_FLAGS, f"-DITERATIONS={_ITERATIONS}", "-o", str(program), *core),
        env,
    )
    said = _run(suzuri("isa", "run", str(program), *core), env)
    found = re.search(r"\bcycles\s+([\d,]+)", said[said.rindex("right") :])
    if found is None:
        raise RuntimeError(f"no number of cycles in: {said}")
    return _ITERATIONS * 1e6 / int(found[1].replace(",", ""))


def _work(goal: _Goal, scratch: Path, cache: Path) -> Row:
    work = work_per_clock(goal.preset, {}, scratch, cache)
    return Row(
        name=f"    {goal.preset}, work per clock",
        value=f"{work:.3f} iterations/s/MHz",
        against=f"{goal.peer} {goal.peer_work:.3f}",
        ratio=f"x{work / goal.peer_work:.2f}",
        goal=f"{goal.work:.2f}",
        met=work >= goal.work,
    )


def _run(argv: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr

"""Build a core once, run a program on it at once: the shortest way while a core is being made.

    python -m verif.harness.riscv.quick small program.elf
    python -m verif.harness.riscv.quick fast --set issue_width=1 program.elf --trace t.bin

The build is kept in ``--cache`` by what it is made from. ``suzuri isa run``
does the same through the engine, with better words for what went wrong.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from amaranth.back import verilog
from amaranth.hdl import Value
from amaranth.lib import wiring

from flow.formats.verilog import settled
from flow.isa.elf import read_elf
from flow.isa.image import MemoryMap, image_text
from flow.isa.wrapper import harness_core
from flow.project.request import parse_assignment
from flow.tools.icarus import awake
from rtl.riscv.core import Core
from verif.harness.verilate import BuildError, verilate

__all__ = ["build", "elaborate", "main"]

HERE = Path(__file__).parent
_STALLS = (
    "none", "fetch", "branch", "load-use", "multiply", "divide", "data bus", "system", "execute",
    "sleep", "custom",
)  # fmt: skip


def elaborate(preset: str, options: dict[str, object], component: object = None) -> dict[str, str]:
    """Return the Verilog files of a core for the harness, by name."""
    core = component or Core(preset=preset, rvfi=True, **options)
    ports = []
    for path, member, value in core.signature.flatten(core):
        direction = "in" if member.flow is wiring.In else "out"
        ports.append(
            {"name": "__".join(map(str, path)), "direction": direction, "width": len(Value.cast(value))}
        )
    return {
        "core.v": settled(verilog.convert(core, name="core", emit_src=False)),
        "harness_core.v": harness_core("core", ports),
    }


def build(
    files: dict[str, str],
    cache: Path,
    *,
    simulator: str = "verilator",
    waves: bool = False,
    level: str = "-O2",
) -> Path:
    """Return the simulator made from `files` and the harness, from the cache where it is there.

    ``level`` is the C++ compiler's optimisation: ``-O1`` pays where programs are short.
    """
    sources = [*sorted(HERE.glob("*.v")), HERE / "main.cpp"]
    text = "\0".join([simulator, str(waves), level, *files.values(), *(s.read_text() for s in sources)])
    made = cache / hashlib.sha256(text.encode()).hexdigest()[:16]
    executable = made / ("simulator" if simulator == "verilator" else "simulator.vvp")
    if executable.is_file():
        return executable
    cache.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=cache))
    for name, content in files.items():
        (work / name).write_text(awake(content) if simulator == "icarus" else content)
    given = [
        str(work / "core.v"),
        str(HERE / "harness.v"),
        str(HERE / "harness_custom.v"),
        str(HERE / "harness_bus.v"),
    ]
    if simulator == "verilator":
        traced = ["--trace-fst"] if waves else []
        try:
            verilate(
                work,
                [f"-I{work}", f"-I{HERE}", "-CFLAGS", level, *traced, *given, HERE / "main.cpp"],
                top="harness",
                optimise=[f"OPT_FAST={level}", f"OPT_GLOBAL={level}"],
            )
        except BuildError as error:
            sys.exit(str(error))
    else:
        subprocess.run(
            ["iverilog", "-g2012", "-o", work / "simulator.vvp", "-s", "harness", f"-I{work}", f"-I{HERE}",
             *(["-DHARNESS_WAVES"] if waves else []), *given], check=True)  # fmt: skip
    shutil.rmtree(made, ignore_errors=True)
    work.rename(made)
    return executable


def main() -> int:
    """Run what the command line says; the exit code is the program's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("program", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--sim", default="verilator", choices=("verilator", "icarus"))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "suzuri-quick")
    parser.add_argument("--limit", type=int, default=100_000_000)
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--waves", type=Path)
    parser.add_argument("--plusarg", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    files = elaborate(options.preset, dict(map(parse_assignment, options.set)))
    simulator = build(files, options.cache, simulator=options.sim, waves=bool(options.waves))
    program = read_elf(options.program.read_bytes(), str(options.program))
    memory = MemoryMap.for_program(program)
    with tempfile.TemporaryDirectory() as folder:
        image, result = Path(folder) / "image.hex", Path(folder) / "result"
        image.write_text(image_text(program.segments, memory))
        command = [str(simulator)] if options.sim == "verilator" else ["vvp", "-n", str(simulator)]
        plusargs = [f"image={image}", f"result={result}", f"limit={options.limit}", "watchdog=100000"]
        plusargs += [*memory.plusargs(), *program.plusargs(), *options.plusarg]
        plusargs += [f"{n}={v}" for n, v in (("trace", options.trace), ("waves", options.waves)) if v]
        subprocess.run([*command, *(f"+{p}" for p in plusargs)], check=False)
        rows = [line.split(maxsplit=1) for line in result.read_text().splitlines()]
    return _show(rows)


def _show(rows: list[list[str]]) -> int:
    found = dict(rows)
    cycles, instructions = int(found["cycles"]), int(found["instructions"])
    cpi = f", CPI {cycles / instructions:.3f}" if instructions else ""
    print(f"\n{found['status']} {found['code']}: {cycles} cycles, {instructions} instructions{cpi}")
    for number, name in enumerate(_STALLS):
        count = int(found[f"stall{number}"])
        if number and count:
            print(f"  {name:10} {count:12} {100 * count / max(cycles, 1):6.2f} %")
    if found["status"] != "exit":
        for name, value in rows:
            if name in ("trap", "illegal", "ibus", "dbus", "last"):
                print(f"  {name} {value}")
        return 1
    return int(found["code"]) & 0xFF


if __name__ == "__main__":
    sys.exit(main())

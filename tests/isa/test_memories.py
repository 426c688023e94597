"""Programs through the fast core's caches, and out of its tightly coupled memories."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "verif" / "programs" / "kernels"
MIX = tuple(KERNELS / f"{name}.c" for name in ("mix", "list", "matrix", "text", "crc"))
COMPILER = "riscv64-unknown-elf-gcc"

#: Copies a program, which is linked for a memory inside the core, to there.
LOADER = """\
        .globl _start
_start: la a0, image
        la a1, image_end
        li a2, BASE
1:      lw a3, 0(a0)
        sw a3, 0(a2)
        addi a0, a0, 4
        addi a2, a2, 4
        bltu a0, a1, 1b
        fence.i
        li a2, ENTRY
        jr a2
        .balign 16
image:  .incbin "IMAGE"
        .balign 16
image_end:
"""

pytestmark = [
    pytest.mark.sim,
    pytest.mark.nightly,
    pytest.mark.skipif(
        shutil.which(COMPILER) is None,
        reason="needs GCC for RISC-V: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    ),
]


def cycles(out: str) -> int:
    return int(re.findall(r"^cycles +([\d,]+)", out, re.MULTILINE)[-1].replace(",", ""))


def assigned(options: dict[str, object]) -> list[str]:
    return [word for name, value in options.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize(("instructions", "data"), [(4096, 4096), (256, 256), (1024, 0), (0, 1024)])
def test_kernels_through_caches(
    instructions: int, data: int, width: int, isa: Callable, tmp_path: Path
) -> None:
    """Right with any size, and with slow memory quicker than without a cache."""
    program = tmp_path / "mix.elf"
    core = ["--core", "fast", "--set", f"issue_width={width}"]
    assert isa("build", *MIX, "-O2", "-o", program, *core).code == 0
    slow = ["--stall-grant", 60, "--stall-response", 60, "--seed", 3]
    caches = assigned({"instruction_cache_bytes": instructions, "data_cache_bytes": data})
    said = isa("run", program, *core, *caches)
    assert said.code == 0, said
    assert "right" in said.out
    through = isa("run", program, *core, *caches, *slow)
    assert through.code == 0, through
    if (instructions, data) == (4096, 4096):
        without = isa("run", program, *core, *slow)
        assert cycles(through.out) < cycles(without.out) / 2


@pytest.mark.parametrize("memory", ["instruction", "data"])
def test_kernels_in_a_tightly_coupled_memory(memory: str, isa: Callable, tmp_path: Path) -> None:
    """Code, data and stack in one memory with one port."""
    base, size = 0x2000_0000, 1 << 17
    inner, image = tmp_path / "inner.elf", tmp_path / "inner.bin"
    place = [f"-Wl,--defsym=__memory_base={base}", f"-Wl,--defsym=__memory_size={size}"]
    assert isa("build", *MIX, "-O2", *place, "-o", inner, "--core", "fast").code == 0
    subprocess.run([COMPILER.replace("gcc", "objcopy"), "-O", "binary", inner, image], check=True)
    header = subprocess.run(
        [COMPILER.replace("gcc", "readelf"), "-h", inner], check=True, capture_output=True, text=True
    )
    entry = re.search(r"Entry point address: +(\w+)", header.stdout)
    assert entry
    source, program = tmp_path / "loader.S", tmp_path / "loader.elf"
    source.write_text(
        LOADER.replace("BASE", hex(base)).replace("ENTRY", entry[1]).replace("IMAGE", str(image))
    )
    flags = ["-march=rv32im_zifencei", "-mabi=ilp32", "-nostdlib", "-static", "-Wl,-Ttext=0x80000000"]
    subprocess.run([COMPILER, *flags, "-o", program, source], check=True)
    options = {f"{memory}_tcm_bytes": size, f"{memory}_tcm_base": hex(base)}
    said = isa("run", program, "--core", "fast", *assigned(options))
    assert said.code == 0, said
    assert "right" in said.out
    slow = isa("run", program, "--core", "fast", *assigned(options), "--stall-grant", 50)
    assert slow.code == 0, slow
    # Once it has been copied, the program hardly meets the bus.
    assert cycles(slow.out) < 1.5 * cycles(said.out)

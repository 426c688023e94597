"""The family's own cores run the kernels: with a memory of one cycle, with slow buses, with interrupts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_elf import elf, exits, says, words

from flow.project.isa import core_manifest

HERE = Path(__file__).parents[2]
KERNELS = HERE / "verif" / "programs" / "kernels"
MIX = tuple(KERNELS / f"{name}.c" for name in ("mix", "list", "matrix", "text", "crc"))
#: Handlers that end nothing: the harness's lines fall by themselves, and software goes on.
HANDLED = """\
#include <stdio.h>
#include "runtime.h"
static volatile unsigned seen;
static void note(unsigned cause) { ++seen; }
int main(void) {
    for (unsigned cause = 3; cause < 12; cause += 4) runtime_on_interrupt(cause, note);
    runtime_interrupts(true);
    unsigned sum = 0;
    for (unsigned i = 1; i < 20000; ++i) sum = sum * 31 + i / (i % 7 + 1) + (sum >> 3);
    runtime_interrupts(false);
    printf("%u %d\\n", sum, seen > 3);
    return 0;
}
"""

pytestmark = pytest.mark.sim
needs_gcc = pytest.mark.skipif(
    shutil.which("riscv64-unknown-elf-gcc") is None,
    reason="needs GCC for RISC-V: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
)


def figure(out: str, name: str) -> int:
    found = re.findall(rf"^{name} +(\d+)", out, re.MULTILINE)
    return int(found[-1])


def test_presets_are_offered_by_name() -> None:
    assert [core_manifest(name).name for name in ("nano", "small", "fast")] == ["suzuri.toml"] * 3


def test_small_runs_in_icarus(isa: Callable, tmp_path: Path) -> None:
    """A few instructions: Icarus takes a millisecond for each clock of such a core."""
    if shutil.which("iverilog") is None:
        pytest.skip("needs Icarus Verilog: apt-get install iverilog")
    program = tmp_path / "program.elf"
    program.write_bytes(elf({0x8000_0000: words(*says("hi\n"), *exits(4))}))
    said = isa("run", program, "--memory", "0x80000000:64K", "--sim", "icarus", "--core", "small")
    assert said.code == 4, said
    assert said.out.startswith("hi\n")
    assert figure(said.out, "instructions") in (11, 12)  # the last may not have retired yet


@needs_gcc
@pytest.mark.nightly
@pytest.mark.parametrize("core", ["nano", "small", "fast"])
def test_kernels_are_right_on(core: str, isa: Callable, tmp_path: Path) -> None:
    mix, integer = tmp_path / "mix.elf", tmp_path / "integer.elf"
    for sources, program in ((MIX, mix), ((KERNELS / "integer.c",), integer)):
        assert isa("build", *sources, "-o", program, "--core", core).code == 0
        plain = isa("run", program, "--core", core)
        assert plain.code == 0, plain
        assert "right" in plain.out
    slow = isa("run", mix, "--core", core, "--stall-grant", 30, "--stall-response", 40, "--seed", 9)
    assert slow.code == 0, slow
    quick = isa("run", mix, "--core", core)
    assert figure(slow.out, "cycles") > figure(quick.out, "cycles")


@needs_gcc
@pytest.mark.nightly
@pytest.mark.parametrize("core", ["nano", "small", "fast"])
def test_interrupts_disturb_nothing_on(core: str, isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "handled.c", tmp_path / "handled.elf"
    source.write_text(HANDLED)
    assert isa("build", source, "-o", program, "--core", core).code == 0
    said = isa("run", program, "--core", core, "--interrupt-rate", 200, "--stall-grant", 10, "--seed", 4)
    assert said.code == 0, said
    assert said.out.splitlines()[0].split()[1] == "1"
    assert figure(said.out, "interrupts") > 3
    calm = isa("run", program, "--core", core)
    assert calm.out.splitlines()[0].split()[0] == said.out.splitlines()[0].split()[0]


@needs_gcc
@pytest.mark.nightly
@pytest.mark.parametrize("bus", ["wishbone", "axi4lite"])
def test_small_runs_the_mix_over(bus: str, isa: Callable, tmp_path: Path) -> None:
    program = tmp_path / "mix.elf"
    assert isa("build", *MIX, "-DITERATIONS=1", "-o", program, "--core", "small").code == 0
    said = isa("run", program, "--core", "small", "--set", f"bus={bus}", "--stall-grant", 20)
    assert said.code == 0, said
    assert "right" in said.out

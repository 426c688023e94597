"""``suzuri isa build``, the runtime and the kernels."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flow.isa.elf import read_elf
from flow.isa.extensions import extensions_of
from flow.model.errors import ConfigError
from flow.project.isa_program import sort_words

HERE = Path(__file__).parents[2]
KERNELS = HERE / "verif" / "programs" / "kernels"
STRANGER = HERE / "tests" / "data" / "isa" / "stranger"

needs_gcc = pytest.mark.skipif(
    shutil.which("riscv64-unknown-elf-gcc") is None,
    reason="needs GCC for RISC-V: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
)

HELLO = """\
#include <stdio.h>
#include <stdlib.h>
#include "runtime.h"
static volatile unsigned got;
static void hit(unsigned cause) {
    got |= 1u << cause;
    runtime_software(false);
    runtime_lines(0);
    runtime_on_interrupt(cause, NULL);
}
static void skip(unsigned cause, struct trap_frame *frame) { got |= cause == 2; frame->mepc += 4; }
static int built;
__attribute__((constructor)) static void build(void) { built = 1; }
int main(void) {
    static const unsigned causes[] = {RUNTIME_SOFTWARE, RUNTIME_TIMER, RUNTIME_EXTERNAL};
    runtime_on_exception(skip);
    __asm__ volatile(".4byte 0xffffffff");
    for (unsigned i = 0; i < 3; ++i) runtime_on_interrupt(causes[i], hit);
    runtime_interrupts(true);
    runtime_software(true);
    runtime_timer_after(50);
    runtime_line_after(RUNTIME_EXTERNAL, 100);
    while (got != (1u | 1u << 3 | 1u << 7 | 1u << 11)) {}
    char *p = malloc(100);
    printf("%s %d %lx %d\\n", "hello", -5, 0xabcdeful, built && p);
    return runtime_cycles() > 100 && runtime_instructions() > 50 ? 6 : 1;
}
"""


@needs_gcc
@pytest.mark.sim
def test_runtime_on_a_core(stranger: Callable, isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "hello.c", tmp_path / "hello.elf"
    source.write_text(HELLO)
    said = isa("build", source, "-Wall", "-Werror", "-o", program, "--core", STRANGER,
               "--memory", "0x80000000:64K")  # fmt: skip
    assert said.code == 0, said
    ran = stranger(program.read_bytes(), "--quiet")
    assert (ran.code, ran.out) == (6, "hello -5 abcdef 1\n")


CXX = """\
#include <stdio.h>
struct Shape { virtual int area() const = 0; virtual ~Shape() {} };
struct Square : Shape {
    int side;
    Square(int s) : side(s) { printf("made %d\\n", s); }
    int area() const override { return side * side; }
    ~Square() override { printf("gone %d\\n", side); }
};
static Square global(2);
int main() {
    static Square local(3);
    Shape *made = new Square(4);
    int sum = global.area() + local.area() + made->area();
    delete made;
    return sum;
}
"""


@needs_gcc
@pytest.mark.sim
def test_cxx_on_a_core(stranger: Callable, isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "shapes.cpp", tmp_path / "shapes.elf"
    source.write_text(CXX)
    said = isa("build", source, "-std=c++17", "-Wall", "-Werror", "-o", program, "--core", STRANGER,
               "--memory", "0x80000000:64K")  # fmt: skip
    assert said.code == 0, said
    ran = stranger(program.read_bytes(), "--quiet")
    assert (ran.code, ran.out) == (29, "made 2\nmade 3\nmade 4\ngone 4\ngone 3\ngone 2\n")


@needs_gcc
@pytest.mark.sim
def test_an_assertion_that_fails_ends_the_program(stranger: Callable, isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "a.c", tmp_path / "a.elf"
    source.write_text("#include <assert.h>\nint main(int n) { assert(n == 7); return 0; }\n")
    said = isa("build", source, "-o", program, "--core", STRANGER, "--memory", "0x80000000:64K")
    assert said.code == 0, said
    ran = stranger(program.read_bytes(), "--quiet")
    assert ran.code == 128 + 6
    assert "n == 7" in ran.out


@needs_gcc
@pytest.mark.sim
def test_an_exception_that_nobody_handles(stranger: Callable, isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "bad.c", tmp_path / "bad.elf"
    source.write_text("volatile unsigned at = 0x80000001; int main(void) { return *(volatile int *)at; }\n")
    isa("build", source, "-o", program, "--core", STRANGER, "--memory", "0x80000000:64K")
    ran = stranger(program.read_bytes(), "--quiet")
    assert ran.code == 128 + 4
    assert ran.out.startswith("exception: load address misaligned at 0x80000")


@needs_gcc
@pytest.mark.parametrize(
    "arch", ["rv32i_zicsr", "rv32e_zicsr", "rv32emc_zicsr", "rv32imac_zicsr_zba_zbb_zbs"]
)
def test_kernels_build_for(arch: str, isa: Callable, tmp_path: Path) -> None:
    program = tmp_path / "mix.elf"
    convention = "ilp32e" if arch.startswith("rv32e") else "ilp32"
    sources = [KERNELS / f"{n}.c" for n in ("mix", "list", "matrix", "text", "crc")]
    said = isa("build", *sources, f"-march={arch}", f"-mabi={convention}", "-o", program, "--core", STRANGER)
    assert said.code == 0, said
    found = extensions_of(read_elf(program.read_bytes(), "mix.elf").arch)
    single = arch.partition("_")[0]
    assert ("m" in found, "c" in found) == ("m" in single, "c" in single)


@needs_gcc
def test_what_does_not_compile_or_link(isa: Callable, tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text("int main(void) { return x; }\n")
    said = isa("build", source, "-o", tmp_path / "a.elf", "--core", STRANGER)
    assert isinstance(said.error, ConfigError)
    assert said.message.startswith(f"{source}: it does not compile: ")
    assert "'x' undeclared" in said.message
    source.write_text("volatile char big[1 << 20]; int main(int n) { return big[n]; }\n")
    said = isa("build", source, "-o", tmp_path / "a.elf", "--core", STRANGER, "--memory", "0x80000000:64K")
    assert "the program does not link" in said.message


@needs_gcc
def test_options_for_the_sources_do_not_reach_the_runtime(isa: Callable, tmp_path: Path) -> None:
    source, program = tmp_path / "a.c", tmp_path / "a.elf"
    source.write_text('int main(void) { return printf("%d", handlers) != 1; }\n')
    said = isa("build", source, "-include", "stdio.h", "-Dhandlers=1", "-std=c90", "-pedantic", "-Werror",
               "-o", program, "--core", STRANGER)  # fmt: skip
    assert said.code == 0, said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no source"),
        (("a.txt",), "'a.txt' is no source"),
        (("none.c",), "none.c: there is no such file"),
        (("-o",), "the option -o lacks its value"),
    ],
)
def test_words_that_are_wrong(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sort_words(words)
    assert said in str(caught.value)


def test_words(tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text("")
    found = sort_words([str(source), "-I", "inc", "-O3", "-include", "x.h"])
    assert found.files == (source,)
    assert found.flags == ("-Iinc", "-O3", "-include", "x.h")
    assert found.target == tmp_path / "a.elf"

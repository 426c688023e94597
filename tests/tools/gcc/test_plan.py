from __future__ import annotations

from pathlib import Path

import pytest

from flow.model.tool import ToolIdentity
from flow.tools.gcc import Build, abi, compile_command, link_command, march, multilib


def gcc(version: str = "12.2.0") -> ToolIdentity:
    return ToolIdentity(
        name="gcc", flavour="path", version=version, digest="0", path="/bin/rvgcc", licence="GPL-3.0-or-later"
    )


@pytest.mark.parametrize(
    ("isa", "release", "wanted"),
    [
        ("rv32imc_zicsr_zifencei_zicntr_zba", "12.2.0", "rv32imc_zicsr_zifencei_zba"),
        ("rv32imc_zicsr_zicond_zca_zcb", "12.2.0", "rv32imc_zicsr"),
        ("rv32imc_zicsr_zicond_zca_zcb", "14.1.0", "rv32imc_zicsr_zicond_zcb"),
        ("rv32e", "12.2.0", "rv32e"),
    ],
)
def test_only_what_this_release_knows(isa: str, release: str, wanted: str) -> None:
    assert march(isa, gcc(release)) == wanted


@pytest.mark.parametrize(
    ("isa", "library", "convention"),
    [
        ("rv32imc_zicsr", "rv32im", "ilp32"),
        ("rv32imac_zicsr_zba", "rv32imac", "ilp32"),
        ("rv32ic_zicsr", "rv32i", "ilp32"),
        ("rv32emc", "rv32em", "ilp32e"),
        ("rv32e_zicsr", "rv32e", "ilp32e"),
    ],
)
def test_libraries_that_fit(isa: str, library: str, convention: str) -> None:
    assert multilib(isa) == library
    assert abi(isa) == convention


def test_compile_command() -> None:
    build = Build(isa="rv32imc_zicsr", flags=("-O3", "-lm", "-DN=1"), include=(Path("/rt"),))
    argv = compile_command(gcc(), build, Path("a.c"), Path("a.o")).argv
    assert argv[:4] == ("/bin/rvgcc", "-c", "-march=rv32imc_zicsr", "-mabi=ilp32")
    assert {"-O3", "-DN=1", "-I/rt"} <= set(argv)
    assert "-O2" not in argv
    assert "-lm" not in argv
    assert argv[-3:] == ("a.c", "-o", "a.o")


def test_the_users_machine_wins() -> None:
    build = Build(isa="rv32imc_zicsr", flags=("-march=rv32e", "-mabi=ilp32e"))
    argv = compile_command(gcc(), build, Path("a.c"), Path("a.o")).argv
    assert [a for a in argv if a.startswith("-march")] == ["-march=rv32e"]
    assert "-march=rv32e" in link_command(gcc(), build, (Path("a.o"),), Path("a")).argv


def test_link_command() -> None:
    build = Build(
        isa="rv32imc_zicsr",
        flags=("-lm", "-DN=1"),
        script=Path("/rt/link.ld"),
        symbols=(("__memory_size", 65536),),
    )
    argv = link_command(gcc(), build, (Path("a.o"),), Path("a.elf")).argv
    assert argv[1:4] == ("-march=rv32im", "-mabi=ilp32", "--specs=picolibc.specs")
    assert {"-nostartfiles", "-T/rt/link.ld", "-Wl,--defsym=__memory_size=0x10000"} <= set(argv)
    assert argv.index("-lm") > argv.index("a.o")
    assert "-DN=1" not in argv

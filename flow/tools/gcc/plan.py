"""Plan the commands that make a program: one for each source, and one that links them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flow.model.tool import Command, ToolIdentity

__all__ = ["Build", "abi", "compile_command", "link_command", "march", "multilib"]

#: Extensions by the release of GCC that knows them first; others are not asked for.
_SINCE = {
    "zicsr": 12, "zifencei": 12, "zba": 12, "zbb": 12, "zbs": 12, "zicond": 14, "zca": 14, "zcb": 14,
}  # fmt: skip
#: Libraries by the single-letter extensions that they were built with, the best first.
_LIBRARIES = {"i": ("imac", "im", "iac", "ia", "i"), "e": ("emac", "em", "eac", "ea", "e")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a program is compiled and linked.

    Attributes
    ----------
    isa
        ISA string of the core.
    flags
        The user's, for compiling and linking.
    include
        Folders of the runtime's headers.
    script
        Linker script, ``None`` when the flags name one.
    symbols
        Values for the linker script.
    """

    isa: str
    flags: tuple[str, ...] = ()
    include: tuple[Path, ...] = ()
    script: Path | None = None
    symbols: tuple[tuple[str, int], ...] = ()


def march(isa: str, tool: ToolIdentity) -> str:
    """Return an ISA string as this compiler takes it, without what it does not know."""
    head, *rest = isa.lower().split("_")
    release = int(tool.version.split(".")[0])
    known = [name for name in rest if _SINCE.get(name, 99) <= release]
    if "c" in head.removeprefix("rv32") and "zca" in known:
        known.remove("zca")
    return "_".join([head, *dict.fromkeys(known)])


def abi(isa: str) -> str:
    """Return the calling convention: ``ilp32``, or ``ilp32e`` with 16 registers."""
    return "ilp32e" if re.match(r"rv32e", isa.lower()) else "ilp32"


def multilib(isa: str) -> str:
    """Return the ISA string of the libraries that fit best.

    GCC 12 finds none by itself for a string with extensions such as
    ``zicsr``; so objects are compiled with the whole string, and linked with
    this one.
    """
    single = set(isa.lower().removeprefix("rv32").split("_")[0])
    base = "e" if "e" in single else "i"
    return next(f"rv32{name}" for name in _LIBRARIES[base] if set(name) <= single)


def compile_command(tool: ToolIdentity, build: Build, source: Path, target: Path) -> Command:
    """Return the command that compiles one source.

    Parameters
    ----------
    tool
        The compiler.
    build
        How.
    source, target
        A C, C++ or assembly file, and the object file.
    """
    return Command(
        argv=(
            tool.path, "-c", *_machine(tool, build), "--specs=picolibc.specs", "-ffunction-sections",
            "-fdata-sections", *_level(build), *(f"-I{folder}" for folder in build.include),
            *(f for f in build.flags if not f.startswith(("-l", "-L", "-Wl,", "-T", "-nostart"))),
            str(source), "-o", str(target),
        ),
        log="compile.log",
    )  # fmt: skip


def link_command(tool: ToolIdentity, build: Build, objects: tuple[Path, ...], target: Path) -> Command:
    """Return the command that links objects to a program."""
    own = _machine_of(build.flags)
    isa = own if own else build.isa
    script = () if build.script is None else (f"-T{build.script}",)
    values = tuple(f"-Wl,--defsym={name}={value:#x}" for name, value in build.symbols)
    flags = tuple(f for f in build.flags if not f.startswith(("-march", "-mabi", "-D", "-U", "-I")))
    return Command(
        argv=(
            tool.path, f"-march={multilib(isa)}", f"-mabi={abi(isa)}", "--specs=picolibc.specs",
            "-nostartfiles", *script, *values, *map(str, objects), *flags, "-o", str(target),
        ),
        log="link.log",
    )  # fmt: skip


def _machine(tool: ToolIdentity, build: Build) -> tuple[str, ...]:
    if _machine_of(build.flags):
        return ()
    return (f"-march={march(build.isa, tool)}", f"-mabi={abi(build.isa)}")


def _machine_of(flags: tuple[str, ...]) -> str:
    return next((f.removeprefix("-march=") for f in flags if f.startswith("-march=")), "")


def _level(build: Build) -> tuple[str, ...]:
    return () if any(re.match(r"-O\w*$", f) for f in build.flags) else ("-O2",)

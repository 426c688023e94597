"""Make programs for a core from their sources, with the runtime that comes along."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flow.engine.runner import run_attended
from flow.isa.image import Region
from flow.model.errors import ConfigError
from flow.model.tool import Command
from flow.tools import gcc

__all__ = ["Sources", "build_program", "sort_words"]

_CXX = (".cpp", ".cc", ".cxx", ".C")
_SOURCES = (".c", ".S", ".s", *_CXX)
_NO_CXX = ("-fno-exceptions", "-fno-rtti")
_OBJECTS = (".o", ".a")
#: Options of the compiler whose value is the next word.
_PAIRS = frozenset(("-I", "-D", "-U", "-L", "-T", "-include", "-isystem", "-iquote", "-Xlinker", "-u", "-x"))
#: Options that the runtime is compiled with too: target, code generation, its own macros. The others,
#: such as ``-include``, ``-std`` or ``-Werror``, are about the program's sources alone.
_FOR_RUNTIME = ("-m", "-O", "-g", "-f", "-DRUNTIME_")


@dataclass(frozen=True, slots=True)
class Sources:
    """The words of a command line, sorted: files, the compiler's options, and the target."""

    files: tuple[Path, ...]
    flags: tuple[str, ...]
    target: Path


def sort_words(words: Iterable[str]) -> Sources:
    """Return what the words are.

    Raises
    ------
    ConfigError
        There is no source, one is missing or of an unknown kind, or an
        option lacks its value.
    """
    files: list[Path] = []
    flags: list[str] = []
    target: str | None = None
    rest = iter(words)
    for word in rest:
        if word == "-o" or word in _PAIRS:
            value = next(rest, None)
            if value is None:
                raise ConfigError(f"the option {word} lacks its value", "suzuri isa build")
            if word == "-o":
                target = value
            else:  # short ones in one word, so that commands can be told from others
                flags += [f"{word}{value}"] if len(word) == 2 else [word, value]
        elif word.startswith("-"):
            flags.append(word)
        else:
            files.append(_file(word))
    if not files:
        raise ConfigError("there is no source", "suzuri isa build", "Name C or assembly files")
    return Sources(tuple(files), tuple(flags), Path(target) if target else files[0].with_suffix(".elf"))


def _file(word: str) -> Path:
    path = Path(word)
    if path.suffix not in (*_SOURCES, *_OBJECTS):
        raise ConfigError(
            f"{word!r} is no source",
            "suzuri isa build",
            f"Sources end in {', '.join((*_SOURCES, *_OBJECTS))}",
        )
    if not path.is_file():
        raise ConfigError("there is no such file", path, "Mend its name")
    return path


def build_program(
    sources: Sources,
    isa: str,
    *,
    runtime: Path | None,
    region: Region | None = None,
    htif: bool = False,
    show: Callable[[str], None],
) -> None:
    """Compile and link a program.

    Parameters
    ----------
    sources
        Of what, with which options, into which file.
    isa
        ISA string of the core.
    runtime
        Folder of start-up code, linker script and headers; ``None`` to link
        the sources alone.
    region
        Memory that the program is linked for; the linker script's when
        ``None``.
    htif
        Whether console and exit go through HTIF, as for Spike.
    show
        Given what the compiler says.

    Raises
    ------
    ConfigError
        The compiler refused a source, or the program does not fit.
    """
    tool = gcc.GCC.detect()
    own_script = any(f.startswith("-T") for f in sources.flags)
    flags = (*sources.flags, *(("-DRUNTIME_HTIF",) if htif else ()))
    build = gcc.Build(
        isa=isa,
        flags=flags,
        include=() if runtime is None else (runtime,),
        script=None if runtime is None or own_script else runtime / "link.ld",
        symbols=(("__memory_base", region.base), ("__memory_size", region.size)) if region else (),
    )
    ours = replace(build, flags=tuple(f for f in flags if f.startswith(_FOR_RUNTIME)))
    cxx = any(f.suffix in _CXX for f in sources.files)
    files = [*((f, ours) for f in _runtime_files(runtime, cxx=cxx)), *((f, build) for f in sources.files)]
    with tempfile.TemporaryDirectory(prefix="suzuri-isa-") as folder:
        objects = []
        for number, (file, how) in enumerate(files):
            if file.suffix in _OBJECTS:
                objects.append(file)
                continue
            objects.append(Path(folder) / f"{number}-{file.stem}.o")
            # Of C++, what needs a library that is not there; the user's flags come later.
            flags = (*_NO_CXX, *how.flags) if file.suffix in _CXX else how.flags
            command = gcc.compile_command(tool, replace(how, flags=flags), file, objects[-1])
            _call(command, "it does not compile", file, show)
        link = gcc.link_command(tool, build, tuple(objects), sources.target)
        _call(link, "the program does not link", sources.target, show)


def _runtime_files(runtime: Path | None, *, cxx: bool) -> list[Path]:
    if runtime is None:
        return []
    kinds = _SOURCES if cxx else tuple(s for s in _SOURCES if s not in _CXX)
    return sorted((f for f in runtime.iterdir() if f.suffix in kinds), key=lambda f: f.name)


def _call(command: Command, what: str, where: Path, show: Callable[[str], None]) -> None:
    code, said = run_attended(command.argv, show)
    if code:
        lines = [
            line for line in said.splitlines() if "error" in line or "undefined" in line or "region" in line
        ]
        raise ConfigError(
            what + (f": {lines[0].strip()}" if lines else ""), where, "Mend it as the compiler says"
        )

"""Make ELF files of directed tests, for one core each."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

from rtl.riscv.config import CoreConfig
from verif.programs.directed.catalogue import ASSEMBLY, DirectedTest

__all__ = ["COMPILER", "assemble", "source_line"]

COMPILER = "riscv64-unknown-elf-gcc"
# What GCC 12 knows of the names; the others' instructions are written by their encoding.
_KNOWN = ("zba", "zbb", "zbs")


def _flags(config: CoreConfig) -> list[str]:
    letters = "".join(letter for letter in "mac" if getattr(config, letter))
    extensions = ["zicsr", "zifencei", *(name for name in _KNOWN if getattr(config, name))]
    base = f"rv32{'e' if config.e else 'i'}{letters}"
    flags = [f"-march={'_'.join([base, *extensions])}", f"-mabi=ilp32{'e' if config.e else ''}"]
    for item in fields(config):
        value = getattr(config, item.name)
        if not isinstance(value, str) and item.name != "rvfi":
            flags.append(f"-DCONFIG_{item.name.upper()}={int(value):#x}")
    flags.append(f"-DCONFIG_CUSTOM_UNIT={int(config.custom != 'none')}")
    return flags


def assemble(test: DirectedTest, config: CoreConfig, cache: Path) -> Path:
    """Return the ELF file of a test, made now or found in the cache.

    Raises
    ------
    FileNotFoundError
        There is no compiler.
    RuntimeError
        The compiler refuses it; says why.
    """
    if shutil.which(COMPILER) is None:
        raise FileNotFoundError(f"{COMPILER} is missing: apt-get install gcc-riscv64-unknown-elf")
    flags = [
        *_flags(config),
        *(
            "-x",
            "assembler-with-cpp",
            "-g",
            "-mno-relax",
            "-nostdlib",
            "-static",
            f"-I{ASSEMBLY}",
            "-T",
            f"{ASSEMBLY}/directed.ld",
        ),
        *("-Wl,--no-relax", "-Wl,--no-warn-rwx-segments"),
        f"-Wl,--defsym=RAM_ORIGIN={config.reset_vector:#x}",
    ]
    source = test.source(config)
    shared = [(ASSEMBLY / name).read_text() for name in ("directed.h", "directed.ld")]
    key = hashlib.sha256("\0".join([source, *shared, *flags]).encode()).hexdigest()[:16]
    program = cache / f"{test.name}-{key}.elf"
    if program.is_file():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    # Two may make the same at once: the source is the same, the program comes by renaming.
    made = cache / f"{test.name}-{key}.{os.getpid()}"
    written = program.with_suffix(".S")
    written.write_text(source)
    command = [COMPILER, *flags, "-o", str(made), str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"directed test {test.name} does not assemble:\n{done.stderr[-2000:]}")
    return made.replace(program)


def source_line(program: Path, address: int) -> str:
    """Return the line of assembly that an address comes from, or nothing."""
    tool = COMPILER.replace("gcc", "addr2line")
    done = subprocess.run([tool, "-e", program, hex(address)], capture_output=True, text=True, check=False)
    name, _, line = done.stdout.strip().partition(":")
    source = Path(name)
    if not source.is_file() or not line.split()[0].isdigit():
        return ""
    lines = source.read_text().splitlines()
    number = int(line.split()[0])
    return f"line {number}, {lines[number - 1].strip()}" if 0 < number <= len(lines) else ""

"""A pretended machine: a checkout, and a PATH on which every program is known."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["ROOT", "Machine"]

ROOT = Path(__file__).resolve().parents[2]

_COREUTILS = (
    "bash", "cat", "chmod", "cut", "dirname", "env", "find", "flock", "grep", "head", "ln", "ls", "mkdir",
    "mv", "rm", "sed", "sha256sum", "sleep", "tail", "touch",
)  # fmt: skip

# Stands for Python, in and out of a virtual environment. What it is asked to
# do is in calls.log; pip fails while the file pip-fails is there.
_PYTHON = """#!{bash}
echo "python $* [PYTHONPATH=${{PYTHONPATH-}} VIRTUAL_ENV=${{VIRTUAL_ENV-}}]" >>{log}
case "$1 $2" in
"-m venv")
    [ -e {here}/no-ensurepip ] && echo "ensurepip is not available" && exit 1
    mkdir -p "$3/bin" && cp {bin}/python3 "$3/bin/python" && echo home >"$3/pyvenv.cfg"
    echo "#!$PWD/$3/bin/python" >"$3/bin/pip" ;;
"-m pip")
    [ "$3" = --python ] && exit 1
    [ -e {here}/pip-fails ] && cat {here}/pip-fails && exit 1
    exit 0 ;;
"-m virtualenv") exit 1 ;;
"-m "*) exit 0 ;;
"-c "*ensurepip*) [ ! -e {here}/no-ensurepip ] ;;
"-c "*glob*) echo "{score} {bin}/python3" ;;
"-c "*) echo 3.11 ;;
esac
"""


class Machine:
    """A machine in a folder.

    Parameters
    ----------
    folder
        Where it lives.
    root
        Whether its user is root.
    complete
        Whether all of Debian's packages are there already.
    score
        What the probe says of Python: 2 complete, 1 without libpython.
    """

    def __init__(self, folder: Path, *, root: bool = False, complete: bool = True, score: int = 2) -> None:
        self.folder, self.checkout, self.bin = folder, folder / "checkout", folder / "bin"
        self.system, self.log = folder / "sysroot", folder / "calls.log"
        for path in (self.checkout, self.bin, self.system):
            path.mkdir(parents=True)
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        for name in ("pyproject.toml", "requirements-dev.lock", "Makefile"):
            shutil.copy(ROOT / name, self.checkout)
        for name in (*_COREUTILS, "cp"):
            found = shutil.which(name)
            assert found is not None, name
            (self.bin / name).symlink_to(found)
        bash = shutil.which("bash")
        self.program(
            "python3", _PYTHON.format(bash=bash, log=self.log, here=folder, bin=self.bin, score=score)
        )
        self.program("id", f"#!{bash}\necho {0 if root else 1000}\n")
        self.bash = bash
        if complete:
            self.install_everything()

    def program(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def install_everything(self) -> None:
        """Pretend that all packages are installed."""
        for name in (
            "make",
            "g++",
            "perl",
            "iverilog",
            "sta",
            "git",
            "chromium",
            "dtc",
            "riscv64-unknown-elf-gcc",
        ):
            self.program(name, f"#!{self.bash}\n")
        for name in ("osu018", "osu035", "osu050"):
            (self.system / "usr/share/qflow/tech" / name).mkdir(parents=True)
        (self.system / "usr/lib/picolibc/riscv64-unknown-elf").mkdir(parents=True)
        header = self.system / "usr/include/zlib.h"
        header.parent.mkdir(parents=True)
        header.touch()

    def apt(self, script: str) -> None:
        """Give it an apt-get; its calls are logged, then `script` runs."""
        self.program("apt-get", f'#!{self.bash}\necho "apt-get $*" >>{self.log}\n{script}\n')
        self.program("apt-cache", f"#!{self.bash}\n")

    def setup(self, level: str = "run", **env: str) -> subprocess.CompletedProcess[str]:
        """Run setup.sh and return what it said."""
        return self.run(str(self.checkout / ".ci/setup.sh"), level, **env)

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the checkout on this machine."""
        clean = {"PATH": str(self.bin), "HOME": str(self.folder), "SUZURI_SYSROOT": str(self.system)}
        return subprocess.run(
            [str(self.bash), *argv],
            env={**clean, **env},
            cwd=os.sep,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self, word: str = "") -> list[str]:
        """Return the logged calls that contain `word`, and forget all."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return [line for line in lines if word in line]

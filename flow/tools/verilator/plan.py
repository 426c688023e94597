"""Plan Verilator's commands: lint, translate to C++, compile."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from flow.model.tool import Command, ToolIdentity
from flow.tools._hdl import HdlFiles, verilog_literal
from flow.tools.verilator.adapter import VERILATOR

__all__ = [
    "COVERAGE",
    "OBJ_DIR",
    "RUNTIME_PARTS",
    "Model",
    "Trace",
    "compile_command",
    "fst_probe_command",
    "lint_command",
    "read_files",
    "read_model",
    "runtime_command",
    "uncovered_text",
    "verilate_command",
]

OBJ_DIR = "obj"
_UNCOVERED = "uncovered.vlt"
# Declarations of what has no name in the Python source ($1) or is part of another signal (a.b, a[0]).
_HELPER = re.compile(r"\s*(?:wire|reg)\s+(?:\[[^\]]*\]\s*)?\\(?:\$|\S*[.\[])")
COVERAGE = ("line", "toggle", "branch", "expression", "user")
_COVERAGE_OPTIONS = {"branch": "line", "expression": "expr"}  # what collects them
#: The parts of Verilator's run-time library that a prebuilt archive holds.
RUNTIME_PARTS = (
    "verilated",
    "verilated_vpi",  # the two that take longest come first
    "verilated_saif_c",
    "verilated_threads",
    "verilated_vcd_c",
    "verilated_dpi",
    "verilated_timing",
    "verilated_cov",
)
_LIBRARY_LEVEL = "Os"
_PREFIX = "Vtop"
_PCH = "simrt.h"
_PCH_TEXT = """\
#include "verilated.h"
#include "verilated_dpi.h"
#include "verilated_vpi.h"
#include <libgen.h>
#include <memory>
#include <string>
"""
# Constructors and the like run once: optimising them costs compile time only.
# A pragma, since the precompiled header is of one level.
_SLOW = '#pragma GCC optimize ("O0")\n'
# Verilator starts a worker thread for each processor, also for a model that
# uses none. They cost time, and a process that has them cannot fork.
_ONE_THREAD = """\
namespace {
const bool one_thread = [](auto* context) {
    context->threads(1);
    if constexpr (requires { context->useNumaAssign(false); }) context->useNumaAssign(false);
    return true;
}(Verilated::threadContextp());
}  // namespace
"""


class Trace(StrEnum):
    """What a model records; Verilator builds one kind into it."""

    NONE = "none"
    VCD = "vcd"
    FST = "fst"
    SAIF = "saif"


def _common(hdl: HdlFiles) -> list[str]:
    args = ["--top-module", hdl.top]
    args += [f"-D{name}={value}" if value else f"-D{name}" for name, value in hdl.defines.items()]
    for folder in hdl.include_dirs:
        args.append(f"-I{folder}")
    args += [f"-G{name}={verilog_literal(value)}" for name, value in hdl.parameters.items()]
    return args


def lint_command(
    tool: ToolIdentity, hdl: HdlFiles, *, disabled: Iterable[str] = (), extra: Sequence[str] = ()
) -> Command:
    """Return the command that lints `hdl` with every warning on.

    Parameters
    ----------
    tool
        Verilator.
    hdl
        The sources.
    disabled
        Rules that are off.
    extra
        Further arguments.
    """
    argv = [tool.path, "--lint-only", "-Wall", "-Wno-fatal", "--timing", "--error-limit", "1000"]
    argv += ["--MMD", "--Mdir", OBJ_DIR, *_common(hdl)]
    argv += [f"-Wno-{rule}" for rule in disabled]
    argv += [*extra, *hdl.files]
    return Command(argv=tuple(argv), env=VERILATOR.environment(tool), log="lint.log")


def verilate_command(
    tool: ToolIdentity,
    hdl: HdlFiles,
    *,
    trace: Trace = Trace.NONE,
    coverage: Sequence[str] = (),
    timescale: str = "1ns/1ps",
    public: bool = True,
    uncovered: str = "",
    extra: Sequence[str] = (),
) -> Command:
    """Return the command that translates `hdl` to C++ below ``OBJ_DIR``.

    Parameters
    ----------
    tool
        Verilator.
    hdl
        The sources.
    trace
        What the model can record.
    coverage
        Kinds of code coverage, of ``COVERAGE``. Lines and branches come together.
    timescale
        For modules that give none.
    public
        Whether a bench can read and write every signal; otherwise only those
        that a ``.vlt`` file or the source makes public.
    uncovered
        A ``.vlt`` file that leaves code out of coverage, as :func:`uncovered_text` writes it;
        only where there is coverage.
    extra
        Further arguments.
    """
    argv = [tool.path, "--cc", "--exe", "--Mdir", OBJ_DIR, "--prefix", _PREFIX, "--MMD", "--vpi"]
    argv += ["--timing", "--assert", "--timescale", timescale]
    argv += ["-Wno-fatal", "-Wno-lint", "-Wno-style"]  # lint is a step of its own
    if public:
        argv.append("--public-flat-rw")
    if trace is not Trace.NONE:
        argv.append(f"--trace-{trace.value}")
        if trace is not Trace.SAIF:
            argv.append("--trace-structs")
    for kind in coverage:
        if kind not in COVERAGE:
            raise ValueError(f"coverage {kind!r} is none of {', '.join(COVERAGE)}")
        argv.append(f"--coverage-{_COVERAGE_OPTIONS.get(kind, kind)}")
    left_out = {_UNCOVERED: uncovered} if coverage and uncovered else {}
    argv += [*_common(hdl), *extra, *left_out, *hdl.files]
    return Command(
        argv=tuple(dict.fromkeys(argv)), files=left_out, env=VERILATOR.environment(tool), log="verilate.log"
    )


def uncovered_text(generated: str, name: str) -> str:
    """Return the ``.vlt`` file that leaves out of coverage what Amaranth's Verilog has of its own.

    That are helper wires without a name, views of a signal's fields, which
    repeat its bits, and the conditions that only make simulators start.

    Parameters
    ----------
    generated
        Verilog that Amaranth wrote.
    name
        Name of its file.
    """
    lines = [
        number
        for number, line in enumerate(generated.splitlines(), 1)
        if "$auto$verilog_backend" in line or _HELPER.match(line)
    ]
    rules = "".join(f'coverage_off -file "*{name}" -lines {number}\n' for number in lines)
    return f"`verilator_config\n{rules}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A translated model: which C++ files it has, and what they need.

    Attributes
    ----------
    root
        Verilator's installation, with ``include`` below it.
    classes
        Stems of the generated C++ files.
    library
        Stems of the run-time library's files that it needs.
    parallel
        Whether Verilator found it large enough to compile file by file.
    threads
        How many threads it was translated for.
    switches
        ``VM_...`` of the generated makefile.
    """

    root: str
    classes: tuple[str, ...]
    library: tuple[str, ...]
    parallel: bool
    threads: int
    switches: Mapping[str, str]


def read_model(makefile: str, classes: str, top: str) -> Model:
    """Read what Verilator wrote: ``Vtop.mk``, ``Vtop_classes.mk`` and ``Vtop.cpp``.

    Raises
    ------
    ValueError
        They do not say what is needed.
    """
    variables = _make_variables(makefile) | _make_variables(classes)
    root = variables.get("VERILATOR_ROOT", "")
    stems = [
        stem
        for group in ("VM_CLASSES_FAST", "VM_CLASSES_SLOW", "VM_SUPPORT_FAST", "VM_SUPPORT_SLOW")
        for stem in variables.get(group, "").split()
    ]
    library = variables.get("VM_GLOBAL_FAST", "").split() + variables.get("VM_GLOBAL_SLOW", "").split()
    if not root or not stems or not library:
        raise ValueError("Verilator's makefiles name no root, classes or library")
    threads = re.search(rf"{_PREFIX}::threads\(\) const \{{ return (\d+); \}}", top)
    return Model(
        root=root,
        threads=int(threads[1]) if threads else 1,
        classes=tuple(stems),
        library=tuple(library),
        parallel=variables.get("VM_PARALLEL_BUILDS") == "1",
        switches={
            name: value
            for name, value in variables.items()
            if re.fullmatch(r"VM_(TRACE\w*|COVERAGE|TIMING|SC)", name)
        },
    )


def _make_variables(text: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    joined = re.sub(r"\\\n", " ", text)
    for match in re.finditer(r"^(\w+)\s*[+?:]?=[ \t]*(.*)$", joined, re.MULTILINE):
        name, value = match[1], match[2].strip()
        variables[name] = f"{variables.get(name, '')} {value}".strip() if "+=" in match[0] else value
    return variables


def read_files(dependencies: str) -> tuple[str, ...]:
    """Return the files that Verilator read, from its ``*__verFiles.dat``."""
    return tuple(match[1] for match in re.finditer(r'^S .* "((?:[^"\\]|\\.)*)"$', dependencies, re.MULTILINE))


def _flags(root: str, level: str, compiler: ToolIdentity, *more: str) -> list[str]:
    coroutines = ["-fcoroutines"] if compiler.flavour == "gcc" else []
    return [
        f"-{level}",
        "-std=gnu++20",
        *coroutines,
        "-w",
        "-DVERILATOR=1",
        f"-I{root}/include",
        f"-I{root}/include/vltstd",
        *more,
    ]


def _make(words: Iterable[str]) -> str:
    """Quote `words` for a recipe: the shell's quoting, then make's."""
    return " ".join(shlex.quote(word) for word in words).replace("$", "$$")


def runtime_command(
    compiler: ToolIdentity,
    root: str,
    *,
    parts: Sequence[str] = RUNTIME_PARTS,
    level: str = "Os",
    jobs: int = 1,
    pch: bool = True,
) -> Command:
    """Return the command that compiles the run-time library once, to ``simrt.a`` and ``simrt.h.gch``.

    Parameters
    ----------
    compiler
        The C++ compiler.
    root
        Verilator's installation.
    parts
        Stems of the library's files.
    level
        Optimisation of the models that will use the precompiled header.
    jobs
        How many compilers run at a time.
    pch
        Whether to precompile the headers.
    """
    shared = pch and level == _LIBRARY_LEVEL  # a precompiled header serves one level
    library = _make([compiler.path, *_flags(root, _LIBRARY_LEVEL, compiler)])
    if shared:
        library += f" -I. -include {_PCH}"
    header = _make([compiler.path, *_flags(root, level, compiler)])
    targets = " ".join(f"rt/{part}.o" for part in parts)
    precompiled = f"{_PCH}.gch" if pch else ""
    lines = [
        f"all: {precompiled} simrt.a",
        f"simrt.a: {targets}",
        f"\trm -f $@ && ar rcsD $@ {targets}",
        f"{_PCH}.gch: {_PCH}",
        f"\t{header} -I. -x c++-header {_PCH} -o $@",
    ]
    for part in parts:
        source = _make([f"{root}/include/{part}.cpp"])
        first = f"{_PCH}.gch" if shared else ""
        lines += [f"rt/{part}.o: {first}", f"\t@mkdir -p rt\n\t{library} -c {source} -o $@"]
    files = {"Makefile.rt": "\n".join(lines) + "\n", _PCH: _PCH_TEXT}
    return Command(argv=("make", "-f", "Makefile.rt", f"-j{jobs}", "all"), files=files, log="runtime.log")


def compile_command(
    compiler: ToolIdentity,
    model: Model,
    *,
    main: str,
    libraries: str | None,
    archive: str | None = None,
    archived: Sequence[str] = (),
    pch: bool = False,
    level: str = "Os",
    jobs: int = 1,
    executable: str = "simulator",
) -> Command:
    """Return the command that compiles and links a model with its main program.

    A small model is one translation unit, since reading the headers is what
    costs; a large one is compiled file by file. No run-path is linked in, so
    that the executable does not depend on where it was built: who runs it
    gives ``LD_LIBRARY_PATH``.

    Parameters
    ----------
    compiler
        The C++ compiler.
    model
        What ``read_model`` found.
    main
        The main program: cocotb's ``verilator.cpp``, or one that needs no cocotb.
    libraries
        Folder of cocotb's libraries, ``None`` for a main program without.
    archive, archived
        The prebuilt run-time library, and the parts that it holds.
    pch
        Whether ``simrt.h.gch`` lies in the step's directory.
    level
        Optimisation, as when the header was precompiled.
    jobs
        How many compilers run at a time.
    executable
        Name of what is linked.
    """
    defines = "".join(f"#define {name} {value or 0}\n" for name, value in sorted(model.switches.items()))
    threads = _ONE_THREAD if model.threads == 1 else ""
    top = f'{defines}#include "{main}"\n{threads}'
    fast = [stem for stem in model.classes if not stem.endswith("__Slow")]
    slow = [stem for stem in model.classes if stem.endswith("__Slow")]
    files = {_PCH: _PCH_TEXT, "slow.h": _SLOW}
    if model.parallel:
        files[f"{OBJ_DIR}/sim_main.cpp"] = top
        stems = [*model.classes, "sim_main"]
    else:
        include_fast, include_slow = ("".join(f'#include "{s}.cpp"\n' for s in part) for part in (fast, slow))
        files[f"{OBJ_DIR}/sim_all.cpp"] = include_fast + top + _SLOW + include_slow
        stems = ["sim_all"]
    compile_ = _make([compiler.path, *_flags(model.root, level, compiler, "-I.", f"-I{OBJ_DIR}")])
    include = f" -include {_PCH}" if pch else ""
    own = [part for part in model.library if archive is None or part not in archived]
    objects = [f"{OBJ_DIR}/{stem}.o" for stem in stems] + [f"rt/{part}.o" for part in own]
    fst = ["-llz4", "-lz"] if model.switches.get("VM_TRACE_FST") == "1" else []
    cocotb = [] if libraries is None else [f"-L{libraries}", "-lcocotbvpi_verilator"]
    link = [*cocotb, "-pthread", *fst]
    lines = [f"{executable}: {' '.join(objects)}"]
    linked = _make([archive] if archive else [])
    lines.append(f"\t{_make([compiler.path])} -o $@ {' '.join(objects)} {linked} {_make(link)}")
    for stem in stems:
        lines += [
            f"{OBJ_DIR}/{stem}.o: {OBJ_DIR}/{stem}.cpp",
            f"\t{compile_}{include}{' -include slow.h' if stem in slow else ''} -c $< -o $@",
        ]
    for part in own:
        source = _make([str(PurePath(model.root) / "include" / f"{part}.cpp")])
        flags = _make([f"-D{name}={value}" for name, value in model.switches.items()])
        lines += [f"rt/{part}.o:", f"\t@mkdir -p rt\n\t{compile_} {flags} -c {source} -o $@"]
    files["Makefile.sim"] = "\n".join(lines) + "\n"
    return Command(
        argv=("make", "-f", "Makefile.sim", f"-j{jobs}", executable), files=files, log="compile.log"
    )


def fst_probe_command(compiler: ToolIdentity) -> Command:
    """Return the command that succeeds where the headers of FST's libraries are installed."""
    return Command(
        argv=(compiler.path, "-fsyntax-only", "fst_probe.cpp"),
        files={"fst_probe.cpp": "#include <lz4.h>\n#include <zlib.h>\n"},
        log="fst_probe.log",
    )

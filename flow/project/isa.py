"""Programs on a core: from a name or a manifest to a built simulator, and a run on it."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from flow.engine.events import Listener
from flow.engine.manifest import load_design
from flow.engine.runner import run_attended
from flow.isa.boot import Boot, plan_boot
from flow.isa.elf import Program
from flow.isa.image import MemoryMap, image_text
from flow.isa.simulation import Result, RunOptions, plusargs, read_result
from flow.model.design import Design, IsaSpec
from flow.model.errors import ConfigError, ToolError
from flow.model.graph import Graph
from flow.model.step import Outcome
from flow.model.tool import ToolIdentity
from flow.project.environment import amaranth_identity, packages
from flow.project.workplace import Workplace
from flow.stages.isa import BUILD, IsaFlow
from flow.tools import icarus
from flow.tools.registry import adapter

__all__ = ["Core", "Files", "Simulator", "core_manifest", "isa_folder", "simulate"]

_DESIGNS = "suzuri.designs"
_FOLDERS = "suzuri.isa"
_ICARUS_WORDS = 1 << 24  # it keeps every one of them, in eight bytes


def core_manifest(name: str) -> Path:
    """Return the manifest of a core: by the name that a distribution offers it under, or by its path.

    Raises
    ------
    ConfigError
        There is none.
    """
    offered = {entry.name: entry for entry in entry_points(group=_DESIGNS)}
    if name in offered:
        return Path(offered[name].load())
    path = Path(name)
    if path.exists():
        return path
    near = difflib.get_close_matches(name, offered, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else "Or give the path of a manifest, suzuri.toml."
    raise ConfigError(
        f"there is no core {name!r}; there are {', '.join(sorted(offered)) or 'none'}", "--core", remedy
    )


def isa_folder(kind: str, design: Design) -> Path:
    """Return the folder of the ``harness`` or the ``runtime``: the manifest's, or the one that comes along.

    Raises
    ------
    ConfigError
        There is none.
    """
    named = getattr(design.isa, kind) if design.isa else None
    if named is not None:
        return design.root / str(named)
    for entry in entry_points(group=_FOLDERS):
        if entry.name == kind:
            return Path(entry.load())
    raise ConfigError(
        f"no {kind} is installed", f"{design.manifest}: isa.{kind}", f'Name a folder: {kind} = "..."'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A simulator of a core, built.

    Attributes
    ----------
    argv
        How it is started; plusargs follow.
    isa
        ISA string of the core, or an empty one.
    """

    argv: tuple[str, ...]
    isa: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a run writes beside the program's output, each if it is wanted."""

    trace: Path | None = None
    waves: Path | None = None
    signature: Path | None = None


class Core:
    """A core that programs run on.

    Parameters
    ----------
    name
        A preset's name, or the path of a manifest.
    parameters
        Parameters that differ from the manifest's.
    simulator
        ``verilator`` or ``icarus``.

    Raises
    ------
    ConfigError
        There is no such core, its manifest is wrong or has no ``[isa]``, or
        a tool is missing.
    """

    def __init__(
        self, name: str, *, parameters: Mapping[str, Any] | None = None, simulator: str = "verilator"
    ) -> None:
        design = load_design(core_manifest(name))
        if design.isa is None:
            raise ConfigError(
                f"no programs run on {design.name!r}: its manifest has no [isa]",
                design.manifest,
                "Add the table [isa] if it is a RISC-V core",
            )
        if design.language == "verilog" and design.isa.wrapper is None:
            raise ConfigError(
                "the ports of a Verilog core are not known", f"{design.manifest}: isa.wrapper",
                "Write the module harness_core, the core behind the harness's ports, and name its file",
            )  # fmt: skip
        self.simulator = simulator
        self.parameters = dict(parameters or {})
        self._spec: IsaSpec = design.isa
        self.design = replace(design, parameters={**design.parameters, **self.parameters})
        self._place = Workplace()

    @property
    def reset_vector(self) -> int:
        """Where the core starts."""
        name = self._spec.reset_parameter
        value = {**self.design.parameters, **self._spec.parameters}.get(name) if name else None
        if isinstance(value, str) and "'h" in value:
            return int(value.rpartition("'h")[2].replace("_", ""), 16)
        return value if isinstance(value, int) else self._spec.reset_vector

    def boot(self, program: Program, memory: MemoryMap) -> Boot:
        """Return how the core comes to the program's entry."""
        movable = self._spec.reset_parameter is not None
        return plan_boot(program, memory, self.reset_vector, movable=movable)

    def isa(self, listener: Listener = lambda event: None) -> str:
        """Return the core's ISA string, from its elaboration or its manifest; empty when neither says it."""
        if self._spec.arch or self.design.language == "verilog":
            return self._spec.arch
        graph = self._graph(self.design, MemoryMap(()), waves=False, tools=self._elaboration_tools())
        only = Graph(step for step in graph if step.kind == "elaborate")
        return _isa(self._place.run(only, listener))

    def build(
        self, memory: MemoryMap, boot: Boot, *, waves: bool = False, jobs: int | None = None,
        listener: Listener = lambda event: None,
    ) -> Simulator:  # fmt: skip
        """Return a simulator, from the cache where it is there.

        Raises
        ------
        FlowError
            A step failed; as it said.
        """
        if self.simulator == "icarus" and memory.words > _ICARUS_WORDS:
            raise ConfigError(
                f"the memory has {memory.words >> 18} MiB; Icarus takes {_ICARUS_WORDS >> 18} at most",
                "--memory", "Give less, or use Verilator",
            )  # fmt: skip
        design = self.design
        if boot.reset_vector is not None:
            vector = boot.reset_vector
            value = f"32'h{vector:08x}" if design.language == "verilog" else vector
            moved = {str(self._spec.reset_parameter): value}
            design = replace(design, parameters={**design.parameters, **moved})
        graph = self._graph(design, memory, waves=waves, tools=self._tools())
        outcomes = self._place.run(graph, listener, jobs)
        executable = self._place.cache.locate(outcomes[BUILD].outputs["simulator"])
        return Simulator(argv=self._argv(executable), isa=self._spec.arch or _isa(outcomes))

    def _argv(self, executable: Path) -> tuple[str, ...]:
        if self.simulator == "icarus":
            vvp = icarus.ICARUS.vvp(adapter("icarus").detect())
            return (vvp, "-n", str(executable))
        return (str(executable),)

    def _elaboration_tools(self) -> dict[str, ToolIdentity]:
        return {**dict.fromkeys(("verilator", "cxx", "icarus"), _NO_TOOL), "amaranth": amaranth_identity()}

    def _tools(self) -> dict[str, ToolIdentity]:
        names = ("verilator", "cxx", "cocotb") if self.simulator == "verilator" else ("icarus",)
        found = {name: adapter(name).detect() for name in names}
        if self.design.language == "amaranth":
            found["amaranth"] = amaranth_identity()
        return found

    def _graph(
        self, design: Design, memory: MemoryMap, *, waves: bool, tools: Mapping[str, ToolIdentity]
    ) -> Graph:
        return IsaFlow(
            design=design,
            pdks=(),
            runs=(),
            tools=tools,
            view_of=self._place.view,
            digest=self._place.digest,
            packages=packages,
            waves=waves,
            simulator=self.simulator,
            harness=isa_folder("harness", self.design),
            memory_words=1 << max(16, (memory.words - 1).bit_length()),
        ).graph()


_NO_TOOL = ToolIdentity(name="none", flavour="none", version="0", digest="", path="", licence="")


def _isa(outcomes: Mapping[str, Outcome]) -> str:
    return next((str(o.data["isa"]) for o in outcomes.values() if "isa" in o.data), "")


def simulate(
    simulator: Simulator,
    program: Program,
    boot: Boot,
    options: RunOptions,
    files: Files,
    *,
    show: Callable[[str], None],
    more: tuple[str, ...] = (),
) -> Result:
    """Run a program.

    Parameters
    ----------
    simulator, program, boot
        What runs what.
    options, files, more
        How, what is written, and further plusargs.
    show
        Given the program's output as it comes.

    Raises
    ------
    ConfigError
        A signature is wanted of a program that has none in memory.
    ToolError
        The simulator broke.
    """
    signature = _signature(program, boot.memory) if files.signature else []
    wanted = [*boot.memory.plusargs(), *program.plusargs(), *signature, *more]
    with _scratch() as folder:
        image, result = folder / "image.hex", folder / "result"
        image.write_text(image_text((*program.segments, *boot.segments), boot.memory))
        paths = {"image": image, "result": result, "trace": files.trace, "waves": files.waves,
                 "signature": files.signature}  # fmt: skip
        code, said = run_attended([*simulator.argv, *plusargs(options, paths, wanted)], show)
        try:
            return read_result(result.read_text())
        except (OSError, ValueError):
            reason = said.strip().splitlines()[-1] if said.strip() else f"ended with exit status {code}"
            raise ToolError("simulator", f"left no result: {reason}") from None


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="suzuri-isa-") as name:
        yield Path(name)


def _signature(program: Program, memory: MemoryMap) -> list[str]:
    missing = [n for n in ("begin_signature", "end_signature") if n not in program.symbols]
    if missing:
        raise ConfigError(
            f"the program has no symbol {' and no symbol '.join(missing)}", program.name,
            "Link it with the model macros of the architecture tests, or give --symbol NAME=ADDRESS",
        )  # fmt: skip
    begin, end = (program.symbols[name] for name in ("begin_signature", "end_signature"))
    if begin % 4 or not begin <= end or not memory.holds(begin, end - begin):
        raise ConfigError(
            f"the signature from {begin:#x} to {end:#x} does not lie in memory, word by word", program.name,
            "Check the symbols begin_signature and end_signature",
        )  # fmt: skip
    return [f"signature_begin={begin:x}", f"signature_end={end:x}"]

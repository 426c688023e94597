"""Neural networks: the compiler that a distribution offers, and its accelerator as a simulator."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from flow.engine.events import Listener
from flow.engine.manifest import load_design
from flow.engine.runner import run_attended
from flow.model.errors import ConfigError, ToolError
from flow.nn.simulation import Job, Outcome, read_outcome
from flow.project.environment import amaranth_identity, packages
from flow.project.workplace import Workplace
from flow.stages.nn import BUILD, NnFlow
from flow.tools.registry import adapter

__all__ = ["Accelerator", "compile_model", "configuration", "offered", "simulate"]

_GROUP = "suzuri.nn"


def offered(name: str) -> Any:  # noqa: ANN401 - what an entry point names
    """Return what a distribution offers: ``compiler``, ``design`` or ``harness``.

    Raises
    ------
    ConfigError
        Nothing is installed, or it lacks a package.
    """
    for entry in entry_points(group=_GROUP):
        if entry.name == name:
            try:
                return entry.load()
            except ImportError as error:
                raise ConfigError(
                    f"it cannot be imported ({error})", entry.value, "Install what it names"
                ) from None
    raise ConfigError(
        f"no {name} for neural networks is installed", f"entry points {_GROUP}",
        "Install the distribution that has it: pip install -e .",
    )  # fmt: skip


def configuration(preset: str, changes: Mapping[str, Any]) -> dict[str, int]:
    """Return the parameters of a configuration of the accelerator.

    Raises
    ------
    ConfigError
        There is no such preset or parameter, or a value is wrong.
    """
    compiler = offered("compiler")
    if preset not in compiler.presets():
        near = difflib.get_close_matches(preset, compiler.presets(), n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Change single parameters with --set NAME=VALUE"
        raise ConfigError(
            f"there is no configuration {preset!r}; there are {', '.join(compiler.presets())}",
            "--config", remedy,
        )  # fmt: skip
    try:
        found: dict[str, int] = compiler.parameters(preset, changes)
    except ValueError as error:
        raise ConfigError(str(error), "--set", "Mend it") from None
    return found


def compile_model(path: Path, values: Mapping[str, int], *, keep: bool = False) -> Any:  # noqa: ANN401
    """Compile a network.

    Parameters
    ----------
    path
        A .tflite file.
    values
        The configuration.
    keep
        Whether each operator's tensor is stored.

    Raises
    ------
    ConfigError
        The file cannot be read or compiled.
    """
    compiler = offered("compiler")
    try:
        return compiler.compile_network(path, values, keep=keep)
    except OSError as error:
        raise ConfigError(f"it cannot be read ({error.strerror})", path, "Mend its name") from None
    except ValueError as error:
        what, where = getattr(error, "what", str(error)), getattr(error, "where", "")
        place = f"{path}: {where}" if where else str(path)
        raise ConfigError(what, place, getattr(error, "remedy", None)) from None


class Accelerator:
    """An accelerator that programs are simulated on.

    Parameters
    ----------
    values
        Its configuration.

    Raises
    ------
    ConfigError
        A part of it is not installed.
    """

    def __init__(self, values: Mapping[str, int]) -> None:
        design = load_design(Path(offered("design")))
        self.values = dict(values)
        # The preset's parameters are all given: so that configurations that are alike share a simulator.
        parameters = {**design.parameters, **self.values}
        self.design = replace(design, parameters=parameters)
        self._harness = Path(offered("harness"))
        self._place = Workplace()

    def build(
        self, memory_bits: int, *, jobs: int | None = None, listener: Listener = lambda event: None
    ) -> Path:
        """Return the simulator, from the cache where it is there.

        Raises
        ------
        FlowError
            A step failed; as it said.
        """
        tools = {name: adapter(name).detect() for name in ("verilator", "cxx", "cocotb")}
        graph = NnFlow(
            design=self.design,
            pdks=(),
            runs=(),
            tools={**tools, "amaranth": amaranth_identity()},
            view_of=self._place.view,
            digest=self._place.digest,
            packages=packages,
            harness=self._harness,
            bus_width=self.values["bus_width"],
            memory_bits=memory_bits,
        ).graph()
        outcomes = self._place.run(graph, listener, jobs)
        return Path(self._place.cache.locate(outcomes[BUILD].outputs["simulator"]))


def simulate(simulator: Path, job: Job, show: Callable[[str], None]) -> Outcome:
    """Run a program on inputs.

    Parameters
    ----------
    simulator
        The built simulator.
    job
        Program and inputs.
    show
        Given what the simulator says.

    Raises
    ------
    ToolError
        The simulator broke.
    """
    with tempfile.TemporaryDirectory(prefix="suzuri-nn-") as name:
        folder = Path(name)
        code, said = run_attended([str(simulator), *job.write(folder)], show)
        try:
            return read_outcome(folder, job.plan)
        except (OSError, ValueError, KeyError, IndexError):
            reason = said.strip().splitlines()[-1] if said.strip() else f"ended with exit status {code}"
            raise ToolError("simulator", f"left no result: {reason}") from None

"""``suzuri nn``: neural networks on the accelerator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.model.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from flow.engine.events import Event
    from flow.nn.inputs import Inputs

__all__ = ["nn"]

_PATH = click.Path(path_type=Path, dir_okay=False)
_LIMIT = 100_000_000


@click.group()
def nn() -> None:
    """Compile neural networks for the accelerator, and run them."""


def _configured(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    for option in (
        click.option("--set", "changes", multiple=True, metavar="NAME=VALUE",
                     help="Change a parameter, such as activation_kib=128. Repeatable."),
        click.option("--config", "preset", default="8x8", show_default=True, metavar="NAME",
                     help="Configuration of the accelerator: 4x4, 8x8 or 16x16."),
    ):  # fmt: skip
        function = option(function)
    return function


@nn.command(name="compile")
@click.argument("model", type=_PATH)
@_configured
@click.option("--output", "-o", type=_PATH, metavar="FILE", help="Compiled network; MODEL.szn by default.")
@click.option("--plan", "show", is_flag=True, help="Print layers and predicted cycles too.")
@click.option("--tensors", is_flag=True, help="Store every operator's tensor, for the region at BASE3.")
def compile_(
    model: Path, preset: str, changes: tuple[str, ...], output: Path | None, show: bool, tensors: bool
) -> None:
    """Compile MODEL, an int8 network of TensorFlow Lite, into commands and constants."""
    values = _values(preset, changes)
    network = _compile(model, values, tensors)
    target = output or model.with_suffix(".szn")
    content = network.file()
    try:
        target.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"it cannot be written ({error.strerror})", target, "Name another file") from None
    if show:
        _print_plan(network, values)
    click.echo(f"{target}: {network.commands} commands, {len(content):,} bytes")


@nn.command()
@click.argument("model", type=_PATH)
@_configured
def plan(model: Path, preset: str, changes: tuple[str, ...]) -> None:
    """Print the layers of MODEL, and what each is predicted to take."""
    values = _values(preset, changes)
    _print_plan(_compile(model, values, False), values)


@nn.command()
@click.argument("model", type=_PATH)
@_configured
@click.option(
    "--input",
    "source",
    type=_PATH,
    required=True,
    metavar="FILE",
    help="Inputs: int8, as .npy, as .npz with an array `input`, or as bytes.",
)
@click.option(
    "--engine",
    type=click.Choice(["rtl", "machine", "reference"]),
    default="rtl",
    show_default=True,
    help="Simulated hardware, the model of its commands, or the operators.",
)
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="First so many inputs; all by default."
)
@click.option("--tensors", is_flag=True, help="Store every operator's tensor, and compare it too.")
@click.option("--output", "-o", type=_PATH, metavar="FILE", help="Write the outputs: .npy.")
@click.option(
    "--stall",
    type=click.IntRange(0, 100),
    default=0,
    metavar="PERCENT",
    help="How often the simulated memory pauses.",
)
@click.option(
    "--latency",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    metavar="CYCLES",
    help="Of the simulated memory.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the pauses.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Cores to build with; all by default.")
@click.option("--quiet", "-q", is_flag=True, help="Print the verdict alone.")
def run(model: Path, preset: str, changes: tuple[str, ...], source: Path, **options: Any) -> None:  # noqa: ANN401
    """Run MODEL on inputs, and compare the outputs with the reference.

    Prints cycles, utilisation and bound of each layer; cycles count from when
    the input is on chip.
    """
    from flow.nn.inputs import read_inputs

    values = _values(preset, changes)
    network = _compile(model, values, options["tensors"])
    inputs = read_inputs(source, network.input_shape)
    count = min(options["count"] or len(inputs.values), len(inputs.values))
    if options["engine"] == "rtl":
        found = _simulated(network, inputs, count, values, options)
    elif options["engine"] == "machine":
        found = (network.run_machine(inputs.values[i]) for i in range(count))
    else:
        found = (network.run_reference(inputs.values[i]) for i in range(count))
    results = list(found)
    wrong = [line for i, result in enumerate(results) for line in _compare(network, inputs, i, result)]
    if options["output"] is not None:
        _write(options["output"], [result[network.outputs[0]] for result in results])
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        raise CheckFailed(f"{len(wrong)} tensors differ", model, "See the list above")
    tensors = "every tensor" if options["tensors"] else "outputs"
    golden = " and to the file's" if inputs.outputs is not None else ""
    click.echo(f"{count} inputs: {tensors} equal to the reference{golden}")


def _values(preset: str, changes: tuple[str, ...]) -> dict[str, int]:
    from flow.project.nn import configuration
    from flow.project.request import parse_assignment

    return configuration(preset, dict(map(parse_assignment, changes)))


def _compile(model: Path, values: dict[str, int], keep: bool) -> Any:  # noqa: ANN401 - the compiler's
    from flow.project.nn import compile_model

    return compile_model(model, values, keep=keep)


def _print_plan(network: Any, values: dict[str, int]) -> None:  # noqa: ANN401
    from flow.nn.table import layer_lines

    rows, times = network.plan()
    for line in layer_lines(rows, times.cycles, values["array"] ** 2):
        click.echo(line)
    click.echo("Cycles are predicted; they count from when the input is on chip.")


def _simulated(
    network: Any,  # noqa: ANN401 - the compiler's
    inputs: Inputs,
    count: int,
    values: dict[str, int],
    options: dict[str, Any],
) -> Iterator[Any]:
    """Yield the results of a simulation; print its table."""
    from flow.nn.simulation import Job, MemoryPlan
    from flow.nn.table import layer_lines
    from flow.project.nn import Accelerator, simulate

    quiet = options["quiet"]
    # Kept tensors are of the last run alone.
    groups = [[i] for i in range(count)] if network.scratch_bytes else [list(range(count))]
    printed = quiet
    for group in groups:
        plan = MemoryPlan(
            image_bytes=len(network.image), input_bytes=network.input_bytes,
            output_bytes=network.output_bytes, scratch_bytes=network.scratch_bytes, runs=len(group),
        )  # fmt: skip
        simulator = Accelerator(values).build(
            plan.bits, jobs=options["jobs"], listener=lambda event: _tell(event, quiet)
        )
        job = Job(
            image=network.image, inputs=tuple(network.input_region(inputs.values[i]) for i in group),
            plan=plan, config=network.config_word, limit=_LIMIT, latency=options["latency"],
            stall=options["stall"], seed=options["seed"],
        )  # fmt: skip
        said: list[str] = []
        outcome = simulate(simulator, job, said.append)
        for line in "".join(said).splitlines():
            if "$finish" not in line:  # Verilator's own
                click.echo(line, err=True)
        if outcome.failure is not None:
            raise CheckFailed(
                outcome.failure, f"input {group[len(outcome.registers) - 1]}",
                "This is a fault of the accelerator or of its compiler: report it",
            )  # fmt: skip
        if outcome.complaints:
            raise CheckFailed(
                f"the accelerator broke the protocol of its memory port {outcome.complaints} times",
                "memory port", "This is a fault of the accelerator: report it",
            )  # fmt: skip
        if not printed:
            rows, times = network.measured(outcome.done[0])
            for line in layer_lines(rows, times.cycles, values["array"] ** 2):
                click.echo(line)
            for line in _counters(outcome.registers[0]):
                click.echo(line)
            printed = True
        for place in range(len(group)):
            yield network.results(outcome.outputs[place], outcome.scratch)


def _counters(registers: Any) -> Iterator[str]:  # noqa: ANN401 - a mapping of numbers
    stalls = ", ".join(
        f"{name.removeprefix('stall_')} {registers[name]:,}"
        for name in ("stall_weights", "stall_activations", "stall_output", "stall_wait")
    )
    yield (
        f"{registers['cycles']:,} cycles from start to end: the array took operands in "
        f"{registers['compute_busy']:,}, and waited for {stalls}"
    )
    yield (
        f"memory port: {registers['bus_read_beats']:,} beats read, {registers['bus_write_beats']:,} written, "
        f"{registers['bus_stall']:,} cycles stalled"
    )


def _compare(network: Any, inputs: Inputs, place: int, found: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield a line for each tensor that differs from the reference, or from the file's outputs."""
    expected = network.run_reference(inputs.values[place])
    golden = (
        [] if inputs.outputs is None else [(network.outputs[0], inputs.outputs[place], "the file's output")]
    )
    for number, wanted, what in [*((n, expected[n], "the reference") for n in sorted(found)), *golden]:
        if number not in expected or number not in found:
            continue
        values, right = found[number].reshape(-1), wanted.reshape(-1)
        if values.size != right.size:
            yield f"{inputs.names[place]}: {network.tensor_name(number)}: {what} has {right.size} values"
            continue
        differ = (values != right).nonzero()[0]
        if len(differ):
            at = int(differ[0])
            yield (
                f"{inputs.names[place]}: {network.tensor_name(number)}: {len(differ)} of {values.size} "
                f"values differ from {what}; value {at} is {values[at]}, not {right[at]}"
            )


def _write(path: Path, outputs: list[Any]) -> None:
    import numpy as np

    try:
        with path.open("wb") as file:
            np.save(file, np.stack([values.reshape(values.shape[1:]) for values in outputs]))
    except OSError as error:
        raise ConfigError(f"it cannot be written ({error.strerror})", path, "Name another file") from None


def _tell(event: Event, quiet: bool) -> None:
    """Say what is built, once it takes time."""
    from flow.engine.events import StepStarted

    if isinstance(event, StepStarted) and not quiet:
        click.echo(f"{event.step.label or event.step.name} ...", err=True)

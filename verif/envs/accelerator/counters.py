"""What the performance counters must say of a run."""

from collections.abc import Iterator, Mapping

from rtl.tensor.accelerator.commands import Compute, Engine, Load, Operation, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.envs.accelerator.items import Result

__all__ = ["array_cycles", "check_counters"]

#: Beats of the program that may have been read ahead, behind its end.
_AHEAD_BYTES = 1024
#: Cycles between a register write and its effect, and between the end and its being noticed.
_SLACK = 400


def array_cycles(command: Compute, config: AcceleratorConfig) -> int:
    """Return the cycles in which a command gives the array operands.

    Between two words of ``ADD`` comes another one, for the sum before.
    """
    words = command.groups * command.rows * command.columns
    if command.operation is Operation.ADD:
        return 2 * words
    if command.operation is Operation.DEPTHWISE:
        steps = -(-command.columns // config.depthwise_pixels)
        return command.groups * command.rows * steps * command.kernel_rows
    taps = command.kernel_rows * command.kernel_columns
    return words * taps * (command.in_groups if command.operation is Operation.CONV else 1)


def check_counters(
    result: Result,
    intervals: Mapping[int, list[int]],
    done: Mapping[Engine, int],
    config: AcceleratorConfig,
) -> Iterator[str]:
    """Yield what is wrong with the counters of a run.

    Parameters
    ----------
    result
        Registers and what the memory port moved.
    intervals
        By tag, the cycles of a command's start and, if it came, end.
    done
        Commands that each engine has done.
    config
        The accelerator.
    """
    found, stimulus = result.registers, result.item.stimulus
    by_engine = {
        Engine.LOAD: [c for c in stimulus.commands if isinstance(c, Load)],
        Engine.STORE: [c for c in stimulus.commands if isinstance(c, Store)],
        Engine.COMPUTE: [c for c in stimulus.commands if isinstance(c, Compute)],
    }
    moved = {
        engine: sum(c.row_bytes * c.rows // config.bus_bytes for c in by_engine[engine][: done[engine]])
        for engine in (Engine.LOAD, Engine.STORE)
    }
    if stimulus.ending.code == 6:
        return
    if found["cycles"] > result.cycles + _SLACK:
        yield f"CYCLES is {found['cycles']} of a run that took {result.cycles}"
    if found["bus_write_beats"] > result.write_beats:
        yield f"BUS_WRITE_BEATS is {found['bus_write_beats']}, of {result.write_beats}"
    if found["bus_read_beats"] > result.read_beats:
        yield f"BUS_READ_BEATS is {found['bus_read_beats']}, of {result.read_beats}"
    if stimulus.ending.code == 4:
        return  # counters stop with the error, while other commands go on to their ends
    ended = [cycles for cycles in intervals.values() if len(cycles) == 2]
    if ended and found["cycles"] < max(c[1] for c in ended) - min(c[0] for c in ended):
        yield f"CYCLES is {found['cycles']}, less than its commands took"
    if found["bus_write_beats"] != moved[Engine.STORE]:
        yield f"BUS_WRITE_BEATS is {found['bus_write_beats']}, not {moved[Engine.STORE]}"
    program = len(stimulus.content) + _AHEAD_BYTES
    if not 0 <= found["bus_read_beats"] - moved[Engine.LOAD] <= program // config.bus_bytes:
        yield f"BUS_READ_BEATS is {found['bus_read_beats']}, for loads of {moved[Engine.LOAD]}"
    computes = by_engine[Engine.COMPUTE]
    array = sum(array_cycles(c, config) for c in computes)
    between = sum(array_cycles(c, config) // 2 - 1 for c in computes if c.operation is Operation.ADD)
    if not array <= found["compute_busy"] <= array + between:
        yield f"COMPUTE_BUSY is {found['compute_busy']}, not {array} to {array + between}"
    parts = ("compute_busy", "stall_weights", "stall_activations", "stall_output", "stall_wait")
    total = sum(found[name] for name in parts)
    if total > found["cycles"]:
        yield f"the array was busy or stalled in {total} cycles of {found['cycles']}"
    for engine, name in ((Engine.LOAD, "load"), (Engine.PACK, "pack"), (Engine.STORE, "store")):
        if found[f"{name}_busy"] > found["cycles"] or bool(found[f"{name}_busy"]) != bool(done[engine]):
            yield f"{name.upper()}_BUSY is {found[f'{name}_busy']} after {done[engine]} commands"

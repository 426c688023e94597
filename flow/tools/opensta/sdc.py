"""Constraints as SDC, for one top's ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flow.model.constraint import Constraints

__all__ = ["Ports", "SdcError", "clock_names", "quote", "write_sdc"]


class SdcError(ValueError):
    """A constraint names a port that the top does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Bits of a top's ports, as simulators write them (``a[3]``).

    Attributes
    ----------
    vectors
        Name of a vector port to its bits.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    vectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def bits(self, name: str) -> tuple[str, ...]:
        """Return the bits of the port `name`; ``KeyError`` when there is none."""
        if name in self.vectors:
            return self.vectors[name]
        if name in self.inputs or name in self.outputs:
            return (name,)
        raise KeyError(name)


def quote(name: str) -> str:
    """Return a Tcl word that stands for `name`, whatever is in it.

    Braces take everything as it is but unbalanced braces and a backslash at
    the end; such a name is written with each odd character escaped.
    """
    if "{" in name or "}" in name or name.endswith("\\"):
        return "".join(c if c.isalnum() or c == "_" else f"\\{c}" for c in name)
    return "{" + name + "}"


def _list(names: Iterable[str]) -> str:
    return "[list " + " ".join(quote(name) for name in names) + "]"


def _ports(names: Iterable[str]) -> str:
    return f"[get_ports {_list(names)}]"


def clock_names(constraints: Constraints) -> list[str]:
    """Return a name for each clock: its port's, or ``virtual``."""
    names: list[str] = []
    for clock in constraints.clocks:
        stem = clock.port or "virtual"
        name, count = stem, 1
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names.append(name)
    return names


def write_sdc(
    constraints: Constraints,
    ports: Ports,
    *,
    driving_cell: tuple[str, str] | None = None,
    load_pf: float | None = None,
    scale: str | None = None,
) -> str:
    """Return SDC in nanoseconds and picofarads.

    Parameters
    ----------
    driving_cell
        ``(cell, pin)`` that drives the inputs.
    load_pf
        Load of each output.
    scale
        Name of a Tcl variable that multiplies every period and port delay;
        for the search of the highest frequency.

    Notes
    -----
    Clocks that enter by different ports are taken as asynchronous: nothing is
    known of their phases.

    Raises
    ------
    SdcError
        A clock or the reset is no input of the top.
    """
    names = clock_names(constraints)
    period = constraints.clocks[0].period_ns

    def time(value: float) -> str:
        return f"[expr {value!r} * ${scale}]" if scale else repr(round(value, 9))

    lines = ["# Times in ns, capacitances in pF."]
    clock_ports: set[str] = set()
    for clock, name in zip(constraints.clocks, names, strict=True):
        command = f"create_clock -name {quote(name)} -period {time(clock.period_ns)}"
        if clock.port is not None:
            bits = _input(ports, clock.port, "clock")
            clock_ports.update(bits)
            command += f" {_ports(bits)}"
        lines.append(command)
        if clock.uncertainty_ns:
            lines.append(f"set_clock_uncertainty {clock.uncertainty_ns!r} [get_clocks {_list([name])}]")
    if len(names) > 1:
        groups = " ".join(f"-group [get_clocks {_list([name])}]" for name in names)
        lines.append(f"set_clock_groups -asynchronous {groups}")
    inputs = [name for name in ports.inputs if name not in clock_ports]
    main = f"-clock [get_clocks {_list(names[:1])}]"
    if inputs:
        lines.append(f"set_input_delay {time(period * constraints.input_delay)} {main} {_ports(inputs)}")
        if driving_cell:
            cell, pin = driving_cell
            lines.append(f"set_driving_cell -lib_cell {quote(cell)} -pin {quote(pin)} {_ports(inputs)}")
    if ports.outputs:
        lines.append(
            f"set_output_delay {time(period * constraints.output_delay)} {main} {_ports(ports.outputs)}"
        )
        if load_pf:
            lines.append(f"set_load {load_pf!r} {_ports(ports.outputs)}")
    if constraints.reset is not None:
        lines.append(f"set_false_path -from {_ports(_input(ports, constraints.reset, 'reset'))}")
    return "\n".join(lines) + "\n"


def _input(ports: Ports, name: str, what: str) -> tuple[str, ...]:
    try:
        bits = ports.bits(name)
    except KeyError:
        bits = ()
    if not bits or bits[0] not in ports.inputs:
        known = ", ".join(list(ports.inputs)[:12]) or "none"
        raise SdcError(f"{what} port {name!r} is no input of the top; its inputs are {known}")
    return bits

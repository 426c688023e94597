"""Verilog as Yosys writes it, made to mean the same to every simulator."""

from __future__ import annotations

import re

__all__ = ["settled"]

#: A process of one assignment, as ``write_verilog`` indents it: what it writes, and the value.
_PROCESS = re.compile(r"^( *)always @\*\n *([^;\n=]*) = ([^;\n]*);$", re.MULTILINE)
_CONSTANT = re.compile(r"[\s{},]|\d+'s?[bodh][0-9a-fA-FxXzZ_]+")


def settled(verilog: str) -> str:
    """Return Verilog in which constant parts of a signal have their value from the start.

    Where some bits of a signal are constant and others are not, Yosys writes
    ``always @* pair[2:1] = 2'h3;``. Such a process reads nothing, so no
    simulator ever runs it, and the bits keep what they begin with; synthesis
    takes the constant. An initial value makes them the same for both.

    Parameters
    ----------
    verilog
        What ``write_verilog`` wrote.

    Source
    ------
    IEEE Std 1364-2005, 9.7.5: ``@*`` waits for what the statement reads.
    """
    return _PROCESS.sub(_begun, verilog)


def _begun(process: re.Match[str]) -> str:
    indent, target, value = process.groups()
    if _CONSTANT.sub("", value):
        return process[0]
    return f"{indent}initial {target} = {value};\n{process[0]}"

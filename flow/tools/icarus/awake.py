"""Let Icarus Verilog evaluate at time 0 what Yosys wrote."""

from __future__ import annotations

import re

__all__ = ["awake"]

_TRIGGER = re.compile(r"reg (\\\$auto\$verilog_backend\S+) += *\S+;")
_HEADER = re.compile(r"^module .*?\);$", re.MULTILINE | re.DOTALL)
_SINGLE = re.compile(r"^( *)always @\*\n *([^;\n]* = [^;]*;)$", re.MULTILINE)
_NAME = r"\suzuri$awake "


def awake(verilog: str) -> str:
    r"""Return Verilog of Yosys in which every process sees a change at time 0.

    Icarus does not run ``always @*`` before one of its inputs changes, and
    an initial value is no change: what follows from initial values alone
    would stay unknown. Yosys gives most processes an input for this
    (``\$auto$verilog_backend...``), but as an initial value too, and none to
    those of one assignment.

    Parameters
    ----------
    verilog
        What ``write_verilog`` wrote.
    """
    text = _TRIGGER.sub(r"reg \1 ; initial #0 \1 = 0;", verilog)
    if not _SINGLE.search(text):
        return text
    text = _SINGLE.sub(lambda m: f"{m[1]}always @* begin if ({_NAME}) begin end {m[2]} end", text)
    return _HEADER.sub(lambda m: f"{m[0]}\n  reg {_NAME}; initial #0 {_NAME}= 0;", text)

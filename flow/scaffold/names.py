"""Which names a new design may have: it becomes a Python package and a Verilog module."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys

from flow.model.errors import ConfigError

__all__ = ["VERILOG_KEYWORDS", "check_name"]

_KEYWORDS = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before
begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class
clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign
default defparam design disable dist do edge else end endcase endchecker endclass endclocking endconfig
endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty
endsequence endspecify endtable endtask enum event eventually expect export extends extern final
first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if
iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input
inside instance int integer interconnect interface intersect join join_any join_none large let liblist
library local localparam logic longint macromodule matches medium modport module nand negedge nettype
new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter pmos
posedge primitive priority program property protected pull0 pull1 pulldown pullup
pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref
reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually
s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small soft
solve specify specparam static string strong strong0 strong1 struct super supply0 supply1
sync_accept_on sync_reject_on table tagged task this throughout time timeprecision timeunit tran
tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until
until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""

#: IEEE 1800-2017, Table B.1.
VERILOG_KEYWORDS = frozenset(_KEYWORDS.split())

#: Folders of the new design itself.
_OWN = frozenset({"tests"})


def check_name(name: str) -> None:
    """Refuse a name that cannot be a Python package and a Verilog module.

    Raises
    ------
    ConfigError
        Says what is wrong with it, and suggests one where that is possible.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        cleaned = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lstrip("0123456789_")
        remedy = "A name starts with a letter and goes on with letters, digits and underscores."
        if cleaned:
            remedy = f"{remedy} For example: {cleaned}"
        raise ConfigError(f"{name!r} cannot be the name of a design", None, remedy)
    another = f"Choose another, for example: my_{name}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ConfigError(f"{name!r} is a keyword of Python", None, another)
    if name in VERILOG_KEYWORDS:
        raise ConfigError(f"{name!r} is a keyword of Verilog", None, another)
    if name in _OWN or name in sys.stdlib_module_names or _is_installed(name):
        raise ConfigError(f"{name!r} is already the name of a Python package", None, another)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a half-initialised module of that name
        return True

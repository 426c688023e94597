"""Netlists: text and back, buffering, repair, activity."""

from __future__ import annotations

import pytest
from netlist_library import tiny

from flow.tools.netlist import (
    Fanout,
    NetlistError,
    Ties,
    buffer_fanout,
    measure,
    read_verilog,
    repair,
    resize_flops,
    write_verilog,
)
from flow.tools.netlist.activity import annotate
from flow.tools.netlist.flat import flatten
from flow.tools.netlist.model import read_yosys_json

LIBRARY = tiny()
HIERARCHY = r"""
module leaf (a, y); input [1:0] a; output y;
  NAND2X1 g (.A(a[0]), .B(a[1]), .Y(y));
endmodule
module top (clk, d, \q.x );
  input clk; input [0:1] d; output \q.x ;
  wire \n[3] ;
  leaf \u[0] (.a({d[0], d[1]}), .y(\n[3] ));
  DFFX1 r (.D(\n[3] ), .CK(clk), .Q(\q.x ));
endmodule
"""


def _buffers() -> Fanout:
    cells = tuple(c for n in ("BUFX1", "BUFX4") if (c := LIBRARY.get(n)) is not None)
    return Fanout(limit=4, buffers=cells)


def test_verilog_survives_a_round_trip() -> None:
    first = read_verilog(HIERARCHY)
    assert first.top == "top"
    text = write_verilog(first)
    again = read_verilog(text)
    assert write_verilog(again) == text
    assert "input [0:1] d;" in text and "\\q.x " in text
    flat = flatten(again)
    cells = {cell.path: cell for cell in flat.cells}
    gate = cells[("u[0]", "g")]
    # The port is declared [0:1]: its least significant bit is d[1].
    assert gate.pins["A"] == flat.ports["d[1]"] and gate.pins["B"] == flat.ports["d[0]"]
    assert gate.pins["Y"] == cells[("r",)].pins["D"]


@pytest.mark.parametrize("text", ["module m (a); input a;", "module m; assign = ; endmodule", "@ module"])
def test_what_is_no_netlist_is_an_error(text: str) -> None:
    with pytest.raises(NetlistError):
        read_verilog(text, "m")


def _wide(readers: int, clocked: bool = False) -> str:
    if clocked:
        body = "".join(f"DFFX1 r{i} (.D(a), .CK(c), .Q(y[{i}]));" for i in range(readers))
    else:
        body = "".join(f"INVX1 g{i} (.A(a), .Y(y[{i}]));" for i in range(readers))
    return f"module m (a, c, y); input a, c; output [{readers - 1}:0] y; {body} endmodule"


@pytest.mark.parametrize("readers", [4, 5, 16, 17, 300])
def test_fanout_is_bounded_by_a_tree(readers: int) -> None:
    netlist = read_verilog(_wide(readers))
    added = buffer_fanout(netlist, LIBRARY, _buffers())
    measures = measure(netlist, LIBRARY)
    assert measures.max_fanout <= 4
    assert not measures.undriven and not measures.multidriven
    assert (added == 0) == (readers <= 4)
    assert measures.buffers == added
    assert measures.inverters == readers


def test_a_clock_stays_whole_while_data_is_buffered() -> None:
    netlist = read_verilog(_wide(20, clocked=True))
    buffer_fanout(netlist, LIBRARY, _buffers())
    flat = flatten(netlist)
    clock = flat.ports["c"]
    assert sum(cell.pins.get("CK") == clock for cell in flat.cells) == 20
    assert sum(clock in cell.pins.values() for cell in flat.cells if cell.type.startswith("BUF")) == 0
    assert measure(netlist, LIBRARY).max_fanout <= 4


def test_a_loaded_flip_flop_gets_a_stronger_drive() -> None:
    readers = "".join(f"INVX1 g{i} (.A(q), .Y(y[{i}]));" for i in range(8))
    text = (
        f"module m (d, c, y); input d, c; output [7:0] y; wire q; {readers}"
        "DFFX1 r (.D(d), .CK(c), .Q(q)); DFFX1 s (.D(d), .CK(c)); endmodule"
    )
    netlist = read_verilog(text)
    assert resize_flops(netlist, LIBRARY, list(LIBRARY), 0.0) == 1
    cells = netlist.modules["m"].cells
    assert cells["r"].type == "DFFX2" and cells["s"].type == "DFFX1"


def _json(ports: str, cells: str) -> str:
    return f'{{"modules": {{"m": {{"ports": {{{ports}}}, "cells": {{{cells}}}, "netnames": {{}}}}}}}}'


def test_repair_leaves_no_constant_and_no_shared_output() -> None:
    ports = (
        '"a": {"direction": "input", "bits": [2]},'
        '"y": {"direction": "output", "bits": [2, 2, "1", "0", "x", 3]}'
    )
    cells = '"$g": {"type": "NAND2X1", "connections": {"A": ["1"], "B": [2], "Y": [3]}}'
    netlist = read_yosys_json(_json(ports, cells), "m")
    ties = Ties(high=("TIE1", "Y"), low=("TIE0", "Y"), buffer=LIBRARY.get("BUFX1"))
    repair(netlist, LIBRARY, ties, list(LIBRARY))
    text = write_verilog(netlist)
    assert "assign" not in text and "1'b" not in text and "$" not in text
    measures = measure(netlist, LIBRARY)
    assert not measures.undriven and not measures.multidriven
    assert measures.types["BUFX1"][0] == 2 and measures.types["TIE0"][0] == 2


def test_repair_without_tie_cells_still_gives_every_output_a_driver() -> None:
    netlist = read_yosys_json(_json('"y": {"direction": "output", "bits": ["1"]}', ""), "m")
    repair(netlist, LIBRARY, Ties(buffer=LIBRARY.get("BUFX1")), list(LIBRARY))
    assert "BUFX1 const_buf (.A(1'b1), .Y(y));" in write_verilog(netlist)


def test_an_unknown_cell_is_named() -> None:
    netlist = read_verilog("module m (a, y); input a; output y; FOO u (.A(a), .Y(y)); endmodule")
    assert measure(netlist, LIBRARY).unmapped == [("u", "FOO", "")]


def test_a_module_in_itself_is_an_error() -> None:
    netlist = read_verilog("module m (a); input a; m u (.a(a)); endmodule", "m")
    with pytest.raises(NetlistError, match="contains itself"):
        netlist.order()


@pytest.mark.parametrize(
    ("cell", "rates", "toggles", "high"),
    [
        # Independent inputs that are redrawn each cycle: so is the output.
        ("NAND2X1", ((0.5, 0.5), (0.5, 0.5)), 2 * 0.75 * 0.25, 0.75),
        ("XOR2X1", ((0.5, 0.5), (0.5, 0.5)), 0.5, 0.5),
        ("NAND2X1", ((1.0, 0.5), (0.0, 1.0)), 1.0, 0.5),
        ("NAND2X1", ((1.0, 0.5), (0.0, 0.0)), 0.0, 1.0),
        ("XOR2X1", ((1.0, 0.5), (1.0, 0.5)), 0.0, 0.5),
    ],
)
def test_rates_pass_through_gates(
    cell: str, rates: tuple[tuple[float, float], ...], toggles: float, high: float
) -> None:
    flat = flatten(
        read_verilog(f"module m (a, b, y); input a, b; output y; {cell} g (.A(a), .B(b), .Y(y)); endmodule")
    )
    found = annotate(flat, LIBRARY, {"a": rates[0], "b": rates[1]}, frozenset())
    assert found.rates[flat.ports["y"]] == pytest.approx((toggles, high))
    assert found.nets == (2, 3)


def test_a_register_is_known_by_its_own_name_too() -> None:
    text = r"module m (d, c, y); input d, c; output y; DFFX1 \u.r[2]_reg (.D(d), .CK(c), .Q(y)); endmodule"
    flat = flatten(read_verilog(text))
    found = annotate(flat, LIBRARY, {"u.r[2]": (0.25, 0.75)}, frozenset({"c"}))
    assert found.rates[flat.ports["y"]] == (0.25, 0.75)
    assert found.registers == (1, 1) and flat.ports["c"] in found.clocks

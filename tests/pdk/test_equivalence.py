"""Mapped netlist against RTL on every PDK, and mutants that must be caught."""

from __future__ import annotations

import re

import pytest

from flow.model.errors import ToolError
from pdk_adapters.cell_models import cell_models, netlist_cells
from pdk_adapters.conformance_rtl import (
    CONFORMANCE_CLOCK,
    CONFORMANCE_PORTS,
    CONFORMANCE_RESETS,
    CONFORMANCE_RTL,
    CONFORMANCE_TOP,
)
from pdk_adapters.equivalence import Port, equivalence_testbench, read_equivalence, rename_modules
from pdk_adapters.views import corner_libraries


def bench(cycles=400, seed=1):
    return equivalence_testbench(
        ports=CONFORMANCE_PORTS, rtl=CONFORMANCE_TOP, netlist=f"gate_{CONFORMANCE_TOP}",
        clock=CONFORMANCE_CLOCK, resets=CONFORMANCE_RESETS, cycles=cycles, seed=seed,
    )  # fmt: skip


@pytest.fixture
def mapped(yosys, tmp_path):
    """Map the conformance design to a PDK; return the netlist and the models of its cells."""

    def run(pdk):
        (tmp_path / "rtl.v").write_text(CONFORMANCE_RTL)
        cells = " ".join(
            [
                *(f"-liberty {path}" for path in pdk.corner().liberty),
                *(f"-dont_use {p}" for p in pdk.roles.dont_use),
            ]
        )
        ties = ""
        if pdk.roles.tie_hi and pdk.roles.tie_lo:
            hi, lo = pdk.roles.tie_hi, pdk.roles.tie_lo
            ties = f"hilomap -singleton -hicell {hi[0]} {hi[1]} -locell {lo[0]} {lo[1]}"
        yosys(
            f"read_verilog {tmp_path}/rtl.v\nsynth -flatten -top {CONFORMANCE_TOP}\n"
            f"dfflibmap {cells}\nabc {cells}\n{ties}\nopt_clean -purge\n"
            f"write_verilog -noattr -noexpr {tmp_path}/netlist.v\n"
        )
        netlist = (tmp_path / "netlist.v").read_text()
        models = cell_models(corner_libraries(pdk.corner()), initial="random")
        used = netlist_cells(netlist, models.models)
        return rename_modules(netlist, "gate_"), models.verilog(used), used

    return run


@pytest.mark.eda
@pytest.mark.sim
def test_mapped_is_rtl(pdk, mapped, icarus):
    netlist, models, used = mapped(pdk)
    assert len(used) > 8
    assert any(name in pdk.roles.flops for name in used)
    if pdk.roles.tie_hi:
        assert pdk.roles.tie_hi[0] in used
    result = read_equivalence(icarus(CONFORMANCE_RTL, netlist, models, bench()).out)
    assert result.passed, result.check().message
    # Every bit but the constants moves, and the RTL leaves nothing unknown.
    assert (result.toggled, result.bits, result.unknown) == (84, 88, 0)
    assert result.compared == 2 * 400 * 88
    assert result.check().passed


def swap_gate(netlist):
    """One nand becomes a nor: the same pins, another function."""
    return re.sub(r"\bNAND2_X1\b(?= _)", "NOR2_X1", netlist, count=1)


def flip_constant(netlist):
    return re.sub(r"\bLOGIC1_X1 (\w+) \(", r"LOGIC0_X1 \1 (", netlist, count=1)


def drop_reset(netlist):
    return re.sub(r"(DFFR_X1 \w+ \([^;]*?\.RN\()\w+\)", r"\g<1>1'b1)", netlist, count=1)


def swap_flop(netlist):
    """A flop that is preset where it must be cleared."""
    return re.sub(r"DFFR_X1 (\w+ \([^;]*?)\.RN\(", r"DFFS_X1 \1.SN(", netlist, count=1)


def wrong_edge(netlist):
    return re.sub(r"(DFF_X1 \w+ \(\s*\.CK\()clk\)", r"\g<1>!clk)", netlist, count=1)


@pytest.mark.eda
@pytest.mark.sim
def test_mutants_are_caught(find, mapped, icarus):
    pdk = find("nangate45")
    netlist, _, _ = mapped(pdk)
    models = cell_models(corner_libraries(pdk.corner()), initial="random").verilog()
    for mutate in (swap_gate, flip_constant, drop_reset, swap_flop, wrong_edge):
        mutant = mutate(netlist)
        assert mutant != netlist, mutate.__name__
        result = read_equivalence(icarus(CONFORMANCE_RTL, mutant, models, bench()).out)
        assert result.mismatches > 0, mutate.__name__
        assert not result.passed
        assert re.fullmatch(r"\d+:\w+\[\d+\]", result.first), mutate.__name__
        assert "output bits differ, first at cycle" in result.check().message


DUT = "module rtl(input a, input b, output y); assign y = a ^ b; endmodule\n"


@pytest.mark.sim
def test_combinational_designs(icarus):
    ports = (
        Port(name="a", direction="input"),
        Port(name="b", direction="input"),
        Port(name="y", direction="output"),
    )
    text = equivalence_testbench(ports=ports, rtl="rtl", netlist="gate", cycles=64)
    good = DUT.replace("module rtl", "module gate").replace("a ^ b", "(a | b) & ~(a & b)")
    assert read_equivalence(icarus(DUT, good, text).out).passed
    bad = good.replace("& ~(a & b)", "")
    assert read_equivalence(icarus(DUT, bad, text).out).mismatches > 5


@pytest.mark.sim
def test_wide_and_escaped_ports(icarus):
    ports = (Port(name="a.b", direction="input", width=100), Port(name="y", direction="output", width=100))
    rtl = "module rtl(input [99:0] \\a.b , output [99:0] y); assign y = ~\\a.b ; endmodule\n"
    text = equivalence_testbench(ports=ports, rtl="rtl", netlist="gate", cycles=40)
    result = read_equivalence(icarus(rtl, rtl.replace("module rtl", "module gate"), text).out)
    assert (result.passed, result.toggled, result.bits) == (True, 100, 100)


@pytest.mark.sim
def test_nothing_known_or_nothing_moving_does_not_pass(icarus):
    ports = (Port(name="clk", direction="input"), Port(name="y", direction="output"))
    text = equivalence_testbench(ports=ports, rtl="rtl", netlist="gate", clock="clk", cycles=20)
    for body in ("reg r; always @(posedge clk) r <= ~r; assign y = r;", "assign y = 1'b0;"):
        rtl = f"module rtl(input clk, output y); {body} endmodule\n"
        result = read_equivalence(icarus(rtl, rtl.replace("module rtl", "module gate"), text).out)
        assert not result.passed
        assert "nothing was compared" in result.check().message


@pytest.mark.sim
def test_the_netlist_may_not_be_unknown_where_the_rtl_is_not(icarus):
    ports = (Port(name="a", direction="input"), Port(name="y", direction="output"))
    text = equivalence_testbench(ports=ports, rtl="rtl", netlist="gate", cycles=20)
    rtl = "module rtl(input a, output y); assign y = a; endmodule\n"
    gate = "module gate(input a, output y); assign y = 1'bx; endmodule\n"
    assert read_equivalence(icarus(rtl, gate, text).out).mismatches == 20


def test_the_same_seed_gives_the_same_bench():
    assert bench(seed=3) == bench(seed=3)
    assert bench(seed=3) != bench(seed=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clock": "ck"}, "ck is no input of one bit"),
        ({"clock": "sel"}, "sel is no input of one bit"),
        ({"resets": {"rst": 0}}, "rst is no input of one bit"),
        ({"netlist": CONFORMANCE_TOP}, "two modules of different names"),
        ({"cycles": 0}, "needs an output, a cycle"),
    ],
)
def test_arguments_that_contradict(changes, message):
    given = {"ports": CONFORMANCE_PORTS, "rtl": CONFORMANCE_TOP, "netlist": "gate", "clock": "clk"}
    with pytest.raises(ValueError, match=message):
        equivalence_testbench(**{**given, **changes})


def test_ports_are_checked():
    with pytest.raises(ValueError, match="neither input nor output"):
        Port(name="p", direction="inout")
    with pytest.raises(ValueError, match="width must be at least 1"):
        Port(name="p", direction="input", width=0)


@pytest.mark.parametrize("log", ["", "error\n", "SUZURI_EQUIVALENCE cycles=1\n"])
def test_a_simulation_that_did_not_finish(log):
    with pytest.raises(ToolError, match="printed 0 result lines"):
        read_equivalence(log)


def test_renaming_modules():
    text = (
        "module top(a, y);\n  input a;\n  wire sub;\n  sub u1 (\n    .a(a), .y(y)\n  );\n"
        "  \\odd$x  u2 (.a(a));\n  AND2 u3 (.A(a));\nendmodule\n"
        "module sub(a, y);\nendmodule\nmodule \\odd$x (a);\nendmodule\n"
    )
    renamed = rename_modules(text, "g_")
    assert "module g_top(a, y);" in renamed
    assert "  g_sub u1 (" in renamed
    assert "  wire sub;" in renamed
    assert "  \\g_odd$x  u2 (" in renamed
    assert "module \\g_odd$x (a);" in renamed
    assert "  AND2 u3" in renamed


def test_cells_of_a_netlist():
    text = "module t(a);\n  INV u1 (.A(a));\n  \\2AND  u2 (.A(a)); BUF \\x[0] (.A(a));\n"
    text += "  wire INVB;\nendmodule\n"
    assert netlist_cells(text, {"INV", "2AND", "BUF", "INVB", "t", "a"}) == ("2AND", "BUF", "INV")

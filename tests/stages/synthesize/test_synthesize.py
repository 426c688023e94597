"""Synthesis of designs good, odd and bad."""

from __future__ import annotations

import gzip
import random
import subprocess
from pathlib import Path

import pytest
from eda_flow import MAC, OSU018, need_osu018, need_program, synthesize

from flow.model.errors import ConfigError
from flow.tools.netlist import read_verilog

pytestmark = pytest.mark.eda

PORTS = "module t(input clk, input [3:0] a, b, output reg [3:0] y);\n"


@pytest.mark.parametrize("recipe", ["area", "balanced", "speed"])
def test_the_netlist_does_what_the_rtl_does(tmp_path: Path, recipe: str) -> None:
    iverilog = need_program("iverilog", "iverilog")
    models = OSU018.with_suffix(".v")
    # Asynchronous: gates show x where a synchronous reset passes through shared logic.
    rtl = MAC.replace("posedge clk)", "posedge clk or posedge rst)")
    rtl = (
        rtl.replace("x <= a; y <= b;", "")
        .replace(
            "acc <= 0; else if (en) acc",
            "begin acc <= 0; x <= 0; y <= 0; end else begin x <= a; y <= b; if (en) acc",
        )
        .replace("x * y;", "x * y; end")
    )
    context = synthesize(tmp_path, {"mac.v": rtl}, "mac", recipe=recipe, clock_period_ns=4.0)
    assert not [c for c in context.checks if c.failed]
    rng = random.Random(1)
    steps = "\n".join(
        f"rst={int(i < 2)}; en={rng.randrange(2)}; a={rng.randrange(16)}; b={rng.randrange(16)}; "
        '#5 clk=1; #5 clk=0; $display("%b", acc);'
        for i in range(200)
    )
    bench = tmp_path / "tb.v"
    bench.write_text(
        "`timescale 1ns/1ps\nmodule tb; reg clk=0, rst=1, en=0; reg [3:0] a=0, b=0; wire [9:0] acc;\n"
        f"mac dut(.clk(clk), .rst(rst), .en(en), .a(a), .b(b), .acc(acc));\n"
        f"initial begin {steps} end endmodule\n"
    )
    printed = []
    for name, files in (
        ("rtl", [tmp_path / "user sources" / "mac.v"]),
        ("gates", [context.outputs["netlist"], models]),
    ):
        image = tmp_path / name
        subprocess.run(
            [iverilog, "-g2012", "-gno-specify", "-o", image, bench, *files], check=True, capture_output=True
        )
        printed.append(subprocess.run(["vvp", "-n", image], check=True, capture_output=True).stdout)
    values = printed[0].split()[2:]
    assert len(values) == 198 and b"x" not in b"".join(values) and len(set(values)) > 50
    assert printed[1].split()[2:] == values


ARITHMETIC = """module ar(input [7:0] a, b, c, d, input signed [5:0] s, t, input [2:0] k,
  output [17:0] m, output signed [12:0] n, output [8:0] p, output [3:0] cmp, output [7:0] sh, q);
  assign m = a * b + c * d + {a, b} - c;
  assign n = s * t - s + t * 3 - $signed({1'b0, k});
  assign p = a + b + c + d + k;
  assign cmp = {a < b, s < t, a == c, $signed(a) >= $signed(d)};
  assign sh = (a << k) ^ (b >> k) ^ ($signed(c) >>> k);
  assign q = a / (b | 8'd1) + c % (d | 8'd1);
endmodule
"""


@pytest.mark.parametrize("recipe", ["area", "balanced", "speed"])
def test_arithmetic_is_right_in_every_recipe(tmp_path: Path, recipe: str) -> None:
    iverilog = need_program("iverilog", "iverilog")
    context = synthesize(tmp_path, {"ar.v": ARITHMETIC}, "ar", recipe=recipe, clock_period_ns=6.0)
    gates = tmp_path / "gates.v"
    gates.write_text(context.outputs["netlist"].read_text().replace("module ar ", "module gates "))
    ports = {"m": 18, "n": 13, "p": 9, "cmp": 4, "sh": 8, "q": 8}
    wires = "".join(f"wire [{w - 1}:0] r_{p}, g_{p}; " for p, w in ports.items())
    pins = ".a(a), .b(b), .c(c), .d(d), .s(s), .t(t), .k(k)"
    right, left = (", ".join(f".{p}({x}_{p})" for p in ports) for x in "rg")
    both = (", ".join(f"{x}_{p}" for p in ports) for x in "rg")
    bench = tmp_path / "tb.v"
    bench.write_text(
        f"`timescale 1ns/1ps\nmodule tb; reg [7:0] a, b, c, d; reg [5:0] s, t; reg [2:0] k; {wires}\n"
        f"ar one({pins}, {right}); gates two({pins}, {left}); integer i;\n"
        "initial begin for (i = 0; i < 3000; i = i + 1) begin\n"
        "{a, b, c, d} = $random; {s, t, k} = $random; #5;\n"
        f'if ({{{next(both)}}} !== {{{next(both)}}}) begin $display("differ"); $finish; end end\n'
        '$display("same %0d", i); $finish; end endmodule\n'
    )
    files = [bench, tmp_path / "user sources" / "ar.v", gates, OSU018.with_suffix(".v")]
    subprocess.run(
        [iverilog, "-g2012", "-gno-specify", "-o", tmp_path / "image", *files],
        check=True,
        capture_output=True,
    )
    printed = subprocess.run(["vvp", "-n", tmp_path / "image"], check=True, capture_output=True).stdout
    assert printed.split()[-2:] == [b"same", b"3000"]


def test_metrics_and_tables(tmp_path: Path) -> None:
    context = synthesize(tmp_path, {"mac.v": MAC}, "mac", parameters={"W": 5}, clock_period_ns=5.0)
    metrics = context.metrics
    assert metrics["design__instance__count__sequential"] == 20
    assert metrics["design__io"] == 3 + 10 + 10
    assert metrics["design__instance__area"] == pytest.approx(
        sum(row["area"] for row in context.tables["cells_by_type"])
    )
    assert metrics["design__instance__area"] == pytest.approx(
        sum(row["area"] for row in context.tables["area_by_module"])
    )
    assert metrics["design__gate_equivalents"] == pytest.approx(
        metrics["design__instance__area"] / 24, abs=0.1
    )  # type: ignore[operator]
    assert metrics["synthesis__max_fanout"] <= 16  # type: ignore[operator]
    names = read_verilog(context.outputs["netlist"].read_text()).modules["mac"].cells
    assert {"acc[0]_reg", "x[4]_reg", "y[0]_reg"} <= set(names)


HIERARCHY = {
    "top.v": "module top(input clk, input [7:0] d, output [7:0] q, output z);\n"
    "wire [7:0] m; stage u0(clk, d, m); stage u1(clk, m, q); assign z = 1'b1; endmodule\n",
    "stage.v": "module stage(input clk, input [7:0] d, output reg [7:0] q);\n"
    "always @(posedge clk) q <= d + 8'd3; endmodule\n",
}


@pytest.mark.parametrize("hierarchy", ["flatten", "keep"])
def test_hierarchy_is_dissolved_or_kept(tmp_path: Path, hierarchy: str) -> None:
    context = synthesize(tmp_path, HIERARCHY, "top", hierarchy=hierarchy)
    text = context.outputs["netlist"].read_text()
    assert text.count("endmodule") == (1 if hierarchy == "flatten" else 2)
    assert "assign" not in text
    assert {"", "u0", "u1"} >= {row["path"] for row in context.tables["area_by_module"]} >= {"u0", "u1"}
    assert context.metrics["design__instance__count__sequential"] == 16


def test_findings_name_the_source(tmp_path: Path) -> None:
    text = (
        "module bad(input en, input [1:0] d, output reg [1:0] q, output lp, un, md);\n"
        "  always @* if (en)\n    q = d;\n"
        "  wire x, y;\n  assign x = y & d[0];\n  assign y = x | d[1];\n  assign lp = x;\n"
        "  wire nothing;\n  assign un = nothing ^ d[0];\n"
        "  wire m;\n  assign m = d[0];\n  assign m = en;\n  assign md = m;\nendmodule\n"
    )
    context = synthesize(tmp_path, {"rtl/bad one.v": text}, "bad")
    assert context.metrics["design__inferred_latch__count"] == 2
    (latch,) = context.failed("synthesize.latches")
    assert latch.place.startswith("rtl/bad one.v:2") and "q" in latch.message
    (loop,) = context.failed("synthesize.loops")
    assert "rtl/bad one.v:5" in loop.place + loop.message and "rtl/bad one.v:6" in loop.place + loop.message
    (undriven,) = context.failed("synthesize.undriven")
    assert "nothing" in undriven.message and undriven.place == "rtl/bad one.v:8"
    assert context.failed("synthesize.multidriven")
    assert context.metrics["synthesis__undriven__count"] == 1


def test_meant_latches_pass_and_others_may_be_allowed(tmp_path: Path) -> None:
    meant = "module t(input en, d, output logic q);\n always_latch if (en) q = d;\nendmodule\n"
    context = synthesize(tmp_path / "a", {"t.sv": meant}, "t", frontend="verilog")
    assert not context.failed("synthesize.latches")
    stray = "module t(input en, d, output reg q);\n always @* if (en) q = d;\nendmodule\n"
    context = synthesize(tmp_path / "b", {"t.v": stray}, "t", allow_latches=True)
    assert [c.failed for c in context.failed("synthesize.latches")] == [False]


@pytest.mark.parametrize(
    ("name", "text", "top", "place", "what"),
    [
        ("t.v", PORTS + "always @(posedge clk) y <= a +\nendmodule\n", "t", "t.v:3", "syntax error"),
        (
            "t.sv",
            PORTS + "always @(posedge clk) y <= a + ;\nendmodule\n",
            "t",
            "t.sv:2",
            "expected expression",
        ),
        (
            "t.v",
            PORTS + "  nosuch u7(.a(a));\nendmodule\n",
            "t",
            "t.v:2",
            "module nosuch, instantiated as u7",
        ),
        ("t.sv", PORTS + "  nosuch u7(.a(a));\nendmodule\n", "t", "t.sv:2", "nosuch"),
        ("t.v", PORTS + "endmodule\n", "u", "top", "top module u is in none of the sources"),
        ("t.v", PORTS + "endmodule\n", "a;b", "top", "no Verilog module name"),
    ],
)
def test_bad_rtl_is_the_users_error(
    tmp_path: Path, name: str, text: str, top: str, place: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        synthesize(tmp_path, {name: text}, top)
    assert caught.value.where == place


def test_what_yosys_cannot_elaborate_has_a_place(tmp_path: Path) -> None:
    text = (
        "module t(input clk, rst, d, output reg q, p);\n\n"
        "always @(posedge clk or posedge rst) begin q <= d; if (rst) p <= 0; else p <= d; end\nendmodule\n"
    )
    with pytest.raises(ConfigError, match="cannot elaborate the RTL") as caught:
        synthesize(tmp_path, {"t.v": text}, "t", frontend="verilog")
    assert caught.value.where == "t.v:3"


def test_a_parameter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"parameter that the top does not have.*DEPTH"):
        synthesize(tmp_path, {"mac.v": MAC}, "mac", parameters={"DEPTH": 3})


def test_includes_and_defines(tmp_path: Path) -> None:
    sources = {
        "rtl/t.v": '`include "width.vh"\nmodule t(input [`W-1:0] a, output y); assign y = ^a `TAIL;\n'
        "endmodule\n",
        "inc dir/width.vh": "`define W 6\n",
    }
    context = synthesize(
        tmp_path, sources, "t", listed=["rtl/t.v"], include_dirs=["inc dir"], defines={"TAIL": ""}
    )
    assert context.metrics["design__io"] == 7


def test_an_empty_design_is_an_error(tmp_path: Path) -> None:
    context = synthesize(tmp_path, {"t.v": "module t(input a); endmodule\n"}, "t")
    assert context.failed("synthesize.empty")[0].failed
    assert context.metrics["design__instance__count"] == 0


def test_a_cell_that_the_library_lacks_is_named(tmp_path: Path) -> None:
    text = "module t(input clk, d, r, output reg q); always @(negedge clk) q <= d; endmodule\n"
    need_osu018()
    thin = tmp_path / "thin.lib"
    thin.write_text(OSU018.read_text())
    context = synthesize(tmp_path, {"t.v": text}, "t", libraries={"lib0": thin}, dont_use=["DFF*", "LATCH"])
    assert "_DFF_N_" in context.failed("synthesize.unmapped")[0].message


def test_library_cells_in_the_rtl_stay(tmp_path: Path) -> None:
    text = "module t(input a, b, output y); NAND2X1 mine(.A(a), .B(b), .Y(y)); endmodule\n"
    context = synthesize(tmp_path, {"t.v": text}, "t")
    assert "NAND2X1 mine (.A(a), .B(b), .Y(y));" in context.outputs["netlist"].read_text()


def test_wide_nets_are_buffered_and_constants_driven(tmp_path: Path) -> None:
    text = (
        "module t(input clk, rst, input [99:0] d, output reg [99:0] q, output one, thru);\n"
        "always @(posedge clk or posedge rst) if (rst) q <= 0; else q <= d;\n"
        "assign one = 1'b1; assign thru = rst;\nendmodule\n"
    )
    context = synthesize(tmp_path, {"t.v": text}, "t", max_fanout=8)
    assert context.metrics["synthesis__max_fanout"] <= 8  # type: ignore[operator]
    netlist = context.outputs["netlist"].read_text()
    assert "assign" not in netlist and netlist.count("(clk)") == 100


def test_wires_of_a_whole_chip_are_not_between_gates(tmp_path: Path) -> None:
    """A library that chooses wires by area: taken at its word, a buffer would follow every gate."""
    need_osu018()
    text = OSU018.read_text()
    cut = text.index("{") + 1
    wires = (
        '\n wire_load ("chip") { resistance : 0.1; capacitance : 1.0; slope : 10; fanout_length (1, 20); }\n'
        ' wire_load_selection ("by_area") { wire_load_from_area (0, 1000000000, chip); }\n'
        ' default_wire_load_selection : "by_area";\n'
    )
    loaded = tmp_path / "loaded.lib"
    loaded.write_text(text[:cut] + wires + text[cut:])
    plain = synthesize(tmp_path / "a", {"mac.v": MAC}, "mac")
    found = synthesize(tmp_path / "b", {"mac.v": MAC}, "mac", libraries={"lib0": loaded})
    assert found.metrics == plain.metrics


def test_a_memory_too_large_for_registers_is_refused(tmp_path: Path) -> None:
    text = (
        "module t(input clk, we, input [9:0] a, input [31:0] d, output reg [31:0] q);\n"
        "reg [31:0] ram [0:1023];\nalways @(posedge clk) begin if (we) ram[a] <= d; q <= ram[a]; end\n"
        "endmodule\n"
    )
    with pytest.raises(ConfigError, match="memory ram has 1024 x 32 bits"):
        synthesize(tmp_path, {"t.v": text}, "t", memory_limit_bits=4096)


@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_library_is_named(tmp_path: Path, packed: bool) -> None:
    need_osu018()
    data = OSU018.read_bytes()[:100000]
    library = tmp_path / "cut.lib"
    library.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ConfigError, match=r"Liberty file cut.lib ends inside cell .*cut short"):
        synthesize(tmp_path, {"mac.v": MAC}, "mac", libraries={"lib0": library})


def test_a_bad_abc_script_is_the_users_error(tmp_path: Path) -> None:
    need_osu018()
    script = tmp_path / "my.abc"
    script.write_text("strash\nno_such_command\n")
    with pytest.raises(ConfigError, match="ABC refused the script: unknown command"):
        synthesize(tmp_path, {"mac.v": MAC}, "mac", libraries={"lib0": OSU018, "abc_script": script})


@pytest.mark.parametrize("params", [{"recipe": "fast"}, {"hierarchy": "no"}, {"max_fanout": 1}])
def test_bad_parameters_are_config_errors(tmp_path: Path, params: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="synthesis: "):
        synthesize(tmp_path, {"mac.v": MAC}, "mac", **params)


# WebAssembly is compiled anew in a clean home, which takes a minute.
@pytest.mark.parametrize("flavour", ["path", pytest.param("yowasp", marks=pytest.mark.nightly)])
def test_other_flavours_give_the_same_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flavour: str
) -> None:
    monkeypatch.setenv("SUZURI_YOSYS", flavour)
    context = synthesize(tmp_path, {"a b/mac.v": MAC}, "mac", clock_period_ns=5.0)
    assert context.metrics["design__instance__count__sequential"] == 18
    assert not [c for c in context.checks if c.failed]

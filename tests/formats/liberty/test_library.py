"""Reading of Liberty: what it says, and files that are cut or none."""

from __future__ import annotations

import gzip
import random

import pytest

from flow.formats.boolean import parse_function
from flow.formats.liberty import parse_library, read_library
from flow.model.errors import ConfigError

SMALL = """\
/* a comment with { and " */
library (small) {
  time_unit : "10ps" ;
  capacitive_load_unit (2, ff) ;
  leakage_power_unit : 1pW
  voltage_unit : "1V";
  nom_voltage : 1.8; nom_temperature : -40; nom_process : 1;
  default_operating_conditions : slow;
  define (anything, cell, string);
  lu_table_template (t) { variable_1 : x; index_1 ("1, 2"); }
  operating_conditions (slow) { process : 1; voltage : 1.62; temperature : 125.0; }
  type (BUS4) { base_type : array; data_type : bit; bit_width : 4; bit_from : 3; bit_to : 0; }
  cell (NAND2) {
    area : 3.5; cell_footprint : "nand"; cell_leakage_power : 7;
    pg_pin (VDD) { pg_type : primary_power; }
    pin (A, B) { direction : input; capacitance : 1.5;
      timing () { related_pin : "A"; cell_rise (t) { values ("1, 2", \\
        "3, 4"); } } }
    pin ("Y") { direction : output; function : "!(A B)"; max_capacitance : 30; }
  }
  cell (DFF) { \\
    area : 8; dont_use : true;
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; clear : "!R"; preset : "!S";
      clear_preset_var1 : L; clear_preset_var2 : H; }
    pin (CK) { direction : input; clock : true; }
    pin (D) { direction : input; nextstate_type : data; }
    pin (Q) { direction : output; function : IQ; three_state : "OE'"; }
    leakage_power () { value : 4; when : "D"; }
    leakage_power () { value : "6"; }
    test_cell () { pin (D) { direction : input; } }
  }
  cell (RAM) {
    memory () { type : ram; address_width : 4; word_width : 4; }
    bus (DI) { bus_type : BUS4; direction : input; memory_write () { address : A; } }
    bundle (X) { members (X0, X1); direction : output; }
  }
  cell (GATE) {
    clock_gating_integrated_cell : "latch_posedge";
    statetable ("CK E", "G") { table : "L L : - : L , \\
                                        L H : - : H , H - : - : N" ; }
    pin (CK) { direction : input; clock_gate_clock_pin : true; }
    pin (G) { direction : internal; internal_node : "G"; }
    pin (GCK) { direction : output; state_function : "CK G"; clock_gate_out_pin : true; }
  }
}
"""


def test_units_and_conditions():
    library = parse_library(SMALL)
    assert (library.name, library.time_unit_ns, library.cap_unit_pf) == ("small", 0.01, 0.002)
    assert (library.leakage_unit_nw, library.voltage_unit_v) == (0.001, 1.0)
    assert (library.nom_voltage_v, library.nom_temperature_c, library.nom_process) == (1.8, -40.0, 1.0)
    assert library.default_conditions == "slow"
    assert [(c.name, c.voltage_v, c.temperature_c) for c in library.conditions] == [("slow", 1.62, 125.0)]


def test_a_gate():
    cell = parse_library(SMALL).cells["NAND2"]
    assert (cell.area_um2, cell.footprint, cell.power_pins) == (3.5, "nand", ("VDD",))
    assert cell.leakage_nw == pytest.approx(0.007)
    assert [p.name for p in cell.inputs] == ["A", "B"]
    assert cell.pin("A").capacitance_pf == pytest.approx(0.003)
    assert cell.pin("Y").function == "!(A B)"
    assert cell.pin("Y").max_capacitance_pf == pytest.approx(0.06)


def test_a_flop():
    cell = parse_library(SMALL).cells["DFF"]
    (flop,) = cell.sequential
    assert (flop.kind, flop.state, flop.inverted) == ("ff", "IQ", "IQN")
    assert (flop.trigger, flop.data, flop.clear, flop.preset) == ("CK", "D", "!R", "!S")
    assert flop.both == ("L", "H")
    assert cell.dont_use
    assert cell.scan
    assert cell.pin("CK").clock
    assert cell.pin("Q").three_state == "OE'"
    assert cell.leakage_nw == pytest.approx(0.005)  # mean of its states


def test_a_memory_and_buses():
    cell = parse_library(SMALL).cells["RAM"]
    assert (cell.memory.address_width, cell.memory.word_width, cell.is_macro) == (4, 4, True)
    assert (cell.pin("DI").width, cell.pin("DI").memory) == (4, "write")
    assert [p.name for p in cell.outputs] == ["X0", "X1"]


def test_a_clock_gate():
    cell = parse_library(SMALL).cells["GATE"]
    assert cell.clock_gate == "latch_posedge"
    assert cell.statetable.inputs == ("CK", "E")
    assert cell.statetable.rows[1] == (("L", "H"), ("-",), ("H",))
    assert cell.pin("GCK").gate_role == "out"


def test_cut_anywhere_is_noticed():
    end = SMALL.rstrip().rfind("}")
    for stop in range(1, end):
        with pytest.raises(ConfigError) as caught:
            parse_library(SMALL[:stop], "small.lib")
        assert str(caught.value).startswith("small.lib:"), stop


def test_cut_says_file_line_and_remedy(tmp_path):
    path = tmp_path / "cut.lib"
    path.write_text(SMALL[: SMALL.index("direction : output")])
    with pytest.raises(ConfigError) as caught:
        read_library(path)
    assert caught.value.where == f"{path}:{SMALL[: SMALL.index('direction : output')].count(chr(10)) + 1}"
    assert "was cut" in caught.value.what
    assert "Install the PDK again" in caught.value.remedy


def test_a_missing_brace_names_the_cell_before(tmp_path):
    text = SMALL.replace("  cell (DFF)", "  cell (DFF2) { area : 1;\n  cell (DFF)")
    with pytest.raises(ConfigError, match=r"cell DFF begins inside cell DFF2: a '}' is missing before it"):
        parse_library(text)


def test_a_brace_too_many():
    with pytest.raises(ConfigError, match="a '}' too many"):
        parse_library(SMALL.replace("  cell (RAM)", "} cell (RAM)"))


def test_gzip_by_content_and_cut_gzip(tmp_path):
    packed = gzip.compress(SMALL.encode())
    whole = tmp_path / "named_wrongly.lib"
    whole.write_bytes(packed)
    assert set(read_library(whole).cells) == {"NAND2", "DFF", "RAM", "GATE"}
    cut = tmp_path / "cut.lib.gz"
    for stop in (12, len(packed) // 2, len(packed) - 1):
        cut.write_bytes(packed[:stop])
        with pytest.raises(ConfigError, match=r"cut|damaged"):
            read_library(cut)
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 0xFF
    cut.write_bytes(bytes(broken))
    with pytest.raises(ConfigError, match=r"damaged|cut"):
        read_library(cut)


def test_files_that_are_no_liberty(tmp_path):
    path = tmp_path / "x.lib"
    for content, message in (
        (b"", "empty"),
        (b" \n ", "empty"),
        (random.Random(1).randbytes(4096), "binary"),
        (SMALL.encode("utf-16"), "binary"),
        (b"module x(); endmodule\n", "starts with 'library"),
        (b"library (x) ;", "starts with 'library"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=message) as caught:
            read_library(path)
        assert str(path) in caught.value.where
    with pytest.raises(ConfigError, match="cannot open"):
        read_library(tmp_path / "none.lib")
    with pytest.raises(ConfigError, match="cannot read"):
        read_library(tmp_path)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("area : 3.5", "area : big", "area of cell NAND2 is not a number"),
        ("area : 3.5", "area : nan", "area of cell NAND2 is not a number"),
        ("time_unit : \"10ps\"", "time_unit : \"10 parsecs\"", "time_unit is not a unit"),
        ("(2, ff)", "(0, ff)", "unit of the library is 0"),
        ("nom_voltage : 1.8", "nom_voltage : high", "nom_voltage of library small is not a number"),
        ("bit_width : 4", "bit_width : inf", "bit_width of type BUS4 is not a number"),
        ("L H : - : H", "L H : - ", "has not three parts"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense(good, bad, message):
    assert good in SMALL
    with pytest.raises(ConfigError, match=message):
        parse_library(SMALL.replace(good, bad))


def test_any_damage_is_a_config_error_or_harmless():
    draw = random.Random(20)
    for _ in range(400):
        text = list(SMALL)
        for _ in range(draw.randint(1, 4)):
            text[draw.randrange(len(text))] = draw.choice('{}();:"\\/*ax0-+ \n')
        try:
            parse_library("".join(text))
        except ConfigError:
            continue


def test_deep_nesting_is_counted_not_recursed():
    deep = "x () {" * 3000 + "}" * 3000
    assert parse_library(SMALL.replace("define (anything, cell, string);", deep)).name == "small"
    with pytest.raises(ConfigError, match="ends inside the group"):
        parse_library(SMALL.replace("define (anything, cell, string);", deep + "x () {")[:-3])


def test_loose_writing():
    text = SMALL.replace('function : "!(A B)"', "function : !(A \\\n  B)").replace(
        "area : 3.5;", "area\n :3.5\n"
    )
    text = text.replace("library (small)", 'library ( "small" )').replace("\n", "\r\n")
    library = parse_library("// line\r\n" + text)
    assert library.name == "small"
    cell = library.cells["NAND2"]
    assert cell.area_um2 == 3.5
    assert parse_function(cell.pin("Y").function).table(("A", "B")) == 0b0111


def test_included_files_are_refused_not_ignored():
    with pytest.raises(ConfigError, match="include_file is not supported"):
        parse_library(SMALL.replace("define (", 'include_file ("cells.lib"); define ('))


def test_a_cell_twice_counts_last():
    library = parse_library(SMALL.replace("cell (DFF)", "cell (NAND2)"))
    assert library.duplicates == ("NAND2",)
    assert library.cells["NAND2"].area_um2 == 8


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "x.lib"
    path.write_text(SMALL)
    assert read_library(path) is read_library(path)
    path.write_text(SMALL.replace("(small)", "(larger)"))
    assert read_library(path).name == "larger"

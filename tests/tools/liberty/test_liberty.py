"""Liberty: cutting, cells, functions, excerpts."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from netlist_library import TEXT, tiny

from flow.tools.liberty import Liberty, LibertyError, Library, parse_function, read_liberty


def _rows(text: str) -> list[bool]:
    function = parse_function(text)
    return [function.value(row) for row in range(1 << len(function.inputs))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", [0, 1]),
        ("!A", [1, 0]),
        ("A'", [1, 0]),
        ("(A B)", [0, 0, 0, 1]),
        ("A*B", [0, 0, 0, 1]),
        ("A+B", [0, 1, 1, 1]),
        ("A | B & C", [0, 1, 0, 1, 0, 1, 1, 1]),
        ("(A ^ B)'", [1, 0, 0, 1]),
        ("A ^ B C", [0, 1, 0, 1, 0, 1, 1, 0]),
        ("(!A & (B | C))", [0, 0, 1, 0, 1, 0, 1, 0]),
        ("1", [1]),
        ("0", [0]),
    ],
)
def test_functions_follow_liberty_precedence(text: str, expected: list[int]) -> None:
    assert _rows(text) == [bool(v) for v in expected]


@pytest.mark.parametrize("text", ["(A", "A &", "A # B", "A)", "a b c d e f g h i j k"])
def test_a_function_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="function"):
        parse_function(text)


def test_kinds_pins_and_units() -> None:
    library = tiny()
    kinds = {name: library.get(name).kind for name in library}  # type: ignore[union-attr]
    assert kinds["NAND2X1"] == "comb" and kinds["DFFX1"] == "flop" and kinds["FILL1"] == "other"
    nand = library.get("NAND2X1")
    assert nand is not None
    assert nand.pins["A"].capacitance_pf == pytest.approx(1e-5)
    assert library.parts[0].time_unit_ns == pytest.approx(1e-3)
    assert library.parts[0].default_wire_load == "big"
    assert library.smallest_nand2() == 4.0
    flop = library.get("DFFX1")
    assert flop is not None and flop.clocks == {"CK"} and flop.state_names == ("IQ", "IQN")
    assert [n for n in library if (c := library.get(n)) and c.buffer] == ["BUFX1", "BUFX4"]
    assert [n for n in library if (c := library.get(n)) and c.inverter] == ["INVX1"]


def test_excerpt_keeps_cells_and_templates_and_drops_power() -> None:
    text = tiny().excerpt({"NAND2X1", "DFFX1"}.__contains__)
    again = Library([Liberty(text)])
    assert list(again) == ["NAND2X1", "DFFX1"]
    assert "lu_table_template" in text and "internal_power" not in text and "cell_rise" in text
    assert "internal_power" in tiny().excerpt({"NAND2X1"}.__contains__, power=True)


def test_two_files_make_one_library() -> None:
    other = TEXT.replace("NAND2X1", "NAND9X1").replace("(t)", "(u)")
    both = Library([Liberty(TEXT), Liberty(other)])
    text = both.excerpt({"NAND2X1", "NAND9X1"}.__contains__)
    assert list(Library([Liberty(text)])) == ["NAND2X1", "NAND9X1"]
    assert "lu_table_template (t)" in text and "lu_table_template (u)" in text


def test_dont_use_by_pattern_and_by_the_library() -> None:
    marked = TEXT.replace("cell (XOR2X1) {", "cell (XOR2X1) { dont_use : true;")
    usable = Library([Liberty(marked)]).usable(["*X2", "FILL*"])
    assert "XOR2X1" not in usable and "NAND2X2" not in usable and "FILL1" not in usable
    assert "NAND2X1" in usable


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_an_error(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.lib"
    path.write_text(TEXT[: int(len(TEXT) * share)])
    with pytest.raises(LibertyError, match="cut short"):
        read_liberty(path)


def test_what_is_no_liberty_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.lib"
    path.write_text("module m; endmodule\n")
    with pytest.raises(LibertyError, match="not a Liberty file"):
        read_liberty(path)


def test_gzip_is_read_and_its_truncation_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.lib.gz"
    packed = gzip.compress(TEXT.encode())
    path.write_bytes(packed)
    assert "NAND2X1" in read_liberty(path)
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LibertyError, match="cannot be read"):
        read_liberty(path)

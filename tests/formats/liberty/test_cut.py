"""Liberty cut into cells: kinds, excerpts, several files as one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from netlist_library import TEXT, tiny

from flow.formats.liberty import CellLibrary, Liberty, LibertyError, parse_library, read_liberty
from flow.model.errors import ConfigError


def test_kinds_pins_and_units() -> None:
    library = tiny()
    kinds = {name: library.get(name).kind for name in library}  # type: ignore[union-attr]
    assert kinds["NAND2X1"] == "comb" and kinds["DFFX1"] == "flop" and kinds["FILL1"] == "other"
    nand = library.get("NAND2X1")
    assert nand is not None
    assert (pin := nand.pin("A")) is not None and pin.capacitance_pf == pytest.approx(1e-5)
    assert library.parts[0].time_unit_ns == pytest.approx(1e-3)
    assert library.parts[0].default_wire_load == "big"
    assert library.smallest_nand2() == 4.0
    flop = library.get("DFFX1")
    assert (
        flop is not None
        and flop.clocks == {"CK"}
        and [(x.state, x.inverted) for x in flop.sequential] == [("IQ", "IQN")]
    )
    assert [n for n in library if (c := library.get(n)) and c.buffer] == ["BUFX1", "BUFX4"]
    assert [n for n in library if (c := library.get(n)) and c.inverter] == ["INVX1"]


def test_excerpt_keeps_cells_and_templates_and_drops_power() -> None:
    text = tiny().excerpt({"NAND2X1", "DFFX1"}.__contains__)
    again = CellLibrary([Liberty(text)])
    assert list(again) == ["NAND2X1", "DFFX1"]
    assert "lu_table_template" in text and "internal_power" not in text and "cell_rise" in text
    assert "internal_power" in tiny().excerpt({"NAND2X1"}.__contains__, power=True)


def test_two_files_make_one_library() -> None:
    other = TEXT.replace("NAND2X1", "NAND9X1").replace("(t)", "(u)")
    both = CellLibrary([Liberty(TEXT), Liberty(other)])
    text = both.excerpt({"NAND2X1", "NAND9X1"}.__contains__)
    assert list(CellLibrary([Liberty(text)])) == ["NAND2X1", "NAND9X1"]
    assert "lu_table_template (t)" in text and "lu_table_template (u)" in text


def test_dont_use_by_pattern_and_by_the_library() -> None:
    marked = TEXT.replace("cell (XOR2X1) {", "cell (XOR2X1) { dont_use : true;")
    usable = CellLibrary([Liberty(marked)]).usable(["*X2", "FILL*"])
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


def test_a_cell_that_is_not_liberty_is_an_error_when_asked_for() -> None:
    library = Liberty(TEXT.replace("area : 8.0", "area : many"))
    assert library.cell("NAND2X1").area_um2 == 4.0
    with pytest.raises(ConfigError, match=r"library tiny, cell XOR2X1: area of cell XOR2X1 is not a number"):
        library.cell("XOR2X1")


def test_one_cell_reads_as_in_the_whole_file() -> None:
    whole, cut = parse_library(TEXT), Liberty(TEXT)
    assert list(whole.cells) == list(cut)
    assert {name: cut.cell(name) for name in cut} == dict(whole.cells)

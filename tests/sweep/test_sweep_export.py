"""Points of a sweep as CSV and Parquet."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
from sweep_sample import sweep

from flow.model.errors import ConfigError
from flow.sweep.export import columns, csv_text, write_export

DATA = sweep(60)


def test_csv_has_a_row_for_each_point_and_units_in_the_header(tmp_path: Path) -> None:
    path = write_export(DATA, tmp_path / "new" / "points.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    for row, point in zip(rows, DATA["points"], strict=True):
        assert (row["id"], row["status"], row["reason"]) == (point["id"], point["status"], point["reason"])
        assert row["front"] == ("true" if point["front"] else "false")
        fmax = point["metrics"].get("timing__fmax")
        assert row["timing__fmax [MHz]"] == ("" if fmax is None else repr(fmax))
        assert row["macs"] == str(point["point"]["derived"]["macs"])
        assert row["clock_period_ns [ns]"] == repr(point["point"]["values"]["clock_period_ns"])
        energy = point["objectives"].get("energy")
        assert row["energy [uJ]"] == ("" if energy is None else repr(energy))


def test_kinds_are_the_narrowest_that_hold_all_values() -> None:
    kinds = {c.name: c.kind for c in columns(DATA)}
    assert kinds["config.rows"] == "int" and kinds["clock_period_ns"] == "float"
    assert kinds["signed"] == "bool" and kinds["recipe"] == "text" and kinds["rank"] == "int"
    mixed = {
        "axes": [{"name": "depth"}],
        "points": [{"point": {"values": {"depth": v}}} for v in (4, "auto", True)],
    }
    column = next(c for c in columns(mixed) if c.name == "depth")
    assert column.kind == "text" and column.values == ["4", "auto", "true"]


def test_a_name_that_is_taken_gets_its_group() -> None:
    data = {
        "axes": [{"name": "status"}],
        "objectives": [{"name": "area", "unit": "mm^2"}],
        "metrics": {"area": {"unit": "um^2"}},
        "points": [
            {
                "status": "done",
                "point": {"values": {"status": 3}},
                "objectives": {"area": 1.5},
                "metrics": {"area": 1.5e6},
            }
        ],
    }
    names = [c.name for c in columns(data)]
    assert {"status", "axis.status", "area", "metric.area"} <= set(names)
    assert len(set(names)) == len(names)


def test_an_empty_sweep_has_a_header_only() -> None:
    assert len(list(csv.reader(io.StringIO(csv_text({}))))) == 1


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"End the name with \.csv or \.parquet"):
        write_export(DATA, tmp_path / "points.xlsx")


def test_without_pyarrow_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'suzuri\[parquet\]'"):
        write_export(DATA, tmp_path / "points.parquet")
    assert list(tmp_path.iterdir()) == []


def test_parquet_reads_back_with_types_and_units(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is missing: pip install 'suzuri[parquet]'")
    table = pq.read_table(write_export(DATA, tmp_path / "points.parquet"))
    assert table.num_rows == 60
    for column in columns(DATA):
        assert table.column(column.name).to_pylist() == list(column.values), column.name
    assert table.schema.field("timing__fmax").metadata[b"unit"] == b"MHz"
    assert str(table.schema.field("config.rows").type) == "int64"

"""Coverage files: a real one, and broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.tools.verilator import CoveragePoint, read_counts, read_points, uncovered_text, verilate_command
from flow.tools.verilator.plan import COVERAGE

REAL = (Path(__file__).parents[2] / "data" / "verilator" / "5.49" / "coverage.dat").read_bytes()


def changed(old: bytes, new: bytes) -> bytes:
    assert REAL.count(old) >= 1
    return REAL.replace(old, new, 1)


def test_a_real_file_has_points_of_each_kind_with_their_counts():
    text, counts = read_counts(REAL)
    points = read_points(text)
    assert len(points) == len(counts) == 216
    by_kind = {
        kind: [p for p in points if p.kind == kind] for kind in ("line", "toggle", "branch", "expression")
    }
    assert {kind: len(own) for kind, own in by_kind.items()} == {
        "line": 2, "toggle": 196, "branch": 10, "expression": 8,
    }  # fmt: skip
    hits = dict(zip(points, counts, strict=True))
    taken = CoveragePoint(
        kind="branch", file="fifo.sv", line=34, column=9, module="fifo", hierarchy="fifo", name="if",
        lines=(34, 35, 36, 37),
    )  # fmt: skip
    assert hits[taken] == 2
    other = next(p for p in points if (p.kind, p.line, p.name) == ("branch", 34, "else"))
    assert other.lines == (38, 41) and hits[other] == 18
    assert "i_data[0]:0->1" in {p.name for p in by_kind["toggle"]}
    assert any("32'sh1" in p.name for p in by_kind["expression"])


def test_two_runs_of_one_model_have_the_same_points():
    again = changed(b"' 61\n", b"' 4000000000\n")
    assert read_counts(again)[0] == read_counts(REAL)[0]
    assert max(read_counts(again)[1]) == 4_000_000_000


def test_names_are_decoded():
    values = b"f\x02a%25.v l\x027 t\x02toggle page\x02v_toggle/m__02En o\x02__024a___05Fb h\x02t"
    row = b"C '\x01" + values.replace(b" ", b"\x01") + b"' 0\n"
    (point,) = read_points(read_counts(b"# SystemC::Coverage-3\n" + row)[0])
    assert (point.file, point.module, point.name) == ("a%.v", "m.n", "$a__b")


@pytest.mark.parametrize(("name", "kind"), [("elsif", "branch"), ("case", "branch"), ("block", "line")])
def test_arms_among_the_lines_are_branches(name: str, kind: str):
    row = f"C '\x01f\x02a.v\x01l\x027\x01t\x02line\x01page\x02v_line/m\x01o\x02{name}\x01S\x027' 3\n"
    (point,) = read_points(read_counts(b"# SystemC::Coverage-3\n" + row.encode())[0])
    assert (point.kind, point.lines) == (kind, (7,))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "does not begin"),
        (b"\x7fELF rubbish", "does not begin"),
        (REAL[:-1], "cut short"),
        (REAL[: len(REAL) // 2], "cut short in line"),
        (changed(b"' 61\n", b"'\n"), "is no point with a count"),
        (changed(b"' 61\n", b"' -61\n"), "is no point with a count"),
        (changed(b"' 61\n", b"' \n"), "is no point with a count"),
        (changed(b"level[0]", b"\x00\xff\x80[0]"), "is no point with a count"),
        (REAL + b"more", "cut short in line 218"),
        (changed(b"' 61\n", b"' 99999999999999999999\n"), "64 bits"),
    ],
    ids=["empty", "rubbish", "no end", "half", "no count", "negative", "blank", "bytes", "tail", "huge"],
)
def test_a_broken_file_is_refused_with_its_line(data: bytes, said: str):
    with pytest.raises(ValueError, match=said):
        read_counts(data)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"\x01f\x02fifo.sv\x01l\x0225", b"\x01l\x0225", "has no 'f'"),
        (b"\x01l\x0225\x01", b"\x01l\x02here\x01", "is malformed"),
        (b"\x01S\x0232\x01", b"\x01S\x023-x\x01", "is malformed"),
        (b"i_data[0]:1->0", b"i_data[0]:0->1", "there twice"),
    ],
)
def test_points_that_say_no_place_are_refused(old: bytes, new: bytes, said: str):
    text, _ = read_counts(changed(old, new))
    with pytest.raises(ValueError, match=said):
        read_points(text)


def test_kinds_become_options_and_generated_code_is_left_out(tool_and_hdl):
    tool, hdl = tool_and_hdl
    command = verilate_command(tool, hdl, coverage=("line", "branch", "expression"), uncovered="text")
    assert command.argv.count("--coverage-line") == 1 and "--coverage-expr" in command.argv
    assert command.argv.index("uncovered.vlt") < command.argv.index("top.v")
    assert command.files == {"uncovered.vlt": "text"}
    assert not verilate_command(tool, hdl, uncovered="text").files
    with pytest.raises(ValueError, match="'fsm' is none of"):
        verilate_command(tool, hdl, coverage=("fsm",))
    assert {"line", "toggle", "branch", "expression"} <= set(COVERAGE)


@pytest.fixture
def tool_and_hdl():
    from flow.model.tool import ToolIdentity
    from flow.tools._hdl import HdlFiles

    tool = ToolIdentity(name="verilator", flavour="path", version="5.49", digest="d", path="/v", licence="x")
    return tool, HdlFiles(files=("top.v",), top="top")


def test_what_amaranth_adds_is_no_code_of_the_user():
    generated = "\n".join(
        [
            "module top(a);",
            "  reg \\$auto$verilog_backend.cc:2355:dump_module$1  = 0;",
            "  wire [3:0] \\$10 ;",
            "  reg [71:0] data = 72'h0;",
            "  wire [8:0] \\data.field[1] ;",
            "  wire [8:0] \\data$28 ;",
            "    if (\\$auto$verilog_backend.cc:2355:dump_module$1 ) begin end",
            "    if (\\$2 ) begin",
        ]
    )
    rules = uncovered_text(generated, "top.v").splitlines()
    assert [int(rule.rpartition(" ")[2]) for rule in rules[1:]] == [2, 3, 5, 7]
    assert all('-file "*top.v"' in rule for rule in rules[1:])

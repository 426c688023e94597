"""Code coverage merged over runs: each test and seed once, instances as one, waivers, ranking, UCIS."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from code_sample import Model, point

from flow.model.coverage import CoverageWaiver
from flow.model.design import TestSpec
from flow.model.errors import ConfigError, ToolError
from flow.model.testplan import TestplanEntry
from flow.regress.codecov.collector import CodeCollector
from flow.regress.codecov.places import Rtl, python_places
from flow.regress.codecov.summary import code_summary, idle_waivers, said_of_bits
from flow.regress.coverage import Collector
from flow.regress.coverage_ucis import ucis_xml
from flow.regress.covering import collecting
from flow.regress.model import Regression
from flow.regress.rank import rank
from flow.regress.testplan import plan_rows
from flow.stages.chip import TestRun
from flow.stages.sim_coverage import Left, pack_hits, report_code, unpack_hits

ROWS = [
    point("line", 3, "block", "3-4"),
    point("branch", 5, "if", "5"),
    point("branch", 5, "else", n="2"),
    point("expr", 6, "(a==1) => 1"),
    point("toggle", 1, "q[0]:0->1"),
    point("toggle", 1, "q[0]:1->0"),
]
WIDE = [*ROWS, point("toggle", 1, "q[1]:0->1")]


def hits_of(collector):
    merged = collector.merged()
    return {(p.kind, p.line, p.name): n for p, n in zip(merged.points, merged.hits, strict=True)}


def taken(model, *steps):
    collector = CodeCollector()
    for test, hits in steps:
        collector.take([(test, seed) for seed in hits], model.data(hits), model.load)
    return collector


def test_hits_of_all_runs_add_up_and_toggles_count_runs():
    model = Model(ROWS)
    found = hits_of(taken(model, ("a", {1: [5, 2, 3, 0, 9, 0]}), ("b", {1: [1, 0, 1, 0, 4, 1]})))
    assert found == {
        ("line", 3, ""): 6, ("line", 4, ""): 6, ("line", 5, ""): 2,
        ("branch", 5, "if"): 2, ("branch", 5, "else"): 4, ("expression", 6, "(a==1) => 1"): 0,
        ("toggle", 1, "q[0]:0->1"): 2, ("toggle", 1, "q[0]:1->0"): 1,
    }  # fmt: skip
    assert model.asked == 1, "the points of one model are read once"


def test_a_run_that_is_taken_in_again_replaces_what_it_was():
    model = Model(ROWS)
    once = taken(model, ("a", {1: [1, 1, 0, 0, 1, 0]}), ("a", {2: [2, 0, 2, 0, 0, 0]}))
    again = taken(
        model, ("a", {1: [7, 7, 7, 7, 7, 7]}), ("a", {2: [2, 0, 2, 0, 0, 0]}), ("a", {1: [1, 1, 0, 0, 1, 0]})
    )
    assert hits_of(once) == hits_of(again) and len(again) == 2


def test_seeds_in_one_process_and_alone_come_to_the_same():
    generator = random.Random(4)
    model = Model(ROWS)
    hits = {seed: [generator.randrange(3) for _ in ROWS] for seed in range(1, 21)}
    alone = taken(model, *(("t", {seed: counts}) for seed, counts in hits.items()))
    together = taken(model, ("t", dict(list(hits.items())[:10])), ("t", dict(list(hits.items())[10:])))
    assert hits_of(alone) == hits_of(together)
    assert dict(alone.reaches()) == dict(together.reaches())


def test_a_run_that_left_none_is_named_until_it_leaves_some():
    model = Model(ROWS)
    collector = CodeCollector()
    unread = [(2, "it was killed")]
    collector.take([("t", 1), ("t", 2)], model.data({1: [1] * 6}, unread), model.load)
    assert collector.merged().unread == {("t", 2): "it was killed"} and collector.merged().runs == 1
    collector.take([("t", 2)], model.data({2: [1] * 6}), model.load)
    assert not collector.merged().unread and collector.merged().runs == 2
    collector.take([("t", 2)], model.data({}, unread), model.load)
    assert collector.merged().runs == 2, "what a run had stays when a repetition leaves none"


def test_models_with_other_parameters_share_what_they_have_in_common():
    small, wide = Model(ROWS), Model(WIDE)
    collector = taken(small, ("a", {1: [1, 1, 0, 0, 1, 0]}))
    collector.take([("b", 1)], wide.data({1: [1, 0, 1, 0, 0, 1, 1]}), wide.load)
    found = hits_of(collector)
    assert len(found) == 9 and found["toggle", 1, "q[1]:0->1"] == 1
    assert (found["branch", 5, "if"], found["branch", 5, "else"]) == (1, 1)


def test_only_the_kinds_that_are_asked_for_count():
    model = Model(ROWS, kinds=("line",))
    assert {kind for kind, *_ in hits_of(taken(model, ("a", {1: [1] * 6})))} == {"line"}


def test_damaged_hits_and_points_are_refused():
    model = Model(ROWS)
    with pytest.raises(ValueError, match="of other points"):
        unpack_hits(pack_hits([1] * 4, Model(ROWS[:4]).points), Model(ROWS[:2]).points)
    with pytest.raises(ValueError, match="damaged"):
        unpack_hits(b"rubbish", model.points)
    with pytest.raises(ValueError, match="points of a model are damaged"):
        CodeCollector().take([("a", 1)], model.data({1: [1] * 6}), lambda: (b"rubbish", Rtl()))


GENERATED = """\
(* src = "top.py:10" *)
(* generator = "Amaranth" *)
module top(clk);
  reg [3:0] \\$1 ;
  (* src = "amaranth/hdl/_ir.py:283" *)
  input clk;
  (* src = "top.py:12" *)
  reg [3:0] count = 4'h0;
  assign \\$2  = count + (* src = "top.py:14" *) 1'h1;
  (* src = "top.py:12" *)
  always @(posedge clk)
    count <= \\$1 ;
  always @* begin
    \\$1  = count;
    if (enable) begin
      \\$1  = \\$2 ;
    end
  end
endmodule
"""


def test_lines_of_generated_verilog_are_those_of_python():
    places = dict(zip(GENERATED.splitlines(), python_places(GENERATED), strict=True))
    assert places["  reg [3:0] count = 4'h0;"] == ("top.py", 12)
    assert places["    if (enable) begin"] == ("top.py", 12), "the register that takes the value"
    assert places['  assign \\$2  = count + (* src = "top.py:14" *) 1\'h1;'] == ("top.py", 14)
    assert places["  input clk;"] == ("top.py", 10), "Amaranth's own line is no place of the user's"


def test_modules_that_amaranth_writes_for_each_instance_count_as_one():
    one = GENERATED.replace("module top", "module pe_0")
    text = one + one.replace("pe_0", "pe_1")
    length = one.count("\n")
    rows = [
        point("branch", line, "if", f="in/rtl/top.v", page=f"v_branch/{module}", h=f"top.{module}", n=column)
        for module, offset in (("pe_0", 0), ("pe_1", length))
        for line, column in ((15 + offset, "5"), (16 + offset, "9"))
    ]
    collector = taken(
        Model(rows, Rtl(elaborated=("top.v", text))), ("a", {1: [1, 0, 0, 0]}), ("a", {2: [0, 0, 2, 0]})
    )
    merged = collector.merged()
    assert list(merged.hits) == [3, 0], "two ifs of one line stay two, of two instances become one"
    assert {(p.file, p.line) for p in merged.points} == {("top.py", 12)}
    assert merged.points[0].generated == "top.v:15" and merged.points[0].text == "if (enable) begin"


def test_files_are_named_as_seen_from_the_design():
    assert Rtl(base="../..").origin("in/src/rtl/a.sv", 3).file == "../../rtl/a.sv"
    assert Rtl().origin("in/src/rtl/a.sv", 3).file == "rtl/a.sv"


def test_what_is_waived_counts_for_nothing_and_is_listed():
    waivers = (
        CoverageWaiver(file="rtl/a.sv", lines=(5, 6), kinds=("branch",), reason="cannot happen"),
        CoverageWaiver(match="q[0]:*", reason="tied off"),
        CoverageWaiver(file="other.sv", reason="old"),
    )
    model = Model(ROWS)
    collector = CodeCollector(waivers)
    collector.take([("a", 1)], model.data({1: [1, 0, 3, 0, 0, 0]}), model.load)
    found = code_summary(collector.merged(), waivers, lambda file: [f"text {n}" for n in range(1, 8)])
    assert found["kinds"] == {"line": [2, 3], "expression": [0, 1]}
    assert [(row["points"], row["hit"]) for row in found["waived"]] == [(2, 1), (2, 0), (0, 0)]
    assert idle_waivers(found["waived"]) == ["other.sv (old)"]
    (row,) = found["files"]
    assert row["file"] == "rtl/a.sv"
    assert [line[0] for line in row["lines"]] == [4, 5, 6, 7]
    assert row["lines"][1] == [5, "text 5", 0, [["line", "never executed", "", ""]]]
    assert row["lines"][0] == [4, "text 4", 1, []]


def test_a_waiver_of_one_instance_does_not_waive_what_another_has():
    rows = [
        point("branch", 1, "if", page="v_branch/top"),
        point("branch", 1, "if", page="v_branch/top__P2", h="top.b"),
    ]
    for pattern, expected in (("top.b", [-1]), ("top*", [0])):
        collector = CodeCollector((CoverageWaiver(hierarchy=pattern, reason="r"),))
        model = Model(rows)
        collector.take([("a", 1)], model.data({1: [0, 0]}), model.load)
        assert list(collector.merged().waived) == expected


def test_bits_are_told_in_ranges():
    names = [f"d[{n}]:{edge}" for n in (0, 1, 2, 5) for edge in ("0->1", "1->0")] + ["d[7]:0->1", "en:1->0"]
    assert said_of_bits(names) == ["d[5,2:0] 0->1 and 1->0", "d[7] 0->1", "en 1->0"]


@pytest.mark.parametrize("seed", range(5))
def test_ranking_keeps_code_and_bins(seed):
    generator = random.Random(seed)
    model = Model(WIDE)
    code, bins = CodeCollector(), Collector()
    for run in range(30):
        counts = [int(generator.random() < 0.15) for _ in WIDE]
        code.take([("t", run)], model.data({run: counts}), model.load)
        entries = [{"name": str(n), "hits": int(generator.random() < 0.1)} for n in range(5)]
        bins.take([("t", run)], {"coverage": {"coverpoints": [{"name": "p", "bins": entries}]}})
    ranked = rank(bins, {}, code=code)
    chosen = {found.key for found in ranked}
    reach = dict(code.reaches())
    everything = kept = 0
    for key, bits in reach.items():
        everything |= bits
        kept |= bits if key in chosen else 0
    assert kept == everything and everything
    hit = {key: {n for n, count in enumerate(hits) if count} for key, _, hits in bins.runs()}
    assert set().union(*hit.values()) == set().union(*(hit[key] for key in chosen))
    assert len(chosen) < 30
    assert sum(found.adds for found in ranked) == everything.bit_count() + len(set().union(*hit.values()))


def test_ranking_leaves_out_a_run_that_only_adds_what_is_waived():
    model = Model(ROWS)
    code = CodeCollector((CoverageWaiver(kinds=("toggle",), reason="r"),))
    code.take([("a", 1)], model.data({1: [1, 1, 1, 1, 0, 0]}), model.load)
    code.take([("a", 2)], model.data({2: [1, 0, 0, 0, 1, 1]}), model.load)
    assert [found.key for found in rank(Collector(), {}, code=code)] == [("a", 1)]


def test_ucis_has_the_code():
    model = Model(ROWS)
    collector = taken(model, ("a", {1: [5, 2, 0, 0, 9, 0]}))
    root = ElementTree.fromstring(
        ucis_xml(Regression(id="r", design="d"), Collector().merged(), collector.merged())
    )
    assert [f.get("fileName") for f in root.iter("sourceFiles")] == ["suzuri.toml", "rtl/a.sv"]
    instance = root.find("instanceCoverages")
    assert [child.tag for child in instance] == [
        "id", "toggleCoverage", "blockCoverage", "conditionCoverage", "branchCoverage",
    ]  # fmt: skip
    statements = {
        s.find("id").get("line"): int(s.find("bin/contents").get("coverageCount"))
        for s in instance.iter("statement")
        if s.find("bin") is not None
    }
    assert statements == {"3": 5, "4": 5, "5": 2}
    edges = {
        (t.get("from"), t.get("to")): t.find("bin/contents").get("coverageCount")
        for t in instance.iter("toggle")
    }
    assert edges == {("0", "1"): "1", ("1", "0"): "0"}
    branches = {
        s.get("branchExpr"): s.find("branch/branchBin/contents").get("coverageCount")
        for s in instance.findall("branchCoverage/statement")
    }
    assert branches == {"if": "2", "else": "0"}


def test_a_requirement_lists_the_holes_of_its_code():
    collector = taken(Model(ROWS), ("a", {1: [5, 2, 0, 0, 9, 0]}))
    entries = [TestplanEntry(name="e", code=("rtl/a.sv:5", "none.sv"))]
    (row,) = plan_rows(entries, [], Collector().merged(), collector.merged())
    assert (row["covered"], row["total"]) == (2, 3)
    assert row["holes"] == [["branch rtl/a.sv:5", "else", 0, 1]] and row["unmatched"] == ["none.sv"]
    (without,) = plan_rows(entries, [], Collector().merged())
    assert without["total"] == 0 and not without["unmatched"]


def test_each_run_collects_what_test_suite_design_or_user_say():
    def kinds(asked=None, suite=None, **values):
        run = TestRun(test=TestSpec(name="t", module="m", **values), index=0, seed=1)
        design = SimpleNamespace(coverage=SimpleNamespace(kinds=("line",)))
        runs, notes = collecting(design, [run], suite, asked)
        return runs[0].coverage, notes

    assert kinds() == (("line",), [])
    assert kinds(suite=("toggle",)) == (("toggle",), [])
    assert kinds(suite=("toggle",), coverage=()) == ((), [])
    assert kinds(asked=("branch",), coverage=("line",)) == (("branch",), [])
    assert kinds(asked=()) == ((), [])
    assert kinds(simulator="icarus") == ((), ["no code coverage of t: Icarus Verilog has none"])
    with pytest.raises(ConfigError, match="none of the chosen tests can collect"):
        kinds(asked=("line",), simulator="icarus")


class Context:
    """What a step reports."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir
        self.outputs, self.metrics, self.said = {}, {}, {}

    def output(self, name, path):
        self.outputs[name] = path

    def metric(self, name, value):
        self.metrics[name] = value

    def data(self, name, value):
        self.said[name] = value


def written(folder, counts, rows=ROWS):
    folder.mkdir()
    lines = [f"C '{row}' {count}\n" for row, count in zip(rows, counts, strict=True)]
    (folder / "code_coverage.dat").write_text("# SystemC::Coverage-3\n" + "".join(lines))
    return folder


def test_each_seed_reports_its_own_file_and_what_was_killed_none(tmp_path):
    runs = [
        Left(seed=7, folder=written(tmp_path / "run_0", [1, 0, 1, 0, 1, 0])),
        Left(seed=8, folder=written(tmp_path / "run_1", [9] * 6), killed="it was stopped at its limit"),
        Left(seed=9, folder=written(tmp_path / "run_2", [2, 2, 0, 0, 0, 0])),
    ]
    (tmp_path / "run_3").mkdir()
    ctx = Context(tmp_path)
    report_code(ctx, [*runs, Left(seed=10, folder=tmp_path / "run_3")], ("line", "branch", "toggle"))
    found = ctx.said["code_coverage"]
    points = Model(ROWS).points
    assert [(seed, unpack_hits(text, points)[1].tolist()) for seed, text in found["runs"]] == [
        (7, [1, 0, 1, 0, 1, 0]),
        (9, [2, 2, 0, 0, 0, 0]),
    ]
    assert found["unread"] == [[8, "it was stopped at its limit"], [10, "it left none"]]
    assert ctx.metrics == {
        "sim__coverage__line": 100.0, "sim__coverage__branch": 100.0, "sim__coverage__toggle": 50.0,
    }  # fmt: skip


@pytest.mark.parametrize(("cut", "said"), [(-4, "cut short"), (10, "does not begin")])
def test_a_file_that_is_cut_short_is_an_error_of_the_run(tmp_path, cut, said):
    folder = written(tmp_path / "run", [1] * 6)
    path = folder / "code_coverage.dat"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ToolError, match=f"code coverage of seed 3 cannot be read: .*{said}"):
        report_code(Context(tmp_path), [Left(seed=3, folder=folder)], ("line",))


def test_runs_beside_each_other_with_other_points_are_an_error(tmp_path):
    runs = [
        Left(seed=1, folder=written(tmp_path / "a", [1] * 6)),
        Left(seed=2, folder=written(tmp_path / "b", [1] * 7, WIDE)),
    ]
    with pytest.raises(ToolError, match="other points than the runs beside it"):
        report_code(Context(tmp_path), runs, ("line",))

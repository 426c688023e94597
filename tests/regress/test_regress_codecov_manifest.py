"""What the manifest and the command line say of code coverage."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from flow.cli.regress_options import campaign_options
from flow.engine.manifest import load_design
from flow.model.coverage import KINDS, CoverageWaiver
from flow.model.errors import ConfigError

MANIFEST = """\
[design]
name = "d"
top = "d"
sources = ["d.v"]

{coverage}
[[test]]
name = "t"
module = "bench"
{test}
[[suite]]
name = "s"
{suite}
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "d.v").write_text("module d; endmodule\n")

    def read(coverage="", test="", suite=""):
        text = MANIFEST.format(coverage=coverage, test=test, suite=suite)
        (tmp_path / "suzuri.toml").write_text(text)
        return load_design(tmp_path)

    return read


def test_kinds_of_design_suite_and_test(load):
    design = load('[coverage]\nkinds = ["toggle", "line"]\n', "coverage = false", "coverage = true")
    assert design.coverage.kinds == ("line", "toggle")
    assert design.tests[0].coverage == () and design.suites[0].coverage == KINDS
    plain = load()
    assert plain.coverage.kinds == () and plain.tests[0].coverage is None and plain.suites[0].coverage is None


def test_waivers(load):
    design = load(
        '[coverage]\nwaive = [{ file = "a.sv", lines = 7, kinds = "line", reason = "r" },'
        ' { hierarchy = "top.debug*", match = "x[3]:*", reason = "r" }]\n'
    )
    line, debug = design.coverage.waivers
    assert line.covers("line", "a.sv", 7, "top", "") and not line.covers("line", "a.sv", 8, "top", "")
    assert not line.covers("toggle", "a.sv", 7, "top", "x")
    assert debug.covers("toggle", "a.sv", 1, "top.debug_1", "x[3]:0->1")
    assert not debug.covers("toggle", "a.sv", 1, "top.debug_1", "x3:0->1"), "brackets are bits"
    assert not debug.covers("toggle", "a.sv", 1, "top.core", "x[3]:0->1")


@pytest.mark.parametrize(
    ("coverage", "test", "said"),
    [
        ('[coverage]\nkinds = ["lines"]\n', "", "no kind of coverage 'lines'; did you mean 'line'"),
        ('[coverage]\nkinds = ["expr"]\n', "", "did you mean 'expression'"),
        ('[coverage]\nkinds = ["togle"]\n', "", "did you mean 'toggle'"),
        ('[coverage]\nkind = ["line"]\n', "", "Did you mean 'kinds'"),
        ("[coverage]\nkinds = 3\n", "", "expected true or false or a list or a string"),
        ('[coverage]\nwaive = [{ file = "a" }]\n', "", "'reason' is missing"),
        ('[coverage]\nwaive = [{ file = "a", reason = " " }]\n', "", "a reason is required"),
        ('[coverage]\nwaive = [{ reason = "all" }]\n', "", "says of nothing what it waives"),
        ('[coverage]\nwaive = [{ file = "a", lines = [9, 3], reason = "r" }]\n', "", "no range of lines"),
        ('[coverage]\nwaive = [{ file = "a", line = 3, reason = "r" }]\n', "", "Did you mean 'lines'"),
        ("", 'simulator = "icarus"\ncoverage = ["line"]', "Icarus Verilog has no code coverage"),
        ("", 'coverage = ["block"]', "no kind of coverage 'block'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(load, coverage, test, said):
    with pytest.raises(ConfigError) as caught:
        load(coverage, test)
    assert said in str(caught.value) and "suzuri.toml" in str(caught.value)


def test_a_test_on_icarus_may_say_none(load):
    assert load(test='simulator = "icarus"\ncoverage = false').tests[0].coverage == ()


def test_a_waiver_checks_its_kinds():
    with pytest.raises(ValueError, match="did you mean 'branch'"):
        CoverageWaiver(kinds=("branches",), reason="r")


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], None), (["all"], KINDS), (["none"], ()), (["toggle, line"], ("line", "toggle"))],
)
def test_switch(words, expected):
    @click.command()
    @campaign_options
    def command(**options):
        assert options["coverage"] == expected

    arguments = ["--coverage", *words] if words else []
    CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_switch_suggests():
    @click.command()
    @campaign_options
    def command(**_options):
        raise AssertionError

    with pytest.raises(ConfigError, match="did you mean 'toggle'"):
        CliRunner().invoke(command, ["--coverage", "toggles"], catch_exceptions=False)

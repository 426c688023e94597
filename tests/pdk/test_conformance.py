"""The static check finds adapters that lie, and views that are damaged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from decimal import Decimal

import pytest

from flow.model.check import Severity
from pdk_adapters import registry
from pdk_adapters.conformance import static_checks
from pdk_adapters.views import load_views


@pytest.fixture
def osu(find):
    return find("osu018")


def failed(pdk, views=None):
    checks = static_checks(pdk, views or load_views(pdk), registry.offer("osu018").hints)
    return {c.name: c.message for c in checks if c.failed}


def with_roles(pdk, **changes):
    return replace(pdk, roles=replace(pdk.roles, **changes))


def test_the_truth_passes(osu):
    assert failed(osu) == {}


@pytest.mark.parametrize(
    ("changes", "check", "message"),
    [
        ({"buffers": ("BUFX2", "INVX1")}, "pdk.roles.buffers", "INVX1 does"),
        ({"buffers": ()}, "pdk.roles.buffers", "there are no buffers"),
        ({"inverters": ("NAND2X1",)}, "pdk.roles.inverters", "not a gate with one input"),
        ({"flops": ("LATCH",)}, "pdk.roles.flops", "LATCH is no ff"),
        ({"flops": ("DFFX9",)}, "pdk.roles.flops", "DFFX9: not in the libraries"),
        ({"latches": ("DFFSR",)}, "pdk.roles.latches", "DFFSR is no latch"),
        ({"clock_gates": ("LATCH",)}, "pdk.roles.clock_gates", "LATCH is no clock gate"),
        ({"tie_hi": ("INVX1", "Y")}, "pdk.roles.tie_hi", "not 1"),
        ({"tie_lo": ("TIE", "Y")}, "pdk.roles.tie_lo", "TIE has no output Y"),
        ({"driving_cell": ("BUFX2", "A")}, "pdk.roles.driving_cell", "BUFX2/A is no output"),
        ({"load_pf": 0.0}, "pdk.roles.driving_cell", "load_pf is 0.0"),
        ({"dont_use": ("N*", "PAD*")}, "pdk.dont_use.complete", "no two-input nand or nor is left"),
    ],
)
def test_wrong_roles(osu, changes, check, message):
    assert message in failed(with_roles(osu, **changes))[check]


def test_roles_that_could_be_better_are_a_warning(osu):
    checks = static_checks(
        with_roles(osu, buffers=("BUFX4",)), load_views(osu), registry.offer("osu018").hints
    )
    (found,) = [c for c in checks if c.name == "pdk.roles.derived"]
    assert not found.passed
    assert found.severity is Severity.WARNING
    assert "('BUFX2', 'BUFX4')" in found.message


def test_wrong_facts(osu):
    assert "default corner ss" in failed(replace(osu, default_corner="ss"))["pdk.corners"]
    assert "time unit" in failed(replace(osu, time_unit_ns=0.001))["pdk.units"]
    assert "capacitance unit" in failed(replace(osu, cap_unit_pf=0.001))["pdk.units"]
    hot = replace(osu.corners[0], temperature_c=125, voltage_v=Decimal("1.62"))
    message = failed(replace(osu, corners=(hot,)))["pdk.corners.conditions"]
    assert "is for 1.8 V" in message
    assert "is for 25.0 C" in message
    twice = replace(osu, corners=(*osu.corners, *osu.corners))
    assert "two corners are called" in failed(twice)["pdk.corners"]


def test_damaged_views(osu, tmp_path):
    liberty = tmp_path / "cut.lib"
    liberty.write_text(osu.corner().liberty[0].read_text()[:5000])
    cut = replace(osu, corners=(replace(osu.corners[0], liberty=(liberty,)),))
    assert "ends" in failed(cut)["pdk.views"]
    lost = replace(osu, cell_lef=(tmp_path / "none.lef",))
    assert "cannot open this LEF file" in failed(lost)["pdk.views"]


def test_another_library_s_lef(osu, find, tmp_path):
    """Cells of the same names with other sizes: the areas give it away."""
    other = replace(osu, cell_lef=find("osu035").cell_lef)
    assert "um2 in LEF" in failed(other)["pdk.lef.area"]


def test_supplies_and_layers(osu):
    wrong = replace(osu, extra={"power_pin": "VDD", "ground_pin": "vdd", "min_routing_layer": "met9"})
    message = failed(wrong)["pdk.layout"]
    assert message == "VDD is no power pin of INVX1; vdd is no ground pin of INVX1; there is no layer met9"


def test_lef_with_a_pin_too_few(osu, tmp_path):
    text = osu.cell_lef[0].read_text()
    start = text.index("MACRO NAND2X1")
    body = text[start:].replace("PIN B\n", "PIN BB\n", 1).replace("END B\n", "END BB\n", 1)
    path = tmp_path / "x.lef"
    path.write_text(text[:start] + body)
    message = failed(replace(osu, cell_lef=(path,)))["pdk.lef.pins"]
    assert message == "NAND2X1: only in Liberty B, only in LEF BB"


def test_cells_that_differ_between_corners(osu, tmp_path):
    path = tmp_path / "other.lib"
    text = osu.corner().liberty[0].read_text()
    start = text.index("cell (NAND2X1)")
    path.write_text(text[:start] + text[start:].replace('function : "(!(A B))"', 'function : "(!(A+B))"', 1))
    assert path.read_text() != text
    corner = replace(osu.corners[0], name="other", liberty=(path,))
    pdk = replace(osu, corners=(*osu.corners, corner))
    checks = {c.name: c for c in static_checks(pdk, load_views(pdk))}
    assert checks["pdk.corners.cells"].message == "NAND2X1 differs between tt_025C_1v80 and other"


def test_macros_that_lie(find, tmp_path):
    pdk = find("nangate45")
    good = next(m for m in pdk.macros if m.name == "fakeram45_64x32")
    lef = tmp_path / "ram.lef"
    shutil.copy(good.lef, lef)
    lef.write_text(lef.read_text().replace("PIN clk", "PIN clock").replace("END clk", "END clock"))

    def found(macro):
        only = replace(pdk, macros=(macro,))
        views = load_views(only, [])
        return [c.message for c in static_checks(only, views) if c.name == "pdk.macro" and c.failed]

    assert found(good) == []
    assert "Liberty has 6 address and 32 data bits" in found(replace(good, words=128))[0]
    assert "Liberty has 6 address and 32 data bits" in found(replace(good, bits=16))[0]
    assert "only in LEF clock" in found(replace(good, lef=lef))[0]
    assert "no corner tt" in found(replace(good, liberty={"tt": good.liberty["typ"]}))[0]
    assert "no Liberty file for any corner" in found(replace(good, liberty={}))[0]

"""What the six adapters say, against the views of the installed PDKs."""

from __future__ import annotations

import pytest

from flow.formats.liberty import read_library
from flow.model.check import Severity
from pdk_adapters import registry
from pdk_adapters.conformance import static_checks
from pdk_adapters.roles import derive_roles
from pdk_adapters.views import load_views

# Slips of the libraries themselves, which the check must find.
KNOWN_WARNINGS = {
    "osu018": {"pdk.lef.area"},
    "osu035": {"pdk.lef.area"},
    "osu050": {"pdk.lef.area"},
    "ihp-sg13g2": {"pdk.lef.area"},
    "nangate45": {"pdk.lef.area"},
}


def test_static_conformance_of_the_default_corner(pdk):
    offer = registry.offer(pdk.name)
    checks = static_checks(pdk, load_views(pdk, [pdk.default_corner]), offer.hints)
    assert [c for c in checks if c.failed] == []
    warnings = {c.name for c in checks if not c.passed and c.severity is Severity.WARNING}
    assert warnings == KNOWN_WARNINGS.get(pdk.name, set())
    names = {c.name for c in checks}
    assert {"pdk.views", "pdk.units", "pdk.roles.flops", "pdk.lef.pins", "pdk.roles.derived"} <= names


def test_roles_are_what_liberty_gives(pdk):
    views = load_views(pdk, [pdk.default_corner], macros=False)
    fresh = derive_roles(views.corners[pdk.default_corner], registry.offer(pdk.name).hints, views.lef)
    assert pdk.roles == fresh


@pytest.mark.parametrize(
    ("name", "default", "corners"),
    [
        ("osu018", "tt_025C_1v80", 1),
        ("sky130A", "tt_025C_1v80", 3),
        ("gf180mcuD", "tt_025C_5v00", 3),
        ("gf180mcuD-9t", "tt_025C_5v00", 3),
        ("ihp-sg13g2", "typ_1p20V_25C", 6),
        ("nangate45", "typ", 3),
        ("asap7", "tt_025C_0v70", 2),
    ],
)
def test_corners(find, name, default, corners):
    pdk = find(name)
    assert pdk.default_corner == default
    assert len(pdk.corners) >= corners
    assert pdk.corner().process == "tt"


@pytest.mark.parametrize("name", ["osu018", "ihp-sg13g2", "nangate45"])
def test_every_corner_holds_what_its_name_says(find, name):
    for corner in find(name).corners:
        for path in corner.liberty:
            library = read_library(path)
            assert library.nom_voltage_v == pytest.approx(float(corner.voltage_v))
            assert library.nom_temperature_c == corner.temperature_c


def test_slow_is_slow(find):
    corners = {c.name: c for c in find("sky130A").corners}
    slow = corners["ss_100C_1v60"]
    assert (slow.process, str(slow.voltage_v), slow.temperature_c) == ("ss", "1.60", 100)


def test_ihp_memories(find):
    macros = {m.name: m for m in find("ihp-sg13g2").macros}
    one = macros["RM_IHPSG13_1P_1024x16_c2_bm_bist"]
    assert (one.kind, one.words, one.bits, one.ports) == ("sram", 1024, 16, 1)
    assert macros["RM_IHPSG13_2P_64x32_c2"].ports == 2
    assert set(one.liberty) == {"typ_1p20V_25C", "slow_1p08V_125C", "fast_1p32V_m40C"}
    assert one.area_um2 > 1e4
    assert one.lef.is_file()
    assert one.gds.is_file()


@pytest.mark.parametrize("name", ["nangate45", "asap7"])
def test_fake_memories(find, name):
    pdk = find(name)
    assert len(pdk.macros) >= 9
    for macro in pdk.macros:
        assert set(macro.liberty) == {c.name for c in pdk.corners}
        assert macro.name.endswith(f"_{macro.words}x{macro.bits}")


def test_debian_version(find):
    assert find("osu018").version[0].isdigit()

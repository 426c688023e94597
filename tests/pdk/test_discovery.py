"""Where PDKs are found, in each of the layouts that their users have."""

from __future__ import annotations

import pytest

from flow.model.errors import ConfigError
from pdk_adapters import registry
from pdk_adapters.discovery import git_version, open_pdk_version, pdk_roots
from pdk_adapters.family import pvt

COMMIT = "8afc8346a57fe1ab7934ba5a6056ea8b43078e71"
TLEF = """\
SITE unithd
  CLASS CORE ;
  SIZE 0.46 BY 2.72 ;
END unithd
LAYER met1
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 0.34 ;
  WIDTH 0.14 ;
END met1
END LIBRARY
"""
CORNERS = (
    "ff_100C_1v65", "ff_n40C_1v56", "ff_n40C_1v95", "ss_100C_1v40", "ss_n40C_1v28", "ss_n40C_1v60",
    "tt_025C_1v80", "tt_100C_1v80",
)  # fmt: skip


def fake_sky130(place):
    """Folders and files as open_pdks makes them; nothing reads the Liberty files to describe the PDK."""
    library = place / "libs.ref" / "sky130_fd_sc_hd"
    for view in ("lib", "lef", "techlef", "gds"):
        (library / view).mkdir(parents=True)
    for corner in CORNERS:
        (library / "lib" / f"sky130_fd_sc_hd__{corner}.lib").touch()
    (library / "lib" / "sky130_fd_sc_hd__ff_n40C_1v95_ccsnoise.lib").touch()
    (library / "techlef" / "sky130_fd_sc_hd__nom.tlef").write_text(TLEF)
    (library / "lef" / "sky130_fd_sc_hd.lef").touch()
    return library


def test_corners_are_those_of_the_files(no_pdks):
    fake_sky130(no_pdks / "sky130A")
    pdk = registry.find("sky130A")
    assert {c.name for c in pdk.corners} == set(CORNERS)
    assert [c.process for c in pdk.corners] == ["tt"] * 2 + ["ss"] * 3 + ["ff"] * 3
    slow = registry.corner(pdk, "ss_n40C_1v28")
    assert (str(slow.voltage_v), slow.temperature_c) == ("1.28", -40)
    assert pdk.default_corner == "tt_025C_1v80"
    assert pdk.site.name == "unithd"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tt_025C_1v80", ("tt", 25, "1.80")),
        ("ss_n40C_1v60", ("ss", -40, "1.60")),
        ("ff_125C_3v60", ("ff", 125, "3.60")),
        ("sf_025C_1v80", None),
        ("tt_025C_1v80_ccsnoise", None),
    ],
)
def test_corner_names(text, expected):
    found = pvt(text)
    assert (found and (found[0], found[1], str(found[2]))) == expected


@pytest.mark.parametrize("below", ["", "share/pdk", f"ciel/sky130/versions/{COMMIT}"])
def test_layouts_of_open_pdks(no_pdks, below):
    fake_sky130(no_pdks / below / "sky130A")
    pdk = registry.find("sky130A")
    assert pdk.root == no_pdks / below / "sky130A"
    assert pdk.version == (COMMIT if "ciel" in below else "unknown")


def test_the_folder_of_the_pdk_itself(no_pdks, monkeypatch):
    fake_sky130(no_pdks / "sky130A")
    monkeypatch.setenv("PDK_ROOT", str(no_pdks / "sky130A"))
    assert registry.find("sky130A").root == no_pdks / "sky130A"


def test_ciel_link_and_home(no_pdks, tmp_path, monkeypatch):
    monkeypatch.delenv("PDK_ROOT")
    home = tmp_path / "home" / ".ciel"
    fake_sky130(home / "ciel" / "sky130" / "versions" / COMMIT / "sky130A")
    (home / "sky130A").symlink_to(home / "ciel" / "sky130" / "versions" / COMMIT / "sky130A")
    pdk = registry.find("sky130A")
    assert (pdk.root, pdk.version) == (home / "sky130A", COMMIT)


def test_ciel_enabled_version_wins(no_pdks):
    store = no_pdks / "ciel" / "sky130"
    older = "0" * 40
    for version in (older, COMMIT):
        fake_sky130(store / "versions" / version / "sky130A")
    assert registry.find("sky130A").version == older
    (store / "current").write_text(COMMIT)
    assert registry.find("sky130A").version == COMMIT


def test_several_roots_in_order(no_pdks, tmp_path, monkeypatch):
    fake_sky130(tmp_path / "second" / "sky130A")
    monkeypatch.setenv("PDK_ROOT", f"{no_pdks}::{tmp_path / 'second'}")
    assert registry.find("sky130A").root == tmp_path / "second" / "sky130A"
    fake_sky130(no_pdks / "sky130A")
    assert registry.find("sky130A").root == no_pdks / "sky130A"
    assert pdk_roots()[:2] == (no_pdks, tmp_path / "second")


def test_sources_file_gives_the_version(tmp_path):
    (tmp_path / "SOURCES").write_text(f"open_pdks {COMMIT}\nmagic {'1' * 40}\n")
    assert open_pdk_version(tmp_path) == COMMIT


def test_git_version_is_read_without_git(tmp_path):
    assert git_version(tmp_path) == "unknown"
    git = tmp_path / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/master\n")
    assert git_version(tmp_path) == "unknown"
    (git / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/master\n")
    assert git_version(tmp_path) == COMMIT
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "master").write_text("2" * 40)
    assert git_version(tmp_path) == "2" * 40
    (git / "HEAD").write_text("3" * 40)
    assert git_version(tmp_path) == "3" * 40
    inside = tmp_path / "design" / "pdks" / "sky130A"
    inside.mkdir(parents=True)
    assert open_pdk_version(inside) == "unknown"  # the repository is the user's own


def test_a_damaged_installation_says_what_is_missing(no_pdks):
    library = fake_sky130(no_pdks / "sky130A")
    (library / "lef" / "sky130_fd_sc_hd.lef").unlink()
    with pytest.raises(ConfigError, match=r"not complete: no LEF file \(sky130_fd_sc_hd.lef\)") as caught:
        registry.find("sky130A")
    assert "suzuri pdk install sky130A" in caught.value.remedy
    for path in (library / "lib").iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="no Liberty file"):
        registry.find("sky130A")
    (info,) = [i for i in registry.known() if i.name == "sky130A"]
    assert not info.installed
    assert "not complete" in info.reason


@pytest.mark.parametrize(
    "below", ["platforms", "flow/platforms", "orfs/platforms", "orfs/flow/platforms", ""]
)
@pytest.mark.parametrize("variable", ["PDK_ROOT", "FLOW_HOME", "ORFS"])
def test_layouts_of_openroad_flow_scripts(no_pdks, tmp_path, monkeypatch, below, variable):
    place = tmp_path / "clone" / below / "nangate45"
    for folder in ("lib", "lef"):
        (place / folder).mkdir(parents=True)
    (place / "lib" / "NangateOpenCellLibrary_typical.lib").touch()
    (place / "lef" / "NangateOpenCellLibrary.tech.lef").write_text(TLEF)
    (place / "lef" / "NangateOpenCellLibrary.macro.mod.lef").touch()
    monkeypatch.setenv(variable, str(tmp_path / "clone"))
    (tmp_path / "clone" / ".git").mkdir()
    (tmp_path / "clone" / ".git" / "HEAD").write_text(COMMIT)
    pdk = registry.find("nangate45")
    assert pdk.root == place
    assert [c.name for c in pdk.corners] == ["typ"]
    assert pdk.version == (COMMIT if below == "flow/platforms" else "unknown")


def test_asap7_needs_all_parts_of_a_corner(no_pdks):
    place = no_pdks / "asap7"
    (place / "lib" / "NLDM").mkdir(parents=True)
    (place / "lef").mkdir()
    (place / "lef" / "asap7_tech_1x_201209.lef").write_text(TLEF)
    (place / "lef" / "asap7sc7p5t_28_R_1x_220121a.lef").write_text(TLEF)
    for part in ("AO", "INVBUF", "OA", "SEQ"):
        (place / "lib" / "NLDM" / f"asap7sc7p5t_{part}_RVT_FF_nldm_211120.lib.gz").touch()
    with pytest.raises(ConfigError, match="no corner has all of AO, INVBUF, OA, SEQ, SIMPLE"):
        registry.find("asap7")
    for date in ("211120", "220122"):
        (place / "lib" / "NLDM" / f"asap7sc7p5t_SIMPLE_RVT_FF_nldm_{date}.lib").touch()
    pdk = registry.find("asap7")
    assert [c.name for c in pdk.corners] == ["ff_000C_0v77"]
    assert pdk.corner().liberty[-1].name == "asap7sc7p5t_SIMPLE_RVT_FF_nldm_220122.lib"


def test_a_home_that_is_nowhere(no_pdks, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", "~nobody_of_this_name/pdks")
    assert registry.installed() == ()


def test_qflow_elsewhere(find, no_pdks, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="apt-get install qflow-tech-osu018"):
        registry.find("osu018")
    place = tmp_path / "qflow" / "osu018"
    place.mkdir(parents=True)
    (place / "osu018_stdcells.lib").touch()
    (place / "osu018_stdcells.lef").write_text(TLEF)
    assert registry.find("osu018").root == place


def test_sram_macros_of_sky130_and_gf180(no_pdks):
    fake_sky130(no_pdks / "sky130A")
    folder = no_pdks / "sky130A" / "libs.ref" / "sky130_sram_macros"
    name = "sky130_sram_1kbyte_1rw1r_32x256_8"
    for view in ("lib", "lef"):
        (folder / view).mkdir(parents=True)
    (folder / "lef" / f"{name}.lef").write_text(f"MACRO {name}\n  SIZE 479.78 BY 397.5 ;\nEND {name}\n")
    (folder / "lib" / f"{name}_TT_1p8V_25C.lib").touch()
    (macro,) = registry.find("sky130A").macros
    assert (macro.words, macro.bits, macro.ports) == (256, 32, 2)
    assert macro.area_um2 == pytest.approx(479.78 * 397.5)
    assert set(macro.liberty) == {"tt_025C_1v80", "tt_100C_1v80"}

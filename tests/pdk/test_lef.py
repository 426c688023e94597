"""Reading of LEF."""

from __future__ import annotations

import pytest

from flow.model.errors import ConfigError
from pdk_adapters.lef import read_macros, read_tech

TECH = """\
VERSION 5.8 ;
SITE unit
  CLASS CORE ;
  SIZE 0.5 BY 2.5 ;
END unit
SITE pad
  CLASS PAD ;
  SIZE 1 BY 200 ;
END pad
LAYER poly
  TYPE MASTERSLICE ;
END poly
LAYER m1
  TYPE ROUTING ; # WIDTH 9 ;
  DIRECTION HORIZONTAL ;
  PITCH 0.4 0.6 ;
  MINWIDTH 0.1 ;
  WIDTH 0.2 ;
END m1
LAYER m2
  TYPE ROUTING ;
  DIRECTION VERTICAL ;
  PITCH 0.4 0.6 ;
  WIDTH 0.3 ;
END m2
END LIBRARY
"""
CELLS = """\
PROPERTYDEFINITIONS
  MACRO Design STRING ;
END PROPERTYDEFINITIONS
MACRO INV
  CLASS CORE ;
  SITE unit ;
  SIZE 1.5 BY 2.5 ;
  PIN A DIRECTION INPUT ; USE SIGNAL ;
    PORT
      LAYER m1 ;
        RECT 0 0 1 1 ;
    END
  END A
  PIN Y
    DIRECTION OUTPUT TRISTATE ;
  END Y
  PIN VDD
    DIRECTION INOUT ;
    USE POWER ;
  END VDD
  OBS
    LAYER m1 ;
  END
END INV
MACRO RAM
  CLASS BLOCK ;
  SIZE 100 BY 50 ;
  PIN D[0]
    DIRECTION INPUT ;
  END D[0]
END RAM
END LIBRARY
"""


def test_sites_and_layers(tmp_path):
    path = tmp_path / "t.lef"
    path.write_text(TECH)
    tech = read_tech(path)
    assert [(s.name, s.width_um, s.height_um) for s in tech.sites] == [("unit", 0.5, 2.5)]
    found = [(x.name, x.direction, x.pitch_um, x.width_um) for x in tech.layers]
    assert found == [("m1", "horizontal", 0.6, 0.2), ("m2", "vertical", 0.4, 0.3)]


def test_macros(tmp_path):
    path = tmp_path / "c.lef"
    path.write_text(CELLS)
    macros = read_macros(path)
    assert list(macros) == ["INV", "RAM"]
    inverter = macros["INV"]
    assert (inverter.width_um, inverter.height_um, inverter.cls, inverter.site) == (1.5, 2.5, "core", "unit")
    assert inverter.signals == {"A", "Y"}
    assert inverter.pins["Y"].direction == "output"
    assert macros["RAM"].signals == {"D[0]"}


def test_a_cut_file_names_the_macro(tmp_path):
    path = tmp_path / "c.lef"
    path.write_text(CELLS[: CELLS.index("END RAM")])
    with pytest.raises(ConfigError, match="the macro RAM never ends") as caught:
        read_macros(path)
    assert caught.value.where == f"{path}:{CELLS[: CELLS.index('MACRO RAM')].count(chr(10)) + 1}"


@pytest.mark.parametrize("read", [read_tech, read_macros])
def test_files_that_are_no_lef(tmp_path, read):
    path = tmp_path / "x.lef"
    with pytest.raises(ConfigError, match="cannot open"):
        read(path)
    path.write_bytes(b"\0\1\2")
    with pytest.raises(ConfigError, match="binary"):
        read(path)
    path.write_text("hello\n")
    with pytest.raises(ConfigError, match="cut or is none"):
        read(path)


def test_real_sites(pdk):
    macros = {k: v for path in pdk.cell_lef for k, v in read_macros(path).items()}
    inverter = macros[pdk.roles.inverters[0]]
    assert inverter.height_um == pytest.approx(pdk.site.height_um)
    widths = inverter.width_um / pdk.site.width_um
    assert widths == pytest.approx(round(widths))
    assert {layer.direction for layer in pdk.layers} == {"horizontal", "vertical"}

"""The Liberty files of installed PDKs, read whole."""

from __future__ import annotations

import random

import pytest

from flow.formats.liberty import read_library
from flow.model.errors import ConfigError


def test_real_libraries(pdk):
    libraries = [read_library(path) for path in pdk.corner().liberty]
    cells = {name for library in libraries for name in library.cells}
    assert set(pdk.roles.flops) <= cells
    assert all(library.time_unit_ns == pdk.time_unit_ns for library in libraries)
    assert all(not library.duplicates for library in libraries)


def test_a_real_library_that_was_cut(find, tmp_path):
    text = find("osu018").corner().liberty[0].read_text()
    path = tmp_path / "cut.lib"
    draw = random.Random(4)
    for _ in range(40):
        path.write_text(text[: draw.randrange(text.rstrip().rfind("}"))])
        with pytest.raises(ConfigError, match=r"cut|ends|starts"):
            read_library(path)

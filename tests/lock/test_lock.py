import pickle
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from flow.lock import (
    Lock,
    PdkPin,
    ToolPin,
    absent,
    compare,
    current,
    find_lock,
    merge,
    pdk_digest,
    platform_name,
    read_lock,
    render,
    write_lock,
)
from flow.model.errors import ConfigError, InfraError
from flow.model.pdk import CellRoles, Corner, Macro, Pdk
from flow.model.tool import ToolIdentity

HERE = platform_name()


def tool(name="yosys", **changes):
    values = {"flavour": "pyosys", "version": "0.70", "digest": "ab" * 32, "path": "/x/y", "licence": "ISC"}
    return ToolIdentity(name=name, **{**values, **changes})


@pytest.fixture
def pdk(tmp_path):
    return make_pdk(tmp_path / "pdk")


def make_pdk(root: Path, liberty: str = "library (x) {}") -> Pdk:
    root.mkdir(parents=True)
    lib, lef, sram = root / "cells.lib", root / "cells.lef", root / "sram.lib"
    lib.write_text(liberty)
    lef.write_text("END LIBRARY")
    sram.write_text("library (sram) {}")
    corner = Corner(process="tt", name="tt", voltage_v=Decimal("1.8"), temperature_c=25, liberty=(lib,))
    macro = Macro(name="ram", kind="sram", words=4, bits=8, ports=1, area_um2=1.0, liberty={"tt": sram})
    return Pdk(
        name="toy",
        family="toy",
        library="toy",
        description="",
        node_nm=180,
        root=root,
        version="1.0",
        licence="Apache-2.0",
        corners=(corner,),
        default_corner="tt",
        roles=CellRoles(buffers=("BUF",), inverters=("INV",), flops=("DFF",)),
        time_unit_ns=1.0,
        cap_unit_pf=1.0,
        macros=(macro,),
        cell_lef=(lef,),
    )


def test_what_is_written_is_read_again(tmp_path, pdk):
    lock = current([tool(), tool("opensta", version='2.0 "odd" \\ name')], [pdk])
    path = tmp_path / "tools.lock"
    assert write_lock(path, lock)
    assert read_lock(path) == lock
    before = path.read_bytes()
    assert not write_lock(path, read_lock(path))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".tools")] == []


def test_no_path_of_this_machine_is_written(tmp_path, pdk):
    text = render(current([tool(path="/home/somebody/bin/yosys")], [pdk]))
    assert "somebody" not in text
    assert str(tmp_path) not in text
    assert text.startswith("# ")


def test_order_does_not_matter():
    tools = [tool("yosys"), tool("opensta"), tool("icarus")]
    assert render(current(tools)) == render(current(tools[::-1]))


def test_the_compiler_and_the_python_environment_are_not_pinned_as_tools():
    lock = current([tool("cxx"), tool("cocotb"), tool("amaranth", flavour="python"), tool("yosys")])
    assert list(lock.tools) == ["yosys"]
    assert "cocotb" in lock.packages


def test_nothing_differs_from_oneself(pdk):
    tools = [tool(), tool("cxx")]
    assert compare(current(tools, [pdk]), tools, [pdk]) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "0.71"}, "tool yosys: the lock has version 0.70, here is 0.71"),
        (
            {"flavour": "path", "version": "0.9"},
            "tool yosys: the lock has flavour pyosys 0.70, here is path 0.9",
        ),
        (
            {"digest": "cd" * 32},
            "tool yosys: the version is the same, the executable differs "
            "(locked abababababab, here cdcdcdcdcdcd)",
        ),
    ],
)
def test_each_difference_is_said(changes, said):
    (difference,) = compare(current([tool()]), [tool(**changes)])
    assert str(difference) == said
    assert pickle.loads(pickle.dumps(difference)) == difference


def test_a_tool_that_the_lock_does_not_name():
    (difference,) = compare(current([]), [tool()])
    assert str(difference) == "tool yosys: 0.70 (pyosys) is here, the lock does not name it"


def test_a_platform_that_the_lock_does_not_name():
    pin = ToolPin(name="yosys", flavour="pyosys", version="0.70", licence="ISC", digests={"plan9-vax": "00"})
    (difference,) = compare(Lock(tools={"yosys": pin}), [tool()], packages={})
    assert str(difference) == f"tool yosys: 0.70 (pyosys) for {HERE} is here, the lock does not name it"


def test_packages_are_compared():
    lock = Lock(packages={"amaranth": "0.5.9"})
    found = compare(lock, packages={"amaranth": "0.5.10", "numpy": "2.0"})
    assert [str(d) for d in found] == [
        "Python package amaranth: the lock has version 0.5.9, here is 0.5.10",
        "Python package numpy: 2.0 is here, the lock does not name it",
    ]


def test_a_changed_view_of_a_pdk_is_a_difference(tmp_path, pdk):
    changed = make_pdk(tmp_path / "again", liberty="library (y) {}")
    (difference,) = compare(current([], [pdk]), [], [changed])
    assert str(difference).startswith("PDK toy: the version is the same, the views differ (locked ")
    (difference,) = compare(current([], [pdk]), [], [replace(changed, version="2.0")])
    assert str(difference) == "PDK toy: the lock has version 1.0, here is 2.0"
    # The same views under another name are no difference.
    assert compare(current([], [pdk]), [], [replace(pdk, version="2.0")]) == []


def test_a_pdk_has_the_same_digest_wherever_it_lies(tmp_path, pdk):
    assert pdk_digest(make_pdk(tmp_path / "deep" / "er")) == pdk_digest(pdk)
    assert pdk_digest(replace(pdk, macros=())) != pdk_digest(pdk)


def test_a_missing_view_is_named(pdk):
    pdk.cell_lef[0].unlink()
    with pytest.raises(
        ConfigError, match=r"cells\.lef: a view of the PDK toy cannot be read .* pdk install toy"
    ):
        pdk_digest(pdk)


def test_merging_keeps_what_is_not_here():
    old = Lock(
        tools={
            "yosys": ToolPin(
                name="yosys",
                flavour="pyosys",
                version="0.70",
                licence="ISC",
                digests={"plan9-vax": "00", HERE: "11"},
            ),
            "magic": ToolPin(name="magic", flavour="path", version="8.3", licence="MIT"),
        },
        pdks={"sky130A": PdkPin(name="sky130A", version="1", licence="Apache-2.0", digest="22")},
        packages={"old": "1"},
    )
    merged = merge(old, current([tool()]))
    assert merged.tools["yosys"].digests == {"plan9-vax": "00", HERE: "ab" * 32}
    assert {"magic", "yosys"} == set(merged.tools)
    assert "sky130A" in merged.pdks
    assert merged.packages["old"] == "1"
    # Another version is another executable everywhere.
    assert set(merge(old, current([tool(version="0.71")])).tools["yosys"].digests) == {HERE}


def test_what_is_not_installed_is_named(pdk):
    assert absent(current([tool()], [pdk]), Lock(packages=current([]).packages)) == ["tool yosys", "PDK toy"]


def test_the_nearest_lock_is_found(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "tools.lock").write_text("format = 1\n")
    assert find_lock(deep) == tmp_path / "tools.lock"
    (deep / "tools.lock").write_text("format = 1\n")
    assert find_lock(deep) == deep / "tools.lock"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = ", r"the lock is not valid TOML: Invalid value"),
        ("format = 99", r"the lock has format 99; this Suzuri reads 1"),
        ("", r"the lock has format None"),
        ("format = 1\ntool = 3", r"tools\.lock: tool: expected a table of tables"),
        ("format = 1\n[tool.yosys]\nflavour = 3", r"tool\.yosys\.flavour: expected a string"),
        (
            'format = 1\n[tool.y]\nflavour = "a"\nversion = "1"\nlicence = "x"',
            r"tool\.y\.digest: expected a table of strings",
        ),
        ("format = 1\n[python]\nnumpy = 2", r"python: expected a table of strings"),
    ],
)
def test_a_bad_lock_is_refused_with_its_key(tmp_path, text, said):
    path = tmp_path / "tools.lock"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_lock(path)


def test_no_lock(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no such lock\. Write it anew with: suzuri lock"):
        read_lock(tmp_path / "tools.lock")


def test_a_lock_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "tools.lock"
    write_lock(path, current([tool()]))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InfraError, match="No space left on device"):
        write_lock(path, current([]))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tools.lock"]

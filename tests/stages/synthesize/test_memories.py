"""Memories become macros where that takes less area, and do what the RTL says."""

from __future__ import annotations

import functools
import subprocess
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from eda_flow import analyse, constraints, need_program, pdk_root, synthesize
from fake_context import FakeContext

from flow.formats.liberty import CellLibrary, read_liberty
from flow.model.errors import ConfigError
from flow.model.pdk import Macro, MemoryPort, Pdk
from flow.stages.power import Power
from flow.tools.netlist import read_verilog
from flow.tools.yosys.memories import RamMacro, ram_library, ram_map
from pdk_adapters import registry
from pdk_adapters.cell_models import cell_models, netlist_cells
from pdk_adapters.conformance import _access
from pdk_adapters.equivalence import (
    Equivalence,
    Port,
    equivalence_testbench,
    read_equivalence,
    rename_modules,
)
from pdk_adapters.macro_models import macro_model
from pdk_adapters.views import corner_libraries

pytestmark = pytest.mark.eda

WITH_MACROS = ("nangate45", "ihp-sg13g2", "asap7")


@functools.cache
def find(name: str) -> Pdk:
    root = pdk_root()
    if root is None:
        pytest.skip("needs PDKs: set PDK_ROOT")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDK_ROOT", str(root))
        try:
            return registry.find(name)
        except ConfigError as error:
            pytest.skip(str(error))


def inputs(pdk: Pdk) -> dict[str, Path]:
    corner = pdk.corner()
    libraries = {f"lib{i}": path for i, path in enumerate(corner.liberty)}
    macros = dict.fromkeys(m.liberty[corner.name] for m in pdk.macros if corner.name in m.liberty)
    return libraries | {f"macro{i}": path for i, path in enumerate(macros)}


def described(pdk: Pdk) -> list[dict[str, Any]]:
    return [asdict(replace(m, liberty={}, lef=None, gds=None)) for m in pdk.macros]


def mapped(folder: Path, name: str, verilog: str, **params: Any) -> FakeContext:
    pdk = find(name)
    context = synthesize(
        folder,
        {"dut.v": verilog},
        "dut",
        libraries=inputs(pdk),
        roles=asdict(pdk.roles),
        **({"macros": described(pdk), "clock_period_ns": 20.0} | params),
    )
    assert not [c.message for c in context.checks if c.failed]
    return context


def macros_of(context: FakeContext, pdk: Pdk) -> Counter[str]:
    names = {m.name for m in pdk.macros}
    cells = read_verilog(context.outputs["netlist"].read_text()).modules["dut"].cells.values()
    return Counter(cell.type for cell in cells if cell.type in names)


def compared(
    folder: Path, pdk: Pdk, verilog: str, netlist: str, ports: dict[str, tuple[str, int]]
) -> Equivalence:
    compiler = need_program("iverilog", "iverilog")
    cells = CellLibrary([read_liberty(path) for name, path in inputs(pdk).items() if "macro" in name])
    known = cell_models(corner_libraries(pdk.corner()))
    texts = {
        "rtl.v": verilog,
        "gates.v": rename_modules(netlist, "gate_"),
        "cells.v": known.verilog(netlist_cells(netlist, known.models)),
        "macros.v": "\n".join(
            macro_model(m, cell) for m in pdk.macros if m.name in netlist and (cell := cells.get(m.name))
        ),
        "bench.v": equivalence_testbench(
            ports=[Port(name="clk", direction="input")]
            + [Port(name=n, direction=d, width=w) for n, (d, w) in ports.items()],
            rtl="dut",
            netlist="gate_dut",
            clock="clk",
            cycles=4000,
            seed=5,
            warmup=0,
        ),
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
    image = folder / "image"
    built = subprocess.run(
        [compiler, "-g2005", "-o", image, *(folder / file for file in texts)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-2000:]
    ran = subprocess.run(["vvp", "-n", image], capture_output=True, text=True, timeout=300, check=True)
    return read_equivalence(ran.stdout)


# Fewer words than a macro has are reached, so that reads find what was written.
PLAIN = """module dut(input clk, en, we, input [{a}:0] a, input [{w}:0] d, output reg [{w}:0] q);
  reg [{w}:0] store [0:{n}];
  always @(posedge clk) if (en) begin if (we) store[a] <= d; else q <= store[a]; end
endmodule
"""
MASKED = """module dut(input clk, en, input [3:0] we, input [{a}:0] a, input [31:0] d, output reg [31:0] q);
  reg [31:0] store [0:{n}];
  integer i;
  always @(posedge clk) if (en) begin
    for (i = 0; i < 4; i = i + 1) if (we[i]) store[a][8*i +: 8] <= d[8*i +: 8];
    if (we == 0) q <= store[a];
  end
endmodule
"""
TWO = """module dut(input clk, we, re, input [5:0] wa, ra, input [{w}:0] d, output reg [{w}:0] q);
  reg [{w}:0] store [0:63];
  always @(posedge clk) begin if (we) store[wa] <= d; if (re) q <= store[ra]; end
endmodule
"""


def plain(words: int, width: int) -> tuple[str, dict[str, tuple[str, int]]]:
    bits = (words - 1).bit_length()
    text = PLAIN.format(a=bits - 1, w=width - 1, n=words - 1)
    return text, {
        "en": ("input", 1), "we": ("input", 1), "a": ("input", bits), "d": ("input", width),
        "q": ("output", width),
    }  # fmt: skip


def masked(words: int) -> tuple[str, dict[str, tuple[str, int]]]:
    bits = (words - 1).bit_length()
    return MASKED.format(a=bits - 1, n=words - 1), {
        "en": ("input", 1), "we": ("input", 4), "a": ("input", bits), "d": ("input", 32), "q": ("output", 32),
    }  # fmt: skip


def two(width: int) -> tuple[str, dict[str, tuple[str, int]]]:
    return TWO.format(w=width - 1), {
        "we": ("input", 1), "re": ("input", 1), "wa": ("input", 6), "ra": ("input", 6),
        "d": ("input", width), "q": ("output", width),
    }  # fmt: skip


@pytest.mark.sim
@pytest.mark.parametrize("name", WITH_MACROS)
@pytest.mark.parametrize(
    ("verilog", "ports"),
    [
        pytest.param(*plain(128, 40), id="wide"),
        pytest.param(*plain(600, 20), id="deep"),
        pytest.param(*masked(128), id="masked"),
    ],
)
def test_a_memory_of_macros_does_what_the_rtl_does(
    tmp_path: Path, name: str, verilog: str, ports: dict[str, tuple[str, int]]
) -> None:
    pdk = find(name)
    context = mapped(tmp_path, name, verilog)
    assert macros_of(context, pdk)
    flops = context.metrics["design__instance__count__sequential"]
    assert flops - sum(macros_of(context, pdk).values()) < 64  # type: ignore[operator]
    assert context.metrics["design__instance__area__macros"] > 0  # type: ignore[operator]
    result = compared(tmp_path, pdk, verilog, context.outputs["netlist"].read_text(), ports)
    assert result.passed, result.check().message
    assert result.compared > 1000
    assert result.toggled == result.bits


@pytest.mark.sim
def test_two_ports_where_the_pdk_has_them(tmp_path: Path) -> None:
    pdk = find("ihp-sg13g2")
    verilog, ports = two(20)
    context = mapped(tmp_path, "ihp-sg13g2", verilog)
    assert set(macros_of(context, pdk)) == {"RM_IHPSG13_2P_64x22_c2"}
    result = compared(tmp_path, pdk, verilog, context.outputs["netlist"].read_text(), ports)
    # What is read while it is written is the RTL's old word, and nobody's in the macro.
    assert result.passed, result.check().message


def test_small_and_wanted_registers_stay(tmp_path: Path) -> None:
    pdk = find("nangate45")
    assert not macros_of(mapped(tmp_path / "small", "nangate45", plain(4, 8)[0]), pdk)
    context = mapped(tmp_path / "wanted", "nangate45", plain(32, 32)[0], memories="registers")
    assert not macros_of(context, pdk)
    assert macros_of(mapped(tmp_path / "auto", "nangate45", plain(32, 32)[0]), pdk) == {"fakeram45_32x32": 1}


def test_a_memory_with_contents_is_not_a_macro(tmp_path: Path) -> None:
    preset = plain(64, 32)[0].replace(
        "  always", "  integer i; initial for (i = 0; i < 64; i = i + 1) store[i] = i;\n  always"
    )
    zeros = preset.replace("= i;", "= 0;")
    pdk = find("nangate45")
    assert not macros_of(mapped(tmp_path / "preset", "nangate45", preset), pdk)
    assert macros_of(mapped(tmp_path / "zeros", "nangate45", zeros), pdk)


def test_energy_of_a_macro_is_in_the_library_s_units(tmp_path: Path) -> None:
    pdk = find("ihp-sg13g2")
    context = mapped(tmp_path, "ihp-sg13g2", plain(512, 32)[0])
    report = analyse(
        Power(), tmp_path / "power", context.outputs["netlist"], "dut", constraints(10.0),
        libraries=inputs(pdk), roles=asdict(pdk.roles),
    )  # fmt: skip
    # 42 pJ an access (Liberty of the macro) at 100 MHz are 4 mW at most.
    assert 1e-4 < report.metrics["power__total"] < 2e-2  # type: ignore[operator]


def test_a_memory_that_is_too_large_names_what_would_help(tmp_path: Path) -> None:
    huge = """module dut(input clk, we, input [15:0] a, input [31:0] d, output [31:0] q);
      reg [31:0] store [0:65535]; always @(posedge clk) if (we) store[a] <= d; assign q = store[a];
    endmodule"""
    with pytest.raises(ConfigError, match="memory store has 65536 x 32 bits") as caught:
        mapped(tmp_path, "nangate45", huge)
    assert "read or write one word a cycle, at the clock's rising edge" in str(caught.value.remedy)


PORT = MemoryPort(
    clock="CK",
    address="A",
    enables=("!CS",),
    write="!WE",
    write_data="D",
    read_data="Q",
    mask="!M",
    mask_bits=8,
)
RAM = RamMacro(
    name="ram", words=64, bits=16, area_um2=100.4, access=(PORT,), ties={"T": 1},
    widths={"CK": 1, "A": 6, "CS": 1, "WE": 1, "D": 16, "M": 2, "T": 3},
)  # fmt: skip


def test_pins_that_are_active_low_are_driven_so() -> None:
    text = ram_map([RAM])
    assert ".CS(~(PORT_P0_WR_EN | PORT_P0_RD_EN))" in text
    assert ".WE(~(PORT_P0_WR_EN))" in text
    assert ".M(~(PORT_P0_WR_BE))" in text
    assert ".T({3{1'b1}})" in text
    assert "cost 100;" in ram_library([RAM])
    assert "cost 132;" in ram_library([RAM], mux_area=2.0)
    assert "byte 8;" in ram_library([RAM])


def test_a_pin_that_nobody_knows_is_named() -> None:
    assert RAM.unknown_pins() == []
    assert replace(RAM, widths={**RAM.widths, "TEST": 1}).unknown_pins() == ["TEST"]


def test_a_model_needs_to_know_the_pins() -> None:
    macro = Macro(name="m", kind="sram", words=4, bits=4, ports=1, area_um2=1.0, liberty={})
    with pytest.raises(ValueError, match="macro m does not say what its pins are"):
        macro_model(macro, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"write": "we"}, "no input is called we"),
        ({"mask_bits": 2}, "w_mask_in has 32 bits, not 16"),
        ({"mask": None}, "input w_mask_in has no use"),
        ({"read_data": None}, "output rd_out has no use"),
    ],
)
def test_conformance_finds_pins_that_are_told_wrong(change: dict[str, Any], fault: str) -> None:
    pdk = find("nangate45")
    macro = next(m for m in pdk.macros if m.name == "fakeram45_64x32")
    cell = CellLibrary([read_liberty(macro.liberty["typ"])]).get(macro.name)
    assert cell is not None
    assert not _access(macro, cell)
    wrong = replace(macro, access=(replace(macro.access[0], **change),))
    assert f"{macro.name}: {fault}" in _access(wrong, cell)

"""Map a core's Verilog with a fixed recipe and read area and frequency."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.formats.liberty import CellLibrary, read_liberty
from flow.tools.netlist import (
    Fanout,
    Netlist,
    Outside,
    Ties,
    buffer_fanout,
    move_outside,
    read_yosys_json,
    repair,
    write_verilog,
)

__all__ = ["LIBERTY", "RECIPES", "Result", "elaborate", "measure"]

#: Where the library is below the root of PDKs.
LIBERTY = "orfs/platforms/nangate45/lib/NangateOpenCellLibrary_typical.lib"

_FRONT = "&get -n; &st; &dch; &nf;"
_ROUND = "&st; &syn2; &if -g -K 6; &synch2; &nf;"
_DONT_USE = ("AOI211_X1", "OAI211_X1", "CLKBUF*")
_NAND2_UM2 = 0.798
_OUTSIDE = "memory_outside"
#: Memories with so many words or more are caches or tightly coupled: SRAM macros, never flip-flops.
_OUTSIDE_WORDS = 64

RECIPES = {
    "speed": f"{_FRONT} {_ROUND} {_ROUND} {_ROUND} &put; strash; dch; map -B 0.9; topo; "
    "buffer -c -p -N 16; topo; upsize -D 1; dnsize -D 1; stime -p",
    "area": "strash; ifraig; scorr; dc2; dc2; strash; dch; amap; topo; "
    "buffer -c -p -N 16; topo; dnsize -D 1000000; stime -p",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a recipe made of a core.

    Attributes
    ----------
    area_kge
        Cell area in thousands of NAND2_X1.
    period_ns
        The longest register-to-register path, with setup.
    flops
        How many flip-flops there are.
    path
        The longest path as OpenSTA prints it.
    """

    area_kge: float
    period_ns: float
    flops: int
    path: str

    @property
    def frequency_mhz(self) -> float:
        """The highest clock frequency."""
        return 1000 / self.period_ns


def elaborate(preset: str, options: dict[str, object], folder: Path) -> Path:
    """Write a core's Verilog into a folder; return the file. Its top is ``core``."""
    from amaranth.back import verilog

    from rtl.riscv.core import Core

    path = folder / "core.v"
    path.write_text(verilog.convert(Core(preset=preset, **options), name="core", strip_internal_attrs=True))
    return path


def _yosys_script(verilog: Path, top: str, liberty: Path, abc: Path) -> str:
    unused = " ".join(f"-dont_use {name}" for name in _DONT_USE)
    return f"""
read_verilog -sv {verilog}
hierarchy -check -top {top}
synth -flatten -noabc -top {top} -run begin:fine
chtype -set {_OUTSIDE} t:$mem_v2 r:SIZE>={_OUTSIDE_WORDS} %i
synth -flatten -noabc -top {top} -run fine:check
opt -full
dfflibmap {unused} -liberty {liberty}
opt
techmap
opt_clean
abc -D 1 {unused} -liberty {liberty} -script {abc}
setundef -zero
opt_clean -purge
stat -liberty {liberty}
write_json mapped.json
"""


def _sta_script(top: str, liberty: Path, clock: str) -> str:
    return f"""
read_liberty {liberty}
read_verilog netlist.v
link_design {top}
create_clock -name clk -period 10 [get_ports {clock}]
report_checks -from [all_registers -clock_pins] -to [all_registers -data_pins] -format full_clock_expanded \
  -fields {{capacitance slew fanout}}
exit
"""


def measure(verilog: Path, top: str, liberty: Path, recipe: str, scratch: Path, clock: str = "clk") -> Result:
    """Map `verilog` and time it.

    Parameters
    ----------
    verilog
        All of the design, flat or not.
    top
        Its top module.
    liberty
        The typical corner of Nangate 45 nm.
    recipe
        A key of :data:`RECIPES`.
    scratch
        A folder; netlist, statistics and logs stay there.
    clock
        The port of the clock.

    Raises
    ------
    RuntimeError
        A tool failed; the message ends with the end of what it said.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    abc = scratch / "abc.script"
    abc.write_text("\n".join(part.strip() for part in RECIPES[recipe].split(";")) + "\n")
    (scratch / "map.ys").write_text(_yosys_script(verilog.resolve(), top, liberty.resolve(), abc.resolve()))
    (scratch / "sta.tcl").write_text(_sta_script(top, liberty.resolve(), clock))
    yosys = "from pyosys import libyosys as y; y.run_pass('script map.ys')"
    _run([sys.executable, "-c", yosys], scratch, "yosys.log")
    area, flops = _write_netlist(scratch, top, liberty)
    timing = _run(["sta", "-exit", "sta.tcl"], scratch, "sta.log")
    arrival = float(re.findall(r"([\d.]+)\s+data arrival time", timing)[0])
    setup = abs(float(re.findall(r"(-?[\d.]+)\s+[\d.]+\s+library setup time", timing)[0]))
    return Result(
        area_kge=area / _NAND2_UM2 / 1000,
        period_ns=arrival + setup,
        flops=flops,
        path=timing[timing.index("Startpoint") :],
    )


def _write_netlist(scratch: Path, top: str, liberty: Path) -> tuple[float, int]:
    """Write what OpenSTA's reader takes, buffered; return its area in um2 and its flip-flops.

    Constants come from tie cells, and no net drives more than 16 pins: ABC leaves those that
    flip-flops drive as they are.
    """
    netlist = _read((scratch / "mapped.json").read_text(), top)
    library = CellLibrary([read_liberty(liberty)])
    buffers = tuple(cell for n in (1, 2, 4, 8) if (cell := library.get(f"BUF_X{n}")))
    ties = Ties(high=("LOGIC1_X1", "Z"), low=("LOGIC0_X1", "Z"), buffer=buffers[0])
    links = repair(netlist, library, ties, ["BUF_X1"])
    buffer_fanout(netlist, library, Fanout(limit=16, buffers=buffers), links)
    (scratch / "netlist.v").write_text(write_verilog(netlist))
    kinds = [cell.type for module in netlist.modules.values() for cell in module.cells.values()]
    return sum(library.get(kind).area_um2 for kind in kinds), sum(kind.startswith("DFF") for kind in kinds)


def _read(text: str, top: str) -> Netlist:
    """Read a mapped design; its large memories, each a cell of a type of its own, become ports."""
    described = json.loads(text)
    memories = []
    for cell in described["modules"][top]["cells"].values():
        if cell["type"] == _OUTSIDE:
            cell["type"] = f"{_OUTSIDE}_{len(memories)}"
            memories.append(_outside(cell["type"], cell["parameters"]))
    netlist = read_yosys_json(json.dumps(described) if memories else text, top)
    move_outside(netlist, memories)
    return netlist


def _outside(kind: str, parameters: Mapping[str, str]) -> Outside:
    reads, writes, address_bits, width = (
        int(parameters[name], 2) for name in ("RD_PORTS", "WR_PORTS", "ABITS", "WIDTH")
    )
    name = parameters["MEMID"].strip().removeprefix("\\")
    return Outside(
        cell_type=kind, name=name, reads=reads, writes=writes, address_bits=address_bits, width=width
    )


def _run(command: list[str], folder: Path, log: str) -> str:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    (folder / log).write_text(done.stdout)
    if done.returncode != 0 or "Error:" in done.stdout:
        raise RuntimeError(f"{command[0]} failed in {folder}; see {log}: {done.stdout[-400:]}")
    return done.stdout

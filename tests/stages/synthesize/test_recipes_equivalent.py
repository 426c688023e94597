"""Every recipe keeps the logic: designs at random, mapped, and simulated beside their RTL.

The designs are drawn from a seed. All their registers are reset and no index
leaves its range, so that the RTL is known everywhere and each output bit is
compared. The cells' models come from what Liberty says they do.
"""

from __future__ import annotations

import functools
import random
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from eda_flow import analyse, constraints, need_program, pdk_root, synthesize
from fake_context import FakeContext

from flow.model.errors import ConfigError
from flow.stages.timing import Timing
from flow.tools.netlist import read_verilog
from flow.tools.yosys import RECIPES as RECIPES_OF_ALL
from flow.tools.yosys import recipe
from pdk_adapters import registry
from pdk_adapters.cell_models import cell_models, netlist_cells
from pdk_adapters.equivalence import (
    Equivalence,
    Port,
    equivalence_testbench,
    read_equivalence,
    rename_modules,
)
from pdk_adapters.views import corner_libraries

if TYPE_CHECKING:
    from flow.model.pdk import Pdk

pytestmark = [pytest.mark.eda, pytest.mark.sim]

RECIPES = ("area", "balanced", "speed")
# A target that nothing meets, and one that everything does.
TARGETS = {"tight": 0.05, "relaxed": 500.0}
PDKS = ("osu018", "nangate45", "sky130A", "asap7", "ihp-sg13g2", "gf180mcuD")
INPUTS = {"a": 9, "b": 8, "c": 13, "d": 5, "k": 3, "en": 1, "go": 1}
RESETS = {"rst_n": 0, "srst": 1}


class Random:
    """A design drawn from a seed: expressions, registers, state machines and memories."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng = random.Random(seed)
        self.signals: list[tuple[str, int]] = list(INPUTS.items())
        self.lines: list[str] = []
        self.registers: dict[str, int] = {}
        parts = (self.logic, self.arithmetic, self.compare, self.shift, self.choose, self.table)
        for _ in range(size):
            self.rng.choice(parts)()
        for part in (
            self.multiply,
            self.divide,
            self.sum,
            self.machine,
            self.counter,
            self.memory,
            self.lfsr,
        ):
            part()
        for _ in range(size // 3):
            self.register()
            self.rng.choice((*parts, self.sum))()
        used = self.signals[len(INPUTS) :]
        # Every register is seen: nothing but constants and doubles may go.
        self.outputs = {n: w for n, w in used if n in self.registers or self.rng.random() < 0.4}

    @property
    def verilog(self) -> str:
        """The module."""
        ports = [f"input [{w - 1}:0] {n}" if w > 1 else f"input {n}" for n, w in INPUTS.items()]
        ports += [f"output [{w - 1}:0] o_{n}" for n, w in self.outputs.items()]
        lines = [f"  assign o_{n} = {n};" for n in self.outputs]
        return "\n".join(
            [f"module dut (input clk, rst_n, srst, {', '.join(ports)});", *self.lines, *lines, "endmodule\n"]
        )

    @property
    def ports(self) -> tuple[Port, ...]:
        """Its ports."""
        names = [("clk", 1), ("rst_n", 1), ("srst", 1), *INPUTS.items()]
        return (
            *(Port(name=n, direction="input", width=w) for n, w in names),
            *(Port(name=f"o_{n}", direction="output", width=w) for n, w in self.outputs.items()),
        )

    def new(self, width: int) -> str:
        name = f"n{len(self.signals)}"
        self.signals.append((name, width))
        return name

    def wire(self, width: int, value: str, *, signed: bool = False) -> str:
        name = self.new(width)
        self.lines.append(f"  wire {'signed ' if signed else ''}[{width - 1}:0] {name} = {value};")
        return name

    def some(self, most: int = 13) -> str:
        """Return a signal of at most `most` bits, late ones rather than early ones; sometimes a constant."""
        if self.rng.random() < 0.08:
            width = self.rng.randint(1, most)
            return f"{width}'d{self.rng.getrandbits(width)}"
        recent = self.signals[-12:] if self.rng.random() < 0.6 else self.signals
        name, width = self.rng.choice(recent)
        if width <= most:
            return name
        low = self.rng.randint(0, width - most)
        return f"{name}[{low + most - 1}:{low}]"

    def pair(self, most: int) -> tuple[str, str, bool]:
        """Return two signals, and whether both are taken as signed."""
        signed = self.rng.random() < 0.5
        one, two = self.some(most), self.some(most)
        return (f"$signed({one})", f"$signed({two})", True) if signed else (one, two, False)

    def width(self, most: int = 13) -> int:
        return self.rng.randint(1, most)

    def logic(self) -> None:
        one, two, three = self.some(), self.some(), self.some()
        value = self.rng.choice(
            (f"{one} & ~{two}", f"{one} ^ {two} ^ {three}", f"~({one} | {two}) ^ {three}",
             f"{{^{one}, &{two}, |{three}, ~^{two}}}", f"{{{one}, {two}}} ^ {{{three}, {one}}}",
             f"({one} & {two}) | ({one} & {three}) | ({two} & {three})"),
        )  # fmt: skip
        self.wire(self.width(), value)

    def arithmetic(self) -> None:
        one, two, signed = self.pair(11)
        value = self.rng.choice((f"{one} + {two}", f"{one} - {two}", f"-{one}", f"{one} * 5 - {two}"))
        self.wire(self.width(15), value, signed=signed)

    def compare(self) -> None:
        one, two, _ = self.pair(13)
        tests = (f"{one} < {two}", f"{one} >= {two}", f"{one} == {two}", f"{one} != {two}")
        self.wire(len(tests), f"{{{', '.join(tests)}}}")

    def shift(self) -> None:
        one, by = self.some(), self.some(4)
        value = self.rng.choice(
            (f"{one} << {by}", f"{one} >> {by}", f"$signed({one}) >>> {by}", f"{{{one}, {one}}} >> {by}")
        )
        self.wire(self.width(16), value)

    def choose(self) -> None:
        self.wire(
            self.width(),
            f"{self.some(1)} ? {self.some()} : (|{self.some(3)} ? {self.some()} : {self.some()})",
        )

    def table(self) -> None:
        width, index = self.width(9), self.some(4)
        values = [(i, self.some(9)) for i in self.rng.sample(range(16), 9)]
        name = self.new(width)
        cases = " ".join(f"{i}: {name} = {value};" for i, value in values)
        self.lines.append(f"  reg [{width - 1}:0] {name};")
        self.lines.append(
            f"  always @* case ({index}) {cases} default: {name} = {self.rng.getrandbits(width)}; endcase"
        )

    def multiply(self) -> None:
        for one, two, width in (
            ("a", "b", 17),
            ("$signed(a)", "$signed(b)", 17),
            ("$signed(d)", "$signed(c)", 11),
        ):
            self.wire(width, f"{one} * {two}", signed=one.startswith("$"))

    def divide(self) -> None:
        self.wire(6, f"b / {{{self.some(3)}, 1'b1}} + c % (d | 5'd1)")

    def sum(self) -> None:
        terms = [self.some(10) for _ in range(self.rng.randint(3, 6))]
        self.wire(
            self.rng.randint(8, 17), f"{' + '.join(terms)} - {self.some(7)} + {self.some(5)} * {self.some(4)}"
        )

    def flop(self, name: str, width: int, body: str) -> None:
        """Add a register with one of the resets; `body` may use it and be conditional."""
        self.registers[name] = width
        value = self.rng.getrandbits(width)
        edge = "negedge clk" if self.rng.random() < 0.1 else "posedge clk"
        self.lines.append(f"  reg [{width - 1}:0] {name};")
        if self.rng.random() < 0.5:
            self.lines.append(
                f"  always @({edge} or negedge rst_n) if (!rst_n) {name} <= {width}'d{value}; else {body}"
            )
        else:
            self.lines.append(f"  always @({edge}) if (srst) {name} <= {width}'d{value}; else {body}")

    def register(self) -> None:
        width, value = self.width(), self.some()
        enable = self.rng.choice(("", "if (en) ", f"if ({self.some(1)}) ", f"if (go & |{self.some(4)}) "))
        name = self.new(width)
        self.flop(name, width, f"{enable}{name} <= {value};")

    def counter(self) -> None:
        width, load = self.rng.randint(5, 11), self.some()
        name = self.new(width)
        self.flop(name, width, f"if (go) {name} <= {load}; else if (en) {name} <= {name} + 1'b1;")

    def machine(self) -> None:
        states = self.rng.randint(5, 9)
        moves = []
        for state in range(states):
            one, two = self.rng.randrange(states), self.rng.randrange(states)
            moves.append((state, self.some(2), one, two))
        name = self.new(4)
        cases = " ".join(f"{s}: {name} <= (|{test}) ? {one} : {two};" for s, test, one, two in moves)
        self.flop(name, 4, f"case ({name}) {cases} default: {name} <= 0; endcase")
        self.wire(3, f"{{{name} == 1, {name} == 3 | {name} == 4, ^{name}}}")

    def memory(self) -> None:
        width, number = self.rng.randint(3, 7), len(self.signals)
        value, address = self.some(), self.some(3)
        out = self.new(width)
        self.lines += [
            f"  reg [{width - 1}:0] mem{number} [0:7]; integer i{number};",
            f"  always @(posedge clk) if (srst) for (i{number} = 0; i{number} < 8; i{number} = i{number} + 1)"
            f" mem{number}[i{number}] <= i{number} * 3; else if (en) mem{number}[k] <= {value};",
            f"  wire [2:0] at{number} = {address};",
            f"  wire [{width - 1}:0] {out} = mem{number}[at{number}];",
        ]

    def lfsr(self) -> None:
        value = self.some(1)
        name = self.new(12)
        self.flop(name, 12, f"{name} <= {{{name}[10:0], {name}[11] ^ {name}[5] ^ |{value}}};")


@functools.cache
def find(name: str) -> Pdk:
    """Return a PDK, or skip."""
    try:
        return registry.find(name)
    except ConfigError as error:
        pytest.skip(str(error))


@functools.cache
def models(name: str) -> object:
    """Return the models of a PDK's cells; a flip-flop starts at random."""
    return cell_models(corner_libraries(find(name).corner()), initial="random")


@pytest.fixture(autouse=True)
def _pdks(monkeypatch: pytest.MonkeyPatch) -> None:
    if root := pdk_root():
        monkeypatch.setenv("PDK_ROOT", str(root))


def mapped(folder: Path, name: str, verilog: str, *, abc: str | None = None, **params: object) -> FakeContext:
    """Synthesise the module ``dut`` with a PDK; `abc` replaces the recipe's ABC script."""
    pdk = find(name)
    inputs = {f"lib{i}": path for i, path in enumerate(pdk.corner().liberty)}
    if abc is not None:
        inputs["abc_script"] = folder / "planted.abc"
        inputs["abc_script"].write_text(abc)
    context = synthesize(
        folder, {"dut.v": verilog}, "dut", libraries=inputs, roles=asdict(pdk.roles), **params
    )
    assert not [c.message for c in context.checks if c.failed]
    return context


def compared(folder: Path, name: str, design: Random, netlist: str, cycles: int, seed: int) -> Equivalence:
    """Simulate the netlist and its RTL side by side."""
    compiler = need_program("iverilog", "iverilog")
    known = models(name)
    texts = {
        "rtl.v": design.verilog,
        "gates.v": rename_modules(netlist, "gate_"),
        "cells.v": known.verilog(netlist_cells(netlist, known.models)),  # type: ignore[attr-defined]
        "bench.v": equivalence_testbench(
            ports=design.ports,
            rtl="dut",
            netlist="gate_dut",
            clock="clk",
            resets=RESETS,
            cycles=cycles,
            seed=seed,
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


def prove(
    folder: Path, name: str, seed: int, *, size: int, cycles: int, **params: object
) -> tuple[Random, str]:
    """Map a random design and compare; return it and its netlist."""
    design = Random(seed, size)
    netlist = mapped(folder, name, design.verilog, **params).outputs["netlist"].read_text()
    result = compared(folder, name, design, netlist, cycles, seed)
    assert result.passed, f"seed {seed}: {result.check().message}"
    # Nothing was left out, and nearly everything moved.
    assert result.unknown == 0
    assert result.toggled > 0.6 * result.bits
    return design, netlist


def registers(design: Random, netlist: str) -> float:
    """Return the share of the design's registers that the netlist has by name."""
    flops = {name.split("[")[0] for name in read_verilog(netlist).modules["dut"].cells if "_reg" in name}
    names = {name.removeprefix("o_").removesuffix("_reg") for name in flops}
    return len(names & design.registers.keys()) / len(design.registers)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", RECIPES)
def test_the_logic_is_kept(tmp_path: Path, way: str, target: str) -> None:
    seed = 10 * RECIPES.index(way) + list(TARGETS).index(target)
    period = TARGETS[target]
    design, netlist = prove(tmp_path, "osu018", seed, size=9, cycles=300, recipe=way, clock_period_ns=period)
    # Activity from simulation finds registers by name; only constant and double ones may be gone.
    assert registers(design, netlist) > 0.8
    context = analyse(
        Timing(), tmp_path / "time", tmp_path / "synthesize" / "netlist.v", "dut", constraints(100.0)
    )
    assert context.metrics["timing__fmax"] > 0  # type: ignore[operator]


@pytest.mark.parametrize("number", range(1, len(PDKS)))
def test_other_libraries_keep_it_too(tmp_path: Path, number: int) -> None:
    way, target = RECIPES[number % 3], list(TARGETS)[number % 2]
    prove(tmp_path, PDKS[number], number, size=6, cycles=200, recipe=way, clock_period_ns=TARGETS[target])


@pytest.mark.parametrize("attempt", range(len(recipe("balanced").attempts) - 1))
def test_every_attempt_keeps_it(tmp_path: Path, attempt: int) -> None:
    abc = recipe("balanced").attempts[attempt].abc
    prove(tmp_path, "osu018", 50 + attempt, size=6, cycles=200, abc=abc, clock_period_ns=3.0)


@pytest.mark.nightly
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", [name for name in RECIPES_OF_ALL if name not in RECIPES])
def test_recipes_of_the_portfolio_keep_it(tmp_path: Path, way: str, target: str) -> None:
    seed = 300 + RECIPES_OF_ALL.index(way)
    prove(tmp_path, "osu018", seed, size=20, cycles=500, recipe=way, clock_period_ns=TARGETS[target])


@pytest.mark.nightly
@pytest.mark.parametrize("way", ["area", "balanced", "wide"])
@pytest.mark.parametrize("perturbation", [1, 2, 3])
def test_replicates_keep_it(tmp_path: Path, way: str, perturbation: int) -> None:
    """Another order of the cells, and another target, is the same function."""
    prove(
        tmp_path, "osu018", 400, size=20, cycles=500, recipe=way, clock_period_ns=3.0,
        perturbation=perturbation,
    )  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 103))
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", RECIPES)
@pytest.mark.parametrize("name", PDKS)
def test_the_logic_is_kept_at_length(tmp_path: Path, name: str, way: str, target: str, seed: int) -> None:
    prove(tmp_path, name, seed, size=40, cycles=1500, recipe=way, clock_period_ns=TARGETS[target])


HIERARCHY = """module dut (input clk, rst_n, srst, input [8:0] a, input [7:0] b, input [12:0] c,
  input [4:0] d, input [2:0] k, input en, go, output [16:0] o_x, output [12:0] o_y);
  wire [16:0] m;
  mul u0 (.clk(clk), .rst_n(rst_n), .a(a), .b(b), .m(m));
  mul u1 (.clk(clk), .rst_n(rst_n), .a({d, k, en}), .b(m[10:3]), .m(o_x));
  add u2 (.clk(clk), .srst(srst), .en(go), .a(c), .b(m[12:0]), .s(o_y));
endmodule
module mul (input clk, rst_n, input signed [8:0] a, input signed [7:0] b, output reg signed [16:0] m);
  always @(posedge clk or negedge rst_n) if (!rst_n) m <= 0; else m <= a * b;
endmodule
module add (input clk, srst, en, input [12:0] a, b, output reg [12:0] s);
  always @(posedge clk) if (srst) s <= 5; else if (en) s <= s + a - b;
endmodule
"""


class Fixed(Random):
    """A design that is given instead of drawn."""

    def __init__(self, outputs: dict[str, int], verilog: str) -> None:
        self.outputs, self._verilog = outputs, verilog

    @property
    def verilog(self) -> str:
        """The module."""
        return self._verilog


@pytest.mark.parametrize("way", RECIPES)
def test_kept_hierarchy_keeps_it_too(tmp_path: Path, way: str) -> None:
    design = Fixed({"x": 17, "y": 13}, HIERARCHY)
    netlist = mapped(tmp_path, "osu018", HIERARCHY, recipe=way, hierarchy="keep", clock_period_ns=4.0)
    text = netlist.outputs["netlist"].read_text()
    assert text.count("endmodule") == 3
    result = compared(tmp_path, "osu018", design, text, 300, 1)
    assert result.passed, result.check().message


# `unbuffer -i` takes inverters out as if they were buffers.
PLANTED = {
    "balanced": "strash\nif -g -K 6\nstrash\ndch\nmap -B 0.9 -D {D}\nunbuffer -i\ntopo\n"
    "buffer -c -p -N {F}\ntopo\nupsize -D {D}\ndnsize -D {D}\n",
    "area": "strash\ndch\namap\nunbuffer -i\ntopo\nbuffer -c -N {F}\ntopo\n",
}


@pytest.mark.parametrize("way", PLANTED)
def test_a_recipe_that_changes_the_logic_is_caught(tmp_path: Path, way: str) -> None:
    design = Random(5, 9)
    context = mapped(tmp_path, "osu018", design.verilog, recipe=way, clock_period_ns=3.0, abc=PLANTED[way])
    result = compared(tmp_path, "osu018", design, context.outputs["netlist"].read_text(), 300, 5)
    assert result.mismatches > 0
    assert not result.passed


def test_designs_are_drawn_from_their_seed() -> None:
    assert Random(3, 9).verilog == Random(3, 9).verilog != Random(4, 9).verilog

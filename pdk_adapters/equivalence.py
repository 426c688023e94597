"""Compare a mapped netlist with its RTL by simulation, without Python in the loop.

Both stand side by side in one Verilog testbench, get the same constrained
random stimulus, resets included, and are compared twice a cycle: before the
rising and before the falling edge of the clock. An output bit that the RTL
itself does not know is not compared, but counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow.model.check import Check
from flow.model.errors import ToolError

__all__ = ["Equivalence", "Port", "equivalence_testbench", "read_equivalence", "rename_modules"]

_MARK = "SUZURI_EQUIVALENCE"
_LINE = re.compile(
    rf"^{_MARK} cycles=(\d+) compared=(\d+) mismatches=(\d+) unknown=(\d+) "
    r"toggled=(\d+)/(\d+) first=(\S+)\s*$",
    re.MULTILINE,
)
_NAME = re.compile(r"^[A-Za-z_][\w$]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port: ``input`` or ``output``, and its width in bits."""

    name: str
    direction: str
    width: int = 1

    def __post_init__(self) -> None:
        if self.direction not in ("input", "output"):
            raise ValueError(f"port {self.name}: direction {self.direction!r} is neither input nor output")
        if self.width < 1:
            raise ValueError(f"port {self.name}: width must be at least 1, not {self.width}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """What the testbench found.

    Attributes
    ----------
    cycles
        Clock cycles driven (vectors, without a clock).
    compared, mismatches, unknown
        Output bits compared, found different, and left out because the RTL
        does not know them.
    toggled, bits
        How many of the output bits ever changed.
    first
        ``cycle:port[bit]`` of the first mismatch, or ``-``.
    """

    cycles: int
    compared: int
    mismatches: int
    unknown: int
    toggled: int
    bits: int
    first: str

    @property
    def passed(self) -> bool:
        """Whether something was compared and nothing differed."""
        return self.mismatches == 0 and self.compared > 0 and self.toggled > 0

    def check(self, name: str = "pdk.equivalence") -> Check:
        """Return it as a finding about the netlist."""
        if self.passed:
            moved = f"{self.toggled}/{self.bits} bits moved"
            text = f"{self.compared} bits in {self.cycles} cycles are equal; {moved}"
            return Check(name=name, passed=True, message=text)
        if self.mismatches:
            text = f"{self.mismatches} of {self.compared} output bits differ, first at cycle {self.first}"
            remedy = "Look at the first difference in both designs; a cell model or the mapping is wrong"
        else:
            known = f"{self.compared} known bits, {self.toggled} moving"
            text = f"nothing was compared: {known}, in {self.cycles} cycles"
            remedy = "Give the reset, so that the design leaves its unknown state"
        return Check(name=name, passed=False, message=text, place=self.first, remedy=remedy)


def _identifier(name: str) -> str:
    return name if _NAME.match(name) else f"\\{name} "


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _random(width: int) -> str:
    words = ["$random(seed)"] * -(-width // 32)
    return f"{{{', '.join(words)}}}"


def equivalence_testbench(
    *,
    ports: Sequence[Port],
    rtl: str,
    netlist: str,
    clock: str | None = None,
    resets: Mapping[str, int] | None = None,
    cycles: int = 2000,
    seed: int = 1,
    reset_cycles: int = 4,
    warmup: int = 4,
    reset_every: int = 97,
    testbench: str = "suzuri_equivalence",
) -> str:
    """Return a Verilog testbench that compares the modules `rtl` and `netlist`.

    Parameters
    ----------
    ports
        Of both; also the clock and the resets.
    clock
        Name of the clock port; ``None`` compares combinational designs.
    resets
        Reset ports and the level that resets, 0 or 1. They are active during
        the first `reset_cycles`, and then again for one to three cycles about
        every `reset_every` cycles, starting between clock edges.
    cycles
        Cycles to compare after the first reset and the warm-up.
    seed
        Of the stimulus; the testbench is the same for the same arguments.
    warmup
        Cycles after the first reset that are driven but not compared.

    Raises
    ------
    ValueError
        An argument contradicts the ports.
    """
    resets = dict(resets or {})
    inputs = [p for p in ports if p.direction == "input"]
    outputs = [p for p in ports if p.direction == "output"]
    one_bit = {p.name for p in inputs if p.width == 1}
    for name in (*([clock] if clock else []), *resets):
        if name not in one_bit:
            raise ValueError(f"testbench: {name} is no input of one bit")
    if not outputs or cycles < 1 or rtl == netlist:
        raise ValueError("testbench: it needs an output, a cycle, and two modules of different names")
    data = [p for p in inputs if p.name != clock and p.name not in resets]
    parts = [
        f"`timescale 1ns/1ps\nmodule {_identifier(testbench)};",
        *_declarations(inputs, outputs, seed),
        *_instances(ports, rtl, netlist),
        *_compare(outputs),
        *_stimulus(data, clock, resets, reset_every),
        *_main(clock, resets, outputs, cycles=cycles, reset_cycles=reset_cycles, warmup=warmup),
        "endmodule",
    ]
    return "\n".join(parts) + "\n"


def _declarations(inputs: Sequence[Port], outputs: Sequence[Port], seed: int) -> list[str]:
    lines = [f"  reg {_range(p.width)}{_identifier('i_' + p.name)} = 0;" for p in inputs]
    for p in outputs:
        lines += [
            f"  wire {_range(p.width)}{_identifier('r_' + p.name)};",
            f"  wire {_range(p.width)}{_identifier('g_' + p.name)};",
            f"  reg {_range(p.width)}{_identifier('l_' + p.name)};",
            f"  reg {_range(p.width)}{_identifier('t_' + p.name)} = 0;",
        ]
    lines.append(
        f"  integer seed = {seed & 0x7FFFFFFF}, cycle = 0, compared = 0, mismatches = 0, unknown = 0;"
    )
    lines += [
        "  integer toggled = 0, bits = 0, hold = 0, i;",
        "  reg comparing = 0;",
        "  reg [8*256-1:0] first;",
    ]
    return lines


def _instances(ports: Sequence[Port], rtl: str, netlist: str) -> list[str]:
    lines = []
    for module, prefix in ((rtl, "r_"), (netlist, "g_")):
        pins = ", ".join(
            f".{_identifier(p.name)}({_identifier(('i_' if p.direction == 'input' else prefix) + p.name)})"
            for p in ports
        )
        lines.append(f"  {_identifier(module)} {prefix}dut ({pins});")
    return lines


def _compare(outputs: Sequence[Port]) -> list[str]:
    lines = ["  task compare;", "    if (comparing) begin"]
    for p in outputs:
        r, g, last, moved = (_identifier(prefix + p.name) for prefix in ("r_", "g_", "l_", "t_"))
        bit = "[i]" if p.width > 1 else ""
        report = f'$sformat(first, "%0d:{p.name.replace("%", "")}[%0d]", cycle, i)'
        lines += [
            f"      for (i = 0; i < {p.width}; i = i + 1)",
            f"        if ({r}{bit} === 1'bx) unknown = unknown + 1;",
            "        else begin",
            "          compared = compared + 1;",
            f"          if ({r}{bit} !== {g}{bit}) begin",
            f"            if (mismatches == 0) {report};",
            "            mismatches = mismatches + 1;",
            "          end",
            f"          if ({last}{bit} === ~{r}{bit}) {moved}{bit} = 1'b1;",
            f"          {last}{bit} = {r}{bit};",
            "        end",
        ]
    return [*lines, "    end", "  endtask"]


def _stimulus(
    data: Sequence[Port], clock: str | None, resets: Mapping[str, int], reset_every: int
) -> list[str]:
    lines = ["  task drive;", "    begin"]
    for p in data:
        # Now and then everything 0 or 1: corners that even chances never reach.
        lines.append(
            f"      case ($random(seed) & 15) 0: {_identifier('i_' + p.name)} = 0; "
            f"1: {_identifier('i_' + p.name)} = ~{p.width}'d0; "
            f"default: {_identifier('i_' + p.name)} = {_random(p.width)}; endcase"
        )
    if clock is None:
        lines += [f"      {_identifier('i_' + n)} = $random(seed);" for n in resets]
    lines += ["    end", "  endtask", "  task reset;", "    begin"]
    if clock is not None and resets:
        lines.append("      if (hold > 0) hold = hold - 1;")
        lines.append(
            f"      else if (comparing && ($random(seed) & 32'h7fffffff) % {reset_every} == 0) "
            "hold = 1 + (($random(seed) & 32'h7fffffff) % 3);"
        )
        for name, level in resets.items():
            lines.append(f"      {_identifier('i_' + name)} = (hold > 0) ? 1'b{level} : 1'b{1 - level};")
    return [*lines, "    end", "  endtask"]


def _main(
    clock: str | None,
    resets: Mapping[str, int],
    outputs: Sequence[Port],
    *,
    cycles: int,
    reset_cycles: int,
    warmup: int,
) -> list[str]:
    reset_cycles = reset_cycles if resets else 0
    total = cycles + (reset_cycles + warmup if clock else 0)
    lines = ["  initial begin", '    first = "-";', f"    hold = {reset_cycles};"]
    lines += [f"    {_identifier('i_' + n)} = 1'b{1 - level};" for n, level in resets.items()]
    if clock:
        lines.append(f"    {_identifier('i_' + clock)} = 1'b0;")
    lines.append(f"    for (cycle = 0; cycle < {total}; cycle = cycle + 1) begin")
    if clock:
        clk = _identifier("i_" + clock)
        # Inputs move while the clock is low, a reset a little later: both away from its edges.
        lines += [
            f"      comparing = cycle >= {reset_cycles + warmup};",
            "      #1 drive;",
            "      #1 reset;",
            "      #2 compare;",
            f"      #1 {clk} = 1'b1;",
            "      #4 compare;",
            f"      #1 {clk} = 1'b0;",
        ]
    else:
        lines += ["      comparing = 1'b1;", "      drive;", "      #5 compare;", "      #5 ;"]
    lines.append("    end")
    for p in outputs:
        bit = "[i]" if p.width > 1 else ""
        lines.append(
            f"    for (i = 0; i < {p.width}; i = i + 1) begin bits = bits + 1; "
            f"toggled = toggled + {_identifier('t_' + p.name)}{bit}; end"
        )
    lines.append(
        f'    $display("{_MARK} cycles=%0d compared=%0d mismatches=%0d unknown=%0d '
        'toggled=%0d/%0d first=%0s", '
        f"{cycles}, compared, mismatches, unknown, toggled, bits, first);"
    )
    return [*lines, "    $finish;", "  end"]


def read_equivalence(log: str) -> Equivalence:
    """Read what the testbench printed.

    Raises
    ------
    ToolError
        It did not finish: its line is not there, or is there twice.
    """
    found = _LINE.findall(log)
    if len(found) != 1:
        raise ToolError(
            "simulator",
            f"the comparison printed {len(found)} result lines, not one",
            None,
            "Look for a compile or run-time error above",
        )
    numbers = [int(n) for n in found[0][:6]]
    return Equivalence(
        cycles=numbers[0], compared=numbers[1], mismatches=numbers[2], unknown=numbers[3],
        toggled=numbers[4], bits=numbers[5], first=found[0][6],
    )  # fmt: skip


_MODULE = re.compile(r"^\s*module\s+(\\\S+ |[A-Za-z_][\w$]*)", re.MULTILINE)
_USE = re.compile(
    r"(^[ \t]*)(module[ \t]+)?(\\\S+ |[A-Za-z_][\w$]*)(?=\s*(?:#\s*\(|\\\S|[A-Za-z_(;]))", re.MULTILINE
)


def rename_modules(verilog: str, prefix: str) -> str:
    """Put `prefix` before the names of all modules that `verilog` defines, and where it uses them.

    For netlists as Yosys writes them (one instance a line), so that RTL and
    netlist with the same module names stand in one simulation.
    """
    defined = {m.strip() for m in _MODULE.findall(verilog)}

    def replace(match: re.Match[str]) -> str:
        name = match.group(3).strip()
        if name not in defined:
            return match.group(0)
        new = f"\\{prefix}{name[1:]} " if name.startswith("\\") else prefix + name
        return f"{match.group(1)}{match.group(2) or ''}{new}"

    return _USE.sub(replace, verilog)

"""Plan the two scripts of a synthesis: read and elaborate, then optimise and map.

File names in scripts are fixed or were made safe by the caller, so nothing of
the user's reaches Yosys's command parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from flow.tools.yosys.recipe import Recipe

__all__ = [
    "Frontend",
    "Mapping",
    "elaborate_script",
    "map_script",
    "memory_script",
    "outside_script",
    "parameter_text",
]

_SAFE = re.compile(r"^[A-Za-z0-9_./+=@%,~-]+$")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_$]*$")
_LITERAL = re.compile(r"^\d*'[sS]?[bodhBODH][0-9a-fA-FxXzZ_]+$")
LATCHES = "latches.il"
PROBLEMS = "problems.txt"
LOOPS = "loops.txt"
MEMORIES = "memories.il"
FRONT = "front.il"
READY = "ready.il"
# Tried before Yosys's own map of carries: templates come in order of their names.
_RIPPLE = """read_verilog -icells <<RIPPLE
(* techmap_celltype = "$lcu" *)
module _80_lcu_ripple (P, G, CI, CO);
  parameter WIDTH = 2;
  (* force_downto *) input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *) output [WIDTH-1:0] CO;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : bit
      if (i == 0) assign CO[i] = G[i] | (P[i] & CI);
      else assign CO[i] = G[i] | (P[i] & CO[i-1]);
    end
  endgenerate
endmodule
RIPPLE"""


def safe(name: str) -> str:
    """Return `name` when Yosys's command parser takes it as one word.

    Raises
    ------
    ValueError
        It has blanks, quotes or other characters that the parser acts on.
    """
    if not _SAFE.match(name):
        raise ValueError(f"{name!r} cannot be written in a Yosys script")
    return name


def parameter_text(name: str, value: object) -> str:
    """Return a parameter's value as Verilog.

    Raises
    ------
    ValueError
        The name or the value cannot be a Verilog parameter's.
    """
    if not _NAME.match(name):
        raise ValueError(f"parameter {name!r} is not a Verilog name")
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value) if -(2**31) <= value < 2**31 else f"{value.bit_length() + 1}'d{value}"
    if isinstance(value, str) and _LITERAL.match(value):
        return value
    if isinstance(value, str) and _SAFE.match(value):
        return f'"{value}"'
    raise ValueError(f"parameter {name}: {value!r} is neither a whole number nor a plain string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """What to read, by names that are safe in a script.

    Attributes
    ----------
    libraries
        Liberty files whose cells the RTL may instantiate.
    outlines
        Verilog files with the outlines of macros that it may instantiate.
    slang
        Whether to read with slang instead of Yosys's own parser.
    """

    files: tuple[str, ...]
    top: str
    include_dirs: tuple[str, ...] = ()
    defines: MappingType[str, str] = field(default_factory=dict)
    parameters: MappingType[str, object] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    outlines: tuple[str, ...] = ()
    slang: bool = False

    def lines(self) -> list[str]:
        """Return the commands that read the design and elaborate its top."""
        lines = [
            f"read_liberty -lib -ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch {safe(name)}"
            for name in self.libraries
        ]
        lines += [f"read_verilog -lib {safe(name)}" for name in self.outlines]
        defines = [f"-D{k}={v}" if v != "" else f"-D{k}" for k, v in self.defines.items()]
        includes = [f"-I{name}" for name in self.include_dirs]
        values = {k: parameter_text(k, v) for k, v in self.parameters.items()}
        words = [safe(w) for w in (*defines, *includes)]
        if self.slang:
            generics = [w for k, v in values.items() for w in ("-G", f"{k}={v}")]
            files = " ".join(safe(f) for f in self.files)
            lines.append(" ".join(["read_slang", "--top", safe(self.top), *words, *generics, files]))
            lines.append(f"hierarchy -check -top {safe(self.top)}")
            return lines
        options = " ".join(words)
        lines += [f"read_verilog -sv -defer {options} {safe(name)}" for name in self.files]
        overrides = " ".join(f"-chparam {k} {v}" for k, v in values.items())
        lines.append(f"hierarchy -check -top {safe(self.top)} {overrides}".rstrip())
        return lines


def elaborate_script(frontend: Frontend, *, flatten: bool) -> str:
    """Return the script that reads, elaborates and looks for what is wrong in the RTL.

    It leaves ``front.il``, ``latches.il``, ``problems.txt`` (what ``check``
    found), ``checked.il`` (the design that it looked at) and ``memories.il``.
    """
    lines = [
        *frontend.lines(),
        "proc",
        # Assertions, prints and covers are for simulation and proof.
        "chformal -remove",
        "delete t:$print t:$check",
        "opt_clean",
        f"dump -o {LATCHES} t:$dlatch t:$adlatch t:$dlatchsr",
        "tribuf -logic",
    ]
    if flatten:
        lines += ["flatten", "delete t:$scopeinfo"]
    lines += [
        "opt_expr",
        "opt_clean",
        f"tee -q -o {PROBLEMS} check",
        "write_rtlil checked.il",
        "opt -nodffe -nosdff",
        "wreduce",
        "peepopt",
        "opt_clean",
        # The register behind a memory's read port becomes part of it only with its enable apart.
        "select -set reads t:$memrd t:$memrd_v2 %u %co8 t:$dff %i",
        "opt_dff -nosdff @reads",
        "opt_clean",
        "memory -nomap",
        "opt_clean",
        f"dump -o {MEMORIES} t:$mem t:$mem_v2",
        f"write_rtlil {FRONT}",
    ]
    return "\n".join(lines) + "\n"


def memory_script(bit_area: float, registers: Iterable[str]) -> str:
    """Return the script that composes the memories in ``front.il`` of macros, where these take less area.

    It reads ``macros.v``, ``rams.txt`` and ``rams.v``, and leaves ``front.il``, and in
    ``memories.il`` what becomes flip-flops.

    Parameters
    ----------
    bit_area
        Area of a bit in flip-flops.
    registers
        Cells of memories that must become flip-flops.
    """
    lines = [f"read_rtlil {FRONT}", "read_verilog -lib macros.v"]
    lines += [f'setattr -set ram_style "logic" t:$mem_v2 c:{_pattern(name)} %i' for name in registers]
    lines += [
        f"memory_libmap -lib rams.txt -logic-cost-ram {bit_area:.6g}",
        "techmap -map rams.v",
        "opt_clean",
        f"dump -o {MEMORIES} t:$mem t:$mem_v2",
        f"write_rtlil {FRONT}",
    ]
    return "\n".join(lines) + "\n"


def outside_script(cells: MappingType[str, str]) -> str:
    """Return the script that leaves memories in ``front.il`` outside.

    It reads ``outside.v`` and leaves ``front.il``, and in ``memories.il`` the other memories.

    Parameters
    ----------
    cells
        Cells of memories, and the type, a black box in ``outside.v``, that each becomes.
    """
    lines = [f"read_rtlil {FRONT}", "read_verilog -lib outside.v"]
    for name, kind in cells.items():
        lines += [
            f"select -set outside t:$mem_v2 c:{_pattern(name)} %i",
            f"chtype -set \\{kind} @outside",
        ]
    lines += [f"dump -o {MEMORIES} t:$mem t:$mem_v2", f"write_rtlil {FRONT}"]
    return "\n".join(lines) + "\n"


def _pattern(name: str) -> str:
    """Return a pattern for a name that Yosys's parser of selections may stumble over."""
    return re.sub(r"[^\w.]", "?", name.lstrip("\\"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What to map onto, and how.

    Attributes
    ----------
    version
        Yosys's version: older ones lack some passes.
    comb, seq
        Liberty excerpts of gates and of flip-flops and latches.
    abc
        ABC script file.
    target_ps
        Delay target handed to ABC.
    attempt
        Which of the recipe's attempts; the first leaves ``ready.il``, which
        the later ones start from. ``None`` makes the last one from the start.
    """

    recipe: Recipe
    version: tuple[int, ...]
    top: str
    comb: str = "comb.lib"
    seq: str = "seq.lib"
    abc: str = "recipe.abc"
    constraints: str = "abc.constr"
    target_ps: int = 0
    sequential: bool = True
    attempt: int | None = None


def map_script(mapping: Mapping) -> str:
    """Return the script that optimises and maps ``front.il``; it leaves ``loops.txt`` and ``mapped.json``."""
    lines = [f"read_rtlil {READY}"] if mapping.attempt else _gate_lines(mapping)
    if mapping.attempt == 0 and len(mapping.recipe.attempts) > 1:
        lines.append(f"write_rtlil {READY}")
    lines += [
        f"abc -liberty {safe(mapping.comb)} -constr {safe(mapping.constraints)}"
        f" -D {mapping.target_ps} -script {safe(mapping.abc)}",
        "opt_clean",
        "setundef -zero",
        "opt_clean",
        "write_json mapped.json",
    ]
    return "\n".join(lines) + "\n"


def _gate_lines(mapping: Mapping) -> list[str]:
    """Return the commands that leave gates of Yosys's own, and flip-flops of the library."""
    way, version = mapping.recipe, mapping.version
    adder = way.adder
    if adder not in (None, "ripple") and version < (0, 40):
        adder = "kogge-stone.v"
    lines = []
    if adder == "ripple":
        lines += ["design -push", _RIPPLE, "design -save ripple", "design -pop"]
    lines.append(f"read_rtlil {FRONT}")
    if way.booth and version >= (0, 33):
        lines.append("booth")
    lines.append("alumacc")
    if way.arith_tree and version >= (0, 60):
        lines.append("arith_tree")
    if way.share:
        lines.append("share")
    choice = " -map %ripple" if adder == "ripple" else f" -map +/choices/{adder}" if adder else ""
    lines += [
        "opt",
        "opt_clean",
        "opt -fast -full",
        "memory_map",
        "opt -full",
        f"techmap -map +/techmap.v{choice}",
        "opt -fast",
        f"tee -q -o {LOOPS} check",
        # A flip-flop is called after what it holds, so that activity finds it.
        "rename -wire t:$_*DFF*_ t:$_*LATCH*_ t:$_SR_*_",
    ]
    if mapping.sequential:
        lines.append(f"dfflibmap -liberty {safe(mapping.seq)}")
    lines.append("opt")
    return lines

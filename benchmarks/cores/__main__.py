"""Area and frequency of one core: ``python -m benchmarks.cores --preset small --set zba=true``."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.cores.synthesis import LIBERTY, RECIPES, elaborate, measure
from flow.project.request import parse_assignment


def main() -> None:
    """Measure one core with one recipe or both, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=__doc__)
    parser.add_argument("--preset", default="small")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the core"
    )
    parser.add_argument("--verilog", type=Path, help="another design instead; give --top too")
    parser.add_argument("--top", default="core")
    parser.add_argument("--clock", default="clk")
    parser.add_argument("--recipe", choices=(*RECIPES, "both"), default="both")
    parser.add_argument("--liberty", type=Path, help=f"default: $PDK_ROOT/{LIBERTY}")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep netlist and logs there")
    parser.add_argument("--path", action="store_true", help="print the longest path")
    arguments = parser.parse_args()
    liberty = arguments.liberty or Path(os.environ.get("PDK_ROOT", ".")) / LIBERTY
    if not liberty.exists():
        parser.error(f"{liberty} is not there: set PDK_ROOT, or give --liberty")
    with tempfile.TemporaryDirectory(prefix="suzuri-cores-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        source = arguments.verilog
        if source is None:
            source = elaborate(arguments.preset, dict(map(parse_assignment, arguments.set)), folder)
        for recipe in RECIPES if arguments.recipe == "both" else (arguments.recipe,):
            result = measure(source, arguments.top, liberty, recipe, folder / recipe, arguments.clock)
            name = arguments.top if arguments.verilog else arguments.preset
            print(
                f"{name} {recipe}: {result.area_kge:.1f} kGE "
                f"at {result.frequency_mhz:.0f} MHz ({result.period_ns:.3f} ns), {result.flops} flip-flops",
                flush=True,
            )
            if arguments.path:
                print(result.path)


if __name__ == "__main__":
    main()

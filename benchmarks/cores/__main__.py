"""Area and frequency of one core, or of each option of a preset.

python -m benchmarks.cores --preset small --set zba=true
python -m benchmarks.cores --options small
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.cores.options import OPTIONS, costs
from benchmarks.cores.synthesis import LIBERTY, RECIPES, elaborate, measure
from flow.project.request import parse_assignment


def main() -> None:
    """Measure one core with one recipe or both, and print a line for each; or a table of options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--options", choices=sorted(OPTIONS), help="each option of this preset, as a table in Markdown"
    )
    parser.add_argument("--no-work", action="store_true", help="with --options: run no programs")
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
        if arguments.options:
            recipe = "speed" if arguments.recipe == "both" else arguments.recipe
            _table(arguments.options, liberty, recipe, folder, work=not arguments.no_work)
            return
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


def _table(preset: str, liberty: Path, recipe: str, folder: Path, *, work: bool) -> None:
    print("| option | kGE | MHz | iterations/s/MHz |\n|---|---|---|---|", flush=True)
    for cost in costs(preset, liberty, recipe, folder, work=work):
        done = "" if cost.work is None else f"{cost.work:.2f}"
        row = (
            cost.option.name,
            f"{cost.result.area_kge:.1f}",
            f"{cost.result.frequency_mhz:.0f}",
            done,
        )
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()

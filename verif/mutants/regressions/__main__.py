"""Run the nights from the command line, and print what became of each fault.

python -m verif.mutants.regressions
python -m verif.mutants.regressions tile skid_lost
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from verif.mutants.regressions import FAULTS, Fault, Night, Summary, run_nights

_ROOT = Path(__file__).resolve().parents[3]


def _chosen(names: Sequence[str]) -> list[Fault]:
    known = {fault.mutant.name for fault in FAULTS} | {fault.design.name for fault in FAULTS}
    for name in names:
        if name not in known:
            sys.exit(f"there is neither a fault nor a design {name!r}; --list shows them")
    return [f for f in FAULTS if not names or {f.mutant.name, f.design.name} & set(names)]


def _row(night: Night) -> str:
    buckets = " ".join(night.buckets) or "-"
    name = f"{night.fault.design.name:7} {night.fault.mutant.name:22}"
    found = "found" if night.found else "MISSED"
    return f"{name} {found:7} {night.failed:4} of {night.runs:<4} {buckets:22} {night.message[:70]}"


def main() -> int:
    """Print a row for each fault, and the sum; fail when one is missed, mixed up or spread."""
    parser = argparse.ArgumentParser(prog="verif.mutants.regressions", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults, or designs; all of them")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep sources, history and reports there")
    options = parser.parse_args()
    faults = _chosen(options.names)
    if options.list:
        for fault in faults:
            change = " ".join(fault.mutant.replacement.split())
            print(f"{fault.design.name:7} {fault.mutant.name:22} {fault.mutant.path}: {change}")
        return 0
    with tempfile.TemporaryDirectory(prefix="suzuri-nights-") as scratch:
        if options.keep is not None:
            options.keep.mkdir(parents=True)
        return _run(faults, (options.keep or Path(scratch)).resolve())


def _run(faults: Sequence[Fault], folder: Path) -> int:
    began, nights = time.monotonic(), []
    print(f"{'design':7} {'fault':22} {'':7} {'failed runs':12} {'buckets':22} message")
    for night in run_nights(faults, _ROOT, folder):
        nights.append(night)
        print(_row(night), flush=True)
    summary = Summary(nights)
    one = sum(len(night.buckets) == 1 for night in nights)
    print(
        f"{summary.found} of {len(nights)} found, {one} in one bucket, "
        f"{len(nights) - one - len(summary.spread)} in two, {len(summary.spread)} in more, "
        f"{len(summary.mixed)} buckets mix faults; {time.monotonic() - began:.0f} s"
    )
    for bucket, names in summary.mixed.items():
        print(f"bucket {bucket} holds {', '.join(names)}")
    return int(summary.found < len(nights) or bool(summary.mixed) or bool(summary.spread))


if __name__ == "__main__":
    sys.exit(main())

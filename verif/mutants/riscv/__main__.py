"""Run mutants from the command line, and print what found which."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verif.mutants.riscv import MUTANTS, CoreMutant
from verif.mutants.riscv.attack import ROOT, Finding, attack

_CACHE = Path(tempfile.gettempdir()) / f"suzuri-mutants-{os.getuid()}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verif.mutants.riscv", description="Plant faults, and look who notices."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants, or beginnings of their names; all")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument(
        "--seeds", type=int, default=20, help="random programs for one that directed tests miss"
    )
    parser.add_argument("--cache", type=Path, default=_CACHE)
    return parser.parse_args()


def _chosen(names: list[str]) -> list[CoreMutant]:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name.startswith(tuple(names))]
    for name in names:
        if not any(mutant.name.startswith(name) for mutant in chosen):
            sys.exit(f"there is no mutant {name!r}; --list shows them")
    return chosen


def _attacked(mutants: list[CoreMutant], options: argparse.Namespace) -> Iterator[tuple[CoreMutant, Finding]]:
    def one(mutant: CoreMutant) -> Finding:
        try:
            return attack(mutant, options.cache, root=ROOT, seeds=options.seeds)
        except (RuntimeError, ValueError) as error:
            return Finding(mutant=mutant.name, message=f"BROKEN: {error}")

    with ThreadPoolExecutor(options.jobs) as pool:
        yield from zip(mutants, pool.map(one, mutants), strict=True)


def main() -> int:
    """Print a row for each mutant; return how many nothing found."""
    options = _arguments()
    mutants = _chosen(options.names)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:32} {mutant.what}")
        return 0
    began, missed = time.monotonic(), []
    print(f"{'mutant':32} {'found by':24} {'cycles':>8} {'instrs':>8}  at")
    for mutant, finding in _attacked(mutants, options):
        if not finding.by:
            missed.append(mutant.name)
        found = finding.by or "NOTHING"
        row = f"{mutant.name:32} {found:24} {finding.cycles:8} {finding.instructions:8}  {finding.message}"
        print(row[:180].rstrip(), flush=True)
    spent = time.monotonic() - began
    print(f"{len(mutants) - len(missed)} of {len(mutants)} found, in {spent:.0f} s")
    if missed:
        print(f"nothing found {', '.join(missed)}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())

"""Run mutants from the command line, and print what found which."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from verif.mutants import Mutant
from verif.mutants.accelerator import COMPUTE, MUTANTS
from verif.mutants.accelerator.attack_compute import attack_compute
from verif.mutants.accelerator.attack_shell import attack_shell
from verif.mutants.accelerator.finding import Finding

_CACHE = Path(tempfile.gettempdir()) / f"suzuri-mutants-{os.getuid()}" / "compute"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verif.mutants.accelerator", description="Plant faults, and look who notices."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants, or beginnings of their names; all")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    parser.add_argument("--seeds", type=int, default=300, help="batches of commands for the compute engine")
    parser.add_argument("--programs", type=int, default=8, help="random programs for the shell")
    parser.add_argument("--cache", type=Path, default=_CACHE)
    return parser.parse_args()


def _chosen(names: list[str]) -> list[Mutant]:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name.startswith(tuple(names))]
    for name in names:
        if not any(mutant.name.startswith(name) for mutant in chosen):
            sys.exit(f"there is no mutant {name!r}; --list shows them")
    return chosen


def _attack(mutant: Mutant, options: argparse.Namespace) -> Finding:
    try:
        if mutant in COMPUTE:
            return attack_compute(mutant, options.cache, seeds=options.seeds)
        return attack_shell(mutant, seeds=options.programs)
    except (RuntimeError, ValueError) as error:
        return Finding(message=f"BROKEN: {error}")


def main() -> int:
    """Print a row for each mutant; return how many nothing found."""
    options = _arguments()
    mutants = _chosen(options.names)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:28} {mutant.path}: {' '.join(mutant.replacement.split())}")
        return 0
    began, missed = time.monotonic(), []
    print(f"{'mutant':28} {'file':14} {'found by':22} {'cycles':>8} {'commands':>8}  message")
    for mutant in mutants:
        finding = _attack(mutant, options)
        if not finding.by:
            missed.append(mutant.name)
        row = (
            f"{mutant.name:28} {Path(mutant.path).stem:14} {finding.by or 'NOTHING':22} "
            f"{finding.cycles:8} {finding.commands:8}  {' '.join(finding.message.split())}"
        )
        print(row[:180].rstrip(), flush=True)
    spent = time.monotonic() - began
    print(f"{len(mutants) - len(missed)} of {len(mutants)} found, in {spent:.0f} s")
    if missed:
        print(f"nothing found {', '.join(missed)}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())

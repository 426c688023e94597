"""Run directed tests from the command line."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from flow.project.request import parse_assignment
from rtl.riscv.config import PRESETS, CoreConfig
from verif.harness.riscv.quick import build, elaborate
from verif.programs.directed.build import assemble
from verif.programs.directed.catalogue import TESTS, applicable
from verif.programs.directed.run import on_core, on_spike, spike_config


def main() -> int:
    """Run what the command line says; return how many tests failed."""
    parser = argparse.ArgumentParser(prog="verif.programs.directed", description="Run directed tests.")
    parser.add_argument("--preset", default="small", choices=sorted(PRESETS))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--test", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--on", default="core", choices=("core", "spike"))
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / f"suzuri-directed-{os.getuid()}"
    )
    parser.add_argument("--list", action="store_true", help="show what there is, and whether the core has it")
    options = parser.parse_args()
    assigned = dict(map(parse_assignment, options.set))
    config = CoreConfig.preset(options.preset, **assigned)
    suitable = applicable(config)
    if options.list:
        for test in TESTS:
            print(f"{'*' if test in suitable else ' '} {test.name:20} {' '.join(test.needs)}")
        return 0
    tests = [test for test in suitable if not options.test or test.name in options.test]
    if options.on == "spike":
        tests = [test for test in tests if not test.device]
        config = spike_config(config)
        simulator = None
    else:
        simulator = build(elaborate(options.preset, assigned), options.cache / "simulators")
    failed = 0
    for test in tests:
        program = assemble(test, config, options.cache / "programs")
        outcome = on_core(test, program, simulator) if simulator else on_spike(test, program, config)
        failed += not outcome.good
        verdict = "passed" if outcome.good else "FAILED"
        length = f"{outcome.cycles:9} cycles {outcome.instructions:8} instructions" if simulator else ""
        print(f"{verdict} {test.name:20} {length} {outcome.message}".rstrip(), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())

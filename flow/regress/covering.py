"""The coverage of a regression while it runs, and what is written of it when it has ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.engine.cache import Cache
from flow.model.design import Design
from flow.model.errors import ConfigError, ToolError
from flow.model.graph import Graph
from flow.model.step import Outcome, OutputRef, Step
from flow.regress.coverage import Collector, Key, Merged, summary
from flow.regress.model import Regression, Result
from flow.regress.rank import RANKED, rank, ranked_record
from flow.regress.testplan import plan_rows, unmatched
from flow.stages.chip import ChipFlow, TestRun
from flow.stages.sim_coverage import CODE_POINTS

if TYPE_CHECKING:
    from flow.regress.codecov.collector import CodeCollector, CodeMerged
    from flow.regress.codecov.places import Rtl

__all__ = ["Covering", "collecting"]


def collecting(
    design: Design, runs: Sequence[TestRun], suite: tuple[str, ...] | None, asked: tuple[str, ...] | None
) -> tuple[list[TestRun], list[str]]:
    """Return the runs with the kinds of code coverage that each is to collect, and what to say of it.

    Parameters
    ----------
    design
        Says which kinds, unless the test, the suite or the user does.
    runs
        All of them.
    suite
        What the suite says; None where it says nothing.
    asked
        What the user says, for all tests; None for nothing, empty for no code coverage.

    Raises
    ------
    ConfigError
        The user asks for code coverage, and no test can give it.
    """
    from dataclasses import replace  # noqa: PLC0415

    from flow.model.coverage import kinds_of  # noqa: PLC0415

    unable: dict[str, None] = {}
    found: list[TestRun] = []
    for run in runs:
        test = run.test
        kinds = kinds_of(test.coverage, suite, design.coverage.kinds) if asked is None else asked
        if kinds and test.simulator != "verilator":
            unable[test.name] = None
            kinds = ()
        found.append(replace(run, coverage=kinds) if kinds else run)
    if asked and not any(run.coverage for run in found):
        raise ConfigError(
            "none of the chosen tests can collect code coverage: Icarus Verilog has none", "--coverage",
            'Set simulator = "verilator" in the manifest.',
        )  # fmt: skip
    notes = [f"no code coverage of {', '.join(unable)}: Icarus Verilog has none"] if unable else []
    return found, notes


class Covering:
    """Takes in what runs covered, functional bins and code, and writes what came of it.

    Parameters
    ----------
    design
        What was tested.
    cache
        Where steps left their files.
    flow
        What made the steps.
    """

    def __init__(self, design: Design, cache: Cache, flow: ChipFlow) -> None:
        self._design = design
        self._cache = cache
        self._flow = flow
        self._bins = Collector()
        self._code: CodeCollector | None = None

    def __len__(self) -> int:
        return len(self._bins) + (len(self._code) if self._code is not None else 0)

    # -- while it runs ----------------------------------------------------

    def take(self, step: Step, keys: Sequence[Key], graph: Graph, outcomes: Mapping[str, Outcome]) -> None:
        """Take in what the runs of a step covered.

        Raises
        ------
        ToolError
            What the step left is damaged.
        """
        outcome = outcomes[step.name]
        self._bins.take(keys, outcome.data)
        if not outcome.data.get("code_coverage"):
            return
        if self._code is None:
            from flow.regress.codecov.collector import CodeCollector  # noqa: PLC0415 - for those who want it

            self._code = CodeCollector(self._design.coverage.waivers)

        def load() -> tuple[bytes, Rtl]:
            path = self._cache.locate(outcome.outputs[CODE_POINTS])
            return path.read_bytes(), self._rtl(step, graph, outcomes)

        try:
            self._code.take(keys, outcome.data, load)
        except ValueError as error:
            raise ToolError(
                "verilator", f"the code coverage of {step.name} cannot be used: {error}"
            ) from None

    def _rtl(self, step: Step, graph: Graph, outcomes: Mapping[str, Outcome]) -> Rtl:
        """Return what the model that a step ran was made of."""
        from flow.regress.codecov.places import Rtl  # noqa: PLC0415

        simulator = step.inputs["simulator"]
        built = graph[simulator.step] if isinstance(simulator, OutputRef) else None
        elaborated = built.inputs.get("rtl") if built is not None else None
        name, text = "", ""
        if isinstance(elaborated, OutputRef):
            view = outcomes[elaborated.step].outputs[elaborated.name]
            name = view.name
            text = self._cache.locate(view).read_text(encoding="utf-8", errors="replace")
        base = os.path.relpath(self._flow.hdl_base, self._design.root) if self._design.sources else "."
        return Rtl(elaborated=(name, text), base=base)

    # -- when it has ended ------------------------------------------------

    @cached_property
    def merged(self) -> Merged:
        """What all runs reached of the bins; asked for when all have ended."""
        return self._bins.merged()

    @cached_property
    def code(self) -> CodeMerged | None:
        """What all runs hit of the code; None where none was collected."""
        return self._code.merged() if self._code is not None else None

    def record(self, results: Sequence[Result]) -> tuple[dict[str, Any], list[str]]:
        """Return what the record of the regression has of its coverage, and what to tell its user."""
        found, notes = summary(self.merged), []
        if self.code is not None:
            code = self._code_record(self.code)
            found = {**found, "code": code, "kinds": {**found.get("kinds", {}), **code["kinds"]}}
            found.setdefault("runs", 0)
            found.setdefault("groups", [])
            notes = _code_notes(code)
        if plan := self._design.testplan:
            found["testplan"] = plan_rows(plan, results, self.merged, self.code)
            notes += unmatched(found["testplan"])
        return found, notes

    def _code_record(self, code: CodeMerged) -> dict[str, Any]:
        from flow.regress.codecov.places import read_source  # noqa: PLC0415
        from flow.regress.codecov.summary import code_summary  # noqa: PLC0415

        roots = (self._design.root, self._design.python_root)
        return code_summary(code, self._design.coverage.waivers, lambda file: read_source(roots, file))

    def write_ranking(self, folder: Path, regression: str, times: Mapping[Key, float]) -> None:
        """Write which runs are enough for all of the coverage."""
        ranked = rank(self._bins, times, self.merged, self._code)
        keys = {key for key, _, _ in self._bins.runs()}
        if self._code is not None:
            keys |= {key for key, _ in self._code.reaches()}
        (folder / RANKED).write_text(json.dumps(ranked_record(regression, ranked, len(keys)), indent=1))

    def write_ucis(self, folder: Path, regression: Regression) -> None:
        """Write it as UCIS XML."""
        from flow.regress.coverage_ucis import write_ucis  # noqa: PLC0415

        write_ucis(regression, self.merged, folder / "coverage.ucis.xml", self.code)


def _code_notes(code: Mapping[str, Any]) -> list[str]:
    from flow.regress.codecov.summary import idle_waivers  # noqa: PLC0415

    notes = [f"the coverage waiver of {text} waives nothing" for text in idle_waivers(code["waived"])]
    if lost := len(code["unread"]) + code["unread_more"]:
        test, seed, reason = code["unread"][0]
        more = f" (and {lost - 1} more runs)" if lost > 1 else ""
        notes.append(f"no code coverage of {test} seed {seed}: {reason}{more}")
    return notes

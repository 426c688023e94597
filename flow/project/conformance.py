"""``suzuri pdk check``: whether a PDK works from end to end, and its adapter is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flow.engine.cache import Cache, default_root, full_disk
from flow.engine.driver import Options, run_graph
from flow.engine.events import Event, StepStarted
from flow.engine.hashing import DigestMemo, digest_file
from flow.engine.provenance import new_run_id
from flow.model.check import Check
from flow.model.constraint import Clock, Constraints
from flow.model.design import Recipe
from flow.model.graph import Graph
from flow.model.pdk import Pdk
from flow.model.step import Outcome, OutputRef, Step
from flow.model.tool import ToolIdentity
from flow.model.view import View
from flow.project.verdict import EXIT_CHECK, EXIT_GOOD
from flow.stages.registry import stage_info

__all__ = ["Conformance", "check_pdk"]

_PERIOD_NS = 50.0  # slow enough for every process: this is about truth, not speed
_CYCLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """The findings about one PDK."""

    name: str
    checks: tuple[Check, ...]
    metrics: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """0 when no check failed, 1 otherwise."""
        return EXIT_CHECK if any(c.failed for c in self.checks) else EXIT_GOOD

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "conforms": self.exit_code == EXIT_GOOD,
            "checks": [asdict(c) for c in self.checks],
            "metrics": dict(self.metrics),
        }


def check_pdk(pdk: Pdk, note: Callable[[str], None]) -> Conformance:
    """Check views, roles, and a small design mapped, timed, powered and proved equal.

    Parameters
    ----------
    pdk
        An installed PDK.
    note
        Told what is being done.

    Raises
    ------
    ConfigError
        A tool that the check needs is missing.
    """
    from flow.tools.registry import adapter  # noqa: PLC0415
    from pdk_adapters.conformance import static_checks  # noqa: PLC0415
    from pdk_adapters.registry import offer  # noqa: PLC0415
    from pdk_adapters.views import load_views  # noqa: PLC0415

    tools = {name: adapter(name).detect() for name in ("yosys", "opensta", "icarus")}
    note(f"{pdk.name}: reading views")
    views = load_views(pdk)
    checks = static_checks(pdk, views, offer(pdk.name).hints)
    if views.problems:
        return Conformance(name=pdk.name, checks=tuple(checks), metrics={})
    cache = Cache(default_root())
    memo = DigestMemo(cache.root / "digests.json")
    graph = _graph(pdk, tools, _texts(pdk, cache), memo)

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted):
            note(f"{pdk.name}: {event.step.label}")

    outcomes = run_graph(
        graph, cache, Options(run_id=new_run_id(), keep=cache.root / "failed" / pdk.name), tell
    )
    memo.save()
    checks += _dynamic_checks(outcomes, cache)
    metrics = {k: v for o in outcomes.values() for k, v in o.metrics.items()}
    return Conformance(name=pdk.name, checks=tuple(checks), metrics=metrics)


def _texts(pdk: Pdk, cache: Cache) -> dict[str, View]:
    """Write the small design, its testbench and the cell models where steps can read them."""
    from pdk_adapters import conformance_rtl as design  # noqa: PLC0415
    from pdk_adapters.cell_models import cell_models  # noqa: PLC0415
    from pdk_adapters.equivalence import equivalence_testbench, rename_modules  # noqa: PLC0415
    from pdk_adapters.views import corner_libraries  # noqa: PLC0415

    bench = equivalence_testbench(
        ports=design.CONFORMANCE_PORTS,
        rtl=f"rtl_{design.CONFORMANCE_TOP}",
        netlist=design.CONFORMANCE_TOP,
        clock=design.CONFORMANCE_CLOCK,
        resets=design.CONFORMANCE_RESETS,
        cycles=_CYCLES,
    )
    texts = {
        "design.v": design.CONFORMANCE_RTL,
        "rtl.v": rename_modules(design.CONFORMANCE_RTL, "rtl_"),
        "bench.v": bench,
        "models.v": cell_models(corner_libraries(pdk.corner()), initial="random").verilog(),
    }
    folder = cache.root / "conformance" / pdk.name
    return {name: _write(folder / name, text) for name, text in texts.items()}


def _write(path: Path, text: str) -> View:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise full_disk(error, path.parent) from None
    digest, size = digest_file(path)
    return View(name=path.name, digest=digest, size=size, path=str(path))


def _graph(pdk: Pdk, tools: Mapping[str, ToolIdentity], texts: Mapping[str, View], memo: DigestMemo) -> Graph:
    from pdk_adapters import conformance_rtl as design  # noqa: PLC0415

    liberty = {}
    for i, path in enumerate(pdk.corner().liberty):
        digest, size = memo.digest(path)
        liberty[f"lib{i}"] = View(name=path.name, digest=digest, size=size, path=str(path))
    constraints = Constraints(clocks=(Clock(port=design.CONFORMANCE_CLOCK, period_ns=_PERIOD_NS),))
    shared = {
        "top": design.CONFORMANCE_TOP,
        "roles": asdict(pdk.roles),
        "constraints": asdict(constraints),
        "corner": pdk.corner().name,
    }
    netlist = {"netlist": OutputRef("map.balanced", "netlist")}

    def step(name: str, kind: str, tool: str, **values: Any) -> Step:  # noqa: ANN401 - fields of Step
        info = stage_info(kind)
        version = info.version(lambda path: memo.digest(path)[0])
        return Step(name=name, kind=kind, stage=info.path, version=version, tools=(tools[tool],), **values)

    def mapped(recipe: str) -> list[Step]:
        return [
            step(f"map.{recipe}", "synthesize", "yosys", label=f"mapping a small design, recipe {recipe}",
                 params={"top": design.CONFORMANCE_TOP, "recipe": recipe, "clock_period_ns": _PERIOD_NS,
                         "roles": asdict(pdk.roles)},
                 inputs={"rtl": texts["design.v"], **liberty}, outputs=("netlist", "stat", "log?")),
            step(f"equal.{recipe}", "equivalence", "icarus", label="simulating netlist and RTL side by side",
                 params={"top": "suzuri_equivalence"},
                 inputs={"rtl": texts["rtl.v"], "models": texts["models.v"], "bench": texts["bench.v"],
                         "netlist": OutputRef(f"map.{recipe}", "netlist")},
                 outputs=("log",)),
        ]  # fmt: skip

    return Graph([
        *(one for recipe in Recipe.ALL for one in mapped(recipe)),
        step("time", "timing", "opensta", label="timing it", params=shared, inputs={**netlist, **liberty},
             outputs=("sdc", "report")),
        step("power", "power", "opensta", label="estimating its power", params=shared,
             inputs={**netlist, **liberty}, outputs=("report",)),
    ])  # fmt: skip


def _dynamic_checks(outcomes: Mapping[str, Outcome], cache: Cache) -> list[Check]:
    from pdk_adapters.equivalence import read_equivalence  # noqa: PLC0415

    checks: list[Check] = []
    wanted = {
        **{f"map.{recipe}": ("design__instance__area", "um2") for recipe in Recipe.ALL},
        "time": ("timing__fmax", "MHz"),
        "power": ("power__total", "W"),
    }
    for name, (metric, unit) in wanted.items():
        outcome = outcomes[name]
        value = outcome.metrics.get(metric)
        good = outcome.status.ok and isinstance(value, int | float) and 0 < value < float("inf")
        bad = [c for c in outcome.checks if c.failed]
        message = f"{metric} is {value:.4g} {unit}" if good else _why(outcome, f"{metric} is {value}")
        if bad:
            message = bad[0].message
        checks.append(Check(name=f"pdk.{name}", passed=good and not bad, message=message,
                            place=outcome.workdir or ""))  # fmt: skip
    for recipe in Recipe.ALL:
        equal, name = outcomes[f"equal.{recipe}"], f"pdk.equivalence.{recipe}"
        if equal.status.ok:
            text = cache.locate(equal.outputs["log"]).read_text(errors="replace")
            checks.append(read_equivalence(text).check(name))
        else:
            checks.append(Check(name=name, passed=False, message=_why(equal, "it did not run"),
                                place=equal.workdir or ""))  # fmt: skip
    return checks


def _why(outcome: Outcome, otherwise: str) -> str:
    return str((outcome.error or {}).get("what") or otherwise)

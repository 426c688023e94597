"""``suzuri ppa``: the fastest clock, the smallest area, and checks against a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.options import FORCE, SET, WHERE, command_line, with_options
from flow.model.design import Recipe
from flow.model.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from flow.project.session import Session
    from flow.sweep.baseline import Baseline
    from flow.sweep.fmax import Search, Tried
    from flow.sweep.tries import Tries

__all__ = ["ppa"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_PDK = click.option("--pdk", metavar="NAME", help="PDK to map to; the manifest's by default.")
_COMMON = (
    click.argument("design", default=".", type=click.Path(path_type=Path)),
    click.option("--corner", metavar="NAME", help="Timing corner; the PDK's main one by default."),
    click.option("--hierarchy", type=click.Choice(["flatten", "keep"]), help="Dissolve or keep modules."),
    SET,
    FORCE,
    *WHERE,
    click.option("--json", "as_json", is_flag=True, help="Print everything as JSON."),
)
_RECIPES = click.option("--recipe", "recipes", type=click.Choice(Recipe.NAMES), multiple=True, metavar="NAME",
                        help="Recipe to try. Repeatable.")  # fmt: skip
_RECIPE = click.option("--recipe", type=click.Choice(Recipe.NAMES), metavar="NAME",
                       help="Synthesis recipe; the manifest's by default.")  # fmt: skip
_CLOCK = click.option("--clock", "clock_period_ns", type=float, metavar="NS", help="Clock period asked for.")
_REPLICATES = click.option("--replicates", "-n", type=click.IntRange(2, 1000), default=20, show_default=True,
                           help="Syntheses that differ in what must not matter.")  # fmt: skip


@click.group()
def ppa() -> None:
    """Find the fastest clock or the least area, and guard them."""


@ppa.command()
@click.option("--portfolio", is_flag=True, help="Try all recipes that may win.")
@_RECIPES
@click.option("--tolerance", type=click.FloatRange(0.001, 0.2), default=0.01, show_default=True,
              help="End when what may still be found is less than this share.")  # fmt: skip
@_PDK
@lambda function: with_options(function, _COMMON)
def fmax(
    recipes: tuple[str, ...], portfolio: bool, tolerance: float, as_json: bool, **options: Any  # noqa: ANN401
) -> None:  # fmt: skip
    """Find the fastest clock that DESIGN reaches on a PDK.

    Synthesis is run again for each clock that is tried, and every try is kept
    in the cache. The best of all tries wins, whatever it aimed at.
    """
    from flow.sweep.fmax import ClockSearch
    from flow.sweep.portfolio import PortfolioSearch
    from flow.sweep.tries import fixed_recipes

    def search(names: list[str], start: float) -> Search:
        fixed = fixed_recipes(names)
        if len(names) == 1:
            return ClockSearch(names[0], start, tolerance=tolerance, fixed=bool(fixed))
        return PortfolioSearch(names, start, tolerance=tolerance, fixed=fixed)

    _search(_session(options), options["design"], recipes, portfolio, search, as_json)


@ppa.command()
@click.option("--portfolio", is_flag=True, help="Try all recipes; the default.")
@_RECIPES
@_CLOCK
@_PDK
@lambda function: with_options(function, _COMMON)
def area(recipes: tuple[str, ...], portfolio: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Find the least area with which DESIGN meets a clock on a PDK.

    Exits with 1 where no recipe meets it.
    """
    from flow.sweep.portfolio import AreaSearch

    session = _session(options)
    period = session.pdks[0].clock_period_ns
    best = _search(
        session, options["design"], recipes, portfolio or not recipes,
        AreaSearch, as_json,
    )  # fmt: skip
    if best.period_ns is None or best.period_ns > period:
        raise CheckFailed(
            f"no recipe meets a clock period of {period:g} ns", None,
            "Lengthen it, or pipeline the worst path; the fastest is above.",
        )  # fmt: skip


@ppa.command()
@click.option(
    "--output", "-o", type=_FILE, metavar="FILE", help="ppa-PDK.json beside the manifest by default."
)
@_REPLICATES
@_RECIPE
@_CLOCK
@_PDK
@lambda function: with_options(function, _COMMON)
def baseline(output: Path | None, replicates: int, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Measure DESIGN and its noise, and keep them for later checks."""
    from flow.sweep.baseline import GATED, write_baseline

    session = _session(options)
    found = _measure(session, replicates, quiet=as_json)
    target = output or session.design.root / f"ppa-{session.pdks[0].pdk.name}.json"
    write_baseline(found, target)
    if as_json:
        click.echo(target.read_text(encoding="utf-8").rstrip())
        return
    for name in GATED:
        if name not in found.metrics:
            continue
        noise = found.noise(name)
        spread = f" ± {100 * noise.relative:.2f} %" if noise.relative is not None else ""
        click.echo(f"{name}: {noise.mean:,.6g}{spread} (one sigma of {noise.n} replicates)")
    click.echo(f"worst setup slack: {found.plain.get('timing__setup__ws')} ns, without perturbation")
    click.echo(f"kept in {target}")


@ppa.command()
@click.option("--baseline", "file", type=_FILE, required=True, metavar="FILE", help="What to compare with.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME",
              help="Metric that counts; area and fmax by default. Repeatable.")  # fmt: skip
@click.option("--allow", type=click.FloatRange(min=0), default=0.0, metavar="PERCENT",
              help="By how much a metric may be worse beyond noise.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 0.999999), default=0.95, show_default=True,
              help="That nothing is called worse that is not.")  # fmt: skip
@click.option("--replicates", "-n", type=click.IntRange(1, 1000),
              help="Syntheses to compare; as many as the baseline has by default.")  # fmt: skip
@_RECIPE
@_CLOCK
@_PDK
@lambda function: with_options(function, _COMMON)
def check(
    file: Path, metrics: tuple[str, ...], allow: float, confidence: float, replicates: int | None,
    as_json: bool, **options: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    """Compare DESIGN with a baseline; fail where it is worse beyond noise.

    Exit codes: 0 no worse, 1 a metric is worse, 2 your input, 3 a tool or machine.
    """
    from flow.sweep.baseline import check as compare_with
    from flow.sweep.baseline import read_baseline, regressed

    before = read_baseline(file)
    session = _session(_as_in(before, options))
    for line in _other_circumstances(before, session):
        click.echo(f"Note: {line}", err=True)
    after = _measure(session, replicates or before.replicates, quiet=as_json)
    found = compare_with(before, after, metrics, confidence=confidence)
    bad = [one for one in found if regressed(one, allow / 100)]
    if as_json:
        from flow.cli.main import echo_json

        echo_json({"passed": not bad, "metrics": [one.as_json() for one in found],
                   "slack_ns": {"baseline": before.plain.get("timing__setup__ws"),
                                "now": after.plain.get("timing__setup__ws")}})  # fmt: skip
    else:
        for one in found:
            click.echo(f"{one.metric}: {one.before:,.6g} -> {one.after:,.6g}, {one.words}")
        slacks = [side.plain.get("timing__setup__ws") for side in (before, after)]
        click.echo(f"worst setup slack: {slacks[0]} -> {slacks[1]} ns, without perturbation")
    if bad:
        said = "; ".join(f"{one.metric} is {one.words}" for one in bad)
        raise CheckFailed(said, file, "Mend it, or keep the new figures: suzuri ppa baseline.")


# -- what they share ----------------------------------------------------------


def _session(options: dict[str, Any]) -> Session:
    from flow.project.request import Request, parse_assignment
    from flow.project.session import Session

    clock, pdk, corner = options.get("clock_period_ns"), options["pdk"], options["corner"]
    if clock is not None and not clock > 0:
        raise ConfigError(f"must be positive, not {clock:g}", "--clock")
    request = Request(
        path=options["design"],
        pdks=(pdk,) if pdk else (),
        corners=(corner,) if corner else (),
        recipe=options.get("recipe"),
        hierarchy=options["hierarchy"],
        clock_period_ns=clock,
        parameters=dict(map(parse_assignment, options["parameters"])),
        parts=frozenset({"elaborate", "synthesize", "timing"}),
        jobs=options["jobs"],
        scheduler=options["scheduler"],
        store=options["store"],
        force=frozenset(options["force"]),
        build=options["build"],
        database=options["database"],
    )
    session = Session(request, command_line())
    if len(session.pdks) != 1:
        names = ", ".join(plan.pdk.name for plan in session.pdks) or "none"
        raise ConfigError(f"this is about one PDK, and there are: {names}", "--pdk", "Name one: --pdk NAME")
    return session


def _progress(quiet: bool) -> AbstractContextManager[Any]:
    from flow.cli.progress import Progress
    from flow.model.graph import Graph

    return Progress(Graph([]), quiet=quiet)


def _search(
    session: Session,
    design: Path,
    recipes: tuple[str, ...],
    portfolio: bool,
    make: Callable[[list[str], float], Search],
    as_json: bool,
) -> Tried:
    from flow.sweep.tries import Tries
    from flow.tools.yosys import PORTFOLIO

    if recipes and portfolio:
        raise ConfigError("--recipe and --portfolio exclude each other", None, "Give one of them.")
    names = list(dict.fromkeys(recipes)) or (
        list(PORTFOLIO) if portfolio else [session.design.synthesis.recipe]
    )
    tries = Tries(session, session.pdks[0])
    search = make(names, tries.plan.clock_period_ns)
    told = (lambda tried: None) if as_json else _say_try
    with _progress(quiet=True) as progress:
        found = tries.search(search, progress.tell, told)
    best = search.best
    if best is None:
        reasons = dict.fromkeys(one.reason for one in found if one.reason)
        raise CheckFailed(f"no try was timed: {'; '.join(reasons)}", None, "See: suzuri run --only timing")
    _say_result(tries, found, best, search, str(design), as_json)
    return best


def _say_try(tried: Tried) -> None:
    aim = tried.aim
    kept = "  (cached)" if tried.cached else ""
    if tried.period_ns is None:
        click.echo(f"{aim.recipe:14} aim {aim.target_ns:8.4g} ns  {tried.reason}{kept}")
        return
    click.echo(
        f"{aim.recipe:14} aim {aim.target_ns:8.4g} ns  reached {tried.period_ns:8.4f} ns"
        f" ({1000 / tried.period_ns:8.1f} MHz)  {tried.area_um2 or 0:10,.0f} um2{kept}"
    )


def _say_result(
    tries: Tries, found: list[Tried], best: Tried, search: Search, design: str, as_json: bool
) -> None:
    assert best.period_ns is not None
    command = tries.command(best.aim, design)
    dropped: dict[str, str] = getattr(search, "dropped", {})
    if as_json:
        from flow.cli.main import echo_json

        echo_json({
            "design": design, "pdk": tries.plan.pdk.name, "corner": tries.plan.corners[0].name,
            "tries": [_try_json(one) for one in found], "best": _try_json(best), "dropped": dropped,
            "command": command,
        })  # fmt: skip
        return
    for name, reason in dropped.items():
        click.echo(f"{name}: given up, {reason}")
    where = f"{tries.plan.pdk.name}, {tries.plan.corners[0].name}"
    click.echo(
        f"best of {len(found)} tries on {where}: {1000 / best.period_ns:.1f} MHz"
        f" ({best.period_ns:.4f} ns), {best.area_um2 or 0:,.0f} um2, recipe {best.aim.recipe}"
        f" for {best.aim.target_ns:g} ns"
    )
    click.echo(command)


def _try_json(tried: Tried) -> dict[str, Any]:
    return {
        "recipe": tried.aim.recipe,
        "target_ns": tried.aim.target_ns,
        "period_ns": tried.period_ns,
        "fmax_mhz": 1000 / tried.period_ns if tried.period_ns else None,
        "area_um2": tried.area_um2,
        "slack_ns": tried.metrics.get("timing__setup__ws"),
        "reason": tried.reason,
        "tool_s": tried.tool_s,
        "cached": tried.cached,
    }


def _measure(session: Session, replicates: int, *, quiet: bool) -> Baseline:
    """Run the replicates of a session's own recipe and clock, and the unperturbed one."""
    from datetime import UTC, datetime

    from flow.engine.provenance import commit_of, host_facts
    from flow.sweep.baseline import Baseline
    from flow.sweep.fmax import Aim
    from flow.sweep.tries import Tries

    plan = session.pdks[0]
    tries = Tries(session, plan)
    aim = Aim(session.design.synthesis.recipe, plan.clock_period_ns)
    with _progress(quiet=quiet) as progress:
        found = tries.replicate(aim, range(replicates + 1), progress.tell)
    failed = [one.reason for one in found.values() if one.period_ns is None]
    if failed:
        raise CheckFailed(f"{len(failed)} of {len(found)} replicates were not timed: {failed[0]}", None,
                          "See: suzuri run --only timing")  # fmt: skip
    values: dict[str, list[float]] = {}
    for index, one in found.items():
        for name, value in one.metrics.items() if index else ():
            if value is not None and "__corner:" not in name:
                values.setdefault(name, []).append(value)
    commit = commit_of(session.design.root)
    return Baseline(
        settings={
            "design": session.design.name, "pdk": plan.pdk.name, "corner": plan.corners[0].name,
            "recipe": aim.recipe, "clock_period_ns": aim.target_ns,
        },
        metrics=values,
        plain=found[0].metrics,
        tools=sorted(tool.key for tool in session.tools.values()),
        provenance={
            "commit": commit.digest, "dirty": commit.dirty, "command": session.command,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "pdk_version": plan.pdk.version, "parameters": dict(session.design.parameters),
            "reproduce": tries.command(aim, str(session.request.path)), **host_facts(),
        },
    )  # fmt: skip


def _as_in(before: Baseline, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with the baseline's settings where they say nothing, checked before a run."""
    settings = before.settings
    result = dict(options)
    for key, option in (("pdk", "--pdk"), ("corner", "--corner"), ("recipe", "--recipe"),
                        ("clock_period_ns", "--clock")):  # fmt: skip
        asked = options.get(key)
        if asked is not None and asked != settings[key]:
            raise ConfigError(
                f"the baseline is of {settings[key]}, not {asked}", option,
                "Leave it out, or write another baseline: suzuri ppa baseline",
            )  # fmt: skip
        result[key] = settings[key]
    return result


def _other_circumstances(before: Baseline, session: Session) -> Iterable[str]:
    """Say what differs from when the baseline was written, and may be the reason of a difference."""
    now = {tool.key for tool in session.tools.values()}
    for key in sorted(now ^ set(before.tools)):
        name, _, version, digest = key.split("/", 3)
        which = "now" if key in now else "the baseline had"
        yield f"{which} {name} {version} ({digest[:8]}): figures of other tools are compared"
    version = session.pdks[0].pdk.version
    if before.provenance.get("pdk_version") not in (None, version):
        yield f"the baseline had {before.settings['pdk']} {before.provenance['pdk_version']}, now {version}"
    if before.provenance.get("parameters", {}) != dict(session.design.parameters):
        yield "the design's parameters are others than the baseline's"

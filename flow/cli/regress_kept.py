"""``suzuri regress list``, ``show``, ``diff`` and ``note``: regressions that have run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flow.cli.options import with_options
from flow.cli.output import console, flush
from flow.model.errors import ConfigError

if TYPE_CHECKING:
    from flow.regress.history import History
    from flow.regress.kept import Home, Kept
    from flow.regress.model import Night
    from flow.regress.past import Past

__all__ = ["diff", "find", "kept_options", "listing", "near", "note", "show"]

F = TypeVar("F", bound=Callable[..., Any])

_KEPT = (
    click.option("--design", "path", default=".", type=click.Path(path_type=Path), metavar="FOLDER",
                 help="Folder with the suzuri.toml; the current one by default."),
    click.option("--build", type=click.Path(path_type=Path, file_okay=False), help="Folder of the results."),
    click.option("--database", metavar="URL", envvar="SUZURI_DATABASE",
                 help="Run database; SQLite in the build folder by default."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)  # fmt: skip


def kept_options(function: F) -> F:
    """Give a command the options of where regressions are kept."""
    return with_options(function, _KEPT)


def near(path: Path) -> Path:
    """Return a path as seen from here, if it is below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _print(renderables: Sequence[Any]) -> None:
    shown = console(highlight=False, soft_wrap=True)
    for renderable in renderables:
        shown.print(renderable)
    flush()


@click.command("list")
@click.option("--suite", metavar="NAME", help="Only those of this suite.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many at most.",
)
@kept_options
def listing(
    suite: str | None, last: int, path: Path, build: Path | None, database: str | None, as_json: bool
) -> None:
    """List the recorded regressions, newest first."""
    from flow.regress.kept import Home

    home = Home.of(path, build, database)
    with home.history() as history:
        rows = history.regressions(home.design, None if suite is not None else last)
    if suite is not None:
        rows = [(night, dirty) for night, dirty in rows if night.suite == suite][:last]
    if as_json:
        from flow.cli.main import echo_json

        echo_json([{**asdict(night), "dirty": dirty} for night, dirty in rows])
        return
    if not rows:
        of = f" of suite {suite}" if suite else ""
        click.echo(f"There is no regression{of} yet.", err=True)
        return
    table = [_HEAD, *(_row(night, dirty) for night, dirty in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, _RIGHT, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


_HEAD = ("Regression", "Started (UTC)", "Suite", "Commit", "Passed", "Bad", "Flaky", "New", "Open")
_RIGHT = (False, False, False, False, True, True, True, True, True)


def _row(night: Night, dirty: bool) -> tuple[str, ...]:
    from flow.regress.model import BucketState, Verdict

    new = night.states.get(BucketState.NEW, 0) + night.states.get(BucketState.BACK, 0)
    return (
        night.id,
        night.started.replace("T", " ")[:16],
        night.suite or "—",
        night.commit[:10] + ("+" if dirty else ""),
        str(night.counts.get(Verdict.PASS, 0)),
        str(sum(count for verdict, count in night.counts.items() if verdict.bad)),
        str(night.flaky),
        str(new),
        str(new + night.states.get(BucketState.KNOWN, 0)),
    )


@click.command()
@click.argument("regression", metavar="[ID]", default="latest")
@kept_options
def show(regression: str, path: Path, build: Path | None, database: str | None, as_json: bool) -> None:
    """Show a regression again; the latest without ID.

    ID is one of `suzuri regress list`, or how it begins; latest~1 is the one
    before the latest; a path of a regression.json does as well.
    """
    from flow.regress.kept import with_notes
    from flow.report.regress.terminal import summary

    kept, home = find(regression, path, build, database)
    shown = kept.regression
    if home is not None:
        with home.history() as history:
            buckets = {i: past.bucket for i, past in history.buckets(home.design).items()}
        shown = with_notes(shown, buckets)
    if as_json:
        from flow.cli.main import echo_json

        echo_json(shown.to_json())
        return
    _print(summary(shown, str(near(kept.report)) if kept.report else None))
    if kept.report is None:
        click.echo("Its report is not there any more.")


def find(word: str, path: Path, build: Path | None, database: str | None) -> tuple[Kept, Home | None]:
    """Return a regression, and the design's home unless it is named by its path."""
    from flow.regress.kept import Home, read_regression

    if Path(word).exists():
        return read_regression(Path(word)), None
    home = Home.of(path, build, database)
    return home.find(word), home


@click.command()
@click.argument("a", metavar="[A]", required=False)
@click.argument("b", metavar="[B]", default="latest")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the comparison as a page.",
)
@kept_options
def diff(
    a: str | None,
    b: str,
    html: Path | None,
    path: Path,
    build: Path | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Compare the regression A with the later one B.

    Each is an id of `suzuri regress list` or how it begins, latest, latest~1,
    or a path of a regression.json. Without B it is the latest, and without A
    the one of the same suite before that.

    Exit codes: 0 nothing got worse, 1 something did, 2 your input, 3 a tool or machine.
    """
    from flow.regress.diff import diff as compare

    later, home = find(b, path, build, database)
    if a is None:
        earlier = _before(later, home)
    else:
        earlier, _ = find(a, path, build, database)
    first, second = earlier.regression, later.regression
    if first.design != second.design:
        raise ConfigError(f"{first.id} is of {first.design}, and {second.id} of {second.design}", None)
    found = compare(first, second)
    if html is not None:
        from flow.report.regress.compare import write

        try:
            write(found, html)
        except OSError as error:
            raise ConfigError(f"the page cannot be written ({error.strerror})", html) from None
    if as_json:
        from flow.cli.main import echo_json

        echo_json(found.to_json())
    else:
        from flow.report.regress.terminal import comparison

        _print(comparison(found, str(near(html)) if html else None))
    sys.exit(1 if found.worse else 0)


def _before(later: Kept, home: Home | None) -> Kept:
    """Return the regression of the same suite before `later`."""
    regression = later.regression
    if home is not None:
        ids = home.ids()
        with home.history() as history:
            suites = {night.id: night.suite for night, _ in history.regressions(home.design)}
        for identity in ids[ids.index(regression.id) + 1 :] if regression.id in ids else ():
            if suites.get(identity) == regression.suite:
                return home.read(identity)
    what = f"suite {regression.suite}" if regression.suite else "all tests"
    raise ConfigError(
        f"there is no regression of {what} before {regression.id}", None, "See: suzuri regress list"
    )


@click.command()
@click.argument("bucket")
@click.option("--owner", metavar="NAME", help='Whose it is; "" for nobody.')
@click.option("--note", "text", metavar="TEXT", help='What is known of it; "" for nothing.')
@kept_options
def note(
    bucket: str,
    owner: str | None,
    text: str | None,
    path: Path,
    build: Path | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Say whose BUCKET is and what is known of it, or show what was said.

    BUCKET is an id of a report, or how it begins. Owner and note are in the
    next report, as long as the bucket is seen.
    """
    from flow.regress.kept import Home, bucket_of

    home = Home.of(path, build, database)
    with home.history() as history:
        identity = bucket_of(bucket, list(history.buckets(home.design)), home.design)
        if owner is not None or text is not None:
            history.annotate(home.design, identity, owner=owner, note=text)
        past = history.buckets(home.design)[identity]
        last = _last_with(history, home, identity)
    if as_json:
        from flow.cli.main import echo_json

        told = asdict(past.bucket)
        del told["members"]
        echo_json({**told, "last_with": last})
        return
    _tell(past, last)


def _last_with(history: History, home: Home, bucket: str) -> str:
    return next(iter(history.with_bucket(home.design, bucket)), "")


def _tell(past: Past, last: str) -> None:
    bucket = past.bucket
    seen = f"first seen at {bucket.first_seen[:10] or 'an unknown commit'}"
    seen += f", {bucket.since.replace('T', ' ')[:16]}" if bucket.since else ""
    seen += f"; last good {bucket.last_good[:10]}" if bucket.last_good else ""
    click.echo(f"{bucket.id}  {'open' if past.open else 'fixed'}  {bucket.verdict}  {bucket.title}")
    for name, value in (("place", bucket.place), ("seen", seen), ("last in", last),
                        ("owner", bucket.owner or "—"), ("note", bucket.note or "—")):  # fmt: skip
        if value:
            click.echo(f"  {name:<8}{value}")

"""``suzuri bisect``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.output import flush
from flow.cli.regress_kept import kept_options

if TYPE_CHECKING:
    from flow.regress.bisect import Bisection, Step
    from flow.regress.history import History
    from flow.regress.kept import Home
    from flow.regress.model import Regression

__all__ = ["bisect"]


@click.command()
@click.argument("bucket")
@click.option("--good", default="", metavar="COMMIT", help="A commit without the failure; by default the "
              "last one that a regression saw pass.")  # fmt: skip
@click.option("--bad", default="", metavar="COMMIT", help="A commit with it; by default the first one seen.")
@click.option("--from", "source", metavar="ID", help="Take the bucket from this regression, an id or a path; "
              "by default the latest that had it.")  # fmt: skip
@click.option("--again", is_flag=True, help="Run commits again although it is known what they show.")
@click.option("--timeout", "wall_s", type=click.FloatRange(min=1), default=3600.0, show_default=True,
              metavar="S", help="Limit of one run, in seconds.")  # fmt: skip
@kept_options
def bisect(
    bucket: str,
    good: str,
    bad: str,
    source: str | None,
    again: bool,
    wall_s: float,
    path: Path,
    build: Path | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Find the commit that brought BUCKET.

    BUCKET is an id of a report, or how it begins. Its reproducer is run in
    work trees of the commits between the last good and the first bad one;
    your checkout is left alone. A commit that does not build tells nothing
    and is passed over. What a commit showed is remembered, that it does not
    build too; --again runs all of them again.

    Exit codes: 0 found, 1 not found, 2 your input, 3 a tool or machine.
    """
    from flow.regress.bisect import NothingToFind
    from flow.regress.bisect import bisect as search
    from flow.regress.kept import Home, bucket_of

    home = Home.of(path, build, database)
    show = _Show(quiet=as_json)
    with home.history() as history:
        if source is None:
            identity = bucket_of(bucket, list(history.buckets(home.design)), home.design)
            regression = _last_with(home, history, identity)
        else:
            regression = home.find(source).regression
            identity = bucket_of(bucket, [b.id for b in regression.buckets], regression.id)
        title = next((b.title for b in regression.buckets if b.id == identity), "")
        show.say(f"Bucket {identity}: {title}")
        try:
            found = search(
                regression, identity, history, _top(home.root),
                good=good, bad=bad, again=again, wall_s=wall_s, plan=show.plan, note=show.note,
            )  # fmt: skip
        except NothingToFind as error:
            if as_json:
                _print_json(identity, show.steps, None, str(error))
            if regression.dirty:
                hint = (
                    "It was seen with changes that no commit has: commit them, and run the regression again"
                )
                raise NothingToFind(error.what, error.where, hint) from None
            raise
    if as_json:
        _print_json(identity, show.steps, found, "")
    else:
        show.conclude(found)
    flush()
    sys.exit(0 if found.first_bad else 1)


def _last_with(home: Home, history: History, bucket: str) -> Regression:
    """Return the latest regression with a bucket whose folder is here."""
    from flow.model.errors import ConfigError

    here = set(home.ids())
    seen = history.with_bucket(home.design, bucket)
    for identity in seen:
        if identity in here:
            return home.read(identity).regression
    raise ConfigError(
        f"no regression with bucket {bucket} is in {home.build / 'regress'} any more",
        None,
        f"Name the regression.json of {seen[0]} with --from" if seen else None,
    )


def _top(root: Path) -> Path:
    """Return the checkout that a design is in; its own folder where there is none."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


class _Show:
    """Prints a search as it goes on."""

    def __init__(self, *, quiet: bool) -> None:
        self.steps: list[Step] = []
        self._quiet = quiet

    def say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text)
            flush()

    def plan(self, commits: Sequence[str], command: str) -> None:
        between = max(0, len(commits) - 2)
        runs = 2 + math.ceil(math.log2(between + 1))
        self.say(f"Good {commits[0][:10]}, bad {commits[-1][:10]}, {between} between: about {runs} runs of")
        self.say(f"    {command}")

    def note(self, step: Step) -> None:
        self.steps.append(step)
        took = "known" if step.cached else f"{step.time_s:.1f} s"
        self.say(f"{step.state:<7} {step.commit[:10]}  {took:>8}  {step.subject}")
        if step.why:
            self.say(f"        {step.why}")

    def conclude(self, found: Bisection) -> None:
        subjects = {step.commit: step.subject for step in self.steps}
        if found.first_bad:
            self.say(f"First bad commit: {found.first_bad[:10]} {subjects[found.first_bad]}")
        else:
            self.say("Commits before the first bad one tell nothing; it is one of these:")
            for commit in found.candidates:
                self.say(f"    {commit[:10]} {subjects.get(commit, '')}")
            if any(step.cached and step.state == "untold" for step in self.steps):
                self.say("What was known to tell nothing was not run again; --again runs it.")
        last = found.candidates[-1]
        self.say(f"See it:    git show {last[:10]}")
        self.say(f"Repeat it: git switch --detach {last[:10]} && {found.command}")


def _print_json(bucket: str, steps: Sequence[Step], found: Bisection | None, why: str) -> None:
    from dataclasses import asdict

    from flow.cli.main import echo_json

    told: dict[str, Any] = {
        "version": 1,
        "bucket": bucket,
        "first_bad": found.first_bad if found else "",
        "subject": next((s.subject for s in steps if found and s.commit == found.first_bad), ""),
        "candidates": list(found.candidates) if found else [],
        "command": found.command if found else "",
        "why": why,
        "steps": [asdict(step) for step in steps],
    }
    echo_json(told)

"""All results of a regression as the page's script reads them: columns, with every text once.

A table of 100,000 results must open at once, so what repeats is written once: texts are numbers into one
list, and a command or a path that differs by its seed alone is one text with a mark for the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flow.regress.model import Bucket, Regression, Result
from flow.report.markup import Html, clean
from flow.report.regress.words import VERDICTS

__all__ = ["MARK", "columns", "ordered", "script"]

#: Stands for the seed within a text.
MARK = "\uffff"

_LONG = 4_000  # characters of one traceback
_TRACES = 6_000_000  # characters of all tracebacks; the others are in the record beside the page
_SHORT = 600  # characters of a message
_FLAKY, _QUARANTINED = 1, 2


class _Texts:
    """Texts by number, each once; 0 is the empty one."""

    def __init__(self) -> None:
        self.all: list[str] = [""]
        self._known: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = len(self.all)
            self.all.append(text)
        return found

    def seeded(self, text: str, seed: str) -> int:
        # A short seed such as 1 is found inside other words and numbers too, which is no harm:
        # the script puts the same seed back everywhere.
        return self.add(text.replace(MARK, "?").replace(seed, MARK) if text else "")


def ordered(regression: Regression, buckets: Sequence[Bucket]) -> list[tuple[Result, int]]:
    """Return every result with the number of its bucket, -1 without: what needs a look comes first.

    Parameters
    ----------
    regression
        Its results.
    buckets
        Its buckets in the order in which they are shown.
    """
    where = {key: (n, k) for n, b in enumerate(buckets) for k, key in enumerate(b.members)}
    far = (len(buckets), 0)
    rank = {verdict: n for n, verdict in enumerate(VERDICTS)}

    def order(result: Result) -> tuple[object, ...]:
        bad = result.verdict.bad
        place = where.get(result.key, far)
        return not bad, *place, not result.flaky, rank[result.verdict], result.test, result.testcase

    listed = sorted(regression.results, key=order)
    return [(result, where.get(result.key, (-1, 0))[0]) for result in listed]


def columns(rows: Sequence[tuple[Result, int]], pictures: Mapping[int, str]) -> dict[str, Any]:
    """Return `rows` as columns of numbers and one list of texts.

    Parameters
    ----------
    rows
        As :func:`ordered` gives them.
    pictures
        Ids of the elements with wave pictures, by row.

    Returns
    -------
    dict
        ``texts``, and columns with an entry for each row: ``test``, ``testcase``, ``command``, ``log``
        (texts), ``seed`` (text in its own column), ``verdict`` (place in ``VERDICTS``), ``time`` (s),
        ``sim`` (ns), ``bucket``. Columns that most rows have nothing in are objects by row: ``message``,
        ``place``, ``waves``, ``host`` (texts), ``flags``, ``attempts``, ``trace``, ``picture``. ``index`` is
        the seed's number.
    """
    texts = _Texts()
    rank = {verdict: n for n, verdict in enumerate(VERDICTS)}
    names = ("test", "testcase", "seed", "verdict", "time", "sim", "bucket", "index", "command", "log")
    dense: dict[str, list[Any]] = {name: [] for name in names}
    rare: dict[str, dict[int, Any]] = {
        name: {} for name in ("message", "place", "waves", "host", "flags", "attempts", "trace")
    }
    left = _TRACES
    for row, (result, bucket) in enumerate(rows):
        seed = str(result.seed)
        values = (
            texts.add(result.test),
            texts.add(result.testcase),
            seed,
            rank[result.verdict],
            None if result.time_s is None else float(f"{result.time_s:.4g}"),
            None if result.sim_time_ns is None else float(f"{result.sim_time_ns:.9g}"),
            bucket,
            result.index,
            texts.seeded(result.command, seed),
            texts.seeded(result.log, seed),
        )
        for name, value in zip(names, values, strict=True):
            dense[name].append(value)
        flags = _FLAKY * result.flaky | _QUARANTINED * result.quarantined
        trace = result.traceback[-_LONG:].strip()
        left -= len(trace)
        for name, some in (
            ("message", texts.seeded(result.message[:_SHORT], seed)),
            ("place", texts.add(result.place)),
            ("waves", texts.seeded(result.waves, seed)),
            ("host", texts.add(result.host)),
            ("flags", flags),
            ("attempts", result.attempts if result.attempts != 1 else 0),
            ("trace", texts.seeded(trace, seed) if left >= 0 else -1 if trace else 0),
        ):
            if some:
                rare[name][row] = some
    whole = {name: [int(v) if v is not None and v == int(v) else v for v in dense[name]] for name in ("sim",)}
    return {"texts": texts.all, **dense, **whole, **rare, "picture": dict(pictures)}


def script(ident: str, data: Mapping[str, Any]) -> Html:
    """Return `data` as a block that no browser runs, and that no text in it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = clean(text.replace(MARK, "\\uffff"))
    for sign, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, escaped)
    return Html(f'<script type="application/json" id="{ident}">{text}</script>')

"""All results of a regression as the page's script reads them: columns, with every text once.

A table of 100,000 results must open at once, so what repeats is written once: texts are numbers into one
list, and a command or a path that differs by its seed alone is one text with a mark for the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
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

    found = []
    for result in regression.results:
        place = where.get(result.key, far)
        order = (
            not result.verdict.bad,
            *place,
            not result.flaky,
            rank[result.verdict],
            result.test,
            result.testcase,
        )
        found.append((order, result, place[0] if place is not far else -1))
    found.sort(key=itemgetter(0))
    return [(result, number) for _, result, number in found]


def _short(value: float | None, digits: int) -> float | None:
    """Return `value` with so many digits, as a whole number where it is one."""
    if value is None:
        return None
    kept = float(f"{value:.{digits}g}")
    return int(kept) if kept.is_integer() else kept


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
    add, seeded = texts.add, texts.seeded
    rank = {verdict: n for n, verdict in enumerate(VERDICTS)}
    names = ("test", "testcase", "seed", "verdict", "time", "sim", "bucket", "index", "command", "log")
    dense: list[tuple[Any, ...]] = []
    rare: dict[str, dict[int, Any]] = {
        name: {} for name in ("message", "place", "waves", "host", "flags", "attempts", "trace")
    }
    left = _TRACES
    for row, (result, bucket) in enumerate(rows):
        seed = str(result.seed)
        dense.append(
            (
                add(result.test),
                add(result.testcase),
                seed,
                rank[result.verdict],
                _short(result.time_s, 4),
                _short(result.sim_time_ns, 9),
                bucket,
                result.index,
                seeded(result.command, seed),
                seeded(result.log, seed),
            )
        )
        if result.message:
            rare["message"][row] = seeded(result.message[:_SHORT], seed)
        if result.place:
            rare["place"][row] = add(result.place)
        if result.waves:
            rare["waves"][row] = seeded(result.waves, seed)
        if result.host:
            rare["host"][row] = add(result.host)
        if result.flaky or result.quarantined:
            rare["flags"][row] = _FLAKY * result.flaky | _QUARANTINED * result.quarantined
        if result.attempts != 1:
            rare["attempts"][row] = result.attempts
        if trace := result.traceback[-_LONG:].strip():
            left -= len(trace)
            rare["trace"][row] = seeded(trace, seed) if left >= 0 else -1
    lists = list(zip(*dense, strict=True)) or [()] * len(names)
    return {"texts": texts.all, **dict(zip(names, lists, strict=True)), **rare, "picture": dict(pictures)}


def script(ident: str, data: Mapping[str, Any]) -> Html:
    """Return `data` as a block that no browser runs, and that no text in it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = clean(text.replace(MARK, "\\uffff"))
    for sign, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, escaped)
    return Html(f'<script type="application/json" id="{ident}">{text}</script>')

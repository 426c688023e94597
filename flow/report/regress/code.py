"""Code coverage on the page: files, the source around what is missing, and what is waived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flow.report.marks import bar, table, th
from flow.report.markup import Child, Html, h
from flow.report.regress.words import percent
from flow.report.units import count

__all__ = ["code_parts"]

_MOST_FILES = 400
_OPEN = 1  # files whose source is shown at once
_NAMES = {"line": "line", "toggle": "toggle", "branch": "branch", "expression": "expression"}


def code_parts(code: Mapping[str, Any]) -> list[Child]:
    """Return what the section of coverage has of the code.

    Parameters
    ----------
    code
        As :func:`flow.regress.codecov.summary.code_summary` returns it; empty
        where none was collected.
    """
    if not code:
        return []
    return [_unread(code), _files(code), *_sources(code["files"]), _waived(code["waived"])]


def _unread(code: Mapping[str, Any]) -> Html | None:
    lost = code["unread"]
    if not lost:
        return None
    more = len(lost) - 3 + code["unread_more"]
    said = "; ".join(f"{test} seed {seed}: {reason}" for test, seed, reason in lost[:3])
    return h(
        "p",
        "Without code coverage: ",
        said,
        f" and {count(more)} more" if more > 0 else "",
        ".",
        class_="note",
    )


def _missing(row: Mapping[str, Any]) -> int:
    return sum(total - covered for covered, total in row["kinds"].values())


def _files(code: Mapping[str, Any]) -> Html | None:
    files = code["files"]
    if not files:
        return None
    kinds = list(code["kinds"])
    head = [th("File"), *(th(kind.capitalize(), number=True) for kind in kinds), th("Missing", number=True),
            h("td", class_="g")]  # fmt: skip
    body = []
    for place, row in enumerate(files[:_MOST_FILES]):
        cells = []
        for kind in kinds:
            own = row["kinds"].get(kind)
            title = f"{count(own[0])} of {count(own[1])}" if own else None
            share = own[0] / own[1] if own else 2
            cells.append(h("td", percent(*own) if own else "—", class_="n", data_v=share, title=title))
        covered, total = (sum(values) for values in zip(*row["kinds"].values(), strict=True))
        name: Child = h("a", row["file"], href=f"#code-{place}") if _missing(row) else row["file"]
        tone = "good" if covered == total else "warn"
        body.append(
            h(
                "tr",
                h("th", name, scope="row", class_="path-cell"),
                *cells,
                h("td", count(total - covered), class_="n", data_v=total - covered),
                h("td", bar(covered / total, tone), class_="g"),
            )
        )
    more = len(files) - _MOST_FILES
    rest = h("p", f"and {count(more)} more files that miss no more", class_="note") if more > 0 else None
    return h(
        "div",
        h("h3", "Code by file"),
        table("Code coverage by file", head, body, ident="t-code", cls="sortable", tall=True),
        rest,
    )


def _sources(files: Sequence[Mapping[str, Any]]) -> list[Html]:
    """Return the source of each file around its holes; the worst file is open."""
    found: list[Html] = []
    for place, row in enumerate(files[:_MOST_FILES]):
        if not _missing(row):
            continue
        holes = sum(1 for line in row["lines"] if line[3])
        said = f"{count(holes + row['more'])} line{'s' if holes + row['more'] != 1 else ''} with holes"
        lines: list[Child] = []
        last = None
        for number, text, executed, missing in row["lines"]:
            if last is not None and number > last + 1:
                lines.append(h("div", "⋮", class_="c-gap"))
            lines.append(_line(number, text, executed, missing))
            last = number
        more = (
            f"and {count(row['more'])} more lines with holes; all are in regression.json"
            if row["more"]
            else ""
        )
        found.append(
            h(
                "details",
                h("summary", h("code", row["file"]), f"  {said}"),
                h(
                    "div",
                    *lines,
                    class_="c-src",
                    id=f"code-{place}",
                    tabindex="0",
                    role="region",
                    aria_label=row["file"],
                ),
                h("p", more, class_="note") if more else None,
                open="" if len(found) < _OPEN else None,
            )
        )
    return found


def _line(number: int, text: str, executed: int | None, missing: Sequence[Sequence[str]]) -> Html:
    never = any(kind == "line" for kind, *_ in missing)
    tone = "miss" if never and not executed else "part" if missing else "hit" if executed else ""
    times = "" if executed is None else f"{count(executed)}×"
    said = [
        h("span", h("b", _NAMES.get(kind, ""), " ") if kind else None, what,
          h("code", f"{place}  {generated}") if place else None)
        for kind, what, place, generated in missing
        if not (kind == "line" and not place)
    ]  # fmt: skip
    return h(
        "div",
        h("span", str(number), class_="c-no"),
        h("span", times, class_="c-times"),
        h("code", text or " ", class_="c-text"),
        h("div", *said, class_="c-said") if said else None,
        class_=f"c-line {tone}".strip(),
    )


def _waived(waived: Sequence[Mapping[str, Any]]) -> Html | None:
    if not waived:
        return None
    head = [th("Waived"), th("Reason"), th("Points", number=True), th("Hit all the same", number=True)]
    body = [
        h(
            "tr",
            h("th", row["what"], scope="row", class_="path-cell"),
            h("td", row["reason"], class_="wide"),
            h("td", count(row["points"]), class_="n", data_v=row["points"]),
            h("td", count(row["hit"]), class_="n", data_v=row["hit"]),
        )
        for row in waived
    ]
    return h(
        "div", h("h3", "Waived code"), table("Waived code", head, body, ident="t-waived", cls="sortable")
    )

"""The report as one HTML file that needs nothing else: no network, no server, no script."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from flow.report.marks import icon
from flow.report.markup import Html, clean, h, join
from flow.report.rundata import Run, text
from flow.report.sections.breakdown import area, power
from flow.report.sections.checks import checks
from flow.report.sections.identity import identities, provenance, reproduce
from flow.report.sections.ppa import ppa
from flow.report.sections.steps import steps
from flow.report.sections.summary import VERDICTS, headline, verdict
from flow.report.sections.timing import histograms, worst_paths
from flow.report.sections.verification import tests

__all__ = ["SECTIONS", "render", "write"]

#: Sections in reading order: id, name in the navigation, and what makes it.
SECTIONS = (
    ("verdict", "Verdict", verdict),
    ("numbers", "Headline", headline),
    ("ppa", "PPA", ppa),
    ("slack", "Slack", histograms),
    ("area", "Area", area),
    ("power", "Power", power),
    ("tests", "Tests", tests),
    ("paths", "Paths", worst_paths),
    ("checks", "Checks", checks),
    ("steps", "Steps", steps),
    ("tools", "Tools", identities),
    ("provenance", "Provenance", provenance),
    ("reproduce", "Reproduce", reproduce),
)

# Hatching for violated columns; shared by every chart of the page.
_DEFS = Html(
    '<svg width="0" height="0" class="vh" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="5"/></pattern></defs></svg>'
)


@cache
def _asset(name: str) -> str:
    return (files("flow.report") / "assets" / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return a content policy that allows this page's own script and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def _masthead(run: Run) -> Html:
    design = run.design
    facts = [text(design.get("top")), text(run.info.get("started")).replace("T", " ")[:16]]
    commit = text(design.get("commit"))[:8]
    facts.append(f"commit {commit}{' + changes' if design.get('dirty') else ''}" if commit else "")
    described = text(design.get("description"))
    return h(
        "header",
        h("p", "Suzuri run report", class_="brand"),
        h("h1", run.name),
        h("p", described, class_="described") if described else None,
        h("p", *(h("span", f) for f in facts if f), class_="facts-line"),
        class_="masthead",
    )


def render(run: Mapping[str, Any]) -> str:
    """Return the report of `run` as one self-contained HTML document.

    Parameters
    ----------
    run
        The content of ``run.json``. Missing or null entries are shown as
        such; they never raise.

    Returns
    -------
    str
        The document. The same `run` gives the same text.
    """
    seen = Run(run)
    made = [(ident, name, body) for ident, name, make in SECTIONS if (body := make(seen)) is not None]
    tone, word, _ = VERDICTS.get(seen.status, ("mute", "No verdict", ""))
    links = [h("li", h("a", name, href=f"#{ident}")) for ident, name, _ in made]
    nav = h("nav", h("p", icon(tone), " ", h("b", seen.name)), h("ul", *links), aria_label="Sections")
    script = _asset("report.js")
    version = text(seen.info.get("suzuri_version"))
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("meta", name="generator", content=f"Suzuri {version}".strip()),
        h("link", rel="icon", href="data:,"),
        h("title", f"{seen.name}: {word.lower()} · Suzuri"),
        h("style", Html(_asset("report.css"))),
    )
    footer = h(
        "footer", h("p", f"Suzuri {version}".strip(), " · run ", h("code", text(seen.info.get("id")) or "?"))
    )
    page = h(
        "div", nav, h("main", _masthead(seen), *(b for _, _, b in made), footer, id="top"), class_="page"
    )
    skip = h("a", "Skip to the report", href="#verdict", class_="skip")
    body = h("body", _DEFS, skip, page, h("script", Html(script)))
    return "<!DOCTYPE html>\n" + join(h("html", head, body, lang="en")) + "\n"


def write(run: Mapping[str, Any], path: Path) -> Path:
    """Write the report of `run` to `path`: wholly, or not at all.

    Returns
    -------
    Path
        `path`.
    """
    document = clean(render(run))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(document)
            out.flush()
            os.fsync(out.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path

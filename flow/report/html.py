"""The report as one HTML file that needs nothing else: no network, no server, no script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow.report.document import document, write_text
from flow.report.marks import icon
from flow.report.markup import Html, h
from flow.report.rundata import Run, text
from flow.report.sections.breakdown import area, power
from flow.report.sections.checks import checks
from flow.report.sections.identity import identities, provenance, reproduce
from flow.report.sections.ppa import ppa
from flow.report.sections.steps import steps
from flow.report.sections.summary import VERDICTS, headline, verdict
from flow.report.sections.timing import histograms, worst_paths
from flow.report.sections.verification import tests
from flow.report.sections.workloads import energy

__all__ = ["SECTIONS", "render", "write"]

#: Sections in reading order: id, name in the navigation, and what makes it.
SECTIONS = (
    ("verdict", "Verdict", verdict),
    ("numbers", "Headline", headline),
    ("ppa", "PPA", ppa),
    ("slack", "Slack", histograms),
    ("area", "Area", area),
    ("power", "Power", power),
    ("energy", "Workloads", energy),
    ("tests", "Tests", tests),
    ("paths", "Paths", worst_paths),
    ("checks", "Checks", checks),
    ("steps", "Steps", steps),
    ("tools", "Tools", identities),
    ("provenance", "Provenance", provenance),
    ("reproduce", "Reproduce", reproduce),
)


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
    version = text(seen.info.get("suzuri_version"))
    footer = h(
        "footer", h("p", f"Suzuri {version}".strip(), " · run ", h("code", text(seen.info.get("id")) or "?"))
    )
    return document(
        f"{seen.name}: {word.lower()} · Suzuri",
        nav=nav,
        main=[_masthead(seen), *(b for _, _, b in made), footer],
        target="verdict",
        version=version,
    )


def write(run: Mapping[str, Any], path: Path) -> Path:
    """Write the report of `run` to `path`: wholly, or not at all.

    Returns
    -------
    Path
        `path`.
    """
    return write_text(render(run), path)

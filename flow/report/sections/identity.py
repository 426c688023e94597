"""What made these numbers: tools, PDKs, design, machine, and the command to make them again."""

from __future__ import annotations

import json

from flow.report.marks import null, section, table, th
from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Run, mapping, rows, text
from flow.report.units import duration, number, plain

__all__ = ["identities", "provenance", "reproduce"]


def _digest(value: object) -> Html:
    full = text(value)
    if not full:
        return null("no digest was recorded")
    bare = full.removeprefix("sha256:")
    return h("code", bare[:12], title=full) if len(bare) > 12 else h("code", bare)


def _or_null(value: object, reason: str) -> Child:
    return text(value) or null(reason)


def identities(run: Run) -> Html | None:
    """Return the identities of tools and PDKs."""
    tools = []
    for raw in run.raw.get("tools") or ():
        tool = mapping(raw)
        tools.append(
            h(
                "tr",
                h("th", text(tool.get("name")), scope="row"),
                h("td", _or_null(tool.get("version"), "the tool does not say its version")),
                h("td", text(tool.get("flavour"))),
                h("td", _digest(tool.get("digest"))),
                h("td", _or_null(tool.get("licence"), "unknown")),
                h(
                    "td",
                    h("code", text(tool.get("path"))) if tool.get("path") else None,
                    class_="wide path-cell",
                ),
            )
        )
    pdks = []
    for pdk in run.pdks:
        node = number(pdk.get("node_nm"))
        notes = pdk.get("notes")
        words = [text(n) for n in notes] if isinstance(notes, list | tuple) else []
        pdks.append(
            h(
                "tr",
                h("th", text(pdk.get("name")), scope="row"),
                h("td", text(pdk.get("library"))),
                h("td", plain(node) if node else null("the adapter does not say"), class_="n"),
                h("td", _or_null(pdk.get("version"), "the installation does not say its version")),
                h("td", _or_null(pdk.get("licence"), "unknown")),
                h(
                    "td",
                    text(pdk.get("description")),
                    *(h("span", w, class_="more") for w in words),
                    class_="wide",
                ),
            )
        )
    head_tools = [th(t) for t in ("Tool", "Version", "Provided as", "Digest", "Licence", "Path")]
    head_pdks = [th("PDK"), th("Library"), th("Node", number=True, unit="nm")]
    head_pdks += [th(t) for t in ("Version", "Licence", "About")]
    none = h("p", "No tool was used.", class_="empty")
    absent = [
        h("li", h("b", text(m.get("name"))), " ", text(m.get("reason")) or "no reason recorded")
        for m in rows(run.raw.get("missing_tools"))
    ]
    return section(
        "tools",
        "Tools and PDKs",
        None,
        table("Tools", head_tools, tools) if tools else none,
        h("div", h("h3", "Not there"), h("ul", *absent), class_="skipped") if absent else None,
        table("PDKs", head_pdks, pdks) if pdks else None,
    )


def _commit(run: Run) -> Child:
    commit = text(run.design.get("commit"))
    if not commit:
        return null("the design is not under git")
    dirty = run.design.get("dirty")
    return join(
        h("code", commit[:12], title=commit),
        h("span", " with uncommitted changes", class_="warn") if dirty else None,
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _when(value: object) -> str:
    return text(value).replace("T", " ").replace("+00:00", " UTC")


def _host(run: Run) -> Child:
    info = run.info
    cores = text(info.get("cores"))
    parts = [text(info.get("host")), text(info.get("system")), f"{cores} cores" if cores else ""]
    return ", ".join(filter(None, parts)) or null("the run did not record it")


def provenance(run: Run) -> Html | None:
    """Return where the numbers come from: design, parameters, constraints, machine."""
    design, info = run.design, run.info
    elapsed = number(info.get("elapsed_s"))
    lost = "the run did not record it"
    top = text(design.get("top"))
    pairs: list[tuple[str, Child]] = [
        ("Run", h("code", text(info.get("id")) or "?")),
        (
            "Started",
            h("time", _when(info.get("started")), datetime=text(info.get("started")))
            if info.get("started")
            else null(lost),
        ),
        ("Took", duration(elapsed) if elapsed is not None else null(lost)),
        ("Design", join(run.name, h("span", text(design.get("description")), class_="more"))),
        ("Top", join(h("code", top), " ", text(design.get("language"))) if top else null(lost)),
        ("Manifest", h("code", text(design.get("manifest"))) if design.get("manifest") else null(lost)),
        ("Commit", _commit(run)),
        ("Recipe", _or_null(design.get("recipe"), lost)),
        (
            "Master seed",
            h("code", text(info.get("master_seed"))) if info.get("master_seed") is not None else null(lost),
        ),
        ("Host", _host(run)),
        ("Suzuri", _or_null(info.get("suzuri_version"), lost)),
        ("Python", _or_null(info.get("python"), lost)),
    ]
    facts = h("dl", *(h("div", h("dt", k), h("dd", v)) for k, v in pairs), class_="facts")
    blocks = []
    for key, title in (("parameters", "Parameters"), ("constraints", "Constraints")):
        value = mapping(design.get(key))
        if value:
            listed = [
                h(
                    "div",
                    h("dt", h("code", k)),
                    h("dd", null("not set") if v is None else h("code", _shown(v))),
                )
                for k, v in value.items()
            ]
            blocks.append(h("div", h("h3", title), h("dl", *listed, class_="facts")))
    return section(
        "provenance", "Provenance", None, facts, h("div", *blocks, class_="columns") if blocks else None
    )


def reproduce(run: Run) -> Html | None:
    """Return the command that makes this run again, with a button that copies it."""
    command = text(run.info.get("reproduce")) or text(run.info.get("command"))
    if not command:
        return section("reproduce", "Reproduce", None, h("p", "The run recorded no command.", class_="empty"))
    box = h(
        "div",
        h("pre", h("code", command, id="command"), tabindex="0"),
        h("button", "Copy", type="button", data_copy="command", class_="js"),
        class_="command",
    )
    given = text(run.info.get("command"))
    typed = h("p", "Typed as ", h("code", given), class_="note") if given and given != command else None
    note = "The same tools, PDKs, seed and sources give the same numbers."
    if run.design.get("dirty"):
        note = "The sources had uncommitted changes, so the commit alone does not give these numbers."
    return section("reproduce", "Reproduce this run", note, box, typed)

"""The frame that every page shares: one HTML file that needs nothing else, written wholly or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from flow.report.markup import Child, Html, clean, h, join

__all__ = ["asset", "document", "write_text"]

# Hatching for violated columns; shared by every chart of a page.
_DEFS = Html(
    '<svg width="0" height="0" class="vh" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="5"/></pattern></defs></svg>'
)


@cache
def asset(name: str) -> str:
    """Return the text of a style sheet or script of this package."""
    return (files("flow.report") / "assets" / name).read_text(encoding="utf-8")


def _policy(scripts: Iterable[str]) -> str:
    """Return a content policy that allows a page's own scripts and nothing else."""
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"


def document(
    title: str,
    *,
    nav: Child,
    main: Sequence[Child],
    target: str,
    version: str = "",
    styles: Sequence[str] = ("report.css",),
    scripts: Sequence[str] = ("report.js",),
    data: Child = None,
) -> str:
    """Return a page.

    Parameters
    ----------
    title
        Of the window.
    nav
        The navigation.
    main
        Masthead, sections and footer.
    target
        Id that the link past the navigation leads to.
    version
        Of Suzuri.
    styles, scripts
        Names of assets, in order.
    data
        Markup behind the page and before its scripts, such as data for them.
    """
    code = [asset(name) for name in scripts]
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=_policy(code)),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("meta", name="generator", content=f"Suzuri {version}".strip()),
        h("link", rel="icon", href="data:,"),
        h("title", title),
        h("style", Html("".join(asset(name) for name in styles))),
    )
    page = h("div", nav, h("main", *main, id="top"), class_="page")
    skip = h("a", "Skip to the report", href=f"#{target}", class_="skip")
    body = h("body", _DEFS, skip, page, data, *(h("script", Html(text)) for text in code))
    return "<!DOCTYPE html>\n" + join(h("html", head, body, lang="en")) + "\n"


def write_text(text: str, path: Path) -> Path:
    """Write `text` to `path`: wholly, or not at all.

    Returns
    -------
    Path
        `path`.
    """
    text = clean(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path

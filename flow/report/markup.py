"""Markup by construction: every string is escaped unless it is already `Html`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["Child", "Html", "clean", "h", "join", "log_href"]

# Characters that no report should pass on: controls, lone surrogates, and the
# marks that reorder the text around them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Text that is markup already, so it is not escaped again."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]


def clean(text: object) -> str:
    """Return `text` as a string with unprintable characters replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", str(text))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int | float):
        return html.escape(clean(child), quote=True)
    return "".join(_child(c) for c in child)


def h(tag: str, *children: Child, **attrs: object) -> Html:
    """Return one element.

    Parameters
    ----------
    tag
        Name of the element.
    children
        Escaped unless they are `Html`; iterables are flattened, ``None`` is
        left out.
    attrs
        Attributes; a trailing ``_`` is dropped and other ``_`` become ``-``.
        ``None`` and ``False`` leave the attribute out, ``True`` gives it no
        value.
    """
    parts = [tag]
    for key, value in attrs.items():
        if value is None or value is False:
            continue
        name = key.rstrip("_").replace("_", "-")
        if name == "viewbox":
            name = "viewBox"
        parts.append(name if value is True else f'{name}="{html.escape(clean(value), quote=True)}"')
    start = f"<{' '.join(parts)}>"
    if tag in _VOID:
        return Html(start)
    return Html(f"{start}{''.join(_child(c) for c in children)}</{tag}>")


def join(*children: Child) -> Html:
    """Return `children` one after the other, without an element around them."""
    return Html("".join(_child(c) for c in children))


def log_href(path: object) -> tuple[str | None, str]:
    """Return `path` as a link from the results folder, and how far up it led.

    A run records its logs relative to its own folder (``../../steps/...``).
    The report lies there, and a copy of the latest lies in the results folder
    above; links fit the latter, and the page's script puts the leading ``../``
    back in the former. Absolute paths and anything with a scheme are refused.
    """
    text = clean(path) if path else ""
    up = ""
    while text.startswith("../"):
        up, text = up + "../", text[3:]
    if not text or text.startswith(("/", "\\")) or ".." in text.split("/"):
        return None, ""
    return quote(text, safe="/"), up

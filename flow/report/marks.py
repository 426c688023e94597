"""Small pieces that every section uses: states, numbers, nulls, tables."""

from __future__ import annotations

from collections.abc import Sequence

from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Num
from flow.report.units import fixed

__all__ = ["TONES", "bar", "filter_tools", "icon", "null", "num", "section", "slack", "state", "table", "th"]

#: What each status means to a reader: the tone, and the word shown.
TONES = {
    "pass": ("good", "Pass"),
    "done": ("good", "Ran"),
    "cached": ("calm", "Cached"),
    "fail": ("bad", "Fail"),
    "failed": ("bad", "Failed"),
    "error": ("bad", "Error"),
    "infra": ("bad", "Machine failed"),
    "warning": ("warn", "Warning"),
    "cancelled": ("warn", "Cancelled"),
    "skipped": ("mute", "Skipped"),
    "skip": ("mute", "Skipped"),
    "none": ("mute", "Not run"),
    "info": ("mute", "Info"),
}

# The shape differs with the tone, so colour is never the only sign.
_SHAPES = {
    "good": '<circle cx="8" cy="8" r="7"/><path d="M4.6 8.3l2.3 2.3 4.5-5"/>',
    "calm": '<circle cx="8" cy="8" r="7"/><path d="M4.6 8.3l2.3 2.3 4.5-5"/>',
    "bad": '<path class="s" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
    "warn": '<path class="s" d="M8 1.2l7.2 13H.8z"/><path d="M8 6v3.6M8 11.6v.6"/>',
    "mute": '<circle cx="8" cy="8" r="7"/><path d="M4.8 8h6.4"/>',
}


def icon(tone: str) -> Html:
    """Return the shape of `tone`; decorative, since a word always stands beside it."""
    shape = _SHAPES.get(tone, _SHAPES["mute"])
    return Html(
        f'<svg class="i {tone}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{shape}</svg>'
    )


def state(status: str, word: str | None = None) -> Html:
    """Return a status as icon and word."""
    tone, usual = TONES.get(status, ("mute", status.capitalize() or "Unknown"))
    return h("span", icon(tone), " ", word or usual, class_=f"state {tone}")


def null(reason: str) -> Html:
    """Return an em dash that gives `reason` on hover and on focus."""
    why = reason or "not reported"
    return h(
        "span", "—", class_="null", title=why, tabindex="0", role="note", aria_label=f"not available: {why}"
    )


def num(value: Num | float | None, shown: str | None = None, *, unit: str = "", reason: str = "") -> Html:
    """Return `shown` for a value, with a small unit, or the em dash and its reason."""
    if isinstance(value, Num):
        reason = value.reason
        value = value.value
    if value is None:
        return null(reason)
    text = shown if shown is not None else fixed(value)
    return join(text, h("span", " " + unit, class_="u")) if unit else join(text)


def slack(value: Num | float | None, *, reason: str = "", unit: str = "") -> Html:
    """Return a slack in nanoseconds: sign, shape, colour and hidden word all agree."""
    if isinstance(value, Num):
        reason = value.reason
        value = value.value
    if value is None:
        return null(reason)
    met = value >= 0
    digits = 3 if abs(value) >= 0.001 or value == 0 else 6
    return h(
        "span",
        h("span", "▲" if met else "▼", class_="tri", aria_hidden="true"),
        " ",
        fixed(value, digits),
        h("span", " " + unit, class_="u") if unit else None,
        h("span", " met" if met else " violated", class_="vh"),
        class_=f"slack {'good' if met else 'bad'}",
    )


def bar(share: float, tone: str = "") -> Html:
    """Return a horizontal bar of `share` (0 to 1); decorative."""
    width = min(100.0, max(0.0, share * 100))
    return h(
        "span", h("span", style=f"width:{width:.2f}%", class_=tone or None), class_="bar", aria_hidden="true"
    )


def th(label: Child, *, number: bool = False, unit: str = "", title: str = "", span: int = 1) -> Html:
    """Return a column header."""
    return h(
        "th",
        label,
        h("span", f" {unit}", class_="u") if unit else None,
        scope="col",
        class_="n" if number else None,
        title=title or None,
        colspan=span if span > 1 else None,
    )


def table(
    caption: str,
    head: Sequence[Child],
    body: Sequence[Child],
    *,
    ident: str | None = None,
    cls: str = "",
    hide_caption: bool = True,
    tall: bool = False,
) -> Html:
    """Return a table in a scrolling frame of its own, so the page never scrolls sideways."""
    inner = h(
        "table",
        h("caption", caption, class_="vh" if hide_caption else None),
        h("thead", h("tr", *head)),
        body if any("<tbody" in b for b in body if isinstance(b, Html)) else h("tbody", *body),
        id=ident,
        class_=cls or None,
    )
    return h(
        "div",
        inner,
        class_="frame tall" if tall else "frame",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def filter_tools(ident: str, options: Sequence[tuple[str, str, int]], hint: str) -> Html:
    """Return the filter of the table `ident`; `options` are ``(state, word, how many)``."""
    total = sum(n for _, _, n in options)
    listed = [h("option", f"All ({total})", value="")]
    listed += [h("option", f"{word} ({n})", value=state) for state, word, n in options if n]
    return h(
        "div",
        h("label", "Filter ", h("input", type="search", data_filter=ident, placeholder=hint)),
        h("label", "Show ", h("select", *listed, data_state_of=ident)),
        h("span", class_="hits", role="status", data_hits=ident),
        class_="tools js",
    )


def section(ident: str, title: str, note: Child, *body: Child) -> Html:
    """Return a section with its heading and one line that says what it shows."""
    return h(
        "section",
        h("h2", h("a", title, href=f"#{ident}"), id=f"{ident}-h"),
        h("p", note, class_="note") if note else None,
        *body,
        id=ident,
        aria_labelledby=f"{ident}-h",
    )

"""HDL files as every compiler of them wants to know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["HdlFiles", "verilog_literal"]

_LITERAL = re.compile(
    r"^(?:\d+\s*)?'[sS]?[bBoOdDhH]\s*[0-9a-fA-FxXzZ?_]+$|^[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlFiles:
    """HDL files in compile order, with what is needed to read them.

    Attributes
    ----------
    files, include_dirs
        Paths as the compiler's command line gets them.
    top
        Name of the top module.
    defines
        Macros; an empty value defines the bare name.
    parameters
        Overrides of the top's parameters.
    """

    files: tuple[str, ...]
    top: str
    include_dirs: tuple[str, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError(f"top {self.top}: no source file")


def verilog_literal(value: object) -> str:
    """Return a parameter value as Verilog writes it.

    Text that already is a number or a sized literal (``8'hff``) stays as it
    is; other text becomes a string literal.

    Raises
    ------
    TypeError
        `value` is neither a number, a truth value nor text.
    """
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        if _LITERAL.match(value.strip()):
            return value.strip()
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    raise TypeError(f"a Verilog parameter is a number, a truth value or text, not {type(value).__name__}")

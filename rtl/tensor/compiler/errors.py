"""The compiler's one error."""

from __future__ import annotations

__all__ = ["CompileError"]


class CompileError(ValueError):
    """A network that cannot be compiled: what is wrong with it, where, and what to do.

    Parameters
    ----------
    model
        The file, as the user named it.
    where
        The operator, tensor or byte it concerns.
    what
        What is wrong, in one sentence without a full stop.
    remedy
        What the user can do about it.
    """

    def __init__(self, model: str, where: str, what: str, remedy: str) -> None:
        super().__init__(model, where, what, remedy)
        self.model = model
        self.where = where
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.model, self.where) if part)
        return f"{place}: {self.what}. {self.remedy}"

"""What people look at in the morning: a page, pictures of waves, a terminal summary, a comparison."""

from flow.report.regress.page import render, write

__all__ = ["render", "write"]

"""Sweeps for people: one self-contained page, and a view for the terminal."""

from flow.report.sweep.page import render_page, write_page
from flow.report.sweep.terminal import render

__all__ = ["render", "render_page", "write_page"]

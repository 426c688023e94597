"""Regressions: tests by seeds, what broke, since when, and which failures are one bug."""

"""The pipelines: one module a preset, made from the same units."""

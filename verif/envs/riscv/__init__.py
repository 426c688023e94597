"""The environment of a core: memory and devices, model, scoreboard, coverage, programs."""

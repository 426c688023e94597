"""Environment of the MAC tile: agents, scoreboard, coverage, stimulus."""

"""Environments: one a design, made of agents, a scoreboard and coverage."""

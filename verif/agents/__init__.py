"""Agents: one an interface, reused by every environment."""

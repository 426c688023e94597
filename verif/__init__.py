"""Verification: agents for interfaces, environments, benches, coverage. Benches run inside a simulator."""

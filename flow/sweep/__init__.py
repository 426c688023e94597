"""Sweeps: spaces of parameters, flow options and PDKs; samplers, fidelity, and what can be believed."""

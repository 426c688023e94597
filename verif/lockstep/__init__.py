"""Lockstep with Spike, random programs, and what they covered."""

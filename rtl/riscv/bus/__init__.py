"""Bus initiators: what stands between a core and a system's own bus."""

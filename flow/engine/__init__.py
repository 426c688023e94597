"""Plans a graph, hashes it, runs it on Dask, and stores what came of it."""

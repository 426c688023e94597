"""The steps of a chip flow, in terms of model and tools."""

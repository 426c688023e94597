"""Programs for the cores: runtime, kernels, directed tests."""

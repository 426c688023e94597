"""cocotb test modules: one a design."""

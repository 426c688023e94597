"""Neural networks on the accelerator: inputs, simulations of programs, and tables of layers."""

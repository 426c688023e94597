"""The neural network accelerator: its configuration, its commands, and its RTL."""

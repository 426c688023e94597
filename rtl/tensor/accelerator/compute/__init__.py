"""COMPUTE engine: convolutions, pooling and sums, from the activation memory and back to it."""

from rtl.tensor.accelerator.compute.engine import ComputeEngine

__all__ = ["ComputeEngine"]

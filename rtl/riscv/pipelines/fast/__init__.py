"""The fast pipeline: in order, one or two instructions a cycle."""

from rtl.riscv.pipelines.fast.pipeline import FastPipeline

__all__ = ["FastPipeline"]

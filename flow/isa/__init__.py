"""RISC-V programs on simulated cores: loading, disassembly, traces, and what came of a run."""

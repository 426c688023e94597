"""Random programs: assembler, frame with a trap handler, and the stream of instructions."""

from verif.lockstep.random.program import RandomProgram, generate

__all__ = ["RandomProgram", "generate"]

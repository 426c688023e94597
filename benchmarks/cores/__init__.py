"""Area and frequency of the RISC-V cores, by one recipe that anyone can repeat.

Nangate 45 nm, typical corner, flattened, registers in flip-flops, no layout;
frequency from register-to-register paths in OpenSTA; a gate equivalent is the
area of NAND2_X1. Memories of caches and tightly coupled memories are left out,
and paths into them too.
"""

from benchmarks.cores.rows import measure

__all__ = ["measure"]

"""RV32 in plain Python: what the benches of the cores compare with."""

from verif.models.riscv.hart import Hart, Observation, Retired
from verif.models.riscv.operation import Operation, decode

__all__ = ["Hart", "Observation", "Operation", "Retired", "decode"]

"""The compute engine alone, in Verilator: commands and memories in, memories and times out."""

from verif.harness.tensor_compute.harness import ComputeSimulator, Grants, Outcome, SimulationError, build

__all__ = ["ComputeSimulator", "Grants", "Outcome", "SimulationError", "build"]

"""Simulators of small accelerators, each built once a session."""

import pytest

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.harness.tensor.quick import build, elaborate

#: Small memories, so that programs that fill them are short; all widths of the port.
SMALL = {
    "4, 32 bits": {"array": 4, "bus_width": 32, "activation_kib": 2, "weight_kib": 1, "psum_words": 16},
    "4, 64 bits": {"array": 4, "bus_width": 64, "activation_kib": 2, "weight_kib": 1, "psum_words": 16},
    "8, 128 bits": {"array": 8, "bus_width": 128, "activation_kib": 4, "weight_kib": 1, "psum_words": 16},
    "16, 64 bits": {"array": 16, "bus_width": 64, "activation_kib": 4, "weight_kib": 2, "psum_words": 16},
}
_built = {}


def simulator(name, folder, burst_beats=16):
    """Return the simulator of a small accelerator, or skip the test."""
    key = (name, burst_beats)
    if key not in _built:
        try:
            VERILATOR.detect()
        except FlowError as error:
            pytest.skip(f"needs Verilator: {error}")
        parameters = SMALL[name]
        text = elaborate(burst_beats=burst_beats, **parameters)
        _built[key] = build(text, AcceleratorConfig(**parameters), folder, level="-O1")
    return _built[key]

"""The wires of one stream of the design under test."""

from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge

__all__ = ["StreamBus"]


class StreamBus:
    """Handles of a stream's ports, its clock edge and its reset.

    Ports are ``{name}__payload``, ``{name}__valid`` and ``{name}__ready``, as
    Amaranth writes them. The trigger is made once and shared: making one at
    every clock would cost more than the wait.

    Parameters
    ----------
    dut
        The simulated top.
    name
        The stream.
    clock, reset
        Names of the ports; the reset is synchronous and active high.

    Raises
    ------
    AttributeError
        The top has no such port.
    """

    def __init__(self, dut: HierarchyObject, name: str, *, clock: str = "clk", reset: str = "rst") -> None:
        self.name = name
        self.payload = getattr(dut, f"{name}__payload")
        self.valid = getattr(dut, f"{name}__valid")
        self.ready = getattr(dut, f"{name}__ready")
        self.reset = getattr(dut, reset)
        self.edge = RisingEdge(getattr(dut, clock))
        self.width = len(self.payload)

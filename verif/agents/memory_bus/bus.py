"""The wires of one memory bus of the design under test."""

from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge

__all__ = ["MemoryBusWires"]


class MemoryBusWires:
    """Handles of a memory bus's ports, its clock edge and its reset.

    Ports are ``{name}__request`` and so on, as Amaranth writes those of
    :class:`rtl.riscv.interfaces.MemoryBus`.

    Parameters
    ----------
    dut
        The simulated top.
    name
        The bus.
    clock, reset
        Names of the ports; the reset is synchronous and active high.

    Attributes
    ----------
    writable
        Whether it has write signals.
    words
        Words of 32 bits that it moves at a time.

    Raises
    ------
    AttributeError
        The top has no such port.
    """

    def __init__(self, dut: HierarchyObject, name: str, *, clock: str = "clk", reset: str = "rst") -> None:
        self.name = name
        for wire in ("request", "grant", "address", "response", "read_data", "error"):
            setattr(self, wire, getattr(dut, f"{name}__{wire}"))
        self.writable = hasattr(dut, f"{name}__write_data")
        if self.writable:
            for wire in ("write", "strobe", "write_data"):
                setattr(self, wire, getattr(dut, f"{name}__{wire}"))
        self.reset = getattr(dut, reset)
        self.edge = RisingEdge(getattr(dut, clock))
        self.words = len(self.read_data) // 32

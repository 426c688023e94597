"""The passive observer of RVFI."""

from collections.abc import Mapping
from dataclasses import dataclass

from cocotb.handle import HierarchyObject, LogicArrayObject
from cocotb.triggers import RisingEdge
from pyuvm import uvm_analysis_port, uvm_component

from rtl.riscv.interfaces import STATE

__all__ = ["Retirement", "RvfiMonitor"]

_WIDTHS = {
    "order": 64,
    "insn": 32,
    "trap": 1,
    "intr": 1,
    "mode": 2,
    "rs1_addr": 5,
    "rs2_addr": 5,
    "rs1_rdata": 32,
    "rs2_rdata": 32,
    "rd_addr": 5,
    "rd_wdata": 32,
    "pc_rdata": 32,
    "pc_wdata": 32,
    "mem_addr": 32,
    "mem_rmask": 4,
    "mem_wmask": 4,
    "mem_rdata": 32,
    "mem_wdata": 32,
}


@dataclass(frozen=True, slots=True)
class Retirement:
    """An instruction that retired.

    Attributes
    ----------
    cycle
        Clock edges since the monitor began.
    fields
        RVFI's signals of its lane, by name.
    state
        CSRs after it, by name; None if it is not the youngest of its cycle.
    """

    cycle: int
    fields: Mapping[str, int]
    state: Mapping[str, int] | None


def _number(handle: LogicArrayObject) -> int:
    """Return a value; what is unknown, as registers are before a program writes them, counts as zero."""
    try:
        return int(handle.value)
    except ValueError:
        return int(handle.value.resolve("zeros"))


class RvfiMonitor(uvm_component):
    """Report every instruction that retires, in program order.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top, which has ``rvfi__valid`` and the others.

    Attributes
    ----------
    ap
        Analysis port of ``Retirement``.
    cycle
        Clock edges seen.
    retired
        Instructions seen.
    """

    def __init__(self, name: str, parent: uvm_component, *, dut: HierarchyObject) -> None:
        super().__init__(name, parent)
        self._valid = dut.rvfi__valid
        self._fields = {name: getattr(dut, f"rvfi__{name}") for name in _WIDTHS}
        self._state = {name: getattr(dut, f"rvfi__state__{name}") for name in STATE}
        self._edge = RisingEdge(dut.clk)
        self._reset = dut.rst
        self._lanes = len(self._valid)
        self.cycle = self.retired = 0

    def build_phase(self) -> None:
        """Make the analysis port."""
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self) -> None:
        """Sample at every clock edge, before the design's flops change."""
        edge, valid, reset = self._edge, self._valid, self._reset
        while True:
            await edge
            self.cycle += 1
            if reset.value:
                continue
            lanes = int(valid.value)
            if lanes:
                self._report(lanes)

    def _report(self, lanes: int) -> None:
        youngest = lanes.bit_length() - 1
        values = {name: _number(handle) for name, handle in self._fields.items()}
        state = {name: _number(handle) for name, handle in self._state.items()}
        for lane in range(self._lanes):
            if lanes >> lane & 1:
                fields = {
                    name: values[name] >> width * lane & ((1 << width) - 1) for name, width in _WIDTHS.items()
                }
                self.retired += 1
                self.ap.write(Retirement(self.cycle, fields, state if lane == youngest else None))

"""What the parts of the execute stage share: its ports, its registers, and what they know of them."""

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import CustomUnit, StallReason, SystemPort
from rtl.riscv.pipelines.fast.access import Forwarded, access_layout
from rtl.riscv.pipelines.fast.operation import pair_layout
from rtl.riscv.pipelines.fast.predictor import PredictorUpdate

__all__ = ["ExecuteState", "retired_layout"]


def retired_layout(config: CoreConfig) -> data.StructLayout:
    """Return the layout of what RVFI needs to know of a cycle in execution."""
    slots = config.issue_width
    return data.StructLayout(
        {
            "valid": unsigned(slots),
            "trap": unsigned(1),
            "interrupt": unsigned(1),
            "next_pc": data.ArrayLayout(unsigned(31), slots),
            "pc": data.ArrayLayout(unsigned(31), slots),
            "memory": unsigned(slots),
            "read_data": unsigned(32),
            "writes": unsigned(slots),
            "write_data": unsigned(32),
            "stall": StallReason,
        }
    )


class ExecuteState(wiring.Component):
    """The ports and registers on which the parts of the execute stage work.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    pair, added, take : In(pair_layout), In(access_layout), In(1)
        From the stage before, and whether it advances.
    next_pc : In(31)
        Where the instruction after these is; holds when they are predicted taken.
    free : Out(1)
        What is here leaves now, or there is nothing.
    flush, target : Out(1), Out(31)
        Fetch begins again at the halfword address `target`.
    response, read_data, error : In(1), In(32), In(1)
        The data bus.
    system : Out(SystemPort)
        The system unit.
    results, final : Out(Forwarded) for each slot
        Results of this stage, and of write-back.
    update : Out(PredictorUpdate)
        For the predictor, a cycle later.
    sleeping, busy : Out(1)
        WFI waits here; there is anything here.
    halt, halt_cause : In(1), In(3)
        The debugger wants the core, and why.
    stepped, debug_done, debug_error : Out(1)
        An instruction is final, outside debug mode; in it; and that one failed.
    fence_i : Out(1)
        A FENCE.I, the cycle before it is final.
    custom : Out(CustomUnit)
        The extension interface.
    reserved, reserved_address : Out(1), Out(32)
        What LR has reserved.
    bus_request, bus_grant, bus_data : Out(1), In(1), Out(32)
        The second access of an atomic instruction, a write to
        ``values.address``.
    held, values : Out(pair_layout), Out(access_layout)
        What is here.
    retired : Out(retired_layout)
        For RVFI.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._slots = config.issue_width
        self._layout = pair_layout(config)
        super().__init__(
            {
                "pair": In(self._layout),
                "added": In(access_layout(config)),
                "take": In(1),
                "next_pc": In(31),
                "free": Out(1),
                "flush": Out(1),
                "target": Out(31),
                "response": In(1),
                "read_data": In(32),
                "error": In(1),
                "system": Out(SystemPort()),
                "results": Out(Forwarded()).array(self._slots),
                "final": Out(Forwarded()).array(self._slots),
                "update": Out(PredictorUpdate(config)),
                "sleeping": Out(1),
                "busy": Out(1),
                "halt": In(1),
                "halt_cause": In(3),
                "stepped": Out(1),
                "debug_done": Out(1),
                "debug_error": Out(1),
                "fence_i": Out(1),
                "custom": Out(CustomUnit()),
                "reserved": Out(1),
                "reserved_address": Out(32),
                "bus_request": Out(1),
                "bus_grant": In(1),
                "bus_data": Out(32),
                "held": Out(self._layout),
                "values": Out(access_layout(config)),
                "retired": Out(retired_layout(config)),
            }
        )

    def _make(self, m: Module) -> None:
        """Make what every part may look at."""
        slots = self._slots
        self._pair = Signal(self._layout, reset_less=True)
        self._added = Signal(access_layout(self._config), reset_less=True)
        self._valid = Signal(slots)
        self._operations = [self._pair.operations[i] for i in range(slots)]
        self._uses_memory = [
            self._valid[i] & (operation.load | operation.store)
            for i, operation in enumerate(self._operations)
        ]
        self._jump_fault = Signal()  # a jump goes to an address that is not aligned
        self._taken = Signal()  # a jump or branch goes elsewhere than on
        self._flow_slot: Value = Const(0, 1)  # in which slot it is
        self._left: Value = Const(0, 1)  # the first of two does: the second is not executed
        self._long_waits: Value = Const(0, 1)  # for the unit of several cycles
        self._phase = Signal(2)  # of an atomic instruction: read, write, done
        self._modifies = Signal()  # it is one that writes after it has read
        m.d.comb += [
            self.held.eq(self._pair),
            self.held.valid.eq(self._valid),
            self.values.eq(self._added),
        ]

"""A core with one fault at its ports, to see that a check notices it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from rtl.riscv.config import CoreConfig
from rtl.riscv.core import Core
from rtl.riscv.interfaces import core_signature
from verif.formal.riscv.properties import CoreProperties, add_properties

#: A fault: what a port becomes, from the module, the core and the port's right value.
Fault = Callable[[Module, Any, Value], Value]


def _once(m: Module, event: Value) -> Value:
    """Return whether `event` comes for the second time or later."""
    seen = Signal()
    m.d.sync += seen.eq(seen | event)
    return seen & event


def _after_store(m: Module, core: Any, right: Value) -> Value:
    stored = Signal()
    m.d.sync += stored.eq(stored | (core.dbus.request & core.dbus.write & core.dbus.grant))
    return Mux(stored, right ^ 0x100, right)


#: Port to what goes wrong there, by the check that must notice.
FAULTS: dict[str, tuple[str, Fault]] = {
    "alu": ("rvfi.rd_wdata", lambda m, core, right: Mux(core.rvfi.rs1_rdata == 0x80000000, right ^ 1, right)),
    "shift": ("rvfi.rd_wdata", lambda m, core, right: Mux(core.rvfi.rs1_rdata[31], right ^ 2, right)),
    "branch": ("rvfi.pc_wdata", lambda m, core, right: Mux(right[12], right ^ 4, right)),
    "jump": ("rvfi.rd_addr", lambda m, core, right: Mux(right == 31, 30, right)),
    "load": ("rvfi.rd_wdata", lambda m, core, right: Mux(core.rvfi.mem_rmask == 8, right[:8], right)),
    "store": ("rvfi.mem_wmask", lambda m, core, right: Mux(right == 12, 4, right)),
    "illegal": ("rvfi.trap", lambda m, core, right: right & (core.rvfi.insn[:7] != 0x7F)),
    "pc": ("rvfi.pc_rdata", lambda m, core, right: Mux(_once(m, core.rvfi.valid), right ^ 8, right)),
    "order": ("rvfi.order", lambda m, core, right: Mux(core.rvfi.insn == 0x13, 0, right)),
    "registers": ("rvfi.rs1_rdata",
                  lambda m, core, right: right ^ ((core.rvfi.rs1_addr == 3) & core.rvfi.rs2_addr.any())),
    "instruction_memory": ("rvfi.insn", lambda m, core, right: Mux(right == 0x00300193, 0x00400193, right)),
    "data_memory": ("dbus.write_data", _after_store),
    "bus": ("dbus.request", lambda m, core, right: right & ~_once(m, right)),
    "traps": ("rvfi.state.mepc", lambda m, core, right: right ^ (core.rvfi.trap << 3)),
    "csr_state": ("rvfi.state.mscratch", lambda m, core, right: right | (right[31] << 5)),
    "faults": ("rvfi.state.mtval", lambda m, core, right: right ^ (core.rvfi.state.mcause == 5)),
    "interrupts": ("rvfi.state.mcause", lambda m, core, right: right & Const(0x7FFF_FFFF, 32)),
    # As if it were enabled in its own handler, where it is not taken.
    "interrupt_taken": ("rvfi.state.mstatus", lambda m, core, right: right | 8),
    "liveness": ("rvfi.valid", lambda m, core, right: right & ~_once(m, right)),
}  # fmt: skip


class FaultyCore(wiring.Component):
    """A core, one of whose outputs is wrong.

    Parameters
    ----------
    config
        The core's.
    port
        The output, with dots.
    fault
        What it becomes.
    """

    def __init__(self, config: CoreConfig, port: str, fault: Fault, core: Core) -> None:
        self._port, self._fault, self._core = port, fault, core
        super().__init__(core_signature(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        for path, member, value in self.signature.flatten(self):
            name = ".".join(map(str, path))
            inside: Any = core
            for part in path:
                inside = getattr(inside, part)
            if member.flow is wiring.In:
                m.d.comb += inside.eq(value)
            else:
                m.d.comb += value.eq(self._fault(m, core, inside) if name == self._port else inside)
        return m


class FaultyProperties(CoreProperties):
    """The check named like the fault, over a core that has it."""

    def __init__(self, check: str, **options: Any) -> None:
        self._options = options
        super().__init__(check=check, **options)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        port, fault = FAULTS[self._check]
        config = self._core.config
        m.submodules.core = dut = FaultyCore(config, port, fault, self._core)
        add_properties(
            m, dut, config, self, self._check, memory=self._memory,
            interrupts=self._interrupts, within=self._within,
        )  # fmt: skip
        return m

"""CSRs of debug mode: why the core halted, where it goes on, and the window to the debug module."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from rtl.riscv.system.csr_bus import CsrBus, serve

__all__ = ["DebugRegisters"]

_VERSION = 4  # dcsr.debugver: the specification's versions 0.13 and 1.0 both


class DebugRegisters(wiring.Component):
    """dcsr, dpc and dscratch0, and whether the core is in debug mode.

    ``dscratch0`` stores nothing: it reads ``data_in`` and writes strobe
    ``data_write``. Counters stop in debug mode; a step takes no interrupt.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    bus : In(CsrBus())
        The access path of CSRs.
    enter, cause, pc : In(1), In(3), In(32)
        Enter debug mode: why, and where to go on.
    leave : In(1)
        Leave it.
    machine : In(1)
        The mode is machine mode.
    target : Out(32)
        Where to go on.
    machine_after : Out(1)
        Whether in machine mode.
    active, step, ebreak : Out(1)
        In debug mode; one instruction at a time; EBREAK halts in this mode.
    data_in, data_out, data_write : In(32), Out(32), Out(1)
        The window.

    Source
    ------
    RISC-V External Debug Support 0.13.2, 4.8; 1.0, 4.9.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "bus": In(CsrBus()),
                "enter": In(1),
                "cause": In(3),
                "pc": In(32),
                "leave": In(1),
                "machine": In(1),
                "target": Out(32),
                "machine_after": Out(1, init=1),
                "active": Out(1),
                "step": Out(1),
                "ebreak": Out(1),
                "data_in": In(32),
                "data_out": Out(32),
                "data_write": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config, bus = self._config, self.bus
        unaligned = 1 if config.c else 2
        cause = Signal(3, reset_less=True)
        address = Signal(32 - unaligned, reset_less=True)
        ebreak_machine = Signal()
        ebreak_user = Signal()
        if not config.user_mode:
            m.d.comb += self.machine_after.eq(1)
        dcsr = Cat(
            self.machine_after.replicate(2),
            self.step,
            Const(0, 3),
            cause,
            Const(0, 1),
            Const(1, 1),  # stopcount
            Const(0, 1),
            ebreak_user,
            Const(0, 2),
            ebreak_machine,
            Const(0, 12),
            Const(_VERSION, 4),
        )
        target = Cat(Const(0, unaligned), address)
        values = {Csr.DCSR: dcsr, Csr.DPC: target, Csr.DSCRATCH0: self.data_in}
        chosen = serve(m, bus, values, conditions=dict.fromkeys(values, self.active))
        with m.If(bus.write & chosen[Csr.DCSR]):
            m.d.sync += [self.step.eq(bus.data[2]), ebreak_machine.eq(bus.data[15])]
            if config.user_mode:
                m.d.sync += [
                    self.machine_after.eq(bus.data[:2] == 3),
                    ebreak_user.eq(bus.data[12]),
                ]
        with m.If(self.enter):
            m.d.sync += [cause.eq(self.cause), self.active.eq(1)]
            if config.user_mode:
                m.d.sync += self.machine_after.eq(self.machine)
        with m.If(self.leave):
            m.d.sync += self.active.eq(0)
        with m.If(self.enter | (bus.write & chosen[Csr.DPC])):
            m.d.sync += address.eq(Mux(self.enter, self.pc, bus.data)[unaligned:])
        m.d.comb += [
            self.target.eq(target),
            self.ebreak.eq(Mux(self.machine, ebreak_machine, ebreak_user)),
            self.data_out.eq(bus.data),
            self.data_write.eq(bus.write & chosen[Csr.DSCRATCH0]),
        ]
        return m

"""Registers of trap handling: status, interrupt enables, vector, and what a trap leaves behind."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import STATE, InterruptLines
from rtl.riscv.isa import Csr, Interrupt, Mode
from rtl.riscv.system.csr_bus import CsrBus, serve

__all__ = ["TrapRegisters", "interrupt_causes"]

_STANDARD = (Interrupt.SOFTWARE, Interrupt.TIMER, Interrupt.EXTERNAL)
# The first wins.
_PRIORITY = (Interrupt.EXTERNAL, Interrupt.SOFTWARE, Interrupt.TIMER)


def interrupt_causes(config: CoreConfig) -> list[int]:
    """Return the causes of the interrupts that a core has, the first the most urgent."""
    local = range(Interrupt.LOCAL, Interrupt.LOCAL + config.local_interrupts)
    return [int(cause) for cause in _PRIORITY] + list(reversed(local))


class TrapRegisters(wiring.Component):
    """mstatus, mie, mip, mtvec, mscratch, mepc, mcause, mtval, and the privilege mode.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    bus : In(CsrBus())
        The access path of CSRs.
    interrupts : In
        Interrupt lines; seen one cycle later.
    trap, trap_interrupt, trap_cause, trap_pc, trap_value, trap_target, mret, mret_target
        As in :class:`rtl.riscv.interfaces.SystemPort`.
    debug_enter, debug_leave : In(1)
        Strobes: the mode becomes machine mode, or what ``debug_mode_after`` says.
    debug_machine_after : In(1)
        Whether the mode after debug mode is machine mode.
    debug : In(1)
        In debug mode: ``mstatus.MPRV`` has no effect.
    machine, data_machine : Out(1)
        The mode is machine mode; and that of loads and stores.
    pending : Out(1)
        An interrupt is pending and enabled in ``mie``.
    interrupt, cause : Out(1), Out(5)
        It may be taken in this mode; the most urgent one.
    timeout_wait : Out(1)
        ``mstatus.TW``.
    state : Out
        The registers as they are.

    Timing
    ------
    Registers change at the edge that ends the cycle of a strobe. From an
    interrupt line to ``interrupt`` one cycle.

    Source
    ------
    The RISC-V Instruction Set Manual, volume II (20240411), 3.1.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "bus": In(CsrBus()),
                "interrupts": Out(InterruptLines(config.local_interrupts)),
                "trap": In(1),
                "trap_interrupt": In(1),
                "trap_cause": In(5),
                "trap_pc": In(32),
                "trap_value": In(32),
                "trap_target": Out(32),
                "mret": In(1),
                "mret_target": Out(32),
                "debug_enter": In(1),
                "debug_leave": In(1),
                "debug_machine_after": In(1),
                "debug": In(1),
                "machine": Out(1, init=1),
                "data_machine": Out(1),
                "pending": Out(1),
                "interrupt": Out(1),
                "cause": Out(5),
                "timeout_wait": Out(1),
                "state": Out(wiring.Signature({name: Out(32) for name in STATE})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        mstatus = self.state.mstatus
        values = {
            Csr.MSTATUS: mstatus,
            Csr.MSTATUSH: Const(0, 32),
            Csr.MIE: self.state.mie,
            Csr.MIP: self.state.mip,
            Csr.MTVEC: self.state.mtvec,
            Csr.MSCRATCH: self.state.mscratch,
            Csr.MEPC: self.state.mepc,
            Csr.MCAUSE: self.state.mcause,
            Csr.MTVAL: self.state.mtval,
        }
        chosen = serve(m, self.bus, values)
        writes = {csr: self.bus.write & chosen[csr] for csr in values}
        self._status(m, writes[Csr.MSTATUS])
        self._interrupts(m, writes[Csr.MIE])
        self._vector(m, writes[Csr.MTVEC])
        self._records(m, writes)
        return m

    def _status(self, m: Module, write: Value) -> None:
        """Build mstatus and the mode."""
        data = self.bus.data
        enable = Signal()
        previous_enable = Signal()
        previous_machine = Signal(init=not self._config.user_mode)
        modify = Signal()
        with m.If(write):
            m.d.sync += [enable.eq(data[3]), previous_enable.eq(data[7])]
        with m.If(self.trap):
            m.d.sync += [enable.eq(0), previous_enable.eq(enable)]
        with m.If(self.mret):
            m.d.sync += [enable.eq(previous_enable), previous_enable.eq(1)]
        m.d.comb += self.interrupt.eq(self.pending & (enable | ~self.machine))
        if self._config.user_mode:
            self._user_mode(m, write, previous_machine, modify)
        else:
            m.d.comb += [self.machine.eq(1), previous_machine.eq(1)]
        m.d.comb += [
            self.data_machine.eq(Mux(modify & ~self.debug, previous_machine, self.machine)),
            self.state.mstatus.eq(
                Cat(
                    Const(0, 3),
                    enable,
                    Const(0, 3),
                    previous_enable,
                    Const(0, 3),
                    previous_machine.replicate(2),
                    Const(0, 4),
                    modify,
                    Const(0, 3),
                    self.timeout_wait,
                    Const(0, 10),
                )
            ),
        ]

    def _user_mode(self, m: Module, write: Value, previous_machine: Signal, modify: Signal) -> None:
        """Build the fields that exist only with user mode."""
        data = self.bus.data
        with m.If(write):
            m.d.sync += [
                previous_machine.eq(data[11:13] == Mode.MACHINE),  # the other three are user mode
                modify.eq(data[17]),
                self.timeout_wait.eq(data[21]),
            ]
        with m.If(self.trap):
            m.d.sync += [previous_machine.eq(self.machine), self.machine.eq(1)]
        with m.If(self.mret):
            m.d.sync += [previous_machine.eq(0), self.machine.eq(previous_machine)]
            m.d.sync += modify.eq(modify & previous_machine)
        if self._config.debug != "none":
            with m.If(self.debug_enter):
                m.d.sync += self.machine.eq(1)
            with m.If(self.debug_leave):
                m.d.sync += self.machine.eq(self.debug_machine_after)
                m.d.sync += modify.eq(modify & self.debug_machine_after)

    def _interrupts(self, m: Module, write: Value) -> None:
        """Build mie, mip and the choice of the most urgent."""
        lines = {
            Interrupt.SOFTWARE: self.interrupts.software,
            Interrupt.TIMER: self.interrupts.timer,
            Interrupt.EXTERNAL: self.interrupts.external,
        }
        for index in range(self._config.local_interrupts):
            lines[Interrupt.LOCAL + index] = self.interrupts.local[index]
        active = {}
        for cause, line in lines.items():
            enabled = Signal(name=f"mie_{int(cause)}")
            pending = Signal(name=f"mip_{int(cause)}", reset_less=True)
            m.d.sync += pending.eq(line)
            with m.If(write):
                m.d.sync += enabled.eq(self.bus.data[cause])
            m.d.comb += [self.state.mie[cause].eq(enabled), self.state.mip[cause].eq(pending)]
            active[int(cause)] = pending & enabled
        for cause in reversed(interrupt_causes(self._config)):
            with m.If(active[cause]):
                m.d.comb += self.cause.eq(cause)
        m.d.comb += self.pending.eq(Cat(active.values()).any())

    def _vector(self, m: Module, write: Value) -> None:
        """Build mtvec, whose vectored table is aligned so that no adder is needed."""
        table_bits = 5 if self._config.local_interrupts else 4
        vectored = Signal(reset_less=True)
        low = Signal(table_bits, reset_less=True)  # its value after reset is unspecified
        high = Signal(30 - table_bits, reset_less=True)
        data = self.bus.data
        with m.If(write):
            m.d.sync += [
                vectored.eq(data[0]),
                low.eq(data[2 : 2 + table_bits] & ~data[0].replicate(table_bits)),
                high.eq(data[2 + table_bits :]),
            ]
        offset = self.trap_cause[:table_bits] & (self.trap_interrupt & vectored).replicate(table_bits)
        m.d.comb += [
            self.state.mtvec.eq(Cat(vectored, Const(0, 1), low, high)),
            self.trap_target.eq(Cat(Const(0, 2), low | offset, high)),
        ]

    def _records(self, m: Module, writes: dict[int, Value]) -> None:
        """Build mscratch, mepc, mcause and mtval. Only mcause has a value after reset."""
        config, data = self._config, self.bus.data
        unaligned = 1 if config.c else 2
        scratch = Signal(32, reset_less=True)
        address = Signal(32 - unaligned, reset_less=True)
        value = Signal(32, reset_less=True)
        cause = Signal(5 if config.local_interrupts else 4)
        interrupt = Signal()
        with m.If(writes[Csr.MSCRATCH]):
            m.d.sync += scratch.eq(data)
        with m.If(writes[Csr.MEPC] | self.trap):
            m.d.sync += address.eq(Mux(self.trap, self.trap_pc[unaligned:], data[unaligned:]))
        with m.If(writes[Csr.MTVAL] | self.trap):
            m.d.sync += value.eq(Mux(self.trap, self.trap_value, data))
        with m.If(writes[Csr.MCAUSE] | self.trap):
            m.d.sync += [
                cause.eq(Mux(self.trap, self.trap_cause, data)),
                interrupt.eq(Mux(self.trap, self.trap_interrupt, data[31])),
            ]
        m.d.comb += [
            self.state.mscratch.eq(scratch),
            self.state.mepc.eq(Cat(Const(0, unaligned), address)),
            self.state.mtval.eq(value),
            self.state.mcause.eq(Cat(cause, Const(0, 31 - len(cause)), interrupt)),
            self.mret_target.eq(self.state.mepc),
        ]

"""The system unit: every CSR, traps and interrupts, behind one port of the pipeline."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import InterruptLines, SystemPort
from rtl.riscv.isa import Csr, Mode
from rtl.riscv.system.counters import Counters
from rtl.riscv.system.csr_bus import CsrBus, serve
from rtl.riscv.system.debug_registers import DebugRegisters
from rtl.riscv.system.pmp import PmpRegisters, pmp_layout
from rtl.riscv.system.traps import TrapRegisters
from rtl.riscv.system.triggers import TriggerRegisters, trigger_layout

__all__ = ["SystemUnit"]

_READ_ONLY = 3  # address bits 11 to 10
_MACHINE_XLEN_32 = 1 << 30


class SystemUnit(wiring.Component):
    """CSRs, traps, interrupts and counters of a core.

    Parameters
    ----------
    config
        The core. What it does not have costs nothing, and its CSRs are
        illegal.

    Members
    -------
    port : In(SystemPort())
        The pipeline.
    interrupts : Out(InterruptLines(config.local_interrupts))
        Interrupt lines, inputs, synchronous to the clock.
    time : In(64)
        What the ``time`` CSR reads; only with ``zicntr``.
    pmp : Out(pmp_layout(config))
        Protected regions, for :class:`rtl.riscv.system.pmp.PmpChecker`; only
        with ``pmp_regions``.
    triggers : Out(trigger_layout(config))
        Armed triggers, for :class:`rtl.riscv.system.triggers.TriggerChecker`;
        only with ``triggers``.

    Timing
    ------
    Reads are combinational in the address; what the port's strobes change,
    changes at the next clock edge. An interrupt line reaches ``mip`` after
    one cycle.

    Source
    ------
    The RISC-V Instruction Set Manual, volume II (20240411), chapters 2 and 3.
    docs/riscv/csrs.md lists the registers and their fields.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        members = {
            "port": In(SystemPort()),
            "interrupts": Out(InterruptLines(config.local_interrupts)),
        }
        if config.zicntr:
            members["time"] = In(64)
        if config.pmp_regions:
            members["pmp"] = Out(pmp_layout(config))
        if config.triggers:
            members["triggers"] = Out(trigger_layout(config))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config, port = self._config, self.port
        m.submodules.traps = traps = TrapRegisters(config)
        m.submodules.counters = counters = Counters(config)
        blocks = [traps, counters]
        active: Value = Const(0, 1)  # debug mode
        step: Value = Const(0, 1)
        if config.debug != "none":
            m.submodules.debug = debug = DebugRegisters(config)
            self._debug(m, debug, traps)
            blocks.append(debug)
            active, step = debug.active, debug.step
        if config.pmp_regions:
            m.submodules.pmp = pmp = PmpRegisters(config)
            blocks.append(pmp)
            m.d.comb += self.pmp.eq(pmp.state)
        if config.triggers:
            m.submodules.triggers = triggers = TriggerRegisters(config)
            blocks.append(triggers)
            m.d.comb += [
                triggers.debug.eq(active),
                triggers.machine.eq(traps.machine),
                triggers.enabled.eq(traps.state.mstatus[3]),
                self.triggers.eq(triggers.state),
            ]
        self._access(m, blocks, traps.machine)
        connect(m, flipped(self.interrupts), traps.interrupts)
        for name in ("trap", "trap_interrupt", "trap_cause", "trap_pc", "trap_value", "mret"):
            m.d.comb += getattr(traps, name).eq(getattr(port, name))
        for name in traps.state.signature.members:
            m.d.comb += getattr(port.state, name).eq(getattr(traps.state, name))
        if config.zicntr:
            m.d.comb += counters.time.eq(self.time)
        m.d.comb += [
            counters.machine.eq(traps.machine),
            counters.stopped.eq(active),
            counters.retired.eq(port.retired),
            port.trap_target.eq(traps.trap_target),
            port.mret_target.eq(traps.mret_target),
            port.interrupt.eq(traps.interrupt & ~active & ~step),
            port.interrupt_cause.eq(traps.cause),
            port.wake.eq(traps.pending | active | step),  # WFI does not wait in debug mode
            port.mode.eq(Mux(traps.machine, Mode.MACHINE, Mode.USER)),
            port.data_mode.eq(Mux(traps.data_machine, Mode.MACHINE, Mode.USER)),
            port.wfi_illegal.eq(~traps.machine & traps.timeout_wait),
            port.mret_illegal.eq(~traps.machine),
        ]
        return m

    def _debug(self, m: Module, debug: DebugRegisters, traps: TrapRegisters) -> None:
        """Connect the registers of debug mode."""
        port = self.port
        m.d.comb += [
            debug.enter.eq(port.debug_enter),
            debug.cause.eq(port.debug_cause),
            debug.pc.eq(port.debug_pc),
            debug.leave.eq(port.dret),
            debug.machine.eq(traps.machine),
            debug.data_in.eq(port.debug_data_in),
            traps.debug.eq(debug.active),
            traps.debug_enter.eq(port.debug_enter),
            traps.debug_leave.eq(port.dret),
            traps.debug_machine_after.eq(debug.machine_after),
            port.dret_target.eq(debug.target),
            port.debug_mode.eq(debug.active),
            port.debug_step.eq(debug.step),
            port.debug_ebreak.eq(debug.ebreak),
            port.debug_data_out.eq(debug.data_out),
            port.debug_data_write.eq(debug.data_write),
        ]

    def _access(self, m: Module, blocks: list[wiring.Component], machine: Value) -> None:
        """Build the one path of reads and writes, and the check of accesses."""
        config, port = self._config, self.port
        own = CsrBus().create(path=("bus",))
        serve(m, flipped(own), self._constants())
        buses = [own, *(block.bus for block in blocks)]
        # Write, set and clear from one expression: the operand, with what of the old value stays.
        operation, operand = port.csr_operation, port.csr_operand
        sets_or_clears = operation[1].replicate(32)
        clears = (operation == 3).replicate(32)
        kept = port.csr_read & sets_or_clears & ~(operand & clears)
        data = Signal(32)
        m.d.comb += data.eq(kept | (operand & ~clears))
        read: Value = Const(0, 32)
        hit: Value = Const(0, 1)
        for bus in buses:
            m.d.comb += [
                bus.address.eq(port.csr_address),
                bus.write.eq(port.csr_commit & port.csr_write),
                bus.data.eq(data),
            ]
            read |= bus.read
            hit |= bus.hit
        illegal = ~hit | (port.csr_write & (port.csr_address[10:] == _READ_ONLY))
        if config.user_mode:
            illegal |= ~machine & port.csr_address[8:10].any()
        m.d.comb += [port.csr_read.eq(read), port.csr_illegal.eq(illegal)]

    def _constants(self) -> dict[int, Value]:
        """Return the registers that are constant."""
        config = self._config
        letters = ["e" if config.e else "i"]
        letters += [name for name in ("m", "a", "c") if getattr(config, name)]
        letters += ["b"] if config.zba and config.zbb and config.zbs else []
        letters += ["u"] if config.user_mode else []
        letters += ["x"] if config.custom != "none" else []
        misa = _MACHINE_XLEN_32 | sum(1 << (ord(letter) - ord("a")) for letter in letters)
        values: dict[int, Value] = {
            Csr.MISA: Const(misa, 32),
            Csr.MVENDORID: Const(0, 32),
            Csr.MARCHID: Const(0, 32),
            Csr.MIMPID: Const(0, 32),
            Csr.MHARTID: Const(config.hart_id, 32),
            Csr.MCONFIGPTR: Const(0, 32),
        }
        if config.user_mode:
            values |= {Csr.MENVCFG: Const(0, 32), Csr.MENVCFGH: Const(0, 32)}
        return values

"""Counters of cycles and instructions, and what user mode sees of them."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from rtl.riscv.system.csr_bus import CsrBus, serve

__all__ = ["Counters"]


class Counters(wiring.Component):
    """mcycle, minstret, cycle, time, instret, mcountinhibit, mcounteren; all others read zero.

    A write to either half of a counter takes precedence over counting in that
    cycle, for both halves.

    Parameters
    ----------
    config
        The core. Without ``zicntr`` the machine counters read zero and the
        user's do not exist.

    Members
    -------
    bus : In(CsrBus())
        The access path of CSRs.
    machine : In(1)
        The mode is machine mode.
    stopped : In(1)
        Nothing counts (debug mode).
    retired : In(2)
        Instructions that retire in this cycle.
    time : In(64)
        What ``time`` reads; only with ``zicntr``.

    Source
    ------
    The RISC-V Instruction Set Manual, volume II (20240411), 3.1.10 to 3.1.12;
    volume I, Zicntr.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        members = {"bus": In(CsrBus()), "machine": In(1), "stopped": In(1), "retired": In(2)}
        if config.zicntr:
            members["time"] = In(64)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        if self._config.zicntr:
            self._counting(m)
        else:
            halves = (Csr.MCYCLE, Csr.MCYCLEH, Csr.MINSTRET, Csr.MINSTRETH, Csr.MCOUNTINHIBIT)
            enables = (Csr.MCOUNTEREN,) if self._config.user_mode else ()
            values = {csr: Const(0, 32) for csr in (*halves, *enables)}
            serve(m, self.bus, values, zeros=_unimplemented(self.bus.address))
        return m

    def _counting(self, m: Module) -> None:
        """Build what Zicntr adds."""
        cycle = Signal(64, reset_less=True)  # their value after reset is arbitrary
        instret = Signal(64, reset_less=True)
        inhibit_cycle = Signal()
        inhibit_instret = Signal()
        allowed: Value = Const(0b111, 3)
        values = {
            Csr.MCYCLE: cycle[:32],
            Csr.MCYCLEH: cycle[32:],
            Csr.MINSTRET: instret[:32],
            Csr.MINSTRETH: instret[32:],
            Csr.TIME: self.time[:32],
            Csr.TIMEH: self.time[32:],
            Csr.MCOUNTINHIBIT: Cat(inhibit_cycle, Const(0, 1), inhibit_instret),
        }
        if self._config.user_mode:
            enabled = Signal(3)
            allowed = enabled | self.machine.replicate(3)
            values[Csr.MCOUNTEREN] = enabled
        conditions = {csr: allowed[index] for index, pair in enumerate(_USER) for csr in pair}
        chosen = serve(
            m,
            self.bus,
            values,
            aliases=_ALIASES,
            conditions=conditions,
            zeros=_unimplemented(self.bus.address),
        )
        with m.If(self.bus.write & chosen[Csr.MCOUNTINHIBIT]):
            m.d.sync += [inhibit_cycle.eq(self.bus.data[0]), inhibit_instret.eq(self.bus.data[2])]
        if self._config.user_mode:
            with m.If(self.bus.write & chosen[Csr.MCOUNTEREN]):
                m.d.sync += enabled.eq(self.bus.data)
        retired = self.retired[: self._config.issue_width]
        counted = retired & (~inhibit_instret & ~self.stopped).replicate(len(retired))
        self._counter(m, cycle, ~inhibit_cycle & ~self.stopped, chosen, Csr.MCYCLE, Csr.MCYCLEH)
        self._counter(m, instret, counted, chosen, Csr.MINSTRET, Csr.MINSTRETH)

    def _counter(
        self, m: Module, count: Signal, step: Value, chosen: dict[int, Signal], low: Csr, high: Csr
    ) -> None:
        """Count by ``step`` in cycles that write neither half."""
        write_low = self.bus.write & chosen[low]
        write_high = self.bus.write & chosen[high]
        with m.If(write_low):
            m.d.sync += count[:32].eq(self.bus.data)
        with m.Elif(write_high):
            m.d.sync += count[32:].eq(self.bus.data)
        with m.Else():
            m.d.sync += count.eq(count + step)


_USER = ((Csr.CYCLE, Csr.CYCLEH), (Csr.TIME, Csr.TIMEH), (Csr.INSTRET, Csr.INSTRETH))
_ALIASES = {
    Csr.CYCLE: Csr.MCYCLE,
    Csr.CYCLEH: Csr.MCYCLEH,
    Csr.INSTRET: Csr.MINSTRET,
    Csr.INSTRETH: Csr.MINSTRETH,
}


def _unimplemented(address: Value) -> tuple[Value, ...]:
    """Return when an address is one of the event counters, which all read zero."""
    event = address[5:] == Csr.MHPMEVENT3 >> 5
    counter = (address[8:] == Csr.MCYCLE >> 8) & (address[5:7] == 0)  # and their high halves
    third_or_later = address[2:5].any() | (address[:2] == 3)
    return (event & third_or_later, counter & third_or_later)

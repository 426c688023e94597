"""The fast pipeline: two instructions a cycle, in order."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature
from rtl.riscv.pipelines.fast.access import Access
from rtl.riscv.pipelines.fast.decode import Decode
from rtl.riscv.pipelines.fast.execute import Execute
from rtl.riscv.pipelines.fast.fetch import Fetch
from rtl.riscv.pipelines.fast.trace import Trace
from rtl.riscv.system.unit import SystemUnit

__all__ = ["FastPipeline"]


class FastPipeline(wiring.Component):
    """In order, one or two instructions a cycle, with predicted branches.

    ====== ================================================================
    F      the block at ``pc`` is requested, and the next one predicted
    Q      the answer goes into a queue of three blocks
    D      one or two instructions are taken, expanded and decoded
    A      registers are read; addresses computed; the data bus is asked
    X      arithmetic; memory answers; branches, traps and CSRs are final
    W      products are added up; results are written
    ====== ================================================================

    Arithmetic is a stage behind addresses, so that a load's result is used
    by the next instruction without a wait; in exchange, an address waits a
    cycle for a result of the instruction just before.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    See :func:`rtl.riscv.interfaces.core_signature`.

    Timing
    ------
    See docs/riscv/fast.md.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(core_signature(config))

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config
        m.submodules.fetch = fetch = Fetch(config)
        m.submodules.decode = decode = Decode(config)
        m.submodules.access = access = Access(config)
        m.submodules.execute = execute = Execute(config)
        m.submodules.system = system = SystemUnit(config)
        port = system.port
        connect(m, flipped(self.ibus), fetch.ibus)
        connect(m, fetch.window, decode.window)
        connect(m, execute.system, port)
        connect(m, execute.update, fetch.update)
        connect(m, flipped(self.interrupts), system.interrupts)
        if config.zicntr:
            m.d.comb += system.time.eq(self.time)
        for slot in range(config.issue_width):
            connect(m, execute.results[slot], access.execute[slot])
            connect(m, execute.final[slot], access.write[slot])
        m.d.comb += [
            fetch.flush.eq(execute.flush),
            fetch.target.eq(execute.target),
            decode.ready.eq(access.ready),
            decode.interrupt.eq(port.interrupt),
            access.pair.eq(decode.pair),
            access.free.eq(execute.free),
            access.flush.eq(execute.flush),
            execute.pair.eq(access.held),
            execute.added.eq(access.added),
            execute.take.eq(access.advance),
            execute.next_pc.eq(access.held.pc),
            self.sleeping.eq(execute.sleeping),
        ]
        self._data_bus(m, access, execute)
        if config.rvfi:
            self._trace(m, access, execute, port)
        return m

    def _data_bus(self, m: Module, access: Access, execute: Execute) -> None:
        bus = self.dbus
        m.d.comb += [
            bus.request.eq(access.bus_request),
            access.bus_grant.eq(bus.grant),
            bus.address.eq(Cat(Const(0, 2), access.added.address[2:])),
            bus.write.eq(access.bus_write),
            bus.strobe.eq(access.bus_strobe),
            bus.write_data.eq(access.bus_data),
            execute.response.eq(bus.response),
            execute.read_data.eq(bus.read_data),
            execute.error.eq(bus.error),
        ]

    def _trace(self, m: Module, access: Access, execute: Execute, port: wiring.PureInterface) -> None:
        m.submodules.trace = trace = Trace(self._config)
        for slot in range(self._config.issue_width):
            connect(m, execute.final[slot], trace.final[slot])
        connect(m, trace.rvfi, flipped(self.rvfi))
        m.d.comb += [
            trace.pair.eq(execute.held),
            trace.added.eq(execute.values),
            trace.retired.eq(execute.retired),
            trace.mode.eq(port.mode),
            trace.suppress.eq(port.debug_mode),
            trace.stall.eq(access.stall),
            trace.flush.eq(execute.flush),
        ]
        for name in port.state.signature.members:
            m.d.comb += getattr(trace.state, name).eq(getattr(port.state, name))

"""The fast pipeline: two instructions a cycle, in order."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature
from rtl.riscv.pipelines.fast.access import Access
from rtl.riscv.pipelines.fast.debugger import Debugger
from rtl.riscv.pipelines.fast.decode import Decode
from rtl.riscv.pipelines.fast.execute import Execute
from rtl.riscv.pipelines.fast.fetch import Fetch
from rtl.riscv.pipelines.fast.trace import Trace
from rtl.riscv.system.pmp import PmpAccess, PmpChecker
from rtl.riscv.system.triggers import TriggerChecker
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
            access.older.eq(execute.busy),
            access.reserved.eq(execute.reserved & (execute.reserved_address == access.added.address)),
        ]
        if config.instruction_cache_bytes:
            m.d.comb += self.fence_i.eq(execute.fence_i)
        if config.custom != "none":
            connect(m, execute.custom, flipped(self.custom))
        if config.pmp_regions:
            self._protect(m, fetch, access, system)
        single: Value = Const(0, 1)
        if config.triggers:
            single |= self._watch(m, access, system)
        if config.debug == "none":
            connect(m, fetch.window, decode.window)
        else:
            m.submodules.debugger = debugger = Debugger(config)
            connect(m, fetch.window, debugger.fetched)
            connect(m, debugger.window, decode.window)
            connect(m, debugger.debug, flipped(self.debug))
            self._debug(m, debugger, decode, access, execute, port)
            single |= port.debug_step
        m.d.comb += decode.single.eq(single)
        self._data_bus(m, access, execute)
        if config.rvfi:
            self._trace(m, access, execute, port)
        return m

    def _protect(self, m: Module, fetch: Fetch, access: Access, system: SystemUnit) -> None:
        """Check what is fetched, each word of a block, and what is loaded and stored."""
        port = system.port
        for word in range(self._config.issue_width):
            m.submodules[f"fetch_check_{word}"] = checker = PmpChecker(self._config)
            m.d.comb += [
                checker.state.eq(system.pmp),
                checker.mode.eq(port.mode),
                checker.access.eq(PmpAccess.EXECUTE),
                checker.address.eq(fetch.address | (4 * word)),
                fetch.denied[word].eq(~checker.allowed),
            ]
        m.submodules.data_check = checker = PmpChecker(self._config)
        m.d.comb += [
            checker.state.eq(system.pmp),
            checker.mode.eq(port.data_mode),
            checker.access.eq(Mux(access.stores, PmpAccess.WRITE, PmpAccess.READ)),
            checker.address.eq(access.added.address),
            access.denied.eq(~checker.allowed),
        ]

    def _watch(self, m: Module, access: Access, system: SystemUnit) -> Value:
        """Compare with the triggers; return whether any is armed, when nothing may be paired."""
        armed = []
        for number in range(self._config.triggers):
            trigger = system.triggers[number]
            armed += [trigger.execute, trigger.load, trigger.store]
        addresses = (Cat(Const(0, 1), access.held.pc), access.added.address)
        for place, address in enumerate(addresses):
            m.submodules[f"watch_{place}"] = checker = TriggerChecker(self._config)
            m.d.comb += [
                checker.state.eq(system.triggers),
                checker.address.eq(address),
                checker.execute.eq(1 - place),
                checker.load.eq(access.loads & place),
                checker.store.eq(access.stores & place),
                access.breaks[place].eq(checker.exception),
                access.halts[place].eq(checker.debug),
            ]
        return Cat(armed).any()

    def _debug(
        self,
        m: Module,
        debugger: Debugger,
        decode: Decode,
        access: Access,
        execute: Execute,
        port: wiring.PureInterface,
    ) -> None:
        m.d.comb += [
            debugger.mode.eq(port.debug_mode),
            debugger.step.eq(port.debug_step),
            debugger.empty.eq(~access.busy & ~execute.busy),
            debugger.stepped.eq(execute.stepped),
            debugger.started.eq(execute.busy),
            debugger.done.eq(execute.debug_done),
            debugger.error.eq(execute.debug_error),
            decode.ready.eq(access.ready & ~debugger.holds),
            decode.halt.eq(debugger.halt),
            decode.resume.eq(debugger.resume),
            execute.halt.eq(debugger.halt),
            execute.halt_cause.eq(debugger.cause),
            port.debug_data_in.eq(self.debug.data_in),
            self.debug.data_out.eq(port.debug_data_out),
            self.debug.data_write.eq(port.debug_data_write),
        ]

    def _data_bus(self, m: Module, access: Access, execute: Execute) -> None:
        bus = self.dbus
        address, write = access.added.address, access.bus_write
        strobe, word = access.bus_strobe, access.bus_data
        if self._config.a:
            again = execute.bus_request
            address = Mux(again, execute.values.address, address)
            write |= again
            strobe = Mux(again, 0b1111, strobe)
            word = Mux(again, execute.bus_data, word)
        m.d.comb += [
            bus.request.eq(access.bus_request | execute.bus_request),
            access.bus_grant.eq(bus.grant),
            execute.bus_grant.eq(bus.grant),
            bus.address.eq(Cat(Const(0, 2), address[2:])),
            bus.write.eq(write),
            bus.strobe.eq(strobe),
            bus.write_data.eq(word),
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

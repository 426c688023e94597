"""Address triggers for debugging: their registers, and the match of an access."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from rtl.riscv.system.csr_bus import CsrBus, serve

__all__ = ["ArmedTrigger", "TriggerChecker", "TriggerRegisters", "trigger_layout"]

_MCONTROL = 2  # tdata1.type: match of an address or of data
_VERSION = 1  # tinfo.version: the trigger module of the specification's version 1.0


class ArmedTrigger(data.Struct):
    """A trigger as it is in this cycle: nothing of it is set where it may not fire.

    ``debug`` says that it enters debug mode; otherwise it raises a breakpoint
    exception.
    """

    address: unsigned(32)
    execute: 1
    load: 1
    store: 1
    debug: 1


class _Trigger(data.Struct):
    """What is stored of ``tdata1`` and ``tdata2``."""

    load: 1
    store: 1
    execute: 1
    user: 1
    machine: 1
    debug: 1  # action
    locked: 1  # dmode: writable in debug mode alone
    address: unsigned(32)


def trigger_layout(config: CoreConfig) -> data.ArrayLayout:
    """Return the layout of all triggers of a core."""
    return data.ArrayLayout(ArmedTrigger, config.triggers)


class TriggerRegisters(wiring.Component):
    """``tselect``, ``tdata1`` to ``tdata3`` and ``tinfo``.

    Every trigger is of type ``mcontrol``: it compares an address for
    equality, before the instruction is executed, in the modes that it names.
    One with ``action`` 0 does not fire in machine mode while ``mstatus.MIE``
    is 0, where a breakpoint exception could not be returned from.

    Parameters
    ----------
    config
        The core, with ``triggers``.

    Members
    -------
    bus : In(CsrBus())
        The access path of CSRs.
    debug, machine, enabled : In(1)
        In debug mode; in machine mode; ``mstatus.MIE``.
    state : Out(trigger_layout(config))
        The triggers as they are armed.

    Source
    ------
    RISC-V External Debug Support 0.13.2, 5.2; 1.0, 5.7.
    """

    def __init__(self, config: CoreConfig) -> None:
        if not config.triggers:
            raise ValueError("matching needs triggers: there are 0")
        self._config = config
        super().__init__(
            {
                "bus": In(CsrBus()),
                "debug": In(1),
                "machine": In(1),
                "enabled": In(1),
                "state": Out(trigger_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        count = self._config.triggers
        triggers = [Signal(_Trigger, name=f"trigger_{index}") for index in range(count)]
        index = Signal(range(count))
        chosen_one = [index == number for number in range(count)]
        control: Value = Const(0, 32)
        address: Value = Const(0, 32)
        for trigger, selected in zip(triggers, chosen_one, strict=True):
            control |= _packed(trigger) & selected.replicate(32)
            address |= trigger.address & selected.replicate(32)
        values = {
            Csr.TSELECT: index,
            Csr.TDATA1: control,
            Csr.TDATA2: address,
            Csr.TDATA3: Const(0, 32),
            Csr.TINFO: Const(_VERSION << 24 | 1 << _MCONTROL, 32),
        }
        chosen = serve(m, self.bus, values)
        with m.If(self.bus.write & chosen[Csr.TSELECT] & (self.bus.data < count)):
            m.d.sync += index.eq(self.bus.data)
        for number, trigger in enumerate(triggers):
            with m.If(self.bus.write & chosen_one[number] & (self.debug | ~trigger.locked)):
                with m.If(chosen[Csr.TDATA1]):
                    self._control(m, trigger)
                with m.If(chosen[Csr.TDATA2]):
                    m.d.sync += trigger.address.eq(self.bus.data)
            self._arm(m, trigger, self.state[number])
        return m

    def _control(self, m: Module, trigger: data.View) -> None:
        """Write ``tdata1``."""
        written = self.bus.data
        locks = written[27] & self.debug
        m.d.sync += [
            trigger.load.eq(written[0]),
            trigger.store.eq(written[1]),
            trigger.execute.eq(written[2]),
            trigger.machine.eq(written[6]),
            trigger.locked.eq(locks),
            trigger.debug.eq((written[12:16] == 1) & locks),  # the debugger alone may halt
        ]
        if self._config.user_mode:
            m.d.sync += trigger.user.eq(written[3])

    def _arm(self, m: Module, trigger: data.View, armed: data.View) -> None:
        """Say where a trigger may fire now."""
        here: Value = self.machine & trigger.machine & (trigger.debug | self.enabled)
        if self._config.user_mode:
            here |= ~self.machine & trigger.user
        here &= ~self.debug
        m.d.comb += [
            armed.address.eq(trigger.address),
            armed.execute.eq(trigger.execute & here),
            armed.load.eq(trigger.load & here),
            armed.store.eq(trigger.store & here),
            armed.debug.eq(trigger.debug),
        ]


class TriggerChecker(wiring.Component):
    """Whether a trigger fires on an instruction or on the address of a load or store.

    A trigger that enters debug mode wins over one that raises an exception.

    Parameters
    ----------
    config
        The core, with ``triggers``.

    Members
    -------
    state : In(trigger_layout(config))
        The triggers.
    address : In(32)
        Of the instruction, or of the first byte of a load or store.
    execute, load, store : In(1)
        What is done there. Atomics do both of the last.
    debug, exception : Out(1)
        Enter debug mode, with cause 2, or take a breakpoint exception with
        ``mtval`` the address, before the instruction is executed.

    Timing
    ------
    Combinational.
    """

    def __init__(self, config: CoreConfig) -> None:
        if not config.triggers:
            raise ValueError("matching needs triggers: there are 0")
        self._config = config
        super().__init__(
            {
                "state": In(trigger_layout(config)),
                "address": In(32),
                "execute": In(1),
                "load": In(1),
                "store": In(1),
                "debug": Out(1),
                "exception": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        debug: Value = Const(0, 1)
        exception: Value = Const(0, 1)
        for number in range(self._config.triggers):
            trigger = self.state[number]
            wanted = (
                (self.execute & trigger.execute) | (self.load & trigger.load) | (self.store & trigger.store)
            )
            fires = Signal(name=f"fires_{number}")
            m.d.comb += fires.eq(wanted & (self.address == trigger.address))
            debug |= fires & trigger.debug
            exception |= fires & ~trigger.debug
        m.d.comb += [self.debug.eq(debug), self.exception.eq(exception & ~debug)]
        return m


def _packed(trigger: data.View) -> Value:
    """Return a trigger's ``tdata1``."""
    return Cat(
        trigger.load,
        trigger.store,
        trigger.execute,
        trigger.user,
        Const(0, 2),
        trigger.machine,
        Const(0, 5),
        trigger.debug,
        Const(0, 14),
        trigger.locked,
        Const(_MCONTROL, 4),
    )

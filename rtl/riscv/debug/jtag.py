"""The JTAG transport of a debug module."""

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Module,
    Mux,
    ResetSignal,
    Signal,
    Value,
    unsigned,
)
from amaranth.lib import enum, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from rtl.riscv.debug.dmi import ADDRESS_WIDTH, DmiBus

__all__ = ["Jtag", "JtagTransport", "TapState"]

_VERSION = 1  # dtmcs.version: 0.13 and 1.0
_IDLE_CYCLES = 5  # dtmcs.idle: in Run-Test/Idle, that an access may end
_BUSY = 3
_DATA_LENGTH = ADDRESS_WIDTH + 34


class Jtag(wiring.Signature):
    """The pins of a test access port, seen from it.

    Members
    -------
    tck, tms, tdi, tdo : In(1), In(1), In(1), Out(1)
        ``tms`` and ``tdi`` are taken at the rising edge of ``tck``; ``tdo``
        changes at the falling one. Five clocks with ``tms`` high reset it.
    """

    def __init__(self) -> None:
        super().__init__({"tck": In(1), "tms": In(1), "tdi": In(1), "tdo": Out(1)})


class TapState(enum.Enum, shape=unsigned(4)):
    """States of the test access port controller."""

    TEST_LOGIC_RESET = 0
    RUN_TEST_IDLE = 1
    SELECT_DR = 2
    CAPTURE_DR = 3
    SHIFT_DR = 4
    EXIT1_DR = 5
    PAUSE_DR = 6
    EXIT2_DR = 7
    UPDATE_DR = 8
    SELECT_IR = 9
    CAPTURE_IR = 10
    SHIFT_IR = 11
    EXIT1_IR = 12
    PAUSE_IR = 13
    EXIT2_IR = 14
    UPDATE_IR = 15


# State: where it goes with TMS low, and high.
_NEXT = {
    TapState.TEST_LOGIC_RESET: (TapState.RUN_TEST_IDLE, TapState.TEST_LOGIC_RESET),
    TapState.RUN_TEST_IDLE: (TapState.RUN_TEST_IDLE, TapState.SELECT_DR),
    TapState.SELECT_DR: (TapState.CAPTURE_DR, TapState.SELECT_IR),
    TapState.CAPTURE_DR: (TapState.SHIFT_DR, TapState.EXIT1_DR),
    TapState.SHIFT_DR: (TapState.SHIFT_DR, TapState.EXIT1_DR),
    TapState.EXIT1_DR: (TapState.PAUSE_DR, TapState.UPDATE_DR),
    TapState.PAUSE_DR: (TapState.PAUSE_DR, TapState.EXIT2_DR),
    TapState.EXIT2_DR: (TapState.SHIFT_DR, TapState.UPDATE_DR),
    TapState.UPDATE_DR: (TapState.RUN_TEST_IDLE, TapState.SELECT_DR),
    TapState.SELECT_IR: (TapState.CAPTURE_IR, TapState.TEST_LOGIC_RESET),
    TapState.CAPTURE_IR: (TapState.SHIFT_IR, TapState.EXIT1_IR),
    TapState.SHIFT_IR: (TapState.SHIFT_IR, TapState.EXIT1_IR),
    TapState.EXIT1_IR: (TapState.PAUSE_IR, TapState.UPDATE_IR),
    TapState.PAUSE_IR: (TapState.PAUSE_IR, TapState.EXIT2_IR),
    TapState.EXIT2_IR: (TapState.SHIFT_IR, TapState.UPDATE_IR),
    TapState.UPDATE_IR: (TapState.RUN_TEST_IDLE, TapState.SELECT_DR),
}


class Instruction(enum.Enum, shape=unsigned(5)):
    """Instructions of the transport; every other one is BYPASS."""

    IDCODE = 0x01
    DTMCS = 0x10
    DMI = 0x11


class JtagTransport(wiring.Component):
    """A debug transport module: IDCODE, DTMCS, DMI and BYPASS, with a clock of its own.

    The clock of ``tck`` may have any relation to the core's. An access to
    the debug module crosses by a toggle in each direction, with its data
    held still meanwhile; one that comes too early is answered *busy*, which
    stays until ``dtmcs.dmireset``.

    Parameters
    ----------
    idcode
        What IDCODE reads; bit 0 is 1.

    Members
    -------
    jtag : Out(Jtag())
        The pins.
    dmi : Out(DmiBus())
        The debug module, in the domain ``sync``.

    Timing
    ------
    From Update-DR to the end of an access: 4 cycles of the core's clock,
    and 3 of ``tck``.

    Raises
    ------
    ValueError
        ``idcode`` is not an odd number of 32 bits.

    Source
    ------
    IEEE 1149.1-2013, chapter 6; RISC-V External Debug Support 0.13.2, 6.1.
    """

    def __init__(self, *, idcode: int = 1) -> None:
        if not 0 < idcode < 1 << 32 or idcode % 2 == 0:
            raise ValueError(f"idcode must be an odd number of 32 bits, not {idcode:#x}")
        self._idcode = idcode
        super().__init__({"jtag": Out(Jtag()), "dmi": Out(DmiBus())})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        m.domains.tck = ClockDomain(async_reset=True, local=True)
        m.domains.tck_fall = ClockDomain(async_reset=True, clk_edge="neg", local=True)
        for domain in ("tck", "tck_fall"):
            m.d.comb += [ClockSignal(domain).eq(self.jtag.tck), ResetSignal(domain).eq(ResetSignal("sync"))]
        state = Signal(TapState)
        with m.Switch(state):
            for here, (low, high) in _NEXT.items():
                with m.Case(here):
                    m.d.tck += state.eq(Mux(self.jtag.tms, high, low))
        instruction = self._instruction(m, state)
        self._data(m, state, instruction)
        return m

    def _instruction(self, m: Module, state: Value) -> Signal:
        """Build the instruction register."""
        shift = Signal(5)
        instruction = Signal(5, init=Instruction.IDCODE)
        with m.Switch(state):
            with m.Case(TapState.TEST_LOGIC_RESET):
                m.d.tck += instruction.eq(Instruction.IDCODE)
            with m.Case(TapState.CAPTURE_IR):
                m.d.tck += shift.eq(1)
            with m.Case(TapState.SHIFT_IR):
                m.d.tck += shift.eq(Cat(shift[1:], self.jtag.tdi))
                m.d.tck_fall += self.jtag.tdo.eq(shift[0])
            with m.Case(TapState.UPDATE_IR):
                m.d.tck += instruction.eq(shift)
        return instruction

    def _data(self, m: Module, state: Value, instruction: Signal) -> None:
        """Build the data registers, which share one shift register."""
        shift = Signal(_DATA_LENGTH)
        stuck = Signal()  # dmistat is busy until it is reset
        pending, answer, launch = self._cross(m, shift)
        status = Mux(stuck | pending, _BUSY, 0)
        dtmcs = Cat(
            Const(_VERSION, 4),
            Const(ADDRESS_WIDTH, 6),
            stuck.replicate(2),
            Const(_IDLE_CYCLES, 3),
            Const(0, 17),
        )
        with m.If(state == TapState.CAPTURE_DR), m.Switch(instruction):
            with m.Case(Instruction.IDCODE):
                m.d.tck += shift.eq(self._idcode)
            with m.Case(Instruction.DTMCS):
                m.d.tck += shift.eq(dtmcs)
            with m.Case(Instruction.DMI):
                m.d.tck += [shift.eq(Cat(status[:2], answer)), stuck.eq(stuck | pending)]
            with m.Default():
                m.d.tck += shift.eq(0)
        with m.If(state == TapState.SHIFT_DR):
            moved = shift[1:]
            m.d.tck_fall += self.jtag.tdo.eq(shift[0])
            with m.Switch(instruction):
                with m.Case(Instruction.IDCODE, Instruction.DTMCS):
                    m.d.tck += shift.eq(Cat(moved[:31], self.jtag.tdi))
                with m.Case(Instruction.DMI):
                    m.d.tck += shift.eq(Cat(moved, self.jtag.tdi))
                with m.Default():
                    m.d.tck += shift.eq(self.jtag.tdi)
        with m.If(state == TapState.UPDATE_DR):
            with m.If((instruction == Instruction.DMI) & ~stuck & (shift[:2] != 0)):
                m.d.comb += launch.eq(~pending)
                m.d.tck += stuck.eq(pending)
            with m.If((instruction == Instruction.DTMCS) & shift[16:18].any()):
                m.d.tck += stuck.eq(0)

    def _cross(self, m: Module, shift: Signal) -> tuple[Value, Value, Signal]:
        """Bring accesses over and their answers back; return whether one is under way, data, launch."""
        launch = Signal()
        asked = Signal()
        asked_here = Signal()
        asked_before = Signal()
        answered = Signal()
        answered_there = Signal()
        access = Signal(_DATA_LENGTH)
        answer = Signal(32)
        m.submodules.asked = FFSynchronizer(asked, asked_here)
        m.submodules.answered = FFSynchronizer(answered, answered_there, o_domain="tck")
        with m.If(launch):
            m.d.tck += [asked.eq(~asked), access.eq(shift)]
        m.d.sync += asked_before.eq(asked_here)
        m.d.comb += [
            self.dmi.request.eq(asked_here != asked_before),
            self.dmi.write.eq(access[1]),
            self.dmi.write_data.eq(access[2:34]),
            self.dmi.address.eq(access[34:]),
        ]
        with m.If(self.dmi.response):
            m.d.sync += [answered.eq(asked_here), answer.eq(self.dmi.read_data)]
        return asked != answered_there, Cat(answer, access[34:]), launch

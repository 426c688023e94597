"""What the parts of the small pipeline share: phases, records, registers."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature
from rtl.riscv.pipelines.small_fetch import Fetch, Parcel
from rtl.riscv.system.unit import SystemUnit
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.decoder import Decoder

__all__ = ["Pending", "Phase", "Retiring", "State", "TrapValue"]


class Phase(enum.Enum, shape=unsigned(2)):
    """Where the instruction in the execute stage is."""

    EXECUTE = 0
    ACCESS = 1  #: its address is registered, and checked
    TRAP = 2  #: it, or the one before it, enters a trap handler or debug mode
    REDIRECT = 3  #: what follows it comes from the address in the result register


class TrapValue(enum.Enum, shape=unsigned(3)):
    """What ``mtval`` becomes."""

    ZERO = 0
    RESULT = 1  #: the result register: an address
    TARGET = 2  #: ``pc`` plus the immediate
    INSTRUCTION = 3
    PC = 4


class Pending(data.Struct):
    """A trap, between the cycle that finds it and the one that takes it.

    ``debug`` enters debug mode instead, for the reason in ``cause``.
    """

    interrupt: 1
    debug: 1
    cause: 5
    value: TrapValue


class Retiring(data.Struct):
    """An instruction in the writeback stage.

    ``memory`` waits for a response; ``multiply`` takes the multiplier's
    result; ``counts`` in ``minstret``; the rest as in the instruction.
    """

    valid: 1
    writes: 1
    rd: 5
    memory: 1
    load: 1
    multiply: 1
    counts: 1
    funct3: 3
    pc: 31


class State(wiring.Component):
    """The registers and units that the parts of the pipeline work on."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(core_signature(config))

    def _make(self, m: Module) -> None:
        """Make what every part may look at."""
        config = self._config
        m.submodules.system = self._system = SystemUnit(config)
        m.submodules.fetch = self._fetch = Fetch(config)
        m.submodules.decoder = self._decoder = Decoder(config)
        m.submodules.alu = self._alu = Alu(config, shifter=config.shifter == "barrel")
        self._x = Signal(Parcel, reset_less=True)
        self._x_valid = Signal()
        self._x_first = Signal()  # it is here since this cycle
        self._phase = Signal(Phase)
        self._w = Signal(Retiring)
        self._result = Signal(32, reset_less=True)
        self._pending = Signal(Pending, reset_less=True)
        self._control = self._decoder.control
        self._fire = Signal()  # the instruction leaves the execute stage
        self._redirect = Signal()
        self._found = Signal()  # a trap, to be taken
        self._stops = Signal()  # one, which waits for the instruction before
        self._w_done = Signal()  # the writeback stage lets go of its instruction
        self._error = Signal()  # the bus failed what is in the writeback stage
        self._resume, self._inject = Signal(), Signal()
        self._trapped = Signal()  # the instruction in the redirect phase
        self._checked = bool(config.pmp_regions or config.triggers)

    def _in(self, phase: Phase) -> Value:
        return self._x_valid & (self._phase == phase)

    @property
    def _funct3(self) -> Value:
        return self._x.instruction[12:15]

    @property
    def _next_pc(self) -> Value:
        """The address after the instruction in the execute stage: nothing was redirected since."""
        return Cat(Const(0, 1), self._fetch.parcel.pc)

    @property
    def _debug_mode(self) -> Value:
        return self._system.port.debug_mode

    @property
    def _before(self) -> Value:
        """What stops an instruction before it does anything; known early in its first cycle."""
        trigger = self._before_trigger
        return self._interrupted | self._x.fault | trigger["debug"] | trigger["exception"]

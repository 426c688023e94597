"""What the parts of the nano pipeline share: its states, registers and units."""

from amaranth.hdl import Cat, Module, Signal, Value, unsigned
from amaranth.lib import enum, wiring

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature
from rtl.riscv.pipelines.nano_alu import Alu, LoadStoreLanes
from rtl.riscv.pipelines.nano_decode import Decoder
from rtl.riscv.pipelines.nano_registers import RegisterFile
from rtl.riscv.system.unit import SystemUnit

__all__ = ["NanoState", "State"]


class State(enum.Enum, shape=unsigned(4)):
    """What the pipeline is at."""

    FETCH = 0  #: the request of an instruction waits for its grant
    WAIT = 1  #: the instruction comes, and reads its first register
    READ = 2  #: a register file in memory delivers the first register
    EXECUTE = 3  #: the second register is read, and the result written
    BRANCH = 4  #: a branch has been compared, and adds its offset
    REQUEST = 5  #: a load or store waits for its grant
    RESPONSE = 6  #: a load or store waits for its response
    OFFER = 7  #: a custom instruction is offered to its unit
    ANSWER = 8  #: the custom unit works
    HALTED = 9  #: debug mode, for an instruction to be injected


class NanoState(wiring.Component):
    """The registers and units that the parts of the pipeline work on."""

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(core_signature(config))

    def _make(self, m: Module) -> None:
        """Make what every part may look at."""
        config = self._config
        self._state = Signal(State)
        self._pc = Signal(30, init=config.reset_vector >> 2)
        self._word = Signal(32, reset_less=True)  # the instruction
        self._a = Signal(32, reset_less=True)  # its first operand; at the end, its result
        self._next_a = Signal(32)
        self._arriving, self._arrives = Signal(32), Signal()  # an instruction, from memory or the debugger
        self._pending = Signal()  # that result belongs into a register
        self._writes = Signal()
        self._shift_ends = Signal()
        m.submodules.system = self._system = SystemUnit(config)
        m.submodules.decoder = self._decoder = Decoder(config)
        m.submodules.registers = self._registers = RegisterFile(
            registers=config.registers, kind=config.register_file
        )
        m.submodules.alu = self._alu = Alu()
        m.submodules.lanes = self._lanes = LoadStoreLanes()
        # What happens in this cycle: the instruction ends, or traps, or is not begun.
        self._done = Signal()
        self._exception = Signal()
        self._fetch_fault = Signal()  # which came from its fetch
        self._trap = Signal()
        self._interrupt = Signal()
        self._fetch = Signal()
        self._debug_enter, self._resume = Signal(), Signal()
        self._fires = Signal()  # a trigger, as a breakpoint exception
        self._fires_here = Signal()  # at the instruction's own address
        self._fires_debug = Signal()  # into debug mode
        self._execute = Signal()
        self._taken = Signal(reset_less=True)  # the branch, as compared in the cycle before
        self._branches = self._is(State.BRANCH) & self._taken
        self._next_pc = Signal(30)
        self._fetch_fails = self._is(State.WAIT) & self.ibus.response & self.ibus.error

    def _is(self, *states: State) -> Value:
        return Cat(self._state == state for state in states).any()

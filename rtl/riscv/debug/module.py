"""The debug module: halts, resumes, steps a core, and reaches all that it sees."""

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.debug.commands import Command, CommandRunner
from rtl.riscv.debug.dmi import CommandError, DmiBus, DmiRegister
from rtl.riscv.interfaces import DebugPort
from rtl.riscv.isa import Csr

__all__ = ["DebugModule"]

_VERSION = 2  # dmstatus.version: 0.13
_DATA, _PROGRAM = 2, 2  # words


class DebugModule(wiring.Component):
    """A debug module for one core, by RISC-V External Debug Support 0.13.2.

    It halts and resumes, on reset too, and runs abstract commands: access to
    general registers and CSRs, to memory as the core sees it, and a program
    buffer of two words with an implicit EBREAK. ``abstractauto`` repeats a
    command at each access to data or program. It has no system bus access.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    dmi : In(DmiBus())
        The register bus.
    hart : In(DebugPort())
        The core.
    reset : Out(1)
        ``dmcontrol.ndmreset``: resets all but the debug module and its
        transport, while high.

    Timing
    ------
    A register access takes one cycle. A command takes as long as its
    instructions, and 8 cycles at most besides.

    Source
    ------
    RISC-V External Debug Support 0.13.2, chapter 3.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__({"dmi": In(DmiBus()), "hart": In(DebugPort()), "reset": Out(1)})
        self._active = Signal()
        self._error = Signal(3)
        self._data = [Signal(32, name=f"data{index}") for index in range(_DATA)]
        self._program = [Signal(32, name=f"progbuf{index}") for index in range(_PROGRAM)]
        self._command = Signal(Command)
        self._busy = Signal()
        self._auto = Signal(_DATA + _PROGRAM)

    def _reads(self, register: int) -> Value:
        return self.dmi.request & ~self.dmi.write & (self.dmi.address == register)

    def _writes(self, register: int) -> Value:
        return self.dmi.request & self.dmi.write & (self.dmi.address == register)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        stopped = Signal()
        runner = CommandRunner(self._config)
        m.d.comb += stopped.eq(~self._active | self.reset)
        m.submodules.runner = ResetInserter(stopped)(runner)
        status = self._control(m)
        self._commands(m, runner)
        control = Cat(self._active, self.reset, Const(0, 30))
        abstract = Cat(
            Const(_DATA, 8),
            self._error,
            Const(0, 1),
            self._busy,
            Const(0, 11),
            Const(_PROGRAM, 5),
        )
        automatic = Cat(self._auto[:_DATA], Const(0, 16 - _DATA), self._auto[_DATA:])
        # data0 is behind dscratch0: one word, a CSR.
        information = Const(int(Csr.DSCRATCH0) | 1 << 12, 32)
        registers = {
            DmiRegister.DATA0: self._data[0],
            DmiRegister.DATA1: self._data[1],
            DmiRegister.DMCONTROL: control,
            DmiRegister.DMSTATUS: status,
            DmiRegister.HARTINFO: information,
            DmiRegister.ABSTRACTCS: abstract,
            DmiRegister.ABSTRACTAUTO: automatic,
            DmiRegister.PROGBUF0: self._program[0],
            DmiRegister.PROGBUF1: self._program[1],
            DmiRegister.HALTSUM0: self.hart.halted,
        }
        read = Signal(32)
        with m.Switch(self.dmi.address):
            for register, value in registers.items():
                with m.Case(int(register)):
                    m.d.comb += read.eq(value)
        m.d.sync += [self.dmi.response.eq(self.dmi.request), self.dmi.read_data.eq(read)]
        return m

    def _control(self, m: Module) -> Value:
        """Build what halts, resumes and resets; return ``dmstatus``."""
        hart, written = self.hart, self.dmi.write_data
        halt = Signal()
        resuming = Signal()
        acknowledged = Signal()
        halt_on_reset = Signal()
        has_reset = Signal(init=1)
        with m.If(self.reset):
            m.d.sync += has_reset.eq(1)
        with m.If(resuming & ~hart.halted):
            m.d.sync += [resuming.eq(0), acknowledged.eq(1)]
        with m.If(self._writes(DmiRegister.DMCONTROL)):
            m.d.sync += [self._active.eq(written[0]), self.reset.eq(written[1]), halt.eq(written[31])]
            with m.If(written[30] & ~written[31]):
                m.d.sync += [resuming.eq(1), acknowledged.eq(0)]
            with m.If(written[28]):
                m.d.sync += has_reset.eq(0)
            with m.If(written[3]):
                m.d.sync += halt_on_reset.eq(1)
            with m.If(written[2]):
                m.d.sync += halt_on_reset.eq(0)
        with m.If(~self._active):
            m.d.sync += Cat(self.reset, halt, resuming, acknowledged, halt_on_reset).eq(0)
        m.d.comb += [
            hart.halt_request.eq(halt),
            hart.halt_on_reset.eq(halt_on_reset),
            hart.resume_request.eq(resuming & hart.halted),
        ]
        running = ~hart.halted & ~self.reset
        states = [hart.halted & ~self.reset, running, self.reset, Const(0, 1), acknowledged, has_reset]
        # Authenticated, and a hart can be halted on reset; "any" and "all" are the same for one hart.
        low = Cat(Const(_VERSION, 4), Const(0, 1), Const(1, 1), Const(0, 1), Const(1, 1))
        return Cat(low, *(state.replicate(2) for state in states), Const(0, 2), Const(1, 1))

    def _commands(self, m: Module, runner: CommandRunner) -> None:
        """Build the registers of abstract commands, and start them."""
        hart, written = self.hart, self.dmi.write_data
        words = [
            (DmiRegister.DATA0, self._data[0]),
            (DmiRegister.DATA1, self._data[1]),
            (DmiRegister.PROGBUF0, self._program[0]),
            (DmiRegister.PROGBUF1, self._program[1]),
        ]
        touched = Cat(self._reads(register) | self._writes(register) for register, _word in words)
        changed = (DmiRegister.COMMAND, DmiRegister.ABSTRACTCS, DmiRegister.ABSTRACTAUTO)
        too_early = Cat(touched, *(self._writes(register) for register in changed)).any() & self._busy
        idle = ~self._busy & (self._error == CommandError.NONE)
        anew = self._writes(DmiRegister.COMMAND) & idle
        with m.If(self._writes(DmiRegister.ABSTRACTCS) & ~self._busy):
            m.d.sync += self._error.eq(self._error & ~written[8:11])
        with m.If(self._writes(DmiRegister.ABSTRACTAUTO) & ~self._busy):
            m.d.sync += self._auto.eq(Cat(written[:_DATA], written[16 : 16 + _PROGRAM]))
        with m.If(anew):
            m.d.sync += self._command.eq(written)
        for register, word in words:
            with m.If(self._writes(register) & ~self._busy):
                m.d.sync += word.eq(written)
        with m.If(hart.data_write):
            with m.If(runner.second):
                m.d.sync += self._data[1].eq(hart.data_out)
            with m.Else():
                m.d.sync += self._data[0].eq(hart.data_out)
        with m.If(self._error == CommandError.NONE):
            with m.If(too_early):
                m.d.sync += self._error.eq(CommandError.BUSY)
            with m.If(runner.failed):
                m.d.sync += self._error.eq(runner.error)
        with m.If(~self._active):
            m.d.sync += [self._error.eq(CommandError.NONE), self._auto.eq(0)]
        # A command begins one cycle after its register, or its data, were accessed.
        begins = Signal()
        m.d.sync += begins.eq(self._active & (anew | (idle & (touched & self._auto).any())))
        m.d.comb += [
            self._busy.eq(begins | runner.busy),
            runner.start.eq(begins),
            runner.command.eq(self._command),
            runner.program.eq(Cat(self._program)),
            runner.halted.eq(hart.halted),
            runner.ready.eq(hart.instruction_ready),
            runner.done.eq(hart.done),
            runner.exception.eq(hart.error),
            hart.instruction_valid.eq(runner.valid),
            hart.instruction.eq(runner.instruction),
            hart.data_in.eq(Mux(runner.second, self._data[1], self._data[0])),
        ]

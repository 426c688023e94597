"""Abstract commands, as instructions that a halted core executes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.debug.dmi import CommandError
from rtl.riscv.isa import Csr
from rtl.riscv.units.expander import Expander

__all__ = ["Command", "CommandRunner"]

_EBREAK = 0x0010_0073
_EBREAK_COMPRESSED = 0x9002
_DRET = 0x7B20_0073  # would leave debug mode behind the module's back
_VALUE, _ADDRESS = 8, 9  # x8 and x9 are borrowed: RV32E has them, and so has every compressed form


class Command(data.Struct):
    """The ``command`` register. An abstract access of a register or of memory.

    ``size``, ``increment`` and ``write`` have the same place in both;
    ``transfer``, ``execute`` and ``number`` are of registers alone.
    """

    number: 16
    write: 1
    transfer: 1
    execute: 1
    increment: 1
    size: 3
    virtual: 1
    kind: 8


class _Kind(enum.IntEnum):
    REGISTER = 0
    MEMORY = 2


class _Step(enum.Enum, shape=unsigned(3)):
    """What is injected, in this order; a step that a command does not need takes one cycle."""

    IDLE = 0
    ADDRESS_IN = 1  # swap x9 and data1
    VALUE_IN = 2  # swap x8 and data0
    ACCESS = 3
    INCREMENT = 4
    VALUE_OUT = 5
    ADDRESS_OUT = 6
    PROGRAM = 7


class CommandRunner(wiring.Component):
    """Run one abstract command by injecting instructions.

    A general register moves through ``dscratch0`` with one instruction. For
    a CSR or memory, ``x8`` (and ``x9`` for an address) are first swapped with
    ``data0`` (and ``data1``), and swapped back afterwards, so that nothing is
    lost and nothing needs storage.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    halted : In(1)
        The core is in debug mode.
    valid, ready, instruction, done, exception : Out(1), In(1), Out(32), In(1), In(1)
        Injection, as in :class:`rtl.riscv.interfaces.DebugPort`.
    start : In(1)
        Begin ``command``; only when not ``busy``.
    command : In(Command)
        Holds until the end.
    program : In(64)
        The program buffer, compressed instructions allowed, with an EBREAK
        behind its end.
    busy : Out(1)
        A command runs.
    second : Out(1)
        ``dscratch0`` is ``data1`` now, not ``data0``.
    failed, error : Out(1), Out(3)
        A strobe: the command has failed or was refused, and why.

    Source
    ------
    RISC-V External Debug Support 0.13.2, 3.6 and 3.7; 1.0, 3.7 and 3.8.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "halted": In(1),
                "valid": Out(1),
                "ready": In(1),
                "instruction": Out(32),
                "done": In(1),
                "exception": In(1),
                "start": In(1),
                "command": In(Command),
                "program": In(64),
                "busy": Out(1),
                "second": Out(1),
                "failed": Out(1),
                "error": Out(3),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        command = self.command
        step = Signal(_Step)
        issued = Signal()  # an instruction has been taken and not yet ended
        wrong = Signal()  # an access has failed: what was borrowed is still given back
        pointer = Signal(3)  # in the program, in halves of a word
        memory = command.kind == _Kind.MEMORY
        csr = ~memory & command.transfer & ~command.number[12]
        program, length, ends, broken = self._fetch(m, pointer)
        wanted = Signal()
        instruction = self.instruction
        with m.Switch(step):
            with m.Case(_Step.ADDRESS_IN, _Step.ADDRESS_OUT):
                m.d.comb += [wanted.eq(memory), instruction.eq(_swap(_ADDRESS)), self.second.eq(1)]
            with m.Case(_Step.VALUE_IN, _Step.VALUE_OUT):
                m.d.comb += [wanted.eq(memory | csr), instruction.eq(_swap(_VALUE))]
            with m.Case(_Step.ACCESS):
                m.d.comb += [wanted.eq(memory | command.transfer), instruction.eq(self._access(memory, csr))]
            with m.Case(_Step.INCREMENT):
                size = 1 << command.size[:2]
                m.d.comb += [
                    wanted.eq(memory & command.increment & ~wrong),
                    instruction.eq(_immediate(0x13, 0, _ADDRESS, _ADDRESS, size)),
                ]
            with m.Case(_Step.PROGRAM):
                runs = ~memory & command.execute & ~wrong
                m.d.comb += [wanted.eq(runs & ~ends & ~broken), instruction.eq(program)]
                m.d.comb += self.failed.eq(wrong | (runs & broken & ~ends))
        m.d.comb += [
            self.busy.eq(step != _Step.IDLE),
            self.valid.eq(wanted & ~issued),
            self.error.eq(CommandError.EXCEPTION),
        ]
        with m.If(self.valid & self.ready):
            m.d.sync += issued.eq(1)
        ended = wanted & self.done
        with m.If(ended):
            m.d.sync += [issued.eq(0), wrong.eq(wrong | self.exception)]
        with m.If(step == _Step.PROGRAM):
            with m.If(ended):
                m.d.sync += pointer.eq(pointer + length)
            with m.Elif(~wanted):
                m.d.sync += step.eq(_Step.IDLE)
        with m.Elif(self.busy & (ended | ~wanted)):
            m.d.sync += step.eq(step.as_value() + 1)
        refusal = self._refusal(m)
        with m.If(self.start):
            m.d.sync += [issued.eq(0), wrong.eq(0), pointer.eq(0)]
            m.d.comb += [self.error.eq(refusal), self.failed.eq(refusal != CommandError.NONE)]
            with m.If(refusal == CommandError.NONE):
                m.d.sync += step.eq(_Step.ADDRESS_IN)
        return m

    def _refusal(self, m: Module) -> Signal:
        """Return why a command does not even begin."""
        command = self.command
        registers = 0x1000 | self._config.registers
        known = (command.number < 0x1000) | ((command.number >= 0x1000) & (command.number < registers))
        register_fits = ~command.transfer | (known & (command.size == 2) & ~command.increment)
        refusal = Signal(3)
        supported = Signal()
        m.d.comb += refusal.eq(CommandError.NOT_SUPPORTED)
        with m.Switch(command.kind):
            with m.Case(_Kind.REGISTER):
                m.d.comb += supported.eq(register_fits)
            with m.Case(_Kind.MEMORY):
                m.d.comb += supported.eq((command.size <= 2) & ~command.virtual)
        with m.If(supported):
            m.d.comb += refusal.eq(Mux(self.halted, CommandError.NONE, CommandError.HALT_RESUME))
        return refusal

    def _access(self, memory: Value, csr: Value) -> Value:
        """Return the instruction that reads or writes what a command names."""
        command = self.command
        number, write = command.number, command.write
        general = number[:5]
        window = int(Csr.DSCRATCH0)
        # A load of a byte or a halfword extends with zeros.
        load = _immediate(0x03, Cat(command.size[:2], ~command.size[1]), _VALUE, _ADDRESS, 0)
        store = _immediate(0x23, command.size[:2], 0, _ADDRESS, _VALUE)
        read_csr = _immediate(0x73, 2, _VALUE, 0, number[:12])
        write_csr = _immediate(0x73, 1, 0, _VALUE, number[:12])
        read_general = _immediate(0x73, 1, 0, general, window)
        write_general = _immediate(0x73, 2, general, 0, window)
        of_registers = Mux(csr, Mux(write, write_csr, read_csr), Mux(write, write_general, read_general))
        return Mux(memory, Mux(write, store, load), of_registers)

    def _fetch(self, m: Module, pointer: Signal) -> tuple[Value, Value, Value, Value]:
        """Return the instruction at ``pointer``, its halves, whether it ends, or cannot be executed."""
        buffer = (self.program.word_select(index, 16) for index in range(4))
        halves = Array([*buffer, Const(_EBREAK_COMPRESSED, 16)])
        raw = Signal(32)
        m.d.comb += raw.eq(Cat(halves[pointer], halves[pointer + 1]))
        full = raw[:2] == 3
        ends = (pointer >= 4) | (raw[:16] == _EBREAK_COMPRESSED) | (raw == _EBREAK)
        # Its second half is behind the buffer, or it would resume the core.
        broken = (full & (pointer == 3)) | (raw == _DRET)
        if not self._config.c:
            return raw, Const(2), ends, broken | ~full
        # Expanded here, so that pipelines need not: what is injected has 32 bits.
        m.submodules.expander = expander = Expander(self._config)
        m.d.comb += expander.raw.eq(raw)
        return expander.instruction, Mux(full, 2, 1), ends, broken | expander.illegal


def _field(value: int | Value, width: int) -> Value:
    return Const(value, width) if isinstance(value, int) else Cat(value, Const(0, width - len(value)))


def _immediate(
    opcode: int, function: int | Value, rd: int | Value, rs1: int | Value, immediate: int | Value
) -> Value:
    """Return an instruction of the I format."""
    return Cat(_field(opcode, 7), _field(rd, 5), _field(function, 3), _field(rs1, 5), _field(immediate, 12))


def _swap(register: int) -> Value:
    """Return the instruction that exchanges a register with what ``dscratch0`` stands for."""
    return _immediate(0x73, 1, register, register, int(Csr.DSCRATCH0))

"""One hart, an instruction at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Csr, Mode
from verif.lockstep.encoding import extensions
from verif.models.riscv.csrs import TW, CsrFile
from verif.models.riscv.operation import Operation, decode
from verif.programs.directed.reference import (
    AMO,
    BRANCHES,
    IMMEDIATE,
    LOADS,
    REGISTER,
    SHIFT_IMMEDIATE,
    UNARY,
)

__all__ = ["Hart", "Memory", "Observation", "Retired", "TrapError"]

_MASK = 0xFFFF_FFFF
_STORES = {"sb": 1, "sh": 2, "sw": 4}
_BINARY = {name: function for group in REGISTER.values() for name, function in group.items()}
_SHIFTS = {name: function for group in SHIFT_IMMEDIATE.values() for name, function in group.items()}
_UNARY = {name: function for group in UNARY.values() for name, function in group.items()}


class Memory(Protocol):
    """What the model reads and writes: words, at addresses that are multiples of four."""

    def read(self, address: int) -> tuple[int, bool]:
        """Return the word, and whether the access fails."""

    def write(self, address: int, strobe: int, data: int) -> bool:
        """Write the bytes of a strobe, and return whether the access fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What only the core knows, and the model takes from it.

    Attributes
    ----------
    interrupt
        The cause of an interrupt that was taken before this instruction.
    rd_value
        What it wrote into ``rd``: taken for counters, time and ``mip``.
    loaded
        The word it read: taken where memory is a device.
    """

    interrupt: int | None = None
    rd_value: int = 0
    loaded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """What an instruction did, in the terms of RVFI."""

    insn: int
    trap: bool
    pc: int
    next_pc: int
    rd: int
    rd_value: int
    address: int
    read_mask: int
    write_mask: int
    write_data: int
    operation: Operation | None


class TrapError(Exception):
    """An exception of the hart."""

    def __init__(self, cause: Cause, value: int = 0) -> None:
        super().__init__(cause, value)
        self.cause, self.value = cause, value


class Hart:
    """Execute instructions.

    Parameters
    ----------
    config
        The core.
    memory
        What it sees.
    is_device
        Which addresses hold what only the core can know.

    Attributes
    ----------
    pc, registers, csrs
        Its state.

    Raises
    ------
    ValueError
        The core has what the model lacks: protection, custom instructions.
    """

    def __init__(
        self, config: CoreConfig, memory: Memory, is_device: Callable[[int], bool] = lambda address: False
    ) -> None:
        if config.pmp_regions or config.custom != "none":
            raise ValueError("the Python model has neither pmp_regions nor custom instructions")
        self.config = config
        self.pc = config.reset_vector
        self.registers = [0] * 32
        self.csrs = CsrFile(config)
        self._memory = memory
        self._is_device = is_device
        self._enabled = extensions(config)
        self._reserved: int | None = None

    def step(self, seen: Observation) -> Retired:
        """Execute the next instruction.

        Raises
        ------
        ValueError
            The interrupt that is said to have come was not enabled.
        """
        if seen.interrupt is not None:
            if not self.csrs.enabled(seen.interrupt):
                raise ValueError(f"interrupt {seen.interrupt} was taken at {self.pc:#x}, but is not enabled")
            self.pc = self.csrs.trap(seen.interrupt, True, self.pc, 0)
        pc, word, operation = self.pc, 0, None
        self._seen = seen
        self._rd, self._value = 0, 0
        self._access = (0, 0, 0, 0)
        self._next = pc
        try:
            word = self._fetch(pc)
            operation = decode(word, self._enabled)
            if operation is None or self._beyond(operation):
                raise TrapError(Cause.ILLEGAL_INSTRUCTION, word)
            self._next = (pc + operation.size) & _MASK
            self._execute(operation, word)
            trapped = False
            if self._rd:
                self.registers[self._rd] = self._value
            else:
                self._value = 0
        except TrapError as trap:
            trapped = True
            self._rd, self._value, self._access = 0, 0, (0, 0, 0, 0)
            self._next = self.csrs.trap(trap.cause, False, pc, trap.value)
        self.pc = self._next
        address, read_mask, write_mask, data = self._access
        return Retired(
            insn=word,
            trap=trapped,
            pc=pc,
            next_pc=self.pc,
            rd=self._rd,
            rd_value=self._value,
            address=address,
            read_mask=read_mask,
            write_mask=write_mask,
            write_data=data,
            operation=operation,
        )

    def _beyond(self, operation: Operation) -> bool:
        return max(operation.rd, operation.rs1, operation.rs2) >= self.config.registers

    def _fetch(self, pc: int) -> int:
        low = self._half(pc)
        if low & 3 != 3:
            return low
        return low | self._half((pc + 2) & _MASK) << 16

    def _half(self, address: int) -> int:
        word, error = self._memory.read(address & ~3)
        if error or self._is_device(address):
            raise TrapError(Cause.INSTRUCTION_FAULT, address)
        return word >> 8 * (address & 2) & 0xFFFF

    def _execute(self, operation: Operation, word: int) -> None:
        name, rs1, rs2 = operation.name, self.registers[operation.rs1], self.registers[operation.rs2]
        immediate = operation.immediate
        self._rd = operation.rd
        if (computed := self._compute(name, rs1, rs2, immediate)) is not None:
            self._value = computed
        elif name in LOADS:
            self._value = self._load(name, (rs1 + immediate) & _MASK)
        elif name in _STORES:
            self._store(_STORES[name], (rs1 + immediate) & _MASK, rs2)
        elif name in BRANCHES:
            if BRANCHES[name](rs1, rs2):
                self._jump(self.pc + immediate)
        elif name in ("jal", "jalr"):
            self._value = self._next
            self._jump(self.pc + immediate if name == "jal" else (rs1 + immediate) & ~1)
        elif operation.group == "amo":
            self._atomic(name, rs1, rs2)
        elif operation.group == "csr":
            self._csr(operation, word)
        elif operation.group == "system":
            self._system(name, word)

    def _compute(self, name: str, rs1: int, rs2: int, immediate: int) -> int | None:
        """Return the result of what only computes, or None."""
        if name in _BINARY:
            return _BINARY[name](rs1, rs2)
        if name in IMMEDIATE:
            return IMMEDIATE[name](rs1, immediate)
        if name in _SHIFTS:
            return _SHIFTS[name](rs1, immediate)
        if name in _UNARY:
            return _UNARY[name](rs1)
        if name in ("lui", "auipc"):
            return (immediate + (self.pc if name == "auipc" else 0)) & _MASK
        return None

    def _jump(self, target: int) -> None:
        target &= _MASK
        if target & 2 and not self.config.c:
            raise TrapError(Cause.INSTRUCTION_MISALIGNED, target)
        self._next = target

    def _load(self, name: str, address: int) -> int:
        size, extend = LOADS[name]
        if address % size:
            raise TrapError(Cause.LOAD_MISALIGNED, address)
        word, error = self._memory.read(address & ~3)
        if error:
            raise TrapError(Cause.LOAD_FAULT, address)
        if self._is_device(address):
            word = self._seen.loaded
        self._access = (address & ~3, ((1 << size) - 1) << (address & 3), 0, 0)
        return extend(word >> 8 * (address & 3))

    def _store(self, size: int, address: int, value: int) -> None:
        if address % size:
            raise TrapError(Cause.STORE_MISALIGNED, address)
        strobe = ((1 << size) - 1) << (address & 3)
        data = value << 8 * (address & 3) & _MASK
        if self._memory.write(address & ~3, strobe, data):
            raise TrapError(Cause.STORE_FAULT, address)
        self._access = (address & ~3, 0, strobe, data)

    def _atomic(self, name: str, address: int, value: int) -> None:
        load = name == "lr.w"
        if address & 3:
            raise TrapError(Cause.LOAD_MISALIGNED if load else Cause.STORE_MISALIGNED, address)
        word, error = self._memory.read(address)
        if error:
            raise TrapError(Cause.LOAD_FAULT if load else Cause.STORE_FAULT, address)
        if name == "sc.w":
            succeeds, self._reserved = self._reserved == address, None
            if succeeds:
                self._store(4, address, value)
            self._value = int(not succeeds)
            return
        self._value = word
        if load:
            self._reserved = address
            self._access = (address, 15, 0, 0)
        else:
            self._store(4, address, AMO[name](word, value))
            self._access = (address, 15, *self._access[2:])

    def _csr(self, operation: Operation, word: int) -> None:
        address = operation.immediate
        field = word >> 15 & 31
        operand = field if operation.name.endswith("i") else self.registers[operation.rs1]
        kind = word >> 12 & 3
        writes = kind == 1 or field != 0
        if not self.csrs.legal(address, write=writes):
            raise TrapError(Cause.ILLEGAL_INSTRUCTION, word)
        old = self._seen.rd_value if self.csrs.adopted(address) else self.csrs.values[address]
        self._value = old
        if writes:
            self.csrs.write(address, {1: operand, 2: old | operand, 3: old & ~operand}[kind])

    def _system(self, name: str, word: int) -> None:
        csrs, user = self.csrs, self.csrs.mode == Mode.USER
        if name == "ecall":
            raise TrapError(Cause.ECALL_U if user else Cause.ECALL_M)
        if name == "ebreak":
            raise TrapError(Cause.BREAKPOINT, self.pc)
        if name == "mret":
            if user:
                raise TrapError(Cause.ILLEGAL_INSTRUCTION, word)
            self._next = csrs.mret()
        elif name == "wfi" and user and csrs.values[Csr.MSTATUS] & TW:
            raise TrapError(Cause.ILLEGAL_INSTRUCTION, word)

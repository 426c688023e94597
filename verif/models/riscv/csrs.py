"""Control and status registers of the model."""

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr, Mode
from verif.lockstep.csrs import csr_rules, interrupt_mask

__all__ = ["CsrFile"]

_MASK = 0xFFFF_FFFF
MIE, MPIE, MPP, MPRV, TW = 1 << 3, 1 << 7, 3 << 11, 1 << 17, 1 << 21
_READ_ONLY = 3
_USER_COUNTERS = (Csr.CYCLE, Csr.TIME, Csr.INSTRET)


class CsrFile:
    """The CSRs of one core, and what traps do to them.

    Parameters
    ----------
    config
        The core.

    Attributes
    ----------
    values
        Registers by address, of those that keep a value.
    mode
        The privilege mode.
    written
        Registers that have been written: before that, some have no value.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        self.mode = int(Mode.MACHINE)
        self.written: set[int] = set()
        self._rules = csr_rules(config)
        self.values = {address: 0 for address, rule in self._rules.items() if rule != "adopt"}
        for address, rule in self._rules.items():
            kind, *numbers = rule.split(":")
            if kind in ("const", "masked"):
                self.values[address] = int(numbers[-1], 0)
        self.values[Csr.MSTATUS] = 0 if config.user_mode else MPP

    def legal(self, address: int, *, write: bool) -> bool:
        """Return whether an access is allowed in this mode."""
        if address not in self._rules or (write and address >> 10 == _READ_ONLY):
            return False
        if self.mode < (address >> 8 & 3):
            return False
        if self.mode == Mode.USER and address & ~0x80 in _USER_COUNTERS:
            return bool(self.values[Csr.MCOUNTEREN] >> (address & 31) & 1)
        return True

    def adopted(self, address: int) -> bool:
        """Return whether the core alone knows what a read gives."""
        counts = (Csr.MINSTRET, Csr.MINSTRETH, Csr.INSTRET, Csr.INSTRETH)
        return self._rules[address] == "adopt" or (address in counts and self.config.zicntr)

    def write(self, address: int, value: int) -> None:
        """Write what is writable of a register."""
        self.written.add(address)
        kind, *numbers = self._rules[address].split(":")
        if kind == "masked":
            self.values[address] = value & int(numbers[0], 0)
        elif kind == "vector":
            self.values[address] = value & (~(int(numbers[0]) - 2) if value & 1 else ~3) & _MASK
        elif kind == "keep":
            self.values[address] = self._writable(address, value)

    def _writable(self, address: int, value: int) -> int:
        if address == Csr.MSTATUS:
            if not self.config.user_mode:
                return value & (MIE | MPIE) | MPP
            return value & (MIE | MPIE | MPRV | TW) | (MPP if value & MPP == MPP else 0)
        masks = {
            Csr.MIE: interrupt_mask(self.config),
            Csr.MEPC: ~1 if self.config.c else ~3,
            Csr.MCOUNTINHIBIT: 5,
            Csr.MCOUNTEREN: 7,
        }
        return value & masks.get(address, _MASK) & _MASK  # type: ignore[call-overload]

    def trap(self, cause: int, interrupt: bool, pc: int, value: int) -> int:
        """Enter a handler, and return where it is."""
        self.written |= {Csr.MEPC, Csr.MTVAL}
        status = self.values[Csr.MSTATUS]
        previous = MPIE if status & MIE else 0
        previous |= MPP if self.mode == Mode.MACHINE else 0
        self.values[Csr.MSTATUS] = status & ~(MIE | MPIE | MPP) | previous
        self.mode = int(Mode.MACHINE)
        self.values[Csr.MEPC] = pc
        self.values[Csr.MCAUSE] = cause | (1 << 31 if interrupt else 0)
        self.values[Csr.MTVAL] = value
        vector = self.values[Csr.MTVEC]
        return (vector & ~3) + (4 * cause if interrupt and vector & 1 else 0)

    def mret(self) -> int:
        """Return from a handler, and say where to."""
        status = self.values[Csr.MSTATUS]
        machine = status & MPP == MPP
        after = status & ~(MIE | MPP) | MPIE | (MIE if status & MPIE else 0)
        if not machine:
            after &= ~MPRV
        self.values[Csr.MSTATUS] = after | (0 if self.config.user_mode else MPP)
        self.mode = int(Mode.MACHINE if machine else Mode.USER)
        return self.values[Csr.MEPC]

    def enabled(self, cause: int) -> bool:
        """Return whether an interrupt may be taken now, if it is pending."""
        allowed = self.mode == Mode.USER or self.values[Csr.MSTATUS] & MIE
        return bool(allowed and self.values[Csr.MIE] >> cause & 1)

"""What surrounds the random instructions: start, trap handler, end.

Some registers are kept: the handler's stack pointer, which it needs before
anything else, two loop counters, and two data pointers. Which ones they are
changes with the seed.
"""

import random
from dataclasses import dataclass

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from verif.lockstep.csrs import interrupt_mask
from verif.lockstep.memories import CLINT, TEST_DEVICE
from verif.lockstep.random.assembler import Code, b_type, i_type, j_type, s_type

__all__ = ["DATA_BASE", "DATA_BYTES", "Registers", "emit_end", "emit_handler", "emit_start"]

DATA_BASE = 0x8004_0000
DATA_BYTES = 8192
_STACK = DATA_BASE + DATA_BYTES  # the handler's frames, 32 bytes each
_COUNTER = _STACK + 0x400  # of traps
FRAME = 32

_PREVIOUS_MODE = 0x1800
_MODIFY = 1 << 17
_TIMER_ENABLE = 0x80
_LINKS = (1, 5)

ADDI, ANDI, XORI, SLLI, SRLI = 0x13, 0x7013, 0x4013, 0x1013, 0x5013
LW, LHU, SW = 0x2003, 0x5003, 0x2023
BEQ, BNE, BLT, BGE = 0x63, 0x1063, 0x4063, 0x5063
OR, AND, XOR = 0x6033, 0x7033, 0x4033
CSRRW, CSRRS, CSRRC, CSRRSI, CSRRCI = 0x1073, 0x2073, 0x3073, 0x6073, 0x7073
MRET = 0x3020_0073


@dataclass(frozen=True, slots=True)
class Registers:
    """Which registers have a purpose.

    Attributes
    ----------
    stack
        The handler's frames.
    outer, inner
        Loop counters.
    data
        Points into the data, one of x8 to x15; x2 does, too.
    recover
        Where to go on after a failed fetch; free otherwise.
    temporaries
        Four that the handler saves and uses.
    """

    stack: int
    outer: int
    inner: int
    data: int
    recover: int
    temporaries: tuple[int, int, int, int]

    @classmethod
    def choose(cls, rng: random.Random, registers: int) -> "Registers":
        """Return a random choice out of so many registers."""
        data = rng.randrange(8, 16)
        free = [n for n in range(1, registers) if n not in (2, data)]
        chosen = rng.sample(free, 8)
        while chosen[0] in _LINKS:  # every program links by them, the handler's stack must be elsewhere
            chosen = rng.sample(free, 8)
        return cls(*chosen[:3], data, chosen[3], tuple(chosen[4:]))  # type: ignore[arg-type]

    @property
    def kept(self) -> frozenset[int]:
        """Registers that random instructions must not write."""
        return frozenset((2, self.stack, self.outer, self.inner, self.data))


def csr_read(rd: int, csr: int) -> int:
    """Return CSRRS with x0."""
    return i_type(CSRRS, rd, 0, csr)


def csr_write(csr: int, rs1: int) -> int:
    """Return CSRRW to x0."""
    return i_type(CSRRW, 0, rs1, csr)


def emit_start(code: Code, config: CoreConfig, regs: Registers, rng: random.Random, loops: int) -> None:
    """Append what runs after reset: CSRs, a first timer interrupt, values for all registers."""
    a, b, _, _ = regs.temporaries
    code.load_immediate(a, code.address("table_0") | rng.randrange(2))
    code.word(csr_write(Csr.MTVEC, a))
    code.load_immediate(regs.stack, _STACK)
    code.load_immediate(a, CLINT + 0x4000)
    code.load_immediate(b, rng.randrange(500, 3000))
    code.word(s_type(SW, a, b, 0))
    code.word(s_type(SW, a, 0, 4))
    code.load_immediate(b, (interrupt_mask(config) & rng.getrandbits(32)) | _TIMER_ENABLE)
    code.word(csr_write(Csr.MIE, b))
    if config.pmp_regions:  # the last region opens everything to user mode
        last = config.pmp_regions - 1
        code.load_immediate(a, 0xFFFF_FFFF)
        code.word(csr_write(Csr.PMPADDR0 + last, a))
        code.load_immediate(a, 0x1F << 24)
        code.word(csr_write(Csr.PMPCFG0 + last // 4, a))
    for csr in (Csr.MSCRATCH, Csr.MEPC, Csr.MTVAL):  # they have no value after reset
        code.word(csr_write(csr, 0))
    for number in range(1, config.registers):
        if number not in (regs.stack, 2, regs.data, regs.outer):
            code.load_immediate(number, rng.getrandbits(32))
    middle = DATA_BASE + DATA_BYTES // 2
    code.load_immediate(2, middle + 4 * rng.randrange(-16, 16))
    code.load_immediate(regs.data, middle + 4 * rng.randrange(-16, 16))
    code.load_immediate(regs.outer, loops)
    code.word(i_type(CSRRSI, 0, 8 * rng.randrange(2), Csr.MSTATUS))


def emit_end(code: Code, regs: Registers) -> None:
    """Append the exit: again and again, since protection may keep user mode from the device."""
    a, b, _, _ = regs.temporaries
    code.label("end")
    code.load_immediate(a, TEST_DEVICE)
    code.word(s_type(SW, a, 0, 4))
    code.word(0x73)  # ECALL changes the mode
    code.load_immediate(b, 0)
    code.refer("jump", "end", j_type(0, 0))


def emit_handler(code: Code, config: CoreConfig, regs: Registers, rng: random.Random) -> None:
    """Append two vector tables and the handler, which goes on behind whatever trapped.

    It saves its temporaries, mepc and mstatus in a frame; counts; sometimes
    provokes a trap of its own or lets interrupts in; then deals with the
    cause: an interrupt is taken back at its source, ECALL changes the mode
    (where there are two), a failed fetch goes on at the recovery register
    (or, from user mode, again in machine mode), all else is skipped.
    """
    for table in range(2):
        code.align(128)
        code.label(f"table_{table}")
        for _ in range(32):
            code.refer("jump", "handler", j_type(0, 0))
    a, b, c, _ = regs.temporaries
    t = regs.stack
    code.label("handler")
    for slot, register in enumerate(regs.temporaries):
        code.word(s_type(SW, t, register, 4 * slot))
    code.word(csr_read(a, Csr.MEPC))
    code.word(s_type(SW, t, a, 16))
    code.word(csr_read(a, Csr.MSTATUS))
    code.word(s_type(SW, t, a, 20))
    code.word(csr_read(b, Csr.MCAUSE))
    code.word(i_type(ADDI, t, t, FRAME))
    if config.user_mode:  # a trap in here would set MPP to user mode, and MPRV then counts
        code.load_immediate(c, _MODIFY)
        code.word(i_type(CSRRC, 0, c, Csr.MSTATUS))
    _emit_nesting(code, regs, rng)
    code.refer("branch", "interrupt", b_type(BLT, b, 0, 0))
    causes = [(1, "fetch"), (8, "ecall_user"), (11, "ecall_machine")]
    causes += [(5, "access"), (7, "access")] if config.pmp_regions else []
    for cause, name in causes:
        code.word(i_type(ADDI, c, 0, cause))
        code.refer("branch", name, b_type(BEQ, b, c, 0))
    code.label("skip")
    code.word(i_type(LW, a, t, 16 - FRAME))
    code.word(i_type(LHU, c, a, 0))
    code.word(i_type(ANDI, c, c, 3))
    code.word(i_type(ADDI, c, c, -3))
    code.word(i_type(ADDI, a, a, 2))
    if not config.c:
        code.word(i_type(ADDI, c, 0, 0))
    code.refer("branch", "two_bytes", b_type(BNE, c, 0, 0))
    code.word(i_type(ADDI, a, a, 2))
    code.label("two_bytes")
    code.word(s_type(SW, t, a, 16 - FRAME))
    _emit_return(code, regs)
    _emit_modes(code, config, regs)
    if config.pmp_regions:
        _emit_access(code, regs)
    _emit_fetch(code, regs)
    _emit_interrupt(code, regs, rng)


def _emit_nesting(code: Code, regs: Registers, rng: random.Random) -> None:
    """At small depth: sometimes an illegal instruction, and interrupts enabled for a while.

    The trap that it provokes provokes another, so that every depth is reached.
    """
    _, _, c, d = regs.temporaries
    code.load_immediate(c, _COUNTER)
    code.word(i_type(LW, d, c, 0))
    code.word(i_type(ADDI, d, d, 1))
    code.word(s_type(SW, c, d, 0))
    code.word(i_type(ANDI, d, d, 15))
    code.word(i_type(ANDI, c, regs.stack, 0x3FF))
    code.word(i_type(ADDI, c, c, -2 * FRAME))
    code.refer("branch", "deep", b_type(BLT, 0, c, 0))  # depth 3 or more
    code.word(i_type(ADDI, c, d, -2))
    code.refer("branch", "no_trap", b_type(BGE, c, 0, 0))
    code.word(rng.choice((0xFFFF_FFFF, 0x0010_0073)))  # not ECALL: it would change the handler's mode
    code.label("no_trap")
    code.word(i_type(ADDI, d, d, -rng.randrange(2, 16)))
    code.refer("branch", "deep", b_type(BNE, d, 0, 0))
    code.word(i_type(CSRRSI, 0, 8, Csr.MSTATUS))
    code.word(i_type(ADDI, c, c, 1))
    code.word(i_type(CSRRCI, 0, 8, Csr.MSTATUS))
    code.label("deep")


def _emit_return(code: Code, regs: Registers) -> None:
    a, b, c, d = regs.temporaries
    t = regs.stack
    code.label("return")
    code.word(i_type(ADDI, t, t, -FRAME))
    code.word(i_type(LW, a, t, 16))
    code.word(csr_write(Csr.MEPC, a))
    code.word(i_type(LW, a, t, 20))
    code.word(csr_write(Csr.MSTATUS, a))
    for slot, register in enumerate((a, b, c, d)):
        code.word(i_type(LW, register, t, 4 * slot))
    code.word(MRET)


def _emit_modes(code: Code, config: CoreConfig, regs: Registers) -> None:
    """Append what ECALL does. MPRV goes, too: the handler's own accesses must not depend on it."""
    a, _, c, _ = regs.temporaries
    t = regs.stack
    code.label("ecall_user")
    code.word(i_type(LW, a, t, 20 - FRAME))
    code.load_immediate(c, _PREVIOUS_MODE)
    code.word(OR | a << 7 | a << 15 | c << 20)
    code.word(s_type(SW, t, a, 20 - FRAME))
    code.refer("jump", "skip", j_type(0, 0))
    code.label("ecall_machine")
    if config.user_mode:
        code.word(i_type(LW, a, t, 20 - FRAME))
        code.load_immediate(c, ~(_PREVIOUS_MODE | _MODIFY))
        code.word(AND | a << 7 | a << 15 | c << 20)
        code.word(s_type(SW, t, a, 20 - FRAME))
    code.refer("jump", "skip", j_type(0, 0))


def _emit_fetch(code: Code, regs: Registers) -> None:
    """Append what a failed fetch does; `fetch_user` makes the mode that is returned to machine mode."""
    a, _, c, d = regs.temporaries
    t = regs.stack
    code.label("fetch")
    code.word(i_type(LW, a, t, 20 - FRAME))
    code.load_immediate(c, _PREVIOUS_MODE)
    code.word(AND | d << 7 | a << 15 | c << 20)
    code.refer("branch", "fetch_user", b_type(BEQ, d, 0, 0))
    code.word(s_type(SW, t, regs.recover, 16 - FRAME))
    code.refer("jump", "return", j_type(0, 0))
    code.label("fetch_user")
    code.word(OR | a << 7 | a << 15 | c << 20)
    code.word(s_type(SW, t, a, 20 - FRAME))
    code.refer("jump", "return", j_type(0, 0))


def _emit_access(code: Code, regs: Registers) -> None:
    """Append what a refused load or store does: first repeat it as machine mode, without MPRV.

    Only what fails even so is skipped: a link register that cannot be saved
    or restored would end the program's control of itself.
    """
    a, _, c, d = regs.temporaries
    t = regs.stack
    code.label("access")
    code.word(i_type(LW, a, t, 20 - FRAME))
    code.load_immediate(c, _PREVIOUS_MODE)
    code.word(AND | d << 7 | a << 15 | c << 20)
    code.refer("branch", "fetch_user", b_type(BEQ, d, 0, 0))
    code.load_immediate(c, _MODIFY)
    code.word(AND | d << 7 | a << 15 | c << 20)
    code.refer("branch", "skip", b_type(BEQ, d, 0, 0))
    code.word(XOR | a << 7 | a << 15 | c << 20)
    code.word(s_type(SW, t, a, 20 - FRAME))
    code.refer("jump", "return", j_type(0, 0))


def _emit_interrupt(code: Code, regs: Registers, rng: random.Random) -> None:
    """Append what takes an interrupt back: the timer is set again, so that it never stops for good."""
    _, b, c, d = regs.temporaries
    code.label("interrupt")
    code.word(i_type(ANDI, b, b, 31))
    code.load_immediate(c, TEST_DEVICE)  # any line may have been raised there
    code.word(s_type(SW, c, 0, 0x10))
    code.word(i_type(ADDI, c, 0, 7))
    code.refer("branch", "timer", b_type(BEQ, b, c, 0))
    code.word(i_type(ADDI, c, 0, 3))
    code.refer("branch", "software", b_type(BEQ, b, c, 0))
    code.refer("jump", "return", j_type(0, 0))
    code.label("software")
    code.load_immediate(c, CLINT)
    code.word(s_type(SW, c, 0, 0))
    code.refer("jump", "return", j_type(0, 0))
    code.label("timer")
    code.load_immediate(c, CLINT + 0xC000)
    code.word(i_type(LW, d, c, -8))
    code.word(i_type(ADDI, d, d, rng.randrange(900, 2047)))
    code.word(i_type(ADDI, d, d, rng.randrange(900, 2047)))
    code.load_immediate(c, CLINT + 0x4000)
    code.word(s_type(SW, c, d, 0))
    code.word(s_type(SW, c, 0, 4))
    code.refer("jump", "return", j_type(0, 0))

"""What needs care: CSRs, traps, interrupts, modes, atomics, self-modifying code."""

import random
from collections.abc import Callable

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr, Interrupt
from verif.lockstep.csrs import csr_rules
from verif.lockstep.memories import CLINT, TEST_DEVICE, local_memories, walls
from verif.lockstep.random.assembler import Code, i_type, j_type, s_type
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain

__all__ = ["Events"]

_CSRRS, _CSRRSI, _CSRRCI = 0x2073, 0x6073, 0x7073
_FENCE_I, _FENCE, _WFI, _MRET, _ECALL, _EBREAK = 0x100F, 0x0F, 0x1050_0073, 0x3020_0073, 0x73, 0x10_0073
_LW, _LH, _LHU, _LBU, _LB, _SB, _SH, _SW = 0x2003, 0x1003, 0x5003, 0x4003, 0x3, 0x23, 0x1023, 0x2023
_ADDI, _XORI = 0x13, 0x4013
_MIE_BIT = 8

# Registers whose random contents would end the program's control of itself.
_GUARDED = (Csr.MTVEC, Csr.MIE)
_PROTECTION = range(0x3A0, 0x3F0)


class Events:
    """Instructions with consequences, each in a sequence that survives them.

    Parameters
    ----------
    rng, config, code, operands, plain
        As for :class:`verif.lockstep.random.stream.Plain`.
    """

    def __init__(
        self,
        rng: random.Random,
        config: CoreConfig,
        code: Code,
        operands: Operands,
        plain: Plain,
    ) -> None:
        self._rng = rng
        self._config = config
        self._code = code
        self._operands = operands
        self._plain = plain
        self._walls = walls(config)
        self._local = local_memories(config)
        self._csrs = sorted(csr_rules(config))
        busy = (Csr.MSTATUS, Csr.MSCRATCH, Csr.MEPC, Csr.MCAUSE, Csr.MTVAL, Csr.MIP)
        self._busy_csrs = [*busy, *(c for c in (Csr.MINSTRET, Csr.MCYCLE) if c in self._csrs)]
        self._lines = [Interrupt.EXTERNAL, Interrupt.SOFTWARE, Interrupt.TIMER]
        self._lines += [Interrupt.LOCAL + n for n in range(config.local_interrupts)]

    def kinds(self) -> dict[str, Callable[[], None]]:
        """Return the kinds of events that this core has, by name."""
        kinds: dict[str, Callable[[], None]] = {
            "csr": self._csr,
            "csr_missing": self._csr_missing,
            "status": self._status,
            "fence": self._fence,
            "modify": self.modify,
            "illegal": lambda: self._code.insn(self._plain.illegal()),
            "ecall": lambda: self._code.word(_ECALL),
            "ebreak": self._ebreak,
            "fault": self._fault,
            "bad_jump": self.bad_jump,
            "odd_jump": self._odd_jump,
            "raise": self._raise,
            "sleep": self.sleep,
            "return": self.return_,
            "device": self._device,
        }
        if self._config.a:
            kinds |= {"atomic": self._atomic, "reserve": self._reserve}
        if self._local:
            kinds |= {"local": self._local_access, "local_code": self._local_code}
        if self._config.pmp_regions:
            kinds["protect"] = self._protect
        return kinds

    # ---- CSRs --------------------------------------------------------------

    def _csr(self) -> None:
        """Append an access to a CSR."""
        rng, o, code = self._rng, self._operands, self._code
        chance = rng.random()
        if chance < 0.1:
            code.word(i_type(rng.choice((_CSRRSI, _CSRRCI)), o.rd(), rng.randrange(4), Csr.MTVEC))
            return
        if chance < 0.2:
            enable = o.free()
            code.word(i_type(0x1073 + (rng.randrange(3) << 12), o.rd(), o.rs(), Csr.MIE))
            code.load_immediate(enable, 1 << Interrupt.TIMER)  # the one that ends every WFI
            code.word(i_type(_CSRRS, 0, enable, Csr.MIE))
            return
        if chance < 0.3 and self._config.pmp_regions:
            csr = rng.choice([c for c in self._csrs if c in _PROTECTION])
            code.word(i_type(_CSRRS, o.rd(), 0, csr))
            return
        busy = chance < 0.5
        csr = rng.choice(self._busy_csrs if busy else self._csrs)
        if csr not in _GUARDED and csr not in _PROTECTION:
            self._access(csr)

    def _access(self, csr: int) -> None:
        """Append any of the six operations."""
        rng, o = self._rng, self._operands
        operation = rng.choice((1, 2, 3, 5, 6, 7))
        source = o.rs() if operation < 4 else rng.randrange(32)
        if operation & 3 != 1 and rng.random() < 0.3:
            source = 0
        self._code.word(i_type(0x73 | operation << 12, o.rd(), source, csr))

    def _csr_missing(self) -> None:
        """Append an access to a CSR that does not exist, or a write to one that only reads."""
        rng = self._rng
        if rng.random() < 0.3:
            csr = rng.choice([c for c in self._csrs if c >> 10 == 3])
            self._code.word(i_type(0x1073, self._operands.rd(), self._operands.rs(), csr))
            return
        csr = rng.getrandbits(12)
        if rng.random() < 0.5:  # near one that exists
            csr = rng.choice(self._csrs) ^ 1 << rng.randrange(12)
        if csr not in self._csrs:
            self._access(csr)

    def _status(self) -> None:
        """Append the enabling or disabling of interrupts."""
        match = _CSRRSI if self._rng.random() < 0.8 else _CSRRCI
        self._code.word(i_type(match, self._operands.rd(), _MIE_BIT, Csr.MSTATUS))

    def _protect(self) -> None:
        """Append a change of a protected region; none is locked."""
        rng, o, code = self._rng, self._operands, self._code
        first = o.free()
        last = self._config.pmp_regions - 1
        index = rng.randrange(last)
        address = rng.choice((0x8000_0000, 0x8004_0000, 0x8004_1000, 0x8000_0800, rng.getrandbits(32)))
        address = address >> 2 | (1 << rng.randrange(12)) - 1
        code.load_immediate(first, address)
        code.word(i_type(0x1073, o.rd(), first, Csr.PMPADDR0 + index))
        value = rng.getrandbits(32) & 0x1F1F_1F1F
        word = index // 4
        if word == last // 4:
            value = value & 0x00FF_FFFF | 0x1F00_0000
        code.load_immediate(first, value)
        code.word(i_type(0x1073, o.rd(), first, Csr.PMPCFG0 + word))

    # ---- fences and changed code -------------------------------------------

    def _fence(self) -> None:
        chance = self._rng.random()
        self._code.word(_FENCE_I if chance < 0.4 else _FENCE | self._rng.getrandbits(8) << 20)

    def modify(self) -> None:
        """Append a store to an instruction a little later, FENCE.I, and the instruction."""
        code, rng, o = self._code, self._rng, self._operands
        address, value = o.two_free()
        gap = rng.randrange(0, 4)
        ahead = 6 * 4 + 4 * gap  # from AUIPC to what is changed
        step = rng.choice((1, 3, -1, 2047))
        other = o.free()
        while other in (address, value):
            other = (other + 1) % self._config.registers or 1
        if other in self._operands.blocked or other in o.regs.kept:
            return
        code.word(0x17 | address << 7)
        code.word(i_type(_LW, value, address, ahead))
        code.word(0x37 | other << 7 | (step & 0xFFF) << 20 & 0xFFFF_F000)
        code.word(0x33 | value << 7 | value << 15 | other << 20)
        code.word(s_type(_SW, address, value, ahead))
        code.word(_FENCE_I)
        for _ in range(gap):
            code.word(i_type(_ADDI, o.rd(), o.rs(), o.immediate()))
        code.word(i_type(_ADDI, o.rd(), o.rs(), o.immediate()))

    # ---- traps -------------------------------------------------------------

    def _ebreak(self) -> None:
        if self._config.c and self._rng.random() < 0.5:
            self._code.half(0x9002)
        else:
            self._code.word(_EBREAK)

    def _fault(self) -> None:
        """Append an access where nothing answers, or only with an error."""
        rng, o, code = self._rng, self._operands, self._code
        address = o.free()
        where = rng.choice(self._walls) + 4 * rng.randrange(2)
        code.load_immediate(address, where)
        if rng.random() < 0.1 and self._config.a:
            # Not SC: whether one without a reservation asks memory, and traps, is the core's choice.
            code.word(rng.choice((0x202F, 0x1000_202F)) | o.rd() << 7 | address << 15)
        elif rng.random() < 0.5:
            match = rng.choice((_LW, _LH, _LHU, _LB, _LBU))
            code.word(i_type(match, o.rd(), address, rng.randrange(4)))
        else:
            code.word(s_type(rng.choice((_SW, _SH, _SB)), address, o.rs(), rng.randrange(4)))

    def bad_jump(self) -> None:
        """Append a jump to where there is no memory; the handler goes on at the recovery register."""
        o, code, rng = self._operands, self._code, self._rng
        recover = o.regs.recover
        target = o.free()
        if recover in o.blocked or target == recover:
            return
        where = rng.choice(self._walls) & ~3
        link = o.rd()
        if link == recover:
            return
        code.load_immediate(target, where)
        code.word(0x17 | recover << 7)
        code.word(i_type(_ADDI, recover, recover, 12))
        code.word(i_type(0x67, link, target, 0))

    def _odd_jump(self) -> None:
        """Append a jump or branch to an address that is not a multiple of 4: a trap without C, else fine."""
        o, code, rng = self._operands, self._code, self._rng
        if self._config.c:
            code.word(j_type(o.rd(), 6))  # over the first half of the next
            code.half(0x0001)
            return
        if rng.random() < 0.5:
            word = self._plain.branch_word()
            code.word(word | 1 << 8 | rng.randrange(2) << 9)  # offset 2 or 6
        else:
            code.word(j_type(o.rd(), rng.choice((2, 6, -2))))

    # ---- interrupts and modes ----------------------------------------------

    def _raise(self) -> None:
        """Append the request of an interrupt, now or some cycles later."""
        rng, o, code = self._rng, self._operands, self._code
        where, value = o.two_free()
        chance = rng.random()
        if chance < 0.2:
            code.load_immediate(where, CLINT)
            code.load_immediate(value, 1)
            code.word(s_type(_SW, where, value, 0))
        elif chance < 0.4:
            code.load_immediate(where, CLINT + 0xC000)
            code.word(i_type(_LW, value, where, -8))
            code.word(i_type(_ADDI, value, value, rng.randrange(1, 120)))
            code.load_immediate(where, CLINT + 0x4000)
            code.word(s_type(_SW, where, value, 0))
        elif chance < 0.6:
            code.load_immediate(where, TEST_DEVICE)
            code.load_immediate(value, 1 << rng.choice(self._lines))
            code.word(s_type(_SW, where, value, 0x10))
        else:
            code.load_immediate(where, TEST_DEVICE)
            code.load_immediate(value, rng.randrange(1, 80) << 16 | rng.choice(self._lines))
            code.word(s_type(_SW, where, value, 0x14))

    def sleep(self) -> None:
        """Append WFI: what wakes it has been requested, or the handler's timer does."""
        if self._rng.random() < 0.5:
            self._raise()
        self._code.word(_WFI)

    def return_(self) -> None:
        """Append MRET to the next instruction, in whatever mode mstatus says."""
        rng, o, code = self._rng, self._operands, self._code
        address = o.free()
        code.word(i_type(_CSRRCI, 0, _MIE_BIT, Csr.MSTATUS))
        if rng.random() < 0.7:
            status = rng.getrandbits(32) & ~_MIE_BIT
            code.load_immediate(address, status)
            code.word(i_type(0x1073, 0, address, Csr.MSTATUS))
        code.word(0x17 | address << 7)
        code.word(i_type(_ADDI, address, address, 16))
        code.word(i_type(0x1073, o.rd() if address else 0, address, Csr.MEPC))
        code.word(_MRET)

    def _device(self) -> None:
        """Append the reading of a device."""
        o, code, rng = self._operands, self._code, self._rng
        address = o.free()
        if rng.random() < 0.5:
            code.load_immediate(address, TEST_DEVICE)
            offset = 8
        else:
            code.load_immediate(address, CLINT + 0xC000)
            offset = -8
        code.word(i_type(rng.choice((_LW, _LHU, _LBU)), o.rd(), address, offset))

    # ---- memories inside the core ------------------------------------------

    def _local_access(self) -> None:
        """Append a store to a tightly coupled memory, and loads of the same words soon after."""
        rng, o, code, plain = self._rng, self._operands, self._code, self._plain
        base, size = rng.choice(self._local)
        address = o.free()
        code.load_immediate(address, base + 4 * rng.randrange(size // 4))
        code.word(s_type(_SW, address, o.rs(), 0))
        plain.fill(2, address)
        if self._config.a and rng.random() < 0.3:
            item = rng.choice(plain.group("amo"))
            rs2 = o.rs() if item.fields[2] != "-" else 0
            code.word(item.match | o.rd() << 7 | address << 15 | rs2 << 20)
            return
        code.word(i_type(rng.choice((_LW, _LH, _LHU, _LB, _LBU)), o.rd(), address, 0))

    def _local_code(self) -> None:
        """Append the writing of an instruction and a return to a tightly coupled memory, and their call."""
        rng, o, code = self._rng, self._operands, self._code
        base, size = rng.choice(self._local)
        address, value = o.two_free()
        written = i_type(_ADDI, value, value, o.immediate())
        code.load_immediate(address, base + 8 * rng.randrange(size // 8))
        for place, word in enumerate((written, i_type(0x67, 0, address, 0))):
            code.load_immediate(value, word)
            code.word(s_type(_SW, address, value, 4 * place))
        code.word(_FENCE_I)
        code.word(i_type(0x67, address, address, 0))

    # ---- atomics -----------------------------------------------------------

    def _atomic(self) -> None:
        o, code, rng = self._operands, self._code, self._rng
        items = [item for item in self._plain.group("amo") if item.name not in ("lr.w", "sc.w")]
        item = rng.choice(items)
        address = o.free()
        offset = o.offset(4) | (rng.randrange(1, 4) if rng.random() < 0.02 else 0)
        code.word(i_type(_ADDI, address, o.regs.data, offset))
        code.word(item.match | o.rd() << 7 | address << 15 | o.rs() << 20 | rng.getrandbits(2) << 25)

    def _reserve(self) -> None:
        """Append LR and SC to the same address or another, with something between."""
        o, code, rng = self._operands, self._code, self._rng
        address = o.free()
        code.word(i_type(_ADDI, address, o.regs.data, o.offset(4)))
        loaded = o.rd()
        if loaded == address:
            loaded = 0
        code.word(0x1000_202F | loaded << 7 | address << 15 | rng.getrandbits(2) << 25)
        for _ in range(rng.randrange(3)):
            rd = o.rd()
            if rd != address:
                code.word(i_type(_ADDI, rd, o.rs(), o.immediate()))
        chance = rng.random()
        if chance < 0.1:
            code.word(s_type(_SW, address, o.rs(), 0))
        elif chance < 0.2:
            code.word(i_type(_ADDI, address, address, 4))
        code.word(0x1800_202F | o.rd() << 7 | address << 15 | o.rs() << 20 | rng.getrandbits(2) << 25)

"""Code that reaches a coverage goal of the privileged architecture: modes, traps, interrupts, CSRs."""

import random
from collections.abc import Callable, Sequence

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Csr
from verif.lockstep.memories import TEST_DEVICE, walls
from verif.lockstep.random.actions import Action, Actions
from verif.lockstep.random.assembler import Code, b_type, i_type, j_type, s_type
from verif.lockstep.random.events import Events
from verif.lockstep.random.frame import DATA_BASE, DATA_BYTES, csr_read, csr_write
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain, access_size

__all__ = ["AimSystem"]

_ADDI, _ANDI, _SLLI, _SW, _LW, _AUIPC = 0x13, 0x7013, 0x1013, 0x2023, 0x2003, 0x17
_BEQ, _BNE = 0x63, 0x1063
_ECALL, _EBREAK, _MRET = 0x73, 0x10_0073, 0x3020_0073
_CSRRW, _CSRRS, _CSRRC, _CSRRSI, _CSRRCI = 0x1073, 0x2073, 0x3073, 0x6073, 0x7073
_OPERATIONS = {"write": 1, "set": 2, "clear": 3, "read_set": 2, "read_clear": 3}
_MIE_BIT = 8
_PREVIOUS_MODE = 0x1800
_MODIFY = 1 << 17
_RUN = 10  # instructions of a group, one of which an interrupt is to meet
_NOW, _LATER = 0x10, 0x14  # registers of the test device that raise lines
_PROTECTION = range(0x3A0, 0x3F0)
_ADDRESSES = range(0x3B0, 0x3F0)
_UNLOCKED = 0x1F1F_1F1F  # of a word of regions: all but the lock and the reserved bits
_OPEN = 0x1F00_0000  # the last region is all of memory
_NOTHING = 0x18  # the first region, a power of two, may not be touched
_COUNTERS = {0xC00: 1, 0xC01: 2, 0xC02: 4, 0xC80: 1, 0xC81: 2, 0xC82: 4}  # bits of mcounteren

Bins = Sequence[tuple[str, ...]]


class AimSystem:
    """Appends what reaches the bins of a target.

    Parameters
    ----------
    rng, config, code, operands, plain, events, actions
        As for :class:`verif.lockstep.random.aim.Aim`.
    """

    def __init__(
        self,
        rng: random.Random,
        config: CoreConfig,
        code: Code,
        operands: Operands,
        plain: Plain,
        events: Events,
        actions: Actions,
    ) -> None:
        self._rng = rng
        self._config = config
        self._code = code
        self._operands = operands
        self._plain = plain
        self._events = events
        self._walls = walls(config)
        self._actions = actions

    def points(self) -> dict[str, Callable[[Bins], None]]:
        """Return what aims at each coverpoint."""
        return {
            "trap": self._traps,
            "nesting": self._nesting,
            "mode_change": lambda _: self.user_mode(),
            "interrupt_at": self._interrupt_at,
            "interrupt_after": self._interrupt_after,
            "csr": self._csrs,
        }

    # ---- modes -------------------------------------------------------------------

    def machine_mode(self) -> None:
        """Append what goes to machine mode, unless the program is in it: reading misa traps elsewhere."""
        if not self._config.user_mode:
            return
        code, label = self._code, self._actions.fresh_label()
        register = self._actions.register()
        code.load_immediate(register, 0)
        code.word(csr_read(register, Csr.MISA))
        code.refer("branch", label, b_type(_BNE, register, 0, 0))
        code.word(_ECALL)
        code.label(label)

    def user_mode(self, *, closed: bool = False) -> None:
        """Append what goes to user mode, with all of memory open to it, or all but the data."""
        self.machine_mode()
        self._open()
        if closed:
            register, last = self._actions.register(), self._config.pmp_regions - 1
            self._code.load_immediate(register, DATA_BASE >> 2 | (DATA_BYTES >> 3) - 1)
            self._code.word(csr_write(Csr.PMPADDR0, register))
            self._code.load_immediate(register, _NOTHING | (_OPEN if last < 4 else 0))
            self._code.word(csr_write(Csr.PMPCFG0, register))
        self._code.word(_ECALL)

    def _open(self) -> None:
        """Append the end of all protection but the last region's, which opens everything."""
        regions, code = self._config.pmp_regions, self._code
        if not regions:
            return
        register = self._actions.register()
        code.load_immediate(register, 0xFFFF_FFFF)
        code.word(csr_write(Csr.PMPADDR0 + regions - 1, register))
        code.load_immediate(register, _OPEN)
        for word in range(regions // 4):
            last = word == regions // 4 - 1
            code.word(csr_write(Csr.PMPCFG0 + word, register if last else 0))

    def _mode(self, mode: str) -> None:
        if mode == "U":
            self.user_mode()
        else:
            self.machine_mode()

    # ---- traps -------------------------------------------------------------------

    def _traps(self, bins: Bins) -> None:
        for cause, group, mode in bins:
            self._mode(mode)
            self._trap(Cause(int(cause)), group)

    def _trap(self, cause: Cause, group: str) -> None:
        code, events = self._code, self._events
        if cause == Cause.INSTRUCTION_FAULT:
            events.bad_jump()
        elif cause == Cause.INSTRUCTION_MISALIGNED and group == "branch":
            code.word(b_type(_BEQ, 0, 0, 2 + 4 * self._rng.randrange(2)))
        elif cause == Cause.INSTRUCTION_MISALIGNED:
            code.word(j_type(self._actions.register(), 2 + 4 * self._rng.randrange(2)))
        elif cause == Cause.BREAKPOINT:
            code.word(_EBREAK)
        elif cause in (Cause.ECALL_M, Cause.ECALL_U):
            code.word(_ECALL)
        elif cause == Cause.ILLEGAL_INSTRUCTION and group == "csr":
            code.word(i_type(_CSRRW, self._actions.register(), self._operands.rs(), 0xF11))
        elif cause == Cause.ILLEGAL_INSTRUCTION and group == "system":
            code.word(_MRET)
        elif cause == Cause.ILLEGAL_INSTRUCTION:
            code.insn(self._plain.illegal())
        else:
            self._refused(group, cause in (Cause.LOAD_MISALIGNED, Cause.STORE_MISALIGNED))

    def _refused(self, group: str, misaligned: bool) -> None:
        """Append a load, store or atomic that is misaligned, or that nothing answers."""
        actions, code = self._actions, self._code
        choices = [i for i in actions.with_fields(group) if i.name != "lr.w"]
        if misaligned:
            choices = [i for i in choices if group == "amo" or access_size(i.name) > 1]
        else:  # an SC without a reservation may fail before memory is asked
            choices = [i for i in choices if i.name != "sc.w"]
        item = self._rng.choice(choices)
        address = actions.hold(actions.register())
        if misaligned:
            odd = 1 if group != "amo" and access_size(item.name) == 2 else self._rng.randrange(1, 4)
            code.word(i_type(_ADDI, address, self._operands.regs.data, self._operands.offset(4) | odd))
        else:
            code.load_immediate(address, self._rng.choice(self._walls))
        actions.prepare(item, rs1=address)()

    def _nesting(self, _: Bins) -> None:
        """Append enough traps that the handler provokes some of its own."""
        for _ in range(16):
            self._code.word(_EBREAK)

    # ---- interrupts ----------------------------------------------------------------

    def _interrupt_at(self, bins: Bins) -> None:
        """Append an interrupt that is already pending when the instruction before enables it."""
        for cause, group, mode in bins:
            self.machine_mode()
            if mode == "U":
                self._open()
            kept = self._only(int(cause))
            run = self._run(group)
            self._raise(1 << int(cause), _NOW)
            if mode == "U":
                self._leave_for_user_mode()
            else:
                self._code.word(i_type(_CSRRSI, 0, _MIE_BIT, Csr.MSTATUS))
            for _ in range(4):
                run()
            self._restore(kept)

    def _interrupt_after(self, bins: Bins) -> None:
        """Append a run of instructions that an interrupt meets, elsewhere in each turn of the program."""
        code, actions = self._code, self._actions
        for cause, group in bins:
            self.machine_mode()
            kept = self._only(int(cause))
            run = self._run(group)
            where = actions.hold(actions.register())
            value = actions.register()
            code.load_immediate(where, TEST_DEVICE)
            code.word(i_type(_ANDI, value, self._operands.regs.outer, 15))
            code.word(i_type(_ADDI, value, value, self._rng.randrange(1, 10)))
            code.word(i_type(_SLLI, value, value, 16))
            code.word(i_type(_ADDI, value, value, int(cause)))
            code.word(i_type(_CSRRSI, 0, _MIE_BIT, Csr.MSTATUS))
            code.word(s_type(_SW, where, value, _LATER))
            for _ in range(_RUN):
                run()
            self._restore(kept)

    def _only(self, cause: int) -> int:
        """Append the enabling of one cause, but not yet of interrupts; return where mie is kept."""
        actions, code = self._actions, self._code
        code.word(i_type(_CSRRCI, 0, _MIE_BIT, Csr.MSTATUS))
        kept = actions.hold(actions.register())
        enable = actions.register()
        code.load_immediate(enable, 1 << cause)
        code.word(i_type(_CSRRW, kept, enable, Csr.MIE))
        return kept

    def _restore(self, kept: int) -> None:
        self.machine_mode()
        self._code.word(csr_write(Csr.MIE, kept))
        self._actions.release()

    def _run(self, group: str) -> Action:
        """Prepare instructions of a group, as many as are wanted."""
        actions = self._actions
        if group == "jumpr":
            return actions.computed_jump()
        address = actions.data_address() if group == "amo" else None
        items = actions.with_fields(group)

        def one() -> None:
            actions.prepare(self._rng.choice(items), rs1=address)()

        return one

    def _raise(self, lines: int, register: int) -> None:
        """Append a write to the test device."""
        actions, code = self._actions, self._code
        where = actions.register()
        value = actions.register(where)
        code.load_immediate(where, TEST_DEVICE)
        code.load_immediate(value, lines)
        code.word(s_type(_SW, where, value, register))
        code.word(i_type(_LW, value, where, register))  # by then it has been done
        for _ in range(2):
            actions.filler()

    def _leave_for_user_mode(self) -> None:
        """Append MRET to the next instruction, in user mode."""
        actions, code = self._actions, self._code
        address = actions.register()
        code.load_immediate(address, _PREVIOUS_MODE | _MODIFY)
        code.word(i_type(_CSRRC, 0, address, Csr.MSTATUS))
        code.word(_AUIPC | address << 7)
        code.word(i_type(_ADDI, address, address, 16))
        code.word(csr_write(Csr.MEPC, address))
        code.word(_MRET)

    # ---- CSRs --------------------------------------------------------------------

    def _csrs(self, bins: Bins) -> None:
        """Append accesses to CSRs, all in one mode."""
        mode, outcome = bins[0][2:]
        if mode == "M":
            self.machine_mode()
            for name, operation, _, _ in bins:
                self._machine_csr(int(name, 16), operation)
            if any(int(name, 16) in _PROTECTION for name, *_ in bins):
                self._open()
            return
        counters = [int(name, 16) for name, *_ in bins if int(name, 16) in _COUNTERS]
        if counters:
            self.machine_mode()
            register = self._actions.register()
            allowed = 0 if outcome == "illegal" else sum({_COUNTERS[csr] for csr in counters})
            self._code.load_immediate(register, allowed)
            self._code.word(csr_write(Csr.MCOUNTEREN, register))
        self.user_mode()
        for name, operation, _, _ in bins:
            self._code.word(self._csr_word(int(name, 16), operation, 0, immediate=False))

    def _csr_word(self, csr: int, operation: str, source: int, *, immediate: bool) -> int:
        rd = self._actions.register() if self._rng.random() < 0.8 else 0
        funct3 = _OPERATIONS[operation] | (4 if immediate else 0)
        return i_type(0x73 | funct3 << 12, rd, source, csr)

    def _machine_csr(self, csr: int, operation: str) -> None:
        """Append one of the operations, with a value that the program survives."""
        rng, code, actions = self._rng, self._code, self._actions
        immediate = rng.random() < 0.4
        if operation.startswith("read"):
            code.word(self._csr_word(csr, operation, 0, immediate=immediate))
            return
        if csr == Csr.MTVEC:
            self._vector(operation, immediate)
            return
        kept = None
        if csr == Csr.MIE:
            kept = actions.hold(actions.register())
            code.word(csr_read(kept, csr))
        if immediate and csr not in _PROTECTION:
            code.word(self._csr_word(csr, operation, rng.randrange(1, 32), immediate=True))
        else:
            value = self._operands.value()
            if csr in _PROTECTION and csr not in _ADDRESSES:
                value &= _UNLOCKED
            source = actions.hold(actions.register())
            code.load_immediate(source, value)
            code.word(self._csr_word(csr, operation, source, immediate=False))
        if kept is not None:
            code.word(csr_write(csr, kept))
        actions.release()

    def _vector(self, operation: str, immediate: bool) -> None:
        """Append a change of mtvec to another of the tables, or of its mode."""
        rng, code = self._rng, self._code
        value, source = rng.randrange(1, 4), 0
        if operation == "write":
            value, immediate = code.address(f"table_{rng.randrange(2)}") | rng.randrange(2), False
        if not immediate:
            source = self._actions.register()
            code.load_immediate(source, value)
        word = self._csr_word(Csr.MTVEC, operation, value if immediate else source, immediate=immediate)
        code.word(word)

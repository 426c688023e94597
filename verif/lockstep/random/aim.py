"""Code that reaches a coverage goal: operands, registers, hazards, sequences, control, memory."""

import random
from collections.abc import Callable, Sequence

from rtl.riscv.config import CoreConfig
from verif.lockstep.encoding import Instruction
from verif.lockstep.memories import CLINT, TEST_DEVICE, walls
from verif.lockstep.random.actions import Action, Actions
from verif.lockstep.random.aim_system import AimSystem
from verif.lockstep.random.assembler import Code, b_type, i_type, j_type, s_type
from verif.lockstep.random.events import Events
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain
from verif.lockstep.random.targets import Target

__all__ = ["Aim"]

_ADDI, _NOP, _C_NOP, _LW, _SW = 0x13, 0x13, 0x0001, 0x2003, 0x2023
_CLASSES = ("zero", "one", "minus_one", "max", "min", "positive", "negative")
_FIXED = {"zero": 0, "one": 1, "minus_one": 0xFFFF_FFFF, "max": 0x7FFF_FFFF, "min": 0x8000_0000}
_IMMEDIATES = {"zero": 0, "max": 2047, "min": -2048}
_TAKEN_BY_EQUALS = ("beq", "bge", "bgeu")
_LINKS = {"x0": 0, "ra": 1, "t0": 5}

Parts = tuple[str, ...]


class Aim:
    """Appends what reaches the bins of a target.

    It works at the top of the program, where no register is blocked and no
    loop counts; it leaves the kept registers as they were.

    Parameters
    ----------
    rng, config, code, operands, plain, events
        As for :class:`verif.lockstep.random.events.Events`.
    """

    def __init__(
        self,
        rng: random.Random,
        config: CoreConfig,
        code: Code,
        operands: Operands,
        plain: Plain,
        events: Events,
    ) -> None:
        self._rng = rng
        self._code = code
        self._operands = operands
        self._plain = plain
        self._events = events
        self._walls = walls(config)
        self._actions = Actions(rng, config, code, operands, plain)
        self._system = AimSystem(rng, config, code, operands, plain, events, self._actions)
        each: dict[str, Callable[[Parts], None]] = {
            "instruction": self._instruction,
            "registers": self._registers,
            "immediate": self._immediate,
            "shift_amount": self._shift_amount,
            "hazard": self._hazard,
            "sequence": self._sequence,
            "branch": self._branch,
            "jump": self._jump,
            "alignment": self._alignment,
            "memory": self._memory,
            "store_to_load": self._store_to_load,
            "self_modified": lambda parts: events.modify(),
        }
        self._whole: dict[str, Callable[[Sequence[Parts]], None]] = {
            point: (lambda bins, f=one: self._each(bins, f)) for point, one in each.items()
        }
        self._whole["operands"] = self._operands_of
        self._whole |= self._system.points()

    def at(self, target: Target) -> None:
        """Append code for a target's bins."""
        if target.point in ("instruction", "sequence", "hazard") or self._rng.random() < 0.5:
            self._system.machine_mode()
        self._whole[target.point](target.bins)
        self._actions.release()

    def _each(self, bins: Sequence[Parts], one: Callable[[Parts], None]) -> None:
        for parts in bins:
            one(parts)
            self._actions.release()

    # ---- operands and registers ------------------------------------------------

    def _value(self, name: str) -> int:
        if name in _FIXED:
            return _FIXED[name]
        number = self._rng.randrange(2, 2048) if self._rng.random() < 0.5 else self._rng.randrange(2, 1 << 31)
        return number if name == "positive" else -number & 0xFFFF_FFFF

    def _operands_of(self, bins: Sequence[Parts]) -> None:
        """Append operations on values of given classes."""
        if bins[0][0].startswith("c."):
            for parts in bins:
                self._short_operands(*parts)
            return
        actions = self._actions
        needed = {name for parts in bins for name in parts[1:]}
        where = {}
        for name in sorted(needed, key=_CLASSES.index):
            where[name] = actions.hold(actions.register())
            self._code.load_immediate(where[name], self._value(name))
        for name, first, second in bins:
            item = actions.named[name]
            rs1, rs2 = where[first], where[second] if item.fields[2] != "-" else None
            actions.prepare(item, rs1=rs1, rs2=rs2)()

    def _short_operands(self, name: str, first: str, second: str) -> None:
        item = self._actions.named[name]
        anywhere = item.fields[1] == "d"
        one = self._actions.register() if anywhere else self._actions.low_register()
        self._code.load_immediate(one, self._value(first))
        two = one
        if item.fields[2] != "-":
            two = self._actions.register(one) if item.fields[2] == "c" else self._actions.low_register(one)
            self._code.load_immediate(two, self._value(second))
        base = 0 if anywhere else 8
        self._code.insn(self._plain.on_registers(item, one - base, two - (8 if item.fields[2] == "p" else 0)))
        if item.group == "branch":  # over the next
            self._actions.filler()

    def _registers(self, parts: Parts) -> None:
        """Append an instruction whose registers are equal or not."""
        item, overlap = self._actions.named[parts[0]], parts[1]
        register = self._actions.register
        rd = register()
        rs1 = register(rd)
        rs2 = register(rd, rs1)
        if overlap == "rd_x0":
            rd = 0
        elif overlap == "rd_rs1":
            rs1 = rd
        elif overlap == "rd_rs2":
            rs2 = rd
        elif overlap == "rs1_rs2":
            rs2 = rs1
        elif overlap == "all_same":
            rs1 = rs2 = rd
        if item.group == "amo":
            address = self._actions.data_address()
            rd = 0 if overlap == "rd_x0" else register()
            self._actions.prepare(item, rd=rd, rs1=address, rs2=register(rd, address))()
        else:
            self._actions.prepare(item, rd=rd, rs1=rs1, rs2=rs2)()

    def _immediate(self, parts: Parts) -> None:
        item, kind = self._actions.named[parts[0]], parts[1]
        number = _IMMEDIATES.get(kind, self._rng.randrange(1, 2047))
        if kind == "negative":
            number = -number
        self._code.word(i_type(item.match, self._actions.register(), self._operands.rs(), number))

    def _shift_amount(self, parts: Parts) -> None:
        item = self._actions.named[parts[0]]
        amount = self._rng.randrange(2, 31) if parts[1] == "other" else int(parts[1])
        self._code.word(i_type(item.match, self._actions.register(), self._operands.rs(), 0) | amount << 20)

    # ---- one after the other -----------------------------------------------------

    def _instruction(self, parts: Parts) -> None:
        item = self._actions.named[parts[0]]
        if item.name == "wfi":
            self._events.sleep()
        elif item.name == "mret":
            self._events.return_()
        elif item.name == "c.addi16sp":
            self._plain.move_pointer()
        else:
            self._actions.prepare(item)()

    def _sequence(self, parts: Parts) -> None:
        prepared = [self._actions.of_group(group) for group in parts]
        for action in prepared:
            action()

    def _hazard(self, parts: Parts) -> None:
        """Append a producer, and a consumer of its result at a distance."""
        producer, consumer, operand, distance = parts
        produce, consume, register = self._pair(producer, consumer, operand)
        produce()
        for _ in range(int(distance) - 1):
            self._actions.filler(register)
        consume()

    def _pair(self, producer: str, consumer: str, operand: str) -> tuple[Action, Action, int]:
        """Return what produces a value, what consumes it, and the register."""
        actions, code, o = self._actions, self._code, self._operands
        if consumer == "jumpr":
            base, here = actions.code_address()
            at = []

            def target() -> None:
                at.append(len(code.parcels))
                code.word(_NOP)

            def jump() -> None:
                code.patch(at[0], i_type(_ADDI, base, base, code.pc + 4 - here))
                code.word(i_type(0x67, actions.register(), base, 0))

            return target, jump, base
        register = actions.hold(actions.register())
        if operand == "rs1" and consumer in ("load", "store", "amo"):
            offset = o.offset(4)
            word = i_type(_ADDI, register, o.regs.data, offset)
            if producer == "load":
                code.word(s_type(_SW, 2, o.regs.data, offset))
                word = i_type(_LW, register, 2, offset)
            item = self._rng.choice(actions.with_fields(consumer))
            return lambda: code.word(word), actions.prepare(item, rs1=register), register
        letter = "s" if operand == "rs1" else "t"
        writers, readers = actions.with_fields(producer, "d"), actions.with_fields(consumer, letter)
        if not writers or not readers:  # there are compressed ones only
            return self._short_pair(producer, consumer, operand, writers, readers)
        consume = actions.prepare(self._rng.choice(readers), **{operand: register})
        return actions.prepare(self._rng.choice(writers), rd=register), consume, register

    def _short_pair(
        self,
        producer: str,
        consumer: str,
        operand: str,
        writers: list[Instruction],
        readers: list[Instruction],
    ) -> tuple[Action, Action, int]:
        """Return a pair of which at least one is C.NOT or the like, which works on one register."""
        actions, code = self._actions, self._code
        register = actions.hold(actions.low_register())

        def short(group: str) -> Action:
            item = self._rng.choice(actions.with_fields(group, "q"))
            return lambda: code.half(item.match | (register - 8) << 7)

        consume = produce = None
        if readers:
            consume = actions.prepare(self._rng.choice(readers), **{operand: register})
        if writers:
            produce = actions.prepare(self._rng.choice(writers), rd=register)
        consume, produce = consume or short(consumer), produce or short(producer)
        return produce, consume, register

    # ---- control -----------------------------------------------------------------

    def _place(self, place: str, before: int = 0) -> None:
        """Fill up so that what follows after `before` bytes begins at a word, or at the half of one."""
        if ((self._code.pc + before) >> 1 & 1) != (place == "half"):
            self._code.half(_C_NOP)

    def _branch(self, parts: Parts) -> None:
        name, taken, way, place = parts
        actions, code = self._actions, self._code
        item = actions.named[name]
        if item.size == 2:
            register = actions.low_register()
            code.load_immediate(register, int((taken == "taken") != (name == "c.beqz")))
            kind, word = "c.branch", item.match | (register - 8) << 7
        else:
            register = actions.register()
            code.load_immediate(register, 1)
            equals = (taken == "taken") == (name in _TAKEN_BY_EQUALS)
            kind, word = "branch", b_type(item.match, register if equals else 0, register, 0)
        behind, there = actions.fresh_label(), actions.fresh_label()
        if way == "backward" and taken == "taken":
            here = actions.fresh_label()
            self._place(place, 8)
            code.refer("jump", here, j_type(0, 0))
            code.label(there)
            code.refer("jump", behind, j_type(0, 0))
            code.label(here)
            code.refer(kind, there, word)
        elif way == "backward":
            self._place(place, 4)
            code.label(there)
            actions.filler(register)
            code.refer(kind, there, word)
        else:
            self._place(place)
            code.refer(kind, behind, word)
            actions.filler()
        code.label(behind)

    def _jump(self, parts: Parts) -> None:
        """Append a jump with a link register; a loop's counter in it is saved."""
        name, link, place = parts
        actions, code = self._actions, self._code
        item = actions.named[name]
        rd = actions.register(1, 5) if link == "other" else _LINKS[link]
        saved = None
        if rd and rd not in self._operands.writable:
            saved = actions.hold(actions.register(rd))
            code.word(i_type(_ADDI, saved, rd, 0))
        if item.group == "jump":
            self._place(place, item.size)
            label = actions.fresh_label()
            code.refer("jump" if item.size == 4 else "c.jump", label, item.match | rd << 7 * (item.size == 4))
            code.label(label)
        elif item.size == 2:
            jump = actions.prepare_register_jump(item, linked=True)
            self._place(place, 2)
            jump()
        else:
            jump = actions.prepare(item, rd=rd)
            self._place(place, 4)
            jump()
        if saved is not None:
            code.word(i_type(_ADDI, rd, saved, 0))

    def _alignment(self, parts: Parts) -> None:
        before, after, place = parts
        self._place(place, int(before))
        for size in (before, after):
            self._code.insn(_C_NOP if size == "2" else _NOP)

    # ---- memory ------------------------------------------------------------------

    def _memory(self, parts: Parts) -> None:
        """Append an access at an offset in a word, that succeeds or traps."""
        name, place, outcome, region = parts
        actions, code, o = self._actions, self._code, self._operands
        item = actions.named[name]
        if item.size == 2:
            self._plain.access_short(item)
            return
        offset = int(place)
        base = o.regs.data
        if (outcome, region) == ("fault", "memory"):
            self._system.user_mode(closed=True)
        if region == "memory":
            offset += o.offset(4) & ~3
            if offset > 2047:
                offset = int(place)
        else:
            base = actions.hold(actions.register())
            devices = (TEST_DEVICE + 8, CLINT + 0xBFF8) if name == "lw" else (TEST_DEVICE + 0x20,)
            code.load_immediate(base, self._rng.choice(self._walls if region == "unmapped" else devices))
        if item.group == "load":
            code.word(i_type(item.match, actions.register(), base, offset))
        else:
            code.word(s_type(item.match, base, o.rs(), offset))

    def _store_to_load(self, parts: Parts) -> None:
        actions, code, o = self._actions, self._code, self._operands
        item = actions.named[parts[0]]
        offset = o.offset(4)
        code.word(s_type(_SW, 2, o.rs(), offset))
        for _ in range(int(parts[1]) - 1):
            actions.filler()
        code.word(i_type(item.match, actions.register(), 2, offset))

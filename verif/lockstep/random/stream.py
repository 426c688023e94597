"""Plain random instructions: those that need nothing around them."""

import random

from rtl.riscv.config import CoreConfig
from verif.lockstep.encoding import Instruction, extensions, instructions
from verif.lockstep.random.assembler import Code, b_type, i_type, s_type
from verif.lockstep.random.operands import EXTREMES, Operands

__all__ = ["Plain", "access_size"]

_COMPUTING = ("alu", "shift", "bit", "mul", "div", "branch")
_CUSTOM = (0x0B, 0x2B, 0x5B, 0x7B)  # opcodes that a core with an extension interface executes
_SIZES = {"b": 1, "h": 2, "w": 4, "u": 1}


def access_size(name: str) -> int:
    """Return the bytes that a load or store moves: ``lhu``, ``c.lwsp``, ``c.sb``."""
    letter = name.removeprefix("c.").removesuffix("sp")[1]
    return _SIZES[letter]


class Plain:
    """Instructions without consequences for control: arithmetic, loads, stores.

    Parameters
    ----------
    rng, config, code, operands
        Chance, the core, where instructions go, and what they work on.
    """

    def __init__(self, rng: random.Random, config: CoreConfig, code: Code, operands: Operands) -> None:
        self._rng = rng
        self._code = code
        self._operands = operands
        self._bits = rng.getrandbits
        known = instructions(extensions(config))
        self._known = known
        self._custom = config.custom != "none"
        groups: dict[str, list[Instruction]] = {}
        for item in known:
            groups.setdefault(item.group, []).append(item)
        # By the name of a compressed instruction, the encodings within its own that are others.
        self._special = {
            item.name: [
                (other.mask, other.match)
                for other in known
                if other.mask.bit_count() > item.mask.bit_count()
                and (other.match ^ item.match) & item.mask & other.mask == 0
            ]
            for item in known
            if item.size == 2
        }
        self._swept = [
            (item, first, second)
            for item in known
            if item.group in _COMPUTING and item.fields[1] != "-" and "2" not in item.fields
            for first in EXTREMES
            for second in (EXTREMES if item.fields[2] != "-" else (0,))
        ]
        self._wide = {g: [i for i in items if i.size == 4] for g, items in groups.items()}
        self._short = {g: [i for i in items if i.size == 2] for g, items in groups.items()}

    def has(self, group: str) -> bool:
        """Whether there is an instruction of this group."""
        return group in self._wide

    def group(self, group: str) -> list[Instruction]:
        """Return the uncompressed instructions of a group."""
        return self._wide[group]

    def choose(self, group: str) -> Instruction:
        """Return an instruction of a group, compressed or not in equal shares."""
        short = self._short.get(group)
        items = short if short and self._bits(1) else self._wide[group] or short
        assert items
        return items[self._bits(10) % len(items)]

    def compute(self, group: str) -> None:
        """Append an instruction from registers to a register."""
        item = self.choose(group)
        if item.size == 2:
            self.compute_short(item)
            return
        o = self._operands
        word = item.match
        fields = item.fields
        if fields[1] == "s":
            word |= o.rs() << 15
        if fields[2] == "t":
            word |= o.rs() << 20
        if fields[0] == "d":
            word |= o.rd() << 7
        kind = item.immediate
        if kind == "I":
            word |= (o.immediate() & 0xFFF) << 20
        elif kind == "H":
            word |= o.amount() << 20
        elif kind == "U":
            word |= self._bits(20) << 12
        self._code.word(word)

    def compute_short(self, item: Instruction) -> None:
        """Append a compressed instruction from registers to a register; none if its bits make another one."""
        o = self._operands
        fields = item.fields
        half = item.match
        free = ~item.mask & 0xFFFF
        if item.name == "c.addi16sp":
            self.move_pointer()
            return
        rd, _, rs2 = fields
        if rd in "pq":
            low = o.low()
            if low is None:
                return
            shift = 2 if rd == "p" else 7
            half |= low << shift
            free &= ~(7 << shift)
        elif rd == "d":
            register = o.rd()
            if register == 0 and not self._bits(1):
                register = o.free()
            half |= register << 7
            free &= ~(31 << 7)
        if rs2 == "p":
            half |= o.low_source() << 2
            free &= ~(7 << 2)
        elif rs2 == "c":
            half |= (o.rs() or 1) << 2  # 0 would be a jump
            free &= ~(31 << 2)
        half |= self._bits(16) & free
        if self._regular(half, item):
            self._code.half(half)

    def move_pointer(self) -> None:
        """Append C.ADDI16SP twice: x2 is a data pointer, and must come back."""
        amount = self._rng.randrange(1, 31) * 16 * self._rng.choice((1, -1))
        for number in (amount, -amount):
            self._code.half(
                0x6101
                | (number >> 9 & 1) << 12
                | (number >> 4 & 1) << 6
                | (number >> 6 & 1) << 5
                | (number >> 7 & 3) << 3
                | (number >> 5 & 1) << 2
            )
            if number == amount:
                self.fill(3)

    def fill(self, most: int, *avoid: int) -> None:
        """Append up to `most` simple instructions that do not write the registers of `avoid`."""
        o = self._operands
        for _ in range(self._bits(8) % (most + 1)):
            rd = o.rd()
            if rd not in avoid:
                self._code.word(i_type(0x13, rd, o.rs(), o.immediate()))

    def _regular(self, half: int, item: Instruction) -> bool:
        """Whether the bits that were filled in have not made another instruction of it."""
        return not any(half & mask == match for mask, match in self._special[item.name])

    def access(self, group: str) -> None:
        """Append a load or store through a data pointer."""
        item = self.choose(group)
        o = self._operands
        size = access_size(item.name)
        load = group == "load"
        if item.size == 2:
            self.access_short(item)
            return
        base = o.regs.data if self._bits(1) else 2
        offset = o.offset(size)
        if load:
            self._code.word(i_type(item.match, o.rd(), base, offset))
        else:
            self._code.word(s_type(item.match, base, o.rs(), offset))

    def access_short(self, item: Instruction) -> None:
        """Append a compressed load or store through a data pointer; none without a register for it."""
        o = self._operands
        load = item.group == "load"
        half = item.match
        free = ~item.mask & 0xFFFF
        if item.name.endswith("sp"):
            if load:
                half |= (o.rd() or o.free()) << 7
                free &= ~(31 << 7)
            else:
                half |= o.rs() << 2
                free &= ~(31 << 2)
        else:
            half |= (o.regs.data - 8) << 7
            low = o.low() if load else o.low_source()
            if low is None:
                return
            half |= low << 2
            free &= ~(7 << 7 | 7 << 2)
        self._code.half(half | self._bits(16) & free)

    def indexed(self) -> None:
        """Append an access whose address is computed from a random value, or loaded."""
        o = self._operands
        address = o.free()
        if self._bits(2):
            self._code.word(i_type(0x7013, address, o.rs(), self._bits(8) & -4))
            self._code.word(0x33 | address << 7 | address << 15 | o.regs.data << 20)
        else:
            offset = o.offset(4)
            self._code.word(s_type(0x2023, 2, o.regs.data, offset))
            self.fill(2)
            self._code.word(i_type(0x2003, address, 2, offset))
        self.fill(2, address)
        self.plain_access(address, 4)

    def plain_access(self, base: int, shift: int) -> None:
        """Append an uncompressed load or store a little way from a base."""
        o = self._operands
        load = self._bits(1)
        items = self._wide["load" if load else "store"]
        item = items[self._bits(8) % len(items)]
        offset = o.offset(4) >> shift & -access_size(item.name)
        if load:
            self._code.word(i_type(item.match, o.rd(), base, offset))
        else:
            self._code.word(s_type(item.match, base, o.rs(), offset))

    def alias(self) -> None:
        """Append a store, and loads of the same word soon after."""
        o = self._operands
        stores, loads = self._wide["store"], self._wide["load"]
        base, offset = o.regs.data if self._bits(1) else 2, o.offset(4)
        for items, count in ((stores, 1 + self._bits(1)), (loads, 1 + self._bits(1))):
            for _ in range(count):
                item = items[self._bits(8) % len(items)]
                size = access_size(item.name)
                place = offset + (self._bits(2) & -size)
                if place > 2047:
                    place = offset
                if items is loads:
                    self._code.word(i_type(item.match, o.rd(), base, place))
                else:
                    self._code.word(s_type(item.match, base, o.rs(), place))
            self.fill(2)

    def corners(self) -> None:
        """Append an operation on two values that matter, or on one and any other."""
        o = self._operands
        item, first, second = self._swept[int(self._rng.random() * len(self._swept))]
        if self._bits(2) == 0:
            first = self._bits(32)
        elif self._bits(2) == 0:
            second = self._bits(32)
        low = item.fields[1] == "q"
        one, two = (o.low(), o.low()) if low else o.two_free()
        if one is None or two is None:
            return
        base = 8 if low else 0
        self._code.load_immediate(one + base, first)
        if item.fields[2] != "-" and one != two:
            self._code.load_immediate(two + base, second)
        self._code.insn(self.on_registers(item, one, two))
        if item.group == "branch":  # over the next
            self._code.word(i_type(0x13, o.rd(), o.rs(), o.immediate()))

    def on_registers(self, item: Instruction, one: int, two: int) -> int:
        """Return an instruction that works on two registers, given as its fields have them."""
        o = self._operands
        insn = item.match | one << {"s": 15, "d": 7, "q": 7}[item.fields[1]]
        if item.fields[2] != "-":
            insn |= two << {"t": 20, "c": 2, "p": 2}[item.fields[2]]
        if item.group == "branch":
            return insn | (0x0400 if item.size == 4 else 0x0018)  # forward, over four bytes
        if item.size == 4:
            insn |= o.rd() << 7
            if item.immediate == "I":
                insn |= (o.immediate() & 0xFFF) << 20
            elif item.immediate == "H":
                insn |= o.amount() << 20
        elif item.fields[2] == "-":  # the immediate's bits, one of which is high so that it is not zero
            insn |= (self._bits(5) << 2 | 4) & ~item.mask
        return insn

    def misaligned(self) -> None:
        """Append an access that traps for its address."""
        o = self._operands
        item = self.choose("load" if self._bits(1) else "store")
        while item.size == 2 or access_size(item.name) == 1:
            item = self.choose(item.group)
        offset = o.offset(4) | self._rng.randrange(1, 4) if item.name.endswith("w") else o.offset(2) | 1
        if item.group == "load":
            self._code.word(i_type(item.match, o.rd(), o.regs.data, offset))
        else:
            self._code.word(s_type(item.match, o.regs.data, o.rs(), offset))

    def value(self) -> None:
        """Append the loading of a value that matters."""
        o = self._operands
        register = o.free()
        o.used(register)
        self._code.load_immediate(register, o.value())

    def branch_word(self) -> int:
        """Return a conditional branch without its offset."""
        item = self._rng.choice(self._wide["branch"])
        return b_type(item.match, self._operands.rs(), self._operands.rs(), 0)

    def illegal(self) -> int:
        """Return a word that is no instruction of the core."""
        compressed = bool(self._short.get("alu"))
        while True:
            word = self._bits(32)
            choice = self._bits(3)
            if choice == 0:  # near a legal one
                word = self._rng.choice(self._known).match ^ 1 << self._bits(5)
            elif choice == 1 and compressed:
                word = self._bits(16)
            elif choice == 2:
                word = 0x73 | (word & 0xFFF0_0F80)  # SYSTEM
            elif choice == 3:
                word = word & 0xFE00_7F80 | 0x33 | word & 0x01FF_8000
            if word & 3 != 3:
                if not compressed:
                    word |= 3
                else:
                    word &= 0xFFFF
            if not self._legal(word) and not (self._custom and word & 0x7F in _CUSTOM):
                return word

    def _legal(self, word: int) -> bool:
        best = None
        for item in self._known:
            if word & item.mask == item.match and (
                best is None or item.mask.bit_count() > best.mask.bit_count()
            ):
                best = item
        return best is not None and best.group != "illegal"

"""Single instructions of any kind, prepared beforehand so that each can stand exactly where it is wanted."""

import random
from collections.abc import Callable

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from verif.lockstep.encoding import Instruction, extensions, instructions
from verif.lockstep.random.assembler import Code, b_type, i_type, j_type, s_type
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain, access_size

__all__ = ["Action", "Actions"]

#: Appends one instruction.
Action = Callable[[], None]

_ADDI, _AUIPC, _EBREAK = 0x13, 0x17, 0x10_0073
_TRIES = 200


class Actions:
    """Instructions one by one.

    ``prepare`` appends what an instruction needs, an address for example, and
    returns what appends the instruction itself: alone, and at any distance
    from others. Registers that it will read are held until ``release``.

    Parameters
    ----------
    rng, config, code, operands, plain
        As for :class:`verif.lockstep.random.stream.Plain`.
    """

    def __init__(
        self, rng: random.Random, config: CoreConfig, code: Code, operands: Operands, plain: Plain
    ) -> None:
        self._rng = rng
        self._code = code
        self._operands = operands
        self._plain = plain
        self._held: set[int] = set()
        self._labels = 0
        known = [i for i in instructions(extensions(config)) if i.group != "illegal"]
        self.named = {item.name: item for item in known}
        self._groups: dict[str, list[Instruction]] = {}
        for item in known:
            self._groups.setdefault(item.group, []).append(item)

    def register(self, *avoid: int) -> int:
        """Return a register to write, neither x0 nor held."""
        return self._rng.choice(
            [n for n in self._operands.writable if n not in self._held and n not in avoid]
        )

    def low_register(self, *avoid: int) -> int:
        """Return one out of x8 to x15."""
        return self._rng.choice([n for n in self._operands.low_writable if n not in avoid])

    def hold(self, register: int) -> int:
        """Let nothing write a register until ``release``."""
        self._held.add(register)
        return register

    def release(self) -> None:
        """Hold no register any more."""
        self._held.clear()

    def fresh_label(self) -> str:
        """Return a label that nothing else has."""
        self._labels += 1
        return f"aim{self._labels}"

    def with_fields(self, group: str, *wanted: str) -> list[Instruction]:
        """Return the instructions of a group with these letters in their fields, long ones if there are."""
        found = [i for i in self._groups[group] if all(letter in i.fields for letter in wanted)]
        return [i for i in found if i.size == 4] or found

    def filler(self, *avoid: int) -> None:
        """Append a simple instruction that writes none of the registers given."""
        o = self._operands
        self._code.word(i_type(_ADDI, self.register(*avoid), o.rs(), o.immediate()))

    # ---- one instruction -----------------------------------------------------

    def of_group(self, group: str) -> Action:
        """Prepare any instruction of a group."""
        if group == "system":
            return lambda: self._code.word(_EBREAK)
        choices = [i for i in self._groups[group] if i.name != "c.addi16sp"]
        return self.prepare(self._rng.choice(choices))

    def prepare(
        self, item: Instruction, *, rd: int | None = None, rs1: int | None = None, rs2: int | None = None
    ) -> Action:
        """Prepare an instruction.

        Parameters
        ----------
        item
            Which.
        rd, rs1, rs2
            Its registers where they matter: of uncompressed ones. What has an
            address in ``rs1`` takes it from there as it is.
        """
        if item.size == 2:
            return self._prepare_short(item)
        if item.group in ("load", "store"):
            return self._prepare_access(item, rd, rs1, rs2)
        if item.group == "jumpr":
            return self.computed_jump(rd)
        if item.group == "amo" and rs1 is None:
            rs1 = self.data_address()
        return {"branch": lambda: self._over(item, rs1, rs2), "jump": lambda: self._jump(rd)}.get(
            item.group, lambda: self._code.word(self._word(item, rd, rs1, rs2))
        )

    def _word(self, item: Instruction, rd: int | None, rs1: int | None, rs2: int | None) -> int:
        """Return an instruction that needs nothing but its registers."""
        o, bits = self._operands, self._rng.getrandbits
        word = item.match
        if item.group == "fence":
            return word | (bits(8) << 20 if item.name == "fence" else 0)
        if item.fields[0] == "d":
            word |= (self.register() if rd is None else rd) << 7
        if item.fields[1] == "s":
            word |= (o.rs() if rs1 is None else rs1) << 15
        if item.fields[2] == "t":
            word |= (o.rs() if rs2 is None else rs2) << 20
        kind = item.immediate
        if kind == "I":
            word |= (o.immediate() & 0xFFF) << 20
        elif kind == "H":
            word |= o.amount() << 20
        elif kind == "U":
            word |= bits(20) << 12
        elif kind in "CZ":
            word |= Csr.MSCRATCH << 20 | (bits(5) << 15 if kind == "Z" else 0)
        return word

    def data_address(self) -> int:
        """Append the making of an address within the data; return the register, which is held."""
        o = self._operands
        address = self.hold(self.register())
        self._code.word(i_type(_ADDI, address, o.regs.data, o.offset(4)))
        return address

    def _prepare_access(self, item: Instruction, rd: int | None, rs1: int | None, rs2: int | None) -> Action:
        o = self._operands
        base, offset = rs1, 0
        if base is None:
            base, offset = self._rng.choice((2, o.regs.data)), o.offset(access_size(item.name))
        if item.group == "load":
            return lambda: self._code.word(
                i_type(item.match, self.register() if rd is None else rd, base, offset)
            )
        return lambda: self._code.word(s_type(item.match, base, o.rs() if rs2 is None else rs2, offset))

    def _over(self, item: Instruction, rs1: int | None, rs2: int | None) -> None:
        """Append a branch to the next instruction, whether it is taken or not."""
        o, label = self._operands, self.fresh_label()
        word = b_type(item.match, o.rs() if rs1 is None else rs1, o.rs() if rs2 is None else rs2, 0)
        self._code.refer("branch", label, word)
        self._code.label(label)

    def _jump(self, rd: int | None) -> None:
        """Append JAL to the next instruction."""
        label = self.fresh_label()
        self._code.refer("jump", label, j_type(self.register() if rd is None else rd, 0))
        self._code.label(label)

    def code_address(self) -> tuple[int, int]:
        """Append AUIPC; return its register, which is held, and what is in it."""
        base = self.hold(self.register())
        here = self._code.pc
        self._code.word(_AUIPC | base << 7)
        return base, here

    def computed_jump(self, rd: int | None = None) -> Action:
        """Prepare JALR to the next instruction, as often as it is wanted."""
        base, here = self.code_address()

        def jump() -> None:
            link = self.register() if rd is None else rd
            self._code.word(i_type(0x67, link, base, self._code.pc + 4 - here))

        return jump

    # ---- compressed ----------------------------------------------------------

    def _prepare_short(self, item: Instruction) -> Action:
        if item.group == "jumpr":
            return self.prepare_register_jump(item)
        if item.group == "jump":
            return lambda: self.short_reference("c.jump", item.match)
        if item.group == "branch":
            return lambda: self.short_reference("c.branch", item.match | self._operands.low_source() << 7)
        if item.group == "system":
            return lambda: self._code.half(item.match)
        return lambda: self._short(item)

    def _short(self, item: Instruction) -> None:
        """Append a compressed instruction; its registers may be such that there is none at once."""
        plain, code = self._plain, self._code
        before = code.count
        for _ in range(_TRIES):
            kept = len(code.parcels)
            if item.group in ("load", "store"):
                plain.access_short(item)
            else:
                plain.compute_short(item)
            if code.count == before:
                continue
            half = code.parcels[kept]
            written = {"p": 8 + (half >> 2 & 7), "q": 8 + (half >> 7 & 7), "d": half >> 7 & 31}
            if written.get(item.fields[0]) not in self._held:
                return
            del code.parcels[kept:]
            code.count = before
        code.half(0x0001)

    def short_reference(self, kind: str, match: int) -> None:
        """Append a compressed branch or jump to the next instruction."""
        label = self.fresh_label()
        if match == 0x2001 and 1 not in self._operands.writable:  # C.JAL writes x1
            match = 0xA001
        self._code.refer(kind, label, match)
        self._code.label(label)

    def prepare_register_jump(self, item: Instruction, *, linked: bool = False) -> Action:
        """Prepare C.JR or C.JALR to the next instruction; the latter only where x1 is free, or `linked`."""
        code = self._code
        match = item.match
        if item.name == "c.jalr" and not linked and (1 not in self._operands.writable or 1 in self._held):
            match = self.named["c.jr"].match
        base, here = self.code_address()
        at = len(code.parcels)
        code.word(i_type(_ADDI, base, base, 0))

        def jump() -> None:
            code.patch(at, i_type(_ADDI, base, base, code.pc + 2 - here))
            code.half(match | base << 7)

        return jump

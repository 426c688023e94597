"""Random programs: functions, loops, traps, interrupts and plain instructions between them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from rtl.riscv.config import CoreConfig
from verif.coverage import derive_seed
from verif.lockstep.memories import check_map
from verif.lockstep.random.aim import Aim
from verif.lockstep.random.assembler import Code, b_type, elf_file, i_type, j_type
from verif.lockstep.random.events import Events
from verif.lockstep.random.frame import (
    DATA_BASE,
    DATA_BYTES,
    Registers,
    emit_end,
    emit_handler,
    emit_start,
)
from verif.lockstep.random.operands import Operands
from verif.lockstep.random.stream import Plain
from verif.lockstep.random.targets import targets
from verif.lockstep.random.weights import shares

__all__ = ["RandomProgram", "generate"]

BASE = 0x8000_0000
_FUNCTIONS = 12
_LONG_CALL = 3000  # instructions that a call, or a loop of them, may execute
_LINK_SLOTS = DATA_BASE + DATA_BYTES + 0x800


@dataclass(frozen=True, slots=True)
class RandomProgram:
    """A program.

    Attributes
    ----------
    seed
        It was made from.
    entry
        Address of its first instruction.
    segments
        Address and contents.
    instructions
        How many there are, counted once each.
    """

    seed: int
    entry: int
    segments: tuple[tuple[int, bytes], ...]
    instructions: int

    def elf(self) -> bytes:
        """Return it as an ELF file."""
        return elf_file(self.entry, list(self.segments))


def generate(config: CoreConfig, seed: int, *, size: int = 3000, length: int = 200_000) -> RandomProgram:
    """Return the program of a seed.

    Parameters
    ----------
    config
        The core it is for: its extensions, its CSRs, its modes.
    seed
        64 bits; the same seed gives the same program.
    size
        Instructions, about; what aims at coverage goals comes to them.
    length
        Instructions that it executes, roughly: all of it is repeated as often as that needs.

    Raises
    ------
    ValueError
        The core's own memories lie where programs have something else.
    """
    check_map(config)
    return _Builder(config, seed).build(size, length)


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    link: int
    straight: bool  # without loops
    length: float  # instructions that a call executes, about


class _Builder:
    def __init__(self, config: CoreConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._rng = rng = random.Random(derive_seed(seed, "random program"))
        self._code = Code(BASE)
        regs = Registers.choose(rng, config.registers)
        self._operands = Operands(rng, config.registers, regs)
        self._plain = Plain(rng, config, self._code, self._operands)
        self._events = Events(rng, config, self._code, self._operands, self._plain)
        self._aim = Aim(rng, config, self._code, self._operands, self._plain, self._events)
        self._labels = 0
        self._callable: list[_Function] = []
        self._repeated = 0.0  # instructions that are executed beyond those that were appended
        self._times = 1  # how often what is being appended is executed
        self._kinds, self._shares = self._choices()

    def _choices(self) -> tuple[list[Callable[[], None]], list[float]]:
        plain, events = self._plain, self._events
        kinds: dict[str, Callable[[], None]] = {
            group: (lambda g=group: plain.compute(g))
            for group in ("alu", "shift", "upper", "bit", "mul", "div")
            if plain.has(group)
        }
        kinds |= {
            "load": lambda: plain.access("load"),
            "store": lambda: plain.access("store"),
            "indexed": plain.indexed,
            "alias": plain.alias,
            "value": plain.value,
            "corners": plain.corners,
            "misaligned": plain.misaligned,
            "branch": self._branch,
            "jump": self._jump,
            "computed_jump": self._computed_jump,
            "call": self._call,
            "loop": self._loop,
            "guarded": self._guarded,
        }
        kinds |= events.kinds()
        return list(kinds.values()), list(accumulate(shares(self._rng, kinds)))

    def build(self, size: int, length: int) -> RandomProgram:
        """Return the program."""
        code, rng, config = self._code, self._rng, self._config
        regs = self._operands.regs
        code.refer("jump", "start", j_type(0, 0))
        emit_handler(code, config, regs, rng)
        functions = size // 3 // _FUNCTIONS
        for index in range(_FUNCTIONS):
            self._function(index, rng.randrange(functions // 2, functions * 2))
        code.label("main")
        before, self._repeated = code.count, 0.0
        self._main(size - code.count)
        code.word(i_type(0x13, regs.outer, regs.outer, -1))
        code.refer("branch", "leave", b_type(0x63, regs.outer, 0, 0))
        code.refer("jump", "main", j_type(0, 0))
        code.label("leave")
        emit_end(code, regs)
        # Traps make it half as long again.
        loops = max(1, round(length / (1.5 * (code.count - before + self._repeated))))
        code.label("start")
        emit_start(code, config, regs, rng, loops)
        code.refer("jump", "main", j_type(0, 0))
        data = rng.randbytes(DATA_BYTES)
        return RandomProgram(self._seed, BASE, ((BASE, code.finish()), (DATA_BASE, data)), code.count)

    def _main(self, size: int) -> None:
        """Append random steps, and between them what aims at the coverage goals of this seed."""
        chosen = list(targets(self._config, self._seed))
        self._rng.shuffle(chosen)
        share = size // (len(chosen) + 1)
        for target in chosen:
            self._steps(share)
            self._aim.at(target)
        self._steps(share)

    def _label(self) -> str:
        self._labels += 1
        return f"l{self._labels}"

    def _steps(self, count: int) -> None:
        """Append about so many instructions, of all kinds."""
        code, rng = self._code, self._rng
        until = code.count + count
        while code.count < until:
            for step in rng.choices(self._kinds, cum_weights=self._shares, k=16):
                step()
                if code.count >= until:
                    break

    def _short_steps(self, least: int, most: int) -> None:
        """Append a few plain instructions, as the body of something."""
        for _ in range(self._rng.randrange(least, most)):
            chance = self._rng.random()
            if chance < 0.6:
                self._plain.compute("alu")
            elif chance < 0.75:
                self._plain.access("load")
            elif chance < 0.9:
                self._plain.access("store")
            else:
                self._plain.compute("mul" if self._plain.has("mul") else "shift")

    def _function(self, index: int, size: int) -> None:
        """Append a function; it may call those before it, saving its link register."""
        code, operands, rng = self._code, self._operands, self._rng
        regs = operands.regs
        candidates = [n for n in (1, 1, 5, 1, rng.randrange(1, self._config.registers)) if n not in regs.kept]
        link = rng.choice(candidates) if candidates else operands.free()
        name = f"f{index}"
        slot = _LINK_SLOTS + 4 * index
        callable_, self._callable = self._callable, [f for f in self._callable if rng.random() < 0.3]
        code.label(name)
        leaf = not self._callable
        # Half of the functions have no loop, not even in what they call: loops may call these.
        operands.looping = straight = rng.random() < 0.5
        if not leaf:
            operands.keep(link)
            address = operands.free()
            code.load_immediate(address, slot)
            code.word(0x2023 | address << 15 | link << 20)
            operands.keep()
        else:
            operands.keep(link)
        before, self._repeated = code.count, 0.0
        self._steps(size)
        if not leaf:
            code.load_immediate(link, slot)
            code.word(i_type(0x2003, link, link, 0))
        if self._config.c and link and rng.random() < 0.5:
            code.half(0x8002 | link << 7)  # c.jr
        else:
            code.word(i_type(0x67, 0, link, rng.randrange(2) if self._config.c else 0))
        operands.keep()
        operands.looping = False
        length = code.count - before + self._repeated
        self._callable = [*callable_, _Function(name, link, straight, length)]

    def _call(self) -> None:
        if not self._callable:
            return
        function = self._rng.choice(self._callable)
        name, link = function.name, function.link
        if link in self._operands.blocked or (self._operands.looping and not function.straight):
            return
        if function.length * self._times > _LONG_CALL:
            return
        self._repeated += function.length * self._times
        code = self._code
        chance = self._rng.random()
        if chance < 0.4 and self._config.c and link == 1 and code.pc - code.address(name) < 2000:
            code.refer("c.jump", name, 0x2001)
        elif chance < 0.8:
            code.refer("jump", name, j_type(link, 0))
        else:
            self._call_by_register(name, link)

    def _call_by_register(self, name: str, link: int) -> None:
        code = self._code
        register = self._operands.free()
        code.load_immediate(register, code.address(name))
        self._plain.fill(2, register)
        if self._config.c and link == 1 and self._rng.random() < 0.5:
            code.half(0x9002 | register << 7)  # c.jalr
        else:
            code.word(i_type(0x67, link, register, 0))

    def _branch(self) -> None:
        """Append a branch forward over a few instructions."""
        label = self._label()
        code = self._code
        if self._config.c and self._rng.random() < 0.35:
            match = 0xC001 if self._rng.random() < 0.5 else 0xE001
            code.refer("c.branch", label, match | self._operands.low_source() << 7)
        else:
            code.refer("branch", label, self._plain.branch_word())
        self._short_steps(0, 6)
        code.label(label)

    def _jump(self) -> None:
        label = self._label()
        code, rng = self._code, self._rng
        chance = rng.random()
        if self._config.c and chance < 0.3:
            code.refer("c.jump", label, 0xA001)
        elif self._config.c and chance < 0.45 and 1 in self._operands.writable:
            code.refer("c.jump", label, 0x2001)
        else:
            link = 0 if chance < 0.6 else self._operands.rd()
            code.refer("jump", label, j_type(link, 0))
        self._short_steps(0, 4)
        code.label(label)

    def _computed_jump(self) -> None:
        """Append AUIPC and JALR, over a few instructions."""
        code, rng = self._code, self._rng
        register = self._operands.free()
        skipped = rng.randrange(0, 4)
        offset = rng.randrange(-64, 64) * 2
        code.word(0x17 | register << 7)
        code.word(i_type(0x13, register, register, 12 + 4 + 4 * skipped - 4 - offset))
        odd = rng.randrange(2) if self._config.c else 0
        if self._config.c and rng.random() < 0.4:
            # the target in the register itself
            code.parcels[-2:] = [0, 0]
            word = i_type(0x13, register, register, 8 + 2 + 4 * skipped + odd)
            code.parcels[-2:] = [word & 0xFFFF, word >> 16]
            link = rng.random() < 0.5 and 1 in self._operands.writable
            code.half((0x9002 if link else 0x8002) | register << 7)
        else:
            code.word(i_type(0x67, self._operands.rd(), register, offset + odd))
        for _ in range(skipped):
            code.word(i_type(0x13, self._operands.rd(), self._operands.rs(), self._operands.immediate()))

    def _loop(self) -> None:
        """Append a loop that counts down."""
        if self._operands.looping:
            return
        code, rng = self._code, self._rng
        inner = self._operands.regs.inner
        label = self._label()
        times = rng.choice((1, 2, 3, 5, 8, 16))
        code.load_immediate(inner, times)
        self._operands.looping = True
        code.label(label)
        self._body(times)
        code.word(i_type(0x13, inner, inner, -1))
        close = rng.randrange(3)
        word = (b_type(0x1063, inner, 0, 0), b_type(0x4063, 0, inner, 0), b_type(0x6063, 0, inner, 0))[close]
        if self._config.c and 8 <= inner < 16 and rng.random() < 0.5 and code.pc - code.address(label) < 250:
            code.refer("c.branch", label, 0xE001 | (inner - 8) << 7)
        else:
            code.refer("branch", label, word)
        self._operands.looping = False

    def _guarded(self) -> None:
        """Append a loop that any condition may close, and a counter ends."""
        if self._operands.looping:
            return
        code, rng = self._code, self._rng
        inner = self._operands.regs.inner
        top, out = self._label(), self._label()
        times = rng.randrange(1, 12)
        code.load_immediate(inner, times)
        self._operands.looping = True
        code.label(top)
        code.word(i_type(0x13, inner, inner, -1))
        code.refer("branch", out, b_type(0x4063, inner, 0, 0))
        self._body(times)
        if self._config.c and rng.random() < 0.4 and code.pc - code.address(top) < 250:
            match = 0xC001 if rng.random() < 0.5 else 0xE001
            code.refer("c.branch", top, match | self._operands.low_source() << 7)
        else:
            code.refer("branch", top, self._plain.branch_word())
        code.label(out)
        self._operands.looping = False

    def _body(self, times: int) -> None:
        """Append the body of a loop: short, with everything but loops in it."""
        code = self._code
        before = code.count
        until = before + self._rng.randrange(1, 14)
        self._times = times
        while code.count < until:
            step = self._rng.choices(self._kinds, cum_weights=self._shares)[0]
            step()
        self._times = 1
        self._repeated += (times - 1) * (code.count - before)

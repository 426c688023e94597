"""One instruction's effect, from its bits and operands: what a retirement is compared with."""

from dataclasses import dataclass, field

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Mode
from verif.formal.riscv.compressed import expand
from verif.formal.riscv.instructions import Instruction, instruction_set, narrow_result

__all__ = ["Effect", "Operands", "execute"]


@dataclass(frozen=True, kw_only=True)
class Operands:
    """What an instruction works on; ``insn`` as fetched, the low half alone if compressed."""

    insn: Value
    pc: Value
    mode: Value
    rs1: Value
    rs2: Value
    read_data: Value


@dataclass(kw_only=True)
class Effect:
    """What it does; the values are signals of the module it was built in.

    Attributes
    ----------
    hits
        Whether it is the instruction of this name; of the 16-bit ones too.
    word
        The instruction, expanded to 32 bits.
    legal, compressed
        Whether it is one at all, and whether its length is 16 bits.
    trap, cause, value
        Whether it traps by itself, with ``mcause`` and ``mtval``.
    rd, result, result_known
        Destination (0 for none), its value, and whether that is known here.
    uses_rs1, uses_rs2, rs1, rs2
        Which registers it reads.
    next_pc, next_known
        Where execution goes on when it does not trap.
    access
        The address of its access to memory, as it computed it.
    address, read_mask, write_mask, write_data
        The access: the aligned address, bytes in place.
    """

    hits: dict[str, Value] = field(default_factory=dict)
    word: Signal
    legal: Signal
    compressed: Signal
    trap: Signal
    cause: Signal
    value: Signal
    rd: Signal
    result: Signal
    result_known: Signal
    uses_rs1: Signal
    uses_rs2: Signal
    next_pc: Signal
    next_known: Signal
    access: Signal
    address: Signal
    read_mask: Signal
    write_mask: Signal
    write_data: Signal

    @property
    def rs1(self) -> Value:
        """First source register."""
        return self.word[15:20]

    @property
    def rs2(self) -> Value:
        """Second source register."""
        return self.word[20:25]


_WIDTHS = {
    "word": 32, "legal": 1, "compressed": 1, "trap": 1, "cause": 5, "value": 32, "rd": 5, "result": 32,
    "result_known": 1, "uses_rs1": 1, "uses_rs2": 1, "next_pc": 32, "next_known": 1, "access": 32,
    "address": 32,
    "read_mask": 4, "write_mask": 4, "write_data": 32,
}  # fmt: skip


def execute(m: Module, config: CoreConfig, on: Operands, name: str, *, products: bool = False) -> Effect:
    """Add the effect of an instruction to `m`; its signals begin with `name`.

    With `products`, results of multiplication and division are there as far
    as :func:`~verif.formal.riscv.instructions.narrow_result` goes; otherwise
    they are not known, which spares the solver a divider.
    """
    effect = Effect(**{key: Signal(width, name=f"{name}_{key}") for key, width in _WIDTHS.items()})
    _fetch(m, config, effect, on, name)
    m.d.comb += [
        effect.next_pc.eq(on.pc + Mux(effect.compressed, 2, 4)),
        effect.next_known.eq(1),
        effect.result_known.eq(1),
        # Whatever is none of these is illegal; what follows overrides it.
        effect.trap.eq(1),
        effect.cause.eq(Cause.ILLEGAL_INSTRUCTION),
        effect.value.eq(on.insn),
    ]
    whole = C(1, 1) if not config.c else ~effect.compressed | effect.hits["compressed"]
    for instruction in instruction_set(config):
        hit = Signal(name=f"{name}_is_{instruction.name.replace('.', '_')}")
        m.d.comb += hit.eq(whole & ((effect.word & instruction.mask) == instruction.match))
        effect.hits[instruction.name] = hit
        with m.If(hit & _registers_exist(config, instruction, effect.word)):
            m.d.comb += [effect.legal.eq(1), effect.trap.eq(0)]
            _act(m, config, instruction, effect, on, products)
    return effect


def _fetch(m: Module, config: CoreConfig, effect: Effect, on: Operands, name: str) -> None:
    if not config.c:
        m.d.comb += effect.word.eq(on.insn)
        return
    word, legal, hits = expand(m, config, on.insn[:16], name)
    m.d.comb += effect.compressed.eq(on.insn[:2] != 3)
    m.d.comb += effect.word.eq(Mux(effect.compressed, word, on.insn))
    effect.hits["compressed"] = legal
    effect.hits |= {key: effect.compressed & hit for key, hit in hits.items()}


def _registers_exist(config: CoreConfig, instruction: Instruction, word: Value) -> Value:
    """Whether the registers that it names are among the 16 of RV32E."""
    if not config.e:
        return C(1, 1)
    form = instruction.form
    fields = []
    if form not in ("store", "branch", "none"):
        fields.append(word[11])
    if form in ("r", "i", "h", "load", "store", "branch", "jalr"):
        fields.append(word[19])
    if form == "csr" and not instruction.name.endswith("i"):
        fields.append(word[19])
    if form in ("r", "store", "branch"):
        fields.append(word[24])
    return ~Cat(*fields).any()


def _act(
    m: Module, config: CoreConfig, instruction: Instruction, effect: Effect, on: Operands, products: bool
) -> None:
    """Add what one instruction does."""
    form, word = instruction.form, effect.word
    reads_1 = form in ("r", "i", "h", "load", "store", "branch", "jalr")
    reads_1 |= form == "csr" and not instruction.name.endswith("i")
    m.d.comb += [effect.uses_rs1.eq(reads_1), effect.uses_rs2.eq(form in ("r", "store", "branch"))]
    if form not in ("store", "branch", "none"):
        m.d.comb += effect.rd.eq(word[7:12])
    immediate = _sign_extend(word[20:32])
    if form in ("r", "i", "h"):
        second = {"r": on.rs2, "i": immediate, "h": word[20:25]}[form]
        if instruction.needs != "m":
            m.d.comb += effect.result.eq(instruction.result(m, on.rs1, second))
        elif products:
            known, value = narrow_result(instruction.name, on.rs1, second)
            m.d.comb += [effect.result.eq(value), effect.result_known.eq(known)]
        else:
            m.d.comb += effect.result_known.eq(0)
    elif form == "u":
        upper = Cat(C(0, 12), word[12:32])
        m.d.comb += effect.result.eq(upper if instruction.name == "lui" else upper + on.pc)
    elif form == "branch":
        offset = _sign_extend(Cat(C(0, 1), word[8:12], word[25:31], word[7], word[31]))
        with m.If(instruction.result(m, on.rs1, on.rs2)):
            _jump(m, config, effect, (on.pc + offset)[:32])
    elif form in ("jal", "jalr"):
        offset = _sign_extend(Cat(C(0, 1), word[21:31], word[20], word[12:20], word[31]))
        target = (on.pc + offset)[:32] if form == "jal" else Cat(C(0, 1), (on.rs1 + immediate)[1:32])
        m.d.comb += effect.result.eq(on.pc + Mux(effect.compressed, 2, 4))
        _jump(m, config, effect, target)
    elif form == "load":
        _load(m, instruction.name, effect, (on.rs1 + immediate)[:32], on.read_data)
    elif form == "store":
        offset = _sign_extend(Cat(word[7:12], word[25:32]))
        _store(m, instruction.name, effect, (on.rs1 + offset)[:32], on.rs2)
    else:
        _system(m, instruction, effect, on)


def _system(m: Module, instruction: Instruction, effect: Effect, on: Operands) -> None:
    if instruction.form == "csr":
        # The value is a matter of the state, and so is whether the access is legal.
        m.d.comb += effect.result_known.eq(0)
    elif instruction.name in ("ecall", "ebreak"):
        call = Mux(on.mode == Mode.MACHINE, Cause.ECALL_M.value, Cause.ECALL_U.value)
        cause = call if instruction.name == "ecall" else Cause.BREAKPOINT
        value = C(0, 32) if instruction.name == "ecall" else on.pc
        m.d.comb += [effect.trap.eq(1), effect.cause.eq(cause), effect.value.eq(value)]
    elif instruction.name == "mret":
        # In user mode it is illegal, as what this overrides says.
        m.d.comb += [effect.next_known.eq(0), effect.trap.eq(on.mode != Mode.MACHINE)]


def _jump(m: Module, config: CoreConfig, effect: Effect, target: Value) -> None:
    """Add a jump, which traps where 16-bit instructions do not exist and the target is no multiple of 4."""
    m.d.comb += effect.next_pc.eq(target)
    if not config.c:
        with m.If(target[1]):
            m.d.comb += [
                effect.trap.eq(1),
                effect.cause.eq(Cause.INSTRUCTION_MISALIGNED),
                effect.value.eq(target),
            ]


def _load(m: Module, name: str, effect: Effect, address: Value, data: Value) -> None:
    size = {"b": 1, "h": 2, "w": 4}[name[1]]
    part = (data >> (address[:2] << 3))[: 8 * size]
    value = part if name.endswith("u") or size == 4 else _sign_extend(part)
    with m.If((address & (size - 1)).any()):
        m.d.comb += [effect.trap.eq(1), effect.cause.eq(Cause.LOAD_MISALIGNED), effect.value.eq(address)]
    with m.Else():
        m.d.comb += effect.read_mask.eq(((1 << size) - 1) << address[:2])
    m.d.comb += [
        effect.access.eq(address),
        effect.address.eq(Cat(C(0, 2), address[2:])),
        effect.result.eq(value),
    ]


def _store(m: Module, name: str, effect: Effect, address: Value, data: Value) -> None:
    size = {"b": 1, "h": 2, "w": 4}[name[1]]
    with m.If((address & (size - 1)).any()):
        m.d.comb += [effect.trap.eq(1), effect.cause.eq(Cause.STORE_MISALIGNED), effect.value.eq(address)]
    with m.Else():
        m.d.comb += effect.write_mask.eq(((1 << size) - 1) << address[:2])
    m.d.comb += [
        effect.access.eq(address),
        effect.address.eq(Cat(C(0, 2), address[2:])),
        effect.write_data.eq(data[: 8 * size] << (address[:2] << 3)),
    ]


def _sign_extend(value: Value) -> Value:
    return Cat(value, value[-1].replicate(32 - len(value))) if len(value) < 32 else value[:32]

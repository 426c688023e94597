"""Decoder and ALU: legality against a table of encodings, results against Python."""

from __future__ import annotations

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.decoder import Control, Decoder
from rtl.riscv.units.shifter import SerialShifter

MASK = 0xFFFF_FFFF
EVERYTHING = {"zba": True, "zbb": True, "zbs": True, "zicond": True}

# extension: name -> (mask, match)
I_TYPE, R_TYPE, SHIFT = 0x707F, 0xFE00_707F, 0xFE00_707F
UNARY = 0xFFF0_707F


def _r(funct7: int, funct3: int) -> tuple[int, int]:
    return R_TYPE, funct7 << 25 | funct3 << 12 | 0x33


def _shift(funct7: int, funct3: int) -> tuple[int, int]:
    return SHIFT, funct7 << 25 | funct3 << 12 | 0x13


def _unary(top: int, funct3: int) -> tuple[int, int]:
    return UNARY, top << 20 | funct3 << 12 | 0x13


MULTIPLY_DIVIDE = ("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu")
ATOMIC = {"amoadd": 0, "amoswap": 1, "sc": 3, "amoxor": 4, "amoor": 8, "amoand": 12} | {
    f"amo{x}": 16 + 4 * i for i, x in enumerate(("min", "max", "minu", "maxu"))
}


def _i_type(names: str, opcode: int) -> dict[str, tuple[int, int]]:
    """Return encodings that funct3 tells apart; a dash is none."""
    return {x: (I_TYPE, f3 << 12 | opcode) for f3, x in enumerate(names.split(" ")) if x != "-"}


ENCODINGS = {
    "i": {
        "lui": (0x7F, 0x37),
        "auipc": (0x7F, 0x17),
        "jal": (0x7F, 0x6F),
        "jalr": (I_TYPE, 0x67),
        **_i_type("beq bne - - blt bge bltu bgeu", 0x63),
        **_i_type("lb lh lw - lbu lhu", 0x03),
        **_i_type("sb sh sw", 0x23),
        **_i_type("addi - slti sltiu xori - ori andi", 0x13),
        "slli": _shift(0, 1),
        "srli": _shift(0, 5),
        "srai": _shift(0x20, 5),
        **{x: _r(0, f) for f, x in enumerate(["add", "sll", "slt", "sltu", "xor", "srl", "or", "and"])},
        "sub": _r(0x20, 0),
        "sra": _r(0x20, 5),
        "fence": (I_TYPE, 0x0F),
        "fence.i": (I_TYPE, 0x100F),
        "ecall": (MASK, 0x73),
        "ebreak": (MASK, 0x0010_0073),
        "mret": (MASK, 0x3020_0073),
        "wfi": (MASK, 0x1050_0073),
        **{f"csr{f}": (I_TYPE, f << 12 | 0x73) for f in (1, 2, 3, 5, 6, 7)},
    },
    "m": {x: _r(1, f) for f, x in enumerate(MULTIPLY_DIVIDE)},
    "zba": {f"sh{n}add": _r(0x10, 2 * n) for n in (1, 2, 3)},
    "zbb": {
        "andn": _r(0x20, 7),
        "orn": _r(0x20, 6),
        "xnor": _r(0x20, 4),
        "min": _r(5, 4),
        "minu": _r(5, 5),
        "max": _r(5, 6),
        "maxu": _r(5, 7),
        "rol": _r(0x30, 1),
        "ror": _r(0x30, 5),
        "rori": _shift(0x30, 5),
        "clz": _unary(0x600, 1),
        "ctz": _unary(0x601, 1),
        "cpop": _unary(0x602, 1),
        "sext.b": _unary(0x604, 1),
        "sext.h": _unary(0x605, 1),
        "zext.h": (UNARY, 0x0800_4033),
        "orc.b": _unary(0x287, 5),
        "rev8": _unary(0x698, 5),
    },
    "zbs": {
        "bset": _r(0x14, 1),
        "bclr": _r(0x24, 1),
        "binv": _r(0x34, 1),
        "bext": _r(0x24, 5),
        "bseti": _shift(0x14, 1),
        "bclri": _shift(0x24, 1),
        "binvi": _shift(0x34, 1),
        "bexti": _shift(0x24, 5),
    },
    "zicond": {"czero.eqz": _r(7, 5), "czero.nez": _r(7, 7)},
    "a": {
        "lr.w": (0xF9F0_707F, 0x1000_202F),
        **{x: (0xF800_707F, f << 27 | 0x202F) for x, f in ATOMIC.items()},
    },
}


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def bytes_of(value: int) -> list[int]:
    return [value >> i & 0xFF for i in (0, 8, 16, 24)]


OPERATIONS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a << (b & 31),
    "srl": lambda a, b: a >> (b & 31),
    "sra": lambda a, b: signed(a) >> (b & 31),
    "slt": lambda a, b: int(signed(a) < signed(b)),
    "sltu": lambda a, b: int(a < b),
    "xor": lambda a, b: a ^ b,
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    **{f"sh{n}add": (lambda a, b, n=n: (a << n) + b) for n in (1, 2, 3)},
    "andn": lambda a, b: a & ~b,
    "orn": lambda a, b: a | ~b,
    "xnor": lambda a, b: ~(a ^ b),
    "min": lambda a, b: min(a, b, key=signed),
    "max": lambda a, b: max(a, b, key=signed),
    "minu": min,
    "maxu": max,
    "rol": lambda a, b: a << (b & 31) | a >> (-b & 31),
    "ror": lambda a, b: a >> (b & 31) | a << (-b & 31),
    "clz": lambda a, b: 32 - a.bit_length(),
    "ctz": lambda a, b: (a & -a).bit_length() - 1 if a else 32,
    "cpop": lambda a, b: a.bit_count(),
    "sext.b": lambda a, b: (a & 0xFF) - (a << 1 & 0x100),
    "sext.h": lambda a, b: (a & 0xFFFF) - (a << 1 & 0x1_0000),
    "zext.h": lambda a, b: a & 0xFFFF,
    "orc.b": lambda a, b: sum(0xFF << 8 * i for i, x in enumerate(bytes_of(a)) if x),
    "rev8": lambda a, b: int.from_bytes(a.to_bytes(4, "little"), "big"),
    "bset": lambda a, b: a | 1 << (b & 31),
    "bclr": lambda a, b: a & ~(1 << (b & 31)),
    "binv": lambda a, b: a ^ 1 << (b & 31),
    "bext": lambda a, b: a >> (b & 31) & 1,
    "czero.eqz": lambda a, b: a if b else 0,
    "czero.nez": lambda a, b: 0 if b else a,
}


class Bench(wiring.Component):
    """Decoder before ALU, as an execute stage has them."""

    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "instruction": In(32),
                "rs1": In(32),
                "rs2": In(32),
                "result": Out(32),
                "control": Out(Control),
                "less": Out(1),
                "equal": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.decoder = decoder = Decoder(self.config)
        m.submodules.alu = alu = Alu(self.config)
        m.d.comb += [
            decoder.instruction.eq(self.instruction),
            self.control.eq(decoder.control),
            alu.control.eq(decoder.control.alu),
            alu.a.eq(self.rs1),
            alu.b.eq(self.rs2),
            self.result.eq(alu.result),
            self.less.eq(alu.less),
            self.equal.eq(alu.equal),
        ]
        with m.If(decoder.control.a_zero):
            m.d.comb += alu.a.eq(0)
        with m.If(decoder.control.b_immediate):
            m.d.comb += alu.b.eq(decoder.control.immediate)
        return m


def simulate(dut, bench):
    sim = Simulator(dut)
    sim.add_testbench(bench)
    sim.run()


def operand(source: random.Random) -> int:
    edge = source.choice((0, 1, MASK, 1 << 31, MASK >> 1, 0xFFFF, 0x8000, 0x80))
    return source.choice((edge, source.getrandbits(32), source.getrandbits(32) >> source.randrange(32)))


@pytest.mark.parametrize(
    ("extensions", "options"),
    [
        (("i",), {"m": False, "multiplier": "none", "divider": "none"}),
        (("i", "m"), {}),
        (("i", "m", "zba"), {"zba": True}),
        (("i", "m", "zbb"), {"zbb": True}),
        (("i", "m", "zbs"), {"zbs": True}),
        (("i", "m", "zicond"), {"zicond": True}),
        (("i", "m", "a"), {"a": True, "pipeline": "fast", "multiplier": "pipelined"}),
        (tuple(x for x in ENCODINGS if x != "a"), EVERYTHING),
    ],
)
def test_exactly_the_instructions_of_the_configuration_are_legal(extensions, options):
    table = [pair for x in extensions for pair in ENCODINGS[x].values()]
    every = [pair for x in ENCODINGS.values() for pair in x.values()]
    source = random.Random(3)
    words = [source.getrandbits(32) | 3 for _ in range(300)]
    for mask, match in every:
        # As it is, with other operands, and one bit away from it.
        for _ in range(6):
            word = source.getrandbits(32) & ~mask | match
            words += [word, word ^ 1 << source.randrange(32)]
    dut = Decoder(CoreConfig(**options))

    async def bench(ctx):
        for word in words:
            ctx.set(dut.instruction, word)
            legal = word & 3 == 3 and any(word & mask == match for mask, match in table)
            assert ctx.get(dut.control.illegal) == (not legal), hex(word)

    simulate(dut, bench)


def test_every_operation_computes_what_python_does():
    source = random.Random(1)
    dut = Bench(CoreConfig(**EVERYTHING))
    table = {name: pair for x in ENCODINGS.values() for name, pair in x.items()}

    async def bench(ctx):
        checked = 0
        for name, (mask, match) in table.items():
            base = {"sltiu": "sltu"}.get(name, name)
            base = base if base in OPERATIONS else base.removesuffix("i")
            if base not in OPERATIONS:
                continue
            for _ in range(12):
                word = source.getrandbits(32) & ~mask | match
                a, b = operand(source), operand(source)
                if source.random() < 0.1:
                    b = a
                ctx.set(dut.instruction, word)
                ctx.set(dut.rs1, a)
                ctx.set(dut.rs2, b)
                if word & 0x7F == 0x13:
                    b = (word >> 20) - (word >> 19 & 0x1000)
                    b &= MASK
                assert ctx.get(dut.result) == OPERATIONS[base](a, b) & MASK, (name, hex(a), hex(b))
                checked += 1
        assert checked == 12 * 50

    simulate(dut, bench)


def test_branches_compare_and_upper_immediates_pass():
    source = random.Random(2)
    dut = Bench(CoreConfig())

    async def bench(ctx):
        for _ in range(60):
            a, b = operand(source), operand(source)
            b = a if source.random() < 0.2 else b
            ctx.set(dut.rs1, a)
            ctx.set(dut.rs2, b)
            for unsigned, funct3 in ((False, 4), (True, 6)):
                ctx.set(dut.instruction, funct3 << 12 | 0x63)
                less = a < b if unsigned else signed(a) < signed(b)
                assert ctx.get(dut.less) == less
                assert ctx.get(dut.equal) == (a == b)
            upper = source.getrandbits(20) << 12
            ctx.set(dut.instruction, upper | 0x537)
            assert ctx.get(dut.result) == upper
            assert ctx.get(dut.control.writes_rd)

    simulate(dut, bench)


def test_immediates_of_each_format():
    dut = Decoder(CoreConfig())
    # Assembled: sw a1, -3(a0); beq a0, a1, -4094; jal ra, -1048574; lw a0, 2047(a1); csrwi mie, 21
    words = {
        0xFEB5_2EA3: -3,
        0x80B5_0163: -4094,
        0x8020_00EF: -1_048_574,
        0x7FF5_A503: 2047,
        0x304A_D073: 21,
        0xFFFF_F537: -4096,
    }

    async def bench(ctx):
        for word, value in words.items():
            ctx.set(dut.instruction, word)
            assert ctx.get(dut.control.immediate) == value & MASK, hex(word)

    simulate(dut, bench)


def test_rv32e_refuses_the_registers_it_lacks():
    dut = Decoder(CoreConfig(e=True))

    async def bench(ctx):
        # add, with a register above x15 as rd, rs1, rs2; lui; csrw with a large immediate.
        for word, illegal in (
            (0x00B5_0533, 0),
            (0x00B5_0833, 1),
            (0x00B8_0533, 1),
            (0x0105_0533, 1),
            (0x0000_0837, 1),
            (0x304F_D073, 0),
            (0x0108_0863, 1),
            (0x0100_006F, 0),
        ):
            ctx.set(dut.instruction, word)
            assert ctx.get(dut.control.illegal) == illegal, hex(word)

    simulate(dut, bench)


def test_the_serial_shifter_agrees_with_the_barrel():
    dut = SerialShifter()
    source = random.Random(4)

    async def bench(ctx):
        kinds = {
            "sll": {"left": 1},
            "srl": {},
            "sra": {"arithmetic": 1},
            "ror": {"rotate": 1},
            "rol": {"left": 1, "rotate": 1},
            "bext": {"single_bit": 1},
        }
        for _ in range(60):
            name = source.choice(list(kinds))
            value, amount = source.getrandbits(32), source.randrange(32)
            ctx.set(dut.control, kinds[name])
            ctx.set(dut.value, value)
            ctx.set(dut.amount, amount)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles = 1
            while ctx.get(dut.busy):
                await ctx.tick()
                cycles += 1
            assert cycles == amount + 1
            assert ctx.get(dut.result) == OPERATIONS[name](value, amount) & MASK

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()

"""Every instruction that computes from registers and immediates."""

from collections.abc import Callable, Iterable

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import CORNERS, Writer
from verif.programs.directed.reference import IMMEDIATE, MASK, REGISTER, SHIFT_IMMEDIATE, UNARY

__all__ = ["immediate", "register", "upper"]

_IMMEDIATES = (0, 1, -1, 2, 2047, -2048, 0x555, -0x556, 255, -256)
_AMOUNTS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 24, 30, 31)
# Binutils before 2.41 knows no Zicond: funct3 of these.
_ZICOND = {"czero.eqz": 5, "czero.nez": 7}


def _write(name: str, rd: int, rs1: int, rs2: int) -> str:
    if name in _ZICOND:
        return f".insn r 0x33, {_ZICOND[name]}, 7, x{rd}, x{rs1}, x{rs2}"
    return f"{name} x{rd}, x{rs1}, x{rs2}"


def _operand_pairs(writer: Writer, extension: str, name: str) -> list[tuple[int, int]]:
    pairs = [(a, b) for a in CORNERS for b in CORNERS]
    if extension == "m":
        # Quotients of every length, and divisors next to a power of two.
        for bit in range(0, 32, 3):
            power = 1 << bit
            pairs += [(MASK, power), (power, 3), (0x8000_0000, power), (power - 1 & MASK, power + 1)]
            pairs += [(power * 5 & MASK, power), (-power & MASK, power), (power, -power & MASK)]
    if name in ("sll", "srl", "sra", "rol", "ror", "bclr", "bext", "binv", "bset"):
        pairs += [(a, b) for a in (0x8765_4321, 0xFFFF_FFFE) for b in (*_AMOUNTS, 32, 33, 63, 0xFFFF_FFE5)]
    pairs += [(writer.random.getrandbits(32), writer.random.getrandbits(32)) for _ in range(16)]
    return pairs


def register(config: CoreConfig, extension: str) -> str:
    """Return the test of an extension's operations on two registers and on one."""
    writer = Writer(config, seed=1)
    for name, function in REGISTER[extension].items():
        for a, b in _operand_pairs(writer, extension, name):
            _two_sources(writer, name, a, b, function(a, b))
        _special_registers(writer, name, function)
    for name, unary in UNARY.get(extension, {}).items():
        singles = [*CORNERS, *(1 << n for n in range(32)), *(MASK >> n for n in range(32)), 0x0080_7F00]
        for a in singles:
            rs, rd = writer.pick(2)
            rd = writer.random.choice((rs, rd))
            writer.test(f"{name} {a:#x}")
            writer.load(rs, a)
            writer.gap(writer.random.randrange(2), avoid=(rs, rd))
            writer.emit(f"{name} x{rd}, x{rs}")
            writer.check(rd, unary(a))
    return writer.text()


def _two_sources(writer: Writer, name: str, a: int, b: int, expected: int) -> None:
    rs1, rs2, rd = writer.pick(3)
    rd = writer.random.choice((rd, rd, rs1, rs2))
    writer.test(f"{name} {a:#x}, {b:#x}")
    # Either operand may be the younger one.
    for rs, value in writer.random.sample([(rs1, a), (rs2, b)], 2):
        writer.load(rs, value)
    writer.gap(writer.random.choice((0, 0, 1, 2)), avoid=(rs1, rs2, rd))
    writer.emit(_write(name, rd, rs1, rs2))
    writer.gap(writer.random.choice((0, 0, 1, 2)), avoid=(rs1, rs2, rd))
    writer.check(rd, expected)
    # The sources are as they were.
    if rd != rs1:
        writer.check(rs1, a)
    if rd != rs2:
        writer.check(rs2, b)


def _special_registers(writer: Writer, name: str, function: Callable[[int, int], int]) -> None:
    for a in CORNERS:
        rs, rd = writer.pick(2)
        for rs1, rs2, value in ((rs, rs, function(a, a)), (rs, 0, function(a, 0)), (0, rs, function(0, a))):
            writer.test(f"{name} x{rs1}, x{rs2} of {a:#x}")
            writer.load(rs, a)
            writer.emit(_write(name, rd, rs1, rs2))
            writer.check(rd, value)
        writer.test(f"{name} to x0")
        writer.load(rs, a)
        writer.emit(_write(name, 0, rs, rs), f"mv x{rd}, x0")
        writer.check(rd, 0)


def _immediates(config: CoreConfig) -> Iterable[tuple[str, Callable[[int, int], int], tuple[int, ...]]]:
    for name, function in IMMEDIATE.items():
        yield name, function, _IMMEDIATES
    for extension, table in SHIFT_IMMEDIATE.items():
        if extension == "i" or getattr(config, extension):
            for name, function in table.items():
                yield name, function, _AMOUNTS


def immediate(config: CoreConfig) -> str:
    """Return the test of the operations with immediates, of all extensions that the core has."""
    writer = Writer(config, seed=2)
    for name, function, amounts in _immediates(config):
        for a in (*CORNERS, 0x8765_4321):
            for amount in amounts:
                rs, rd = writer.pick(2)
                rd = writer.random.choice((rd, rs))
                writer.test(f"{name} {a:#x}, {amount}")
                writer.load(rs, a)
                writer.gap(writer.random.choice((0, 0, 1)), avoid=(rs, rd))
                writer.emit(f"{name} x{rd}, x{rs}, {amount}")
                writer.check(rd, function(a, amount))
        rd = writer.pick(1)[0]
        for amount in amounts[:5]:
            writer.test(f"{name} of and to x0, {amount}")
            writer.emit(f"{name} x{rd}, x0, {amount}")
            writer.check(rd, function(0, amount))
            writer.emit(f"{name} x0, x{rd}, {amount}", f"mv x{rd}, x0")
            writer.check(rd, 0)
    return writer.text()


def upper(config: CoreConfig) -> str:
    """Return the test of LUI and AUIPC, and of every register by itself."""
    writer = Writer(config, seed=3)
    for value in (0, 1, 0x7FFFF, 0x80000, 0xFFFFF, 0x55555, 0xAAAAA, 0x12345):
        rd, base = writer.pick(2)
        writer.test(f"lui {value:#x}")
        writer.emit(f"lui x{rd}, {value:#x}")
        # Without another LUI: shifted back.
        writer.emit(f"srli x{base}, x{rd}, 12")
        writer.check(base, value)
        writer.emit(f"slli x{base}, x{rd}, 20")
        writer.check(base, 0)
        number = writer.test(f"auipc {value:#x}")
        writer.emit(
            f"load_value x{base}, at_{number}",
            f"at_{number}: auipc x{rd}, {value:#x}",
            f"sub x{rd}, x{rd}, x{base}",
        )
        writer.check(rd, value << 12)
    writer.test("lui and auipc to x0")
    writer.emit("lui x0, 0xfffff", "auipc x0, 1", "bnez x0, fail")
    every = list(writer.registers)
    writer.test("every register holds its own value")
    for n in every:
        writer.load(n, n * 0x0101_0101 ^ 0x00FF_0000)
    for n in every:
        writer.check(n, n * 0x0101_0101 ^ 0x00FF_0000)
    for n in every:
        writer.load(n, ~(n * 0x0101_0101))
    for n in reversed(every):
        writer.check(n, ~(n * 0x0101_0101))
    writer.test("gp and tp")
    writer.emit("li x4, 0x12345678", "mv x5, x4", "li x4, 0", "mv x6, x3", f"li x7, {writer.number}")
    writer.emit("bne x6, x7, fail")
    writer.check(5, 0x1234_5678)
    return writer.text()

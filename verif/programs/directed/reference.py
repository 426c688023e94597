"""What RV32 instructions compute, in plain Python: where directed tests take expected values from.

Written from the manual, on unsigned numbers of 32 bits; no code is shared with
the cores. Source: The RISC-V Instruction Set Manual, volume I (20240411), with
the chapters on M, Zba, Zbb, Zbs, Zicond and A.
"""

from collections.abc import Callable

__all__ = ["AMO", "BRANCHES", "IMMEDIATE", "LOADS", "MASK", "REGISTER", "SHIFT_IMMEDIATE", "UNARY", "signed"]

MASK = 0xFFFF_FFFF
_SIGN = 0x8000_0000

Binary = Callable[[int, int], int]
Unary = Callable[[int], int]


def signed(value: int, bits: int = 32) -> int:
    """Return the two's complement reading of the low bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _cut(function: Callable[..., int]) -> Callable[..., int]:
    return lambda *values: int(function(*values)) & MASK


def _divide(a: int, b: int) -> int:
    if b == 0:
        return MASK
    x, y = signed(a), signed(b)
    quotient = abs(x) // abs(y)
    return quotient if (x < 0) == (y < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    if b == 0:
        return a
    x, y = signed(a), signed(b)
    return abs(x) % abs(y) * (-1 if x < 0 else 1)


def _rotate_right(a: int, b: int) -> int:
    b &= 31
    return a >> b | a << (32 - b)


#: Two source registers.
REGISTER: dict[str, dict[str, Binary]] = {
    "i": {
        "add": _cut(lambda a, b: a + b),
        "sub": _cut(lambda a, b: a - b),
        "sll": _cut(lambda a, b: a << (b & 31)),
        "slt": _cut(lambda a, b: signed(a) < signed(b)),
        "sltu": _cut(lambda a, b: a < b),
        "xor": _cut(lambda a, b: a ^ b),
        "srl": _cut(lambda a, b: a >> (b & 31)),
        "sra": _cut(lambda a, b: signed(a) >> (b & 31)),
        "or": _cut(lambda a, b: a | b),
        "and": _cut(lambda a, b: a & b),
    },
    "m": {
        "mul": _cut(lambda a, b: a * b),
        "mulh": _cut(lambda a, b: signed(a) * signed(b) >> 32),
        "mulhsu": _cut(lambda a, b: signed(a) * b >> 32),
        "mulhu": _cut(lambda a, b: a * b >> 32),
        "div": _cut(_divide),
        "divu": _cut(lambda a, b: a // b if b else MASK),
        "rem": _cut(_remainder),
        "remu": _cut(lambda a, b: a % b if b else a),
    },
    "zba": {
        "sh1add": _cut(lambda a, b: (a << 1) + b),
        "sh2add": _cut(lambda a, b: (a << 2) + b),
        "sh3add": _cut(lambda a, b: (a << 3) + b),
    },
    "zbb": {
        "andn": _cut(lambda a, b: a & ~b),
        "orn": _cut(lambda a, b: a | ~b),
        "xnor": _cut(lambda a, b: ~(a ^ b)),
        "max": _cut(lambda a, b: max(signed(a), signed(b))),
        "maxu": _cut(max),
        "min": _cut(lambda a, b: min(signed(a), signed(b))),
        "minu": _cut(min),
        "rol": _cut(lambda a, b: _rotate_right(a, -b)),
        "ror": _cut(_rotate_right),
    },
    "zbs": {
        "bclr": _cut(lambda a, b: a & ~(1 << (b & 31))),
        "bext": _cut(lambda a, b: a >> (b & 31) & 1),
        "binv": _cut(lambda a, b: a ^ 1 << (b & 31)),
        "bset": _cut(lambda a, b: a | 1 << (b & 31)),
    },
    "zicond": {
        "czero.eqz": _cut(lambda a, b: a if b else 0),
        "czero.nez": _cut(lambda a, b: 0 if b else a),
    },
}

#: A source register and a signed immediate of 12 bits.
IMMEDIATE: dict[str, Binary] = {
    "addi": _cut(lambda a, b: a + b),
    "slti": _cut(lambda a, b: signed(a) < b),
    "sltiu": _cut(lambda a, b: a < (b & MASK)),
    "xori": _cut(lambda a, b: a ^ b),
    "ori": _cut(lambda a, b: a | b),
    "andi": _cut(lambda a, b: a & b),
}

#: A source register and a shift amount or bit number.
SHIFT_IMMEDIATE: dict[str, dict[str, Binary]] = {
    "i": {
        "slli": REGISTER["i"]["sll"],
        "srli": REGISTER["i"]["srl"],
        "srai": REGISTER["i"]["sra"],
    },
    "zbb": {"rori": _cut(_rotate_right)},
    "zbs": {
        "bclri": REGISTER["zbs"]["bclr"],
        "bexti": REGISTER["zbs"]["bext"],
        "binvi": REGISTER["zbs"]["binv"],
        "bseti": REGISTER["zbs"]["bset"],
    },
}


def _bytes(value: int) -> list[int]:
    return [value >> shift & 0xFF for shift in (0, 8, 16, 24)]


def _word(parts: list[int]) -> int:
    return sum(part << 8 * index for index, part in enumerate(parts))


#: One source register.
UNARY: dict[str, dict[str, Unary]] = {
    "zbb": {
        "clz": _cut(lambda a: 32 - a.bit_length()),
        "ctz": _cut(lambda a: (a & -a).bit_length() - 1 if a else 32),
        "cpop": _cut(lambda a: bin(a).count("1")),
        "sext.b": _cut(lambda a: signed(a, 8)),
        "sext.h": _cut(lambda a: signed(a, 16)),
        "zext.h": _cut(lambda a: a & 0xFFFF),
        "orc.b": _cut(lambda a: _word([0xFF if part else 0 for part in _bytes(a)])),
        "rev8": _cut(lambda a: _word(_bytes(a)[::-1])),
    },
}

#: Whether a branch is taken.
BRANCHES: dict[str, Callable[[int, int], bool]] = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: signed(a) < signed(b),
    "bge": lambda a, b: signed(a) >= signed(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}

#: Bytes, and what becomes of the value.
LOADS: dict[str, tuple[int, Unary]] = {
    "lb": (1, _cut(lambda a: signed(a, 8))),
    "lbu": (1, _cut(lambda a: a & 0xFF)),
    "lh": (2, _cut(lambda a: signed(a, 16))),
    "lhu": (2, _cut(lambda a: a & 0xFFFF)),
    "lw": (4, _cut(lambda a: a)),
}

#: What an atomic operation leaves in memory: of the old value and the register.
AMO: dict[str, Binary] = {
    "amoswap.w": _cut(lambda old, value: value),
    "amoadd.w": REGISTER["i"]["add"],
    "amoxor.w": REGISTER["i"]["xor"],
    "amoand.w": REGISTER["i"]["and"],
    "amoor.w": REGISTER["i"]["or"],
    "amomin.w": REGISTER["zbb"]["min"],
    "amomax.w": REGISTER["zbb"]["max"],
    "amominu.w": REGISTER["zbb"]["minu"],
    "amomaxu.w": REGISTER["zbb"]["maxu"],
}

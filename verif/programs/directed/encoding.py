"""Which instruction words a core has: an independent decoder, for tests of what must be illegal.

Source: The RISC-V Instruction Set Manual, volume I (20240411), the opcode
listings of chapter 34 and those of C, Zcb, Zba, Zbb, Zbs and Zicond.
"""

from rtl.riscv.config import CoreConfig

__all__ = ["half_is_legal", "word_is_legal"]

# (funct7, funct3) of the major opcode OP.
_REGISTER = {
    "i": {(0x00, f3) for f3 in range(8)} | {(0x20, 0), (0x20, 5)},
    "m": {(0x01, f3) for f3 in range(8)},
    "zba": {(0x10, 2), (0x10, 4), (0x10, 6)},
    "zbb": {(0x20, 7), (0x20, 6), (0x20, 4), (0x30, 1), (0x30, 5)} | {(0x05, f3) for f3 in (4, 5, 6, 7)},
    "zbs": {(0x24, 1), (0x24, 5), (0x34, 1), (0x14, 1)},
    "zicond": {(0x07, 5), (0x07, 7)},
}
_CUSTOM = (0x0B, 0x2B, 0x5B, 0x7B)
_AMO = (0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C)


def word_is_legal(word: int, config: CoreConfig) -> bool:  # noqa: PLR0911 - one an opcode
    """Return whether an instruction of 32 bits is one of the core's, CSR accesses apart.

    Registers are not looked at: an RV32E core may refuse more.

    Raises
    ------
    ValueError
        The low bits say that it is compressed, or longer than 32 bits.
    """
    if word & 3 != 3 or word & 0x1C == 0x1C:
        raise ValueError(f"{word:#010x} is not an instruction of 32 bits")
    opcode, funct3, funct7, rs2 = word & 0x7F, word >> 12 & 7, word >> 25, word >> 20 & 31
    if opcode in _CUSTOM:
        return config.custom != "none"
    allowed = {0x67: (0,), 0x63: (0, 1, 4, 5, 6, 7), 0x03: (0, 1, 2, 4, 5), 0x23: (0, 1, 2), 0x0F: (0, 1)}
    if opcode in (0x37, 0x17, 0x6F):
        return True
    if opcode in allowed:
        return funct3 in allowed[opcode]
    if opcode == 0x13:
        return _immediate(funct7, funct3, rs2, config)
    if opcode == 0x33:
        if config.zbb and (funct7, funct3, rs2) == (0x04, 4, 0):
            return True
        return any(
            (funct7, funct3) in codes and (name == "i" or getattr(config, name))
            for name, codes in _REGISTER.items()
        )
    if opcode == 0x2F:
        return config.a and funct3 == 2 and funct7 >> 2 in _AMO and (funct7 >> 2 != 2 or rs2 == 0)
    if opcode == 0x73:
        return word in (0x73, 0x0010_0073, 0x3020_0073, 0x1050_0073) or funct3 not in (0, 4)
    return False


def _immediate(funct7: int, funct3: int, rs2: int, config: CoreConfig) -> bool:
    if funct3 not in (1, 5):
        return True
    plain = (0x00,) if funct3 == 1 else (0x00, 0x20)
    single_bit = (0x24, 0x34, 0x14) if funct3 == 1 else (0x24,)
    if funct7 in plain or (config.zbs and funct7 in single_bit):
        return True
    if not config.zbb:
        return False
    if funct3 == 1:
        return funct7 == 0x30 and rs2 in (0, 1, 2, 4, 5)
    return funct7 == 0x30 or (funct7, rs2) in ((0x14, 7), (0x34, 24))


def half_is_legal(half: int, config: CoreConfig) -> bool:
    """Return whether a compressed instruction is one of the core's; hints are.

    Raises
    ------
    ValueError
        The low bits say that it is not compressed.
    """
    if half & 3 == 3:
        raise ValueError(f"{half:#06x} is not compressed")
    return (_quadrant_0, _quadrant_1, _quadrant_2)[half & 3](half, config)


def _quadrant_0(half: int, config: CoreConfig) -> bool:
    funct3 = half >> 13
    if funct3 == 0:
        return half >> 5 & 0xFF != 0
    if funct3 == 4:
        kind = half >> 10 & 7
        return config.zcb and (kind in (0, 1, 2) or (kind == 3 and not half >> 6 & 1))
    return funct3 in (2, 6)


def _quadrant_1(half: int, config: CoreConfig) -> bool:  # noqa: PLR0911 - one a format
    funct3, high = half >> 13, half >> 12 & 1
    if funct3 == 3:
        return bool(high or half >> 2 & 31)
    if funct3 != 4:
        return True
    kind = half >> 10 & 3
    if kind < 2:
        return not high
    if kind == 2 or not high:
        return True
    if half >> 5 & 3 == 2:
        return config.zcb and config.m
    if half >> 5 & 3 == 3:
        unary = half >> 2 & 7
        return config.zcb and (unary in (0, 5) or (unary in (1, 2, 3) and config.zbb))
    return False


def _quadrant_2(half: int, config: CoreConfig) -> bool:
    funct3, high, rd, rs2 = half >> 13, half >> 12 & 1, half >> 7 & 31, half >> 2 & 31
    if funct3 == 0:
        return not high
    if funct3 == 2:
        return rd != 0
    if funct3 == 4:
        return bool(high or rs2 or rd)
    return funct3 == 6

"""Say what RISC-V instructions are: RV32IMAC, Zicsr, Zifencei, Zba, Zbb, Zbs, Zcb, Zicond, custom.

The words are those of ``objdump -d -M no-aliases``, with branch targets as
bare hexadecimal numbers.

Source: The RISC-V Instruction Set Manual, volumes I and II (20240411); Zc 1.0;
Zicond 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flow.isa.compressed import compressed

__all__ = ["CSR_NAMES", "REGISTERS", "Instruction", "disassemble"]

#: Names of the integer registers by the calling convention.
REGISTERS = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip

#: Names of CSRs by address.
CSR_NAMES = {
    0x001: "fflags", 0x002: "frm", 0x003: "fcsr",
    0x300: "mstatus", 0x301: "misa", 0x302: "medeleg", 0x303: "mideleg", 0x304: "mie", 0x305: "mtvec",
    0x306: "mcounteren", 0x30A: "menvcfg", 0x310: "mstatush", 0x31A: "menvcfgh", 0x320: "mcountinhibit",
    0x340: "mscratch", 0x341: "mepc", 0x342: "mcause", 0x343: "mtval", 0x344: "mip",
    0x7A0: "tselect", 0x7A1: "tdata1", 0x7A2: "tdata2", 0x7A3: "tdata3", 0x7A4: "tinfo",
    0x7B0: "dcsr", 0x7B1: "dpc", 0x7B2: "dscratch0", 0x7B3: "dscratch1",
    0xB00: "mcycle", 0xB02: "minstret", 0xB80: "mcycleh", 0xB82: "minstreth",
    0xC00: "cycle", 0xC01: "time", 0xC02: "instret", 0xC80: "cycleh", 0xC81: "timeh", 0xC82: "instreth",
    0xF11: "mvendorid", 0xF12: "marchid", 0xF13: "mimpid", 0xF14: "mhartid", 0xF15: "mconfigptr",
    **{0x3A0 + n: f"pmpcfg{n}" for n in range(16)},
    **{0x3B0 + n: f"pmpaddr{n}" for n in range(64)},
    **{0x323 + n: f"mhpmevent{n + 3}" for n in range(29)},
    **{0xB03 + n: f"mhpmcounter{n + 3}" for n in range(29)},
    **{0xB83 + n: f"mhpmcounter{n + 3}h" for n in range(29)},
    **{0xC03 + n: f"hpmcounter{n + 3}" for n in range(29)},
    **{0xC83 + n: f"hpmcounter{n + 3}h" for n in range(29)},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes
    ----------
    mnemonic, operands
        As ``objdump`` writes them without aliases.
    extension
        What a core needs for it, in lower case (``i``, ``m``, ``zbb``, ...);
        empty for what is no instruction that is known here.
    size
        Bytes, 2 or 4.
    """

    mnemonic: str
    operands: str
    extension: str
    size: int

    def __str__(self) -> str:
        return f"{self.mnemonic:<8} {self.operands}".rstrip()


def _sign(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


# Major opcodes with funct3, or funct3 and funct7, that decide alone.
_LOADS = {0: "lb", 1: "lh", 2: "lw", 4: "lbu", 5: "lhu"}
_STORES = {0: "sb", 1: "sh", 2: "sw"}
_BRANCHES = {0: "beq", 1: "bne", 4: "blt", 5: "bge", 6: "bltu", 7: "bgeu"}
_IMMEDIATE = {0: "addi", 2: "slti", 3: "sltiu", 4: "xori", 6: "ori", 7: "andi"}
_SHIFTS = {
    (1, 0x00): ("slli", "i"), (5, 0x00): ("srli", "i"), (5, 0x20): ("srai", "i"), (5, 0x30): ("rori", "zbb"),
    (1, 0x24): ("bclri", "zbs"), (5, 0x24): ("bexti", "zbs"), (1, 0x34): ("binvi", "zbs"),
    (1, 0x14): ("bseti", "zbs"),
}  # fmt: skip
_UNARY = {0x600: "clz", 0x601: "ctz", 0x602: "cpop", 0x604: "sext.b", 0x605: "sext.h"}
_REGISTER = {
    (0, 0x00): ("add", "i"), (0, 0x20): ("sub", "i"), (1, 0x00): ("sll", "i"), (2, 0x00): ("slt", "i"),
    (3, 0x00): ("sltu", "i"), (4, 0x00): ("xor", "i"), (5, 0x00): ("srl", "i"), (5, 0x20): ("sra", "i"),
    (6, 0x00): ("or", "i"), (7, 0x00): ("and", "i"),
    **{(n, 0x01): (name, "m") for n, name in enumerate(
        ("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"))},
    (2, 0x10): ("sh1add", "zba"), (4, 0x10): ("sh2add", "zba"), (6, 0x10): ("sh3add", "zba"),
    (7, 0x20): ("andn", "zbb"), (6, 0x20): ("orn", "zbb"), (4, 0x20): ("xnor", "zbb"),
    (4, 0x05): ("min", "zbb"), (5, 0x05): ("minu", "zbb"), (6, 0x05): ("max", "zbb"),
    (7, 0x05): ("maxu", "zbb"), (1, 0x30): ("rol", "zbb"), (5, 0x30): ("ror", "zbb"),
    (1, 0x24): ("bclr", "zbs"), (5, 0x24): ("bext", "zbs"), (1, 0x34): ("binv", "zbs"),
    (1, 0x14): ("bset", "zbs"), (5, 0x07): ("czero.eqz", "zicond"), (7, 0x07): ("czero.nez", "zicond"),
}  # fmt: skip
_ATOMIC = {
    0x00: "amoadd", 0x01: "amoswap", 0x02: "lr", 0x03: "sc", 0x04: "amoxor", 0x08: "amoor", 0x0C: "amoand",
    0x10: "amomin", 0x14: "amomax", 0x18: "amominu", 0x1C: "amomaxu",
}  # fmt: skip
_CSR = {1: "csrrw", 2: "csrrs", 3: "csrrc", 5: "csrrwi", 6: "csrrsi", 7: "csrrci"}
_WHOLE = {
    0x0000_0073: ("ecall", "i"), 0x0010_0073: ("ebreak", "i"), 0x3020_0073: ("mret", "i"),
    0x1050_0073: ("wfi", "i"), 0x1020_0073: ("sret", "s"), 0x7B20_0073: ("dret", "sdext"),
}  # fmt: skip
#: Opcodes of extensions that no core of the family has, so that a message can name them.
_FOREIGN = {
    0x07: "f", 0x27: "f", 0x43: "f", 0x47: "f", 0x4B: "f", 0x4F: "f", 0x53: "f", 0x57: "v", 0x1B: "rv64",
    0x3B: "rv64",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def disassemble(word: int, pc: int = 0) -> Instruction:
    """Return what the instruction at `pc` is.

    Parameters
    ----------
    word
        Its bits; for one of 16 bits, the upper half does not matter.
    pc
        Its address, for the targets of branches.
    """
    if word & 3 != 3:
        name, operands, extension = compressed(word & 0xFFFF, pc, REGISTERS)
        return Instruction(name, operands, extension, 2)
    name, operands, extension = _decode(word, pc) or (".4byte", f"{word:#x}", _FOREIGN.get(word & 0x7F, ""))
    return Instruction(name, operands, extension, 4)


def _decode(w: int, pc: int) -> tuple[str, str, str] | None:  # noqa: PLR0911 - one for each opcode
    opcode, f3 = w & 0x7F, w >> 12 & 7
    rd, rs1, rs2 = (REGISTERS[w >> at & 31] for at in (7, 15, 20))
    immediate = _sign(w >> 20, 12)
    upper = w >> 12
    if opcode in (0x37, 0x17):
        return ("lui" if opcode == 0x37 else "auipc"), f"{rd},{upper:#x}", "i"
    if opcode == 0x6F:
        raw = (upper & 0xFF) << 12 | (w >> 20 & 1) << 11 | (w >> 21 & 0x3FF) << 1 | (w >> 31) << 20
        return "jal", f"{rd},{_target(pc, _sign(raw, 21))}", "i"
    if opcode == 0x67:
        return ("jalr", f"{rd},{immediate}({rs1})", "i") if f3 == 0 else None
    if opcode == 0x63:
        raw = (w >> 8 & 15) << 1 | (w >> 25 & 63) << 5 | (w >> 7 & 1) << 11 | (w >> 31) << 12
        return _named(_BRANCHES.get(f3), f"{rs1},{rs2},{_target(pc, _sign(raw, 13))}", "i")
    if opcode == 0x03:
        return _named(_LOADS.get(f3), f"{rd},{immediate}({rs1})", "i")
    if opcode == 0x23:
        offset = _sign(w >> 25 << 5 | w >> 7 & 31, 12)
        return _named(_STORES.get(f3), f"{rs2},{offset}({rs1})", "i")
    if opcode == 0x13:
        return _immediate(w, f3, rd, rs1)
    if opcode == 0x33:
        return _register(w, f3, rd, rs1, rs2)
    if opcode == 0x0F:
        return _fence(w, f3)
    if opcode == 0x2F:
        return _atomic(w, f3, rd, rs1, rs2)
    if opcode == 0x73:
        return _system(w, f3, rd, rs1)
    if opcode in (0x0B, 0x2B, 0x5B, 0x7B):
        number = (0x0B, 0x2B, 0x5B, 0x7B).index(opcode)
        return f"custom{number}", f"{w >> 25:#x},{f3},{rd},{rs1},{rs2}", "custom"
    return None


def _named(name: str | None, operands: str, extension: str) -> tuple[str, str, str] | None:
    return None if name is None else (name, operands, extension)


def _target(pc: int, offset: int) -> str:
    return f"{pc + offset & 0xFFFF_FFFF:x}"


def _immediate(w: int, f3: int, rd: str, rs1: str) -> tuple[str, str, str] | None:
    if f3 in _IMMEDIATE:
        return _IMMEDIATE[f3], f"{rd},{rs1},{_sign(w >> 20, 12)}", "i"
    if f3 == 1 and w >> 20 in _UNARY:
        return _UNARY[w >> 20], f"{rd},{rs1}", "zbb"
    if f3 == 5 and w >> 20 in (0x287, 0x698):
        return ("orc.b" if w >> 20 == 0x287 else "rev8"), f"{rd},{rs1}", "zbb"
    found = _SHIFTS.get((f3, w >> 25))
    return None if found is None else (found[0], f"{rd},{rs1},{w >> 20 & 31:#x}", found[1])


def _register(w: int, f3: int, rd: str, rs1: str, rs2: str) -> tuple[str, str, str] | None:
    if f3 == 4 and w >> 20 == 0x080:
        return "zext.h", f"{rd},{rs1}", "zbb"
    found = _REGISTER.get((f3, w >> 25))
    return None if found is None else (found[0], f"{rd},{rs1},{rs2}", found[1])


def _fence(w: int, f3: int) -> tuple[str, str, str] | None:
    if f3 == 1:
        return "fence.i", "", "zifencei"
    if f3:
        return None
    if w >> 20 == 0x833:
        return "fence.tso", "", "i"
    sets = [
        "".join(c for i, c in enumerate("iorw") if bits >> 3 - i & 1) for bits in (w >> 24 & 15, w >> 20 & 15)
    ]
    return "fence", ",".join(s or "unknown" for s in sets), "i"


def _atomic(w: int, f3: int, rd: str, rs1: str, rs2: str) -> tuple[str, str, str] | None:
    name = _ATOMIC.get(w >> 27)
    if f3 != 2 or name is None or (name == "lr" and w >> 20 & 31):
        return None
    order = (".rl" if w >> 25 & 1 else "") if not w >> 26 & 1 else ".aqrl" if w >> 25 & 1 else ".aq"
    value = "" if name == "lr" else f"{rs2},"
    return f"{name}.w{order}", f"{rd},{value}({rs1})", "a"


def _system(w: int, f3: int, rd: str, rs1: str) -> tuple[str, str, str] | None:
    if w in _WHOLE:
        return _WHOLE[w][0], "", _WHOLE[w][1]
    if f3 not in _CSR:
        return None
    name = CSR_NAMES.get(w >> 20, f"{w >> 20:#x}")
    source = str(w >> 15 & 31) if f3 & 4 else rs1
    return _CSR[f3], f"{rd},{name},{source}", "zicsr"

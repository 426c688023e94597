"""Every halfword, against binutils' disassembler; Zcb against a table of its own."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.expander import Expander

OBJDUMP = "riscv64-unknown-elf-objdump"
HALFWORDS = [x for x in range(1 << 16) if x & 3 != 3]

# What a compressed instruction is an abbreviation of, with its operands in objdump's order.
MEANING = {
    "addi": lambda rd, imm: f"addi {rd},{rd},{imm}",
    "addi4spn": lambda rd, sp, imm: f"addi {rd},{sp},{imm}",
    "addi16sp": lambda rd, imm: f"addi {rd},{rd},{imm}",
    "li": lambda rd, imm: f"addi {rd},zero,{imm}",
    "lui": lambda rd, imm: f"lui {rd},{imm}",
    "slli": lambda rd, n: f"slli {rd},{rd},{n}",
    "srli": lambda rd, n: f"srli {rd},{rd},{n}",
    "srai": lambda rd, n: f"srai {rd},{rd},{n}",
    "slli64": lambda rd: f"slli {rd},{rd},0x0",
    "srli64": lambda rd: f"srli {rd},{rd},0x0",
    "srai64": lambda rd: f"srai {rd},{rd},0x0",
    "andi": lambda rd, imm: f"andi {rd},{rd},{imm}",
    "mv": lambda rd, rs: f"add {rd},zero,{rs}",
    "jr": lambda rs: f"jalr zero,0({rs})",
    "jalr": lambda rs: f"jalr ra,0({rs})",
    "ebreak": lambda: "ebreak",
    "j": lambda to: f"jal zero,{to}",
    "jal": lambda to: f"jal ra,{to}",
    "beqz": lambda rs, to: f"beq {rs},zero,{to}",
    "bnez": lambda rs, to: f"bne {rs},zero,{to}",
    "lw": lambda rd, at: f"lw {rd},{at}",
    "lwsp": lambda rd, at: f"lw {rd},{at}",
    "sw": lambda rs, at: f"sw {rs},{at}",
    "swsp": lambda rs, at: f"sw {rs},{at}",
} | {x: lambda rd, rs, op=x: f"{op} {rd},{rd},{rs}" for x in ("add", "sub", "xor", "or", "and")}
RELATIVE = ("beq ", "bne ", "jal ")


def disassemble(tmp_path: Path, codes: list[bytes]) -> list[str]:
    """Return the text of each instruction; targets relative to it."""
    path = tmp_path / "code.bin"
    path.write_bytes(b"".join(codes))
    command = [OBJDUMP, "-D", "-b", "binary", "-m", "riscv:rv32", "-M", "no-aliases", str(path)]
    found = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        parts = line.split("\t")
        if len(parts) < 3:
            continue
        operands = parts[3].split(" ")[0] if len(parts) > 3 else ""
        text = f"{parts[2].strip()} {operands}".strip()
        if text.removeprefix("c.").split(" ")[0] in ("j", "jal", "beqz", "bnez", "beq", "bne"):
            head, _, target = text.replace(" ", ",").rpartition(",")
            text = f"{head},{int(target, 16) - int(parts[0].strip(' :'), 16)}".replace(",", " ", 1)
        found.append(text)
    return found


def expand(config: CoreConfig) -> dict[int, tuple[int, bool, bool]]:
    """Return what the expander makes of every compressed halfword."""
    dut = Expander(config)
    found = {}

    async def bench(ctx):
        for code in HALFWORDS:
            ctx.set(dut.raw, 0xA5C3_0000 | code)
            found[code] = tuple(ctx.get(x) for x in (dut.instruction, dut.illegal, dut.compressed))
        ctx.set(dut.raw, 0xA5C3_8013)
        assert ctx.get(dut.instruction) == 0xA5C3_8013
        assert not ctx.get(dut.compressed)
        assert not ctx.get(dut.illegal)

    sim = Simulator(dut)
    sim.add_testbench(bench)
    sim.run()
    return found


def zcb(code: int) -> str | None:
    """Return the meaning of an instruction of Zcb, from its tables in the specification."""
    names = ["s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5"]
    low, base = names[code >> 2 & 7], names[code >> 7 & 7]
    if code & 3 == 0 and code >> 13 == 0b100:
        byte, half = (code >> 6 & 1) | (code >> 5 & 1) << 1, (code >> 5 & 1) << 1
        bit6 = code >> 6 & 1
        table = {
            0: f"lbu {low},{byte}({base})",
            1: f"{'lh' if bit6 else 'lhu'} {low},{half}({base})",
            2: f"sb {low},{byte}({base})",
            3: None if bit6 else f"sh {low},{half}({base})",
        }
        return table.get(code >> 10 & 7)
    if code & 0xFC63 == 0x9C41:
        return f"mul {base},{base},{low}"
    if code & 0xFC63 == 0x9C61:
        table = {
            0: f"andi {base},{base},255",
            1: f"sext.b {base},{base}",
            2: f"zext.h {base},{base}",
            3: f"sext.h {base},{base}",
            5: f"xori {base},{base},-1",
        }
        return table.get(code >> 2 & 7)
    return None


def expected(code: int, text: str) -> str | None:
    """Return the 32-bit meaning, or None for what RV32C refuses."""
    mnemonic, _, operands = text.partition(" ")
    name = mnemonic.removeprefix("c.")
    if not mnemonic.startswith("c.") or name not in MEANING:
        return None
    values = operands.split(",") if operands else []
    if name in ("slli", "srli", "srai") and int(values[1], 16) > 31:
        return None  # shifts of 32 and more are RV64's
    if name == "addi16sp" and values[1] == "0":
        return None
    return MEANING[name](*values)


@pytest.mark.parametrize("extra", [pytest.param(False, marks=pytest.mark.nightly), True])
def test_every_compressed_instruction_is_expanded_as_binutils_reads_it(tmp_path, extra):
    if shutil.which(OBJDUMP) is None:
        pytest.skip("needs objdump for RISC-V: apt-get install binutils-riscv64-unknown-elf")
    found = expand(CoreConfig(zcb=extra, zbb=extra))
    before = disassemble(tmp_path, [struct.pack("<H", x) for x in HALFWORDS])
    after = disassemble(tmp_path, [struct.pack("<I", found[x][0]) for x in HALFWORDS])
    assert len(before) == len(HALFWORDS)
    wrong = []
    legal = 0
    # A 16-bit word that was refused does not disassemble as one instruction of 32 bits.
    position = 0
    for code, text in zip(HALFWORDS, before, strict=True):
        instruction, illegal, compressed = found[code]
        assert compressed
        want = expected(code, text) or (zcb(code) if extra else None)
        if illegal:
            position += 2
            if want is not None or instruction != code:
                wrong.append((hex(code), text, hex(instruction)))
            continue
        got = after[position]
        position += 1
        legal += 1
        if want is None or (got != want and not _unknown(instruction, want)):
            wrong.append((hex(code), text, got, want))
    assert not wrong, wrong[:10]
    assert legal > 24_000


def _unknown(instruction: int, want: str) -> bool:
    """Whether it is the code of a bit-manipulation instruction that objdump does not know."""
    rd = instruction >> 7 & 31
    codes = {"sext.b": 0x6040_1013, "sext.h": 0x6050_1013, "zext.h": 0x0800_4033}
    return instruction == codes.get(want.split(" ", maxsplit=1)[0], 0) | rd << 7 | rd << 15


def test_registers_that_rv32e_lacks_are_refused():
    found = expand(CoreConfig(e=True))
    assert found[0x4501][1] == 0  # c.li a0, 0
    assert found[0x4801][1] == 1  # c.li a6, 0
    assert found[0x8842][1] == 1  # c.mv a6, a6
    assert found[0x8542][1] == 1  # c.mv a0, a6
    assert found[0xC042][1] == 1  # c.swsp a6, 0(sp)
    assert found[0x9802][1] == 1  # c.jalr a6

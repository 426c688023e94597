"""The Python model of RV32: what it decodes, how it traps, and that it runs whole programs."""

import pytest

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr
from verif.envs.riscv.platform import Platform, Shadow, is_device
from verif.envs.riscv.program import random_program, smoke_program
from verif.lockstep.encoding import extensions
from verif.models.riscv import Hart, Observation, decode

CONFIGS = {
    "nano": CoreConfig.preset("nano"),
    "nano_e": CoreConfig.preset("nano", e=True, local_interrupts=4),
    "small": CoreConfig.preset("small", zba=True, zbb=True, zbs=True, zcb=True, zicond=True, user_mode=True),
    "fast": CoreConfig.preset("fast", a=True),
}


def start(config, segments):
    platform = Platform()
    for address, content in segments:
        platform.memory.load(address, content)
    shadow = Shadow(platform)
    return Hart(config, shadow, is_device), shadow


def words(*values):
    return ((0x8000_0000, b"".join(value.to_bytes(4, "little") for value in values)),)


@pytest.mark.parametrize(
    ("word", "expected"),
    (
        (0x00A5_8533, ("add", 10, 11, 10, 0)),
        (0xFFF5_8593, ("addi", 11, 11, 0, -1)),
        (0xFE10_2E23, ("sw", 0, 0, 1, -4)),
        (0xFE00_0EE3, ("beq", 0, 0, 0, -4)),
        (0x8000_00EF, ("jal", 1, 0, 0, -0x10_0000)),
        (0x4130_5513, ("srai", 10, 0, 0, 19)),
        (0x1141, ("addi", 2, 2, 0, -16)),  # c.addi sp, -16
        (0x7139, ("addi", 2, 2, 0, -64)),  # c.addi16sp
        (0x0808, ("addi", 10, 2, 0, 16)),  # c.addi4spn
        (0xC606, ("sw", 0, 2, 1, 12)),  # c.swsp
        (0x40B2, ("lw", 1, 2, 0, 12)),  # c.lwsp
        (0x41C8, ("lw", 10, 11, 0, 4)),  # c.lw
        (0x8082, ("jalr", 0, 1, 0, 0)),  # c.jr ra
        (0x9582, ("jalr", 1, 11, 0, 0)),  # c.jalr
        (0x852E, ("add", 10, 0, 11, 0)),  # c.mv
        (0x7505, ("lui", 10, 0, 0, -0x1F000)),  # c.lui
        (0xBFFD, ("jal", 0, 0, 0, -2)),  # c.j
        (0xFD75, ("bne", 0, 10, 0, -4)),  # c.bnez
        (0x8121, ("srli", 10, 10, 0, 8)),
        (0x9D61, ("andi", 10, 10, 0, 0xFF)),  # c.zext.b
        (0x9D75, ("xori", 10, 10, 0, -1)),  # c.not
    ),
)
def test_decode(word, expected):
    operation = decode(word, extensions(CONFIGS["small"]))
    got = (operation.name, operation.rd, operation.rs1, operation.rs2, operation.immediate)
    assert got == expected


@pytest.mark.parametrize("word", (0x0000, 0x6101, 0x4002, 0x8002, 0x9C01, 0xFFFF_FFFF, 0x0200_1033 | 1 << 31))
def test_illegal_words(word):
    assert decode(word, extensions(CONFIGS["small"])) is None


def test_multiply_is_illegal_without_m():
    assert decode(0x02B5_0533, extensions(CONFIGS["nano"])) is None
    assert decode(0x02B5_0533, extensions(CONFIGS["small"])).name == "mul"


@pytest.mark.parametrize(
    ("word", "cause", "value"),
    (
        (0x0000_0073, 11, 0),  # ecall
        (0x0010_0073, 3, 0x8000_0000),  # ebreak
        (0xFFFF_FFFF, 2, 0xFFFF_FFFF),
        (0x0000_4501, 2, 0x4501),  # compressed, in a core without
        (0x0010_2083, 4, 1),  # lw x1, 1(x0)
        (0x0010_2223 | 1 << 7, 6, 5),  # sw x1, 5(x0)
        (0x0000_2083, 5, 0),
        (0x0000_2023, 7, 0),
        (0x0020_006F, 0, 0x8000_0002),  # jal to the middle of a word
        (0x3000_1073 | 0x7FF << 20, 2, 0x3000_1073 | 0x7FF << 20),  # a CSR that is not there
    ),
)
def test_exceptions(word, cause, value):
    hart, _ = start(CONFIGS["nano"], words(word))
    hart.csrs.values[Csr.MTVEC] = 0x8000_0100
    result = hart.step(Observation())
    assert result.trap
    assert (hart.csrs.values[Csr.MCAUSE], hart.csrs.values[Csr.MTVAL]) == (cause, value)
    assert (hart.csrs.values[Csr.MEPC], result.next_pc) == (0x8000_0000, 0x8000_0100)


def test_interrupt_must_be_enabled():
    hart, _ = start(CONFIGS["nano"], words(0x13))
    with pytest.raises(ValueError, match="interrupt 7 was taken at 0x80000000, but is not enabled"):
        hart.step(Observation(interrupt=7))


def test_vectored_interrupt():
    hart, _ = start(CONFIGS["nano"], words(*[0x13] * 8))
    hart.csrs.write(Csr.MTVEC, 0x8000_0001)
    hart.csrs.write(Csr.MIE, 1 << 7)
    hart.csrs.write(Csr.MSTATUS, 8)
    result = hart.step(Observation(interrupt=7))
    assert result.pc == 0x8000_001C
    assert hart.csrs.values[Csr.MCAUSE] == 0x8000_0007
    assert hart.csrs.values[Csr.MSTATUS] == 0x1880


def test_what_the_model_lacks():
    with pytest.raises(ValueError, match="neither pmp_regions nor custom"):
        start(CoreConfig.preset("small", pmp_regions=4, user_mode=True), ())


def test_smoke_program_sorts():
    hart, shadow = start(CONFIGS["nano"], smoke_program(CONFIGS["nano"], elements=12).segments)
    while shadow.exit_code is None:
        assert not hart.step(Observation()).trap
    array = [shadow.read(0x8001_0000 + 4 * number)[0] for number in range(12)]
    assert array == sorted(array)
    assert len(set(array)) == 12


def test_smoke_program_begins_at_its_place():
    with pytest.raises(ValueError, match="begins at 0x80000000, not at reset_vector 0x100"):
        smoke_program(CoreConfig.preset("nano", reset_vector=0x100))


@pytest.mark.parametrize("name", CONFIGS)
def test_random_programs_end(name):
    config = CONFIGS[name]
    hart, shadow = start(config, random_program(config, 5, 600, 1500).segments)
    traps = 0
    for _ in range(60_000):
        traps += hart.step(Observation()).trap
        if shadow.exit_code is not None:
            break
    assert shadow.exit_code == 0
    assert traps

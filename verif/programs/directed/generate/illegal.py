"""Words that are no instruction of the core: each must trap, with its bits in mtval."""

from collections.abc import Iterator

from rtl.riscv.config import CoreConfig
from verif.programs.directed.encoding import half_is_legal, word_is_legal
from verif.programs.directed.generate.writer import Writer

__all__ = ["halves", "words"]

_OPCODES = tuple(n << 2 | 3 for n in range(32) if n & 7 != 7)
_SLOT = (
    "sh x9, 0(x15)",
    "expect_at caught",
    "fence.i",
    "jr x15",
    "caught:",
    "check a0, CAUSE_ILLEGAL",
    "bne a1, x15, fail",
    "bne a2, x9, fail",
)


def _candidates() -> Iterator[int]:
    fields = 0x0051_0500  # rs2 5, rs1 2, rd 10
    for opcode in _OPCODES:
        for funct3 in range(8):
            for funct7 in (0x00, 0x01, 0x05, 0x20, 0x30, 0x7F):
                yield funct7 << 25 | fields | funct3 << 12 | opcode
    for funct7 in range(128):
        for funct3 in range(8):
            yield funct7 << 25 | fields | funct3 << 12 | 0x33
        for funct3 in (1, 5):
            for rs2 in (0, 3, 6, 7, 24, 31):
                yield funct7 << 25 | rs2 << 20 | 0x0001_0500 | funct3 << 12 | 0x13
    for immediate in (*range(0, 64), *range(0x100, 0x110), *range(0x300, 0x310), 0x7B2, 0x7B3, 0xFFF):
        yield immediate << 20 | 0x73
    yield from (0x0000_00F3, 0x0000_8073, 0x0010_8073, 0x0010_00F3, 0x3020_8073, 0x3020_00F3, 0x1050_0173)
    for funct5 in range(32):
        yield funct5 << 27 | 0x0015_25AF  # rs2 1: no LR either
        yield funct5 << 27 | 0x0015_35AF  # 64 bits


def words(config: CoreConfig) -> str:
    """Return the test of illegal instructions of 32 bits."""
    writer = Writer(config, seed=9)
    table = sorted({word for word in _candidates() if not word_is_legal(word, config)})
    writer.data("slot: .space 16", "table:", *(f"        .4byte {word:#x}" for word in table), "table_end:")
    _sweep(writer, "4", ("lw x9, 0(x14)", "srli x8, x9, 16", "sh x8, 2(x15)"))
    return writer.text()


def halves(config: CoreConfig) -> str:
    """Return the test of illegal compressed instructions."""
    writer = Writer(config, seed=10)
    illegal = [half for half in range(1 << 16) if half & 3 != 3 and not half_is_legal(half, config)]
    # Of those that are F and D, some.
    floating = [half for half in illegal if half >> 13 & 1 and half & 3 != 1]
    others = [half for half in illegal if not (half >> 13 & 1 and half & 3 != 1)]
    table = sorted({*writer.random.sample(floating, 128), *others[:: max(1, len(others) // 1500)]})
    writer.data("slot: .space 16", "table:", *(f"        .2byte {half:#x}" for half in table), "table_end:")
    _sweep(writer, "2", ("lhu x9, 0(x14)",))
    return writer.text()


def _sweep(writer: Writer, size: str, fetch: tuple[str, ...]) -> None:
    """Run every entry of the table in the slot; gp counts them, from 1."""
    # After the slot a jump to fail, as far as it may be: through a register.
    writer.emit("load_value x15, slot", "load_value x5, trailer", "li x8, 4")
    for n in range(0, 8, 4):
        writer.emit(f"lw x6, {n}(x5)", f"sw x6, {n + int(size)}(x15)")
    writer.emit("load_value x14, table", "j loop", ".balign 4")
    writer.emit("trailer: lui x7, %hi(fail)", "jalr x0, %lo(fail)(x7)", "loop: addi gp, gp, 1")
    # The handler uses a0 to a3 and s0.
    writer.emit(*fetch, *_SLOT)
    writer.emit("load_value x5, table_end", f"addi x14, x14, {size}", "bltu x14, x5, loop")

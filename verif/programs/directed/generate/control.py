"""Branches, jumps, calls: conditions, shadows, links, loops, and what predictors must repair."""

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import CORNERS, Writer
from verif.programs.directed.reference import BRANCHES, MASK

__all__ = ["branches", "calls", "predictor"]


def branches(config: CoreConfig) -> str:
    """Return the test of conditional branches: each condition, taken and not, and its shadow."""
    writer = Writer(config, seed=6)
    writer.data("buffer: .space 64")
    pairs = [(a, b) for a in CORNERS for b in CORNERS]
    for name, taken in BRANCHES.items():
        for a, b in pairs:
            _branch(writer, name, a, b, taken=taken(a, b))
        for a in CORNERS[:6]:
            for rs1, rs2, x, y in ((5, 0, a, 0), (0, 5, 0, a), (5, 5, a, a)):
                number = writer.test(f"{name} x{rs1}, x{rs2} of {a:#x}")
                writer.load(5, a)
                writer.emit(f"{name} x{rs1}, x{rs2}, 1f")
                writer.emit("j fail" if taken(x, y) else f"j done_{number}", "1:")
                writer.emit("nop" if taken(x, y) else "j fail", f"done_{number}:")
        _backwards(writer, name)
    return writer.text()


# What stands where a taken branch must not let it happen: its effect would be seen.
_SHADOWS = (
    "addi x{0}, x{0}, 1",
    "sw x0, 0(x{1})",
    "lw x{0}, 0(x{1})",
    "csrw mtval, x0",
    "sb x{0}, 3(x{1})",
    "jal x{0}, fail",
    "ecall",
    ".4byte 0",
    "lw x{0}, 1(x{1})",
)


def _branch(writer: Writer, name: str, a: int, b: int, *, taken: bool) -> None:
    rs1, rs2, seen, base = writer.pick(4)
    number = writer.test(f"{name} {a:#x}, {b:#x}")
    writer.load(seen, 1000)
    writer.emit(f"load_value x{base}, buffer", f"sw x{seen}, 0(x{base})", f"csrw mtval, x{seen}")
    for rs, value in writer.random.sample([(rs1, a), (rs2, b)], 2):
        writer.load(rs, value)
    writer.gap(writer.random.choice((0, 0, 1, 2)), avoid=(rs1, rs2, seen, base))
    writer.emit(f"{name} x{rs1}, x{rs2}, to_{number}")
    if taken:
        shadows = writer.random.sample(_SHADOWS, 2)
        writer.emit(*(shadow.format(seen, base) for shadow in shadows), "j fail", f"to_{number}:")
    else:
        writer.emit(f"addi x{seen}, x{seen}, 1", f"j on_{number}", f"to_{number}:", "j fail")
        writer.emit(f"on_{number}:", f"addi x{seen}, x{seen}, -1")
    writer.check(seen, 1000)
    writer.emit(f"lw x{seen}, 0(x{base})")
    writer.check(seen, 1000)
    writer.emit(f"csrr x{seen}, mtval")
    writer.check(seen, 1000)


def _backwards(writer: Writer, name: str) -> None:
    operands = {"beq": (7, 7), "bne": (7, 8), "blt": (-8, 7), "bge": (7, -8), "bltu": (7, 8), "bgeu": (8, 7)}
    for distance in (0, 1, 2, 5, 100):
        number = writer.test(f"{name} backwards over {distance}")
        writer.load(5, operands[name][0])
        writer.load(6, operands[name][1])
        writer.emit(f"j over_{number}", f"back_{number}: j on_{number}", *["j fail"] * distance)
        writer.emit(f"over_{number}: {name} x5, x6, back_{number}", "j fail", f"on_{number}:")
    number = writer.test(f"{name} as far as it goes")
    writer.emit(f"j near_{number}", f"far_{number}: j on_{number}", ".space 4080")
    # 4096 bytes back is the end of the range.
    writer.emit(f"near_{number}: nop", f"nop\n        nop\n        {name} x5, x6, far_{number}", "j fail")
    writer.emit(f"on_{number}:")


def calls(config: CoreConfig) -> str:
    """Return the test of JAL and JALR: targets, links, hazards on them, and calls of every shape."""
    writer = Writer(config, seed=7)
    for rd in [0, *writer.registers]:
        number = writer.test(f"jal x{rd}")
        writer.emit(f"jal x{rd}, to_{number}", f"link_{number}: j fail", f"to_{number}:")
        if rd:
            writer.emit(f"load_value x4, link_{number}", f"bne x{rd}, x4, fail")
    for distance in range(4):
        for offset in (0, 4, -4, 2047, -2048):
            _jalr(writer, distance, offset)
    number = writer.test("jalr clears the lowest bit")
    writer.emit(f"load_value x5, to_{number} + 1", "jalr x6, 0(x5)", "j fail", f"to_{number}:")
    number = writer.test("also when the offset sets it")
    writer.emit(f"load_value x5, to_{number} - 8", "jalr x6, 9(x5)", "j fail", f"to_{number}:")
    number = writer.test("jalr from the register that it links")
    writer.emit(f"load_value x5, to_{number}", "jalr x5, 0(x5)", f"link_{number}: j fail", f"to_{number}:")
    writer.emit(f"load_value x4, link_{number}", "bne x5, x4, fail")
    number = writer.test("jalr to x0 keeps x0")
    writer.emit(f"load_value x5, to_{number}", "jalr x0, 0(x5)", "j fail", f"to_{number}: bnez x0, fail")
    # The fillers above may have changed it.
    writer.emit("load_value sp, stack_top")
    _recursion(writer)
    _odd_returns(writer)
    _shadow_of_jumps(writer)
    return writer.text()


def _jalr(writer: Writer, distance: int, offset: int) -> None:
    base, link, seen = writer.pick(3)
    number = writer.test(f"jalr offset {offset}, target {distance} earlier")
    writer.load(seen, 0)
    # The lowest bit of an odd sum is cleared.
    writer.emit(f"load_value x{base}, to_{number} - ({offset})")
    writer.gap(distance, avoid=(base, link, seen))
    writer.emit(f"jalr x{link}, {offset}(x{base})", f"link_{number}: addi x{seen}, x{seen}, 1", "j fail")
    writer.emit(f"to_{number}: load_value x4, link_{number}", f"bne x{link}, x4, fail")
    writer.check(seen, 0)


def _recursion(writer: Writer) -> None:
    for depth in (1, 2, 3, 4, 5, 8, 9, 17, 33):
        number = writer.test(f"calls {depth} deep")
        writer.load(10, depth)
        writer.load(11, 0)
        writer.emit(f"call down_{number}", f"j on_{number}")
        writer.emit(
            f"down_{number}: addi sp, sp, -4", "sw ra, 0(sp)", "addi x11, x11, 1", "addi x10, x10, -1"
        )
        writer.emit(f"beqz x10, up_{number}", f"jal ra, down_{number}", "addi x11, x11, 16")
        writer.emit(f"up_{number}: lw ra, 0(sp)", "addi sp, sp, 4", "ret", f"on_{number}:")
        writer.check(11, depth + 16 * (depth - 1))


def _odd_returns(writer: Writer) -> None:
    """Write calls and returns that mislead a return-address stack: it must only cost time."""
    for repeat in range(3):
        number = writer.test(f"a return that skips an instruction, round {repeat}")
        writer.emit(f"jal ra, sub_{number}", "j fail", f"j on_{number}")
        writer.emit(f"sub_{number}: addi ra, ra, 4", "ret", "j fail", f"on_{number}:")
        number = writer.test("a return two calls up")
        writer.emit(f"jal ra, a_{number}", f"j on_{number}")
        writer.emit(f"a_{number}: mv x9, ra", f"jal ra, b_{number}", "j fail")
        writer.emit(f"b_{number}: jr x9", "j fail", f"on_{number}:")
        number = writer.test("coroutines that swap links")
        writer.load(10, 0)
        writer.emit(f"load_value x5, there_{number}", "jalr ra, 0(x5)")
        writer.emit("addi x10, x10, 1", "jalr x5, 0(x5)", "addi x10, x10, 4", "jalr x5, 0(x5)", "j fail")
        writer.emit(f"there_{number}: mv x5, ra", "jalr x5, 0(x5)", "addi x10, x10, 16")
        writer.emit("jalr x5, 0(x5)", "addi x10, x10, 64", f"j on_{number}", f"on_{number}:")
        writer.check(10, 1 + 4 + 16 + 64)
        number = writer.test("jalr ra, ra pops and pushes")
        writer.emit(f"jal ra, a_{number}", f"j on_{number}", f"a_{number}: mv x9, ra")
        writer.emit(
            f"load_value ra, b_{number}", "jalr ra, 0(ra)", "jr x9", f"b_{number}: ret", f"on_{number}:"
        )
        number = writer.test("a call that never returns, then returns of others")
        writer.emit(f"jal ra, a_{number}", f"a_{number}: jal ra, b_{number}", f"j on_{number}")
        writer.emit(f"b_{number}: ret", f"on_{number}:")
        number = writer.test("a link right before the return that uses it")
        writer.emit(f"load_value x5, a_{number}", "mv ra, x5", "ret", "j fail", f"a_{number}:")
        number = writer.test("a loaded return address")
        writer.emit("addi sp, sp, -4", f"load_value x5, a_{number}", "sw x5, 0(sp)", "lw ra, 0(sp)", "ret")
        writer.emit("j fail", f"a_{number}: addi sp, sp, 4")
    number = writer.test("a function called from two places, alternately")
    writer.load(10, 0)
    writer.load(11, 12)
    writer.emit(f"loop_{number}: jal ra, sub_{number}", "addi x10, x10, 1", f"jal ra, sub_{number}")
    writer.emit("addi x10, x10, 16", "addi x11, x11, -1", f"bnez x11, loop_{number}", f"j on_{number}")
    writer.emit(f"sub_{number}: ret", f"on_{number}:")
    writer.check(10, 12 * 17)


def _shadow_of_jumps(writer: Writer) -> None:
    writer.data("buffer: .space 64")
    for jump in ("j to_{0}", "jal x9, to_{0}", "load_value x9, to_{0}\n        jr x9"):
        for shadow in _SHADOWS:
            number = writer.test(f"{jump} past {shadow}")
            writer.emit("load_value x6, buffer", "li x5, 1000", "sw x5, 0(x6)", "csrw mtval, x5")
            writer.emit(jump.format(number), shadow.format(5, 6), "j fail", f"to_{number}:")
            writer.check(5, 1000)
            writer.emit("lw x7, 0(x6)", "csrr x8, mtval", "bne x7, x5, fail", "bne x8, x5, fail")


def predictor(config: CoreConfig) -> str:
    """Return the test of loops and patterns: whatever is predicted, the sums are right."""
    writer = Writer(config, seed=8)
    for count in (1, 2, 3, 4, 5, 7, 8, 9, 31):
        for inner in (1, 2, 3, 4):
            number = writer.test(f"a loop of {count} around one of {inner}")
            writer.emit("li x5, 0", f"li x6, {count}", f"outer_{number}: li x7, {inner}")
            writer.emit(f"inner_{number}: addi x5, x5, 1", "addi x7, x7, -1", f"bnez x7, inner_{number}")
            writer.emit("addi x6, x6, -1", f"bnez x6, outer_{number}")
            writer.check(5, count * inner)
    for pattern, length in ((0b10, 2), (0b110, 3), (0b1100, 4), (0b11110, 5), (0b1011000, 7), (0b1, 11)):
        rounds = 40
        number = writer.test(f"a branch that follows the pattern {pattern:0{length}b}")
        writer.load(5, 0)
        writer.load(6, pattern)
        writer.load(7, rounds)
        writer.emit(f"loop_{number}: andi x8, x6, 1", "srli x9, x6, 1", f"slli x6, x8, {length - 1}")
        writer.emit("or x6, x6, x9", f"beqz x8, skip_{number}", "addi x5, x5, 1", f"skip_{number}:")
        writer.emit("addi x7, x7, -1", f"bnez x7, loop_{number}")
        writer.check(5, sum(pattern >> (n % length) & 1 for n in range(rounds)))
    _pseudo_random(writer)
    _aliases(writer)
    _indirect(writer)
    return writer.text()


def _pseudo_random(writer: Writer) -> None:
    state, total = 0x1234_5679, 0
    for _ in range(200):
        low = state & 1
        state >>= 1
        if low:
            state ^= 0xB400_0001
            total += 3
        if state & 0x10:
            total ^= 0x55
        if state & 0x300 == 0x300:
            total -= 7
    writer.test("branches on a shift register's bits")
    writer.emit("li x5, 0x12345679", "li x6, 0", "li x7, 200", "li x10, 0xb4000001")
    writer.emit("1: andi x8, x5, 1", "srli x5, x5, 1", "beqz x8, 2f", "xor x5, x5, x10", "addi x6, x6, 3")
    writer.emit("2: andi x8, x5, 0x10", "beqz x8, 3f", "xori x6, x6, 0x55", "3: andi x8, x5, 0x300")
    writer.emit("addi x8, x8, -0x300", "bnez x8, 4f", "addi x6, x6, -7", "4: addi x7, x7, -1", "bnez x7, 1b")
    writer.check(6, total & MASK)


def _aliases(writer: Writer) -> None:
    """Branches and plain instructions at addresses that share a predictor's entries."""
    rounds = 6
    for step in (64, 256, 1024):
        number = writer.test(f"branches and none, {step} bytes apart")
        writer.emit("li x5, 0", f"li x6, {rounds}", f"j start_{number}", f".balign {step}")
        writer.emit(f"start_{number}:", f"a_{number}: beqz x0, b_{number}", "j fail", f".balign {step}")
        writer.emit(f"b_{number}: addi x5, x5, 1", "bnez x0, fail", f"j c_{number}", f".balign {step}")
        writer.emit(f"c_{number}: addi x5, x5, 2", f"jal x7, d_{number}", "j fail", f".balign {step}")
        writer.emit(f"d_{number}: bnez x0, fail", "addi x5, x5, 4", "addi x6, x6, -1")
        writer.emit(f"beqz x6, e_{number}", f"j a_{number}", "j fail", f"e_{number}:")
        writer.check(5, 7 * rounds)


def _indirect(writer: Writer) -> None:
    number = writer.test("an indirect jump whose target changes each time")
    writer.data(
        "        .balign 4", f"targets_{number}:", *(f"        .4byte case_{number}_{n}" for n in range(4))
    )
    writer.emit("li x5, 0", "li x6, 24", "li x7, 1")
    writer.emit(f"loop_{number}: andi x8, x7, 3", "slli x8, x8, 2", f"load_value x9, targets_{number}")
    writer.emit("add x9, x9, x8", "lw x9, 0(x9)", "jr x9", "j fail")
    for n in range(4):
        writer.emit(f"case_{number}_{n}: addi x5, x5, {1 << 2 * n}", f"j on_{number}")
    writer.emit(f"on_{number}: slli x8, x7, 2", "add x7, x7, x8", "addi x7, x7, 3")
    writer.emit("addi x6, x6, -1", f"bnez x6, loop_{number}")
    state, total = 1, 0
    for _ in range(24):
        total += 1 << 2 * (state & 3)
        state = state * 5 + 3 & MASK
    writer.check(5, total)

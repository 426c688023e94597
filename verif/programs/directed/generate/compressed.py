"""Every compressed instruction, hints, and instructions of 32 bits at odd halves of words."""

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import CORNERS, Writer
from verif.programs.directed.reference import MASK, REGISTER, UNARY, signed

__all__ = ["compressed", "zcb"]

_POPULAR = range(8, 16)


def compressed(config: CoreConfig) -> str:
    """Return the test of C (without F)."""
    writer = Writer(config, seed=11)
    writer.data("        .space 512", "buffer: .space 1024")
    writer.emit(".option rvc")
    _computation(writer)
    _memory(writer)
    _jumps(writer)
    _hints(writer)
    _odd_halves(writer)
    return writer.text()


def _computation(writer: Writer) -> None:
    for a in CORNERS:
        for b in (0x0F0F_1234, 1, MASK):
            for name, function in (("add", "add"), ("mv", None)):
                rd, rs = writer.pick(2)
                writer.test(f"c.{name}")
                writer.load(rd, a)
                writer.load(rs, b)
                writer.emit(f"c.{name} x{rd}, x{rs}")
                writer.check(rd, REGISTER["i"][function](a, b) if function else b)
            for name in ("sub", "xor", "or", "and"):
                rd, rs = writer.random.sample(_POPULAR, 2)
                writer.test(f"c.{name}")
                writer.load(rd, a)
                writer.load(rs, b)
                writer.emit(f"c.{name} x{rd}, x{rs}")
                writer.check(rd, REGISTER["i"][name](a, b))
        for n in (1, -1, 31, -32, 5, -6):
            (rd,) = writer.pick(1)
            writer.test(f"c.addi {n}")
            writer.load(rd, a)
            writer.emit(f"c.addi x{rd}, {n}")
            writer.check(rd, a + n)
            rd = writer.random.choice(_POPULAR)
            writer.test(f"c.andi {n}")
            writer.load(rd, a)
            writer.emit(f"c.andi x{rd}, {n}")
            writer.check(rd, a & n)
        for shift in (1, 2, 7, 15, 16, 31):
            rd = writer.random.choice(_POPULAR)
            for name, value in (("slli", a << shift), ("srli", a >> shift), ("srai", signed(a) >> shift)):
                writer.test(f"c.{name} {shift}")
                writer.load(rd, a)
                writer.emit(f"c.{name} x{rd}, {shift}")
                writer.check(rd, value)
    for n in range(-32, 32):
        (rd,) = writer.pick(1)
        writer.test(f"c.li {n}")
        writer.emit(f"c.li x{rd}, {n}")
        writer.check(rd, n)
    for n in (1, 2, 16, 31, 0xFFFE0, 0xFFFFF, 0xFFFF0):
        (rd,) = writer.pick(1, avoid=(2,))
        writer.test(f"c.lui {n:#x}")
        writer.emit(f"c.lui x{rd}, {n:#x}")
        writer.check(rd, n << 12)


def _memory(writer: Writer) -> None:
    offsets = [0, *(1 << n for n in range(2, 7)), 124, 84, 40]
    for offset in offsets:
        base, source, rd = writer.random.sample(_POPULAR, 3)
        value = writer.random.getrandbits(32)
        writer.test(f"c.sw and c.lw, offset {offset}")
        writer.emit(f"load_value x{base}, buffer", f"li x{source}, {value:#x}")
        writer.emit(f"c.sw x{source}, {offset}(x{base})", f"c.lw x{rd}, {offset}(x{base})")
        writer.check(rd, value)
        writer.emit(f"lw x{rd}, {offset}(x{base})")
        writer.check(rd, value)
    writer.emit("mv x5, sp", "load_value sp, buffer")
    for offset in [0, *(1 << n for n in range(2, 8)), 252, 168, 84]:
        source, rd = writer.pick(2, avoid=(2, 5))
        value = writer.random.getrandbits(32)
        writer.test(f"c.swsp and c.lwsp, offset {offset}")
        writer.emit(f"li x{source}, {value:#x}", f"c.swsp x{source}, {offset}(sp)")
        writer.emit(f"c.lwsp x{rd}, {offset}(sp)")
        writer.check(rd, value)
        writer.emit(f"lw x{rd}, {offset}(sp)")
        writer.check(rd, value)
    for n in (4, 8, 16, 32, 64, 128, 256, 512, 1020, 340, 680):
        rd = writer.random.choice(_POPULAR)
        writer.test(f"c.addi4spn {n}")
        writer.emit("load_value sp, buffer", f"c.addi4spn x{rd}, sp, {n}", f"sub x{rd}, x{rd}, sp")
        writer.check(rd, n)
    for n in (16, 32, 64, 128, 256, 496, -16, -512, -32, -272):
        writer.test(f"c.addi16sp {n}")
        writer.emit("load_value sp, buffer", "mv x6, sp", f"c.addi16sp sp, {n}", "sub x6, sp, x6")
        writer.check(6, n)
    writer.emit("mv sp, x5")


def _jumps(writer: Writer) -> None:
    for distance in (0, 1, 2, 3, 4, 60, 500, 1000):
        for name in ("c.j", "c.jal"):
            number = writer.test(f"{name} over {distance}")
            writer.emit("li ra, 0", f"{name} to_{number}", f"link_{number}:", "j fail")
            writer.emit(*["c.nop"] * distance, f"to_{number}:")
            if name == "c.jal":
                writer.emit(f"load_value x5, link_{number}", "bne ra, x5, fail")
            else:
                writer.emit("bnez ra, fail")
            number = writer.test(f"{name} backwards over {distance}")
            writer.emit(f"j a_{number}", f"b_{number}: j c_{number}", *["c.nop"] * distance)
            writer.emit(f"a_{number}: {name} b_{number}", "j fail", f"c_{number}:")
    for lead in (0, 1):
        for name, value, taken in (
            ("c.beqz", 0, True),
            ("c.beqz", 1, False),
            ("c.beqz", 0x8000_0000, False),
            ("c.bnez", 0, False),
            ("c.bnez", 0x100, True),
            ("c.bnez", 0x8000_0000, True),
        ):
            for distance in (1, 2, 30, 100):
                rs = writer.random.choice(_POPULAR)
                number = writer.test(f"{name} of {value:#x} over {distance}")
                writer.load(rs, value)
                writer.emit(*["c.nop"] * lead, f"{name} x{rs}, to_{number}")
                writer.emit("c.j 1f" if taken else f"c.j on_{number}", "1: j fail", *["c.nop"] * distance)
                writer.emit(f"to_{number}:", "c.nop" if taken else "j fail", f"on_{number}:")
        for name, links in (("c.jr", False), ("c.jalr", True)):
            for rs in (5, 9, 15, 1):
                number = writer.test(f"{name} x{rs}")
                writer.emit("li ra, 0", f"load_value x{rs}, to_{number}", *["c.nop"] * lead)
                writer.emit(f"{name} x{rs}", f"link_{number}:", "c.nop", "j fail", f"to_{number}:")
                if links:
                    writer.emit(f"load_value x4, link_{number}", "bne ra, x4, fail")
                elif rs != 1:
                    writer.emit("bnez ra, fail")


def _hints(writer: Writer) -> None:
    writer.test("hints do nothing")
    values = {n: writer.random.getrandbits(32) for n in range(5, 16)}
    for n, value in values.items():
        writer.load(n, value)
    # c.nop 5; c.addi x5, 0; c.li x0, 3; c.lui x0, 1; c.mv x0, x5; c.add x0, x5; c.slli x0, 4;
    # shifts by 0 of x5, x8, x9.
    for half in (0x0015, 0x0281, 0x400D, 0x6005, 0x8016, 0x9016, 0x0012, 0x0282, 0x8001, 0x8481):
        writer.emit(f".2byte {half:#06x}")
    writer.emit("bnez x0, fail")
    for n, value in values.items():
        writer.check(n, value)


def _odd_halves(writer: Writer) -> None:
    """Long instructions that straddle words, after short ones that jump there or fall into them."""
    for lead in (0, 1):
        for body, value in (
            (("lui x5, 0x12345", "addi x5, x5, 0x678"), 0x1234_5678),
            (("c.li x5, 7", "slli x5, x5, 8", "c.addi x5, 1", "xori x5, x5, 0x55"), 0x754),
            (("addi x5, x0, 100", "c.addi x5, 1", "addi x5, x5, 100", "c.addi x5, 1"), 202),
            (("lui x5, 0xfffff", "c.srli x8, 1", "srai x5, x5, 4", "c.nop", "c.nop"), -256),
        ):
            number = writer.test(f"mixed lengths, {lead} halves in")
            writer.emit(".balign 4", f"c.j to_{number}", "c.nop", *["c.nop"] * lead, f"to_{number}:", *body)
            writer.check(5, value)
            number = writer.test("and by a long jump, backwards")
            writer.emit(f"j a_{number}", ".balign 4", *["c.nop"] * lead, f"b_{number}:", *body)
            writer.emit(f"j c_{number}", f"a_{number}: j b_{number}", f"c_{number}:")
            writer.check(5, value)
        number = writer.test("a loop across halves")
        writer.emit("li x5, 0", "li x9, 9", ".balign 4", *["c.nop"] * lead, f"l_{number}: addi x5, x5, 3")
        writer.emit("c.addi x9, -1", f"bne x9, x0, l_{number}")
        writer.check(5, 27)
        number = writer.test("calls that return to halves")
        writer.emit("li x5, 0", "li x9, 5", ".balign 4", *["c.nop"] * lead, f"l_{number}: c.jal f_{number}")
        writer.emit("c.addi x5, 1", f"jal ra, f_{number}", "addi x5, x5, 2", "c.addi x9, -1")
        writer.emit(f"c.bnez x9, l_{number}", f"c.j on_{number}", f"f_{number}: c.addi x5, 8", "c.jr ra")
        writer.emit(f"on_{number}:")
        writer.check(5, 5 * (8 + 1 + 8 + 2))


def zcb(config: CoreConfig) -> str:
    """Return the test of Zcb, with what of it needs M and Zbb where the core has them."""
    writer = Writer(config, seed=12)
    writer.data("buffer: .space 64")
    writer.emit(".option rvc")
    words = (0x8070_F00F, 0x7F80_00FF)
    for word in words:
        for at in range(4):
            byte = word >> 8 * at & 0xFF
            half = word >> 8 * at & 0xFFFF
            operations = [(f"c.lbu {at}", 0x8000 | _lane(at), byte)]
            if at % 2 == 0:
                operations.append((f"c.lhu {at}", 0x8400 | at >> 1 << 5, half))
                operations.append((f"c.lh {at}", 0x8440 | at >> 1 << 5, signed(half, 16)))
            for name, code, value in operations:
                base, rd = writer.random.sample(_POPULAR, 2)
                rd = writer.random.choice((rd, base))
                writer.test(name)
                writer.emit(f"load_value x{base}, buffer", f"li x4, {word:#x}", f"sw x4, 0(x{base})")
                writer.emit(f".2byte {code | (base - 8) << 7 | (rd - 8) << 2:#x}")
                writer.check(rd, value)
            stores = [(f"c.sb {at}", 0x8800 | _lane(at), 0xFF)]
            if at % 2 == 0:
                stores.append((f"c.sh {at}", 0x8C00 | at >> 1 << 5, 0xFFFF))
            for name, code, mask in stores:
                base, rs = writer.random.sample(_POPULAR, 2)
                writer.test(name)
                writer.emit(f"load_value x{base}, buffer", f"li x4, {word ^ MASK:#x}", f"sw x4, 0(x{base})")
                writer.load(rs, word)
                writer.emit(f".2byte {code | (base - 8) << 7 | (rs - 8) << 2:#x}", f"lw x{rs}, 0(x{base})")
                writer.check(rs, (word ^ MASK) & ~(mask << 8 * at) | (word & mask) << 8 * at)
    unary = {0: ("c.zext.b", lambda a: a & 0xFF), 5: ("c.not", lambda a: ~a)}
    if config.zbb:
        unary |= {
            n: (f"c.{name}", UNARY["zbb"][name]) for n, name in enumerate(("sext.b", "zext.h", "sext.h"), 1)
        }
    for a in (*CORNERS, 0x1234_8080, 0xFFFF_7F7F):
        for code, (name, function) in unary.items():
            rd = writer.random.choice(_POPULAR)
            writer.test(f"{name} {a:#x}")
            writer.load(rd, a)
            writer.emit(f".2byte {0x9C61 | (rd - 8) << 7 | code << 2:#x}")
            writer.check(rd, function(a))
        if config.m:
            for b in CORNERS:
                rd, rs = writer.random.sample(_POPULAR, 2)
                writer.test(f"c.mul {a:#x}, {b:#x}")
                writer.load(rd, a)
                writer.load(rs, b)
                writer.emit(f".2byte {0x9C41 | (rd - 8) << 7 | (rs - 8) << 2:#x}")
                writer.check(rd, a * b)
    return writer.text()


def _lane(at: int) -> int:
    # uimm[0] is bit 6, uimm[1] is bit 5.
    return (at & 1) << 6 | (at >> 1) << 5

"""Loads and stores: every width, lane, sign, offset and distance; and atomics."""

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import CORNERS, Writer
from verif.programs.directed.reference import AMO, LOADS, MASK

__all__ = ["atomics", "loads_stores"]

_STORES = {"sb": 1, "sh": 2, "sw": 4}


def loads_stores(config: CoreConfig) -> str:
    """Return the test of loads and stores."""
    writer = Writer(config, seed=4)
    words = (0x8070_F00F, 0x7F80_00FF, 0xFFFF_FFFF, 0x0000_0000, 0x8000_7FFF, 0x0102_0304)
    image = b"".join(word.to_bytes(4, "little") for word in words)
    writer.data("        .space 2048", "table:", *(f"        .4byte {word:#x}" for word in words))
    writer.data("        .space 2048", "        .balign 64", "buffer: .space 128")
    _each_load(writer, image)
    _each_store(writer)
    _distances(writer)
    _mixture(writer)
    return writer.text()


def _each_load(writer: Writer, image: bytes) -> None:
    for name, (size, extend) in LOADS.items():
        for at in range(0, len(image), size):
            value = extend(int.from_bytes(image[at : at + size], "little"))
            for offset in (at, -2048, 2047 - 2047 % size):
                base, rd = writer.pick(2)
                rd = writer.random.choice((base, rd))
                writer.test(f"{name} of byte {at}, offset {offset}")
                writer.emit(f"load_value x{base}, table + {at - offset}")
                writer.gap(writer.random.randrange(2), avoid=(base, rd))
                writer.emit(f"{name} x{rd}, {offset}(x{base})")
                writer.gap(writer.random.randrange(2), avoid=(base, rd))
                writer.check(rd, value)
        writer.test(f"{name} to x0")
        base = writer.pick(1)[0]
        writer.emit(f"load_value x{base}, table", f"{name} x0, 8(x{base})", "bnez x0, fail")


def _each_store(writer: Writer) -> None:
    for name, size in _STORES.items():
        for lane in range(0, 4, size):
            for value in (0x1234_5678, 0xFFFF_FFFF, 0, 0x80C0_A0F0):
                for offset in (lane, lane - 2048, lane + 2040):
                    base, source, rd = writer.pick(3)
                    writer.test(f"{name} of {value:#x} in lane {lane}, offset {offset}")
                    writer.emit(f"load_value x{base}, buffer + 32")
                    # Around it, nothing changes.
                    before = value ^ MASK
                    writer.load(source, before)
                    writer.emit(*(f"sw x{source}, {n}(x{base})" for n in (-4, 0, 4)))
                    writer.emit(f"load_value x{base}, buffer + {32 + lane - offset}")
                    writer.load(source, value)
                    writer.emit(f"{name} x{source}, {offset}(x{base})")
                    mask = ((1 << 8 * size) - 1) << 8 * lane
                    expected = before & ~mask | value << 8 * lane & mask
                    writer.emit(f"load_value x{base}, buffer + 32")
                    for n, word in ((0, expected), (-4, before), (4, before)):
                        writer.emit(f"lw x{rd}, {n}(x{base})")
                        writer.check(rd, word)
    writer.test("stores of x0")
    writer.emit("load_value x5, buffer", "li x6, -1", "sw x6, 0(x5)", "sb x0, 1(x5)", "lw x7, 0(x5)")
    writer.check(7, 0xFFFF_00FF)
    writer.emit("sh x0, 2(x5)", "lw x7, 0(x5)")
    writer.check(7, 0x0000_00FF)


def _distances(writer: Writer) -> None:
    """Store, then load the same word, at every distance; the base is as young as the data."""
    for distance in range(5):
        for name, (size, extend) in LOADS.items():
            for lane in range(0, 4, size):
                base, source, rd = writer.pick(3)
                value = writer.random.getrandbits(32)
                writer.test(f"sw, {distance} between, {name} lane {lane}")
                writer.load(source, value)
                writer.emit(f"load_value x{base}, buffer", f"sw x{source}, 0(x{base})")
                writer.gap(distance, avoid=(base, source, rd))
                writer.emit(f"{name} x{rd}, {lane}(x{base})")
                writer.check(rd, extend(value >> 8 * lane))


def _mixture(writer: Writer) -> None:
    """Write runs of loads and stores on one small buffer, checked against a byte array."""
    size = 16
    for _ in range(24):
        memory = bytearray(writer.random.randbytes(size))
        base, *regs = writer.pick(5)
        held = {}
        writer.test("a run of loads and stores")
        writer.emit(f"load_value x{base}, buffer")
        for at in range(0, size, 4):
            writer.load(regs[0], int.from_bytes(memory[at : at + 4], "little"))
            writer.emit(f"sw x{regs[0]}, {at}(x{base})")
        for reg in regs:
            held[reg] = writer.random.getrandbits(32)
            writer.load(reg, held[reg])
        for _ in range(12):
            reg = writer.random.choice(regs)
            if writer.random.random() < 0.5:
                name, width = writer.random.choice(list(_STORES.items()))
                at = writer.random.randrange(0, size, width)
                memory[at : at + width] = (held[reg] & (1 << 8 * width) - 1).to_bytes(width, "little")
            else:
                name, (width, extend) = writer.random.choice(list(LOADS.items()))
                at = writer.random.randrange(0, size, width)
                held[reg] = extend(int.from_bytes(memory[at : at + width], "little"))
            writer.emit(f"{name} x{reg}, {at}(x{base})")
        for reg in regs:
            writer.check(reg, held[reg])
        for at in range(0, size, 4):
            writer.emit(f"lw x{regs[0]}, {at}(x{base})")
            writer.check(regs[0], int.from_bytes(memory[at : at + 4], "little"))


def atomics(config: CoreConfig) -> str:
    """Return the test of the A extension on one hart."""
    writer = Writer(config, seed=5)
    writer.data("buffer: .space 128")
    orders = ("", ".aq", ".rl", ".aqrl")
    for name, function in AMO.items():
        for index, (old, value) in enumerate((a, b) for a in CORNERS for b in CORNERS):
            base, source, rd = writer.pick(3)
            rd = writer.random.choice((rd, source, base, 0))
            writer.test(f"{name} {old:#x}, {value:#x}")
            writer.emit(f"load_value x{base}, buffer + 8")
            writer.load(source, old)
            writer.emit(f"sw x{source}, 0(x{base})")
            writer.load(source, value)
            writer.emit(f"{name}{orders[index % 4]} x{rd}, x{source}, (x{base})")
            if rd:
                writer.check(rd, old)
            writer.emit(f"load_value x{base}, buffer + 8", f"lw x{source}, 0(x{base})")
            writer.check(source, function(old, value))
    _reservations(writer)
    for name in (*AMO, "lr.w", "sc.w"):
        cause = "CAUSE_LOAD_MISALIGNED" if name == "lr.w" else "CAUSE_STORE_MISALIGNED"
        for lane in (1, 2, 3):
            operands = "x5, (x6)" if name == "lr.w" else "x5, x7, (x6)"
            writer.emit(f"load_value x6, buffer + {lane}", "li x5, 77")
            writer.emit(f"expect_trap {cause}, buffer + {lane}, {name} {operands}")
            writer.check(5, 77)
    return writer.text()


def _reservations(writer: Writer) -> None:
    for distance in range(4):
        writer.test(f"lr, {distance} between, sc succeeds and stores")
        writer.emit("load_value x5, buffer + 16", "li x6, 0x1111", "sw x6, 0(x5)", "li x7, 0x2222")
        writer.emit("lr.w x8, (x5)", *["xori x9, x9, 1"] * distance, "sc.w x10, x7, (x5)")
        writer.check(8, 0x1111)
        writer.check(10, 0)
        writer.emit("lw x11, 0(x5)")
        writer.check(11, 0x2222)
        writer.test("a second sc fails and stores nothing")
        writer.emit("li x7, 0x3333", "sc.w x10, x7, (x5)", "beqz x10, fail", "lw x11, 0(x5)")
        writer.check(11, 0x2222)
    writer.test("sc without lr fails")
    writer.emit("sc.w x10, x7, (x5)", "sc.w x10, x7, (x5)", "beqz x10, fail")
    writer.test("sc to another word fails")
    writer.emit("addi x6, x5, 32", "sw x0, 0(x6)", "lr.w x8, (x5)", "sc.w x10, x7, (x6)")
    writer.emit("beqz x10, fail", "lw x11, 0(x6)")
    writer.check(11, 0)
    writer.test("and takes the reservation away")
    writer.emit("sc.w x10, x7, (x5)", "beqz x10, fail", "lw x11, 0(x5)")
    writer.check(11, 0x2222)
    writer.test("the last lr counts")
    writer.emit("lr.w x8, (x6)", "lr.w x8, (x5)", "li x7, 0x4444", "sc.w x10, x7, (x6)", "beqz x10, fail")
    writer.test("a counter by lr and sc")
    writer.emit("li x7, 0", "sw x0, 0(x5)", "li x9, 20")
    writer.emit("1: lr.w x8, (x5)", "addi x8, x8, 3", "sc.w x10, x8, (x5)", "bnez x10, 1b")
    writer.emit("addi x9, x9, -1", "bnez x9, 1b", "lw x11, 0(x5)")
    writer.check(11, 60)
    writer.test("a counter by amoadd, without a gap")
    writer.emit("sw x0, 0(x5)", "li x7, 5", *["amoadd.w x8, x7, (x5)"] * 4, "lw x11, 0(x5)")
    writer.check(8, 15)
    writer.check(11, 20)
    writer.test("amo result at once, as operand of the next amo")
    writer.emit("amoadd.w x8, x7, (x5)", "amoswap.w x8, x8, (x5)", "lw x11, 0(x5)")
    writer.check(8, 25)
    writer.check(11, 20)

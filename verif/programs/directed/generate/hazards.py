"""Every kind of producer before every kind of consumer, at every distance and parity."""

from collections.abc import Callable
from dataclasses import dataclass

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate.writer import Writer
from verif.programs.directed.reference import REGISTER

__all__ = ["hazards", "overwrites"]

# Registers with a role of their own; the others are fillers.
_RESULT, _SEEN, _BASE, _THREE, _OLD, _LINK = 10, 11, 12, 13, 14, 15
_FILLERS = (5, 6, 7)


@dataclass(frozen=True, slots=True)
class _Producer:
    """Instructions that leave `value` in the register ``{0}``; the last one produces."""

    name: str
    lines: tuple[str, ...]
    value: int


@dataclass(frozen=True, slots=True)
class _Consumer:
    """Instructions that use ``{0}``; each leaves its findings in ``x11``."""

    name: str
    lines: tuple[str, ...]
    expect: Callable[[int], int]  # of the produced value


def _producers(config: CoreConfig) -> list[_Producer]:
    # Every value is an address in the data section or small, so that each consumer can use it.
    items = [
        _Producer("addi", ("addi x{0}, x13, 5",), 8),
        _Producer("add", ("add x{0}, x13, x13",), 6),
        _Producer("sub", ("sub x{0}, x14, x13",), 97),
        _Producer("lui", ("lui x{0}, 0x80",), 0x80000),
        _Producer("sltu", ("sltu x{0}, x13, x14",), 1),
        _Producer("sll", ("sll x{0}, x13, x13",), 24),
        _Producer("sra", ("sra x{0}, x14, x13",), 12),
        _Producer("lw", ("lw x{0}, 0(x12)",), 0x0000_0123),
        _Producer("lb", ("lb x{0}, 4(x12)",), 0x0000_0042),
        _Producer("lhu", ("lhu x{0}, 8(x12)",), 0x0000_0F0F),
        _Producer("csrr", ("csrr x{0}, mtval",), 0x0000_0345),
        _Producer("csrrw", ("csrrw x{0}, mtval, x15",), 0x0000_0345),
    ]
    if config.m:
        items += [
            _Producer("mul", ("mul x{0}, x13, x14",), 300),
            _Producer("mulh", ("mulhu x{0}, x14, x15",), (100 * 0x345) >> 32),
            _Producer("div", ("div x{0}, x14, x13",), 33),
            _Producer("rem", ("rem x{0}, x14, x13",), 1),
        ]
    if config.a:
        items += [
            _Producer("amoor", ("amoor.w x{0}, x0, (x12)",), 0x0000_0123),
            _Producer("lr", ("lr.w x{0}, (x12)",), 0x0000_0123),
            _Producer("sc", ("lr.w x{0}, (x12)", "li x4, 0x123", "sc.w x{0}, x4, (x12)"), 0),
        ]
    if config.zba:
        items.append(_Producer("sh2add", ("sh2add x{0}, x13, x14",), 112))
    if config.zbb:
        items += [_Producer("cpop", ("cpop x{0}, x14",), 3), _Producer("max", ("max x{0}, x13, x14",), 100)]
    if config.zbs:
        items.append(_Producer("bseti", ("bseti x{0}, x13, 4",), 19))
    return items


def _consumers(config: CoreConfig) -> list[_Consumer]:
    mepc = ~1 if config.c else ~3
    items = [
        _Consumer("add rs1", ("add x11, x{0}, x14",), lambda v: v + 100),
        _Consumer("sub rs2", ("sub x11, x14, x{0}",), lambda v: 100 - v),
        _Consumer("add both", ("add x11, x{0}, x{0}",), lambda v: v + v),
        _Consumer("itself", ("addi x{0}, x{0}, 1", "mv x11, x{0}"), lambda v: v + 1),
        _Consumer("shift amount", ("sll x11, x13, x{0}",), lambda v: 3 << (v & 31)),
        _Consumer("shifted", ("srli x11, x{0}, 1",), lambda v: v >> 1),
        _Consumer("compared", ("slt x11, x14, x{0}",), lambda v: int(v > 100)),
        _Consumer("store data", ("sw x{0}, 32(x12)", "lw x11, 32(x12)"), lambda v: v),
        _Consumer(
            "store byte", ("sw x0, 36(x12)", "sb x{0}, 37(x12)", "lw x11, 36(x12)"), lambda v: (v & 255) << 8
        ),
        _Consumer("csr", ("csrw mcause, x0", "csrrw x0, mepc, x{0}", "csrr x11, mepc"), lambda v: v & mepc),
        _Consumer(
            "branch rs1", ("li x11, 1", "bgeu x{0}, x14, 9f", "li x11, 0", "9:"), lambda v: int(v >= 100)
        ),
        _Consumer(
            "branch rs2", ("li x11, 1", "bltu x14, x{0}, 9f", "li x11, 0", "9:"), lambda v: int(v > 100)
        ),
        _Consumer("branch eq", ("li x11, 1", "beq x{0}, x13, 9f", "li x11, 0", "9:"), lambda v: int(v == 3)),
    ]
    if config.m:
        items += [
            _Consumer("mul rs1", ("mul x11, x{0}, x14",), lambda v: v * 100),
            _Consumer("mulhu rs2", ("mulhu x11, x14, x{0}",), lambda v: v * 100 >> 32),
            _Consumer("dividend", ("divu x11, x{0}, x13",), lambda v: v // 3),
            _Consumer("divisor", ("rem x11, x14, x{0}",), lambda v: REGISTER["m"]["rem"](100, v)),
        ]
    if config.a:
        items.append(
            _Consumer(
                "amo data",
                ("sw x13, 40(x12)", "amoadd.w x0, x{0}, 0(x9)", "lw x11, 40(x12)"),
                lambda v: v + 3,
            )
        )
    if config.zicond:
        items.append(_Consumer("czero", (".insn r 0x33, 5, 7, x11, x14, x{0}",), lambda v: 100 if v else 0))
    return items


def hazards(config: CoreConfig) -> str:
    """Return the test of read-after-write hazards."""
    writer = Writer(config, seed=13)
    _prepare(writer)
    # Addresses as produced values: by each kind of instruction that can make one.
    writer.data("pointer: .4byte numbers")
    for producer in _producers(config):
        for consumer in _consumers(config):
            for distance in (0, 1, 2, 3):
                _pair(writer, producer, consumer, distance)
    _addresses(writer, config)
    _zero(writer, config)
    return writer.text()


def _prepare(writer: Writer) -> None:
    writer.data("numbers: .4byte 0x123, 0x42, 0x0f0f, 0, 0, 0, 0, 0")
    writer.data("        .space 64")
    writer.emit("load_value x12, numbers", "addi x9, x12, 40", "li x13, 3", "li x14, 100", "li x15, 0x345")


def _restore(writer: Writer) -> None:
    writer.emit("csrw mtval, x15")


def _fill(writer: Writer, count: int) -> None:
    for _ in range(count):
        a, b = writer.random.choice(_FILLERS), writer.random.choice(_FILLERS)
        writer.emit(
            writer.random.choice((f"addi x{a}, x{b}, 1", f"xor x{a}, x{b}, x{a}", "nop", f"mv x{a}, x0"))
        )


def _pair(writer: Writer, producer: _Producer, consumer: _Consumer, distance: int) -> None:
    writer.test(f"{producer.name}, {distance} between, {consumer.name}")
    _restore(writer)
    # Something else was in the register, so that a stale value shows.
    writer.emit(f"addi x{_RESULT}, x0, -777")
    _fill(writer, writer.random.randrange(3))
    writer.emit(*(line.format(_RESULT) for line in producer.lines))
    _fill(writer, distance)
    writer.emit(*(line.format(_RESULT) for line in consumer.lines))
    writer.check(_SEEN, consumer.expect(producer.value))


def _addresses(writer: Writer, config: CoreConfig) -> None:
    makers = {
        "addi": ("addi x10, x12, 0",),
        "lw": ("lw x10, 96(x12)",),
        "sub": ("sub x10, x12, x0",),
        "csrr": ("csrw mtval, x12", "csrr x10, mtval"),
    }
    if config.m:
        makers["mul"] = ("li x5, 1", "mul x10, x12, x5")
        makers["divu"] = ("li x5, 1", "divu x10, x12, x5")
    for name, lines in makers.items():
        for distance in range(4):
            for offset in (0, 4):
                writer.test(f"address by {name}, {distance} between, load")
                writer.emit("li x10, 1", *lines)
                _fill(writer, distance)
                writer.emit(f"lw x11, {offset}(x10)")
                writer.check(_SEEN, (0x123, 0x42)[offset // 4])
            writer.test(f"address by {name}, {distance} between, store")
            writer.emit("sw x0, 44(x12)", "li x10, 1", *lines)
            _fill(writer, distance)
            writer.emit("sw x14, 44(x10)", "lw x11, 44(x12)")
            writer.check(_SEEN, 100)
            number = writer.test(f"target by {name}, {distance} between, jump")
            writer.emit(
                f"load_value x12, to_{number}", "load_value x8, pointer", "sw x12, 0(x8)", "li x10, 1"
            )
            writer.emit(*(line.replace("96(x12)", "0(x8)") for line in lines))
            _fill(writer, distance)
            writer.emit("jalr x11, 0(x10)", f"link_{number}: j fail", f"to_{number}:")
            writer.emit("load_value x12, numbers", "sw x12, 0(x8)", f"load_value x5, link_{number}")
            writer.emit("bne x11, x5, fail")
    number = writer.test("loads that follow a list")
    label = f"list_{number}"
    writer.data(f"{label}: .4byte {label} + 8, 0, {label} + 12, {label} + 16, 0x77")
    writer.emit(f"load_value x10, {label}", *["lw x10, 0(x10)"] * 3, f"load_value x5, {label} + 16")
    writer.emit("bne x10, x5, fail")


def _zero(writer: Writer, config: CoreConfig) -> None:
    """Write to x0, which must be forwarded to nobody."""
    for producer in _producers(config):
        if producer.name == "sc":
            continue
        for distance in (0, 1, 2):
            writer.test(f"{producer.name} to x0, {distance} between")
            _restore(writer)
            writer.emit(*(line.format(0) for line in producer.lines))
            _fill(writer, distance)
            writer.emit("add x11, x0, x13")
            writer.check(_SEEN, 3)


def overwrites(config: CoreConfig) -> str:
    """Return the test of write-after-write hazards: slow producers overtaken by fast ones."""
    writer = Writer(config, seed=14)
    _prepare(writer)
    producers = _producers(config)
    for first in producers:
        for second in producers:
            for distance in (0, 1):
                writer.test(f"{first.name}, {distance} between, {second.name}")
                _restore(writer)
                writer.emit(*(line.format(_RESULT) for line in first.lines))
                _fill(writer, distance)
                writer.emit(*(line.format(_RESULT) for line in second.lines))
                if writer.random.random() < 0.5:
                    # And somebody reads it at once, as an older value is still under way.
                    writer.emit(f"addi x{_SEEN}, x{_RESULT}, 7")
                    writer.check(_SEEN, second.value + 7)
                _fill(writer, writer.random.randrange(3))
                writer.check(_RESULT, second.value)
    return writer.text()

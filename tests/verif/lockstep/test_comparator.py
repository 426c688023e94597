"""The comparator accepts what Spike did, and finds every planted difference."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rtl.riscv.config import CoreConfig

pytestmark = pytest.mark.sim
WORDS = 20
(FLAGS, PC, INSN, RD, ADDRESS, READ, WRITE, NEXT, CYCLE, MSTATUS, MEPC, MCAUSE, MTVAL, MIE, MIP, MTVEC,
 MSCRATCH, ORDER) = range(18)  # fmt: skip
Record = list[int]


def records(trace: Path) -> list[Record]:
    return [list(words) for words in struct.iter_unpack("<20I", trace.read_bytes())]


def write(path: Path, rows: list[Record]) -> Path:
    path.write_bytes(b"".join(struct.pack("<20I", *row) for row in rows))
    return path


def trap(r: Record) -> bool:
    return bool(r[FLAGS] & 1)


def read_mask(r: Record) -> int:
    return r[FLAGS] >> 8 & 15


def write_mask(r: Record) -> int:
    return r[FLAGS] >> 12 & 15


def rd(r: Record) -> int:
    return r[FLAGS] >> 16 & 31


def plain(r: Record) -> bool:
    """Neither trap nor system instruction: its CSRs are as before."""
    return not r[FLAGS] & 3 and r[INSN] & 0x7F != 0x73


def masked(r: Record) -> bool:
    """In machine mode without mstatus.MIE: no interrupt is taken."""
    return plain(r) and r[MSTATUS] & 8 == 0 and r[FLAGS] >> 3 & 3 == 3


def flip(word: int, bits: int = 1) -> Callable[[Record], None]:
    def change(r: Record) -> None:
        r[word] ^= bits

    return change


def lowest(word: int, mask: Callable[[Record], int]) -> Callable[[Record], None]:
    """Flip a bit within the lanes that count."""

    def change(r: Record) -> None:
        lane = (mask(r) & -mask(r)).bit_length() - 1
        r[word] ^= 1 << 8 * lane

    return change


def is_csr(number: int) -> Callable[[Record], bool]:
    return lambda r: r[INSN] & 0x7F == 0x73 and r[INSN] >> 12 & 3 != 0 and r[INSN] >> 20 == number


#: What is planted: the field that must be named, where, and the change.
PLANTED: dict[str, tuple[str, Callable[[Record], bool], Callable[[Record], None]]] = {
    "pc": ("pc", plain, flip(PC, 4)),
    "instruction": ("insn", plain, flip(INSN, 1 << 9)),
    "instruction_of_a_trap": ("insn", lambda r: trap(r) and r[MCAUSE] == 3, flip(INSN, 1 << 9)),
    "register_value": ("rd_wdata", lambda r: plain(r) and rd(r) > 0, flip(RD, 1 << 31)),
    "register_value_of_a_load": ("rd_wdata", lambda r: plain(r) and rd(r) > 0 and read_mask(r) > 0, flip(RD)),
    "register_number": ("rd_addr", lambda r: plain(r) and rd(r) > 1 and r[RD] > 9, flip(FLAGS, 1 << 16)),
    "register_not_written": (
        "rd_addr",
        lambda r: plain(r) and rd(r) > 0 and r[RD] == 0x7FFFFFFF,
        lambda r: (r.__setitem__(FLAGS, r[FLAGS] & ~(31 << 16)), r.__setitem__(RD, 0)),
    ),
    "value_without_register": ("rd_wdata", lambda r: plain(r) and rd(r) == 0, flip(RD)),
    "register_of_a_trap": ("rd_addr", trap, flip(FLAGS, 1 << 18)),
    "address_of_a_load": ("mem_addr", lambda r: plain(r) and read_mask(r) > 0, flip(ADDRESS, 4)),
    "address_of_a_store": ("mem_addr", lambda r: plain(r) and write_mask(r) > 0, flip(ADDRESS, 1 << 20)),
    "bytes_of_a_load": ("mem_rmask", lambda r: plain(r) and read_mask(r) > 0, flip(FLAGS, 15 << 8)),
    "bytes_of_a_store": ("mem_wmask", lambda r: plain(r) and write_mask(r) > 0, flip(FLAGS, 15 << 12)),
    "load_that_is_none": ("mem_rmask", lambda r: plain(r) and not read_mask(r), flip(FLAGS, 1 << 8)),
    "store_that_is_none": ("mem_wmask", lambda r: plain(r) and not write_mask(r), flip(FLAGS, 1 << 12)),
    "data_of_a_load": (
        "mem_rdata",
        lambda r: plain(r) and read_mask(r) > 0 and r[ADDRESS] >= 0x8000_0000,
        lowest(READ, read_mask),
    ),
    "data_of_a_store": ("mem_wdata", lambda r: plain(r) and write_mask(r) > 0, lowest(WRITE, write_mask)),
    "data_of_an_atomic": (
        "mem_wdata", lambda r: plain(r) and read_mask(r) > 0 and write_mask(r) > 0, lowest(WRITE, write_mask),
    ),
    "next_pc": ("pc_wdata", plain, flip(NEXT, 2)),
    "next_pc_of_a_trap": ("pc_wdata", trap, flip(NEXT, 4)),
    "mode": ("mode", plain, flip(FLAGS, 3 << 3)),
    "missing_trap": ("trap", trap, flip(FLAGS)),
    "trap_that_is_none": ("trap", plain, flip(FLAGS)),
    "interrupt_that_is_none": ("intr", masked, flip(FLAGS, 2)),
    "missing_interrupt": ("pc", lambda r: r[FLAGS] & 2 == 2, flip(FLAGS, 2)),
    "cause": ("mcause", lambda r: trap(r) and r[MCAUSE] == 4, flip(MCAUSE, 2)),
    "cause_of_nothing": ("mcause", plain, flip(MCAUSE, 4)),
    "mepc": ("mepc", trap, flip(MEPC, 2)),
    "mtval": ("mtval", trap, flip(MTVAL, 1 << 7)),
    "mstatus": ("mstatus", trap, flip(MSTATUS, 1 << 7)),
    "mstatus_of_a_return": ("mstatus", lambda r: r[INSN] == 0x3020_0073, flip(MSTATUS, 1 << 3)),
    "mie": ("mie", is_csr(0x304), flip(MIE, 1 << 7)),
    "mip": ("mip", plain, flip(MIP, 1 << 1)),
    "mtvec": ("mtvec", plain, flip(MTVEC, 1 << 12)),
    "mscratch": ("mscratch", plain, flip(MSCRATCH, 1 << 30)),
    "order": ("order", plain, flip(ORDER, 1 << 5)),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(recorded: tuple[Path, Path]) -> Iterator[list[Record]]:
    yield records(recorded[1])


def test_spike_agrees_with_itself(
    comparator: Callable, everything: CoreConfig, recorded: tuple[Path, Path], rows: list[Record]
) -> None:
    code, report, _ = comparator.report(everything, *recorded)
    assert (code, report["status"], report["instructions"]) == (0, "match", len(rows))
    assert report["traps"] > 50
    assert report["interrupts"] > 5


@pytest.mark.parametrize("what", PLANTED)
def test_planted_difference(
    what: str,
    comparator: Callable,
    everything: CoreConfig,
    recorded: tuple[Path, Path],
    rows: list[Record],
    tmp_path: Path,
) -> None:
    field, where, change = PLANTED[what]
    at = next((i for i, row in enumerate(rows) if i > 100 and where(row)), None)
    assert at is not None, "no record to plant it in"
    wrong = [list(row) for row in rows[: at + 1]]
    change(wrong[at])
    code, report, said = comparator.report(everything, recorded[0], write(tmp_path / "trace", wrong))
    assert (code, report["status"]) == (1, "mismatch"), report
    assert report["mismatch"]["field"] == field, said
    assert report["instructions"] == at + 1
    assert f"mismatch in {field}: Spike 0x" in said
    assert "last instructions of the core:" in said
    assert f"pc 0x{wrong[at][PC]:08x}" in said


def test_lost_and_repeated_instructions(
    comparator: Callable,
    everything: CoreConfig,
    recorded: tuple[Path, Path],
    rows: list[Record],
    tmp_path: Path,
) -> None:
    for wrong in (rows[:500] + rows[501:600], rows[:500] + rows[499:600]):
        code, report, said = comparator.report(everything, recorded[0], write(tmp_path / "trace", wrong))
        assert (code, report["mismatch"]["field"]) == (1, "order")
        assert "missing or repeated" in said


def test_an_interrupt_that_nobody_takes(
    comparator: Callable,
    everything: CoreConfig,
    recorded: tuple[Path, Path],
    rows: list[Record],
    tmp_path: Path,
) -> None:
    at = next(i for i, r in enumerate(rows) if all(x[MSTATUS] & 8 and plain(x) for x in rows[i : i + 12]))
    wrong = [list(row) for row in rows[: at + 12]]
    for row in wrong[at:]:
        row[MIP] |= row[MIE] & 0x80
    assert wrong[at][MIP] & 0x80
    code, report, said = comparator.report(
        everything, recorded[0], write(tmp_path / "trace", wrong), "--patience", 4
    )
    assert (code, report["mismatch"]["field"]) == (1, "intr")
    assert "wait for 5 instructions" in said


def test_traces_that_end_too_early(
    comparator: Callable, everything: CoreConfig, recorded: tuple[Path, Path], tmp_path: Path
) -> None:
    cut, empty = tmp_path / "cut", tmp_path / "empty"
    cut.write_bytes(recorded[1].read_bytes()[: 80 * 30 + 7])
    empty.write_bytes(b"")
    code, report, said = comparator.report(everything, recorded[0], cut)
    assert (code, report["status"], report["instructions"]) == (2, "torn", 30)
    assert "ends inside a record" in said
    code, report, said = comparator.report(everything, recorded[0], empty)
    assert (code, report["status"]) == (2, "empty")
    assert "no instruction" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give one of --trace, --emit and -- SIMULATOR"),
        (("--trace",), "--trace: its value is missing"),
        (("--nonsense", "1"), "no such option: --nonsense"),
        (("--trace", "/nowhere/trace"), "/nowhere/trace: cannot be opened"),
        (("--trace", "-", "--limit", "many"), "--limit: not a number: 'many'"),
        (("--trace", "-", "--csr", "0x340"), "--csr: not ADDRESS=RULE: '0x340'"),
        (("--trace", "-", "--csr", "0x340=odd"), "--csr: no such rule: '0x340=odd'"),
        (("--trace", "-", "--csr", "0x7ff=keep"), "--csr: Spike has no CSR 0x7ff: say const or masked"),
        (("--trace", "-", "--memory", "0x1000"), "--memory: not BASE:SIZE: '0x1000'"),
        (("--trace", "-", "--local-memory", "64"), "--local-memory: not BASE:SIZE: '64'"),
        (("--trace", "-", "--memory", "0x1000:0x1000"), "a segment lies outside the memory"),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...],
    message: str,
    comparator: Callable,
    everything: CoreConfig,
    recorded: tuple[Path, Path],
) -> None:
    ended = comparator(everything, recorded[0], *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_programs_that_are_none(comparator: Callable, everything: CoreConfig, tmp_path: Path) -> None:
    for content, message in (
        (b"\x7fELF\x02\x01\x01" + bytes(60), "not a 32-bit little-endian RISC-V ELF file"),
        (b"\x7fELF\x01\x01", "the file is cut off"),
        (b"hello\n", "neither an ELF file nor words in hexadecimal"),
    ):
        path = tmp_path / "program"
        path.write_bytes(content)
        ended = comparator(everything, path, "--trace", "-")
        assert ended.returncode == 2
        assert message in ended.stderr

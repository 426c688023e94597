"""What a simulation leaves behind, and how it is told."""

from __future__ import annotations

import io
import struct

import pytest
from tiny_elf import ILLEGAL, STOP, elf, words

from flow.isa.elf import read_elf
from flow.isa.explain import complaint, foresee, last_instructions, summary
from flow.isa.extensions import extensions_of, first_use, lacking
from flow.isa.simulation import Ending, RunOptions, plusargs, read_result
from flow.isa.trace import RECORD_BYTES, read_trace, trace_lines
from flow.isa.wrapper import MissingPorts, harness_core

BASE = 0x8000_0000
CORE = "rv32imc_zicsr_zifencei"


@pytest.fixture
def program():
    return read_elf(
        elf({BASE: words(0x13, ILLEGAL, STOP)}, functions={"main": (BASE, 12)}, arch="rv32i2p1_f2p2"), "x.elf"
    )


def result_text(**changes: str) -> str:
    rows = {"status": "exit", "code": "3", "cycles": "200", "instructions": "100", "traps": "0",
            "interrupts": "0", "sleeping": "0", "ibus": "0 0 80000000", "dbus": "0 0 xxxxxxxx"}  # fmt: skip
    rows |= (
        {f"stall{n}": "0" for n in range(16)} | {"stall0": "100", "stall1": "70", "stall5": "30"} | changes
    )
    return "".join(f"{n} {v}\n" for n, v in rows.items()) + "last 80000000 00000013\nlast 80000008 0000006f\n"


def test_result() -> None:
    result = read_result(result_text())
    assert (result.ending, result.code, result.cpi) == (Ending.EXIT, 3, 2.0)
    assert result.stalls == {1: 70, 5: 30}
    assert result.last == ((BASE, 0x13, False), (BASE + 8, STOP, False))
    assert [" ".join(line.split()) for line in summary(result)] == [
        "exit code 3",
        "cycles 200",
        "instructions 100",
        "CPI 2.000",
        "stalled 70 35.0 % fetch: no instruction has come from memory",
        "stalled 30 15.0 % divide",
    ]


def test_summary_of_two_at_once_and_of_traps_alone() -> None:
    told = [" ".join(line.split()) for line in summary(read_result(result_text(pairs="20", traps="7")))]
    assert told[3:5] == ["CPI 2.000", "two at once 20 10.0 %"]
    assert "exceptions 7" in told
    told = [" ".join(line.split()) for line in summary(read_result(result_text(instructions="0", traps="7")))]
    assert told[:3] == ["exit code 3", "cycles 200", "instructions 0"]
    assert "exceptions 7" in told


def test_a_result_cut_short() -> None:
    with pytest.raises(ValueError, match="no complete result"):
        read_result("status exit\ncode 0\n")


def test_complaints(program) -> None:
    def said(**changes: str) -> str:
        return complaint(read_result(result_text(**changes)), program, CORE, 200)[0]

    assert (
        said(status="limit") == "the program did not end within 200 cycles; it was at 0x80000008 (main+0x8)"
    )
    assert said(status="limit", sleeping="1").endswith("waiting in WFI for an interrupt")
    assert said(status="stuck", dbus="0 1 10000400") == (
        "no instruction came to its end any more after 0x80000008 (main+0x8); "
        "the data bus has not answered the access to 0x10000400"
    )
    assert said(status="stuck", ibus="1 0 80000000").endswith(
        "the instruction bus does not grant the core's request"
    )
    assert said(status="trap_loop", trap="00000000 00000001 00000000") == (
        "the program only traps: instruction access fault at 0x00000000, mtval 0x0, again and again"
    )
    assert said(status="limit", illegal="80000004 c0008053").endswith(
        "before that, the first illegal instruction was at 0x80000004 (main+0x4): .4byte 0xc0008053, "
        f"which needs f; the core ({CORE}) lacks it"
    )


def test_complaints_of_refused_accesses(program) -> None:
    store = "80000000 00000007 f0010004 00b52023"

    def said(**changes: str) -> tuple[str, str]:
        return complaint(read_result(result_text(**changes)), program, CORE, 200)

    what, remedy = said(status="loop", fault=store)
    assert what == (
        "the program goes round for ever at 0x80000008 (main+0x8): a jump to itself, with interrupts off; "
        "before that, the first store access fault was at 0x80000000 (main): sw a1,0(a0), address 0xf0010004"
    )
    assert "--memory 0xf0010000:4K" in remedy
    assert said(status="trap_loop", trap="80000000 00000007 7ffffff0",
                fault="80000000 00000007 7ffffff0 00b52023")[1].startswith(
        "That is just below the program: its stack may have grown through it"
    )  # fmt: skip
    assert said(status="loop")[1] == "Have it end by the exit device or HTIF (tohost)"
    what, remedy = said(status="limit", fault="40000000 00000001 40000000 00000000")
    assert what.endswith("the first instruction access fault was at 0x40000000")
    assert "--memory" not in remedy


def test_last_instructions_say_which_trapped(program) -> None:
    text = result_text() + "last 80000004 c0008053 1\n"
    told = list(last_instructions(read_result(text), program))
    assert [line.endswith("(trapped)") for line in told] == [False, False, True]


def test_last_instructions(program) -> None:
    assert [" ".join(line.split()) for line in last_instructions(read_result(result_text()), program)] == [
        "80000000 addi zero,zero,0 main",
        "80000008 jal zero,80000008 main+0x8",
    ]


def test_foresees_what_the_core_lacks(program) -> None:
    assert foresee(program, CORE) == (
        "the program was compiled for f (first at 0x80000004 (main+0x4): .4byte 0xc0008053), "
        f"which the core ({CORE}) lacks"
    )
    assert foresee(program, "rv32imfc_zicsr_zifencei") is None
    assert foresee(program, "") is None


@pytest.mark.parametrize(
    ("program_isa", "core", "missing"),
    [
        ("rv32i2p1_m2p0_c2p0_zicsr2p0", "rv32imc_zicsr_zifencei", ()),
        ("rv32i2p1_m2p0", "rv32i_zicsr_zifencei", ("m",)),
        ("rv32i2p1", "rv32e_zicsr", ("i with 32 registers",)),
        ("rv32e1p9_c2p0", "rv32i_zicsr", ("c",)),
        ("rv32i2p1_zba1p0_zbb1p0", "rv32imc_zicsr_zba", ("zbb",)),
        ("rv32imac_zicsr", "rv32imc_zicsr", ("a",)),
    ],
)
def test_lacking(program_isa: str, core: str, missing: tuple[str, ...]) -> None:
    assert lacking(program_isa, core) == missing


def test_extensions_of_g() -> None:
    assert {"i", "m", "a", "f", "d", "zicsr"} <= extensions_of("rv32gc")


def test_first_use_reads_functions_only(program) -> None:
    found = first_use(program, "f")
    assert found is not None
    assert found[0] == BASE + 4
    bare = read_elf(elf({BASE: words(ILLEGAL)}), "x.elf")
    assert first_use(bare, "f") is None


def record(**values: int) -> bytes:
    names = ("flags", "pc", "insn", "rd_wdata", "mem_addr", "mem_rdata", "mem_wdata", "pc_wdata", "cycle",
             "mstatus", "mepc", "mcause", "mtval", "mie", "mip", "mtvec", "mscratch", "order", "zero",
             "high")  # fmt: skip
    return struct.pack("<20I", *(values.get(n, 0) for n in names))


def test_trace_lines(program) -> None:
    raw = (
        record(flags=3 << 3 | 5 << 16, pc=BASE, insn=0x0032_8293, rd_wdata=3, cycle=7)
        + record(
            flags=3 << 3 | 2 << 12, pc=BASE + 4, insn=0x0062_80A3, mem_addr=0x100, mem_wdata=0xAB00, cycle=8
        )
        + record(flags=1 | 3 << 3, pc=BASE + 8, insn=ILLEGAL, mcause=2, mtval=ILLEGAL, pc_wdata=0x40, cycle=9)
        + record(flags=2, pc=0x40, insn=0x8082, mcause=0x8000_0007, cycle=12, high=1)
        + b"cut short"
    )
    assert len(raw) == 4 * RECORD_BYTES + 9
    lines = [" ".join(line.split()) for line in trace_lines(read_trace(io.BytesIO(raw)), program)]
    assert lines == [
        "main:",
        "7 3 80000000 00328293 addi t0,t0,3 t0=00000003",
        "8 3 80000004 006280a3 sb t1,1(t0) [00000101]=ab",
        "9 3 80000008 c0008053 .4byte 0xc0008053 trap: illegal instruction, mtval 0xc0008053, to 00000040",
        "4294967308 0 00000040 8082 c.jr ra timer interrupt",
    ]


def test_plusargs(tmp_path) -> None:
    said = plusargs(RunOptions(limit=5, interrupt_mask=0x80), {"image": tmp_path, "trace": None}, ("a=b",))
    assert f"+image={tmp_path}" in said
    assert "+limit=5" in said
    assert "+interrupt_mask=80" in said
    assert said[-1] == "+a=b"
    assert not any("trace" in text for text in said)


def ports(*extra: tuple[str, str, int]) -> list[dict]:
    buses = [("request", "out", 1), ("grant", "in", 1), ("address", "out", 32), ("response", "in", 1),
             ("read_data", "in", 32), ("error", "in", 1)]  # fmt: skip
    data = [("write", "out", 1), ("strobe", "out", 4), ("write_data", "out", 32)]
    rows = [(f"ibus__{n}", d, w) for n, d, w in buses] + [(f"dbus__{n}", d, w) for n, d, w in (*buses, *data)]
    return [{"name": n, "direction": d, "width": w} for n, d, w in (*rows, *extra)]


def test_wrapper_ties_off_what_is_not_known() -> None:
    text = harness_core(
        "core", ports(("debug__x", "in", 5), ("interrupts__local", "in", 4), ("odd", "out", 3))
    )
    assert "`define HARNESS_LANES 1" in text
    assert "(5'd0)" in text
    assert "lines[16 +: 4]" in text
    assert "odd" not in text
    assert "assign rvfi_valid = 0;" in text


def test_wrapper_of_two_lanes_and_a_custom_unit() -> None:
    wide = [
        p | {"width": 64} if p["name"] == "ibus__read_data" else p for p in ports(("rvfi__valid", "out", 2))
    ]
    wide += [{"name": "custom__request_valid", "direction": "out", "width": 1}]
    text = harness_core("core", wide)
    assert "`define HARNESS_LANES 2" in text
    assert "`define HARNESS_FETCH_WORDS 2" in text
    assert "harness_custom unit" in text


def test_wrapper_names_missing_ports() -> None:
    with pytest.raises(MissingPorts) as caught:
        harness_core("core", [p for p in ports() if p["name"] != "dbus__error"])
    assert caught.value.names == ("dbus__error",)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("wishbone", "harness_wishbone #(.WIDTH(32), .ADDRESS(30)) ibus"),
        ("axi4lite", "harness_axi4lite #(.WIDTH(32)) ibus"),
    ],
)
def test_wrapper_of_other_buses(kind: str, told: str) -> None:
    members = {
        "wishbone": [
            ("cyc", "out", 1), ("stb", "out", 1), ("adr", "out", 30), ("sel", "out", 4), ("ack", "in", 1),
            ("err", "in", 1), ("dat_r", "in", 32), ("we", "out", 1), ("dat_w", "out", 32),
        ],
        "axi4lite": [
            ("arvalid", "out", 1), ("arprot", "out", 3), ("rdata", "in", 32), ("wvalid", "out", 1),
        ],
    }[kind]  # fmt: skip
    rows = [
        {"name": f"{bus}__{name}", "direction": way, "width": width}
        for bus in ("ibus", "dbus")
        for name, way, width in members
        if bus == "dbus" or name[0] != "w"
    ]
    text = harness_core("core", rows)
    assert told in text
    assert "arprot(" not in text
    assert ".request(dbus_request)" in text
    assert "assign dbus_request = 0;" not in text
    assert ".write_data(dbus_write_data)" in text

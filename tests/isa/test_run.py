"""``suzuri isa run`` on a core that is not of the family, and what it says of programs that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_elf import ILLEGAL, STOP, WFI, addi, csrw, elf, exits, load_immediate, lw, says, store, words

from flow.model.errors import CheckFailed, ConfigError

pytestmark = pytest.mark.sim
BASE = 0x8000_0000
STRANGER = Path(__file__).parents[1] / "data" / "isa" / "stranger"


def program(*code: int, **options: object) -> bytes:
    return elf({BASE: words(*code)}, **options)


def test_output_exit_code_and_figures(stranger: Callable) -> None:
    said = stranger(program(*says("hi\n"), *exits(7)))
    assert said.code == 7
    assert said.out.startswith("hi\n\nexit code               7\ncycles ")
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert any(line.startswith("instructions 1") for line in lines)
    assert any(line.startswith("CPI 3.") for line in lines)
    assert any("fetch: no instruction" in line for line in lines)


def test_quiet_prints_the_program_alone(stranger: Callable) -> None:
    said = stranger(program(*says("hi\n"), *exits(0)), "--quiet")
    assert (said.code, said.out, said.err) == (0, "hi\n", "")


def test_exit_code_of_only_high_bits_is_not_good(stranger: Callable) -> None:
    assert stranger(program(*exits(0x100)), "--quiet").code == 1


def test_htif_pass_and_fail(stranger: Callable) -> None:
    tohost = BASE + 0x1000
    symbols = {"tohost": tohost}
    good = stranger(program(*store(1, tohost), STOP, symbols=symbols), "--quiet")
    bad = stranger(program(*store(5 << 1 | 1, tohost), STOP, symbols=symbols), "--quiet")
    assert (good.code, bad.code) == (0, 5)


def test_htif_console_and_system_call(stranger: Callable) -> None:
    tohost, block, text = BASE + 0x1000, BASE + 0x1100, BASE + 0x1200
    console = [*store(ord("A"), tohost), *store(0x0101_0000, tohost + 4), *wait(tohost + 4)]
    values = {0: 64, 8: 1, 16: text, 24: 3}
    call = [word for offset, value in values.items() for word in store(value, block + offset)]
    content = elf(
        {BASE: words(*console, *call, *store(block, tohost), *wait(tohost), *store(1, tohost), STOP),
         text: b"bc\n\0", tohost: bytes(16)},
        BASE, symbols={"tohost": tohost, "fromhost": tohost + 8},
    )  # fmt: skip
    assert stranger(content, "--quiet").out == "Abc\n"


def wait(address: int) -> list[int]:
    """Read a word until it is zero."""
    back = 0xFE03_1CE3  # bnez t1, -8
    return [*load_immediate(5, address), lw(6, 0, 5), addi(0, 0, 0), back]


def test_signature(stranger: Callable, tmp_path: Path) -> None:
    data = BASE + 0x1000
    content = elf(
        {BASE: words(*store(0xDEAD_BEEF, data + 4), *exits(0)), data: words(1, 2, 3, 4)}, BASE,
        symbols={"begin_signature": data, "end_signature": data + 16},
    )  # fmt: skip
    path = tmp_path / "signature"
    assert stranger(content, "--signature", path).code == 0
    assert path.read_text() == "00000001\ndeadbeef\n00000003\n00000004\n"
    assert stranger(content, "--signature", path, "--signature-granularity", 16).code == 0
    assert path.read_text() == "0000000400000003deadbeef00000001\n"


def test_signature_without_symbols(stranger: Callable, tmp_path: Path) -> None:
    said = stranger(program(*exits(0)), "--signature", tmp_path / "s")
    assert isinstance(said.error, ConfigError)
    assert "the program has no symbol begin_signature and no symbol end_signature" in said.message


def test_trace(stranger: Callable, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    stranger(program(*exits(3), functions={"main": (BASE, 24)}), "--trace", path)
    lines = [" ".join(line.split()[2:]) for line in path.read_text().splitlines()]
    assert lines[1:6] == [
        "80000000 100002b7 lui t0,0x10000 t0=10000000",
        "80000004 00428293 addi t0,t0,4 t0=10000004",
        "80000008 00000337 lui t1,0x0 t1=00000000",
        "8000000c 00330313 addi t1,t1,3 t1=00000003",
        "80000010 0062a023 sw t1,0(t0) [10000004]=00000003",
    ]
    assert not list(tmp_path.glob(".*.raw"))


def test_waits_change_nothing_but_time(stranger: Callable, tmp_path: Path) -> None:
    content = program(*says("ok\n"), *exits(0))
    quick = stranger(content)
    slow = stranger(content, "--stall-grant", 40, "--stall-response", 60, "--seed", 3)
    assert quick.out.splitlines()[0] == slow.out.splitlines()[0] == "ok"
    cycles = [int(s.out.split("cycles")[1].split()[0]) for s in (quick, slow)]
    assert cycles[1] > 1.5 * cycles[0]


def test_other_addresses_and_formats(stranger: Callable, isa: Callable, tmp_path: Path) -> None:
    low = elf({0x100: words(*exits(4))})
    assert stranger(low, "--quiet", memory="0:64K").code == 4  # by way of the reset vector
    path = tmp_path / "program.bin"
    path.write_bytes(words(STOP, *exits(5)))
    said = isa("run", path, "--core", STRANGER, "--sim", "icarus", "--load-address", "0x80000000",
               "--memory", "0x80000000:64K", "--entry", "0x80000004", "--quiet")  # fmt: skip
    assert said.code == 5  # its reset vector is moved


def test_a_program_that_never_ends(stranger: Callable) -> None:
    said = stranger(program(addi(5, 0, 1), STOP, functions={"spin": (BASE, 8)}), "--limit", 500)
    assert isinstance(said.error, CheckFailed)
    assert said.error.exit_code == 1
    assert "the program did not end within 500 cycles; it was at 0x80000004 (spin+0x4)" in said.message
    assert "--limit" in said.message
    assert "80000004  jal      zero,80000004" in said.err


def test_a_program_that_waits_for_ever(stranger: Callable) -> None:
    said = stranger(program(WFI), "--limit", 500)
    assert "waiting in WFI for an interrupt" in said.message


def test_a_program_that_only_traps(stranger: Callable) -> None:
    said = stranger(program(*load_immediate(5, 0x4000_0000), csrw(0x305, 5), ILLEGAL), "--limit", 100000)
    assert "the program only traps: instruction access fault at 0x40000000" in said.message
    assert "first illegal instruction was at 0x8000000c: .4byte 0xc0008053, which needs f" in said.message


def test_a_handler_that_itself_traps(stranger: Callable) -> None:
    handler = BASE + 0x100
    faulty = [addi(6, 6, 1), *store(1, 0x5000_0000), STOP]
    content = elf({BASE: words(*load_immediate(5, handler), csrw(0x305, 5), *store(1, 0x4000_0000), STOP),
                   handler: words(*faulty)}, BASE)  # fmt: skip
    said = stranger(content, "--limit", 100000)
    assert "the program only traps: store access fault at 0x80000114" in said.message
    assert "the first store access fault was at 0x8000001c: sw t1,0(t0), address 0x40000000" in said.message
    assert "--memory 0x40000000:4K" in said.message
    assert "8000001c sw t1,0(t0) (trapped)" in " ".join(said.err.split())


def test_a_jump_to_itself_with_interrupts_off_ends_the_run(stranger: Callable) -> None:
    said = stranger(program(*load_immediate(5, BASE), csrw(0x305, 5), STOP), "--limit", 1_000_000)
    assert "goes round for ever at 0x8000000c: a jump to itself, with interrupts off" in said.message
    assert [line.split()[0] for line in said.err.splitlines() if line.startswith("  ")] == [
        "80000000", "80000004", "80000008", "8000000c",
    ]  # fmt: skip
    on = stranger(program(*load_immediate(5, 0x888), csrw(0x304, 5), csrw(0x300, 5), STOP), "--limit", 20_000)
    assert "did not end within 20000 cycles" in on.message  # an interrupt may come


def test_symbols_for_a_file_that_has_none(stranger: Callable, tmp_path: Path) -> None:
    tohost, data = BASE + 0x1000, BASE + 0x1100
    content = elf({BASE: words(*store(7 << 1 | 1, tohost), STOP), data: words(5, 6)}, BASE)
    names = {"tohost": tohost, "begin_signature": data, "end_signature": data + 8}
    told = [word for name, at in names.items() for word in ("--symbol", f"{name}={at:#x}")]
    path = tmp_path / "signature"
    assert stranger(content, "--quiet", "--signature", path, *told).code == 7
    assert path.read_text() == "00000005\n00000006\n"


def test_a_signature_that_is_not_in_memory(stranger: Callable, tmp_path: Path) -> None:
    symbols = {"begin_signature": BASE, "end_signature": 0xFFFF_FFFF}
    said = stranger(program(*exits(0), symbols=symbols), "--signature", tmp_path / "s")
    assert "the signature from 0x80000000 to 0xffffffff does not lie in memory" in said.message


def test_a_bus_that_never_answers(stranger: Callable) -> None:
    said = stranger(program(*store(1, 0x1000_0400), *exits(0)), "--watchdog", 200)
    assert "the data bus has not answered the access to 0x10000400" in said.message
    said = stranger(program(*exits(0)), "--watchdog", 200, "--stall-grant", 100)
    assert "the instruction bus does not grant the core's request" in said.message


def test_a_bus_that_answers_with_an_error(stranger: Callable) -> None:
    handler = BASE + 0x100
    content = elf(
        {BASE: words(*load_immediate(5, handler), csrw(0x305, 5), *store(1, 0x1000_0800), STOP),
         handler: words(0x3420_2573, *load_immediate(5, 0x1000_0004), 0x00A2_A023, STOP)}, BASE,
    )  # fmt: skip
    assert stranger(content, "--quiet").code == 7  # store access fault


def test_an_extension_that_the_core_lacks(stranger: Callable) -> None:
    said = stranger(program(0x02B5_0533, *exits(0), arch="rv32i2p1_m2p0", functions={"main": (BASE, 4)}),
                    "--limit", 1000)  # fmt: skip
    assert (
        "Note: the program was compiled for m (first at 0x80000000 (main): mul a0,a0,a1), "
        "which the core (rv32i_zicsr_zicntr) lacks"
    ) in said.err
    assert "mul a0,a0,a1, which needs m" in said.message


def test_a_handler_that_ends_the_program_for_an_illegal_instruction(stranger: Callable) -> None:
    handler = BASE + 0x100
    content = elf(
        {BASE: words(*load_immediate(5, handler), csrw(0x305, 5), ILLEGAL), handler: words(*exits(130))}, BASE
    )
    said = stranger(content)
    assert said.code == 130
    assert (
        "Note: the first illegal instruction was at 0x8000000c: .4byte 0xc0008053, which needs f" in said.err
    )
    assert "exit code             130" in said.out


def test_a_program_outside_of_memory(stranger: Callable) -> None:
    said = stranger(program(*exits(0)), memory="0:64K")
    assert "has 24 bytes at 0x80000000, outside the memory (0x00000000:64K)" in said.message


def test_memory_over_a_device(stranger: Callable) -> None:
    said = stranger(program(*exits(0)), "--memory", "0x10000000:4K", "--limit", 500)
    assert "Note: memory lies over the test device" in said.err


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (("--core", "smal"), "there is no core 'smal'"),
        (("--core", "/nowhere"), "there is no core '/nowhere'"),
        (("--memory", "4M"), "'4M' is not of the form ADDRESS:SIZE"),
        (("--entry", "0"), "the entry address 0x0 lies outside"),
        (("--trace", "/nowhere/trace"), "there is no folder /nowhere"),
        (("--signature", "/nowhere/s"), "there is no folder /nowhere"),
        (("--waves", "/proc/version"), "/proc/version cannot be written"),
        (("--memory", "0x80000000:128M"), "the memory has 128 MiB; Icarus takes 64 at most"),
    ],
)
def test_options_that_are_wrong(isa: Callable, tmp_path: Path, words_: tuple[str, ...], said: str) -> None:
    path = tmp_path / "program.elf"
    path.write_bytes(program(*exits(0)))
    found = isa("run", path, "--core", STRANGER, "--sim", "icarus", *words_)
    assert isinstance(found.error, ConfigError)
    assert said in found.message


def test_a_design_that_is_no_core(isa: Callable, tmp_path: Path) -> None:
    (tmp_path / "a.v").write_text("module a(input clk); endmodule\n")
    manifest = tmp_path / "suzuri.toml"
    manifest.write_text('[design]\nname = "a"\ntop = "a"\nsources = ["a.v"]\n')
    path = tmp_path / "program.elf"
    path.write_bytes(program(*exits(0)))
    assert "its manifest has no [isa]" in isa("run", path, "--core", tmp_path).message
    manifest.write_text(manifest.read_text() + "[isa]\n")
    assert "the ports of a Verilog core are not known" in isa("run", path, "--core", tmp_path).message
    manifest.write_text(manifest.read_text() + 'wraper = "x"\n')
    said = isa("run", path, "--core", tmp_path).message
    assert "unknown key 'wraper'" in said
    assert "Did you mean 'wrapper'?" in said


def test_verilator_and_icarus_agree(stranger: Callable, tmp_path: Path) -> None:
    content = program(*says("same\n"), *exits(0))
    options = ("--stall-grant", 30, "--stall-response", 30, "--seed", 5)
    traces = []
    for sim in ("icarus", "verilator"):
        path = tmp_path / sim
        assert stranger(content, "--trace", path, *options, sim=sim).out.startswith("same\n")
        traces.append(path.read_text())
    assert traces[0] == traces[1]

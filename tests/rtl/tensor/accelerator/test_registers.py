"""The registers: description, documentation, C header and hardware agree."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth.sim import Simulator

from rtl.tensor.accelerator.config import PRESETS
from rtl.tensor.machine.machine import config_word

pytest.importorskip("systemrdl", reason="needs the SystemRDL compiler: pip install 'suzuri[nn]'")

from rtl.tensor.accelerator.register_map import Access, register_map
from rtl.tensor.accelerator.registers import Registers, config_value, main, write_documents

FIELDS = register_map()
OFFSETS = {field.register: field.offset for field in FIELDS}
DOCUMENT = Path(__file__).parents[4] / "docs" / "tensor" / "accelerator.md"


def test_the_documentation_names_every_register_at_its_offset():
    text = DOCUMENT.read_text()
    rows = re.findall(r"^\| (0x[0-9A-F]{2}) \|(.*)$", text, re.MULTILINE)
    named = {}
    for offset, rest in rows:
        names = re.findall(r"`([A-Z_0-9]+)`", rest.split("|")[0])
        named |= {names[0]: int(offset, 16)}
    for offset, name in re.findall(r"(0x[0-9A-F]{2}) `([A-Z_]+)`", text):
        named[name] = int(offset, 16)
    for number in range(4):
        named[f"BASE{number}"] = named["BASE0"] + 4 * number
    assert named == OFFSETS


def test_config_is_what_the_model_expects():
    for config in PRESETS.values():
        assert config_value(config) == config_word(config)


def test_fields_do_not_overlap():
    used = {}
    for field in FIELDS:
        for bit in range(field.low, field.low + field.width):
            assert used.setdefault((field.offset, bit), field) is field


@pytest.fixture(scope="module")
def header(tmp_path_factory):
    pytest.importorskip("peakrdl_cheader", reason="needs PeakRDL's exporters: pip install 'suzuri[nn]'")
    found, page = write_documents(tmp_path_factory.mktemp("registers"))
    assert page.is_file()
    return found


def test_the_header_has_the_same_offsets_and_masks(header, tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    lines = [
        f'_Static_assert(offsetof(suzuri_accelerator_t, {n}) == {o}, "{n}");' for n, o in OFFSETS.items()
    ]
    source = tmp_path / "offsets.c"
    source.write_text(f'#include <stddef.h>\n#include "{header}"\n' + "\n".join(lines) + "\n")
    command = ["gcc", "-c", "-o", tmp_path / "o.o", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    macros = dict(re.findall(r"#define SUZURI_ACCELERATOR__(\w+)_bm (0x[0-9a-f]+)", header.read_text()))
    masks = {int(value, 16) for value in macros.values()}
    assert {((1 << field.width) - 1) << field.low for field in FIELDS} == masks
    assert int(macros["STATUS__TAG"], 16) == 0xFFFF0000


def test_the_command_writes_into_a_folder(header, tmp_path, capsys):
    assert main([str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "suzuri_accelerator.h").read_text() == header.read_text()
    assert "suzuri_accelerator.h" in capsys.readouterr().out


async def write(ctx, dut, offset, value, strobe=15, *, data_first=False):
    bus = dut.bus
    ctx.set(bus.awaddr, offset)
    ctx.set(bus.wdata, value)
    ctx.set(bus.wstrb, strobe)
    ctx.set(bus.wvalid, 1)
    if data_first:
        await ctx.tick()
        ctx.set(bus.wvalid, 0)
        ctx.set(bus.wdata, 0)
        await ctx.tick()
    ctx.set(bus.awvalid, 1)
    await ctx.tick()
    ctx.set(bus.awvalid, 0)
    ctx.set(bus.wvalid, 0)
    pulses = []
    for _ in range(6):
        pulses.append(ctx.get(dut.control_start) | ctx.get(dut.control_stop) << 1)
        if ctx.get(bus.bvalid):
            response = ctx.get(bus.bresp)
            # Held until it is taken.
            await ctx.tick()
            pulses.append(ctx.get(dut.control_start) | ctx.get(dut.control_stop) << 1)
            assert ctx.get(bus.bvalid)
            assert ctx.get(bus.bresp) == response
            ctx.set(bus.bready, 1)
            await ctx.tick()
            ctx.set(bus.bready, 0)
            assert not ctx.get(bus.bvalid)
            return response, pulses
        await ctx.tick()
    raise AssertionError("no answer")


async def read(ctx, dut, offset):
    bus = dut.bus
    ctx.set(bus.araddr, offset)
    ctx.set(bus.arvalid, 1)
    await ctx.tick()
    ctx.set(bus.arvalid, 0)
    for _ in range(6):
        if ctx.get(bus.rvalid):
            found = ctx.get(bus.rdata), ctx.get(bus.rresp)
            await ctx.tick()
            assert (ctx.get(bus.rvalid), ctx.get(bus.rdata)) == (1, found[0])
            ctx.set(bus.rready, 1)
            await ctx.tick()
            ctx.set(bus.rready, 0)
            assert not ctx.get(bus.rvalid)
            return found
        await ctx.tick()
    raise AssertionError("no answer")


def simulate(bench):
    dut = Registers()
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def run(ctx):
        await bench(ctx, dut)

    simulator.add_testbench(run)
    simulator.run()


def test_hardware_reads_and_writes_as_described():
    async def bench(ctx, dut):
        for number, field in enumerate(FIELDS):
            if field.access is Access.INPUT:
                ctx.set(getattr(dut, field.member), 0x9E3779B9 * (number + 1) & ((1 << field.width) - 1))
        for offset in range(0, 0x80, 4):
            mine = [field for field in FIELDS if field.offset == offset]
            before = await read(ctx, dut, offset)
            expected = 0
            for number, field in enumerate(FIELDS):
                if field in mine and field.access is Access.CONSTANT:
                    expected |= field.reset << field.low
                if field in mine and field.access is Access.INPUT:
                    expected |= (0x9E3779B9 * (number + 1) & ((1 << field.width) - 1)) << field.low
            assert before == (expected, 0 if mine else 2), hex(offset)
            response, pulses = await write(ctx, dut, offset, 0xFFFFFFFF)
            assert response == (0 if mine else 2)
            assert sum(pulses) == (3 if offset == OFFSETS["CONTROL"] else 0)
            for field in mine:
                if field.access is Access.STORED:
                    expected |= ((1 << field.width) - 1) << field.low
                    assert ctx.get(getattr(dut, field.member)) == (1 << field.width) - 1
            assert (await read(ctx, dut, offset))[0] == expected

    simulate(bench)


def test_strobes_and_data_before_the_address():
    async def bench(ctx, dut):
        offset = OFFSETS["EXPECTED_CONFIG"]
        await write(ctx, dut, offset, 0x11223344)
        await write(ctx, dut, offset, 0xAABBCCDD, 0b0101)
        assert await read(ctx, dut, offset) == (0x11BB33DD, 0)
        await write(ctx, dut, offset, 0x12345678, data_first=True)
        assert await read(ctx, dut, offset) == (0x12345678, 0)
        await write(ctx, dut, OFFSETS["CONTROL"], 3, 0b1110)
        assert ctx.get(dut.control_start) == 0

    simulate(bench)


def test_flags_are_set_by_hardware_and_cleared_by_ones():
    async def bench(ctx, dut):
        offset = OFFSETS["INTERRUPT_STATUS"]
        for name in ("done", "error"):
            ctx.set(getattr(dut, f"interrupt_status_{name}_set"), 1)
        await ctx.tick()
        for name in ("done", "error"):
            ctx.set(getattr(dut, f"interrupt_status_{name}_set"), 0)
        assert await read(ctx, dut, offset) == (3, 0)
        await write(ctx, dut, offset, 0)
        assert await read(ctx, dut, offset) == (3, 0)
        await write(ctx, dut, offset, 1)
        assert await read(ctx, dut, offset) == (2, 0)
        ctx.set(dut.interrupt_status_error_set, 1)
        await write(ctx, dut, offset, 2)
        assert (await read(ctx, dut, offset))[0] == 2  # setting goes first

    simulate(bench)

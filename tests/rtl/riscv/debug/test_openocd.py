"""A real OpenOCD at the pins of a simulated core."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from debug_system import BASE, DebugSystem, run_system

from verif.agents.debug import RemoteBitbang

CYCLE = 1e-8
# x1 counts; x5 is the base of memory; each round stores the count and loads it back.
PROGRAM = [0x8000_02B7, 0x0000_0093, 0x0010_8093, 0x2012_A023, 0x2002_A103, 0xFF5F_F06F]

CONFIGURATION = """
adapter driver remote_bitbang
remote_bitbang host 127.0.0.1
remote_bitbang port {port}
transport select jtag
jtag newtap core cpu -irlen 5 -expected-id 0x00000001
target create core.cpu riscv -chain-position core.cpu
riscv set_command_timeout_sec 120
gdb_port disabled
tcl_port disabled
telnet_port disabled
proc show {{what value}} {{ echo "SEEN $what [string trim $value]" }}
init
poll off
halt
wait_halt 60000
show misa [lindex [get_reg -force misa] 1]
reg pc {base:#x}
step
show stepped [lindex [get_reg -force pc] 1]
step
step
show counted [lindex [get_reg -force ra] 1]
mww {data:#x} 0x12345678 4
mwh {data:#x} 0xbeef
mwb {last:#x} 0x5a
show memory [read_memory {data:#x} 32 5]
set_reg {{ra 0x100}}
bp {hardware:#x} 4 hw
resume
wait_halt 60000
show hardware [lindex [get_reg -force pc] 1]
rbp {hardware:#x}
bp {software:#x} 4
resume
wait_halt 60000
show software [lindex [get_reg -force pc] 1]
show again [lindex [get_reg -force ra] 1]
rbp {software:#x}
wp {data:#x} 4 w
resume
wait_halt 60000
show watched [lindex [get_reg -force pc] 1]
resume
shutdown
"""


@pytest.mark.nightly
@pytest.mark.parametrize("preset", ["nano", "small"])
def test_openocd_debugs_a_core(preset: str, tmp_path: Path) -> None:
    openocd = shutil.which("openocd")
    if openocd is None:
        pytest.skip("needs OpenOCD: apt-get install openocd")
    system = DebugSystem(preset, PROGRAM, debug="jtag", triggers=2)
    log = tmp_path / "openocd.log"
    places = {"base": BASE, "data": BASE + 0x200, "last": BASE + 0x210}
    places |= {"hardware": BASE + 16, "software": BASE + 12}

    async def bench(ctx: object) -> None:
        pins = system.core.jtag
        server = RemoteBitbang(
            lambda name, value: ctx.set(getattr(pins, name), value),
            lambda: ctx.get(pins.tdo),
            lambda: ctx.delay(0.6 * CYCLE),
        )
        configuration = tmp_path / "core.cfg"
        configuration.write_text(CONFIGURATION.format(port=server.port, **places))
        with (
            log.open("w") as output,
            subprocess.Popen(
                [openocd, "-f", str(configuration)], stdout=output, stderr=subprocess.STDOUT
            ) as process,
        ):
            try:
                assert await server.serve(120) > 1000
                assert process.wait(60) == 0
            finally:
                process.kill()

    run_system(system, bench)
    text = log.read_text()
    seen = dict(line.split(maxsplit=2)[1:] for line in text.splitlines() if line.startswith("SEEN"))
    misa = {"nano": "0x40000100", "small": "0x40001104"}[preset]
    assert seen == {
        "misa": misa,
        "stepped": hex(BASE + 4),
        "counted": "0x00000001",
        "memory": "0x1234beef 0x12345678 0x12345678 0x12345678 0x5a",
        "hardware": hex(BASE + 16),
        "software": hex(BASE + 12),
        "again": "0x00000101",
        "watched": hex(BASE + 12),
    }, text

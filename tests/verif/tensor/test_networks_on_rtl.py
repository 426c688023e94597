"""Random networks on the simulated accelerator: every tensor as TensorFlow Lite Micro has it."""

import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")
pytest.importorskip("systemrdl", reason="needs the SystemRDL compiler: pip install 'suzuri[nn]'")

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.errors import CompileError
from verif.envs.accelerator.networks import run_random_network
from verif.harness.tensor.quick import build, elaborate

pytestmark = [pytest.mark.sim, pytest.mark.nightly]

#: All arrays, all widths of the port, presets' memories and tight ones; and the seeds of each.
SHARES = {
    (4, 32, 16, 8, 64): range(60),
    (4, 64, 8, 1, 16): range(100, 150),
    (8, 64, 64, 32, 128): range(200, 240),
    (8, 32, 32, 8, 32): range(300, 320),
    (8, 128, 16, 4, 16): range(400, 420),
    (16, 128, 128, 64, 128): range(500, 520),
    (16, 32, 64, 16, 64): range(600, 610),
}


def test_there_are_two_hundred() -> None:
    assert sum(map(len, SHARES.values())) >= 200


@pytest.mark.parametrize(
    "shape", SHARES, ids=lambda shape: f"{shape[0]}x{shape[0]}-{shape[1]}-bits-{shape[2]}-KiB"
)
def test_random_networks(shape: tuple[int, ...], tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")
    parameters = dict(zip(AcceleratorConfig.parameter_names(), shape, strict=True))
    simulator = build(
        elaborate(**parameters), AcceleratorConfig(**parameters), tmp_path_factory.mktemp("rtl")
    )
    ran = tensors = 0
    for seed in SHARES[shape]:
        try:
            outcome = run_random_network(simulator, seed)
        except CompileError as error:
            assert "of the activation memory" in str(error)
            continue
        assert not outcome.wrong, f"seed {seed}: {outcome.wrong}"
        ran += 1
        tensors += outcome.tensors
    assert ran > len(SHARES[shape]) // 2
    assert tensors > 3 * ran

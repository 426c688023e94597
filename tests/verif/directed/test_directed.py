"""Every preset passes the directed tests that it must, and so does Spike."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.riscv.config import PRESETS, CoreConfig
from verif.harness.riscv.quick import build, elaborate
from verif.programs.directed.build import COMPILER, assemble
from verif.programs.directed.catalogue import TESTS, DirectedTest, applicable
from verif.programs.directed.run import Outcome, on_core, on_spike, spike_config

pytestmark = pytest.mark.sim

#: What the presets have, and what they may have besides: together, every test runs.
CORES = {
    "nano": ("nano", {}),
    "small": ("small", {}),
    "fast": ("fast", {}),
    "small_full": (
        "small",
        {
            **dict.fromkeys(("zba", "zbb", "zbs", "zcb", "zicond", "user_mode"), True),
            "pmp_regions": 4,
            "local_interrupts": 2,
        },
    ),
    "fast_full": (
        "fast",
        {
            **dict.fromkeys(("a", "c", "zcb", "user_mode"), True),
            "pmp_regions": 4,
            "local_interrupts": 2,
        },
    ),
    "fast_memories": (
        "fast",
        {
            "instruction_cache_bytes": 512,
            "data_cache_bytes": 256,
            "instruction_tcm_bytes": 1024,
            "instruction_tcm_base": 0x3000_0000,
            "data_tcm_bytes": 512,
            "data_tcm_base": 0x2000_0000,
        },
    ),
}


@pytest.fixture(scope="module")
def needed() -> None:
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}: apt-get install gcc-riscv64-unknown-elf")
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")


@pytest.fixture(scope="module")
def outcome(
    needed: None, simulator_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Outcome]]:
    """Outcomes by core and test: a core is built when its first test asks, the presets at once."""
    folder = tmp_path_factory.mktemp("directed")
    with ThreadPoolExecutor(2) as pool:

        def simulator(core: str) -> Path:
            preset, options = CORES[core]
            return build(elaborate(preset, options), simulator_cache, level="-O1")

        built: dict[str, Future[Path]] = {core: pool.submit(simulator, core) for core in PRESETS}

        def run(core: str, name: str) -> Outcome:
            if core not in built:
                built[core] = pool.submit(simulator, core)
            preset, options = CORES[core]
            test = next(test for test in TESTS if test.name == name)
            program = assemble(test, CoreConfig.preset(preset, **options), folder / "programs")
            return on_core(test, program, built[core].result())

        yield run
        pool.shutdown(cancel_futures=True)


def _cases() -> Iterator[object]:
    for core, (preset, options) in CORES.items():
        marks = () if core in PRESETS else (pytest.mark.nightly,)
        for test in applicable(CoreConfig.preset(preset, **options)):
            yield pytest.param(core, test.name, id=f"{core}-{test.name}", marks=marks)


@pytest.mark.parametrize(("core", "name"), list(_cases()))
def test_core_passes(core: str, name: str, outcome: Callable[[str, str], Outcome]) -> None:
    result = outcome(core, name)
    assert result.good, result.message


def _on_spike() -> Iterator[object]:
    # Everything that some core has, at least once.
    seen = set()
    for core, (preset, options) in reversed(CORES.items()):
        for test in applicable(CoreConfig.preset(preset, **options)):
            if not test.device:
                marks = (pytest.mark.nightly,) if test.name in seen else ()
                seen.add(test.name)
                yield pytest.param(core, test, id=f"{core}-{test.name}", marks=marks)


@pytest.mark.parametrize(("core", "test"), list(_on_spike()))
def test_spike_agrees(core: str, test: DirectedTest, needed: None, tmp_path: Path) -> None:
    preset, options = CORES[core]
    config = spike_config(CoreConfig.preset(preset, **options))
    try:
        result = on_spike(test, assemble(test, config, tmp_path), config)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert result.good, result.message


def test_each_test_runs_somewhere() -> None:
    covered = set()
    for preset, options in CORES.values():
        covered |= {test.name for test in applicable(CoreConfig.preset(preset, **options))}
    assert covered == {test.name for test in TESTS}


def test_a_wrong_core_is_told_from_a_right_one(needed: None, tmp_path: Path) -> None:
    """A test for another core fails, and says where."""
    other = CoreConfig.preset("nano", hart_id=3)
    test = next(test for test in TESTS if test.name == "csr_machine")
    try:
        result = on_spike(test, assemble(test, other, tmp_path), other)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert not result.good
    assert result.message.startswith("test ")
    assert "line " in result.message

"""Random programs on the whole accelerator: memory as the functional model leaves it."""

import random

import pytest
from accelerator_system import SMALL, simulator

from rtl.tensor.accelerator.commands import Base, End, Engine, Load, Memory, Pack, Store, assemble
from verif.envs.accelerator.compare import BASES, compare
from verif.envs.accelerator.programs import ProgramWriter, random_pack, random_program

pytestmark = [pytest.mark.sim, pytest.mark.nightly]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("accelerator")


@pytest.mark.parametrize(("latency", "stall"), [(20, 0), (1, 0), (5, 40), (2, 80)])
@pytest.mark.parametrize("name", SMALL)
def test_random_programs(name, latency, stall, folder):
    system = simulator(name, folder)
    seen = set()
    for seed in range(25):
        program = random_program(1000 * latency + stall + seed, system.config)
        outcome = compare(system, program, seed=seed, latency=latency, stall=stall)
        assert outcome.difference == "", f"seed {seed}"
        seen |= {type(command) for command in program}
        tags = [command.tag for command in program[:-1]]
        for kind in ("started", "done"):
            assert sorted(tag for _, _, what, tag in outcome.run.events if what == kind) == tags
    assert seen == {Load, Pack, Store, End}


@pytest.mark.parametrize("burst_beats", [2, 64])
def test_other_bursts(burst_beats, folder):
    system = simulator("4, 32 bits", folder, burst_beats)
    for seed in range(10):
        assert compare(system, random_program(seed, system.config), seed=seed, stall=20).difference == ""


def test_packing_alone(folder):
    system = simulator("4, 64 bits", folder)
    config = system.config
    whole = {"address": 0, "row_bytes": 2048, "rows": 1}
    rng = random.Random(5)
    for seed in range(40):
        writer = ProgramWriter(config)
        writer.add(Load(memory=Memory.ACTIVATION, base=Base.INPUT, offset=0, **whole))
        writer.add(random_pack(rng, config))
        writer.add(
            Store(memory=Memory.ACTIVATION, base=Base.OUTPUT, offset=0, **whole), also=frozenset(Engine)
        )
        assert compare(system, writer.end(), seed=seed).difference == "", f"seed {seed}"


def test_a_beat_a_cycle_from_a_slow_memory(folder):
    system = simulator("4, 32 bits", folder)
    load = Load(memory=Memory.ACTIVATION, base=Base.INPUT, offset=0, address=0, row_bytes=2048)
    run = compare(system, [load, End()], latency=20).run
    begin, end = (cycle for cycle, engine, _, _ in run.events if engine == Engine.LOAD)
    assert end - begin <= 512 + 32


def test_loads_in_a_row_lose_nothing(folder):
    system = simulator("4, 32 bits", folder)
    loads = [
        Load(memory=Memory.ACTIVATION, base=Base.INPUT, offset=128 * n, address=32 * n, row_bytes=128, tag=n)
        for n in range(16)
    ]
    run = compare(system, [*loads, End()], latency=20, hazards=False).run
    done = [cycle for cycle, _, what, _ in run.events if what == "done"]
    # Once under way, 32 beats each, and 8 of the command that follows.
    assert (done[-1] - done[3]) / 12 <= 41


def test_the_same_program_again_and_again(folder):
    system = simulator("4, 32 bits", folder)
    program = random_program(7, system.config)
    assert compare(system, program, runs=3).difference == ""


@pytest.mark.parametrize("stop_at", [1, 5, 30, 60, 100, 150, 200, 300, 500, 700])
def test_stop_leaves_the_port_clean(stop_at, folder):
    """After a stop the accelerator is idle, and the memory port kept its rules."""
    system = simulator("4, 32 bits", folder)
    content = assemble(random_program(3, system.config))
    run = system.run({0: content}, bases=BASES, stop_at=stop_at, stall=30, limit=100_000, runs=2)
    values = run.values
    assert not values["limited"]
    assert (values["busy"], values["done"], values["error"], values["protocol"]) == (0, 0, 0, 0)

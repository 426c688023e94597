"""What stops a program: each error code, with the command's engine and tag, and never a hang."""

from dataclasses import replace

import pytest
from accelerator_system import SMALL, simulator

from rtl.tensor.accelerator.commands import (
    Base,
    Compute,
    End,
    Engine,
    Load,
    Memory,
    Operation,
    Pack,
    Store,
    assemble,
)
from verif.envs.accelerator.compare import BASES, compare
from verif.envs.accelerator.programs import REGION

pytestmark = [pytest.mark.sim, pytest.mark.nightly]
NAME = "4, 32 bits"
WORDS, WEIGHTS = 512, 128  # of SMALL[NAME]

LOAD = Load(tag=7, memory=Memory.ACTIVATION, base=Base.INPUT, offset=64, address=3, row_bytes=32, rows=2,
            stride=64, pitch=9)  # fmt: skip
STORE = Store(tag=8, memory=Memory.ACTIVATION, base=Base.OUTPUT, offset=32, address=5, row_bytes=16)
PACK = Pack(tag=9, source=0, row_bytes=12, in_rows=4, segment_bytes=6, step_bytes=2, columns=3, rows=2,
            kernel_rows=2, target=100, target_row=3, target_group=6)  # fmt: skip
CONV = Compute(tag=10, operation=Operation.CONV, source=0, in_groups=2, in_columns=5, in_rows=4,
               source_group=20, groups=2, columns=5, rows=4, target=60, target_row=5, target_group=20,
               weights=0)  # fmt: skip
ADD = Compute(tag=11, operation=Operation.ADD, source=0, in_columns=4, in_rows=4, columns=4, rows=4,
              groups=2, target=80, source_b=40)  # fmt: skip
DEPTHWISE = replace(CONV, operation=Operation.DEPTHWISE, in_groups=1, kernel_rows=3, kernel_columns=3)

FIELDS = [
    *(replace(LOAD, **{name: 0}) for name in ("row_bytes", "rows")),
    *(replace(STORE, **{name: 0}) for name in ("row_bytes", "rows")),
    replace(STORE, memory=Memory.WEIGHT),
    *(replace(PACK, **{name: 0}) for name in
      ("row_bytes", "in_rows", "segment_bytes", "kernel_rows", "columns", "rows")),
    *(replace(CONV, **{name: 0}) for name in
      ("stride_x", "stride_y", "in_groups", "in_columns", "in_rows", "groups", "kernel_columns",
       "kernel_rows", "columns", "rows")),
    replace(DEPTHWISE, kernel_rows=4),
    replace(DEPTHWISE, kernel_columns=5),
    replace(DEPTHWISE, stride_x=3),
    replace(DEPTHWISE, stride_y=3),
    replace(DEPTHWISE, groups=1, columns=2, keep=True),
    replace(ADD, groups=1, columns=2, rows=2, accumulate=True),
    replace(CONV, divide=True),
    replace(CONV, keep=True),  # two groups
    replace(CONV, groups=1, keep=True),  # 20 pixels of 16
    replace(CONV, groups=1, accumulate=True, columns=17, rows=1),
]  # fmt: skip

ADDRESSES = [
    replace(LOAD, offset=66),
    replace(LOAD, stride=66),
    replace(LOAD, row_bytes=34),
    replace(LOAD, memory=Memory.WEIGHT, row_bytes=12),
    replace(LOAD, address=WORDS - 8 - 9 + 1),
    replace(LOAD, address=2**20 - 1),
    replace(LOAD, pitch=65535),
    replace(LOAD, rows=65535),
    replace(LOAD, memory=Memory.WEIGHT, address=WEIGHTS - 4 - 9 + 1),
    replace(STORE, address=WORDS - 3),
    replace(STORE, offset=2),
    replace(PACK, source=WORDS - 11),
    replace(PACK, in_rows=65535, row_bytes=65535),
    replace(PACK, target=WORDS - 17),
    replace(PACK, target_group=2**20 - 1),
    replace(PACK, target_row=65535),
    replace(PACK, target_column=WORDS),
    replace(CONV, source=WORDS - 39),
    replace(CONV, in_rows=65535, in_columns=65535),
    replace(CONV, target=WORDS - 39),
    replace(CONV, target_row=WORDS),
    replace(CONV, weights=WEIGHTS - 2 * (5 + 2 * 2) + 1),
    replace(CONV, in_groups=4095, source_group=0, kernel_rows=255, kernel_columns=255),
    replace(DEPTHWISE, weights=WEIGHTS - 2 * (5 + 6) + 1),
    replace(CONV, operation=Operation.CHANNEL, in_groups=1, weights=WEIGHTS - 2 * 6 + 1),
    replace(ADD, source=WORDS - 31),
    replace(ADD, source_b=WORDS - 31),
    replace(ADD, target=WORDS - 31),
    replace(ADD, columns=65535, rows=65535, groups=4095),
]

#: As far as it goes.
LAST = [
    replace(LOAD, address=WORDS - 8 - 9),
    replace(LOAD, memory=Memory.WEIGHT, address=WEIGHTS - 4 - 9),
    replace(STORE, address=WORDS - 4),
    replace(PACK, source=WORDS - 12),
    replace(PACK, target=WORDS - 18),
    replace(CONV, source=WORDS - 40),
    replace(CONV, target=WORDS - 40),
    replace(CONV, weights=WEIGHTS - 2 * (5 + 2 * 2)),
    replace(CONV, per_tensor=True, weights=WEIGHTS - 2 * (2 + 2 * 2)),
    replace(DEPTHWISE, weights=WEIGHTS - 2 * (5 + 6)),
    replace(ADD, target=WORDS - 32),
    replace(CONV, groups=1, keep=True, columns=4, target=2**20 - 1),
]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    assert SMALL[NAME]["activation_kib"] * 1024 == 4 * WORDS
    return simulator(NAME, tmp_path_factory.mktemp("accelerator"))


def engine_of(command):
    return {Load: 0, Pack: 1, Compute: 2, Store: 3}[type(command)]


def refused(system, command, code):
    """A good load, the command, and a store that must not come."""
    first = replace(LOAD, tag=1)
    outcome = compare(system, [first, command, replace(STORE, wait_load=1), End()], hazards=False)
    assert outcome.difference == ""
    assert outcome.code == code
    values = outcome.run.values
    assert (values["code"], values["engine"], values["tag"]) == (code, engine_of(command), command.tag)
    assert [tag for _, _, what, tag in outcome.run.events if what == "done"] == [1]


@pytest.mark.parametrize("command", FIELDS, ids=str)
def test_a_field(command, system):
    refused(system, command, 2)


@pytest.mark.parametrize("command", ADDRESSES, ids=str)
def test_an_address(command, system):
    refused(system, command, 3)


@pytest.mark.parametrize("command", LAST, ids=str)
def test_the_last_words_are_taken(command, system):
    outcome = compare(system, [command, End()], hazards=False)
    assert outcome.difference == ""
    assert outcome.code == 0


def test_an_operation_that_is_none(system):
    content = bytearray(assemble([CONV, End()]))
    for operation in (6, 15):
        content[12] = content[12] & 0xF0 | operation
        outcome = compare(system, bytes(content))
        assert outcome.difference == ""
        assert (outcome.code, outcome.run.values["tag"]) == (2, CONV.tag)


@pytest.mark.parametrize("header", [0x0005, 0x0A05, 0x0301, 0x0501, 0x0502, 0x0703, 0x0B04, 0x0200, 0xFFFF])
def test_opcode_and_length(header, system):
    good = assemble([LOAD])
    content = good + (header | 77 << 16).to_bytes(4, "little") + bytes(124)
    outcome = compare(system, content, hazards=False)
    assert outcome.difference == ""
    assert (outcome.code, outcome.run.values["tag"]) == (1, 77)


def test_a_read_that_fails(system):
    program = assemble([replace(LOAD, offset=4096), replace(STORE, wait_load=1), End()])
    run = system.run({0: program}, bases=BASES, read_error=f"{REGION + 4096:x}", limit=5000)
    values = run.values
    assert (values["limited"], values["error"], values["code"]) == (0, 1, 4)
    assert (values["engine"], values["tag"]) == (Engine.LOAD, LOAD.tag)
    assert not any(what == "done" for _, _, what, _ in run.events)


def test_a_write_that_fails(system):
    program = assemble([STORE, End()])
    values = system.run({0: program}, bases=BASES, write_error=f"{BASES[2]:x}", limit=5000).values
    assert (values["limited"], values["error"], values["code"]) == (0, 1, 4)
    assert (values["engine"], values["tag"]) == (Engine.STORE, STORE.tag)


def test_a_program_that_cannot_be_fetched(system):
    values = system.run({}, bases=(1 << 30, *BASES[1:]), limit=5000).values
    assert (values["limited"], values["error"], values["code"]) == (0, 1, 4)


def test_what_lies_behind_the_end_may_fail(system):
    program = assemble([replace(LOAD, offset=0), End()])
    at = 4096 - (len(program) + 15) // 16 * 16
    run = system.run({at: program}, bases=BASES, offset=f"{at:x}", read_error=f"{4096:x}", limit=5000)
    assert (run.values["limited"], run.values["done"], run.values["error"]) == (0, 1, 0)


@pytest.mark.parametrize(
    "commands",
    [
        [replace(LOAD, wait_store=1)],
        [replace(STORE, wait_load=1), replace(LOAD, wait_store=1)],
        [replace(PACK, wait_pack=1)],
        [replace(CONV, wait_load=32768)],
        [replace(LOAD, wait_compute=1)] * 6,  # more than the queue holds
        [LOAD, replace(PACK, wait_load=2), replace(PACK, tag=1), replace(LOAD, tag=2)],
    ],
    ids=range(6),
)
def test_deadlock(commands, system):
    outcome = compare(system, [*commands, End()], hazards=False)
    assert outcome.difference == ""
    assert outcome.code == 5


def test_another_configuration(system):
    program = assemble([LOAD, End()])
    values = system.run({0: program}, bases=BASES, config="12345678", limit=5000).values
    assert (values["limited"], values["error"], values["code"], values["busy"]) == (0, 1, 6, 0)
    assert values["bus_read_beats"] == 0
    values = system.run({0: program}, bases=BASES, config="0", limit=5000).values
    assert values["done"] == 1


def test_a_program_without_end_says_what_waits(system):
    program = assemble([LOAD, replace(STORE, wait_load=1), End()])
    run = system.run({0: program}, bases=BASES, latency=400, limit=700)
    assert run.values["limited"] == 1
    assert "LOAD    executes command 7" in run.output
    assert "STORE   is idle; the next one waits for LOAD" in run.output

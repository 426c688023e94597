"""Programs: transfers, packing, errors, waits and their absence."""

import dataclasses
import itertools

import numpy as np
import pytest

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
)  # fmt: skip
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import HazardError, Machine, MachineError, Memories, config_word, execute

CONFIG = AcceleratorConfig.preset("8x8")
ADD = Compute(
    operation=Operation.ADD, source=0, source_b=16, in_columns=1, in_rows=1, columns=16, rows=1, target=32,
    multiplier_a=2**30, multiplier_b=2**30, multiplier=2**30, right=19,
)  # fmt: skip
LOAD = Load(base=Base.INPUT, memory=Memory.ACTIVATION, offset=0, address=0, row_bytes=256)
STORE = Store(base=Base.OUTPUT, memory=Memory.ACTIVATION, offset=0, address=32, row_bytes=128, wait_compute=1)


def machine(commands, **options):
    external = {
        Base.PROGRAM: assemble([*commands, End()]),
        Base.INPUT: bytes(range(256)) * 4,
        Base.OUTPUT: bytes(256),
    }
    return Machine(CONFIG, Memories.create(CONFIG, external, seed=3), **options)


def test_a_program_gives_the_same_in_every_order():
    commands = [LOAD, dataclasses.replace(ADD, wait_load=1), STORE]
    results = set()
    orders = [*range(5), *itertools.permutations(Engine)]
    for order in orders:
        system = machine(commands, order=order)
        assert system.run() == 3
        results.add(system.memories.external[Base.OUTPUT].tobytes())
    # (a + b) / 2 of each byte, halves away from zero
    a, b = (np.arange(start, start + 128, dtype=np.uint8).view(np.int8).astype(int) for start in (0, 128))
    expected = np.sign(a + b) * ((np.abs(a + b) + 1) // 2)
    (result,) = results
    np.testing.assert_array_equal(np.frombuffer(result[:128], np.int8), expected)
    assert result[128:] == bytes(128)


@pytest.mark.parametrize(
    "commands",
    [
        [LOAD, ADD],
        [dataclasses.replace(ADD, target=0, source=32, source_b=48), LOAD],
        [ADD, dataclasses.replace(STORE, wait_compute=0)],
        [ADD, dataclasses.replace(ADD, source=32, target=64)],
        [LOAD, dataclasses.replace(STORE, address=8, wait_compute=0)],
    ],
)
def test_a_missing_wait_is_found_in_every_order(commands):
    for order in [*range(3), *itertools.permutations(Engine)]:
        with pytest.raises(HazardError, match="no wait orders them"):
            machine(commands, order=order).run()


def test_order_follows_from_the_waits_of_others():
    """The store waits for the sum alone, which waited for the load."""
    commands = [
        LOAD,
        dataclasses.replace(ADD, wait_load=1),
        dataclasses.replace(STORE, address=0, wait_compute=1),
    ]
    assert machine(commands).run() == 3


def test_writes_of_an_engine_keep_their_order():
    commands = [ADD, dataclasses.replace(ADD, zero_out=5), STORE]
    with pytest.raises(HazardError):
        machine(commands).run()
    assert machine([*commands[:2], dataclasses.replace(STORE, wait_compute=2)]).run() == 3


def test_a_command_that_writes_what_it_reads_is_a_hazard_but_for_sums_in_place():
    assert machine([dataclasses.replace(ADD, target=0)]).run() == 1
    with pytest.raises(HazardError, match="writes activation words that it reads"):
        machine([dataclasses.replace(ADD, target=8)]).run()


def test_sums_that_none_kept_are_a_hazard():
    command = Compute(
        operation=Operation.SUM, source=0, in_columns=4, in_rows=1, columns=4, rows=1, target=40,
        accumulate=True, multiplier=1,
    )  # fmt: skip
    with pytest.raises(HazardError, match="accumulates 4 pixels"):
        machine([command]).run()
    kept = dataclasses.replace(command, accumulate=False, keep=True)
    assert machine([kept, command]).run() == 2


def replace_word(program, word, value):
    return program[: 4 * word] + value.to_bytes(4, "little") + program[4 * word + 4 :]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (dataclasses.replace(LOAD, rows=0), 2),
        (dataclasses.replace(LOAD, row_bytes=0), 2),
        (dataclasses.replace(STORE, memory=Memory.WEIGHT, wait_compute=0), 2),
        (dataclasses.replace(LOAD, offset=4), 3),
        (dataclasses.replace(LOAD, stride=4, rows=2), 3),
        (dataclasses.replace(LOAD, memory=Memory.WEIGHT, row_bytes=8), 3),
        (dataclasses.replace(LOAD, address=CONFIG.activation_words - 31), 3),
        (dataclasses.replace(LOAD, rows=3, pitch=4090), 3),
        (dataclasses.replace(LOAD, rows=5, stride=256), 4),
        (dataclasses.replace(LOAD, base=Base.SCRATCH), 4),
        (dataclasses.replace(ADD, source=CONFIG.activation_words - 15), 3),
        (dataclasses.replace(ADD, keep=True), 2),
        (dataclasses.replace(ADD, divide=True), 2),
        (dataclasses.replace(ADD, groups=0), 2),
        (dataclasses.replace(ADD, operation=Operation.DEPTHWISE, source_b=0, kernel_columns=5), 2),
        (dataclasses.replace(ADD, operation=Operation.DEPTHWISE, source_b=0, stride_x=3), 2),
        (dataclasses.replace(ADD, operation=Operation.CONV, source_b=0, weights=2040), 3),
        (dataclasses.replace(ADD, operation=Operation.SUM, source_b=0, keep=True, columns=129), 2),
        (dataclasses.replace(ADD, operation=Operation.SUM, source_b=0, target=8192 - 15), 3),
        (Pack(source=0, row_bytes=0, in_rows=1, segment_bytes=1, step_bytes=1, columns=1, rows=1, target=9,
              target_row=1, target_group=1), 2),
        (Pack(source=8190, row_bytes=17, in_rows=1, segment_bytes=1, step_bytes=1, columns=1, rows=1,
              target=9, target_row=1, target_group=1), 3),
        (Pack(source=0, row_bytes=17, in_rows=1, segment_bytes=9, step_bytes=1, columns=1, rows=1,
              target=8191, target_row=1, target_group=1), 3),
    ],
)  # fmt: skip
def test_the_hardware_refuses(command, code):
    with pytest.raises(MachineError) as caught:
        machine([command]).run()
    assert caught.value.code == code


def test_words_that_are_no_commands():
    program = assemble([ADD, End()])
    words = int.from_bytes(program[12:16], "little")
    for word, value, code in [(0, 0x0A07, 1), (0, 0x0904, 1), (3, words | 15, 2)]:
        broken = replace_word(program, word, value)
        system = Machine(CONFIG, Memories.create(CONFIG, {Base.PROGRAM: broken}))
        with pytest.raises(MachineError) as caught:
            system.run()
        assert caught.value.code == code
    with pytest.raises(MachineError, match="is no command") as caught:
        Machine(CONFIG, Memories.create(CONFIG, {Base.PROGRAM: program[:80]})).run()
    assert caught.value.code == 4


def test_a_deadlock_is_an_error():
    with pytest.raises(MachineError, match="no command can start") as caught:
        machine([dataclasses.replace(LOAD, wait_compute=1)]).run()
    assert caught.value.code == 5
    # in the order of the program: the sum that the load waits for lies behind a full queue
    loads = [dataclasses.replace(LOAD, wait_compute=1)] * 5
    with pytest.raises(MachineError):
        machine([*loads, ADD]).run()
    assert machine([*loads[:4], ADD], hazards=False).run() == 5


def test_waits_wrap():
    assert machine([dataclasses.replace(ADD, wait_load=0xFFFF)]).run() == 1
    with pytest.raises(MachineError, match="no command can start"):
        machine([dataclasses.replace(ADD, wait_load=0x7FFF)]).run()


def test_a_program_for_another_configuration_is_refused():
    system = machine([ADD])
    assert config_word(CONFIG) == 8 | 8 << 8 | 6 << 16 | 5 << 20 | 7 << 24
    with pytest.raises(MachineError, match="is for configuration") as caught:
        system.run(expected_config=config_word(AcceleratorConfig.preset("16x16")))
    assert caught.value.code == 6
    assert system.run(expected_config=config_word(CONFIG)) == 1


@pytest.mark.parametrize("array", [4, 8, 16])
def test_packing_is_a_gather_under_the_kernel(array):
    config = AcceleratorConfig.preset(f"{array}x{array}")
    rng = np.random.default_rng(array)
    rows, columns, channels, kernel, stride, pad = 9, 7, 3, (4, 3), (2, 1), (2, 1)
    memories = Memories.create(config, seed=1)
    image = rng.integers(-128, 128, (rows, columns, channels)).astype(np.int8)
    memories.activation.reshape(-1)[3 * array :][: image.size] = image.reshape(-1)
    out_rows, out_columns = 5, 7
    groups = -(-kernel[0] * kernel[1] * channels // array)
    command = Pack(
        source=3, row_bytes=columns * channels, in_rows=rows, segment_bytes=kernel[1] * channels,
        step_bytes=stride[1] * channels, first_byte=-pad[1] * channels, first_row=-pad[0],
        row_step=stride[0], kernel_rows=kernel[0], fill=-7, columns=out_columns, rows=out_rows,
        target=100, target_column=out_rows, target_row=1, target_group=40,
    )  # fmt: skip
    execute(Pack.decode(command.encode()), memories, config)
    padded = np.full((20, 20, channels), -7, np.int8)
    padded[pad[0] : pad[0] + rows, pad[1] : pad[1] + columns] = image
    for y, x in np.ndindex(out_rows, out_columns):
        window = padded[2 * y : 2 * y + kernel[0], x : x + kernel[1]].reshape(-1)
        expected = np.full(groups * array, -7, np.int8)
        expected[: window.size] = window
        got = [memories.activation[100 + g * 40 + y + x * out_rows] for g in range(groups)]
        np.testing.assert_array_equal(np.concatenate(got), expected)


def test_transfers_move_rows():
    source = np.arange(1024, dtype=np.uint8)
    memories = Memories.create(CONFIG, {Base.SCRATCH: source, Base.OUTPUT: bytes(512)})
    load = Load(
        base=Base.SCRATCH,
        memory=Memory.WEIGHT,
        offset=16,
        address=4,
        row_bytes=32,
        rows=3,
        stride=64,
        pitch=5,
    )
    execute(load, memories, CONFIG)
    for row in range(3):
        got = memories.weight[4 + 5 * row : 6 + 5 * row].reshape(-1).view(np.uint8)
        np.testing.assert_array_equal(got, source[16 + 64 * row :][:32])
    memories.activation[:] = np.arange(8, dtype=np.int8) + np.arange(8192, dtype=np.int64)[:, None] % 100
    store = Store(
        base=Base.OUTPUT,
        memory=Memory.ACTIVATION,
        offset=8,
        address=7,
        row_bytes=16,
        rows=4,
        stride=24,
        pitch=9,
    )
    execute(store, memories, CONFIG)
    for row in range(4):
        expected = memories.activation[7 + 9 * row :][:2].reshape(-1).view(np.uint8)
        np.testing.assert_array_equal(memories.external[Base.OUTPUT][8 + 24 * row :][:16], expected)

"""What the compiler refuses, what its waits are worth, and its files."""

import dataclasses

import numpy as np
import pytest
from compiled_networks import CONFIGS, differing, run_machine

from rtl.tensor.accelerator.commands import Base, Compute, End, Engine, Load, assemble
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.binary import read_binary
from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.graph import (
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Graph,
    Padding,
    Reshape,
    Scaling,
    Softmax,
    Tensor,
)  # fmt: skip
from rtl.tensor.compiler.performance import predict
from rtl.tensor.compiler.plan import predicted_times, rows, times_of
from rtl.tensor.machine import HazardError, Machine, MachineError, Memories, config_word, engine_of

RNG = np.random.default_rng(4)
EIGHT = CONFIGS["8x8"]


def scaling(channels):
    return Scaling(
        multiplier=RNG.integers(1 << 30, 1 << 31, channels).astype(np.int32),
        right=RNG.integers(6, 10, channels).astype(np.int32),
        left=np.zeros(channels, np.int32),
    )


def tensor(number, shape):
    return Tensor(
        id=number, name=f"t{number}", dimensions=shape, dtype="int8",
        scales=np.array([0.5], np.float32), zero_points=np.array([3]),
    )  # fmt: skip


def weighted(kind, index, shape, out_shape, weights, **more):
    channels = out_shape[-1]
    return kind(
        index=index, kind=kind.__name__.upper(), inputs=(index,), output=index + 1, input_shape=shape,
        output_shape=out_shape, weights=weights, bias=RNG.integers(-900, 900, channels).astype(np.int32),
        zero=3, zero_out=-4, scaling=scaling(channels), minimum=-128, maximum=127, **more,
    )  # fmt: skip


def conv(index, shape, channels, kernel=(1, 1), stride=(1, 1), pad=0):
    rows_, columns = ((shape[1 + axis] + 2 * pad - kernel[axis]) // stride[axis] + 1 for axis in (0, 1))
    weights = RNG.integers(-127, 128, (channels, *kernel, shape[3])).astype(np.int8)
    padding = Padding(top=pad, left=pad, bottom=pad, right=pad)
    return weighted(
        Conv, index, shape, (1, rows_, columns, channels), weights, stride=stride, padding=padding
    )


def graph_of(first, *makers):
    """Return the graph of operators that follow each other, each made from its number and input shape."""
    shape, operators = first, []
    for index, make in enumerate(makers):
        operators.append(make(index, shape))
        shape = operators[-1].output_shape
    tensors = {0: tensor(0, first)} | {o.output: tensor(o.output, o.output_shape) for o in operators}
    return Graph(
        name="net.tflite", tensors=tensors, operators=tuple(operators), input=0, outputs=(len(operators),)
    )


def values_for(graph):
    shape = graph.tensors[graph.input].dimensions
    return RNG.integers(-128, 128, shape).astype(np.int8)


SMALL = graph_of(
    (1, 9, 7, 3), lambda i, s: conv(i, s, 16, (3, 3), pad=1), lambda i, s: conv(i, s, 20, (3, 3))
)


def test_it_says_which_layer_does_not_fit_and_by_how_much():
    config = AcceleratorConfig(array=8, activation_kib=2)
    graph = graph_of((1, 8, 8, 8), lambda i, s: conv(i, s, 64, (3, 3), pad=1))
    with pytest.raises(CompileError) as caught:
        compile_graph(graph, config)
    # 512 bytes of input, 4096 of output, and the memory of 2048
    assert str(caught.value) == (
        "net.tflite: operator 0, CONV: it needs 2560 bytes more than the 2 KiB of the activation memory. "
        "Choose a configuration with more, such as --set activation_kib=8"
    )
    assert (
        differing(compile_graph(graph, dataclasses.replace(config, activation_kib=8)), values_for(graph))[0]
        == []
    )


def test_packed_inputs_come_in_stripes_where_they_do_not_fit():
    graph = graph_of((1, 32, 32, 3), lambda i, s: conv(i, s, 8, (3, 3), (2, 2), pad=1))
    counts = {}
    for kib in (16, 8):
        program = compile_graph(graph, AcceleratorConfig(array=8, activation_kib=kib), transposed=False)
        assert differing(program, values_for(graph))[0] == []
        packs = [c for c in program.commands if engine_of(c) is Engine.PACK]
        counts[kib] = len({c.target for c in packs}), len(packs)
    # 256 positions of 4 words: all are kept in 16 KiB, and three buffers take turns in 8 KiB
    assert counts[16][0] == counts[16][1] > 1
    assert counts[8][0] == 3 < counts[8][1]


def test_reductions_in_parts():
    config = AcceleratorConfig(array=8, activation_kib=16, weight_kib=1, psum_words=16)
    graph = graph_of((1, 6, 6, 40), lambda i, s: conv(i, s, 12, (3, 3), pad=1))
    program = compile_graph(graph, config, keep=True)
    computes = [c for c in program.commands if isinstance(c, Compute)]
    assert {c.keep for c in computes} == {True, False}
    assert max(c.rows * c.columns for c in computes) <= 16
    assert differing(program, values_for(graph))[0] == []


def test_kernels_that_are_whole_pictures():
    for transposed in (False, True):
        graph = graph_of(
            (1, 5, 4, 8),
            lambda i, s: conv(i, s, 12, (3, 3), pad=1),
            lambda i, s: Reshape(
                index=i, kind="RESHAPE", inputs=(i,), output=i + 1, input_shape=s, output_shape=(1, 1, 1, 240)
            ),
            lambda i, s: weighted(
                FullyConnected, i, s, (1, 1, 1, 10), RNG.integers(-127, 128, (10, 240)).astype(np.int8)
            ),
        )
        program = compile_graph(graph, EIGHT, keep=True, transposed=transposed)
        assert program.transposed is transposed
        assert differing(program, values_for(graph))[0] == []


def test_reshapes_between_convolutions():
    def reshape(shape):
        return lambda i, s: Reshape(
            index=i, kind="RESHAPE", inputs=(i,), output=i + 1, input_shape=s, output_shape=shape
        )

    def graph(first, shape, channels=16):
        return graph_of(first, lambda i, s: conv(i, s, channels), reshape(shape), lambda i, s: conv(i, s, 9))

    for shape in ((1, 1, 20, 16), (1, 10, 2, 16), (1, 5, 8, 8), (1, 1, 1, 320), (1, 5, 2, 32)):
        case = graph((1, 5, 4, 3), shape)
        assert differing(compile_graph(case, EIGHT, keep=True), values_for(case))[0] == []
    with pytest.raises(CompileError, match="operator 2, CONV: RESHAPE gave its input another order"):
        compile_graph(graph((1, 5, 4, 3), (1, 5, 8, 6), 12), EIGHT)


def test_softmax_is_for_the_cpu_and_last():
    def softmax(i, s):
        return Softmax(
            index=i, kind="SOFTMAX", inputs=(i,), output=i + 1, input_shape=s, output_shape=s,
            multiplier=1 << 30, left=20, lowest=-200,
        )  # fmt: skip

    last = graph_of((1, 1, 1, 8), lambda i, s: conv(i, s, 5), softmax)
    assert differing(compile_graph(last, EIGHT), values_for(last))[0] == []
    middle = graph_of((1, 1, 1, 8), lambda i, s: conv(i, s, 5), softmax, lambda i, s: conv(i, s, 5))
    with pytest.raises(CompileError, match="operator 2, CONV: it needs a result that the CPU computes"):
        compile_graph(middle, EIGHT)
    with pytest.raises(CompileError, match="no operator is for the accelerator"):
        compile_graph(graph_of((1, 1, 1, 8), softmax), EIGHT)


def test_windows_beyond_the_hardware_are_refused():
    def pool(i, s):
        return AveragePool(
            index=i, kind="AVERAGE_POOL_2D", inputs=(i,), output=i + 1, input_shape=s,
            output_shape=(1, 1, 1, 1), kernel=(300, 1), stride=(1, 1), padding=Padding(), minimum=-128,
            maximum=127,
        )  # fmt: skip

    graph = graph_of((1, 300, 1, 1), pool)
    with pytest.raises(CompileError, match=r"operator 0, AVERAGE_POOL_2D: its window has .*300"):
        compile_graph(graph, EIGHT)


def test_what_would_take_very_many_commands_is_refused():
    def pool(i, s):
        return AveragePool(
            index=i, kind="AVERAGE_POOL_2D", inputs=(i,), output=i + 1, input_shape=s, output_shape=s,
            kernel=(199, 199), stride=(1, 1), padding=Padding(top=99, left=99, bottom=99, right=99),
            minimum=-128, maximum=127,
        )  # fmt: skip

    large = AcceleratorConfig(array=4, bus_width=32, activation_kib=1024, weight_kib=1)
    windows = graph_of((1, 150, 150, 1), pool)
    with pytest.raises(CompileError, match=r"operator 0, AVERAGE_POOL_2D: it takes about .* commands"):
        compile_graph(windows, large)
    parts = graph_of((1, 32, 32, 400), lambda i, s: conv(i, s, 400, (5, 5), pad=2))
    with pytest.raises(CompileError, match=r"operator 0, CONV: it takes about .* commands"):
        compile_graph(parts, large)


def test_large_kernels_of_depthwise_layers():
    def depthwise(i, s):
        weights = RNG.integers(-127, 128, (11, 5, s[3])).astype(np.int8)
        return weighted(
            Depthwise, i, s, (1, 4, 7, s[3]), weights, stride=(3, 2),
            padding=Padding(top=4, left=3, bottom=5, right=4),
        )  # fmt: skip

    graph = graph_of((1, 11, 10, 20), depthwise)
    for name in CONFIGS:
        assert differing(compile_graph(graph, CONFIGS[name]), values_for(graph))[0] == []


def reassembled(program, commands):
    """Return a program with other commands of the same length."""
    code = assemble([*commands, End()])
    return dataclasses.replace(program, commands=(*commands, End()), image=code + program.image[len(code) :])


def test_a_compute_command_without_its_waits_is_noticed():
    program = compile_graph(SMALL, EIGHT, keep=True)
    commands = program.commands[:-1]
    values = values_for(SMALL)
    found = 0
    for place, command in enumerate(commands):
        if not isinstance(command, Compute):
            continue
        bare = dataclasses.replace(command, wait_load=0, wait_pack=0, wait_compute=0, wait_store=0)
        changed = reassembled(program, [*commands[:place], bare, *commands[place + 1 :]])
        with pytest.raises(HazardError):
            run_machine(changed, values)
        found += 1
    assert found >= 4


def test_every_order_of_execution_gives_the_same():
    program = compile_graph(SMALL, CONFIGS["8 tight"], keep=True)
    values = values_for(SMALL)
    results = {
        b"".join(t.tobytes() for _, t in sorted(run_machine(program, values, order).items()))
        for order in range(8)
    }
    assert len(results) == 1


def test_everything_waits_for_the_input():
    program = compile_graph(SMALL, EIGHT)
    first, *rest = [c for c in program.commands if not isinstance(c, End)]
    assert isinstance(first, Load)
    assert first.tag == 0
    assert all(c.wait_load >= 1 and c.tag > 0 for c in rest)


def test_the_files_of_compiled_networks():
    program = compile_graph(SMALL, EIGHT, keep=True)
    binary = program.binary()
    data = binary.to_bytes()
    assert read_binary(data, "a.bin", config_word(EIGHT)) == binary
    assert [t.kind for t in binary.tensors] == [0, 1, 2, 2]
    assert binary.tensors[0].size == 9 * 7 * 3
    with pytest.raises(CompileError, match=r"it is for the configuration 8x8 .*, not 16x16"):
        read_binary(data, "a.bin", config_word(CONFIGS["16x16"]))
    for broken in (data[:-1], data[:40], b"", data[:100] + b"\1" + data[101:], b"SZNX" + data[4:]):
        with pytest.raises(CompileError, match=r"a\.bin: .*(damaged|no compiled network)"):
            read_binary(broken, "a.bin")
    with pytest.raises(CompileError, match="version 2 of the format"):
        read_binary(data[:4] + b"\2\0\0\0" + data[8:], "a.bin")


def test_another_configuration_refuses_the_program():
    program = compile_graph(SMALL, EIGHT)
    other = dataclasses.replace(program, config=CONFIGS["16x16"])
    with pytest.raises(MachineError):
        memories = Memories.create(other.config, {Base.PROGRAM: other.image})
        Machine(other.config, memories).run(expected_config=config_word(EIGHT))


def test_the_prediction_adds_up():
    program = compile_graph(SMALL, EIGHT)
    times = predicted_times(program)
    table = rows(program, times)
    assert [row.name for row in table] == ["0 CONV", "1 CONV"]
    assert [row.macs for row in table] == [63 * 16 * 27, 35 * 20 * 144]
    assert table[1].bound == 35 * 9 * 2 * 3  # pixels, taps, input groups, output groups
    assert all(row.cycles >= row.bound * 0.9 for row in table)
    assert sum(row.cycles for row in table) <= times.cycles
    intervals = predict(program.commands, EIGHT)
    events = [
        (interval.done, engine_of(command), command.tag)
        for command, interval in zip(program.commands, intervals, strict=False)
    ]
    assert times_of(events) == times

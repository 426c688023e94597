# amaranth: UnusedElaboratable=no
"""The tile's contract with time: latency, throughput, ports. Its results are the bench's matter."""

from collections.abc import Callable, Iterator

import pytest
from amaranth.lib import stream, wiring
from amaranth.sim import Simulator

from rtl.tensor.config import TileConfig
from rtl.tensor.dot_product import register_levels
from rtl.tensor.layouts import activation_beat, result_vector, weight_row
from rtl.tensor.model import mac_tile, pack, pack_activations, unpack
from rtl.tensor.tile import MacTile


class Trace:
    """What crossed the ports, with cycles; ``ready`` and ``valid`` by functions of the cycle."""

    def __init__(self, tile: MacTile, beats: list[int], rows: list[int], cycles: int) -> None:
        self.tile, self.beats, self.rows, self.cycles = tile, beats, rows, cycles
        self.taken: dict[str, list[tuple[int, int]]] = {"i": [], "weights": [], "o": []}

    def run(self, o_ready: Callable[[int], bool] = lambda cycle: True) -> "Trace":
        tile = self.tile

        async def bench(ctx):
            queues: dict[str, Iterator[int]] = {"i": iter(self.beats), "weights": iter(self.rows)}
            offers = {name: next(queue, None) for name, queue in queues.items()}
            for cycle in range(self.cycles):
                for name, offer in offers.items():
                    port = getattr(tile, name)
                    ctx.set(port.valid, offer is not None)
                    ctx.set(port.payload.as_value(), offer or 0)
                ctx.set(tile.o.ready, o_ready(cycle))
                for name in ("i", "weights"):
                    if offers[name] is not None and ctx.get(getattr(tile, name).ready):
                        self.taken[name].append((cycle, offers[name]))
                        offers[name] = next(queues[name], None)
                if ctx.get(tile.o.valid) and o_ready(cycle):
                    self.taken["o"].append((cycle, ctx.get(tile.o.payload.as_value())))
                await ctx.tick()

        simulator = Simulator(tile)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return self

    def when(self, name: str) -> list[int]:
        return [cycle for cycle, _ in self.taken[name]]


def beat(config: TileConfig, value: int, *, first=True, last=True, swap=False) -> int:
    return pack_activations([value] * config.rows, first=first, last=last, swap=swap, config=config)


SHAPES = [
    {"rows": 1, "columns": 1},
    {"rows": 1, "columns": 8, "weight_width": 4},
    {"rows": 4, "columns": 2},
    {"rows": 4, "columns": 2, "tree_stages": 0},
    {"rows": 4, "columns": 2, "tree_stages": 2},
    {"rows": 5, "columns": 3, "tree_stages": 3, "accumulator_width": 16},
]


@pytest.mark.parametrize("parameters", SHAPES, ids=str)
def test_latency_and_full_throughput(parameters: dict[str, int]) -> None:
    tile = MacTile(**parameters)
    config = tile.config
    beats = [beat(config, n % 3 - 1, swap=n == 0) for n in range(20)]
    rows = [pack([1] * config.columns, config.weight_width)] * config.rows
    trace = Trace(tile, beats, rows, 40 + config.rows).run()
    start = trace.when("i")[0]
    assert start == config.rows  # one cycle after the last row
    assert trace.when("i") == list(range(start, start + 20))
    assert trace.when("o") == [cycle + config.latency for cycle in trace.when("i")]


def test_weights_follow_without_a_gap() -> None:
    tile = MacTile(rows=4, columns=2)
    config = tile.config
    sets = 6
    rows = [pack([n + 1] * 2, config.weight_width) for n in range(sets) for _ in range(4)]
    beats = [beat(config, 1, swap=n % 4 == 0) for n in range(4 * sets)]
    trace = Trace(tile, beats, rows, 60).run()
    assert trace.when("weights") == list(range(4 * sets))
    assert trace.when("i") == list(range(4, 4 + 4 * sets))
    assert [unpack(word, 32, 2)[0] for _, word in trace.taken["o"]] == [
        4 * (n // 4 + 1) for n in range(4 * sets)
    ]


def test_stalled_sink_loses_nothing() -> None:
    tile = MacTile(rows=2, columns=1, accumulator_width=12)
    config = tile.config
    beats = [beat(config, n, swap=n == 0) for n in range(30)]
    trace = Trace(tile, beats, [pack([1], 8), pack([2], 8)], 150).run(lambda cycle: cycle % 5 == 4)
    expected = mac_tile(
        [[n, n] for n in range(30)],
        [[[1], [2]]],
        first=[1] * 30,
        last=[1] * 30,
        swap=[n == 0 for n in range(30)],
        config=config,
    )
    assert [unpack(word, 12, 1) for _, word in trace.taken["o"]] == expected.tolist()[: len(trace.taken["o"])]
    assert len(trace.taken["o"]) > 25


def test_holds_a_pipeline_of_results_when_the_sink_never_comes() -> None:
    tile = MacTile(rows=2, columns=1)
    beats = [beat(tile.config, 1, swap=n == 0) for n in range(40)]
    trace = Trace(tile, beats, [pack([1], 8)] * 2, 60).run(lambda cycle: False)
    # Pipeline, accumulators, and two in the register slice.
    assert len(trace.taken["i"]) == tile.config.compute_stages + 1 + 2


def test_swap_waits_for_a_whole_set() -> None:
    tile = MacTile(rows=4, columns=1)
    beats = [beat(tile.config, 1, swap=True)]
    trace = Trace(tile, beats, [pack([1], 8)] * 3, 30).run()
    assert trace.taken["i"] == []
    assert len(trace.taken["weights"]) == 3


def test_packing_matches_the_layouts() -> None:
    config = TileConfig(rows=3, columns=2, activation_width=5, weight_width=4, accumulator_width=9)
    layout = activation_beat(config)
    word = pack_activations([-16, 15, -1], first=True, last=False, swap=True, config=config)
    fields = layout.from_bits(word)
    assert [fields.data[n] for n in range(3)] == [-16, 15, -1]
    assert (fields.first, fields.last, fields.swap) == (1, 0, 1)
    assert [weight_row(config).from_bits(pack([-8, 7], 4)).data[n] for n in range(2)] == [-8, 7]
    assert layout.size == config.activation_payload_width
    assert weight_row(config).size == config.weight_payload_width
    assert result_vector(config).size == config.result_payload_width


def test_ports_are_streams() -> None:
    tile = MacTile(rows=2, columns=3)
    members = tile.signature.members
    assert {name: members[name].flow for name in members} == {
        "weights": wiring.In,
        "i": wiring.In,
        "o": wiring.Out,
    }
    assert all(isinstance(members[name].signature, stream.Signature) for name in members)


def test_parameters_are_checked_before_anything_is_built() -> None:
    with pytest.raises(ValueError, match=r"columns must lie in 1\.\.64, not 0"):
        MacTile(columns=0)
    with pytest.raises(TypeError, match=r"rows must be an integer from 1 to 64, not '8'"):
        MacTile(rows="8")
    with pytest.raises(TypeError, match="lanes"):
        MacTile(lanes=8)


def test_config_is_read_only() -> None:
    tile = MacTile(rows=1, columns=1)
    with pytest.raises(AttributeError):
        tile.config = TileConfig()


@pytest.mark.parametrize(
    ("depth", "stages", "levels"),
    [
        (0, 0, ()),
        (3, 0, ()),
        (3, 1, (3,)),
        (3, 2, (2, 3)),
        (3, 3, (1, 2, 3)),
        (4, 2, (2, 4)),
        (6, 4, (2, 3, 5, 6)),
    ],
)
def test_registers_are_spread_over_the_tree(depth: int, stages: int, levels: tuple[int, ...]) -> None:
    assert register_levels(depth, stages) == levels

"""The MAC tile: reduction lanes x output channels around stationary weights."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ips.stream_register.component import StreamRegister
from rtl.tensor.config import TileConfig
from rtl.tensor.dot_product import Accumulator, DotProduct
from rtl.tensor.layouts import activation_beat, result_vector, weight_row
from rtl.tensor.weight_bank import WeightBank

__all__ = ["MacTile"]


class MacTile(wiring.Component):
    """Multiply beats of activations by stationary weights and accumulate by column.

    Each beat brings ``rows`` activations; column ``c`` adds
    ``sum(activation[r] * weight[r][c])`` to its accumulator. ``first`` begins
    a reduction, ``last`` puts the sums out, so that a dot product of any
    length takes as many beats as it needs. ``swap`` makes the weights loaded
    meanwhile the active ones before the beat that carries it computes; that
    beat waits until a whole set is loaded. Results depend on the order of
    the beats, never on when they come.

    After reset the first beat begins a reduction and takes the first weights
    whatever its markers say. A beat that follows ``last`` without ``first``
    goes on from the sum that was put out.

    Parameters
    ----------
    rows, columns, activation_width, weight_width, accumulator_width, tree_stages
        See :class:`rtl.tensor.config.TileConfig`.

    Members
    -------
    weights : In, stream of ``weight_row``
        The next weight set, lane 0 first, ``rows`` beats.
    i : In, stream of ``activation_beat``
        Activations and markers.
    o : Out, stream of ``result_vector``
        One vector for each ``last``.

    Timing
    ------
    Latency ``config.latency = 4 + tree_stages`` cycles from accepting
    ``last`` to ``o.valid``. 1 beat per cycle while ``o.ready``, also across
    swaps if the next set is loaded; a set takes ``rows`` cycles and the next
    may follow at once. While the sink stalls, results and pipeline hold.
    ``o`` leaves from flops. ``i.ready`` follows ``i.payload.swap``, and
    ``weights.ready`` follows ``i.valid`` and ``i.payload.swap``,
    combinationally; a source must not derive ``valid`` from either.

    Raises
    ------
    TypeError
        A parameter is not an integer.
    ValueError
        A parameter is out of its range, or contradicts another.
    """

    def __init__(
        self,
        *,
        rows: int = 8,
        columns: int = 8,
        activation_width: int = 9,
        weight_width: int = 8,
        accumulator_width: int = 32,
        tree_stages: int | None = None,
    ) -> None:
        self._config = config = TileConfig(
            rows=rows,
            columns=columns,
            activation_width=activation_width,
            weight_width=weight_width,
            accumulator_width=accumulator_width,
            tree_stages=tree_stages,
        )
        super().__init__(
            {
                "weights": In(stream.Signature(weight_row(config))),
                "i": In(stream.Signature(activation_beat(config))),
                "o": Out(stream.Signature(result_vector(config))),
            }
        )

    @property
    def config(self) -> TileConfig:
        """The checked parameters and what they imply."""
        return self._config

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config

        m.submodules.weight_bank = bank = WeightBank(config)
        connect(m, flipped(self.weights), bank.i)
        m.submodules.result = result = StreamRegister(self.o.payload.shape())
        connect(m, result.o, flipped(self.o))

        # One bit a register stage, from the operands (bit 0) to the tree's
        # last; the accumulators follow, and `done` says they hold a result.
        stages = config.compute_stages
        valid = Signal(stages)
        first = Signal(stages, reset_less=True)
        last = Signal(stages, reset_less=True)
        done = Signal()
        advance = Signal()
        m.d.comb += advance.eq(~done | result.i.ready)

        # Set until a beat comes: there is neither a sum nor a weight before it.
        fresh = Signal(init=1)
        swap = Signal()
        accept = Signal()
        m.d.comb += [
            swap.eq(self.i.payload.swap | fresh),
            self.i.ready.eq(advance & (bank.full | ~swap)),
            accept.eq(self.i.valid & self.i.ready),
            bank.swap.eq(accept & swap),
        ]
        activations = Signal(self.i.payload.data.shape(), reset_less=True)
        with m.If(accept):
            m.d.sync += [activations.eq(self.i.payload.data), fresh.eq(0)]
        with m.If(advance):
            m.d.sync += [
                valid.eq(Cat(accept, valid)),
                first.eq(Cat(self.i.payload.first | fresh, first)),
                last.eq(Cat(self.i.payload.last, last)),
                done.eq(valid[-1] & last[-1]),
            ]

        # A stage's flops move only for a beat: bubbles cost no switching.
        enable = Signal(stages)
        m.d.comb += enable.eq(valid & advance.replicate(stages))
        for column in range(config.columns):
            m.submodules[f"column_{column}"] = dot = DotProduct(config)
            m.submodules[f"accumulator_{column}"] = accumulator = Accumulator(config)
            m.d.comb += [
                dot.activations.eq(activations),
                dot.enable.eq(enable[:-1]),
                accumulator.addend.eq(dot.sum),
                accumulator.enable.eq(enable[-1]),
                accumulator.first.eq(first[-1]),
                result.i.payload.data[column].eq(accumulator.total),
            ]
            m.d.comb += [dot.weights[row].eq(bank.active[row][column]) for row in range(config.rows)]
        m.d.comb += result.i.valid.eq(done)

        return m

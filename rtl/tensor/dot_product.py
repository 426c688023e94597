"""One column of the tile: multipliers, adder tree, accumulator."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.config import TileConfig

__all__ = ["Accumulator", "DotProduct", "register_levels"]


def register_levels(depth: int, stages: int) -> tuple[int, ...]:
    """Return after which adder levels (from 1) a tree is registered.

    The last level always is, if any: its sum feeds the accumulator's adder.

    Parameters
    ----------
    depth
        Levels of adders.
    stages
        Register stages to spread over them, at most `depth`.
    """
    return tuple(-(-depth * stage // stages) for stage in range(1, stages + 1))


class DotProduct(wiring.Component):
    """Multiply lane by lane and add the products up.

    Parameters
    ----------
    config : TileConfig
        The tile.

    Members
    -------
    activations : In, signed(activation_width) [rows]
    weights : In, signed(weight_width) [rows]
    enable : In(1 + tree_stages)
        One for each register stage, the products' in bit 0.
    sum : Out, signed(sum_width)

    Timing
    ------
    Latency ``1 + tree_stages`` cycles, each while its stage is enabled;
    1 sum per cycle. Flops have no reset.
    """

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        super().__init__(
            {
                "activations": In(data.ArrayLayout(signed(config.activation_width), config.rows)),
                "weights": In(data.ArrayLayout(signed(config.weight_width), config.rows)),
                "enable": In(1 + config.tree_stages),
                "sum": Out(signed(config.sum_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config

        def register(terms: list[Value], stage: int, name: str) -> list[Value]:
            held = [
                Signal(term.shape(), name=f"{name}_{number}", reset_less=True)
                for number, term in enumerate(terms)
            ]
            with m.If(self.enable[stage]):
                m.d.sync += [flop.eq(term) for flop, term in zip(held, terms, strict=True)]
            return held

        def cut(value: Value) -> Value:
            # Higher bits cannot reach the accumulator, which wraps.
            return value[: config.sum_width].as_signed() if len(value) > config.sum_width else value

        products = [
            cut(activation * weight)
            for activation, weight in zip(self.activations, self.weights, strict=True)
        ]
        terms = register(products, 0, "product")
        registered = register_levels(config.tree_depth, config.tree_stages)
        stage = 1
        for level in range(1, config.tree_depth + 1):
            pairs = [cut(a + b) for a, b in zip(terms[0::2], terms[1::2], strict=False)]
            terms = pairs + terms[len(pairs) * 2 :]
            if level in registered:
                terms = register(terms, stage, f"level{level}")
                stage += 1
        m.d.comb += self.sum.eq(terms[0])

        return m


class Accumulator(wiring.Component):
    """Add the sums of one reduction up, modulo ``2 ** accumulator_width``.

    Parameters
    ----------
    config : TileConfig
        The tile.

    Members
    -------
    addend : In, signed(sum_width)
    enable : In(1)
        Take the addend.
    first : In(1)
        Begin anew with the addend instead of adding it.
    total : Out, signed(accumulator_width)

    Timing
    ------
    Latency 1 cycle; 1 addend per cycle. Flops have no reset.
    """

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        super().__init__(
            {
                "addend": In(signed(config.sum_width)),
                "enable": In(1),
                "first": In(1),
                "total": Out(signed(config.accumulator_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()

        total = Signal(signed(self._config.accumulator_width), reset_less=True)
        m.d.comb += self.total.eq(total)
        with m.If(self.enable):
            m.d.sync += total.eq(Mux(self.first, 0, total) + self.addend)

        return m

"""Faults of the MAC tile that its bench must catch."""

from verif.mutants import Mutant

__all__ = ["MUTANTS", "PARAMETERS"]

#: A small tile: narrow accumulators wrap early, and two columns tell columns apart.
PARAMETERS = {"rows": 4, "columns": 2, "accumulator_width": 20}

_TILE = "rtl/tensor/tile.py"
_COLUMN = "rtl/tensor/dot_product.py"
_BANK = "rtl/tensor/weight_bank.py"
_SLICE = "ips/stream_register/component.py"

_COPY = "            m.d.sync += [active[number].eq(loading[number]) for number in range(rows)]\n"
_ACCUMULATE = "            m.d.sync += total.eq(Mux(self.first, 0, total) + self.addend)\n"
_SATURATE = """\
            wide = Mux(self.first, 0, total) + self.addend
            high = (1 << (self._config.accumulator_width - 1)) - 1
            m.d.sync += total.eq(Mux(wide > high, high, Mux(wide < ~high, ~high, wide)))
"""
_LATE_COPY = """\
        late = Signal()
        m.d.sync += late.eq(self.swap)
        with m.If(late):
            m.d.sync += [active[number].eq(loading[number]) for number in range(rows)]
"""
_EARLY_COPY = """\
        with m.If(full):
            m.d.sync += [active[number].eq(loading[number]) for number in range(rows)]
"""


def _mutant(name: str, path: str, anchor: str, replacement: str, **parameters: int) -> Mutant:
    return Mutant(
        name=name,
        path=path,
        anchor=anchor,
        replacement=replacement,
        parameters={**PARAMETERS, **parameters},
    )


#: Grouped by what is broken.
MUTANTS = (
    # Arithmetic.
    _mutant("unsigned_weight", _COLUMN, "cut(activation * weight)", "cut(activation * weight.as_unsigned())"),
    _mutant(
        "unsigned_activation", _COLUMN, "cut(activation * weight)", "cut(activation.as_unsigned() * weight)"
    ),
    _mutant(
        "dropped_lane",
        _COLUMN,
        "terms = register(products, 0",
        "terms = register(products[:-1], 0",
    ),
    _mutant(
        "dropped_odd_lane",
        _COLUMN,
        "terms = pairs + terms[len(pairs) * 2 :]",
        "terms = pairs + (terms[len(pairs) * 2 :] if level > 1 else [])",
        rows=3,
    ),
    _mutant("tree_sign_lost", _COLUMN, "cut(a + b)", "cut(a.as_unsigned() + b)"),
    _mutant("tree_subtracts", _COLUMN, "cut(a + b)", "cut(a - b)"),
    _mutant(
        "narrow_product",
        _COLUMN,
        "cut(activation * weight)",
        "cut((activation * weight)[: config.product_width - 1].as_signed())",
    ),
    _mutant("addend_sign_lost", _COLUMN, "total) + self.addend", "total) + self.addend.as_unsigned()"),
    _mutant("saturates", _COLUMN, _ACCUMULATE, _SATURATE),
    _mutant(
        "narrow_accumulator",
        _COLUMN,
        "total = Signal(signed(self._config.accumulator_width)",
        "total = Signal(signed(self._config.accumulator_width - 1)",
    ),
    # Reductions and their markers.
    _mutant("first_ignored", _COLUMN, "Mux(self.first, 0, total)", "total"),
    _mutant("always_first", _COLUMN, "Mux(self.first, 0, total)", "0"),
    _mutant("first_early", _TILE, "accumulator.first.eq(first[-1])", "accumulator.first.eq(first[-2])"),
    _mutant(
        "first_not_implied",
        _TILE,
        "Cat(self.i.payload.first | fresh, first)",
        "Cat(self.i.payload.first, first)",
    ),
    _mutant("last_ignored", _TILE, "done.eq(valid[-1] & last[-1])", "done.eq(valid[-1])"),
    _mutant("last_early", _TILE, "done.eq(valid[-1] & last[-1])", "done.eq(valid[-1] & last[-2])"),
    _mutant("tree_stage_skipped", _COLUMN, "terms = register(terms, stage,", "register(terms, stage,"),
    # Weights.
    _mutant("swap_late", _BANK, _COPY, _LATE_COPY),
    _mutant("swap_early", _BANK, _COPY, _COPY + _EARLY_COPY),
    _mutant("stale_lane", _BANK, _COPY, _COPY.replace("range(rows)", "range(rows - 1)")),
    _mutant("stale_weights", _BANK, "m.d.sync += full.eq(0)", "m.d.sync += full.eq(full)"),
    _mutant("weights_overrun", _BANK, "self.i.ready.eq(~full | self.swap)", "self.i.ready.eq(1)"),
    _mutant("lanes_reversed", _BANK, "loading[row].eq(", "loading[rows - 1 - row].eq("),
    _mutant(
        "lane_counter_runs_on", _BANK, "[row.eq(0), full.eq(1)]", "[row.eq(row + 1), full.eq(1)]", rows=3
    ),
    _mutant(
        "swap_not_implied", _TILE, "swap.eq(self.i.payload.swap | fresh)", "swap.eq(self.i.payload.swap)"
    ),
    _mutant("swap_without_weights", _TILE, "advance & (bank.full | ~swap)", "advance"),
    _mutant(
        "swap_while_stalled",
        _TILE,
        "bank.swap.eq(accept & swap)",
        "bank.swap.eq(self.i.valid & swap & bank.full)",
    ),
    _mutant(
        "column_off_by_one",
        _TILE,
        "bank.active[row][column]",
        "bank.active[row][(column + 1) % config.columns]",
    ),
    # Handshake.
    _mutant("stall_ignored", _TILE, "advance.eq(~done | result.i.ready)", "advance.eq(1)"),
    _mutant(
        "stall_not_everywhere", _TILE, "enable.eq(valid & advance.replicate(stages))", "enable.eq(valid)"
    ),
    _mutant("beat_repeated", _TILE, "valid.eq(Cat(accept, valid))", "valid.eq(Cat(self.i.valid, valid))"),
    _mutant(
        "bubble_accumulated", _TILE, "accumulator.enable.eq(enable[-1])", "accumulator.enable.eq(advance)"
    ),
    _mutant("skid_lost", _SLICE, "skid_valid.eq(1)", "skid_valid.eq(0)"),
    _mutant("skid_repeated", _SLICE, "[head.eq(skid), skid_valid.eq(0)]", "[head.eq(skid)]"),
    _mutant(
        "offer_overwritten",
        _SLICE,
        "m.If(self.o.ready | ~head_valid)",
        "m.If(self.o.ready | ~head_valid | self.i.valid)",
    ),
    _mutant(
        "offer_withdrawn",
        _SLICE,
        "m.Elif(self.i.valid & ~skid_valid):\n",
        "m.Elif(self.i.valid & ~skid_valid):\n            m.d.sync += head_valid.eq(0)\n",
    ),
    # Reset.
    _mutant("reset_keeps_beats", _TILE, "valid = Signal(stages)", "valid = Signal(stages, reset_less=True)"),
    _mutant("reset_keeps_done", _TILE, "done = Signal()", "done = Signal(reset_less=True)"),
    _mutant(
        "reset_keeps_lane", _BANK, "row = Signal(range(rows))", "row = Signal(range(rows), reset_less=True)"
    ),
    _mutant("reset_keeps_weights", _BANK, "full = Signal()", "full = Signal(reset_less=True)"),
    _mutant("reset_keeps_offer", _SLICE, "head_valid = Signal()", "head_valid = Signal(reset_less=True)"),
    _mutant("reset_keeps_skid", _SLICE, "skid_valid = Signal()", "skid_valid = Signal(reset_less=True)"),
)

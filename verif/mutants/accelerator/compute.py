"""Faults of the compute engine, which random commands must find."""

from dataclasses import replace

from verif.mutants import Mutant

__all__ = ["COMPUTE"]

_ROOT = "rtl/tensor/accelerator/compute"

#: Little of everything, so that simulators are quickly built and memories soon full.
_SMALL = {"array": 4, "bus_width": 32, "activation_kib": 4, "weight_kib": 2, "psum_words": 16}
#: The same with depthwise steps of two pixels.
_WIDE = {"array": 8, "bus_width": 32, "activation_kib": 8, "weight_kib": 8, "psum_words": 16}


def _faults(name: str, faults: dict[str, tuple[str, str]]) -> tuple[Mutant, ...]:
    return tuple(
        Mutant(
            name=fault,
            path=f"{_ROOT}/{name}.py",
            anchor=anchor,
            replacement=replacement,
            parameters=_SMALL,
        )
        for fault, (anchor, replacement) in faults.items()
    )


#: Grouped by what is broken; these show on the smallest array.
_ALL = (
    *_faults(
        "setup",
        {
            "origin_without_column": (
                "after[: self._address] + command.first_column",
                "after[: self._address]",
            ),
            "row_step_of_one_row": (
                "m.d.sync += self.row_step.eq(after)",
                "m.d.sync += self.row_step.eq(command.in_columns)",
            ),
        },
    ),
    *_faults(
        "walker",
        {
            "left_padding_read": (
                "(x + i >= 0) & (x + i < current.in_columns)",
                "x + i < current.in_columns",
            ),
            "bottom_padding_read": ("(y >= 0) & (y < current.in_rows)", "y >= 0"),
            "blocks_too_short": (
                "self._index == self._config.psum_words - 1",
                "self._index == self._config.psum_words - 2",
            ),
            "input_group_forgotten": (
                "self._tap.eq(self._tap + current.source_group)",
                "self._tap.eq(self._tap)",
            ),
            "sums_lie_still": (
                "self._base.eq(self._base + self._size)",
                "self._base.eq(self._base + self._size + 1)",
            ),
            "second_operand_beside": (
                "current.source_b - current.source",
                "current.source_b - current.source + 1",
            ),
            "window_place": ("self._place.eq(self._next_place)", "self._place.eq(self._next_place + 1)"),
            "zero_point_of_the_first": ("Mux(self._second, current.zero_b, current.zero)", "current.zero"),
            "kept_sums_not_begun_with": (
                "Mux(self._tap_first, current.accumulate, ~self._single)",
                "Mux(self._tap_first, 0, ~self._single)",
            ),
            "weights_kept": (
                "(self._complete & self._rectangle_end)),\n            slot.load",
                "(self._complete & self._row_end)),\n            slot.load",
            ),
        },
    ),
    *_faults(
        "fetch",
        {
            "sums_read_too_early": ("(near | (distance != 0))", "near"),
            "no_room_needed": ("(room >= slot.results)", "1"),
            "no_weights_needed": ("(~slot.need | (tiles != 0))", "1"),
            "no_gap_for_the_sum": ("apart.eq(~third)", "apart.eq(1)"),
            "grant_not_awaited": ("(~ask.request | port.ready)", "1"),
        },
    ),
    *_faults(
        "weights",
        {
            "biases_overwritten": ("self._number < _BIASES, full[0]", "self._number < _BIASES, 0"),
            "places_overwritten": ("~opens | (places != 0)", "1"),
            "weights_not_read_again": ("block.eq(block + 1), address.eq(start)", "block.eq(block + 1)"),
        },
    ),
    *_faults(
        "window",
        {
            "zero_point_kept": ("byte - slot.zero, 0", "byte, 0"),
            "window_moves_too_little": ("Mux(slot.wide, far, near)", "near"),
        },
    ),
    *_faults(
        "array",
        {
            "unsigned_weight": (
                "operands[lane][column] * weights[lane][column]",
                "operands[lane][column] * weights[lane][column].as_unsigned()",
            ),
            "other_lanes_work": ("taps = Mux(slot.token.depthwise, taps, 0)", "taps = window[0][column]"),
        },
    ),
    *_faults(
        "sums",
        {
            "late_sum_lost": ("waiting.eq(held | waits)", "waiting.eq(held)"),
            "padding_in_maxima": ("Mux(token.skip, before, larger)", "larger"),
            "chain_broken": ("Mux(token.chain, self.sums[i], addend[i])", "addend[i]"),
            "depthwise_rows_run_on": ("Mux(token.row_first, 0, running[g][column])", "running[g][column]"),
        },
    ),
    *_faults(
        "requantise",
        {
            "no_rounding": ("Mux(exact, 0, 1 << 30)", "0"),
            "ties_upwards": ("away & (summed[i] < 0)", "0"),
            "last_shift_of_before": (
                "Mux(group, self.shift[i][5:], Mux(alone, command.left, left[i]))",
                "left[i]",
            ),
            "half_added_to_zero": ("Mux(total.any(), halves, 0)", "halves"),
            "maximum_forgotten": ("Mux(raised > maximum, maximum, raised)", "raised"),
        },
    ),
    *_faults(
        "writeback",
        {
            "pair_over_the_row_end": (
                "self._linear | (self._columns_left != 1)",
                "self._linear | (self._columns_left != 0)",
            ),
            "end_of_a_pair_missed": (" | (pair & second.end)", ""),
            "row_step_forgotten": ("next_row.eq(row + row_step)", "next_row.eq(row)"),
        },
    ),
    *_faults(
        "engine",
        {
            "command_taken_too_early": ("                & configured\n", ""),
            "nothing_awaited_after_add": ("(~serial | (~walker.valid", "(1 | (~walker.valid"),
        },
    ),
)

#: Those that show only where depthwise steps have several pixels.
_WIDE_ONLY = (
    *_faults("fetch", {"step_too_early": ("& (completes | (leaving != 0))", "& 0")}),
    *_faults("sums", {"pixel_kept_wrong": ("kept[g - 1].eq(after[g])", "kept[g - 1].eq(running[g])")}),
    *_faults(
        "walker",
        {"rest_of_the_row": ("Mux(at.columns < self._pixels, at.columns, self._pixels)", "self._pixels")},
    ),
)

#: All of them, each with the parameters of the engine that shows it.
COMPUTE = (*_ALL, *(replace(mutant, parameters=_WIDE) for mutant in _WIDE_ONLY))

"""Faults of the compute engine that its bench must catch."""

from verif.mutants import Mutant

__all__ = ["MUTANTS", "WIDE_MUTANTS"]

_ROOT = "rtl/tensor/accelerator/compute"


def _faults(name: str, faults: dict[str, tuple[str, str]]) -> tuple[Mutant, ...]:
    return tuple(
        Mutant(name=fault, path=f"{_ROOT}/{name}.py", anchor=anchor, replacement=replacement)
        for fault, (anchor, replacement) in faults.items()
    )


#: Grouped by what is broken; all show on the smallest array.
MUTANTS = (
    *_faults(
        "setup",
        {
            "origin-without-column": (
                "after[: self._address] + command.first_column",
                "after[: self._address]",
            ),
            "row-step-of-one-row": (
                "m.d.sync += self.row_step.eq(after)",
                "m.d.sync += self.row_step.eq(command.in_columns)",
            ),
        },
    ),
    *_faults(
        "walker",
        {
            "left-padding-read": (
                "(x + i >= 0) & (x + i < current.in_columns)",
                "x + i < current.in_columns",
            ),
            "bottom-padding-read": ("(y >= 0) & (y < current.in_rows)", "y >= 0"),
            "blocks-too-short": (
                "self._index == self._config.psum_words - 1",
                "self._index == self._config.psum_words - 2",
            ),
            "input-group-forgotten": (
                "self._tap.eq(self._tap + current.source_group)",
                "self._tap.eq(self._tap)",
            ),
            "sums-lie-still": (
                "self._base.eq(self._base + self._size)",
                "self._base.eq(self._base + self._size + 1)",
            ),
            "second-operand-beside": (
                "current.source_b - current.source",
                "current.source_b - current.source + 1",
            ),
            "window-place": ("self._place.eq(self._next_place)", "self._place.eq(self._next_place + 1)"),
            "zero-point-of-the-first": ("Mux(self._second, current.zero_b, current.zero)", "current.zero"),
            "kept-sums-not-begun-with": ("self._tap_first & ~current.accumulate", "self._tap_first"),
            "weights-kept": (
                "(self._complete & self._rectangle_end)),\n            slot.load",
                "(self._complete & self._row_end)),\n            slot.load",
            ),
        },
    ),
    *_faults(
        "fetch",
        {
            "sums-read-too-early": ("(near | (distance != 0))", "near"),
            "no-room-needed": ("(room >= slot.results)", "1"),
            "no-weights-needed": ("(~slot.need | (tiles != 0))", "1"),
            "no-gap-for-the-sum": ("apart.eq(~third)", "apart.eq(1)"),
            "grant-not-awaited": ("(~ask.request | port.ready)", "1"),
        },
    ),
    *_faults(
        "weights",
        {
            "biases-overwritten": ("self._number < _BIASES, full[0]", "self._number < _BIASES, 0"),
            "places-overwritten": ("~opens | (places != 0)", "1"),
            "weights-not-read-again": ("block.eq(block + 1), address.eq(start)", "block.eq(block + 1)"),
        },
    ),
    *_faults(
        "window",
        {
            "zero-point-kept": ("byte - slot.zero, 0", "byte, 0"),
            "window-moves-too-little": ("Mux(slot.wide, far, near)", "near"),
        },
    ),
    *_faults(
        "array",
        {
            "unsigned-weight": (
                "operands[lane][column] * weights[lane][column]",
                "operands[lane][column] * weights[lane][column].as_unsigned()",
            ),
            "other-lanes-work": ("taps = Mux(slot.token.depthwise, taps, 0)", "taps = window[0][column]"),
        },
    ),
    *_faults(
        "sums",
        {
            "late-sum-lost": ("waiting.eq(held | waits)", "waiting.eq(held)"),
            "padding-in-maxima": ("Mux(token.skip, before, larger)", "larger"),
            "chain-broken": ("Mux(token.chain, self.sums[i], addend[i])", "addend[i]"),
            "depthwise-rows-run-on": ("Mux(token.row_first, 0, running[g][column])", "running[g][column]"),
        },
    ),
    *_faults(
        "requantise",
        {
            "no-rounding": ("Mux(exact, 0, 1 << 30)", "0"),
            "ties-upwards": ("away & (summed[i] < 0)", "0"),
            "last-shift-of-before": (
                "Mux(group, self.shift[i][5:], Mux(alone, command.left, left[i]))",
                "left[i]",
            ),
            "half-added-to-zero": ("Mux(total.any(), halves, 0)", "halves"),
            "maximum-forgotten": ("Mux(raised > maximum, maximum, raised)", "raised"),
        },
    ),
    *_faults(
        "writeback",
        {
            "pair-over-the-row's-end": (
                "self._linear | (self._columns_left != 1)",
                "self._linear | (self._columns_left != 0)",
            ),
            "pair-of-two-commands": ("~alone & ~first.end", "~alone"),
            "row-step-forgotten": ("next_row.eq(row + row_step)", "next_row.eq(row)"),
        },
    ),
    *_faults(
        "engine",
        {
            "command-taken-too-early": ("                & configured\n", ""),
            "nothing-awaited-after-add": ("(~serial | (~walker.valid", "(1 | (~walker.valid"),
        },
    ),
)

#: Those that show only where depthwise steps have several pixels.
WIDE_MUTANTS = (
    *_faults("fetch", {"step-too-early": ("& (completes | (leaving != 0))", "& 0")}),
    *_faults("sums", {"pixel-kept-wrong": ("kept[g - 1].eq(after[g])", "kept[g - 1].eq(running[g])")}),
    *_faults(
        "walker",
        {"rest-of-the-row": ("Mux(at.columns < self._pixels, at.columns, self._pixels)", "self._pixels")},
    ),
)

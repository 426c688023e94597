"""Walk through a command: what is fetched, cycle by cycle, and what becomes of it."""

from types import SimpleNamespace

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Operation
from rtl.tensor.accelerator.compute.layouts import (
    COMMAND,
    RING_SLOTS,
    SUM_DISTANCE,
    WORDS,
    activation_address,
    field,
    slot_layout,
    window_words,
)
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Walker"]

#: Bits of an input column or row, far outside too: 65535 steps of 255 beyond 32767.
_PLACE = 26


class Walker(wiring.Component):
    """Turn a command into slots, one a cycle.

    A pixel's address is the sum of two walks that only ever add: one over
    output pixels (where the kernel's first tap lies), one over taps and
    groups of input channels. Depthwise, the first goes on by a step of
    neighbouring pixels, and fetches the words that this adds to their
    windows, row by row of the kernel.

    Partial sums lie in a circle: a slot writes where the slot that goes on
    with them, a block's pixels later, reads. So slots one after another are
    at places one after another, and nothing is written before it is read.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    command : In, ``COMMAND``
        The next command.
    origin, row_step, pixels : In
        As of ``Setup``; pixels only modulo those of the partial sums.
    take : In(1)
        Begin with it; only while `idle`.
    idle : Out(1)
        No command is under way after this cycle.
    current : Out, ``COMMAND``
        The command under way, or the last one.
    ready : In(1)
        The slot is taken.
    valid, slot : Out(1), Out
        A slot.

    Timing
    ------
    A slot a cycle; the first of a command in the cycle after `take`.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        address = activation_address(config)
        super().__init__(
            {
                "command": In(COMMAND),
                "origin": In(address),
                "row_step": In(address),
                "pixels": In(range(config.psum_words)),
                "take": In(1),
                "idle": Out(1),
                "current": Out(COMMAND),
                "ready": In(1),
                "valid": Out(1),
                "slot": Out(slot_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the counters, how they go on, and the slot that they describe."""
        m = Module()
        config, current = self._config, self.current
        self._pixels = config.depthwise_pixels
        address = activation_address(config)

        def place(name: str) -> SimpleNamespace:
            """Return where the kernel lies: its word and row, in columns and rows too, and what is left."""
            return SimpleNamespace(
                word=Signal(address, name=f"{name}_word"),
                row=Signal(address, name=f"{name}_row"),
                x=Signal(signed(_PLACE), name=f"{name}_x"),
                y=Signal(signed(_PLACE), name=f"{name}_y"),
                columns=Signal(field("columns"), name=f"{name}_columns"),
                rows=Signal(field("rows"), name=f"{name}_rows"),
            )

        self._at, self._block = place("at"), place("block")
        self._index = Signal(range(config.psum_words))
        # Over taps: words from the first one, of the kernel's row, and of this column.
        self._tap, self._tap_row, self._tap_column = (
            Signal(address, name=n) for n in ("tap", "tap_r", "tap_c")
        )
        self._kx, self._ky = Signal(field("kernel_columns")), Signal(field("kernel_rows"))
        self._in_group, self._group = Signal(field("in_groups")), Signal(field("groups"))
        self._origin, self._row_step = Signal(address), Signal(address)
        # Partial sums: place of the block's first pixel, and how many it has.
        self._base, self._size = Signal.like(self._index), Signal.like(self._index)
        self._second = Signal()
        self._ring = Signal(range(RING_SLOTS))
        self._new_group, self._new_command, self._new_slot = Signal(), Signal(), Signal()
        # Depthwise: words to fetch for this step, where they go, whether the window moves on.
        self._fill = Signal(range(window_words(config) + 1))
        self._place, self._shift = Signal.like(self._fill), Signal()
        self._decode(m)
        self._ends(m)
        self._advance(m)
        self._describe(m)
        active = Signal()
        finished = Signal()
        m.d.comb += [
            finished.eq(self._step & self._group_end & self._last_group),
            self.valid.eq(active),
            self._step.eq(active & self.ready),
            self.idle.eq(~active | finished),
        ]
        with m.If(self.take):
            m.d.sync += [active.eq(1), current.eq(self.command)]
            self._begin(m)
        with m.Elif(finished):
            m.d.sync += active.eq(0)
        return m

    def _decode(self, m: Module) -> None:
        """Name the operation and what follows from it, in flops beside the command."""

        def flag(name: str, value: Value) -> Signal:
            kept = Signal(name=name)
            with m.If(self.take):
                m.d.sync += kept.eq(value)
            return kept

        command, operation = self.command, self.command.operation
        self._conv = flag("conv", operation == Operation.CONV)
        self._depthwise = flag("depthwise", operation == Operation.DEPTHWISE)
        self._channel = flag("channel", operation == Operation.CHANNEL)
        self._maximum = flag("maximum", operation == Operation.MAX)
        self._add = flag("add", operation == Operation.ADD)
        self._wide = flag("wide", (operation == Operation.DEPTHWISE) & (command.stride_x == 2))
        self._single = flag("single", (command.columns == 1) & (command.rows == 1))
        # Columns that a window keeps: at least as many as it moves on by in a pixel.
        step, wide = self._pixels, command.stride_x == 2
        columns = Mux((command.kernel_columns == 1) & wide, 2, command.kernel_columns[:3])
        self._first_fill, self._next_place = Signal.like(self._fill), Signal.like(self._fill)
        self._next_fill = Signal.like(self._fill)
        with m.If(self.take):
            m.d.sync += [
                self._first_fill.eq(columns + Mux(wide, 2 * (step - 1), step - 1)),
                self._next_fill.eq(Mux(wide, 2 * step, step)),
                self._next_place.eq(columns - Mux(wide, 2, 1)),
            ]

    def _ends(self, m: Module) -> None:
        """Find out which of the nested walks end with this slot."""
        at, current = self._at, self.current
        self._row_end, self._rectangle_end, self._block_end = Signal(), Signal(), Signal()
        self._tap_first, self._tap_end, self._last_group = Signal(), Signal(), Signal()
        self._in_group_end, self._column_end, self._kernel_end = Signal(), Signal(), Signal()
        self._position_end, self._group_end, self._complete = Signal(), Signal(), Signal()
        self._plain, self._again, self._step, self._moves = Signal(), Signal(), Signal(), Signal()
        last_pixels = Mux(self._depthwise, at.columns <= self._pixels, at.columns == 1)
        m.d.comb += [
            self._plain.eq(~self._depthwise & ~self._add),
            self._complete.eq(self._depthwise & (self._fill <= WORDS)),
            self._row_end.eq(last_pixels & (~self._depthwise | self._complete)),
            self._rectangle_end.eq(self._row_end & (at.rows == 1)),
            self._block_end.eq(self._rectangle_end | (self._index == self._config.psum_words - 1)),
            self._kernel_end.eq(self._ky == current.kernel_rows - 1),
            self._column_end.eq(self._kx == current.kernel_columns - 1),
            self._in_group_end.eq(~self._conv | (self._in_group == current.in_groups - 1)),
            self._tap_first.eq((self._ky == 0) & (self._kx == 0) & (self._in_group == 0)),
            self._tap_end.eq(self._in_group_end & self._column_end & self._kernel_end),
            self._last_group.eq(self._group == current.groups - 1),
            self._moves.eq(~self._tap_first | current.accumulate),
            # The pixel, or the step of pixels, has all that it fetches now.
            self._position_end.eq(Mux(self._depthwise, self._kernel_end, Mux(self._add, self._second, 1))),
            self._again.eq(self._plain & self._block_end & ~self._tap_end),
            self._group_end.eq(self._position_end & self._rectangle_end & (~self._plain | self._tap_end)),
        ]

    def _begin(self, m: Module) -> None:
        """Set the counters to a command's first slot."""
        command = self.command
        for place in (self._at, self._block):
            m.d.sync += [
                place.word.eq(self.origin),
                place.row.eq(self.origin),
                place.x.eq(command.first_column),
                place.y.eq(command.first_row),
                place.columns.eq(command.columns),
                place.rows.eq(command.rows),
            ]
        wide = command.stride_x == 2
        columns = Mux((command.kernel_columns == 1) & wide, 2, command.kernel_columns[:3])
        step = self._pixels - 1
        m.d.sync += [
            self._origin.eq(self.origin),
            self._row_step.eq(self.row_step),
            *(s.eq(0) for s in (self._tap, self._tap_row, self._tap_column, self._kx, self._ky)),
            *(s.eq(0) for s in (self._in_group, self._group, self._index, self._second)),
            *(s.eq(0) for s in (self._place, self._shift)),
            self._fill.eq(columns + Mux(wide, 2 * step, step)),
            self._new_group.eq(1),
            self._new_command.eq(1),
            self._new_slot.eq(1),
            self._size.eq(self.pixels),
        ]

    def _advance(self, m: Module) -> None:
        """Go on by a slot: to the next pixel, back to the block's first, or to the next group."""
        at, block, current = self._at, self._block, self.current
        pixels = self._pixels
        words = Mux(self._fill <= WORDS, self._fill, WORDS)
        self._words = words
        increment = Mux(self._depthwise, words, Mux(self._add, 1, current.stride_x))
        row = Signal.like(at.word)
        origin = Signal.like(at.word)
        wraps = self._row_end & ~self._add
        m.d.comb += [
            row.eq(at.row + self._row_step),
            origin.eq(self._origin + Mux(self._conv, 0, current.source_group)),
        ]
        following = {
            "word": Mux(wraps, row, at.word + increment),
            "row": Mux(wraps, row, at.row),
            "x": Mux(self._row_end, current.first_column, at.x + increment),
            "y": Mux(self._row_end, at.y + current.stride_y, at.y),
            "columns": Mux(
                self._row_end,
                current.columns,
                at.columns - Mux(self._depthwise, Mux(self._complete, pixels, 0), 1),
            ),
            "rows": at.rows - self._row_end,
        }
        start = Mux(self._add, at.word + 1, origin)
        group = {
            "word": start,
            "row": start,
            "x": current.first_column,
            "y": current.first_row,
            "columns": current.columns,
            "rows": current.rows,
        }
        with m.If(self._step):
            for name, value in following.items():
                target, saved = getattr(at, name), getattr(block, name)
                with m.If(self._group_end):
                    m.d.sync += [target.eq(group[name]), saved.eq(group[name])]
                with m.Elif(self._again):
                    m.d.sync += target.eq(saved)
                with m.Elif(self._position_end):
                    m.d.sync += target.eq(value)
                    with m.If(self._block_end):
                        m.d.sync += saved.eq(value)
            m.d.sync += [self._second.eq(self._add & ~self._second), self._new_slot.eq(0)]
            with m.If(self._plain):
                m.d.sync += self._index.eq(Mux(self._block_end, 0, self._index + 1))
            with m.If(self._group_end):
                m.d.sync += [self._group.eq(self._group + 1), self._origin.eq(origin)]
            with m.If(~self._depthwise | (self._complete & self._kernel_end)):
                m.d.sync += [self._new_group.eq(0), self._new_command.eq(0)]
            with m.If(self._group_end):
                m.d.sync += self._new_group.eq(1)
            self._advance_tap(m)
            self._advance_window(m)

    def _advance_tap(self, m: Module) -> None:
        """Go on to the next tap: with each block of pixels, or, depthwise, with each slot."""
        current = self.current
        row, column = Signal.like(self._tap), Signal.like(self._tap)
        m.d.comb += [row.eq(self._tap_row + current.in_columns), column.eq(self._tap_column + 1)]
        places = Mux(self._conv, self._config.array // 4, 1)
        with m.If(self._plain & self._block_end):
            with m.If(self._tap_first):
                m.d.sync += self._size.eq(self._index + 1)
            with m.If(self._moves):
                m.d.sync += self._base.eq(self._base + self._size)
            with m.If(self._conv | self._channel):
                m.d.sync += self._ring.eq(self._ring + places)
            m.d.sync += self._in_group.eq(Mux(self._in_group_end, 0, self._in_group + 1))
            with m.If(~self._in_group_end):
                m.d.sync += self._tap.eq(self._tap + current.source_group)
            with m.Elif(~self._column_end):
                m.d.sync += [self._kx.eq(self._kx + 1), self._tap.eq(column), self._tap_column.eq(column)]
            with m.Else():
                following = Mux(self._kernel_end, 0, row)
                m.d.sync += [self._kx.eq(0), self._ky.eq(Mux(self._kernel_end, 0, self._ky + 1))]
                m.d.sync += [s.eq(following) for s in (self._tap, self._tap_column, self._tap_row)]
        with m.Elif(self._depthwise):
            following = Mux(self._kernel_end, 0, row)
            m.d.sync += [self._tap.eq(following), self._tap_row.eq(following)]
            m.d.sync += self._ky.eq(Mux(self._kernel_end, 0, self._ky + 1))
            with m.If(self._group_end):
                m.d.sync += self._ring.eq(self._ring + current.kernel_rows)
        with m.Elif(self._add):
            m.d.sync += self._tap.eq(Mux(self._second, 0, current.source_b - current.source))

    def _advance_window(self, m: Module) -> None:
        """Depthwise: go on with the words of this step, or to the next one."""
        with m.If(self._depthwise & self._kernel_end):
            with m.If(~self._complete):
                m.d.sync += [
                    self._fill.eq(self._fill - WORDS),
                    self._place.eq(self._place + WORDS),
                    self._shift.eq(0),
                ]
            with m.Elif(self._row_end):
                m.d.sync += [self._fill.eq(self._first_fill), self._place.eq(0), self._shift.eq(0)]
            with m.Else():
                m.d.sync += [
                    self._fill.eq(self._next_fill),
                    self._place.eq(self._next_place),
                    self._shift.eq(1),
                ]

    def _describe(self, m: Module) -> None:
        """Say what this slot fetches, and what becomes of it."""
        at, current, slot = self._at, self.current, self.slot
        x, y = Signal(signed(_PLACE)), Signal(signed(_PLACE))
        inside_y = Signal()
        m.d.comb += [
            x.eq(at.x + Mux(self._depthwise, 0, self._kx)),
            y.eq(at.y + self._ky),
            inside_y.eq((y >= 0) & (y < current.in_rows)),
        ]
        for i in range(WORDS):
            inside = (x + i >= 0) & (x + i < current.in_columns)
            wanted = (self._depthwise & (self._words > i)) if i else 1
            m.d.comb += slot.words[i].eq((inside & inside_y & wanted) | (self._add if i == 0 else 0))
        count = Mux(slot.words[3], 4, Mux(slot.words[2], 3, Mux(slot.words[1], 2, 1)))
        weighted = self._conv | self._channel
        begins = self._plain & (self._index == 0)
        group_begins = self._new_group & (~self._depthwise | (self._complete & self._kernel_end))
        has_weights = weighted | self._depthwise
        pixels = Mux(at.columns < self._pixels, at.columns, self._pixels)
        complete = self._complete & self._kernel_end
        end = self._group_end & self._last_group
        last = self._tap_end | ~self._plain
        keeps = current.keep & ~(end & self._plain)
        token = slot.token
        m.d.comb += [
            slot.begin.eq(self._new_slot),
            slot.request.eq(slot.words.any()),
            slot.address.eq(at.word + self._tap),
            slot.count.eq(count),
            slot.zero.eq(Mux(self._second, current.zero_b, current.zero)),
            slot.place.eq(self._place),
            slot.shift.eq(self._shift),
            slot.rows.eq(current.kernel_rows),
            slot.compute.eq(~self._depthwise | self._complete),
            slot.start.eq(begins),
            slot.near.eq(self._plain & (self._index < SUM_DISTANCE - 1)),
            slot.distance.eq(SUM_DISTANCE - 2 - self._index),
            slot.resume.eq(begins & self._tap_first & current.accumulate),
            slot.need.eq((begins & weighted) | (self._complete & self._new_group)),
            slot.free.eq((begins & weighted) | (self._complete & self._rectangle_end)),
            slot.load.eq((begins & weighted) | self._complete),
            slot.ones.eq(self._new_command & ~has_weights),
            slot.ring.eq(self._ring + Mux(self._depthwise, self._ky, 0)),
            slot.broadcast.eq(self._conv),
            slot.wide.eq(self._wide),
            slot.results.eq(
                Mux(
                    self._depthwise,
                    Mux(complete, pixels, 0),
                    Mux(self._add, self._second, self._tap_end & ~keeps),
                )
            ),
            token.command.eq(group_begins & self._new_command),
            token.bias.eq(group_begins & has_weights),
            token.scales.eq(group_begins & has_weights & ~current.per_tensor),
            token.chain.eq(self._plain & self._single & ~self._tap_first),
            token.memory.eq(self._plain & Mux(self._tap_first, current.accumulate, ~self._single)),
            token.write.eq(self._plain & Mux(self._tap_end, current.keep, ~self._single)),
            token.read_place.eq(self._base + self._index),
            token.write_place.eq(self._base + self._index + Mux(self._moves, self._size, 0)),
            token.result.eq(last & ~keeps & ~self._depthwise),
            token.void.eq(current.keep),
            token.end.eq(end),
            token.second.eq(self._second),
            token.add.eq(self._add),
            token.maximum.eq(self._maximum),
            token.skip.eq(self._maximum & ~slot.words[0]),
            token.depthwise.eq(self._depthwise),
            token.row_first.eq(self._ky == 0),
            token.complete.eq(complete),
            token.pixels.eq(pixels),
        ]

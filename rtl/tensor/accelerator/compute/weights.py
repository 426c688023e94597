"""Weight loader: reads what commands need of the weight memory, ahead of the array."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Operation
from rtl.tensor.accelerator.compute.layouts import COMMAND, RING_SLOTS, field, weight_address
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import ReadPort

__all__ = ["WeightLoader"]

#: Words in front of a group's weights, as they follow: two of biases, two of multipliers, one of shifts.
_BIASES, _MULTIPLIERS, _SHIFTS = 2, 4, 5


class WeightLoader(wiring.Component):
    """Fill the places in front of the array, and the biases and scales of the next group.

    It walks through a command's weights on its own, and begins with the next
    command when it is through, whether or not the array has taken it.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid : In(1)
        There is a command to begin with.
    command : In, ``COMMAND``
        That command.
    known, pixels : In(1), In(32)
        Whether its pixels are known, and how many they are.
    take : In(1)
        The array takes it; what follows at `command` is another.
    ready : Out(1)
        The array may take it: the loader needs nothing of it any more.
    weights : Out, ``ReadPort``
        Port of the weight memory.
    tile : Out(1)
        Pulse: weights for the array have come, or are there when a slot that
        is launched in the next cycle needs them.
    freed : In
        Places that are free again.
    bias_taken, multipliers_taken, shifts_taken : In(1)
        Pulses: the group's are not needed here any more.
    ring : Out, array of places of 4 x N bytes
        Weights: lane by lane, channel by channel.
    bias, multiplier, shift : Out, arrays of N
        Of the next group.

    Timing
    ------
    A word a cycle while there is room.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        n = config.array
        super().__init__(
            {
                "valid": In(1),
                "command": In(COMMAND),
                "known": In(1),
                "pixels": In(32),
                "take": In(1),
                "ready": Out(1),
                "weights": Out(
                    ReadPort(word=config.weight_word, words=1, address_width=weight_address(config))
                ),
                "tile": Out(1),
                "freed": In(range(RING_SLOTS + 1)),
                "bias_taken": In(1),
                "multipliers_taken": In(1),
                "shifts_taken": In(1),
                "ring": Out(data.ArrayLayout(unsigned(32 * n), RING_SLOTS)),
                "bias": Out(data.ArrayLayout(unsigned(32), n)),
                "multiplier": Out(data.ArrayLayout(unsigned(31), n)),
                "shift": Out(data.ArrayLayout(unsigned(8), n)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the walk, the room that is left, and what keeps the words."""
        m = Module()
        self._active, self._parameters = Signal(), Signal()
        self._number = Signal(range(_SHIFTS))  # word of the parameters
        self._word = Signal(range(max(self._config.tile_words, 2)))  # word of the tile
        self._conv, self._single = Signal(), Signal()
        granted = Signal()
        m.d.comb += granted.eq(self.weights.valid & self.weights.ready)
        self._take(m)
        self._walk(m, granted)
        self._room(m, granted)
        self._keep(m, granted)
        return m

    def _take(self, m: Module) -> None:
        """Copy what the walk needs of the next command; commands without weights are let through."""
        command, operation = self.command, self.command.operation
        weighted, taken, known = Signal(), Signal(), Signal()
        begin = Signal()
        m.d.comb += [
            weighted.eq(
                (operation == Operation.CONV)
                | (operation == Operation.DEPTHWISE)
                | (operation == Operation.CHANNEL)
            ),
            begin.eq(self.valid & weighted & ~taken & ~self._active),
            self.ready.eq(~weighted | (taken & known)),
        ]
        with m.If(self.take):
            m.d.sync += [taken.eq(0), known.eq(0)]
        self._begin, self._known = begin, known
        copies = {
            "groups": "groups",
            "kernel_rows": "kernel_rows",
            "per_tensor": "per_tensor",
        }
        self._held = {name: Signal(field(item), name=f"held_{name}") for name, item in copies.items()}
        self._columns, self._in_groups = Signal(field("kernel_columns")), Signal(field("in_groups"))
        conv, depthwise = operation == Operation.CONV, operation == Operation.DEPTHWISE
        self._blocks = Signal(32 - self._config.psum_words.bit_length() + 1)
        self._depthwise = Signal()
        with m.If(begin):
            m.d.sync += [
                taken.eq(1),
                self._conv.eq(conv),
                self._depthwise.eq(depthwise),
                self._single.eq(operation == Operation.CHANNEL),
                self._columns.eq(Mux(depthwise, 1, command.kernel_columns)),
                self._in_groups.eq(Mux(conv, command.in_groups, 1)),
                *(copy.eq(command[name]) for name, copy in self._held.items()),
            ]
        # The rectangle's pixels may be known only later than the first weights are read.
        with m.If(taken & ~known & self.known & ~self.take):
            full = self.pixels + (self._config.psum_words - 1)
            m.d.sync += [
                known.eq(1),
                self._blocks.eq(Mux(self._depthwise, 1, full >> self._config.psum_words.bit_length() - 1)),
            ]

    def _walk(self, m: Module, granted: Signal) -> None:
        """Count words, tiles, blocks and groups."""
        held, address = self._held, self.weights.address
        start = Signal.like(address)  # of the group's weights, which each block reads again
        column, row = Signal.like(self._columns), Signal(field("kernel_rows"))
        group, in_group = Signal(field("groups")), Signal.like(self._in_groups)
        block = Signal.like(self._blocks)
        words = Mux(self._conv, self._config.tile_words, Mux(self._single, 1, 2))
        waiting = Signal()  # the weights of a block are read; is there another one?
        self._waiting = waiting
        self._last_word, last_tile = Signal(), Signal()
        last_in_group, last_column = Signal(), Signal()
        m.d.comb += [
            self._last_word.eq(~self._parameters & (self._word == words - 1)),
            last_in_group.eq(in_group == self._in_groups - 1),
            last_column.eq(last_in_group & (column == self._columns - 1)),
            last_tile.eq(last_column & (row == held["kernel_rows"] - 1)),
            self.tile.eq(granted & self._last_word),
        ]
        last_parameter = Mux(held["per_tensor"], _BIASES - 1, _SHIFTS - 1)
        with m.If(self._begin):
            m.d.sync += [
                self._active.eq(1),
                self._parameters.eq(1),
                self._number.eq(0),
                address.eq(self.command.weights),
                group.eq(0),
            ]
        with m.Elif(granted):
            m.d.sync += address.eq(address + 1)
            with m.If(self._parameters):
                m.d.sync += self._number.eq(self._number + 1)
                with m.If(self._number == last_parameter):
                    m.d.sync += [self._parameters.eq(0), start.eq(address + 1), block.eq(0)]
                    m.d.sync += [self._word.eq(0), in_group.eq(0), column.eq(0), row.eq(0)]
            with m.Else():
                m.d.sync += self._word.eq(Mux(self._last_word, 0, self._word + 1))
                with m.If(self._last_word):
                    m.d.sync += in_group.eq(Mux(last_in_group, 0, in_group + 1))
                    with m.If(last_in_group):
                        m.d.sync += column.eq(Mux(last_column, 0, column + 1))
                    with m.If(last_column):
                        m.d.sync += row.eq(Mux(last_tile, 0, row + 1))
                    with m.If(last_tile):
                        m.d.sync += waiting.eq(1)
        # A block's end: takes no cycle of its own when it is known what follows.
        ends = Signal()
        m.d.comb += ends.eq(self._known_blocks(m) & (waiting | (granted & self._last_word & last_tile)))
        with m.If(ends):
            m.d.sync += waiting.eq(0)
            with m.If(block != self._blocks - 1):
                m.d.sync += [block.eq(block + 1), address.eq(start)]
            with m.Else():
                m.d.sync += [group.eq(group + 1), self._parameters.eq(1), self._number.eq(0)]
                with m.If(group == held["groups"] - 1):
                    m.d.sync += self._active.eq(0)

    def _known_blocks(self, m: Module) -> Signal:
        """Return whether the blocks of the command under way are known, also when it is taken meanwhile."""
        sure = Signal()
        with m.If(self._begin):
            m.d.sync += sure.eq(0)
        with m.Elif(self._known):
            m.d.sync += sure.eq(1)
        return sure

    def _room(self, m: Module, granted: Signal) -> None:
        """Ask for a word when there is a place for it."""
        places = Signal(range(RING_SLOTS + 1), init=RING_SLOTS)
        opens = Signal()  # the word begins a place
        m.d.comb += opens.eq(~self._parameters & (self._single | ~self._word[0]))
        m.d.sync += places.eq(places + self.freed - (granted & opens))
        full = Signal(3)  # biases, multipliers, shifts that are not taken yet
        ends = (_BIASES, _MULTIPLIERS, _SHIFTS)
        for place, (end, taken) in enumerate(
            zip(ends, (self.bias_taken, self.multipliers_taken, self.shifts_taken), strict=True)
        ):
            with m.If(granted & self._parameters & (self._number == end - 1)):
                m.d.sync += full[place].eq(1)
            with m.Elif(taken):
                m.d.sync += full[place].eq(0)
        blocked = Mux(self._number < _BIASES, full[0], Mux(self._number < _MULTIPLIERS, full[1], full[2]))
        room = Mux(self._parameters, ~blocked, ~opens | (places != 0))
        m.d.comb += self.weights.valid.eq(self._active & ~self._waiting & room)

    def _keep(self, m: Module, granted: Signal) -> None:
        """Put the word that comes where it belongs."""
        n = self._config.array
        word = self.weights.data[0]
        come = Signal()
        number = Signal.like(self._number)
        parameters, second = Signal(), Signal()
        place, single = Signal(range(RING_SLOTS)), Signal()
        m.d.sync += [
            come.eq(granted),
            number.eq(self._number),
            parameters.eq(self._parameters),
            second.eq(self._word[0] & ~self._single),
            single.eq(self._single),
        ]
        half = n // 2
        with m.If(come & parameters), m.Switch(number):
            for item in range(_SHIFTS):
                with m.Case(item):
                    if item < _BIASES:
                        for i in range(half):
                            bias = word[32 * i : 32 * i + 32]
                            m.d.sync += self.bias[item * half + i].eq(bias)
                    elif item < _MULTIPLIERS:
                        for i in range(half):
                            multiplier = word[32 * i : 32 * i + 31]
                            m.d.sync += self.multiplier[(item - _BIASES) * half + i].eq(multiplier)
                    else:
                        shifts = [self.shift[i].eq(word[8 * i : 8 * i + 8]) for i in range(n)]
                        m.d.sync += shifts
        with m.If(come & ~parameters):
            with m.If(second | single):
                m.d.sync += place.eq(place + 1)
            places = Array(self.ring[i] for i in range(RING_SLOTS))
            target = places[place]
            with m.If(second):
                m.d.sync += target[16 * n :].eq(word)
            with m.Else():
                m.d.sync += target[: 16 * n].eq(word)

"""Requantisation: sums of 32 bits to int8, all channels of a word at once."""

import enum

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.compute.layouts import COMMAND, result_layout, token_layout
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Kind", "Requantise"]

#: Bits of a scaled sum: a magnitude may be 2**31 and, with half of a divisor, more.
_WIDE = 33
#: Bits of the multiplier that the first of two products takes.
_SPLIT = 16
_OPERAND_SHIFT = 20


class Kind(enum.Enum):
    """What is scaled."""

    SUM = 0
    FIRST = 1  # operands of ADD
    SECOND = 2
    TOTAL = 3  # and their sum


class Requantise(wiring.Component):
    """Scale, round, shift and clamp; operands of ``ADD`` come by a second time as their sum.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid, token, sums : In
        Sums, and what becomes of them.
    command : In, ``COMMAND``
        The command of the last token that had `command`.
    multiplier, shift : In, arrays of N
        Of the group that begins.
    multipliers_taken, shifts_taken, command_taken : Out(1)
        Pulses: they are taken over; so is all of the command.
    o_valid, result : Out
        What is to be written.

    Timing
    ------
    Latency five cycles; a word a cycle. ``ADD``: a cycle without `valid`
    after each second operand.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        n = config.array
        super().__init__(
            {
                "valid": In(1),
                "token": In(token_layout(config)),
                "sums": In(data.ArrayLayout(signed(32), n)),
                "command": In(COMMAND),
                "multiplier": In(data.ArrayLayout(unsigned(31), n)),
                "shift": In(data.ArrayLayout(unsigned(8), n)),
                "multipliers_taken": Out(1),
                "shifts_taken": Out(1),
                "command_taken": Out(1),
                "o_valid": Out(1),
                "result": Out(result_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the stages: shift to the left, products, their sum, shift to the right, clamp."""
        m = Module()
        n = self._config.array
        self._stage = data.StructLayout(
            {"valid": 1, "kind": Kind, "void": 1, "end": 1, "command": 1, "scales": 1}
        )
        self._lanes = range(n)
        begin = self._begin(m)
        scaled, negative, product = self._scale(m, begin)
        summed = self._sum(m, product)
        shifted = self._shift(m, summed, scaled[2])
        self._finish(m, shifted, scaled[3], negative)
        return m

    def _words(self, width: int, name: str) -> Signal:
        return Signal(data.ArrayLayout(signed(width), self._config.array), name=name)

    def _stages(self, m: Module, begin: Signal) -> list[Signal]:
        """Return what goes with the sums: as it comes, and after each cycle."""
        stages = [begin]
        for number in range(1, 6):
            after = Signal(self._stage, name=f"stage_{number}")
            m.d.sync += after.eq(stages[-1])
            stages.append(after)
        return stages

    def _begin(self, m: Module) -> Signal:
        """Let in sums of the array or, when none is a result, the sum of two operands."""
        token = self.token
        begin = Signal(self._stage)
        self._waiting, self._waiting_end = Signal(), Signal()
        self._total = self._words(32, "total")
        results = self.valid & token.result
        m.d.comb += [
            begin.command.eq(self.valid & token.command),
            begin.scales.eq(self.valid & token.scales),
            begin.valid.eq(results | self._waiting),
        ]
        with m.If(results):
            m.d.comb += [begin.void.eq(token.void), begin.end.eq(token.end)]
            with m.If(token.add):
                m.d.comb += begin.kind.eq(Mux(token.second, Kind.SECOND, Kind.FIRST))
        with m.Else():
            m.d.comb += [begin.kind.eq(Kind.TOTAL), begin.end.eq(self._waiting_end)]
            m.d.sync += self._waiting.eq(0)
        return begin

    def _loads(self, stage: Signal) -> tuple[Value, Value]:
        """Return whether the group's scales come with this stage, and whether the command's do."""
        return stage.scales, stage.command & ~stage.scales

    def _scale(self, m: Module, begin: Signal) -> tuple[list[Signal], Signal, tuple[Signal, Signal]]:
        """Shift to the left, or take the magnitude; then multiply."""
        command = self.command
        stages = self._stages(m, begin)
        left = [Signal(3, name=f"left_{i}") for i in self._lanes]
        divide, half = Signal(), Signal(16)
        # The first slot of a group or command may itself be a result: its shift is not in flops yet.
        group, alone = self._loads(begin)
        lefts = [Mux(group, self.shift[i][5:], Mux(alone, command.left, left[i])) for i in self._lanes]
        divides, halves = Mux(begin.command, command.divide, divide), Mux(begin.command, command.half, half)
        m.d.sync += [divide.eq(divides), half.eq(halves)]
        m.d.sync += [left[i].eq(lefts[i]) for i in self._lanes]
        value, negative = self._words(_WIDE, "value"), Signal(self._config.array)
        multiplier = [Signal(31, name=f"multiplier_{i}") for i in self._lanes]
        for i in self._lanes:
            total = self.sums[i]
            wide = Signal(signed(_WIDE), name=f"wide_{i}")
            with m.If(~self.valid | ~self.token.result):
                m.d.comb += wide.eq(self._total[i])
            with m.Elif(self.token.add):
                m.d.comb += wide.eq((total << _OPERAND_SHIFT)[:32].as_signed())
            with m.Elif(divides):
                below = total[-1]  # minus total is its complement plus 1
                magnitude = Mux(below, ~total, total).as_unsigned()[:32]
                m.d.comb += wide.eq(magnitude + Mux(total.any(), halves, 0) + below)
            with m.Else():
                m.d.comb += wide.eq((total << lefts[i])[:32].as_signed())
            m.d.sync += [value[i].eq(wide), negative[i].eq(divides & (total < 0))]
            with m.If(group):
                m.d.sync += multiplier[i].eq(self.multiplier[i])
            with m.Elif(begin.kind == Kind.FIRST):
                m.d.sync += multiplier[i].eq(command.multiplier_a)
            with m.Elif(begin.kind == Kind.SECOND):
                m.d.sync += multiplier[i].eq(command.multiplier_b)
            with m.Elif(alone | (begin.kind == Kind.TOTAL) & begin.valid):
                m.d.sync += multiplier[i].eq(command.multiplier)
        m.d.comb += self.multipliers_taken.eq(begin.scales)
        low, high = self._words(_WIDE + _SPLIT + 1, "low"), self._words(_WIDE + 31 - _SPLIT, "high")
        exact = Signal()  # no rounding before the shift to the right
        m.d.sync += exact.eq(divides)
        self._exact = exact
        for i in self._lanes:
            rounding = Mux(exact, 0, 1 << 30)
            m.d.sync += [
                low[i].eq(value[i] * multiplier[i][:_SPLIT] + rounding),
                high[i].eq(value[i] * multiplier[i][_SPLIT:]),
            ]
        self._negative = negative
        return stages, negative, (low, high)

    def _sum(self, m: Module, product: tuple[Signal, Signal]) -> Signal:
        """Add the products."""
        low, high = product
        summed = self._words(_WIDE, "summed")
        for i in self._lanes:
            m.d.sync += summed[i].eq(((low[i] >> _SPLIT) + high[i]) >> (31 - _SPLIT))
        return summed

    def _shift(self, m: Module, summed: Signal, stage: Signal) -> Signal:
        """Shift to the right, rounded half away from zero of all but magnitudes."""
        command = self.command
        right = [Signal(5, name=f"right_{i}") for i in self._lanes]
        exact, shifted = Signal(), self._words(_WIDE, "shifted")
        late = Signal()
        m.d.sync += [late.eq(self._exact), exact.eq(late)]
        group, alone = self._loads(stage)
        m.d.comb += self.shifts_taken.eq(stage.scales)
        for i in self._lanes:
            with m.If(group):
                m.d.sync += right[i].eq(self.shift[i][:5])
            with m.Elif(stage.kind == Kind.FIRST):
                m.d.sync += right[i].eq(command.right_a)
            with m.Elif(stage.kind == Kind.SECOND):
                m.d.sync += right[i].eq(command.right_b)
            with m.Elif(alone | (stage.kind == Kind.TOTAL) & stage.valid):
                m.d.sync += right[i].eq(command.right)
            # Adding before the shift what rounds is the same as adding the last bit shifted out.
            lower = Signal(signed(_WIDE), name=f"lower_{i}")
            away = (right[i] != 0) & ~exact
            m.d.comb += lower.eq(summed[i] - (away & (summed[i] < 0)))
            out = (lower << 1).as_unsigned().bit_select(right[i], 1)
            m.d.sync += shifted[i].eq((lower >> right[i]) + (away & out))
        return shifted

    def _finish(self, m: Module, shifted: Signal, stage: Signal, negative: Signal) -> None:
        """Add the zero point and clamp; or keep operands of ``ADD`` and add them."""
        command = self.command
        zero, minimum, maximum = Signal(signed(8)), Signal(signed(8)), Signal(signed(8))
        m.d.comb += self.command_taken.eq(stage.command)
        with m.If(stage.command):
            m.d.sync += [
                zero.eq(command.zero_out),
                minimum.eq(command.minimum),
                maximum.eq(command.maximum),
            ]
        after = Signal(self._stage)
        m.d.sync += after.eq(stage)
        signs = negative
        for number in range(3):
            late = Signal(self._config.array, name=f"negative_{number}")
            m.d.sync += late.eq(signs)
            signs = late
        operand = (after.kind == Kind.FIRST) | (after.kind == Kind.SECOND)
        m.d.sync += [
            self.o_valid.eq(after.valid & ~operand),
            self.result.void.eq(after.void),
            self.result.end.eq(after.end),
        ]
        first = self._words(32, "first")
        for i in self._lanes:
            value = Signal(signed(_WIDE + 1), name=f"final_{i}")
            m.d.comb += value.eq(Mux(signs[i], ~shifted[i], shifted[i]) + zero + signs[i])
            raised = Signal(signed(_WIDE + 1), name=f"raised_{i}")
            m.d.comb += raised.eq(Mux(value < minimum, minimum, value))
            m.d.sync += self.result.data[8 * i : 8 * i + 8].eq(Mux(raised > maximum, maximum, raised))
            with m.If(after.valid & (after.kind == Kind.FIRST)):
                m.d.sync += first[i].eq(shifted[i])
            with m.If(after.valid & (after.kind == Kind.SECOND)):
                m.d.sync += self._total[i].eq(first[i] + shifted[i])
        with m.If(after.valid & (after.kind == Kind.SECOND)):
            m.d.sync += [self._waiting.eq(1), self._waiting_end.eq(after.end)]

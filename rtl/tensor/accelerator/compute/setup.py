"""What a command's addresses need beforehand: products, four bits of a factor a cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Operation
from rtl.tensor.accelerator.compute.layouts import COMMAND, activation_address
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Setup"]

_DIGIT = 4


class Setup(wiring.Component):
    """Multiply fields of the command that comes next, while another is under way.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid : In(1)
        There is a command.
    command : In, ``COMMAND``
        The command; stays until it is taken.
    take : In(1)
        It is taken; all is for the next from now on.
    ready, known : Out(1)
        `origin` and `row_step` are there; `pixels` too.
    origin : Out
        Word under the kernel's first tap at output (0, 0), modulo the memory's size.
    row_step : Out
        Words from an output row to the next, modulo the memory's size.
    pixels : Out(32)
        Pixels of the rectangle.

    Timing
    ------
    `ready` comes 6 cycles after `valid`, or 7 with more than 2**16 words of memory; `known` 4 later.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._address = address = activation_address(config)
        super().__init__(
            {
                "valid": In(1),
                "command": In(COMMAND),
                "take": In(1),
                "ready": Out(1),
                "known": Out(1),
                "origin": Out(address),
                "row_step": Out(address),
                "pixels": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build one multiplier, and the sequence of its digits, most significant first."""
        m = Module()
        command = self.command
        width = 16 if self._address <= 16 else 20
        signed_row = Signal(width)
        m.d.comb += signed_row.eq(command.first_row)
        # Digits of all factors in a row: first_row, stride_y, rows.
        ends = (width // _DIGIT, width // _DIGIT + 2, width // _DIGIT + 6)
        step = Signal(range(ends[-1] + 1))
        total, digit = Signal(32), Signal(_DIGIT)
        fresh = Signal()
        factors = (
            *(signed_row[low : low + _DIGIT] for low in range(width - _DIGIT, -1, -_DIGIT)),
            *(command.stride_y[low : low + _DIGIT] for low in (4, 0)),
            *(command.rows[low : low + _DIGIT] for low in (12, 8, 4, 0)),
        )
        with m.Switch(step):
            for place, factor in enumerate(factors):
                with m.Case(place):
                    m.d.comb += digit.eq(factor)
        m.d.comb += fresh.eq((step == 0) | (step == ends[0]) | (step == ends[1]))
        multiplicand = Mux(step >= ends[1], command.columns, command.in_columns)
        after = Signal(32)
        m.d.comb += [
            after.eq(Mux(fresh, 0, total << _DIGIT) + digit * multiplicand),
            self.ready.eq(self.valid & (step >= ends[1])),
            self.known.eq(self.valid & (step == ends[-1])),
            self.pixels.eq(total),
        ]
        linear = command.operation == Operation.ADD
        with m.If(self.take):
            m.d.sync += step.eq(0)
        with m.Elif(self.valid & (step != ends[-1])):
            m.d.sync += [step.eq(step + 1), total.eq(after)]
            with m.If(step == ends[0] - 1):
                offset = after[: self._address] + command.first_column
                m.d.sync += self.origin.eq(command.source + Mux(linear, 0, offset))
            with m.If(step == ends[1] - 1):
                m.d.sync += self.row_step.eq(after)
        return m

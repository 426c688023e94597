"""Whether a command's addresses stay inside the memories: sums of products, a bit at a time."""

from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.commands import Compute, Load, Operation, Pack
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import command_layout

__all__ = ["ExtentCheck", "Kind"]

_WIDTH = 26  # beyond bytes of the largest memory, and of any string that PACK makes


class Kind(IntEnum):
    """Commands by what is checked."""

    TRANSFER = 0
    PACK = 1
    COMPUTE = 2


class _Then(IntEnum):
    """What is done with a sum."""

    GO_ON = 0
    SAVE = 1
    SAVE_WORDS = 2  # bytes, rounded up
    ACTIVATION_WORDS = 3  # the end must lie in the memory
    WEIGHT_WORDS = 4
    ACTIVATION_BYTES = 5
    PSUM_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """``sum = (start or sum) + (count - less) * step``, and what follows.

    ``only`` says for which commands it is done, ``None`` for all.
    """

    start: ValueLike | None = None
    count: ValueLike = 1
    less: bool = False
    step: ValueLike
    then: _Then = _Then.GO_ON
    only: ValueLike | None = None


class ExtentCheck(wiring.Component):
    """Compute the last address of each tensor of a command, and compare.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    start : In(1)
        Check the command; it stays until `done`.
    kind : In(2)
        :class:`Kind`.
    transfer, pack, compute : In
        The command, as one of each layout.
    done : Out(1)
        A pulse: checked.
    code : Out(4)
        With `done`: 0, or the code of the error.

    Timing
    ------
    For each product three cycles, and one for each bit of the count.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "kind": In(2),
                "transfer": In(command_layout(Load)),
                "pack": In(command_layout(Pack)),
                "compute": In(command_layout(Compute)),
                "done": Out(1),
                "code": Out(4),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the list of products, and what computes them."""
        m = Module()
        saved = Signal(_WIDTH)
        programs = [self._transfer(), self._pack(saved), self._compute(saved)]
        steps = [step for program in programs for step in program]
        starts = [0, len(programs[0]), len(programs[0]) + len(programs[1])]
        lasts = {starts[1] - 1, starts[2] - 1, len(steps) - 1}

        at = Signal(range(len(steps) + 1))
        total, step, count = Signal(_WIDTH), Signal(_WIDTH), Signal(_WIDTH)
        # Bits that no longer fit: of the sum, of the step and of what is saved.
        over, step_over, saved_over = Signal(), Signal(), Signal()
        then, last, less = Signal(_Then), Signal(), Signal()

        with m.FSM():
            with m.State("IDLE"):
                with m.Switch(self.kind):
                    for kind, place in enumerate(starts):
                        with m.Case(kind):
                            m.d.sync += at.eq(place)
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += step_over.eq(0)
                with m.Switch(at):
                    for place, row in enumerate(steps):
                        with m.Case(place):
                            m.d.sync += [
                                step.eq(row.step),
                                count.eq(row.count),
                                less.eq(row.less),
                                then.eq(row.then),
                                last.eq(place in lasts),
                            ]
                            if row.step is saved or row.count is saved:
                                m.d.sync += step_over.eq(saved_over)
                            if row.start is not None:
                                m.d.sync += [total.eq(row.start), over.eq(0)]
                            if row.only is not None:
                                with m.If(~Value.cast(row.only)):
                                    m.d.sync += [count.eq(0), less.eq(0), then.eq(_Then.GO_ON)]
                m.next = "LESS"
            with m.State("LESS"):
                m.d.sync += count.eq(count - less)
                m.next = "ADD"
            with m.State("ADD"):
                total_next = total + step
                with m.If(count[0]):
                    m.d.sync += [
                        total.eq(total_next),
                        over.eq(over | total_next[_WIDTH] | step_over),
                    ]
                m.d.sync += [
                    step.eq(step << 1),
                    step_over.eq(step_over | step[-1]),
                    count.eq(count >> 1),
                ]
                with m.If(count[1:] == 0):
                    m.next = "THEN"
            with m.State("THEN"):
                self._then(m, then, total, over, saved, saved_over)
                with m.If(last | (self.code != 0)):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Else():
                    m.d.sync += at.eq(at + 1)
                    m.next = "FETCH"
        return m

    def _then(
        self, m: Module, then: Signal, total: Signal, over: Signal, saved: Signal, saved_over: Signal
    ) -> None:
        config = self._config
        limits = {
            _Then.ACTIVATION_WORDS: (config.activation_words, 3),
            _Then.WEIGHT_WORDS: (config.weight_words, 3),
            _Then.ACTIVATION_BYTES: (config.activation_kib * 1024, 3),
            _Then.PSUM_WORDS: (config.psum_words, 2),
        }
        word = config.activation_word
        with m.Switch(then):
            with m.Case(_Then.SAVE):
                m.d.sync += [saved.eq(total), saved_over.eq(over)]
            with m.Case(_Then.SAVE_WORDS):
                m.d.sync += [saved.eq(total >> ceil_log2(word)), saved_over.eq(over)]
            for case, (limit, code) in limits.items():
                with m.Case(case), m.If(over | (total > limit)):
                    m.d.comb += self.code.eq(code)

    def _transfer(self) -> list[_Step]:
        config, command = self._config, self.transfer
        rows = {"count": command.rows, "less": True, "step": command.pitch}
        sizes = (config.activation_word, config.weight_word)
        words = [command.row_bytes >> ceil_log2(size) for size in sizes]
        return [
            _Step(start=command.address, **rows),
            _Step(step=words[0], then=_Then.ACTIVATION_WORDS, only=~command.memory),
            _Step(step=words[1], then=_Then.WEIGHT_WORDS, only=command.memory),
        ]

    def _pack(self, saved: Signal) -> list[_Step]:
        command = self.pack
        word = self._config.activation_word
        return [
            _Step(
                start=Cat(Const(0, ceil_log2(word)), command.source),
                count=command.in_rows,
                step=command.row_bytes,
                then=_Then.ACTIVATION_BYTES,
            ),
            _Step(
                start=word - 1, count=command.kernel_rows, step=command.segment_bytes, then=_Then.SAVE_WORDS
            ),
            _Step(start=command.target, count=saved, less=True, step=command.target_group),
            _Step(count=command.rows, less=True, step=command.target_row),
            _Step(count=command.columns, less=True, step=command.target_column),
            _Step(step=1, then=_Then.ACTIVATION_WORDS),
        ]

    def _compute(self, saved: Signal) -> list[_Step]:
        command = self.compute
        operation = command.operation
        is_ = {kind: operation == kind for kind in Operation}
        add, conv = is_[Operation.ADD], is_[Operation.CONV]
        taps = is_[Operation.CONV] | is_[Operation.CHANNEL]
        weighted = taps | is_[Operation.DEPTHWISE]
        words = _Then.ACTIVATION_WORDS
        groups = Mux(conv, command.in_groups, command.groups)
        rows = Mux(is_[Operation.DEPTHWISE], 2, command.kernel_columns)
        # Biases, and multipliers and shifts.
        head = Mux(command.per_tensor, 2, 5)
        return [
            _Step(
                start=0, count=command.rows, step=command.columns, then=_Then.PSUM_WORDS,
                only=command.keep | command.accumulate,
            ),
            # ADD: three tensors of the same size.
            _Step(start=0, count=command.rows, step=command.columns, then=_Then.SAVE, only=add),
            _Step(start=0, count=command.groups, step=saved, then=_Then.SAVE, only=add),
            _Step(start=command.source, step=saved, then=words, only=add),
            _Step(start=command.source_b, step=saved, then=words, only=add),
            _Step(start=command.target, step=saved, then=words, only=add),
            # Input.
            _Step(start=command.source, count=groups, less=True, step=command.source_group, only=~add),
            _Step(count=command.in_rows, step=command.in_columns, then=words, only=~add),
            # Output.
            _Step(
                start=command.target, count=command.groups, less=True, step=command.target_group, only=~add,
            ),
            _Step(count=command.rows, less=True, step=command.target_row, only=~add),
            _Step(step=command.columns, then=words, only=~(add | command.keep)),
            # Weights.
            _Step(start=0, count=command.kernel_rows, step=rows, then=_Then.SAVE, only=weighted),
            _Step(start=0, count=saved, step=command.in_groups, then=_Then.SAVE, only=conv),
            _Step(start=0, count=self._config.tile_words, step=saved, then=_Then.SAVE, only=conv),
            _Step(start=head, count=1, step=saved, then=_Then.SAVE, only=weighted),
            _Step(
                start=command.weights, count=command.groups, step=saved, then=_Then.WEIGHT_WORDS,
                only=weighted,
            ),
        ]  # fmt: skip

"""A queue of commands: its order, and that none leaves before what it waits for is done."""

from itertools import pairwise

from amaranth.hdl import Array, Assert, Assume, Cat, Cover, Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from rtl.tensor.accelerator.commands import Load
from rtl.tensor.accelerator.interfaces import command_layout
from rtl.tensor.accelerator.queue import CommandQueue

__all__ = ["QueueProperties"]


class QueueProperties(wiring.Component):
    """A queue beside a reference, with anything coming in and going out.

    Assumed: counts of done commands grow by at most one a cycle. Asserted: the
    queue offers the reference's first command; of each engine as many commands
    were done, a cycle ago, as that one waits for; and a command whose counts
    were reached a cycle ago is offered.

    Parameters
    ----------
    depth
        Of the queue.
    goals
        Only cover statements.

    Members
    -------
    i : In, stream of commands
    ready : In(1)
        The engine.
    done : In, counts of four engines
    """

    def __init__(self, *, depth: int = 4, goals: bool = False) -> None:
        self._depth = depth
        self._goals = goals
        super().__init__(
            {
                "i": In(stream.Signature(command_layout(Load))),
                "ready": In(1),
                "done": In(data.ArrayLayout(unsigned(16), 4)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the queue, the reference and the assertions."""
        m = Module()
        # To reach a goal, registers that begin with anything are no fault.
        claim = (lambda _: Assert(1)) if self._goals else Assert
        m.submodules.dut = dut = CommandQueue(kind=Load, depth=self._depth)
        m.d.comb += [
            dut.i.valid.eq(self.i.valid),
            dut.i.payload.eq(self.i.payload),
            self.i.ready.eq(dut.i.ready),
            dut.o.ready.eq(self.ready),
            dut.done.eq(self.done),
        ]
        level = Signal(range(self._depth + 1))
        entries = [Signal(self.i.payload.shape(), name=f"reference{n}") for n in range(self._depth)]
        push, pop = self.i.valid & self.i.ready, dut.o.valid & self.ready
        m.d.sync += level.eq(level + push - pop)
        with m.If(pop):
            m.d.sync += [a.eq(b) for a, b in pairwise(entries)]
        with m.If(push):
            m.d.sync += Array(map(Value.cast, entries))[level - pop].eq(self.i.payload)

        before = Signal.like(self.done)
        running = Signal()
        m.d.sync += [before.eq(self.done), running.eq(1)]
        first = entries[0]
        waits = (first.wait_load, first.wait_pack, first.wait_compute, first.wait_store)
        reached = Signal()
        was_reached, was_there = Signal(), Signal()
        m.d.comb += reached.eq(1)
        for now, then, wait in zip(self.done, before, waits, strict=True):
            with m.If(running):
                m.d.comb += Assume((now - then)[:16] <= 1)
            with m.If((now - wait)[15]):
                m.d.comb += reached.eq(0)
            with m.If(dut.o.valid):
                m.d.comb += claim(~(then - wait)[15])
        m.d.sync += [was_reached.eq(reached & (level != 0) & ~pop), was_there.eq(dut.o.valid & ~self.ready)]
        m.d.comb += [
            claim(dut.level == level),
            claim(dut.i.ready == (level != self._depth)),
            Cover(pop & (level == self._depth) & (first.wait_compute != 0)),
        ]
        # The queue's own entries, without which induction starts from what cannot be.
        for place, (mine, its) in enumerate(zip(entries, dut._entries, strict=True)):
            with m.If(level > place):
                m.d.comb += claim(Value.cast(mine) == Value.cast(its))
        behind = Cat((then - wait)[15] for then, wait in zip(before, waits, strict=True))
        with m.If(dut._compared):
            m.d.comb += [claim(level != 0), claim(dut.missing == behind)]
        m.d.comb += claim(level <= self._depth)
        with m.If(dut.o.valid):
            m.d.comb += [claim(level != 0), claim(Value.cast(dut.o.payload) == Value.cast(first))]
        with m.If(was_reached):
            m.d.comb += claim(dut.o.valid)
        return m

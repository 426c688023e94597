"""Commands that wait for others of other engines."""

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Command, Engine
from rtl.tensor.accelerator.interfaces import command_layout

__all__ = ["CommandQueue"]


class CommandQueue(wiring.Component):
    """Hold commands of an engine until what they wait for is done.

    Parameters
    ----------
    kind
        Class of the commands.
    depth
        Commands that it holds.

    Members
    -------
    i : In, stream of ``command_layout(kind)``
        Commands, in order.
    o : Out, stream of ``command_layout(kind)``
        The first one, when it may start.
    done : In, array of 4 counts
        Commands of each engine that are done, modulo 2**16.
    level : Out
        Commands held.
    missing : Out(4)
        Engines that the first one still waits for.

    Timing
    ------
    A command that waits for nothing leaves two cycles after it came, or after
    the one before it left.
    """

    def __init__(self, *, kind: type[Command], depth: int) -> None:
        self._kind = kind
        self._depth = depth
        command = stream.Signature(command_layout(kind))
        # Attributes, so that the proof can speak of them.
        self._entries = [Signal(command_layout(kind), name=f"entry{n}") for n in range(depth)]
        self._compared = Signal()
        super().__init__(
            {
                "i": In(command),
                "o": Out(command),
                "done": In(data.ArrayLayout(unsigned(16), len(Engine))),
                "level": Out(range(depth + 1)),
                "missing": Out(len(Engine)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return a queue that shifts, and comparisons of its first entry, a cycle behind."""
        m = Module()
        entries, compared = self._entries, self._compared
        push, pop = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        m.d.comb += [
            self.i.ready.eq(self.level != self._depth),
            self.o.payload.eq(entries[0]),
        ]
        m.d.sync += self.level.eq(self.level + push - pop)
        for place, entry in enumerate(entries):
            with m.If(push & (self.level - pop == place)):
                m.d.sync += entry.eq(self.i.payload)
            if place + 1 < self._depth:
                with m.Elif(pop):
                    m.d.sync += entry.eq(entries[place + 1])

        first = entries[0]
        waits = (first.wait_load, first.wait_pack, first.wait_compute, first.wait_store)
        # Reached or passed, modulo 2**16: the difference is below half of that.
        behind = Cat((done - wait)[15] for done, wait in zip(self.done, waits, strict=True))
        m.d.sync += [
            self.missing.eq(behind),
            compared.eq((self.level != 0) & ~pop),
        ]
        m.d.comb += self.o.valid.eq(compared & ~self.missing.any())
        return m

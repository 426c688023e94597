"""The register file of the nano pipeline: one read port, one write port."""

from functools import reduce
from operator import or_

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RegisterFile"]


class RegisterFile(wiring.Component):
    """Integer registers of which one is read and one written in a cycle.

    Flip-flops are read through AND-OR trees: a two-input AND-OR-INVERT gate
    takes two registers, where a tree of multiplexers pays a larger cell for
    each.

    Parameters
    ----------
    registers
        16 or 32, ``x0`` included, which is not stored.
    kind
        ``flops``, or ``memory`` for a macro or block RAM.

    Members
    -------
    read_address, read_data : In(5), Out(32)
        The read port. ``x0`` reads as zero.
    write, write_address, write_data : In(1), In(5), In(32)
        The write port. Writes to ``x0`` are ignored.

    Timing
    ------
    Flip-flops: ``read_data`` follows ``read_address`` in the same cycle.
    Memory: one cycle later, a write in the address's cycle included.
    """

    def __init__(self, *, registers: int, kind: str) -> None:
        self._registers = registers
        self._kind = kind
        super().__init__(
            {
                "read_address": In(5),
                "read_data": Out(32),
                "write": In(1),
                "write_address": In(5),
                "write_data": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        if self._kind == "memory":
            self._add_memory(m)
        else:
            self._add_flops(m)
        return m

    def _add_flops(self, m: Module) -> None:
        read = []
        for index in range(1, self._registers):
            register = Signal(32, name=f"x{index}", reset_less=True)
            with m.If(self.write & (self.write_address == index)):
                m.d.sync += register.eq(self.write_data)
            read.append(register & (self.read_address == index).replicate(32))
        m.d.comb += self.read_data.eq(reduce(or_, read))

    def _add_memory(self, m: Module) -> None:
        m.submodules.storage = storage = memory.Memory(shape=32, depth=self._registers, init=())
        write = storage.write_port()
        read = storage.read_port(transparent_for=(write,))
        bits = len(read.addr)
        # A macro's contents are unknown, and a block RAM's may be: x0 is a gate.
        nonzero = Signal()
        m.d.sync += nonzero.eq(self.read_address.any())
        m.d.comb += [
            read.addr.eq(self.read_address[:bits]),
            read.en.eq(Const(1)),
            self.read_data.eq(Mux(nonzero, read.data, 0)),
            write.addr.eq(self.write_address[:bits]),
            write.data.eq(self.write_data),
            write.en.eq(self.write),
        ]

"""The register file of the fast pipeline: flip-flops, two reads an instruction, one write each."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RegisterFile"]


class RegisterFile(wiring.Component):
    """Registers ``x0`` to ``x31``.

    Parameters
    ----------
    slots
        Instructions a cycle, 1 or 2.

    Members
    -------
    read_address, read_data : In(array of 5 bits), Out(array of 32 bits)
        Two ports for each slot: ``rs1`` and ``rs2`` of the first, then of the second.
    write, write_address, write_data : In(slots), In(array of 5), In(array of 32)
        The later slot wins when both write the same register. Writing
        ``x0`` is not allowed.

    Timing
    ------
    Reads are combinational, and see a write in the cycle after it.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        super().__init__(
            {
                "read_address": In(data.ArrayLayout(5, 2 * slots)),
                "read_data": Out(data.ArrayLayout(32, 2 * slots)),
                "write": In(slots),
                "write_address": In(data.ArrayLayout(5, slots)),
                "write_data": In(data.ArrayLayout(32, slots)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        registers = [Signal(32, name=f"x{i}", reset_less=True) for i in range(1, 32)]
        for i, register in enumerate(registers, start=1):
            chosen = [self.write[slot] & (self.write_address[slot] == i) for slot in range(self._slots)]
            hit = Signal(self._slots, name=f"write_x{i}")
            for slot, choice in enumerate(chosen):
                m.d.comb += hit[slot].eq(choice)
            with m.If(hit.any()):
                value = self.write_data[0]
                for slot in range(1, self._slots):
                    value = Mux(hit[slot], self.write_data[slot], value)
                m.d.sync += register.eq(value)
        # One-hot selection takes half the area that trees of multiplexers do.
        for port in range(2 * self._slots):
            picked = [
                register & (self.read_address[port] == i).replicate(32)
                for i, register in enumerate(registers, start=1)
            ]
            m.d.comb += self.read_data[port].eq(reduce(or_, picked))
        return m

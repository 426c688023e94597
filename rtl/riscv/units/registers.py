"""The integer registers, in flip-flops or in a memory."""

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["MemoryRegisterFile", "RegisterFile"]


class RegisterFile(wiring.Component):
    """Integer registers with any number of ports; ``x0`` reads 0.

    A read port is an AND-OR over decoded numbers: smaller than a tree of
    multiplexers, and its depth is that of an OR.

    Parameters
    ----------
    registers
        How many, ``x0`` included: 16 or 32.
    reads, writes
        Ports.

    Members
    -------
    read_number, read_data : In, Out, one of each a read port
    write_enable, write_number, write_data : In, one of each a write port
        When two ports write one register, the higher port wins.

    Timing
    ------
    Reads are combinational and see writes from the next cycle on. Flops
    have no reset.
    """

    def __init__(self, *, registers: int = 32, reads: int = 2, writes: int = 1) -> None:
        self._registers = registers
        super().__init__(
            {
                "read_number": In(data.ArrayLayout(5, reads)),
                "read_data": Out(data.ArrayLayout(32, reads)),
                "write_enable": In(writes),
                "write_number": In(data.ArrayLayout(5, writes)),
                "write_data": In(data.ArrayLayout(32, writes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        registers = {n: Signal(32, name=f"x{n}", reset_less=True) for n in range(1, self._registers)}
        for number, register in registers.items():
            for port in range(len(self.write_enable)):
                chosen = self.write_enable[port] & self._is(self.write_number[port], number)
                with m.If(chosen):
                    m.d.sync += register.eq(self.write_data[port])
        for port in range(len(self.read_number)):
            value = Const(0, 32)
            for number, register in registers.items():
                chosen = Signal(name=f"read{port}_x{number}")
                m.d.comb += chosen.eq(self._is(self.read_number[port], number))
                value |= register & chosen.replicate(32)
            m.d.comb += self.read_data[port].eq(value)
        return m

    def _is(self, number: Value, register: int) -> Value:
        """Compare the bits that tell registers apart: RV32E has no others."""
        bits = 4 if self._registers == 16 else 5
        return number[:bits] == register


class MemoryRegisterFile(wiring.Component):
    """Integer registers in a memory of one write port: a macro, or block RAM.

    Parameters
    ----------
    registers
        How many, ``x0`` included: 16 or 32.
    reads
        Read ports.

    Members
    -------
    read_number, read_data : In, Out, one of each a read port
    write_enable, write_number, write_data : In

    Timing
    ------
    ``read_data`` comes a cycle after ``read_number``, with what is written
    in the cycle of ``read_number``.
    """

    def __init__(self, *, registers: int = 32, reads: int = 2) -> None:
        self._registers = registers
        super().__init__(
            {
                "read_number": In(data.ArrayLayout(5, reads)),
                "read_data": Out(data.ArrayLayout(32, reads)),
                "write_enable": In(1),
                "write_number": In(data.ArrayLayout(5, 1)),
                "write_data": In(data.ArrayLayout(32, 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        m.submodules.storage = storage = memory.Memory(shape=32, depth=self._registers, init=())
        write = storage.write_port()
        bits = len(write.addr)
        m.d.comb += [
            write.en.eq(self.write_enable),
            write.addr.eq(self.write_number[0][:bits]),
            write.data.eq(self.write_data[0]),
        ]
        for port in range(len(self.read_number)):
            read = storage.read_port(transparent_for=(write,))
            # The first word of a macro holds anything.
            stored = Signal(name=f"stored_{port}")
            m.d.sync += stored.eq(self.read_number[port].any())
            m.d.comb += [
                read.addr.eq(self.read_number[port][:bits]),
                self.read_data[port].eq(read.data & stored.replicate(32)),
            ]
        return m

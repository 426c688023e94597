"""A tightly coupled memory: one cycle, no tags, at a fixed place of the address map."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from rtl.riscv.interfaces import MemoryBus

__all__ = ["TightlyCoupledMemory"]

_MOST = 7  # accesses on their way behind the memory


class _Route:
    """One bus, split by address. Answers keep their order: the memory waits for what is on its way."""

    def __init__(
        self, m: Module, bus: wiring.PureInterface, behind: wiring.PureInterface, base: int, size: int
    ) -> None:
        self.bus = bus
        self.inside = Signal()
        self.wanted = Signal()  # the memory is asked for, and could answer in order
        self.granted = Signal()  # it will
        self.due = Signal()  # its answer is on the bus
        away = Signal(range(_MOST + 1))
        go = behind.request & behind.grant
        m.d.sync += [away.eq(away + go - behind.response), self.due.eq(self.granted)]
        m.d.comb += [
            self.inside.eq((bus.address & (0xFFFF_FFFF ^ (size - 1))) == base),
            self.wanted.eq(bus.request & self.inside & ((away == 0) | ((away == 1) & behind.response))),
            behind.request.eq(bus.request & ~self.inside & (away != _MOST)),
            behind.address.eq(bus.address),
            bus.grant.eq(Mux(self.inside, self.granted, behind.grant & (away != _MOST))),
            bus.response.eq(self.due | behind.response),
            bus.error.eq(behind.error & ~self.due),
            bus.read_data.eq(behind.read_data),
        ]


class TightlyCoupledMemory(wiring.Component):
    """A memory beside the core that instructions and data reach, data first.

    It is one synchronous memory that reads or writes once a cycle, so that
    it maps onto single-port SRAM. Accesses elsewhere go through, in order
    with those that do not.

    Parameters
    ----------
    base, size
        Where it lies; ``size`` is a power of two, ``base`` a multiple of it.
    fetch_width
        Data bits of the instruction bus, 32 or 64.

    Members
    -------
    ibus, dbus : In(MemoryBus)
        The core's buses.
    imemory, dmemory : Out(MemoryBus)
        What lies behind.

    Timing
    ------
    Granted at once, unless the other bus has it, or an earlier access of
    the same bus is on its way behind; answered in the next cycle. Data has
    precedence. What goes through takes no cycle more.

    Raises
    ------
    ValueError
        The size is no power of two of at least 16, or the base not a multiple.
    """

    def __init__(self, *, base: int, size: int, fetch_width: int = 32) -> None:
        if size < 16 or size & (size - 1):
            raise ValueError(f"size must be a power of two of at least 16, not {size}")
        if base % size:
            raise ValueError(f"base {base:#x} must be a multiple of size {size:#x}")
        self._base, self._size, self._width = base, size, fetch_width
        fetch, data = MemoryBus(data_width=fetch_width, writable=False), MemoryBus()
        super().__init__({"ibus": In(fetch), "dbus": In(data), "imemory": Out(fetch), "dmemory": Out(data)})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        lanes = self._width // 8
        low = exact_log2(lanes)
        m.submodules.memory = memory = Memory(shape=self._width, depth=self._size // lanes, init=[])
        read, write = memory.read_port(), memory.write_port(granularity=8)

        instructions = _Route(m, self.ibus, self.imemory, self._base, self._size)
        data = _Route(m, self.dbus, self.dmemory, self._base, self._size)
        m.d.comb += [
            data.granted.eq(data.wanted),
            instructions.granted.eq(instructions.wanted & ~data.wanted),
            self.dmemory.write.eq(self.dbus.write),
            self.dmemory.strobe.eq(self.dbus.strobe),
            self.dmemory.write_data.eq(self.dbus.write_data),
        ]

        def index(address: Value) -> Value:
            return address[low : exact_log2(self._size)]

        # The data bus sees one of the words that lie side by side.
        half = self.dbus.address[2:low]
        m.d.comb += [
            read.addr.eq(index(Mux(data.wanted, self.dbus.address, self.ibus.address))),
            read.en.eq(instructions.granted | (data.granted & ~self.dbus.write)),
            write.addr.eq(index(self.dbus.address)),
            write.data.eq(self.dbus.write_data.replicate(lanes // 4)),
            write.en.eq(
                Mux(
                    data.granted & self.dbus.write,
                    Cat(self.dbus.strobe & (half == i).replicate(4) for i in range(lanes // 4)),
                    0,
                )
            ),
        ]
        chosen = Signal(len(half))
        m.d.sync += chosen.eq(half)
        with m.If(instructions.due):
            m.d.comb += self.ibus.read_data.eq(read.data)
        with m.If(data.due):
            m.d.comb += self.dbus.read_data.eq(read.data.word_select(chosen, 32))
        return m

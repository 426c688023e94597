"""A cache between a core's bus and memory."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from rtl.riscv.interfaces import MemoryBus

__all__ = ["Cache"]


class _State(enum.Enum):
    SWEEP = 0  # every set becomes invalid, one a cycle
    LOOKUP = 1  # the request that was granted last meets its tags
    THROUGH = 2  # a store or an uncacheable access waits for memory's answer
    REFILL = 3  # a line comes


class _Way:
    """Tags and data of one way, each a memory with one read and one write port."""

    def __init__(
        self, m: Module, number: int, *, sets: int, words: int, tag_width: int, data_width: int
    ) -> None:
        m.submodules[f"tags_{number}"] = tags = Memory(shape=1 + tag_width, depth=sets, init=[])
        m.submodules[f"data_{number}"] = data = Memory(shape=data_width, depth=sets * words, init=[])
        self.tag_read, self.tag_write = tags.read_port(), tags.write_port()
        self.data_read, self.data_write = data.read_port(), data.write_port(granularity=8)

    @property
    def valid(self) -> Value:
        """Whether the line that was looked up is there."""
        return self.tag_read.data[0]

    @property
    def tag(self) -> Value:
        """Which line it is."""
        return self.tag_read.data[1:]


class _Request:
    """What was granted last. Without stores, `write` and the rest are constants."""

    def __init__(self, m: Module, bus: wiring.FlippedInterface, accept: Signal, *, writable: bool) -> None:
        self.address = Signal(32)
        width = len(bus.read_data)
        self.write = Signal() if writable else Const(0)
        self.strobe = Signal(width // 8) if writable else Const(0, width // 8)
        self.data = Signal(width) if writable else Const(0, width)
        self._writable = writable
        with m.If(accept):
            m.d.sync += self.address.eq(bus.address)
            if writable:
                m.d.sync += [
                    self.write.eq(bus.write),
                    self.strobe.eq(bus.strobe),
                    self.data.eq(bus.write_data),
                ]

    def send(self, memory: wiring.PureInterface) -> list[object]:
        """Return what puts it on another bus."""
        statements = [memory.request.eq(1), memory.address.eq(self.address)]
        if self._writable:
            statements += [
                memory.write.eq(self.write),
                memory.strobe.eq(self.strobe),
                memory.write_data.eq(self.data),
            ]
        return statements


class Cache(wiring.Component):
    """Set-associative, write-through, without allocation by stores.

    Tags and data are synchronous memories whose read and write ports never
    work in the same cycle, so that they map onto single-port SRAM. A line
    comes critical word first, and is valid only when all of it came without
    an error; an error of another word than the one asked for stays unsaid
    until that word is asked for. A store is answered when memory has
    answered it, so that its error is its own.

    Parameters
    ----------
    size
        Bytes of data, a power of two.
    line_bytes
        Bytes of a line, a power of two of at least two words.
    ways
        1, 2 or 4. The victim is an invalid way, else each in turn.
    data_width
        Of both buses, 32 or 64.
    writable
        Whether there are stores: a data cache.
    cacheable_base
        The first address that is cached; what lies below goes through.

    Members
    -------
    bus : In(MemoryBus)
        The core.
    memory : Out(MemoryBus)
        What lies behind.
    invalidate : In(1)
        A strobe: what is granted with it or after it sees memory as it is.

    Timing
    ------
    Hit: answered in the cycle after its grant, one a cycle. Miss: two cycles
    more than memory takes for the word asked for; the next grant comes when
    the whole line is there. Store, or uncacheable: one cycle more than memory
    takes. ``bus.grant`` and ``bus.response`` follow the comparison of tags.
    After reset and ``invalidate`` nothing is granted for as many cycles as
    there are sets.

    Raises
    ------
    ValueError
        A size is no power of two, or the sizes contradict each other.
    """

    def __init__(
        self,
        *,
        size: int,
        line_bytes: int = 32,
        ways: int = 2,
        data_width: int = 32,
        writable: bool = True,
        cacheable_base: int = 0x8000_0000,
    ) -> None:
        for name, value in (("size", size), ("line_bytes", line_bytes), ("ways", ways)):
            if value < 1 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        if ways > 4:
            raise ValueError(f"ways must be 1, 2 or 4, not {ways}")
        if line_bytes < data_width // 4:
            raise ValueError(f"line_bytes must be at least {data_width // 4}, not {line_bytes}")
        if size < 2 * line_bytes * ways:
            raise ValueError(f"size must be at least two sets, {2 * line_bytes * ways} bytes, not {size}")
        self._ways, self._width, self._writable, self._base = ways, data_width, writable, cacheable_base
        self._lane_bits = exact_log2(data_width // 8)
        self._word_bits = exact_log2(line_bytes) - self._lane_bits
        self._set_bits = exact_log2(size // line_bytes // ways)
        bus = MemoryBus(data_width=data_width, writable=writable)
        super().__init__({"bus": In(bus), "memory": Out(bus), "invalidate": In(1)})

    def _slices(self, address: Value) -> tuple[Value, Value, Value]:
        """Word in the line, set, and tag of an address."""
        low, middle = self._lane_bits, self._lane_bits + self._word_bits
        high = middle + self._set_bits
        return address[low:middle], address[middle:high], address[high:]

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        bus, memory = self.bus, self.memory
        state = Signal(_State)
        pending = Signal()  # a request was granted and is not answered
        sweep_wanted = Signal()
        accept = Signal()
        request = _Request(m, bus, accept, writable=self._writable)
        ways = [self._way(m, number) for number in range(self._ways)]
        for way in ways:
            self._look_up(m, way, accept)

        _, _, tag = self._slices(request.address)
        cacheable = request.address >= self._base
        hits = Signal(self._ways)
        hit = Signal()
        through_done = (state == _State.THROUGH) & memory.response
        # A request is granted while none is pending, or with the answer of the last one; not with a
        # store's, which may be writing the memories that the next one reads.
        free = ((state == _State.LOOKUP) & (~pending | hit)) | (through_done & ~request.write)
        m.d.comb += [
            hits.eq(Cat(way.valid & (way.tag == tag) & cacheable for way in ways)),
            hit.eq((state == _State.LOOKUP) & pending & ~request.write & hits.any()),
            bus.grant.eq(free & ~sweep_wanted & ~self.invalidate),
            accept.eq(bus.request & bus.grant),
            bus.response.eq(hit | through_done),
            bus.read_data.eq(memory.read_data),
            bus.error.eq((state != _State.LOOKUP) & memory.error),
        ]
        with m.If(state == _State.LOOKUP):
            found = [way.data_read.data & hits[i].replicate(self._width) for i, way in enumerate(ways)]
            m.d.comb += bus.read_data.eq(reduce(or_, found))
        with m.If(self.invalidate):
            m.d.sync += sweep_wanted.eq(1)

        victim = Signal(range(self._ways))
        turn = Signal(range(self._ways))
        with m.Switch(state):
            with m.Case(_State.SWEEP):
                self._sweep(m, ways, state)
            with m.Case(_State.LOOKUP):
                with m.If(~pending | hit):
                    m.d.sync += pending.eq(accept)
                    with m.If(sweep_wanted):
                        m.d.sync += [state.eq(_State.SWEEP), sweep_wanted.eq(self.invalidate)]
                with m.Elif(cacheable & ~request.write):
                    m.d.sync += [state.eq(_State.REFILL), turn.eq(turn + 1), victim.eq(turn)]
                    for number, way in enumerate(ways):
                        with m.If(~way.valid):
                            m.d.sync += victim.eq(number)
                with m.Else():
                    m.d.comb += request.send(memory)
                    with m.If(memory.grant):
                        m.d.sync += state.eq(_State.THROUGH)
            with m.Case(_State.THROUGH):
                # The tags that were read stay at their port until the next grant.
                taken = hits & (request.write & memory.response & ~memory.error).replicate(self._ways)
                self._update(m, ways, request, taken)
                with m.If(memory.response):
                    m.d.sync += [state.eq(_State.LOOKUP), pending.eq(accept)]
            with m.Case(_State.REFILL):
                self._refill(m, ways, victim, request.address, pending, state)
        return m

    def _way(self, m: Module, number: int) -> _Way:
        return _Way(
            m,
            number,
            sets=1 << self._set_bits,
            words=1 << self._word_bits,
            tag_width=32 - self._lane_bits - self._word_bits - self._set_bits,
            data_width=self._width,
        )

    def _look_up(self, m: Module, way: _Way, accept: Signal) -> None:
        """Read a way where the request on the bus wants it."""
        word, index, _ = self._slices(self.bus.address)
        m.d.comb += [
            way.tag_read.addr.eq(index),
            way.tag_read.en.eq(accept),
            way.data_read.addr.eq(Cat(word, index)),
            way.data_read.en.eq(accept),
        ]

    def _sweep(self, m: Module, ways: list[_Way], state: Signal) -> None:
        """Make every set invalid."""
        index = Signal(self._set_bits)
        m.d.sync += index.eq(index + 1)
        for way in ways:
            m.d.comb += [way.tag_write.addr.eq(index), way.tag_write.en.eq(1)]
        with m.If(index.all()):
            m.d.sync += state.eq(_State.LOOKUP)

    def _update(self, m: Module, ways: list[_Way], request: "_Request", taken: Value) -> None:
        """Write a store into the line that holds its word, when memory has taken it."""
        word, index, _ = self._slices(request.address)
        for number, way in enumerate(ways):
            m.d.comb += [
                way.data_write.addr.eq(Cat(word, index)),
                way.data_write.data.eq(request.data),
                way.data_write.en.eq(request.strobe & taken[number].replicate(self._width // 8)),
            ]

    def _refill(
        self, m: Module, ways: list[_Way], victim: Signal, address: Signal, pending: Signal, state: Signal
    ) -> None:
        """Fetch a line, the word asked for first, and answer with that."""
        bus, memory = self.bus, self.memory
        word, index, tag = self._slices(address)
        asked = Signal(self._word_bits + 1)
        came = Signal(self._word_bits)
        bad = Signal()
        last = came.all() & memory.response
        m.d.comb += [
            memory.request.eq(~asked[-1]),
            memory.address.eq(Cat(Const(0, self._lane_bits), (word + asked)[: self._word_bits], index, tag)),
            bus.response.eq(memory.response & pending),
        ]
        if self._writable:
            m.d.comb += memory.strobe.eq(~0)
        with m.If(memory.request & memory.grant):
            m.d.sync += asked.eq(asked + 1)
        with m.If(memory.response):
            m.d.sync += [came.eq(came + 1), bad.eq(bad | memory.error), pending.eq(0)]
        with m.If(last):
            m.d.sync += [state.eq(_State.LOOKUP), asked.eq(0), bad.eq(0)]
        for number, way in enumerate(ways):
            with m.If(victim == number):
                m.d.comb += [
                    way.data_write.addr.eq(Cat((word + came)[: self._word_bits], index)),
                    way.data_write.data.eq(memory.read_data),
                    way.data_write.en.eq(memory.response.replicate(self._width // 8)),
                    # Invalid from the first cycle on, valid again with the last word.
                    way.tag_write.addr.eq(index),
                    way.tag_write.data.eq(Cat(last & ~bad & ~memory.error, tag)),
                    way.tag_write.en.eq(pending | last),
                ]

"""Fetching ahead, and cutting the words into instructions."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import MemoryBus
from rtl.riscv.system.pmp import PmpAccess, PmpChecker, pmp_layout
from rtl.riscv.units.expander import Expander

__all__ = ["Fetch", "Parcel"]

_WORDS = 3  # a word that is used in part, one that is used up, one on its way

# jal x0, 0 and jal x0, 2: with these the target adder gives a faulting fetch's address.
_FAULT = 0x0000_006F
_FAULT_BEYOND = 0x0020_006F


class Parcel(data.Struct):
    """One instruction, expanded.

    Members
    -------
    pc
        Its address, from bit 1 on.
    instruction
        Its 32-bit form, or the 16 bits of an illegal one, which the decoder
        knows by their two lowest. When ``fault``, a jump from ``pc`` to the
        address whose fetch failed.
    compressed, fault
        It has 16 bits; it could not be fetched.
    """

    pc: 31
    instruction: 32
    compressed: 1
    fault: 1


class Word(data.Struct):
    """What came from memory."""

    data: 32
    fault: 1


class Fetch(wiring.Component):
    """Request words ahead and offer the instructions in them.

    Parameters
    ----------
    config : CoreConfig
        The core.

    Members
    -------
    ibus : Out(MemoryBus)
    redirect, target : In(1), In(31)
        Fetch from elsewhere; only when ``redirect_ready``. The request goes
        out in the same cycle.
    redirect_ready : Out(1)
        The bus may take a new address.
    parcel, valid : Out(Parcel), Out(1)
        The next instruction; ``parcel.pc`` is its address even while not ``valid``.
    raw : Out(32)
        It as fetched.
    take : In(1)
        It is taken.
    idle : Out(1)
        No access is under way.
    pmp, mode : In(pmp_layout(config)), In(2)
        Only with ``pmp_regions``.

    Timing
    ------
    With a memory of one cycle, the first instruction after a redirect is
    offered in the next cycle; with ``pmp_regions``, one cycle later. From
    then on one in each cycle, however they lie.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        members = {
            "ibus": Out(MemoryBus(writable=False)),
            "redirect": In(1),
            "target": In(31),
            "redirect_ready": Out(1),
            "parcel": Out(Parcel),
            "valid": Out(1),
            "raw": Out(32),
            "take": In(1),
            "idle": Out(1),
        }
        if config.pmp_regions:
            members |= {"pmp": In(pmp_layout(config)), "mode": In(2)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config
        self._count = Signal(range(_WORDS + 1))  # words in the buffer
        self._outstanding = Signal(2)
        self._stale = Signal(2)  # of these, the oldest: for nothing, after a redirect
        self._arrives = Signal()
        self._arriving = Signal(Word)
        self._pc = Signal(31, init=config.reset_vector >> 1)
        self._pop = Signal()
        self._denied: Value = Const(0, 1)
        self._requests(m)
        self._buffer(m)
        self._instruction(m)
        return m

    def _requests(self, m: Module) -> None:
        """Request words; the adder works on the last address, not on a late target."""
        config, bus = self._config, self.ibus
        last = Signal(30, init=config.reset_vector >> 2)
        advance, held = Signal(), Signal()
        following, address, wanted, granted = Signal(30), Signal(30), Signal(), Signal()
        room = (self._count + self._outstanding < _WORDS) & (self._outstanding < 2)
        m.d.comb += following.eq(last + advance)
        if config.pmp_regions:
            # The check of an address takes the time of a cycle: a target waits for the next one.
            m.submodules.checker = checker = PmpChecker(config)
            m.d.comb += [
                checker.state.eq(self.pmp),
                checker.mode.eq(self.mode),
                checker.access.eq(PmpAccess.EXECUTE),
                checker.address.eq(Cat(Const(0, 2), following)),
                address.eq(following),
                wanted.eq(held | (room & checker.allowed & ~self.redirect)),
            ]
            # A refused word takes its place in the buffer when nothing is before it.
            refused = ~held & room & ~checker.allowed & ~(self._outstanding.any())
            self._denied = Signal()
            m.d.comb += self._denied.eq(refused & ~self.redirect)
            m.d.sync += last.eq(Mux(self.redirect, self.target[1:], address))
        else:
            m.d.comb += [
                address.eq(Mux(self.redirect, self.target[1:], following)),
                wanted.eq(held | self.redirect | room),
            ]
            m.d.sync += last.eq(address)
        m.d.comb += [
            bus.request.eq(wanted),
            bus.address.eq(Cat(Const(0, 2), address)),
            granted.eq(wanted & bus.grant),
            self.redirect_ready.eq(~held & ~self._outstanding.all()),
            self.idle.eq(~wanted & ~self._outstanding.any()),
        ]
        m.d.sync += [
            advance.eq(granted | (self._denied & ~self.redirect)),
            held.eq(wanted & ~bus.grant),
            self._outstanding.eq(self._outstanding + granted - bus.response),
        ]
        stale = self._stale.any()
        with m.If(self.redirect):
            m.d.sync += self._stale.eq(self._outstanding - bus.response)
        with m.Elif(stale):
            m.d.sync += self._stale.eq(self._stale - bus.response)
        m.d.comb += [
            self._arrives.eq((bus.response & ~stale) | self._denied),
            self._arriving.data.eq(bus.read_data),
            self._arriving.fault.eq(bus.error | self._denied),
        ]

    def _buffer(self, m: Module) -> None:
        """Keep words in order, the oldest in entry 0; a word passes by when there is none before it."""
        count = self._count
        entries = [Signal(Word, name=f"word_{n}", reset_less=True) for n in range(_WORDS)]
        for n, entry in enumerate(entries):
            # Where the entry holds nothing, it takes what arrives, be it something or not.
            kept = Mux(count > n, entry, self._arriving)
            if n + 1 < _WORDS:
                kept = Mux(self._pop, Mux(count > n + 1, entries[n + 1], self._arriving), kept)
            m.d.sync += entry.eq(kept)
        m.d.sync += count.eq(Mux(self.redirect, 0, count + self._arrives - self._pop))
        self._first = Mux(count > 0, entries[0], self._arriving)
        self._second = Mux(count > 1, entries[1], self._arriving)
        self._first_there = (count > 0) | self._arrives
        self._second_there = (count > 1) | ((count > 0) & self._arrives)

    def _instruction(self, m: Module) -> None:
        config, parcel = self._config, self.parcel
        first, second = Signal(Word), Signal(Word)
        m.d.comb += [first.eq(self._first), second.eq(self._second)]
        upper = self._pc[0] if config.c else Const(0, 1)
        low = Mux(upper, first.data[16:], first.data[:16])
        high = Mux(upper, second.data[:16], first.data[16:])
        m.submodules.expander = expander = Expander(config)
        m.d.comb += [self.raw.eq(Cat(low, high)), expander.raw.eq(self.raw)]
        crosses = upper & ~expander.compressed
        beyond = crosses & ~first.fault & second.fault
        faults = Signal()
        m.d.comb += [
            self.valid.eq(self._first_there & (~crosses | self._second_there | first.fault)),
            faults.eq(first.fault | beyond),
            parcel.pc.eq(self._pc),
            parcel.compressed.eq(expander.compressed),
            parcel.fault.eq(faults),
            parcel.instruction.eq(expander.instruction),
            self._pop.eq(self.take & (upper | ~expander.compressed)),
        ]
        with m.If(faults):
            m.d.comb += parcel.instruction.eq(Mux(beyond, _FAULT_BEYOND, _FAULT))
        with m.If(self.redirect):
            m.d.sync += self._pc.eq(self.target)
        with m.Elif(self.take):
            m.d.sync += self._pc.eq(self._pc + Cat(expander.compressed, ~expander.compressed))

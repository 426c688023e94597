"""Physical memory protection: its registers, and the check of an access."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr, Mode
from rtl.riscv.system.csr_bus import CsrBus, serve

__all__ = ["PmpAccess", "PmpChecker", "PmpMatching", "PmpRegion", "PmpRegisters", "pmp_layout"]


class PmpMatching(enum.Enum, shape=unsigned(2)):
    """How a region is described (``pmpcfg.A``)."""

    OFF = 0
    TOR = 1
    NA4 = 2
    NAPOT = 3


class PmpAccess(enum.Enum, shape=unsigned(2)):
    """What an access does. Atomics count as writes."""

    READ = 0
    WRITE = 1
    EXECUTE = 2


class PmpRegion(data.Struct):
    """One region: ``pmpaddr``, then ``pmpcfg`` as it is packed, without its reserved bits."""

    address: unsigned(32)
    read: 1
    write: 1
    execute: 1
    matching: PmpMatching
    locked: 1


def pmp_layout(config: CoreConfig) -> data.ArrayLayout:
    """Return the layout of all regions of a core."""
    return data.ArrayLayout(PmpRegion, config.pmp_regions)


class PmpRegisters(wiring.Component):
    """``pmpcfg`` and ``pmpaddr``, with their locks. Regions that are not there read zero.

    A region that may be written but not read (reserved) becomes one that may
    not be accessed. The granularity is 4 bytes.

    Parameters
    ----------
    config
        The core, with ``pmp_regions``.

    Members
    -------
    bus : In(CsrBus())
        The access path of CSRs.
    state : Out(pmp_layout(config))
        The regions.

    Source
    ------
    The RISC-V Instruction Set Manual, volume II (20240411), 3.7.
    """

    def __init__(self, config: CoreConfig) -> None:
        if not config.pmp_regions:
            raise ValueError("protection needs pmp_regions: there are 0")
        self._config = config
        super().__init__({"bus": In(CsrBus()), "state": Out(pmp_layout(config))})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        count = self._config.pmp_regions
        registers = [Signal(PmpRegion, name=f"region_{index}") for index in range(count)]
        values: dict[int, Value] = {}
        for word in range(count // 4):
            values[Csr.PMPCFG0 + word] = Cat(_packed(r) for r in registers[4 * word : 4 * word + 4])
        for index, region in enumerate(registers):
            values[Csr.PMPADDR0 + index] = region.address
        chosen = serve(m, self.bus, values, zeros=[_is_pmp(self.bus.address)])
        for index, region in enumerate(registers):
            byte = self.bus.data.word_select(index % 4, 8)
            with m.If(self.bus.write & chosen[Csr.PMPCFG0 + index // 4] & ~region.locked):
                m.d.sync += [
                    region.read.eq(byte[0]),
                    region.write.eq(byte[0] & byte[1]),
                    region.execute.eq(byte[2]),
                    region.matching.eq(byte[3:5]),
                    region.locked.eq(byte[7]),
                ]
            locked = region.locked
            if index + 1 < count:  # the top of a locked range is the base of the one above it
                above = registers[index + 1]
                locked = locked | (above.locked & (above.matching == PmpMatching.TOR))
            with m.If(self.bus.write & chosen[Csr.PMPADDR0 + index] & ~locked):
                m.d.sync += region.address.eq(self.bus.data)
            m.d.comb += self.state[index].eq(region)
        return m


class PmpChecker(wiring.Component):
    """Whether an access to one aligned word is allowed.

    Parameters
    ----------
    config
        The core, with ``pmp_regions``.

    Members
    -------
    state : In(pmp_layout(config))
        The regions.
    address : In(32)
        Byte address. An access that crosses a word is two.
    access : In(PmpAccess)
        What it does.
    mode : In(2)
        The privilege mode it is made in.
    allowed : Out(1)
        It may be done.

    Timing
    ------
    Combinational. What depends on ``state`` alone is ready before a late
    ``address``: after that come a comparison of 30 bits and the choice of
    the first region that matches.

    Source
    ------
    The RISC-V Instruction Set Manual, volume II (20240411), 3.7.1.
    """

    def __init__(self, config: CoreConfig) -> None:
        if not config.pmp_regions:
            raise ValueError("protection needs pmp_regions: there are 0")
        self._config = config
        super().__init__(
            {
                "state": In(pmp_layout(config)),
                "address": In(32),
                "access": In(PmpAccess),
                "mode": In(2),
                "allowed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        machine = Signal()
        m.d.comb += machine.eq(self.mode == Mode.MACHINE)
        count = self._config.pmp_regions
        word = self.address[2:]
        below: Value = Const(0, 1)  # below the base of a range: of the first one, none is
        unmatched: Value = Const(1, 1)
        granted = []
        for index in range(count):
            region = self.state[index]
            top = Signal(name=f"below_{index}")
            match = Signal(name=f"match_{index}")
            permitted = Signal(name=f"permitted_{index}")
            passed = Signal(name=f"passed_{index}")
            m.d.comb += [
                top.eq(word < region.address),
                match.eq(
                    ((region.matching == PmpMatching.TOR) & top & ~below)
                    | (region.matching.as_value()[1] & _matches(m, word, region))
                ),
                permitted.eq(
                    (machine & ~region.locked)
                    | ((self.access == PmpAccess.READ) & region.read)
                    | ((self.access == PmpAccess.WRITE) & region.write)
                    | ((self.access == PmpAccess.EXECUTE) & region.execute)
                ),
                passed.eq(unmatched & ~match),
            ]
            granted.append(unmatched & match & permitted)
            below, unmatched = top, passed
        m.d.comb += self.allowed.eq(Cat(granted).any() | (unmatched & machine))
        return m


def _packed(region: data.View) -> Value:
    """Return a region's byte of ``pmpcfg``."""
    return Cat(region.read, region.write, region.execute, region.matching, Const(0, 2), region.locked)


def _is_pmp(address: Value) -> Value:
    """Whether an address is one of the 16 and 64 registers that the largest implementation has."""
    bank = address[4:8]
    return (address[8:] == Csr.PMPCFG0 >> 8) & (bank >= 0xA) & (bank <= 0xE)


def _matches(m: Module, word: Value, region: data.View) -> Value:
    """Whether a word address lies in a region of aligned power-of-two size."""
    napot = region.matching.as_value()[0]  # at least two words, one more for each low bit set
    trailing_ones = Signal(len(region.address), name="trailing_ones")
    m.d.comb += trailing_ones.eq(region.address & ~(region.address + 1))
    ignored = Cat(napot, trailing_ones[:-1] & napot.replicate(len(trailing_ones) - 1))
    return ((word ^ region.address) & ~ignored) == 0

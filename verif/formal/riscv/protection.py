"""Physical memory protection as assertions: the check of an access, and the locks of its registers.

Source
------
The RISC-V Instruction Set Manual, volume II (20240411), 3.7.1.
"""

from amaranth.hdl import Assert, Assume, C, Cat, Cover, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr, Mode
from rtl.riscv.system.pmp import PmpChecker, PmpMatching, PmpRegion, PmpRegisters

__all__ = ["PmpProperties", "PmpRegisterProperties"]

_WIDTH = Shape.cast(PmpRegion).width


def _size(address: Value) -> list[Value]:
    """Return for each size of a naturally aligned region, 8 bytes times two to the index, if it is that."""
    return [address[: k + 1] == (1 << k) - 1 for k in range(32)] + [address.all()]


def _match(m: Module, word: Value, before: Value, address: Value, matching: Value, index: int) -> Signal:
    """Return whether a region matches the access to a word; both count words of 4 bytes."""
    match = Signal(name=f"model_match_{index}")
    wide = Cat(word, C(0, 2))  # pmpaddr holds bits 33 to 2 of an address of 34
    with m.Switch(matching):
        with m.Case(PmpMatching.TOR):
            m.d.comb += match.eq((before <= wide) & (wide < address))
        with m.Case(PmpMatching.NA4):
            m.d.comb += match.eq(wide == address)
        with m.Case(PmpMatching.NAPOT):
            sizes = _size(address)
            m.d.comb += match.eq(
                Cat(*(is_it & (wide[k + 1 :] == address[k + 1 :]) for k, is_it in enumerate(sizes))).any()
            )
    return match


class PmpProperties(wiring.Component):
    """The checker beside the manual's rules, for any regions, address, access and mode.

    There is no state, so one cycle proves it for ever.

    Parameters
    ----------
    regions
        How many: 4, 8 or 16.
    """

    def __init__(self, *, regions: int = 4) -> None:
        self._config = CoreConfig.preset("small", user_mode=True, pmp_regions=regions)
        self._regions = regions
        super().__init__({"regions": In(_WIDTH * regions), "address": In(32), "access": In(2), "mode": In(2)})

    def elaborate(self, platform: object) -> Module:
        """Return the checker, the model and the assertion."""
        m = Module()
        m.submodules.dut = dut = PmpChecker(self._config)
        m.d.comb += [
            dut.state.as_value().eq(self.regions),
            dut.address.eq(self.address),
            dut.access.as_value().eq(self.access),
            dut.mode.eq(self.mode),
            Assume((self.mode == Mode.MACHINE) | (self.mode == Mode.USER)),
            Assume(self.access != 3),
        ]
        allowed, decided = Signal(name="model_allowed"), Signal(name="model_decided")
        machine = self.mode == Mode.MACHINE
        before: Value = C(0, 32)
        choice: Value = machine  # what no region matches is open to machine mode alone
        found: Value = C(0, 1)
        matches = []
        for index in range(self._regions):
            region = dut.state[index]
            matches.append((region, _match(m, self.address[2:], before, region.address,
                                           region.matching, index)))  # fmt: skip
            before = region.address
        for index, (region, match) in reversed(list(enumerate(matches))):  # the lowest has precedence
            permission = Cat(region.read, region.write, region.execute).bit_select(self.access, 1)
            choice = Mux(match, (machine & ~region.locked) | permission, choice)
            found |= match
            m.d.comb += Cover(match & (region.matching == PmpMatching.NAPOT), f"region {index}")
        m.d.comb += [
            allowed.eq(choice),
            decided.eq(found),
            Assert(dut.allowed == allowed),
            Cover(decided & ~allowed & machine, "a locked region stops machine mode"),
            Cover(allowed & ~machine, "user mode is let through"),
        ]
        return m


class PmpRegisterProperties(wiring.Component):
    """The registers under any CSR accesses: locks hold, and no region may be written but not read.

    Parameters
    ----------
    regions
        How many: 4, 8 or 16.
    """

    def __init__(self, *, regions: int = 4) -> None:
        self._config = CoreConfig.preset("small", user_mode=True, pmp_regions=regions)
        self._regions = regions
        super().__init__({"address": In(12), "write": In(1), "data": In(32)})

    def elaborate(self, platform: object) -> Module:
        """Return the registers and the assertions."""
        m = Module()
        m.submodules.dut = dut = PmpRegisters(self._config)
        m.d.comb += [
            dut.bus.address.eq(self.address),
            dut.bus.write.eq(self.write),
            dut.bus.data.eq(self.data),
        ]
        before = [Signal(_WIDTH, name=f"before_{index}") for index in range(self._regions)]
        known = Signal()
        m.d.sync += known.eq(1)
        asked, written, value = Signal(12), Signal(), Signal(32)
        m.d.sync += [asked.eq(self.address), written.eq(self.write), value.eq(self.data)]
        for index, old in enumerate(before):
            now = dut.state[index]
            m.d.sync += old.eq(now.as_value())
            was = PmpRegion(old)
            m.d.comb += Assert(now.read | ~now.write)
            frozen = was.locked
            if index + 1 < self._regions:
                above = PmpRegion(before[index + 1])
                frozen = frozen | (above.locked & (above.matching == PmpMatching.TOR))
            config_written = written & (asked == Csr.PMPCFG0 + index // 4)
            byte = value.word_select(index % 4, 8)
            with m.If(known):
                with m.If(was.locked | ~config_written):
                    m.d.comb += Assert(now.as_value()[32:] == old[32:])
                with m.Else():
                    m.d.comb += [
                        Assert(now.locked == byte[7]),
                        Assert(now.matching.as_value() == byte[3:5]),
                        Assert(now.execute == byte[2]),
                        Assert(now.read == byte[0]),
                        Assert(now.write == (byte[0] & byte[1])),
                    ]
                address_written = written & (asked == Csr.PMPADDR0 + index)
                with m.If(frozen | ~address_written):
                    m.d.comb += Assert(now.address == was.address)
                with m.Else():
                    m.d.comb += Assert(now.address == value)
            m.d.comb += Cover(known & frozen & address_written, f"a write to region {index}, locked")
        return m

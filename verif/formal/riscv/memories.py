"""Caches and tightly coupled memories: what a core sees through them is a memory.

One word is followed, at an address that the solver chooses: what holds of it
holds of every one.
"""

from amaranth.hdl import Assume, Cover, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.riscv.memory.cache import Cache
from rtl.riscv.memory.tcm import TightlyCoupledMemory
from verif.formal.riscv.bridges import CORE, drive
from verif.formal.riscv.environment import BusModel, Symbols, assert_bus, assert_memory, attach_bus, hold

__all__ = ["CacheProperties", "TcmProperties"]

_BASE = 0x1000
_BEHIND = {"grant": In(1), "response": In(1), "error": In(1), "read_data": In(32)}
_ANY = {"any_address": In(32), "any_data": In(32)}


def _symbols(m: Module, top: wiring.PureInterface) -> Symbols:
    hold(m, top.any_address, top.any_data)
    return Symbols(address=top.any_address, data=top.any_data)


class CacheProperties(wiring.Component):
    """A data cache between any core and any memory that keeps the word.

    Parameters
    ----------
    size, line_bytes, ways
        As for :class:`rtl.riscv.memory.cache.Cache`.
    cacheable_base
        The same.
    """

    def __init__(
        self, *, size: int = 32, line_bytes: int = 8, ways: int = 1, cacheable_base: int = 0x8000_0000
    ) -> None:
        self._cache = Cache(
            size=size, line_bytes=line_bytes, ways=ways, data_width=32, writable=True,
            cacheable_base=cacheable_base,
        )  # fmt: skip
        super().__init__({**CORE, **_BEHIND, **_ANY, "invalidate": In(1)})

    def elaborate(self, platform: object) -> Module:
        """Return the cache, its neighbours and the assertions."""
        m = Module()
        m.submodules.dut = dut = self._cache
        symbols = _symbols(m, self)
        drive(m, self, dut.bus)
        m.d.comb += dut.invalidate.eq(self.invalidate)
        m.d.comb += [getattr(dut.memory, name).eq(getattr(self, name)) for name in _BEHIND]
        attach_bus(m, dut.memory, "memory", BusModel(consistent=True), symbols)
        assert_memory(m, dut.bus, "core", symbols)
        assert_bus(m, dut.memory, "memory_side")
        return m


class TcmProperties(wiring.Component):
    """A tightly coupled memory under any data accesses, beside any memory that keeps the word.

    Parameters
    ----------
    size
        Of the memory, in bytes.
    """

    def __init__(self, *, size: int = 16) -> None:
        self._memory = TightlyCoupledMemory(base=_BASE, size=size)
        self._size = size
        fetch = {"ibus_request": In(1), "ibus_address": In(32)}
        super().__init__({**CORE, **_BEHIND, **_ANY, **fetch})

    def elaborate(self, platform: object) -> Module:
        """Return the memory, its neighbours and the assertions."""
        m = Module()
        m.submodules.dut = dut = self._memory
        symbols = _symbols(m, self)
        drive(m, self, dut.dbus)
        m.d.comb += [getattr(dut.dmemory, name).eq(getattr(self, name)) for name in _BEHIND]
        # Inside, it begins with zeros.
        m.d.comb += Assume(
            ((symbols.address & (0xFFFF_FFFF ^ (self._size - 1))) != _BASE) | (symbols.data == 0)
        )
        m.d.comb += [dut.ibus.request.eq(self.ibus_request), dut.ibus.address.eq(self.ibus_address)]
        attach_bus(m, dut.dmemory, "memory", BusModel(consistent=True), symbols)
        assert_memory(m, dut.dbus, "core", symbols)
        m.d.comb += Cover(dut.dbus.response & dut.ibus.response, "both at once")
        return m

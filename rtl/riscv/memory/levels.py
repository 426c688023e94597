"""Put the memories that a configuration asks for between a pipeline and its ports."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from rtl.riscv.config import CoreConfig
from rtl.riscv.memory.cache import Cache
from rtl.riscv.memory.tcm import TightlyCoupledMemory

__all__ = ["add_memories"]


def add_memories(
    m: Module, config: CoreConfig, pipeline: wiring.Component
) -> tuple[wiring.PureInterface, wiring.PureInterface]:
    """Add them to `m`; return the instruction and the data bus that lead on.

    From the core outwards: the instruction TCM, the data TCM, the caches.
    """
    ibus, dbus = pipeline.ibus, pipeline.dbus
    for name, base, size in (
        ("instruction_tcm", config.instruction_tcm_base, config.instruction_tcm_bytes),
        ("data_tcm", config.data_tcm_base, config.data_tcm_bytes),
    ):
        if size:
            m.submodules[name] = tcm = TightlyCoupledMemory(
                base=base, size=size, fetch_width=config.fetch_width
            )
            connect(m, ibus, tcm.ibus)
            connect(m, dbus, tcm.dbus)
            ibus, dbus = tcm.imemory, tcm.dmemory
    if config.instruction_cache_bytes:
        m.submodules.instruction_cache = cache = Cache(
            size=config.instruction_cache_bytes, data_width=config.fetch_width, writable=False
        )
        connect(m, ibus, cache.bus)
        m.d.comb += cache.invalidate.eq(pipeline.fence_i)
        ibus = cache.memory
    if config.data_cache_bytes:
        m.submodules.data_cache = cache = Cache(size=config.data_cache_bytes)
        connect(m, dbus, cache.bus)
        dbus = cache.memory
    return ibus, dbus

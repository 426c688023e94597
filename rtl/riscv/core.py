"""The core: one generator for the whole family."""

from importlib import import_module

from amaranth.hdl import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl.riscv.bus.axi4lite import Axi4Lite, Axi4LiteInitiator
from rtl.riscv.bus.wishbone import Wishbone, WishboneInitiator
from rtl.riscv.config import CoreConfig
from rtl.riscv.custom.dot4 import Dot4Unit
from rtl.riscv.debug.dmi import DmiBus
from rtl.riscv.debug.jtag import Jtag, JtagTransport
from rtl.riscv.debug.module import DebugModule
from rtl.riscv.interfaces import core_signature
from rtl.riscv.memory.levels import add_memories

__all__ = ["Core", "top_signature"]

# Each pipeline is a component with `core_signature(config)`, made from a configuration.
_PIPELINES = {
    "nano": ("rtl.riscv.pipelines.nano", "NanoPipeline"),
    "small": ("rtl.riscv.pipelines.small", "SmallPipeline"),
    "fast": ("rtl.riscv.pipelines.fast", "FastPipeline"),
}


def top_signature(config: CoreConfig) -> wiring.Signature:
    """Return the ports of a core as it is used.

    They are the pipeline's (:func:`rtl.riscv.interfaces.core_signature`),
    but with ``ibus`` and ``dbus`` in the bus that the configuration names,
    and without ``custom`` where a unit of ours is behind it. A core with a
    debugger has its register bus ``dmi`` (In,
    :class:`rtl.riscv.debug.dmi.DmiBus`), or ``jtag`` (Out,
    :class:`rtl.riscv.debug.jtag.Jtag`), instead of ``debug``; and
    ``debug_reset`` (Out(1)), with which the debugger resets this core, and
    what is around it should be reset too.
    """
    members = dict(core_signature(config).members)
    widths = {"ibus": config.fetch_width, "dbus": 32}
    for name, width in widths.items():
        shape = {"data_width": width, "writable": name == "dbus"}
        if config.bus == "wishbone":
            members[name] = Out(Wishbone(**shape))
        elif config.bus == "axi4lite":
            members[name] = Out(Axi4Lite(**shape))
    members.pop("fence_i", None)
    if config.custom not in ("none", "port"):
        del members["custom"]
    if config.debug != "none":
        del members["debug"]
        members["debug_reset"] = Out(1)
        if config.debug == "jtag":
            members["jtag"] = Out(Jtag())
        else:
            members["dmi"] = In(DmiBus())
    return wiring.Signature(members)


class Core(wiring.Component):
    """A RISC-V core.

    Parameters
    ----------
    preset
        ``nano``, ``small`` or ``fast``: where the others begin.
    options
        Parameters of :class:`rtl.riscv.config.CoreConfig` that differ.

    Members
    -------
    See :func:`top_signature`.

    Raises
    ------
    TypeError
        There is no such parameter, or it has the wrong type.
    ValueError
        A parameter is out of its range, or contradicts another.
    """

    def __init__(self, *, preset: str = "small", **options: object) -> None:
        self._config = CoreConfig.preset(preset, **options)
        super().__init__(top_signature(self._config))

    @property
    def config(self) -> CoreConfig:
        """The checked parameters."""
        return self._config

    @property
    def isa(self) -> str:
        """The ISA string, by which a flow knows which programs it runs."""
        return self._config.isa

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config
        module, name = _PIPELINES[config.pipeline]
        m.submodules.pipeline = pipeline = getattr(import_module(module), name)(config)
        inner = dict(pipeline.signature.members)
        inner.pop("fence_i", None)
        for port, bus in zip(("ibus", "dbus"), add_memories(m, config, pipeline), strict=True):
            self._add_bus(m, port, bus)
            del inner[port]
        if config.custom == "dot4":
            m.submodules.custom = unit = Dot4Unit()
            connect(m, pipeline.custom, unit.bus)
            del inner["custom"]
        inner.pop("debug", None)
        for port, member in inner.items():
            if member.is_signature:
                connect(m, flipped(getattr(self, port)), getattr(pipeline, port))
            elif member.flow is Out:
                m.d.comb += getattr(self, port).eq(getattr(pipeline, port))
            else:
                m.d.comb += getattr(pipeline, port).eq(getattr(self, port))
        return m if config.debug == "none" else self._add_debug(m, pipeline.debug)

    def _add_debug(self, core: Module, hart: wiring.PureInterface) -> Module:
        """Put a debug module beside the core, which it can reset."""
        m = Module()
        m.submodules.debug = debug = DebugModule(self._config)
        m.submodules.core = ResetInserter(debug.reset)(core)
        m.d.comb += self.debug_reset.eq(debug.reset)
        connect(m, hart, debug.hart)
        if self._config.debug == "jtag":
            m.submodules.transport = transport = JtagTransport()
            connect(m, flipped(self.jtag), transport.jtag)
            connect(m, transport.dmi, debug.dmi)
        else:
            connect(m, flipped(self.dmi), debug.dmi)
        return m

    def _add_bus(self, m: Module, port: str, memory: wiring.PureInterface) -> None:
        """Join the core's bus to the port, by an initiator where the system's bus is another."""
        if self._config.bus == "native":
            connect(m, flipped(getattr(self, port)), memory)
            return
        shape = {"data_width": len(memory.read_data), "writable": port == "dbus"}
        if self._config.bus == "wishbone":
            initiator = WishboneInitiator(**shape)
            outer = initiator.wishbone
        else:
            initiator = Axi4LiteInitiator(**shape, instruction=port == "ibus")
            outer = initiator.axi
        m.submodules[port] = initiator
        connect(m, memory, initiator.memory)
        connect(m, flipped(getattr(self, port)), outer)

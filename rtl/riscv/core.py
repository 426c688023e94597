"""The core: one generator for the whole family."""

from importlib import import_module

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature

__all__ = ["Core"]

# Each pipeline is a component with `core_signature(config)`, made from a configuration.
_PIPELINES = {
    "nano": ("rtl.riscv.pipelines.nano", "NanoPipeline"),
    "small": ("rtl.riscv.pipelines.small", "SmallPipeline"),
    "fast": ("rtl.riscv.pipelines.fast", "FastPipeline"),
}


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
    See :func:`rtl.riscv.interfaces.core_signature`.

    Raises
    ------
    TypeError
        There is no such parameter, or it has the wrong type.
    ValueError
        A parameter is out of its range, or contradicts another.
    """

    def __init__(self, *, preset: str = "small", **options: object) -> None:
        self._config = CoreConfig.preset(preset, **options)
        super().__init__(core_signature(self._config))

    @property
    def config(self) -> CoreConfig:
        """The checked parameters."""
        return self._config

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        module, name = _PIPELINES[self._config.pipeline]
        m.submodules.pipeline = pipeline = getattr(import_module(module), name)(self._config)
        connect(m, flipped(self), pipeline)
        return m

"""The accelerator."""

from amaranth.hdl import Module, ResetInserter, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped

from rtl.tensor.accelerator.bus import Axi4, ReadChannel, WriteChannel
from rtl.tensor.accelerator.commands import Engine
from rtl.tensor.accelerator.compute import ComputeEngine
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import Events
from rtl.tensor.accelerator.load import LoadEngine
from rtl.tensor.accelerator.memory import ActivationMemory, WeightMemory
from rtl.tensor.accelerator.pack import PackEngine
from rtl.tensor.accelerator.register_map import register_map
from rtl.tensor.accelerator.registers import Registers, config_value
from rtl.tensor.accelerator.sequencer import Sequencer
from rtl.tensor.accelerator.store import StoreEngine

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """Run programs of int8 neural networks.

    ``docs/tensor/accelerator.md`` describes what it does.

    Parameters
    ----------
    preset
        Name of a configuration: ``4x4``, ``8x8`` or ``16x16``.
    array, bus_width, activation_kib, weight_kib, psum_words
        As of :class:`AcceleratorConfig`; in place of the preset's.
    burst_beats
        Most beats of a burst of the memory port, a power of two from 2 to 256.

    Members
    -------
    memory : Out, Axi4
        Commands, constants, inputs and outputs.
    registers : In, AxiLite
        Control and status.
    interrupt : Out(1)
        A program ended, or an error stopped it; as enabled.
    event : Out, Events
        When commands start and are done.
    pending : Out(4), missing : Out(4) [4]
        For each engine, whether a command waits in its queue, and for which
        other engines.

    Raises
    ------
    TypeError, ValueError
        A parameter is wrong.
    ImportError
        The SystemRDL compiler is not installed.
    """

    def __init__(self, *, preset: str = "8x8", burst_beats: int = 16, **parameters: int) -> None:
        known = AcceleratorConfig.parameter_names()
        for name in parameters:
            if name not in known:
                raise TypeError(f"no parameter {name}; there are preset, burst_beats, {', '.join(known)}")
        chosen = AcceleratorConfig.preset(preset)
        self._config = config = AcceleratorConfig(
            **({name: getattr(chosen, name) for name in known} | parameters)
        )
        self._burst_beats = burst_beats
        self._registers = Registers()
        super().__init__(
            {
                "memory": Out(Axi4(config.bus_width)),
                "registers": self._registers.signature.members["bus"],
                "interrupt": Out(1),
                "event": Out(Events()),
                "pending": Out(len(Engine)),
                "missing": Out(len(Engine)).array(len(Engine)),
            }
        )

    @property
    def config(self) -> AcceleratorConfig:
        """The checked parameters and what they imply."""
        return self._config

    def elaborate(self, platform: object) -> Module:
        """Return the engines, the memories, and what joins them."""
        m = Module()
        config = self._config
        registers = self._registers
        channel = {"data_width": config.bus_width, "burst_beats": self._burst_beats}
        sequencer = Sequencer(config, burst_beats=self._burst_beats)
        reader, writer = ReadChannel(**channel), WriteChannel(**channel)
        load = LoadEngine(config, burst_beats=self._burst_beats)
        store = StoreEngine(config, burst_beats=self._burst_beats)
        pack, compute = PackEngine(config), ComputeEngine(config)
        activations, weights = ActivationMemory(config), WeightMemory(config)

        reset = ResetInserter(sequencer.clear)
        parts = {"sequencer": sequencer, "registers": registers, "reader": reader, "writer": writer}
        parts |= {"activations": activations, "weights": weights}
        parts |= {"load": reset(load), "store": reset(store), "pack": reset(pack), "compute": reset(compute)}
        for name, part in parts.items():
            m.submodules[name] = part

        for engine, unit in zip(Engine, (load, pack, compute, store), strict=True):
            connect(m, getattr(sequencer, engine.name.lower()), unit.command)
        connect(m, compute.activations, activations.compute_read)
        connect(m, compute.results, activations.compute_write)
        connect(m, compute.weights, weights.read)
        connect(m, load.activations, activations.load)
        connect(m, load.weights, weights.load)
        connect(m, pack.read, activations.pack_read)
        connect(m, pack.write, activations.pack_write)
        connect(m, store.activations, activations.store)

        connect(m, sequencer.request, reader.fetch_request)
        connect(m, reader.fetch, sequencer.beat)
        connect(m, load.request, reader.load_request)
        connect(m, reader.load, load.beat)
        connect(m, store.request, writer.request)
        connect(m, store.beat, writer.data)
        m.d.comb += [store.answered.eq(writer.answered), store.error.eq(writer.error)]
        self._port(m, reader, writer)

        connect(m, flipped(self.registers), registers.bus)
        connect(m, sequencer.event, flipped(self.event))
        m.d.comb += [
            reader.flush.eq(sequencer.flush),
            writer.flush.eq(sequencer.flush),
            sequencer.quiet.eq(reader.quiet & writer.quiet),
            self.pending.eq(sequencer.pending),
        ]
        m.d.comb += [mine.eq(its) for mine, its in zip(self.missing, sequencer.missing, strict=True)]
        self._control(m, sequencer, [load, store])
        busy = {"compute": compute.busy, "load": load.busy, "store": store.busy, "pack": pack.busy}
        self._count(
            m,
            sequencer,
            {
                "cycles": sequencer.busy,
                **{f"{name}_busy": value for name, value in busy.items()},
                "stall_weights": compute.stall_weights,
                "stall_activations": compute.stall_activations,
                "stall_output": compute.stall_output,
                "stall_wait": compute.stall_wait,
                "bus_read_beats": reader.beat,
                "bus_write_beats": writer.beat,
                "bus_stall": reader.stall | writer.stall,
            },
        )
        return m

    def _port(self, m: Module, reader: ReadChannel, writer: WriteChannel) -> None:
        """Join both channels to the memory port."""
        for name, member in Axi4(self._config.bus_width).members.items():
            channel = reader if name.startswith(("ar", "r")) else writer
            mine, its = getattr(self.memory, name), getattr(channel, name)
            m.d.comb += mine.eq(its) if member.flow is Out else its.eq(mine)

    def _control(self, m: Module, sequencer: Sequencer, engines: list[LoadEngine | StoreEngine]) -> None:
        """Join registers and sequencer."""
        registers = self._registers
        value = config_value(self._config)
        for field in register_map():
            if field.register == "CONFIG":
                m.d.comb += getattr(registers, field.member).eq(value >> field.low & ((1 << field.width) - 1))
        expected = registers.expected_config_value
        bases = [getattr(registers, f"base{number}_address") << 4 for number in range(4)]
        for engine in engines:
            m.d.comb += [mine.eq(base) for mine, base in zip(engine.base, bases, strict=True)]
        address = Signal(32)
        m.d.sync += address.eq(bases[0] + (registers.program_offset_address << 4))
        finished, failed = Signal(), Signal()
        m.d.sync += [finished.eq(sequencer.finished), failed.eq(sequencer.failed)]
        m.d.comb += [
            sequencer.start.eq(registers.control_start),
            sequencer.stop.eq(registers.control_stop),
            sequencer.mismatch.eq((expected != 0) & (expected != value)),
            sequencer.address.eq(address),
            registers.status_busy.eq(sequencer.busy),
            registers.status_done.eq(sequencer.finished),
            registers.status_error.eq(sequencer.failed),
            registers.status_code.eq(sequencer.fault.code),
            registers.status_engine.eq(sequencer.fault.engine),
            registers.status_tag.eq(sequencer.fault.tag),
            registers.interrupt_status_done_set.eq(sequencer.finished & ~finished),
            registers.interrupt_status_error_set.eq(sequencer.failed & ~failed),
            self.interrupt.eq(
                (registers.interrupt_status_done & registers.interrupt_enable_done)
                | (registers.interrupt_status_error & registers.interrupt_enable_error)
            ),
        ]

    def _count(self, m: Module, sequencer: Sequencer, events: dict[str, ValueLike]) -> None:
        """Count cycles in which something is so, while a program runs."""
        registers = self._registers
        for name, event in events.items():
            counter = Signal(32, name=name)
            m.d.comb += getattr(registers, f"{name}_count").eq(counter)
            with m.If(registers.control_start & ~sequencer.busy):
                m.d.sync += counter.eq(0)
            with m.Elif(sequencer.busy & event):
                m.d.sync += counter.eq(counter + 1)

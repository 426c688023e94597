"""The compute engine: from commands to results in the activation memory."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.compute.array import MultiplierArray
from rtl.tensor.accelerator.compute.fetch import Fetch, SlotQueue
from rtl.tensor.accelerator.compute.layouts import RING_SLOTS, WORDS, activation_address, weight_address
from rtl.tensor.accelerator.compute.requantise import Requantise
from rtl.tensor.accelerator.compute.setup import Setup
from rtl.tensor.accelerator.compute.sums import PartialSums, TileSums
from rtl.tensor.accelerator.compute.walker import Walker
from rtl.tensor.accelerator.compute.weights import WeightLoader
from rtl.tensor.accelerator.compute.window import Window
from rtl.tensor.accelerator.compute.writeback import PLACES, Writeback
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import CommandPort, ReadPort, WritePort

__all__ = ["ComputeEngine"]

#: Results on their way and waiting: from a slot's launch to its result's leaving it takes 16 cycles.
_RESULTS = 18


class ComputeEngine(wiring.Component):
    """Execute compute commands, each a rectangle of an output tensor.

    Commands have been checked; the engine does not check them again.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    command : In, ``CommandPort(kind=Compute)``
        Commands. One is taken when the array begins with it; its weights are
        read, from when it is valid on, before.
    activations : Out, ``ReadPort``
        Operands. Addresses wrap: words beyond the memory's end or before its
        begin may be asked for together with others, and are not used.
    weights : Out, ``ReadPort``
        Weights, biases and scales.
    results : Out, ``WritePort`` of 2 words
        Results; two at once where the first had to wait and their words
        follow one another.
    busy, stall_weights, stall_activations, stall_output, stall_wait : Out(1)
        What this cycle was good for; one of them holds.

    Timing
    ------
    A slot (a pixel with one set of weights; depthwise, a row of the kernel)
    a cycle. A command's first slot follows the last one of the one before, but
    follows an ``ADD`` when that is done. `done` comes 15 cycles after a
    command's last fetch when nothing holds up its results.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(CommandPort(kind=Compute)),
                "activations": Out(
                    ReadPort(
                        word=config.activation_word, words=WORDS, address_width=activation_address(config)
                    )
                ),
                "weights": Out(
                    ReadPort(word=config.weight_word, words=1, address_width=weight_address(config))
                ),
                "results": Out(
                    WritePort(
                        word=config.activation_word, words=PLACES, address_width=activation_address(config)
                    )
                ),
                "busy": Out(1),
                "stall_weights": Out(1),
                "stall_activations": Out(1),
                "stall_output": Out(1),
                "stall_wait": Out(1),
            }
        )

    @property
    def config(self) -> AcceleratorConfig:
        """Shape of the accelerator."""
        return self._config

    def elaborate(self, platform: object) -> Module:
        """Join the units."""
        m = Module()
        config = self._config
        m.submodules.setup = self._setup = Setup(config)
        m.submodules.loader = self._loader = WeightLoader(config)
        m.submodules.walker = self._walker = Walker(config)
        m.submodules.queue = self._queue = SlotQueue(config)
        m.submodules.fetch = self._fetch = Fetch(config, depth=_RESULTS)
        m.submodules.window = self._window = Window(config)
        m.submodules.array = self._array = MultiplierArray(config)
        m.submodules.tiles = self._tiles = TileSums(config)
        m.submodules.sums = self._sums = PartialSums(config)
        m.submodules.requantise = self._requantise = Requantise(config)
        m.submodules.writeback = self._writeback = Writeback(config, depth=_RESULTS)
        self._join_commands(m)
        self._join_fetch(m)
        self._join_array(m)
        self._join_results(m)
        return m

    def _join_commands(self, m: Module) -> None:
        """Hand the next command on when all that belongs to the last one is taken over."""
        port, setup, loader, walker = self.command, self._setup, self._loader, self._walker
        take = Signal()
        configured, offered = Signal(init=1), Signal()
        serial = Signal()  # ADD uses its command until its last result
        with m.If(take):
            m.d.sync += [
                configured.eq(0),
                offered.eq(1),
                serial.eq(port.payload.operation == Operation.ADD),
            ]
        with m.Else():
            with m.If(self._requantise.command_taken):
                m.d.sync += configured.eq(1)
            with m.If(self._writeback.taken):
                m.d.sync += offered.eq(0)
        m.d.comb += [
            take.eq(
                port.valid
                & Mux(port.payload.accumulate, setup.known, setup.ready)
                & loader.ready
                & walker.idle
                & configured
                & ~offered
                & (~serial | (~walker.valid & ~self._queue.valid & self._fetch.drained))
            ),
            port.ready.eq(take),
            setup.valid.eq(port.valid),
            setup.command.eq(port.payload),
            setup.take.eq(take),
            loader.valid.eq(port.valid),
            loader.command.eq(port.payload),
            loader.known.eq(setup.known),
            loader.pixels.eq(setup.pixels),
            loader.take.eq(take),
            walker.command.eq(port.payload),
            walker.origin.eq(setup.origin),
            walker.row_step.eq(setup.row_step),
            walker.pixels.eq(setup.pixels),
            walker.take.eq(take),
            self._writeback.offer.eq(offered),
            self._writeback.command.eq(walker.current),
            self._requantise.command.eq(walker.current),
        ]
        m.d.sync += port.started.eq(self._fetch.began)
        with m.If(self._fetch.began):
            m.d.sync += port.started_tag.eq(walker.current.tag)
        m.d.comb += [
            port.done.eq(self._writeback.done),
            port.done_tag.eq(self._writeback.done_tag),
        ]

    def _join_fetch(self, m: Module) -> None:
        walker, queue, fetch, loader = self._walker, self._queue, self._fetch, self._loader
        connect(m, fetch.activations, flipped(self.activations))
        connect(m, loader.weights, flipped(self.weights))
        m.d.comb += [
            queue.i_valid.eq(walker.valid),
            queue.i_slot.eq(walker.slot),
            walker.ready.eq(queue.i_ready),
            fetch.valid.eq(queue.valid),
            fetch.slot.eq(queue.slot),
            queue.ready.eq(fetch.ready),
            fetch.tile.eq(loader.tile),
            fetch.written.eq(self._writeback.written),
            fetch.running.eq(walker.valid),
        ]
        slot = fetch.o_slot
        with m.If(fetch.issued & slot.free & slot.compute):
            m.d.comb += loader.freed.eq(1)
            with m.If(slot.broadcast):
                m.d.comb += loader.freed.eq(min(self._config.array // 4, RING_SLOTS))
        for name in ("busy", "stall_weights", "stall_activations", "stall_output", "stall_wait"):
            m.d.comb += getattr(self, name).eq(getattr(fetch, name))

    def _join_array(self, m: Module) -> None:
        fetch, window, array = self._fetch, self._window, self._array
        tiles, sums, loader = self._tiles, self._sums, self._loader
        m.d.comb += [
            window.valid.eq(fetch.issued),
            window.slot.eq(fetch.o_slot),
            window.words.eq(self.activations.data),
            array.valid.eq(window.o_valid),
            array.slot.eq(window.o_slot),
            array.window.eq(window.window),
            array.ring.eq(loader.ring),
            tiles.valid.eq(array.o_valid),
            tiles.token.eq(array.o_token),
            tiles.dots.eq(array.dots),
            sums.early_valid.eq(array.next_valid),
            sums.early_token.eq(array.next_token),
            sums.valid.eq(tiles.o_valid),
            sums.token.eq(tiles.o_token),
            sums.tile.eq(tiles.tile),
            sums.bias.eq(loader.bias),
            loader.bias_taken.eq(sums.bias_taken),
        ]

    def _join_results(self, m: Module) -> None:
        sums, requantise, loader, writeback = self._sums, self._requantise, self._loader, self._writeback
        connect(m, writeback.results, flipped(self.results))
        m.d.comb += [
            requantise.valid.eq(sums.o_valid),
            requantise.token.eq(sums.o_token),
            requantise.sums.eq(sums.sums),
            requantise.multiplier.eq(loader.multiplier),
            requantise.shift.eq(loader.shift),
            loader.multipliers_taken.eq(requantise.multipliers_taken),
            loader.shifts_taken.eq(requantise.shifts_taken),
            writeback.valid.eq(requantise.o_valid),
            writeback.result.eq(requantise.result),
        ]

"""LOAD: blocks from external memory into a memory on chip."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.bus import beat_layout, burst_layout
from rtl.tensor.accelerator.commands import Load
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import CommandPort, ErrorCode, WritePort
from rtl.tensor.accelerator.memory import transfer_words
from rtl.tensor.accelerator.transfer import BurstSplitter, WordWalker

__all__ = ["LoadEngine"]


class LoadEngine(wiring.Component):
    """Ask for a block's bursts, and put what comes into words.

    The bursts of a command are asked for while beats of the one before still
    come.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.
    burst_beats
        Most beats of a burst.

    Members
    -------
    command : In, CommandPort of ``Load``
        Checked commands.
    base : In(32) [4]
        Base registers.
    request : Out, stream of bursts
    beat : In, stream of beats
        The memory port.
    activations, weights : Out, WritePort
        The memories.
    busy : Out(1)
        There is a command.

    Timing
    ------
    A beat a cycle while the memory takes words. ``done`` comes in the cycle
    after the last word was written.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        self._config = config
        self._burst_beats = burst_beats
        super().__init__(
            {
                "command": In(CommandPort(kind=Load)),
                "base": In(32).array(4),
                "request": Out(stream.Signature(burst_layout(burst_beats))),
                "beat": In(stream.Signature(beat_layout(config.bus_width))),
                "activations": Out(
                    WritePort(
                        word=config.activation_word,
                        words=transfer_words(config),
                        address_width=ceil_log2(config.activation_words),
                    )
                ),
                "weights": Out(
                    WritePort(word=config.weight_word, words=1, address_width=ceil_log2(config.weight_words))
                ),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return both sides: who asks, and who gathers beats into words."""
        m = Module()
        config, command = self._config, self.command
        m.submodules.splitter = splitter = BurstSplitter(config, burst_beats=self._burst_beats)
        m.submodules.walker = walker = WordWalker(config)
        connect(m, splitter.o, flipped(self.request))

        accept = Signal()
        payload, block, rows = command.payload, splitter.i.payload, walker.i.payload
        m.d.comb += [
            command.ready.eq(splitter.i.ready & walker.i.ready),
            accept.eq(command.valid & command.ready),
            splitter.i.valid.eq(accept),
            walker.i.valid.eq(accept),
            block.address.eq(Array(self.base)[payload.base] + payload.offset),
            block.stride.eq(payload.stride),
            block.beats.eq(payload.row_bytes >> ceil_log2(config.bus_bytes)),
            block.rows.eq(payload.rows),
            rows.weights.eq(payload.memory),
            rows.address.eq(payload.address),
            rows.pitch.eq(payload.pitch),
            rows.row_bytes.eq(payload.row_bytes),
            rows.rows.eq(payload.rows),
            rows.tag.eq(payload.tag),
            self.busy.eq(~walker.i.ready | walker.active),
        ]
        m.d.sync += [command.started.eq(accept), command.started_tag.eq(payload.tag)]

        self._gather(m, walker)
        written = walker.step
        take = self.beat.valid & self.beat.ready
        m.d.sync += [command.done.eq(written & walker.last), command.done_tag.eq(walker.tag)]
        with m.If(take & self.beat.payload.error & (command.error == 0)):
            m.d.sync += [command.error.eq(ErrorCode.BUS), command.error_tag.eq(walker.tag)]
        with m.If(command.error != 0):
            m.d.sync += command.done.eq(0)
        return m

    def _gather(self, m: Module, walker: WordWalker) -> None:
        """Collect the beats of a word; the last one completes it, while the word before is written."""
        config = self._config
        portion = max(config.bus_bytes, config.activation_word)
        beats = config.weight_word // config.bus_bytes
        # The newest beat is on top: the beats of a shorter word are the topmost ones.
        word, full = Signal(8 * config.weight_word), Signal()
        place, final, completes = Signal(range(max(beats, 2))), Signal(), Signal()
        written, take = Signal(), Signal()
        m.d.comb += [
            final.eq(place == Mux(walker.weights, beats - 1, portion // config.bus_bytes - 1)),
            written.eq(full & Mux(walker.weights, self.weights.ready, self.activations.ready)),
            # The walker must have gone on to the block of the next beat before that is taken.
            self.beat.ready.eq(walker.active & ~(full & walker.last) & (~final | ~full | written)),
            take.eq(self.beat.valid & self.beat.ready),
            completes.eq(take & final),
            walker.step.eq(written),
            self.weights.valid.eq(full & walker.weights),
            self.activations.valid.eq(full & ~walker.weights),
            self.weights.address.eq(walker.address),
            self.activations.address.eq(walker.address),
            Value.cast(self.weights.data).eq(word),
            Value.cast(self.activations.data).eq(word[-8 * portion :]),
        ]
        if transfer_words(config) > 1:
            m.d.comb += self.activations.count.eq(transfer_words(config))
        with m.If(written):
            m.d.sync += full.eq(0)
        with m.If(take):
            m.d.sync += place.eq(Mux(final, 0, place + 1))
        with m.If(completes):
            m.d.sync += full.eq(1)
        if beats == 1:
            with m.If(completes):
                m.d.sync += word.eq(self.beat.payload.data)
            return
        held = Signal(8 * config.weight_word - config.bus_width)
        arrived = Cat(held, self.beat.payload.data)
        with m.If(completes):
            m.d.sync += word.eq(arrived)
        with m.If(take):
            m.d.sync += held.eq(arrived[config.bus_width :])

"""STORE: blocks from the activation memory to external memory."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.bus import OUTSTANDING, burst_layout
from rtl.tensor.accelerator.commands import Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import CommandPort, ErrorCode, ReadPort
from rtl.tensor.accelerator.memory import transfer_words
from rtl.tensor.accelerator.transfer import BurstSplitter, WordWalker

__all__ = ["StoreEngine"]

_BUFFER = 3  # portions on their way from the memory: asked for, coming, waiting


class StoreEngine(wiring.Component):
    """Read a block's words, cut them into beats, and write them in bursts.

    One command is under way at a time: it is done when external memory has
    answered all its bursts.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.
    burst_beats
        Most beats of a burst.

    Members
    -------
    command : In, CommandPort of ``Store``
        Checked commands.
    base : In(32) [4]
        Base registers.
    request : Out, stream of bursts
    beat : Out, stream of ``bus_width`` bits
        The memory port.
    answered, error : In(1)
        A burst was answered, with an error.
    activations : Out, ReadPort
        The memory.
    busy : Out(1)
        There is a command.

    Timing
    ------
    A beat a cycle while the memory gives words. ``done`` comes in the cycle
    after the last answer.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        self._config = config
        self._burst_beats = burst_beats
        super().__init__(
            {
                "command": In(CommandPort(kind=Store)),
                "base": In(32).array(4),
                "request": Out(stream.Signature(burst_layout(burst_beats))),
                "beat": Out(stream.Signature(config.bus_width)),
                "answered": In(1),
                "error": In(1),
                "activations": Out(
                    ReadPort(
                        word=config.activation_word,
                        words=transfer_words(config),
                        address_width=ceil_log2(config.activation_words),
                    )
                ),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return who asks for bursts, who reads words, and who cuts them into beats."""
        m = Module()
        config, command = self._config, self.command
        m.submodules.splitter = splitter = BurstSplitter(config, burst_beats=self._burst_beats)
        m.submodules.walker = walker = WordWalker(config)
        connect(m, splitter.o, flipped(self.request))

        tag = Signal(16)
        accept = Signal()
        payload, block, rows = command.payload, splitter.i.payload, walker.i.payload
        m.d.comb += [
            command.ready.eq(~self.busy),
            accept.eq(command.valid & command.ready),
            splitter.i.valid.eq(accept),
            walker.i.valid.eq(accept),
            block.address.eq(Array(self.base)[payload.base] + payload.offset),
            block.stride.eq(payload.stride),
            block.beats.eq(payload.row_bytes >> ceil_log2(config.bus_bytes)),
            block.rows.eq(payload.rows),
            rows.address.eq(payload.address),
            rows.pitch.eq(payload.pitch),
            rows.row_bytes.eq(payload.row_bytes),
            rows.rows.eq(payload.rows),
            command.started.eq(accept),
            command.started_tag.eq(payload.tag),
        ]
        with m.If(accept):
            m.d.sync += [self.busy.eq(1), tag.eq(payload.tag)]

        self._read(m, walker)

        # A burst counts from when it is asked for; the splitter asks for the next before the last is
        # answered, so that none under way and none to ask for is the end.
        bursts = Signal(range(OUTSTANDING + 1))
        asked = self.request.valid & self.request.ready
        m.d.sync += bursts.eq(bursts + asked - self.answered)
        finished = self.busy & splitter.i.ready & self.answered & (bursts == 1)
        m.d.comb += command.error_tag.eq(tag)
        m.d.sync += [command.done.eq(0), command.done_tag.eq(tag)]
        with m.If(self.answered & self.error):
            m.d.sync += command.error.eq(ErrorCode.BUS)
        with m.Elif(finished & (command.error == 0)):
            m.d.sync += [command.done.eq(1), self.busy.eq(0)]
        return m

    def _read(self, m: Module, walker: WordWalker) -> None:
        """Read portions, of a beat or more, and give them out as beats."""
        config, read = self._config, self.activations
        width = 8 * max(config.bus_bytes, config.activation_word)
        m.submodules.buffer = buffer = fifo.SyncFIFO(width=width, depth=_BUFFER)
        room = Signal(range(_BUFFER + 1), init=_BUFFER)
        comes = Signal()
        m.d.comb += [
            read.valid.eq(walker.active & (room != 0)),
            read.address.eq(walker.address),
            walker.step.eq(read.valid & read.ready),
            buffer.w_en.eq(comes),
            buffer.w_data.eq(Value.cast(read.data)),
        ]
        if transfer_words(config) > 1:
            m.d.comb += read.count.eq(transfer_words(config))
        m.d.sync += [comes.eq(walker.step), room.eq(room - walker.step + buffer.r_en)]

        beats = width // config.bus_width
        place = Signal(range(max(beats, 2)))
        m.d.comb += [
            self.beat.valid.eq(buffer.r_rdy),
            self.beat.payload.eq(buffer.r_data.word_select(place, config.bus_width)),
            buffer.r_en.eq(self.beat.valid & self.beat.ready & (place == beats - 1)),
        ]
        with m.If(self.beat.valid & self.beat.ready):
            m.d.sync += place.eq(Mux(place == beats - 1, 0, place + 1))

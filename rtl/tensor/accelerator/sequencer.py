"""The sequencer: runs programs, from start to interrupt."""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl.tensor.accelerator.bus import beat_layout, burst_layout
from rtl.tensor.accelerator.commands import Compute, Engine, Load, Pack, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.dispatch import Dispatcher, fault_layout
from rtl.tensor.accelerator.fetch import Fetch
from rtl.tensor.accelerator.interfaces import CommandPort, ErrorCode, Events
from rtl.tensor.accelerator.queue import CommandQueue

__all__ = ["QUEUES", "Sequencer"]

#: Commands that wait in front of each engine.
QUEUES = {Engine.LOAD: 4, Engine.PACK: 1, Engine.COMPUTE: 1, Engine.STORE: 4}
_KINDS = {Engine.LOAD: Load, Engine.PACK: Pack, Engine.COMPUTE: Compute, Engine.STORE: Store}
_UNDER_WAY = 8
#: Cycles without any way on that make a deadlock: longer than counts take to reach a queue's comparison.
_PATIENCE = 7


class Sequencer(wiring.Component):
    """Fetch commands, start each when it may, and say how the program ended.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.
    burst_beats
        Most beats of a burst.

    Members
    -------
    start, stop : In(1)
        Pulses of the register ``CONTROL``.
    mismatch : In(1)
        The program is for another configuration.
    address : In(32)
        Where the program begins.
    busy, finished, failed : Out(1)
        A program runs or is being stopped; it ended; an error stopped it.
    fault : Out, ``fault_layout()``
        Why.
    flush : Out(1), quiet : In(1)
        The memory port ends what is under way; it has.
    clear : Out(1)
        Reset of the engines.
    request : Out, beat : In
        Fetch's streams of the memory port.
    load, pack, compute, store : Out, CommandPort
        The engines.
    event : Out, Events
        What the engines start and end.
    pending : Out(4), missing : Out(4) [4]
        Engines with a command in their queue, and engines that the first one
        of each waits for.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        self._config = config
        self._burst_beats = burst_beats
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "mismatch": In(1),
                "address": In(32),
                "busy": Out(1),
                "finished": Out(1),
                "failed": Out(1),
                "fault": Out(fault_layout()),
                "flush": Out(1),
                "quiet": In(1),
                "clear": Out(1),
                "request": Out(stream.Signature(burst_layout(burst_beats))),
                "beat": In(stream.Signature(beat_layout(config.bus_width))),
                **{engine.name.lower(): Out(CommandPort(kind=kind)) for engine, kind in _KINDS.items()},
                "event": Out(Events()),
                "pending": Out(len(Engine)),
                "missing": Out(len(Engine)).array(len(Engine)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return fetch, dispatch, queues, counts, and the states of a program."""
        m = Module()
        reset = ResetInserter(self.clear)
        fetch = Fetch(self._config, burst_beats=self._burst_beats)
        dispatcher = Dispatcher(self._config)
        queues = {engine: CommandQueue(kind=_KINDS[engine], depth=QUEUES[engine]) for engine in Engine}
        m.submodules.fetch = reset(fetch)
        m.submodules.dispatcher = reset(dispatcher)
        for engine, queue in queues.items():
            m.submodules[f"{engine.name.lower()}_queue"] = reset(queue)

        connect(m, fetch.request, flipped(self.request))
        connect(m, flipped(self.beat), fetch.beat)
        connect(m, fetch.o, dispatcher.words)
        m.d.comb += fetch.address.eq(self.address)

        running = Signal()
        done = Signal(data.ArrayLayout(unsigned(16), len(Engine)))
        idle = Cat(
            self._engine(m, engine, queue, running, done, getattr(dispatcher, engine.name.lower()))
            for engine, queue in queues.items()
        ).all()
        waiting = Signal()
        m.d.comb += waiting.eq(Cat(queue.level != 0 for queue in queues.values()).any())
        self._control(m, fetch, dispatcher, queues, idle=idle, waiting=waiting, running=running)
        return m

    def _engine(
        self,
        m: Module,
        engine: Engine,
        queue: CommandQueue,
        running: Signal,
        done: data.View,
        commands: stream.Interface,
    ) -> Signal:
        """Join an engine, its queue and its count; return whether it has nothing to do."""
        port = getattr(self, engine.name.lower())
        under_way = Signal(range(_UNDER_WAY), name=f"{engine.name.lower()}_under_way")
        room = under_way != _UNDER_WAY - 1
        connect(m, commands, queue.i)
        m.d.comb += [
            queue.done.eq(done),
            port.valid.eq(queue.o.valid & running & room),
            queue.o.ready.eq(port.ready & running & room),
            port.payload.eq(queue.o.payload),
            self.event.started[engine].eq(port.started),
            self.event.started_tag[engine].eq(port.started_tag),
            self.event.done[engine].eq(port.done),
            self.event.done_tag[engine].eq(port.done_tag),
            self.pending[engine].eq(queue.level != 0),
            self.missing[engine].eq(Mux(self.pending[engine], queue.missing, 0)),
        ]
        m.d.sync += under_way.eq(under_way + (port.valid & port.ready) - port.done)
        with m.If(port.done):
            m.d.sync += done[engine].eq(done[engine] + 1)
        with m.If(self.clear):
            m.d.sync += [under_way.eq(0), done[engine].eq(0)]
        return under_way == 0

    def _control(
        self,
        m: Module,
        fetch: Fetch,
        dispatcher: Dispatcher,
        queues: dict[Engine, CommandQueue],
        *,
        idle: Signal,
        waiting: Signal,
        running: Signal,
    ) -> None:
        """Go through a program's states."""
        stuck = Signal()
        patience = Signal(range(_PATIENCE + 1))
        m.d.comb += stuck.eq(
            idle
            & (dispatcher.ended | dispatcher.blocked | dispatcher.faulty)
            & ~Cat(queue.o.valid for queue in queues.values()).any()
        )
        m.d.sync += patience.eq(Mux(stuck & running, Mux(patience == _PATIENCE, patience, patience + 1), 0))
        settled = Signal()
        m.d.comb += settled.eq(stuck & (patience == _PATIENCE))
        restart = Signal()

        def give_up() -> None:
            m.d.sync += [self.failed.eq(0), self.finished.eq(0), self.fault.eq(0), restart.eq(0)]
            m.next = "FLUSH"

        ended = idle & ~waiting
        with m.FSM() as states:
            with m.State("IDLE"):
                with m.If(self.stop):
                    give_up()
                with m.Elif(self.start & ~self.failed & self.mismatch):
                    m.d.sync += [
                        self.failed.eq(1),
                        self.finished.eq(0),
                        self.fault.eq(0),
                        self.fault.code.eq(ErrorCode.CONFIG),
                    ]
                with m.Elif(self.start & ~self.failed):
                    m.d.sync += [self.finished.eq(0), restart.eq(1)]
                    m.next = "FLUSH"
            with m.State("FLUSH"):
                m.d.comb += self.flush.eq(1)
                with m.If(self.stop):
                    m.d.sync += restart.eq(0)
                with m.If(self.quiet):
                    m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += [self.flush.eq(1), self.clear.eq(1)]
                m.next = "IDLE"
                with m.If(restart & ~self.stop):
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += fetch.start.eq(1)
                m.d.sync += restart.eq(0)
                m.next = "RUN"
                with m.If(self.stop):
                    give_up()
            with m.State("RUN"):
                m.d.comb += running.eq(1)
                self._run(m, dispatcher, queues, ended, settled, give_up)
        m.d.comb += self.busy.eq(~states.ongoing("IDLE"))

    def _run(
        self,
        m: Module,
        dispatcher: Dispatcher,
        queues: dict[Engine, CommandQueue],
        ended: Value,
        settled: Signal,
        give_up: Callable[[], None],
    ) -> None:
        """Look for an end: asked for, by an error, or the program's."""
        ports = [getattr(self, engine.name.lower()) for engine in Engine]
        with m.If(self.stop):
            give_up()
        with m.Elif(Cat(port.error != 0 for port in ports).any()):
            m.d.sync += self.failed.eq(1)
            for engine, port in reversed(list(zip(Engine, ports, strict=True))):
                with m.If(port.error != 0):
                    m.d.sync += [
                        self.fault.code.eq(port.error),
                        self.fault.engine.eq(engine),
                        self.fault.tag.eq(port.error_tag),
                    ]
            m.next = "IDLE"
        with m.Elif(ended & dispatcher.ended):
            m.d.sync += self.finished.eq(1)
            m.next = "IDLE"
        with m.Elif((ended | settled) & dispatcher.faulty):
            m.d.sync += [self.failed.eq(1), self.fault.eq(dispatcher.fault)]
            m.next = "IDLE"
        with m.Elif(settled):
            m.d.sync += [self.failed.eq(1), self.fault.eq(0), self.fault.code.eq(ErrorCode.DEADLOCK)]
            for engine in reversed(Engine):
                with m.If(self.pending[engine]):
                    m.d.sync += self.fault.tag.eq(queues[engine].o.payload.tag)
            m.next = "IDLE"

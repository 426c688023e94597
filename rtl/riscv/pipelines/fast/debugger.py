"""Between the debug module and the fast pipeline: halting, stepping, injected instructions."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import DebugPort
from rtl.riscv.isa import DebugCause
from rtl.riscv.pipelines.fast.fetch import FetchWindow

__all__ = ["Debugger"]


class Debugger(wiring.Component):
    """Decide when the core halts, and feed it instructions while it does.

    In debug mode decoding sees injected instructions in place of fetched
    ones, each when the pipeline is empty.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    debug : Out(DebugPort)
        The debug module; the data window goes past this component.
    fetched, window : In(FetchWindow), Out(FetchWindow)
        Before and behind: what is decoded next.
    mode, step : In(1)
        Debug mode; ``dcsr.step``.
    empty, started : In(1)
        Nothing is between decoding and the end; something is in execution.
    stepped : In(1)
        An instruction, or a trap, has become final outside debug mode.
    done, error : In(1)
        An injected one has; it raised an exception.
    halt, cause, resume, holds : Out(1), Out(3), Out(1), Out(1)
        Enter debug mode, and why; leave it; let nothing more in.

    Timing
    ------
    The window passes combinationally.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._lanes = config.fetch_width // 16
        super().__init__(
            {
                "debug": Out(DebugPort()),
                "fetched": In(FetchWindow(config)),
                "window": Out(FetchWindow(config)),
                "mode": In(1),
                "step": In(1),
                "empty": In(1),
                "started": In(1),
                "stepped": In(1),
                "done": In(1),
                "error": In(1),
                "halt": Out(1),
                "cause": Out(3),
                "resume": Out(1),
                "holds": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        debug, window = self.debug, self.window
        fresh, was_stepped = Signal(init=1), Signal()
        with m.If(self.started):
            m.d.sync += fresh.eq(0)
        with m.If(self.mode):
            m.d.sync += was_stepped.eq(0)
        with m.Elif(self.stepped & self.step):
            m.d.sync += was_stepped.eq(1)
        from_reset = fresh & debug.halt_on_reset
        waiting = Signal()  # that from reset is asked for until it is served
        with m.If(from_reset):
            m.d.sync += waiting.eq(1)
        with m.Elif(self.mode):
            m.d.sync += waiting.eq(0)
        at_reset = from_reset | waiting
        m.d.comb += [
            self.halt.eq((debug.halt_request | was_stepped | at_reset) & ~self.mode),
            self.cause.eq(
                Mux(
                    at_reset,
                    DebugCause.RESET_HALT,
                    Mux(debug.halt_request, DebugCause.HALT_REQUEST, DebugCause.STEP),
                )
            ),
            self.resume.eq(self.mode & self.empty & debug.resume_request),
            self.holds.eq(~self.mode & self.step & ~self.empty),
            debug.halted.eq(self.mode),
            debug.instruction_ready.eq(self.mode & self.empty & ~debug.resume_request),
            debug.done.eq(self.done),
            debug.error.eq(self.error),
        ]
        connect(m, flipped(self.fetched), flipped(window))
        with m.If(self.holds):
            m.d.comb += window.present.eq(0)
        with m.If(self.mode):
            injects = debug.instruction_valid & debug.instruction_ready
            m.d.comb += [
                window.valid.eq(0),
                window.present.eq(Cat(injects.replicate(2), Const(0, self._lanes - 2))),
                window.fault.eq(0),
                window.taken.eq(0),
                window.halfwords[0].eq(debug.instruction[:16]),
                window.halfwords[1].eq(debug.instruction[16:]),
                self.fetched.take.eq(0),
            ]
        return m

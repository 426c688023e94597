"""Dispatch: words of a program into checked commands, each for its engine."""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.commands import COMMANDS, Compute, End, Engine, Load, Operation, Pack, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.extents import ExtentCheck, Kind
from rtl.tensor.accelerator.fetch import word_layout
from rtl.tensor.accelerator.interfaces import ErrorCode, command_layout

__all__ = ["Dispatcher", "fault_layout"]

_WORDS = max(kind.WORDS for kind in COMMANDS.values())
#: Fields that must not be 0.
_POSITIVE = {
    Load: ("row_bytes", "rows"),
    Pack: ("row_bytes", "in_rows", "segment_bytes", "kernel_rows", "columns", "rows"),
    Compute: (
        "stride_x", "stride_y", "in_groups", "in_columns", "in_rows", "groups", "kernel_columns",
        "kernel_rows", "columns", "rows",
    ),
}  # fmt: skip


def fault_layout() -> data.StructLayout:
    """Return why a program stops: code, engine and tag of the command."""
    return data.StructLayout({"code": 4, "engine": 2, "tag": 16})


class Dispatcher(wiring.Component):
    """Collect commands, check them, and give them to their engines' queues in order.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    words : In, stream of ``word_layout()``
        The program; nothing is taken after ``End``, or after a fault.
    load, pack, compute, store : Out, streams of commands
        Queues of the engines.
    ended : Out(1)
        ``End`` came.
    blocked : Out(1)
        A command waits for room in its queue.
    faulty : Out(1), fault : Out, ``fault_layout()``
        The command after those that were given out is wrong, and why.

    Timing
    ------
    A word a cycle; then the checks, see :class:`ExtentCheck`; then the queue.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "words": In(stream.Signature(word_layout())),
                "load": Out(stream.Signature(command_layout(Load))),
                "pack": Out(stream.Signature(command_layout(Pack))),
                "compute": Out(stream.Signature(command_layout(Compute))),
                "store": Out(stream.Signature(command_layout(Store))),
                "ended": Out(1),
                "blocked": Out(1),
                "faulty": Out(1),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the register of words, the checks, and the steps in between."""
        m = Module()
        m.submodules.extents = extents = ExtentCheck(self._config)

        # Words come in on top, so that a command's last one is always there.
        held = Signal(32 * _WORDS)
        as_kind = {
            kind: data.View(command_layout(kind), held[32 * (_WORDS - kind.WORDS) :])
            for kind in (Load, Pack, Compute)
        }
        transfer, pack, compute = as_kind.values()
        engine = Signal(Engine)
        header = self.words.payload.data
        queues = {
            Engine.LOAD: (self.load, transfer),
            Engine.PACK: (self.pack, pack),
            Engine.COMPUTE: (self.compute, compute),
            Engine.STORE: (self.store, transfer),
        }
        m.d.comb += [
            extents.transfer.eq(transfer),
            extents.pack.eq(pack),
            extents.compute.eq(compute),
        ]
        m.d.comb += [queue.payload.eq(Value.cast(command)) for queue, command in queues.values()]
        with m.Switch(engine):
            with m.Case(Engine.PACK):
                m.d.comb += extents.kind.eq(Kind.PACK)
            with m.Case(Engine.COMPUTE):
                m.d.comb += extents.kind.eq(Kind.COMPUTE)
            with m.Default():
                m.d.comb += extents.kind.eq(Kind.TRANSFER)

        with m.If(self.words.valid & self.words.ready):
            m.d.sync += held.eq(Cat(held, header)[32:])
        self._steps(m, extents, engine, queues, as_kind)
        return m

    def _steps(
        self,
        m: Module,
        extents: ExtentCheck,
        engine: Signal,
        queues: dict[Engine, tuple[stream.Interface, data.View]],
        as_kind: dict[type, data.View],
    ) -> None:
        """Go from a header to the queue."""
        left = Signal(range(_WORDS))
        header = self.words.payload.data

        def fail(code: Value | int) -> None:
            m.d.sync += [self.fault.code.eq(code), self.faulty.eq(1)]
            m.next = "STOP"

        with m.FSM():
            with m.State("HEADER"):
                m.d.comb += self.words.ready.eq(1)
                with m.If(self.words.valid):
                    m.d.sync += [self.fault.tag.eq(header[16:]), self.fault.engine.eq(0)]
                    with m.If(self.words.payload.error):
                        m.d.sync += self.fault.tag.eq(0)
                        fail(ErrorCode.BUS)
                    with m.Else():
                        self._decode(m, header[:16], engine, left, fail)
            with m.State("WORDS"):
                m.d.comb += self.words.ready.eq(1)
                with m.If(self.words.valid):
                    m.d.sync += left.eq(left - 1)
                    with m.If(self.words.payload.error):
                        fail(ErrorCode.BUS)
                    with m.Elif(left == 1):
                        m.next = "FIELDS"
            with m.State("FIELDS"):
                refused = self._refused(m, *as_kind.values(), engine)
                m.d.sync += self.fault.engine.eq(engine)
                with m.If(refused != 0):
                    fail(refused)
                with m.Else():
                    m.d.comb += extents.start.eq(1)
                    m.next = "EXTENTS"
            with m.State("EXTENTS"):
                with m.If(extents.done & (extents.code != 0)):
                    fail(extents.code)
                with m.Elif(extents.done):
                    m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += self.blocked.eq(1)
                with m.Switch(engine):
                    for number, (queue, _) in queues.items():
                        with m.Case(number):
                            m.d.comb += queue.valid.eq(1)
                            with m.If(queue.ready):
                                m.d.comb += self.blocked.eq(0)
                                m.next = "HEADER"
            with m.State("END"):
                m.d.comb += self.ended.eq(1)
            with m.State("STOP"):
                pass

    @staticmethod
    def _decode(m: Module, header: Value, engine: Signal, left: Signal, fail: Callable[[int], None]) -> None:
        """Go on by the opcode and the length."""
        engines = {Load: Engine.LOAD, Pack: Engine.PACK, Compute: Engine.COMPUTE, Store: Engine.STORE}
        with m.Switch(header):
            with m.Case(End.OPCODE | End.WORDS // 2 << 8):
                m.next = "END"
            for kind, number in engines.items():
                with m.Case(kind.OPCODE | kind.WORDS // 2 << 8):
                    m.d.sync += [engine.eq(number), left.eq(kind.WORDS - 1)]
                    m.next = "WORDS"
            with m.Default():
                fail(ErrorCode.COMMAND)

    def _refused(
        self, m: Module, transfer: data.View, pack: data.View, compute: data.View, engine: Signal
    ) -> Value:
        """Return the code of an error that fields show by themselves, or 0."""
        zero = [
            Cat(view[name] == 0 for name in _POSITIVE[kind]).any()
            for kind, view in ((Load, transfer), (Pack, pack), (Compute, compute))
        ]
        weights = transfer.memory
        beat = ceil_log2(self._config.bus_bytes)
        sizes = [ceil_log2(size) for size in (self._config.activation_word, self._config.weight_word)]
        unaligned = (
            Cat(transfer.offset[:beat], transfer.stride[:beat], transfer.row_bytes[:beat]).any()
            | transfer.row_bytes[: sizes[0]].any()
            | (weights & transfer.row_bytes[: sizes[1]].any())
        )
        code = Signal(4)
        with m.Switch(engine):
            with m.Case(Engine.PACK):
                m.d.comb += code.eq(Mux(zero[1], ErrorCode.FIELD, 0))
            with m.Case(Engine.COMPUTE):
                m.d.comb += code.eq(Mux(zero[2] | self._excluded(compute), ErrorCode.FIELD, 0))
            with m.Default():
                with m.If(zero[0] | (weights & (engine == Engine.STORE))):
                    m.d.comb += code.eq(ErrorCode.FIELD)
                with m.Elif(unaligned):
                    m.d.comb += code.eq(ErrorCode.ADDRESS)
        return code

    @staticmethod
    def _excluded(command: data.View) -> Value:
        """Return whether a compute command asks for what there is not."""
        operation = command.operation
        depthwise, add = operation == Operation.DEPTHWISE, operation == Operation.ADD
        partial = command.keep | command.accumulate
        return Cat(
            operation > max(Operation),
            depthwise & ((command.kernel_rows > 3) | (command.kernel_columns > 4)),
            depthwise & ((command.stride_x > 2) | (command.stride_y > 2)),
            command.divide & (operation != Operation.SUM),
            partial & (depthwise | add | (command.groups != 1)),
        ).any()

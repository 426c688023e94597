"""Where fetch goes next: target buffer, history counters, return addresses."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig

__all__ = ["BranchKind", "Predictor", "PredictorUpdate"]

_TAG_BITS = 10
_TARGET_BITS = 14  # of halfwords: a target within the same 32 KiB as its branch


class BranchKind(enum.Enum, shape=unsigned(2)):
    """What changes the flow of instructions."""

    BRANCH = 0
    JUMP = 1
    CALL = 2
    RETURN = 3


class PredictorUpdate(wiring.Signature):
    """What execution tells the predictor, a cycle after it happened. Seen from execution.

    Members
    -------
    valid : Out(1)
        A branch or jump was executed, or a prediction was found to be void.
    address : Out(31)
        Halfword address of its last halfword.
    kind : Out(BranchKind)
    taken, target : Out(1), Out(31)
        Where it went, and the halfword address.
    known : Out(1)
        Fetch had found it in the target buffer.
    allocate, invalidate : Out(1)
        Enter it into the target buffer; or remove what is there.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "address": Out(31),
                "kind": Out(BranchKind),
                "taken": Out(1),
                "target": Out(31),
                "known": Out(1),
                "allocate": Out(1),
                "invalidate": Out(1),
            }
        )


class Predictor(wiring.Component):
    """Predict the next block of instructions from the address of this one.

    The target buffer holds one branch for each block, found by the block's
    address and a tag of ten bits; a hit is a guess, which execution checks.
    The counters are two bits wide, and their index is the block's address
    exclusive-or the outcomes of the latest branches. Calls and returns keep a
    stack of return addresses; a flush restores its depth, not its contents.

    Parameters
    ----------
    config
        The core's configuration: ``btb_entries``, ``bht_entries``,
        ``ras_entries`` and ``fetch_width``.

    Members
    -------
    block : In
        Address of the block that is fetched now.
    start : In
        The halfword in the block where it begins to be of interest.
    advance : In(1)
        The block has been requested: calls and returns count.
    hit, taken, position, target, index : Out
        Whether there is a branch, whether it is taken, the place in the
        block of its last halfword, the halfword address of its target, and
        the index of the counter that decided.
    update : In(PredictorUpdate)
        What happened.
    update_index : In
        The index that came with the prediction of ``update``.
    flush, committed_call, committed_return, link : In(1), In(1), In(1), In(31)
        Execution refills the pipeline; what it executes now is a call or a
        return; and the address after the call.

    Timing
    ------
    The prediction is combinational. An update is seen in the next cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._lanes = config.fetch_width // 16
        self._lane_bits = (self._lanes - 1).bit_length()
        self._history_bits = max((config.bht_entries - 1).bit_length(), 1)
        super().__init__(
            {
                "block": In(31 - self._lane_bits),
                "start": In(self._lane_bits),
                "advance": In(1),
                "hit": Out(1),
                "taken": Out(1),
                "position": Out(self._lane_bits),
                "target": Out(31),
                "index": Out(self._history_bits),
                "update": In(PredictorUpdate()),
                "update_index": In(self._history_bits),
                "flush": In(1),
                "committed_call": In(1),
                "committed_return": In(1),
                "link": In(31),
            }
        )

    @property
    def index_bits(self) -> int:
        """Width of ``index``."""
        return self._history_bits

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        if not self._config.btb_entries:
            return m
        entry = self._target_buffer(m)
        direction = self._counters(m)
        kind = BranchKind(entry.kind)
        m.d.comb += [
            self.position.eq(entry.position),
            self.taken.eq(self.hit & (direction | (kind != BranchKind.BRANCH))),
            self.target.eq(Cat(entry.target, self.block[_TARGET_BITS - self._lane_bits :])),
        ]
        if self._config.ras_entries:
            top = self._return_stack(m, kind)
            with m.If(kind == BranchKind.RETURN):
                m.d.comb += self.target.eq(top)
        return m

    def _target_buffer(self, m: Module) -> data.View:
        index_bits = (self._config.btb_entries - 1).bit_length()
        layout = data.StructLayout(
            {
                "tag": _TAG_BITS,
                "position": self._lane_bits,
                "kind": BranchKind,
                "target": _TARGET_BITS,
            }
        )
        valid = Signal(self._config.btb_entries)
        entries = Array(
            Signal(layout.size, name=f"btb_{i}", reset_less=True) for i in range(self._config.btb_entries)
        )
        where = self.block[:index_bits]
        entry = data.View(layout, Signal(layout.size, name="btb_entry"))
        m.d.comb += [
            entry.as_value().eq(entries[where]),
            self.hit.eq(
                valid.bit_select(where, 1)
                & (entry.tag == self.block[index_bits : index_bits + _TAG_BITS])
                & (entry.position >= self.start)
            ),
        ]
        update = self.update
        block = update.address[self._lane_bits :]
        new = data.View(layout, Signal(layout.size, name="btb_new"))
        m.d.comb += [
            new.tag.eq(block[index_bits : index_bits + _TAG_BITS]),
            new.position.eq(update.address[: self._lane_bits]),
            new.kind.eq(update.kind),
            new.target.eq(update.target[:_TARGET_BITS]),
        ]
        near = update.target[_TARGET_BITS:] == update.address[_TARGET_BITS:]
        with m.If(update.valid & (update.invalidate | (update.allocate & near))):
            m.d.sync += valid.bit_select(block[:index_bits], 1).eq(~update.invalidate)
            with m.If(~update.invalidate):
                m.d.sync += entries[block[:index_bits]].eq(new.as_value())
        return entry

    def _counters(self, m: Module) -> Signal:
        taken = Signal(init=1)
        size = self._config.bht_entries
        if not size:
            return taken
        history = Signal(self._history_bits)
        counters = Array(Signal(2, name=f"bht_{i}", init=1) for i in range(size))
        m.d.comb += [
            self.index.eq(self.block[: self._history_bits] ^ history),
            taken.eq(counters[self.index][1]),
        ]
        update = self.update
        with m.If(update.valid & (update.kind == BranchKind.BRANCH) & (update.known | update.allocate)):
            old = Signal(2)
            m.d.comb += old.eq(counters[self.update_index])
            up = Mux(old == 3, 3, old + 1)
            down = Mux(old == 0, 0, old - 1)
            m.d.sync += counters[self.update_index].eq(Mux(update.taken, up, down))
        return taken

    def _return_stack(self, m: Module, kind: BranchKind) -> Signal:
        size = self._config.ras_entries
        bits = (size - 1).bit_length()
        stack = Array(Signal(31, name=f"ras_{i}", reset_less=True) for i in range(size))
        depth, committed, restored = Signal(bits), Signal(bits), Signal(bits)
        top = Signal(31)
        m.d.comb += [
            top.eq(stack[depth]),
            restored.eq(committed + self.committed_call - self.committed_return),
        ]
        m.d.sync += committed.eq(restored)
        following = Signal(31)
        m.d.comb += following.eq(Cat(self.position, self.block) + 1)
        call = self.advance & self.taken & (kind == BranchKind.CALL)
        with m.If(self.flush):
            m.d.sync += depth.eq(restored)
            with m.If(self.committed_call):
                m.d.sync += stack[restored].eq(self.link)
        with m.Elif(call):
            m.d.sync += [depth.eq(depth + 1), stack[(depth + 1)[:bits]].eq(following)]
        with m.Elif(self.advance & self.taken & (kind == BranchKind.RETURN)):
            m.d.sync += depth.eq(depth - 1)
        return top

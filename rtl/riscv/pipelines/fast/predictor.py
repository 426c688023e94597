"""Where fetch goes next: target buffer, history counters, return addresses."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig

__all__ = ["WAYS", "BranchKind", "Predictor", "PredictorUpdate"]

WAYS = 2  #: of the target buffer
_TAG_BITS = 8
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
    known : Out(2)
        Which way of the target buffer had it.
    allocate, invalidate : Out(1)
        Enter it into the target buffer; or remove what is there.
    flushed : Out(1)
        Execution began to refill the pipeline, for whatever reason.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "address": Out(31),
                "kind": Out(BranchKind),
                "taken": Out(1),
                "target": Out(31),
                "known": Out(2),
                "allocate": Out(1),
                "invalidate": Out(1),
                "flushed": Out(1),
            }
        )


class Predictor(wiring.Component):
    """Predict the next block of instructions from the address of this one.

    The target buffer has two ways. An entry is of one branch: found by the
    address of its block and a tag, both of which it has only in part. A
    prediction is a guess therefore, which execution checks. Each entry has a
    counter of two bits; ``bht_entries`` adds counters that are found by the
    block's address alone, and decide instead. Calls and returns keep a stack
    of return addresses; a flush restores its depth, not its contents.

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
    taken, position, target : Out
        Whether a branch of the block is taken, the place of its last
        halfword, and the halfword address where it goes.
    known, places : Out(2), Out(array of 2)
        Which ways have a branch of the block, and where its last halfword is.
    update : In(PredictorUpdate)
        What happened.

    Timing
    ------
    The prediction is combinational. An update is seen in the next cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._lanes = config.fetch_width // 16
        self._lane_bits = (self._lanes - 1).bit_length()
        self._sets = config.btb_entries // WAYS
        self._set_bits = max(self._sets - 1, 0).bit_length()
        self._layout = data.StructLayout(
            {
                "tag": _TAG_BITS,
                "position": self._lane_bits,
                "kind": BranchKind,
                "target": _TARGET_BITS,
            }
        )
        super().__init__(
            {
                "block": In(31 - self._lane_bits),
                "start": In(self._lane_bits),
                "advance": In(1),
                "taken": Out(1),
                "position": Out(self._lane_bits),
                "target": Out(31),
                "known": Out(WAYS),
                "places": Out(data.ArrayLayout(self._lane_bits, WAYS)),
                "update": In(PredictorUpdate()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        if not self._config.btb_entries:
            return m
        update = self.update
        written = update.address[self._lane_bits :][: self._set_bits]
        oldest = Signal(self._sets)  # the way to replace, in each set
        self._likely = self._counters(m)
        ways, goes = [], []
        for way in range(WAYS):
            replaced = Mux(update.known.any(), update.known[way], oldest.bit_select(written, 1) == way)
            entry, taken = self._way(m, way, replaced)
            ways.append(entry)
            goes.append(taken)
        with m.If(update.valid & (update.known.any() | update.allocate)):
            newest = Mux(update.known.any(), update.known[1], oldest.bit_select(written, 1))
            m.d.sync += oldest.bit_select(written, 1).eq(~newest)
        # The earlier of two taken branches counts.
        second = Signal()
        m.d.comb += [
            second.eq(goes[1] & ~(goes[0] & (ways[0].position <= ways[1].position))),
            self.taken.eq(goes[0] | goes[1]),
        ]
        chosen = data.View(self._layout, Mux(second, ways[1].as_value(), ways[0].as_value()))
        m.d.comb += [
            self.position.eq(chosen.position),
            self.target.eq(Cat(chosen.target, self.block[_TARGET_BITS - self._lane_bits :])),
        ]
        if self._config.ras_entries:
            top = self._return_stack(m, chosen.kind)
            with m.If(chosen.kind == BranchKind.RETURN):
                m.d.comb += self.target.eq(top)
        return m

    def _way(self, m: Module, way: int, replaced: Value) -> tuple[data.View, Signal]:
        """Add one way; return its entry for the block, and whether that predicts a taken branch."""
        update = self.update
        valid = Signal(self._sets, name=f"valid_{way}")
        entries = Array(
            Signal(self._layout.size, name=f"way_{way}_{i}", reset_less=True) for i in range(self._sets)
        )
        counters = Array(Signal(2, name=f"counter_{way}_{i}") for i in range(self._sets))
        where = self.block[: self._set_bits]
        entry = data.View(self._layout, Signal(self._layout.size, name=f"entry_{way}"))
        hit, likely = Signal(name=f"hit_{way}"), Signal(name=f"likely_{way}")
        m.d.comb += [
            entry.as_value().eq(entries[where]),
            hit.eq(
                valid.bit_select(where, 1)
                & (entry.tag == self.block[self._set_bits :][:_TAG_BITS])
                & (entry.position >= self.start)
            ),
            likely.eq(counters[where][1] if self._likely is None else self._likely),
            self.known[way].eq(hit),
            self.places[way].eq(entry.position),
        ]
        block = update.address[self._lane_bits :]
        new = data.View(self._layout, Signal(self._layout.size, name=f"new_{way}"))
        m.d.comb += [
            new.tag.eq(block[self._set_bits :][:_TAG_BITS]),
            new.position.eq(update.address[: self._lane_bits]),
            new.kind.eq(update.kind),
            new.target.eq(update.target[:_TARGET_BITS]),
        ]
        near = update.target[_TARGET_BITS:] == update.address[_TARGET_BITS:]
        written = block[: self._set_bits]
        enters = update.valid & update.allocate & near & replaced
        with m.If(enters):
            m.d.sync += entries[written].eq(new.as_value())
        with m.If(enters | (update.valid & update.invalidate)):
            m.d.sync += valid.bit_select(written, 1).eq(~update.invalidate)
        old, counted = Signal(2, name=f"old_{way}"), Signal(2, name=f"counted_{way}")
        m.d.comb += [
            old.eq(counters[written]),
            counted.eq(Mux(update.known[way], _count(old, update.taken), 2)),
        ]
        with m.If(update.valid & replaced & (update.known.any() | update.allocate)):
            m.d.sync += counters[written].eq(counted)
        return entry, hit & (likely | (entry.kind != BranchKind.BRANCH))

    def _counters(self, m: Module) -> Signal | None:
        """Add the counters that are not in the target buffer; return what they say of the block."""
        size, update = self._config.bht_entries, self.update
        if not size:
            return None
        bits = (size - 1).bit_length()
        counters = Array(Signal(2, name=f"bht_{i}", init=1) for i in range(size))
        likely, old = Signal(), Signal(2)
        written = update.address[self._lane_bits :][:bits]
        m.d.comb += [likely.eq(counters[self.block[:bits]][1]), old.eq(counters[written])]
        counts = update.valid & (update.kind == BranchKind.BRANCH)
        with m.If(counts & (update.known.any() | update.allocate)):
            m.d.sync += counters[written].eq(_count(old, update.taken))
        return likely

    def _return_stack(self, m: Module, kind: Value) -> Signal:
        size, update = self._config.ras_entries, self.update
        bits = (size - 1).bit_length()
        stack = Array(Signal(31, name=f"ras_{i}", reset_less=True) for i in range(size))
        depth, committed, settled = Signal(bits), Signal(bits), Signal(bits)
        called = update.valid & (update.kind == BranchKind.CALL)
        returned = update.valid & (update.kind == BranchKind.RETURN)
        top, following, base = Signal(31), Signal(31), Signal(bits)
        goes = self.advance & self.taken
        late = update.flushed & called  # a call that was not predicted
        calls = goes & (kind == BranchKind.CALL)
        last = Mux(late, update.address, Cat(self.position, self.block))
        m.d.comb += [
            settled.eq(committed + called - returned),
            base.eq(Mux(update.flushed, settled, depth)),
            top.eq(stack[base]),
            following.eq(last + 1),
        ]
        m.d.sync += [committed.eq(settled), depth.eq(base)]
        with m.If(calls & ~late):
            m.d.sync += depth.eq(base + 1)
        with m.Elif(goes & (kind == BranchKind.RETURN)):
            m.d.sync += depth.eq(base - 1)
        with m.If(late | calls):
            m.d.sync += stack[Mux(late, settled, base + 1)[:bits]].eq(following)
        return top


def _count(value: Value, up: Value) -> Value:
    """Return a counter of two bits one up or down, at most to its end."""
    return Mux(up, Mux(value == 3, 3, value + 1), Mux(value == 0, 0, value - 1))

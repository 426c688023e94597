"""Where fetch goes next: target buffer, history counters, return addresses."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig

__all__ = ["ADDRESS_BITS", "TARGET_BITS", "BranchKind", "Predictor", "PredictorUpdate", "ways"]

ADDRESS_BITS = 18  #: of a branch's halfword address: what the largest target buffer looks at
TARGET_BITS = 14  #: of a target's halfword address: it lies in the same 32 KiB as its branch
_RETURN_BITS = 16  # of a return address: within the same 128 KiB as the return
_TAG_BITS = 7


def ways(config: CoreConfig) -> int:
    """Return how many branches of a set the target buffer keeps: 3 where that divides its size, or 2."""
    return 3 if config.btb_entries and config.btb_entries % 3 == 0 else 2


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
    address : Out(ADDRESS_BITS)
        Halfword address of its last halfword.
    kind : Out(BranchKind)
    taken, target, near : Out(1), Out(TARGET_BITS), Out(1)
        Whether it was, the halfword address where it went, and whether the
        bits above are the branch's own.
    known : Out(ways)
        Which way of the target buffer had it.
    allocate, invalidate : Out(1)
        Enter it into the target buffer; or remove what is there.
    flushed : Out(1)
        Execution began to refill the pipeline, for whatever reason.
    """

    def __init__(self, config: CoreConfig) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "address": Out(ADDRESS_BITS),
                "kind": Out(BranchKind),
                "taken": Out(1),
                "target": Out(TARGET_BITS),
                "near": Out(1),
                "known": Out(ways(config)),
                "allocate": Out(1),
                "invalidate": Out(1),
                "flushed": Out(1),
            }
        )


class Predictor(wiring.Component):
    """Predict the next block of instructions from the address of this one.

    The target buffer has two or three ways, which are replaced in turn. An
    entry is of one branch: found by the address of its block and a tag, both
    of which it has only in part. A prediction is a guess therefore, which
    execution checks. Each entry has a counter of two bits; ``bht_entries``
    adds counters that are found by the block's address alone, and decide
    instead. Calls and returns keep a stack of return addresses; a flush
    restores its depth, not its contents.

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
    known, places : Out(ways), Out(array of ways)
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
        self._ways = ways(config)
        self._sets = config.btb_entries // self._ways
        self._set_bits = max(self._sets - 1, 0).bit_length()
        self._layout = data.StructLayout(
            {
                "tag": _TAG_BITS,
                "position": self._lane_bits,
                "kind": BranchKind,
                "target": TARGET_BITS,
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
                "known": Out(self._ways),
                "places": Out(data.ArrayLayout(self._lane_bits, self._ways)),
                "update": In(PredictorUpdate(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        if not self._config.btb_entries:
            return m
        update = self.update
        turn = Signal(range(self._ways))  # the way to replace next, in whichever set
        with m.If(update.valid & update.allocate & ~update.known.any()):
            m.d.sync += turn.eq(Mux(turn == self._ways - 1, 0, turn + 1))
        self._likely = self._counters(m)
        entries, goes = [], []
        for way in range(self._ways):
            replaced = Mux(update.known.any(), update.known[way], turn == way)
            entry, taken = self._way(m, way, replaced)
            entries.append(entry)
            goes.append(taken)
        chosen = self._first(m, entries, goes)
        m.d.comb += [
            self.taken.eq(Cat(goes).any()),
            self.position.eq(chosen.position),
            self.target.eq(Cat(chosen.target, self.block[TARGET_BITS - self._lane_bits :])),
        ]
        if self._config.ras_entries:
            top = self._return_stack(m, chosen.kind)
            with m.If(chosen.kind == BranchKind.RETURN):
                m.d.comb += self.target[:_RETURN_BITS].eq(top)
        return m

    def _first(self, m: Module, entries: list[data.View], goes: list[Signal]) -> data.View:
        """Return the entry of the first taken branch of the block."""
        picked: Value = Const(0, self._layout.size)
        for way, entry in enumerate(entries):
            behind: Value = Const(0, 1)
            for other, rival in enumerate(entries):
                if other < way:
                    behind |= goes[other] & (rival.position <= entry.position)
                elif other > way:
                    behind |= goes[other] & (rival.position < entry.position)
            picked |= entry.as_value() & (goes[way] & ~behind).replicate(self._layout.size)
        chosen = Signal(self._layout.size, name="chosen")
        m.d.comb += chosen.eq(picked)
        return data.View(self._layout, chosen)

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
            new.target.eq(update.target),
        ]
        written = block[: self._set_bits]
        enters = update.valid & update.allocate & update.near & replaced
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
        stack = Array(Signal(_RETURN_BITS, name=f"ras_{i}", reset_less=True) for i in range(size))
        depth, committed, settled = Signal(bits), Signal(bits), Signal(bits)
        called = update.valid & (update.kind == BranchKind.CALL)
        returned = update.valid & (update.kind == BranchKind.RETURN)
        top, following, base = Signal(_RETURN_BITS), Signal(_RETURN_BITS), Signal(bits)
        goes = self.advance & self.taken
        late = update.flushed & called  # a call that was not predicted
        calls = goes & (kind == BranchKind.CALL)
        last = Mux(late, update.address, Cat(self.position, self.block)[:ADDRESS_BITS])
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

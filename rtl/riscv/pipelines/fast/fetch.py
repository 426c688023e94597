"""Fetch: requests along the predicted path, and the queue that feeds decoding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import MemoryBus
from rtl.riscv.pipelines.fast.predictor import Predictor, PredictorUpdate, ways

__all__ = ["Fetch", "FetchWindow"]

_ENTRIES = 3
_OUTSTANDING = 3


class FetchWindow(wiring.Signature):
    """The next halfwords of the program. Seen from fetch.

    Parameters
    ----------
    config
        The core's configuration. The window shows two halfwords, ``lanes``,
        for each instruction that can be issued in a cycle.

    Members
    -------
    valid : Out(1)
        ``pc`` holds, and so does the first halfword.
    pc : Out(32)
        Address of the first halfword.
    halfwords : Out(array of 16 bits)
    present, fault, taken : Out(lanes)
        For each halfword: it is there; its fetch failed; a branch that is
        predicted taken ends with it.
    known : Out(array of lanes)
        For each way of the target buffer: a branch that it has ends there.
    take, lengths : In(2), In(array of 2)
        Decoding takes as many halfwords as the first length says (bit 0), or
        the second (bit 1), or none. The lengths come early, the choice late.
    """

    def __init__(self, config: CoreConfig) -> None:
        lanes = config.fetch_width // 16
        super().__init__(
            {
                "valid": Out(1),
                "pc": Out(32),
                "halfwords": Out(data.ArrayLayout(16, lanes)),
                "present": Out(lanes),
                "fault": Out(lanes),
                "taken": Out(lanes),
                "known": Out(data.ArrayLayout(lanes, ways(config))),
                "take": In(2),
                "lengths": In(data.ArrayLayout(range(lanes + 1), 2)),
            }
        )


def _entry_layout(config: CoreConfig) -> data.StructLayout:
    lanes = config.fetch_width // 16
    lane_bits = (lanes - 1).bit_length()
    return data.StructLayout(
        {
            "block": 31 - lane_bits,
            "taken": 1,
            "position": lane_bits,
            "known": ways(config),
            "places": data.ArrayLayout(lane_bits, ways(config)),
            "error": lanes // 2,
            "data": 16 * lanes,
        }
    )


class Fetch(wiring.Component):
    """Request blocks of instructions ahead, and show them aligned.

    A queue of three blocks shifts towards decoding. An entry is taken when
    its request is granted and filled when the answer comes. A flush empties
    the queue at once; answers that are still to come are dropped.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    ibus : Out(MemoryBus)
        The instruction bus.
    window : Out(FetchWindow)
        What decoding sees.
    flush, target : In(1), In(31)
        Begin again at this halfword address.
    update : In(PredictorUpdate)
        For the predictor.
    denied : In(issue width)
        Which words of the block at ``address`` may not be fetched.
    address : Out(32)
        The block that fetch has come to.

    Timing
    ------
    A block that is requested in one cycle and answered in the next is in the
    window one cycle later. A predicted branch costs no cycle. A flush asks
    for its target in the same cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._lanes = config.fetch_width // 16
        self._lane_bits = (self._lanes - 1).bit_length()
        self._ways = range(ways(config))
        self._predictor = Predictor(config)
        self._layout = _entry_layout(config)
        self._full, self._filled = Signal(2), Signal(2)
        super().__init__(
            {
                "ibus": Out(MemoryBus(data_width=config.fetch_width, writable=False)),
                "window": Out(FetchWindow(config)),
                "flush": In(1),
                "target": In(31),
                "update": In(PredictorUpdate(config)),
                "denied": In(self._lanes // 2),
                "address": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        m.submodules.predictor = predictor = self._predictor
        lane_bits = self._lane_bits
        reset = self._config.reset_vector >> 1
        # The block that has been asked for last, or is to be.
        block = Signal(31 - lane_bits, init=reset >> lane_bits)
        start = Signal(lane_bits, init=reset % self._lanes)
        requested, errors = Signal(), Signal(self._lanes // 2)
        following, wanted, goes, refused = (
            Signal(31),
            Signal(31),
            Signal(),
            Signal(),
        )
        m.d.comb += [
            predictor.block.eq(block),
            predictor.start.eq(start),
            predictor.advance.eq(requested),
            following.eq(
                Mux(
                    predictor.taken,
                    predictor.target,
                    Cat(Const(0, lane_bits), (block + 1)[: len(block)]),
                )
            ),
            wanted.eq(Mux(requested, following, Cat(start, block))),
        ]
        wiring.connect(m, wiring.flipped(self.update), predictor.update)
        fill = self._requests(m, wanted, requested, goes, refused)
        m.d.sync += [
            Cat(start, block).eq(Mux(self.flush, self.target, wanted)),
            requested.eq(goes),
            errors.eq(self.denied),
        ]
        new = data.View(self._layout, Signal(self._layout.size, name="new_entry"))
        m.d.comb += [
            new.block.eq(block),
            new.taken.eq(predictor.taken),
            new.position.eq(predictor.position),
            new.known.eq(predictor.known),
            new.places.eq(predictor.places),
            new.error.eq(errors),
        ]
        head, second, offset = self._queue(
            m, new, start, advance=requested, fill=fill, refused=requested & errors.all()
        )
        self._show(m, head, second, offset)
        return m

    def _requests(self, m: Module, wanted: Value, requested: Value, goes: Signal, refused: Signal) -> Signal:
        """Drive the bus; return whether an answer counts. ``goes`` says that the block is under way."""
        outstanding, dropped = Signal(range(_OUTSTANDING + 1)), Signal(range(_OUTSTANDING + 1))
        # A request that has been made stays until it is granted, flushed or not.
        waiting, stale = Signal(), Signal()
        kept = Signal(len(wanted) - self._lane_bits)
        fill, place, room = Signal(), Signal.like(kept), Signal()
        lane_zeros = Const(0, self._lane_bits + 1)
        granted = self.ibus.request & self.ibus.grant
        # Who fetches the target may follow from what is done in this cycle; protection has to know.
        protected = bool(self._config.pmp_regions)
        redirects = self.flush & ~waiting & (not protected)
        pauses = self.flush & ~waiting & protected
        forbidden = self.denied.all()
        with m.If(stale):
            m.d.comb += place.eq(kept)
        with m.Elif(redirects):
            m.d.comb += place.eq(self.target[self._lane_bits :])
        with m.Else():
            m.d.comb += place.eq(wanted[self._lane_bits :])
        m.d.comb += [
            # A block that has been asked for enters the queue now.
            room.eq(redirects | ~Mux(requested, self._full[1], self._full[0])),
            self.address.eq(Cat(lane_zeros, place)),
            self.ibus.address.eq(Cat(lane_zeros, place)),
            self.ibus.request.eq(stale | (room & (outstanding != _OUTSTANDING) & ~forbidden & ~pauses)),
            refused.eq(room & forbidden & (outstanding == 0) & ~stale & ~(self.flush & waiting) & ~pauses),
            goes.eq((granted & ~stale & ~(self.flush & waiting)) | refused),
            fill.eq(self.ibus.response & (dropped == 0)),
        ]
        now = Signal.like(outstanding)
        m.d.comb += now.eq(outstanding + granted - self.ibus.response)
        m.d.sync += [
            outstanding.eq(now),
            waiting.eq(self.ibus.request & ~self.ibus.grant),
            stale.eq(self.ibus.request & ~self.ibus.grant & (stale | (self.flush & waiting))),
            kept.eq(place),
        ]
        with m.If(self.flush):
            # All that is under way is dropped, but for what is asked for now.
            m.d.sync += dropped.eq(outstanding - self.ibus.response + (granted & (stale | waiting)))
        with m.Elif(stale):
            m.d.sync += dropped.eq(now)
        with m.Elif(self.ibus.response & (dropped != 0)):
            m.d.sync += dropped.eq(dropped - 1)
        return fill

    def _queue(
        self,
        m: Module,
        new: data.View,
        start: Signal,
        *,
        advance: Signal,
        fill: Signal,
        refused: Signal,
    ) -> tuple[data.View, data.View, Signal]:
        """Shift entries towards the head; return the first two, and where the head begins."""
        layout = self._layout
        entries = [
            data.View(layout, Signal(layout.size, name=f"entry_{i}", reset_less=True))
            for i in range(_ENTRIES)
        ]
        starts = [Signal(self._lane_bits, name=f"start_{i}", reset_less=True) for i in range(_ENTRIES)]
        allocated, filled = Signal(_ENTRIES), Signal(_ENTRIES)
        pop, leave, offset = Signal(), Signal(), Signal(self._lane_bits + 1)
        take, leaves, pops, offsets = self.window.take, [], [], []
        # A branch that began in the block before and was taken has left nothing of this one.
        spent = filled[0] & entries[0].taken & (starts[0] > entries[0].position)
        for length in self.window.lengths:
            after = Signal(self._lane_bits + 1, name=f"after_{len(offsets)}")
            m.d.comb += after.eq(starts[0] + length)
            # The head ends with its last halfword, or with a branch that goes elsewhere.
            ends = entries[0].taken & (after > entries[0].position)
            offsets.append(after)
            leaves.append(ends)
            pops.append(filled[0] & (after[-1] | ends))
        m.d.comb += [
            self._full.eq(Cat(allocated[-1], allocated[-2])),
            self._filled.eq(filled[:2]),
            leave.eq((take & Cat(leaves)).any() | spent),
            pop.eq((take & Cat(pops)).any() | spent),
            offset.eq(Mux(take[1], offsets[1], Mux(take[0], offsets[0], starts[0]))),
        ]
        is_full = [Const(1, 1), *allocated]
        has_data = [Const(1, 1), *filled]
        last = _ENTRIES - 1
        for i, entry in enumerate(entries):
            shifted = entries[min(i + 1, last)]
            # Before the shift, entry i+1 is what becomes entry i.
            goes_here = Mux(
                pop, is_full[i + 1] & ~is_full[min(i + 2, last + 1)], is_full[i] & ~is_full[i + 1]
            )
            fills_here = Mux(
                pop, has_data[i + 1] & ~has_data[min(i + 2, last + 1)], has_data[i] & ~has_data[i + 1]
            )
            enter, load = Signal(name=f"enter_{i}"), Signal(name=f"load_{i}")
            m.d.comb += [enter.eq(goes_here & advance), load.eq(fills_here & fill)]
            shift_full = allocated[i + 1] if i < last else 0
            shift_data = filled[i + 1] if i < last else 0
            m.d.sync += [
                allocated[i].eq((Mux(pop, shift_full, allocated[i]) | enter) & ~self.flush),
                filled[i].eq((Mux(pop, shift_data, filled[i]) | load | (enter & refused)) & ~self.flush),
            ]
            for name, _ in layout:
                field, moved = getattr(entry, name), getattr(shifted, name)
                if name == "data":
                    with m.If(load):
                        m.d.sync += field.eq(self.ibus.read_data)
                    with m.Elif(pop):
                        m.d.sync += field.eq(moved)
                elif name == "error":
                    kept = Mux(enter, new.error, Mux(pop, moved, field))
                    m.d.sync += field.eq(kept | (load & self.ibus.error).replicate(len(field)))
                else:
                    with m.If(enter):
                        m.d.sync += field.eq(getattr(new, name))
                    with m.Elif(pop):
                        m.d.sync += field.eq(moved)
            with m.If(enter):
                m.d.sync += starts[i].eq(start)
            if i:
                with m.Elif(pop):
                    m.d.sync += starts[i].eq(starts[min(i + 1, last)])
            else:
                with m.Elif(leave & pop):
                    m.d.sync += starts[0].eq(starts[1])
                with m.Else():
                    m.d.sync += starts[0].eq(offset[: self._lane_bits])
        return entries[0], entries[1], starts[0]

    def _show(self, m: Module, head: data.View, following: data.View, offset: Signal) -> None:
        """Align the first two blocks."""
        lanes = self._lanes
        places = range(lanes)

        def masks(entry: data.View, filled: Value, prefix: str) -> list[Signal]:
            present, fault, taken = (
                Signal(lanes, name=f"{prefix}_{x}") for x in ("present", "fault", "taken")
            )
            known = [Signal(lanes, name=f"{prefix}_known_{way}") for way in self._ways]
            m.d.comb += [
                present.eq(Cat(filled & ~(entry.taken & (entry.position < i)) for i in places)),
                fault.eq(Cat(entry.error[i // 2] for i in places)),
                taken.eq(Cat(entry.taken & (entry.position == i) for i in places)),
            ]
            for way, mask in enumerate(known):
                m.d.comb += mask.eq(Cat(entry.known[way] & (entry.places[way] == i) for i in places))
            return [present, fault, taken, *known]

        first = masks(head, self._filled[0], "head")
        second = masks(following, self._filled[1] & ~head.taken, "next")
        window = self.window
        shown = [window.present, window.fault, window.taken, *(window.known[way] for way in self._ways)]
        for target, low, high in zip(shown, first, second, strict=True):
            m.d.comb += target.eq((Cat(low, high) >> offset)[:lanes])
        stream = Cat(head.data, following.data)
        chosen = Signal(16 * lanes)
        m.d.comb += [
            chosen.eq(stream >> Cat(Const(0, 4), offset)),
            window.valid.eq(window.present[0]),
            window.pc.eq(Cat(Const(0, 1), offset, head.block)),
        ]
        for i in places:
            m.d.comb += window.halfwords[i].eq(chosen[16 * i : 16 * i + 16])

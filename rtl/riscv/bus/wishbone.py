"""From the core's own memory bus to Wishbone B4."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.interfaces import MemoryBus

__all__ = ["Wishbone", "WishboneInitiator"]


class Wishbone(wiring.Signature):
    """Wishbone B4, seen from the initiator (its "master").

    Bytes are the granularity; there is no RTY, LOCK and no tag.

    Parameters
    ----------
    data_width
        32 or 64.
    writable
        Whether it has ``we`` and ``dat_w``.
    pipelined
        Whether it has ``stall``.

    Members
    -------
    cyc, stb, adr, sel : Out
        A request; ``adr`` counts words of `data_width`.
    we, dat_w : Out
        A write, and its data.
    ack, err, dat_r, stall : In
        The answer; and whether a request waits.
    """

    def __init__(self, *, data_width: int = 32, writable: bool = True, pipelined: bool = False) -> None:
        lanes = data_width // 8
        members = {
            "cyc": Out(1),
            "stb": Out(1),
            "adr": Out(32 - (lanes - 1).bit_length()),
            "sel": Out(lanes),
            "ack": In(1),
            "err": In(1),
            "dat_r": In(data_width),
        }
        if writable:
            members |= {"we": Out(1), "dat_w": Out(data_width)}
        if pipelined:
            members["stall"] = In(1)
        super().__init__(members)


class WishboneInitiator(wiring.Component):
    """Carry the accesses of a memory bus over Wishbone.

    What it drives on Wishbone comes from flip-flops.

    Parameters
    ----------
    data_width, writable
        Of the memory bus.
    pipelined
        Whether to use pipelined cycles; otherwise classic ones, in which
        ``stb`` stays until the answer.
    depth
        Requests that may await an answer in pipelined cycles, at least 1.

    Members
    -------
    memory : In(MemoryBus())
        From the core. ``err`` becomes ``error``.
    wishbone : Out(Wishbone())

    Timing
    ------
    A request is on Wishbone in the cycle after its grant; the answer is
    passed on in its own cycle. Classic: one access at a time, the next one
    granted with the answer, so that a target that answers at once is used in
    every cycle. Pipelined: a request in every cycle that does not stall.

    Raises
    ------
    ValueError
        `depth` is less than 1.

    Source
    ------
    Wishbone B4, sections 3.1.3 (handshake), 3.2 and 3.3.
    """

    def __init__(
        self, *, data_width: int = 32, writable: bool = True, pipelined: bool = False, depth: int = 2
    ) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self._writable = writable
        self._pipelined = pipelined
        self._depth = depth if pipelined else 1
        super().__init__(
            {
                "memory": In(MemoryBus(data_width=data_width, writable=writable)),
                "wishbone": Out(Wishbone(data_width=data_width, writable=writable, pipelined=pipelined)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        memory, wishbone = self.memory, self.wishbone
        waiting = Signal(range(self._depth + 1))  # granted, and not answered yet
        strobe = Signal()
        answer = wishbone.ack | wishbone.err
        if self._pipelined:
            free = (~strobe | ~wishbone.stall) & ((waiting != self._depth) | answer)
            moved: Value = ~wishbone.stall
        else:
            free = ~strobe | answer
            moved = answer
        accepted = Signal()
        m.d.comb += [
            memory.grant.eq(free),
            accepted.eq(memory.request & free),
            wishbone.cyc.eq(waiting.any()),
            wishbone.stb.eq(strobe),
            memory.response.eq(wishbone.cyc & answer),
            memory.error.eq(wishbone.err),
            memory.read_data.eq(wishbone.dat_r),
        ]
        m.d.sync += [
            waiting.eq(waiting + accepted - memory.response),
            strobe.eq(Mux(accepted, 1, strobe & ~moved)),
        ]
        with m.If(accepted):
            m.d.sync += wishbone.adr.eq(memory.address >> (32 - len(wishbone.adr)))
            if self._writable:
                m.d.sync += [
                    wishbone.sel.eq(memory.strobe),
                    wishbone.we.eq(memory.write),
                    wishbone.dat_w.eq(memory.write_data),
                ]
        if not self._writable:
            m.d.comb += wishbone.sel.eq(~0)
        return m

"""The memory port: an AXI4 manager, a channel to read and one to write."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ips.stream_register.component import StreamRegister

__all__ = ["OUTSTANDING", "Axi4", "ReadChannel", "WriteChannel", "beat_layout", "burst_layout"]

#: Bursts under way at most, in each direction.
OUTSTANDING = 8


class Axi4(wiring.Signature):
    """An AXI4 memory port, seen from the manager.

    All transactions have one ID, so they are answered in order; signals that
    would be constant beside it (ID, LOCK, CACHE, PROT, QOS, REGION) are not
    there. Bursts are INCR, of whole beats, and aligned to them.

    Parameters
    ----------
    data_width
        Bits of a beat.

    Members
    -------
    awvalid ... rlast
        AXI4's signals, with 32 bits of address.
    """

    def __init__(self, data_width: int) -> None:
        request = {"valid": Out(1), "ready": In(1), "addr": Out(32), "len": Out(8), "size": Out(3)}
        request["burst"] = Out(2)
        super().__init__(
            {
                **{f"aw{name}": member for name, member in request.items()},
                "wvalid": Out(1),
                "wready": In(1),
                "wdata": Out(data_width),
                "wstrb": Out(data_width // 8),
                "wlast": Out(1),
                "bvalid": In(1),
                "bready": Out(1),
                "bresp": In(2),
                **{f"ar{name}": member for name, member in request.items()},
                "rvalid": In(1),
                "rready": Out(1),
                "rdata": In(data_width),
                "rresp": In(2),
                "rlast": In(1),
            }
        )


def burst_layout(burst_beats: int) -> data.StructLayout:
    """Return a burst: byte address of the first beat, and beats less one."""
    return data.StructLayout({"address": unsigned(32), "more": ceil_log2(burst_beats)})


def beat_layout(data_width: int) -> data.StructLayout:
    """Return a beat that was read: its data, and whether the answer was an error."""
    return data.StructLayout({"data": unsigned(data_width), "error": unsigned(1)})


class ReadChannel(wiring.Component):
    """Read bursts for two: command fetch, which goes first, and LOAD.

    Parameters
    ----------
    data_width
        Bits of a beat.
    burst_beats
        Most beats of a burst, a power of two from 2 to 256.
    outstanding
        Most bursts under way.

    Members
    -------
    fetch_request, load_request : In, streams of bursts
    fetch, load : Out, streams of beats
        Beats in the order of the requests. They have no other buffer here
        than a register slice, so one that waits holds the other up; who asks
        must be able to take what comes.
    flush : In(1)
        Ask for nothing more, and drop what comes.
    quiet : Out(1)
        Nothing is under way.
    beat, stall : Out(1)
        A beat moves; a burst is under way and none moves.
    arvalid ... rlast
        Of :class:`Axi4`.

    Timing
    ------
    Requests pass one register, beats a slice of one cycle. A beat a cycle, if
    ``outstanding`` bursts cover the latency of the memory.
    """

    def __init__(self, *, data_width: int, burst_beats: int = 16, outstanding: int = OUTSTANDING) -> None:
        self._data_width = data_width
        self._outstanding = outstanding
        self._burst = burst_layout(burst_beats)
        beats = stream.Signature(beat_layout(data_width))
        port = Axi4(data_width).members
        super().__init__(
            {
                "fetch_request": In(stream.Signature(self._burst)),
                "load_request": In(stream.Signature(self._burst)),
                "fetch": Out(beats),
                "load": Out(beats),
                "flush": In(1),
                "quiet": Out(1),
                "beat": Out(1),
                "stall": Out(1),
                **{name: member for name, member in port.items() if name.startswith(("ar", "r"))},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return a register of requests, a queue of who asked, and a slice of beats."""
        m = Module()
        m.submodules.order = order = fifo.SyncFIFO(width=1, depth=self._outstanding)
        m.submodules.slice = beats = StreamRegister(
            data.StructLayout({"beat": beat_layout(self._data_width), "last": 1})
        )
        fetch, load = self.fetch_request, self.load_request
        request = Signal(self._burst)
        room = Signal()
        m.d.comb += [
            room.eq((~self.arvalid | self.arready) & order.w_rdy & ~self.flush),
            fetch.ready.eq(room),
            load.ready.eq(room & ~fetch.valid),
            order.w_en.eq(room & (fetch.valid | load.valid)),
            order.w_data.eq(fetch.valid),
            self.araddr.eq(request.address),
            self.arlen.eq(request.more),
            self.arsize.eq(ceil_log2(self._data_width // 8)),
            self.arburst.eq(1),
        ]
        with m.If(self.arready):
            m.d.sync += self.arvalid.eq(0)
        with m.If(order.w_en):
            m.d.sync += [self.arvalid.eq(1), request.eq(load.payload)]
            with m.If(fetch.valid):
                m.d.sync += request.eq(fetch.payload)

        taken = beats.o.payload
        to_fetch = order.r_data[0]
        m.d.comb += [
            beats.i.valid.eq(self.rvalid),
            self.rready.eq(beats.i.ready),
            beats.i.payload.beat.data.eq(self.rdata),
            beats.i.payload.beat.error.eq(self.rresp != 0),
            beats.i.payload.last.eq(self.rlast),
            self.fetch.valid.eq(beats.o.valid & to_fetch & ~self.flush),
            self.load.valid.eq(beats.o.valid & ~to_fetch & ~self.flush),
            self.fetch.payload.eq(taken.beat),
            self.load.payload.eq(taken.beat),
            order.r_en.eq(beats.o.valid & beats.o.ready & taken.last),
            self.quiet.eq(~order.r_rdy),
            self.beat.eq(self.rvalid & self.rready),
            self.stall.eq(order.r_rdy & ~self.beat),
        ]
        with m.If(self.flush):
            m.d.comb += beats.o.ready.eq(1)
        with m.Elif(to_fetch):
            m.d.comb += beats.o.ready.eq(self.fetch.ready)
        with m.Else():
            m.d.comb += beats.o.ready.eq(self.load.ready)
        return m


class WriteChannel(wiring.Component):
    """Write bursts for STORE.

    Parameters
    ----------
    data_width, burst_beats, outstanding
        As of :class:`ReadChannel`.

    Members
    -------
    request : In, stream of bursts
    data : In, stream of ``data_width`` bits
        Beats of the bursts, in order.
    answered : Out(1)
        A burst is in memory.
    error : Out(1)
        With `answered`: or it is not, the answer was an error.
    flush : In(1)
        Ask for nothing more; end bursts that were asked for with beats that
        write nothing.
    quiet : Out(1)
        Nothing is under way.
    beat, stall : Out(1)
        A beat moves; a burst is under way and none moves.
    awvalid ... bresp
        Of :class:`Axi4`.

    Timing
    ------
    Addresses and beats pass one register each. Beats never precede the
    address of their burst. A beat a cycle.
    """

    def __init__(self, *, data_width: int, burst_beats: int = 16, outstanding: int = OUTSTANDING) -> None:
        self._data_width = data_width
        self._outstanding = outstanding
        self._burst = burst_layout(burst_beats)
        port = Axi4(data_width).members
        super().__init__(
            {
                "request": In(stream.Signature(self._burst)),
                "data": In(stream.Signature(data_width)),
                "answered": Out(1),
                "error": Out(1),
                "flush": In(1),
                "quiet": Out(1),
                "beat": Out(1),
                "stall": Out(1),
                **{name: member for name, member in port.items() if name.startswith(("aw", "w", "b"))},
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return registers of addresses and beats, the lengths of bursts, and a count of them."""
        m = Module()
        more = self._burst["more"].shape
        m.submodules.lengths = lengths = fifo.SyncFIFO(width=more, depth=self._outstanding)
        under_way = Signal(range(self._outstanding + 1))
        request = Signal(self._burst)
        m.d.comb += [
            # A length enters the queue when its address is accepted, not before.
            self.request.ready.eq(
                (~self.awvalid | self.awready) & (under_way != self._outstanding) & ~self.flush
            ),
            lengths.w_en.eq(self.awvalid & self.awready),
            lengths.w_data.eq(request.more),
            self.awaddr.eq(request.address),
            self.awlen.eq(request.more),
            self.awsize.eq(ceil_log2(self._data_width // 8)),
            self.awburst.eq(1),
            self.bready.eq(1),
            self.answered.eq(self.bvalid),
            self.error.eq(self.bresp != 0),
            self.quiet.eq(under_way == 0),
        ]
        with m.If(self.awready):
            m.d.sync += self.awvalid.eq(0)
        with m.If(self.request.valid & self.request.ready):
            m.d.sync += [self.awvalid.eq(1), request.eq(self.request.payload)]
        m.d.sync += under_way.eq(
            under_way + (self.request.valid & self.request.ready) - (self.bvalid & self.bready)
        )

        place = Signal(more)
        free = Signal()
        moves = Signal()
        m.d.comb += [
            free.eq((~self.wvalid | self.wready) & lengths.r_rdy),
            self.data.ready.eq(free & ~self.flush),
            moves.eq(free & (self.data.valid | self.flush)),
            lengths.r_en.eq(moves & (place == lengths.r_data)),
            self.beat.eq(self.wvalid & self.wready),
            self.stall.eq((under_way != 0) & ~self.beat),
        ]
        with m.If(self.wready):
            m.d.sync += self.wvalid.eq(0)
        with m.If(moves):
            m.d.sync += [
                self.wvalid.eq(1),
                self.wdata.eq(self.data.payload),
                self.wstrb.eq((~self.flush).replicate(len(self.wstrb))),
                self.wlast.eq(lengths.r_en),
                place.eq(place + 1),
            ]
        with m.If(lengths.r_en):
            m.d.sync += place.eq(0)
        return m

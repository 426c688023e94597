"""Bursts of a block: they cover it, in order, and keep AXI4's rules."""

from amaranth.hdl import Assert, Assume, Cover, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In
from amaranth.utils import ceil_log2

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.transfer import BurstSplitter, block_layout

__all__ = ["SplitterProperties"]


class SplitterProperties(wiring.Component):
    """A splitter beside a reference that counts beats one burst at a time.

    Asserted: each burst begins where the one before ended, or at the next row;
    none is longer than the row has beats left, longer than allowed, or crosses
    a boundary of 4 KiB; the splitter takes a block exactly when the one before
    is complete.

    Parameters
    ----------
    bus_width, burst_beats
        Of the splitter.
    goals
        Only cover statements.

    Members
    -------
    i : In, stream of blocks
    ready : In(1)
        The sink.
    """

    def __init__(self, *, bus_width: int = 64, burst_beats: int = 16, goals: bool = False) -> None:
        self._config = AcceleratorConfig(array=16, bus_width=bus_width)
        self._burst_beats = burst_beats
        self._goals = goals
        super().__init__({"i": In(stream.Signature(block_layout(self._config))), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        """Return the splitter, the reference and the assertions."""
        m = Module()
        # To reach a goal, registers that begin with anything are no fault.
        claim = (lambda _: Assert(1)) if self._goals else Assert
        size = self._config.bus_bytes
        low = ceil_log2(size)
        m.submodules.dut = dut = BurstSplitter(self._config, burst_beats=self._burst_beats)
        block = self.i.payload
        m.d.comb += [
            dut.i.valid.eq(self.i.valid),
            dut.i.payload.eq(block),
            dut.o.ready.eq(self.ready),
            self.i.ready.eq(dut.i.ready),
            # What the dispatcher has checked.
            Assume((block.beats != 0) & (block.rows != 0)),
            Assume((block.address[:low] == 0) & (block.stride[:low] == 0)),
        ]
        row, stride, address = Signal(32), Signal(32), Signal(32)
        beats, left, rows = Signal.like(block.beats), Signal(17), Signal(16)
        burst = dut.o.payload
        length = burst.more + 1
        with m.If(rows == 0), m.If(self.i.valid):
            m.d.sync += [
                row.eq(block.address),
                address.eq(block.address),
                stride.eq(block.stride),
                beats.eq(block.beats),
                left.eq(block.beats),
                rows.eq(block.rows),
            ]
        with m.Elif(self.ready):
            m.d.sync += [left.eq(left - length), address.eq(address + length * size)]
            with m.If(left == length):
                m.d.sync += [
                    row.eq(row + stride),
                    address.eq(row + stride),
                    left.eq(beats),
                    rows.eq(rows - 1),
                ]
        m.d.comb += [
            claim(dut.i.ready == (rows == 0)),
            claim(dut.o.valid == (rows != 0)),
        ]
        with m.If(dut.o.valid):
            m.d.comb += [
                # The splitter's own counters, without which induction starts from what cannot be.
                claim(dut._left == left),
                claim(dut._block.address == row),
                claim(dut._block.stride == stride),
                claim(dut._block.beats == beats),
                claim(dut._block.rows == rows),
                claim((left != 0) & (beats != 0)),
                claim((address[:low] == 0) & (row[:low] == 0) & (stride[:low] == 0)),
                claim(burst.address == address),
                claim(length <= left),
                claim(length <= self._burst_beats),
                claim(burst.address[:12] + length * size <= 4096),
                Cover((rows == 1) & (left == length) & (length > 1)),
                Cover((length == 1) & (left != 1)),
            ]
        return m

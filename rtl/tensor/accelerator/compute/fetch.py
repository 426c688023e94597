"""Fetch: slots wait for what they need, then ask the activation memory."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.compute.layouts import (
    RING_SLOTS,
    SUM_DISTANCE,
    WORDS,
    activation_address,
    slot_layout,
)
from rtl.tensor.accelerator.compute.writeback import PLACES
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import ReadPort

__all__ = ["Fetch", "SlotQueue"]


class SlotQueue(wiring.Component):
    """Two slots, so that the walker does not hang on the memory's answer within a cycle.

    Members
    -------
    i_valid, i_slot, i_ready : In, In, Out
        A slot comes.
    valid, slot, ready : Out, Out, In
        A slot leaves.

    Timing
    ------
    Latency one cycle; a slot a cycle.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        layout = slot_layout(config)
        super().__init__(
            {
                "i_valid": In(1),
                "i_slot": In(layout),
                "i_ready": Out(1),
                "valid": Out(1),
                "slot": Out(layout),
                "ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the slot that leaves next, and a spare one."""
        m = Module()
        spare, spare_valid = Signal.like(self.slot), Signal()
        m.d.comb += self.i_ready.eq(~spare_valid)
        with m.If(self.ready | ~self.valid):
            m.d.sync += [
                self.slot.eq(Mux(spare_valid, spare, self.i_slot)),
                self.valid.eq(spare_valid | self.i_valid),
                spare_valid.eq(0),
            ]
        with m.Elif(self.i_valid & ~spare_valid):
            m.d.sync += [spare.eq(self.i_slot), spare_valid.eq(1)]
        return m


class Fetch(wiring.Component):
    """Launch slots in order, each when nothing behind the fetch can make it wait.

    A slot goes when its weights are there, results have room, and what it
    reads of the partial sums is written. It then asks the memory until its
    banks are granted; from there on it moves every cycle.

    Parameters
    ----------
    config
        Shape of the accelerator.
    depth
        Results that there is room for.

    Members
    -------
    valid, slot, ready : In, In, Out
        The next slot.
    tile : In(1)
        Weights have come.
    written : In
        How many results, or ends of commands, have left.
    running : In(1)
        A command is under way.
    activations : Out, ``ReadPort``
        Port of the activation memory.
    issued, o_slot : Out(1), Out
        A slot whose words come at the port in this cycle.
    began : Out(1)
        A command's first slot is launched: it asks in the next cycle.
    drained : Out(1)
        Nothing is asked for, and no result is under way.
    busy, stall_weights, stall_activations, stall_output, stall_wait : Out(1)
        What this cycle was good for; one of them holds.
    """

    def __init__(self, config: AcceleratorConfig, *, depth: int) -> None:
        self._config, self._depth = config, depth
        layout = slot_layout(config)
        super().__init__(
            {
                "valid": In(1),
                "slot": In(layout),
                "ready": Out(1),
                "tile": In(1),
                "written": In(range(PLACES + 1)),
                "running": In(1),
                "activations": Out(
                    ReadPort(
                        word=config.activation_word,
                        words=WORDS,
                        address_width=activation_address(config),
                    )
                ),
                "issued": Out(1),
                "o_slot": Out(layout),
                "began": Out(1),
                "drained": Out(1),
                "busy": Out(1),
                "stall_weights": Out(1),
                "stall_activations": Out(1),
                "stall_output": Out(1),
                "stall_wait": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the conditions, the request, and the account of cycles."""
        m = Module()
        asking, ask = Signal(), Signal.like(self.slot)
        leaves, free, launch = Signal(), Signal(), Signal()
        port = self.activations
        m.d.comb += [
            port.valid.eq(asking & ask.request),
            port.address.eq(ask.address),
            port.count.eq(ask.count),
            leaves.eq(asking & (~ask.request | port.ready)),
            free.eq(~asking | leaves),
        ]
        m.d.sync += [self.issued.eq(leaves), self.o_slot.eq(ask)]
        weights, output, apart = self._conditions(m, ask, asking, leaves, launch)
        m.d.comb += [
            launch.eq(self.valid & free & weights & output & apart),
            self.ready.eq(launch),
            self.began.eq(launch & self.slot.begin),
        ]
        with m.If(free):
            m.d.sync += asking.eq(launch)
            with m.If(launch):
                m.d.sync += ask.eq(self.slot)
        # Why nothing was launched, for the cycle in which nothing is asked for.
        no_weights, no_output, no_slot, idle = Signal(), Signal(), Signal(), Signal(init=1)
        m.d.sync += [
            no_weights.eq(self.valid & ~weights),
            no_output.eq(self.valid & weights & ~output),
            no_slot.eq(~self.valid & self.running),
            idle.eq(~self.valid & ~self.running),
        ]
        slow = asking & (~leaves | ~ask.compute)
        m.d.comb += [
            self.stall_weights.eq(~asking & no_weights),
            self.stall_output.eq(~asking & no_output),
            self.stall_wait.eq(~asking & idle),
            self.stall_activations.eq(slow | (~asking & no_slot)),
            self.busy.eq(
                ~(self.stall_weights | self.stall_output | self.stall_wait | self.stall_activations)
            ),
        ]
        return m

    def _conditions(
        self, m: Module, ask: Signal, asking: Signal, leaves: Signal, launch: Signal
    ) -> tuple[Signal, Signal, Signal]:
        """Return whether weights, room for results and distance to earlier slots suffice."""
        slot, token = self.slot, self.slot.token
        pixels = self._config.depthwise_pixels
        tiles = Signal(range(2 * RING_SLOTS + 1))
        room = Signal(range(self._depth + 1), init=self._depth)
        m.d.sync += [
            tiles.eq(tiles + self.tile - (launch & slot.need)),
            room.eq(room - Mux(launch, slot.results, 0) + self.written),
        ]
        weights, output, apart = Signal(), Signal(), Signal()
        # A pixel's sum is read only when the slot before it has written it: blocks of a few pixels
        # wait, and what goes on with kept sums.
        distance, since = Signal(range(SUM_DISTANCE)), Signal(range(SUM_DISTANCE + 3))
        near = asking & ask.near
        with m.If(leaves & near):
            m.d.sync += distance.eq(ask.distance)
        with m.Elif(distance != 0):
            m.d.sync += distance.eq(distance - 1)
        with m.If(asking):
            m.d.sync += since.eq(SUM_DISTANCE + 2)
        with m.Elif(since != 0):
            m.d.sync += since.eq(since - 1)
        early = (slot.start & token.memory & (near | (distance != 0))) | (
            slot.resume & (asking | (since != 0))
        )
        # Depthwise sums of a step leave one after another.
        if pixels > 1:
            leaving = Signal(range(pixels))
            completes = asking & ask.token.complete
            with m.If(leaves & ask.token.complete):
                m.d.sync += leaving.eq(pixels - 2)
            with m.Elif(leaving != 0):
                m.d.sync += leaving.eq(leaving - 1)
            blocked = (token.complete | ~token.depthwise) & (completes | (leaving != 0))
        else:
            blocked = 0
        # The sum of two operands takes its turn behind the second.
        third = token.add & ~token.second & asking & ask.token.second
        m.d.comb += [
            weights.eq((~slot.need | (tiles != 0)) & ~early),
            output.eq((room >= slot.results) & ~blocked),
            apart.eq(~third),
            self.drained.eq(~asking & (room == self._depth)),
        ]
        return weights, output, apart

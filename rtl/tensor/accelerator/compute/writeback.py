"""Writeback: results wait for their bank, and go where they belong."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Operation
from rtl.tensor.accelerator.compute.layouts import COMMAND, activation_address, field, result_layout
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import WritePort

__all__ = ["PLACES", "Writeback"]

#: Results that are written at once, at most, when their words follow one another.
PLACES = 2


class Writeback(wiring.Component):
    """Write results of commands in order, and tell when all of a command are written.

    A result asks for its bank at once; where it must wait, the next may go
    with it.

    Parameters
    ----------
    config
        Shape of the accelerator.
    depth
        Results that there is room for; whoever sends them counts.

    Members
    -------
    offer : In(1)
        There is a command whose results come next.
    command : In, ``COMMAND``
        That command.
    taken : Out(1)
        It is taken over in this cycle.
    valid, result : In
        A result; there is room.
    written : Out
        For how many more there is room now.
    results : Out, ``WritePort``
        Port of the activation memory.
    done, done_tag : Out(1), Out(16)
        Pulse: all of the command is written.
    """

    def __init__(self, config: AcceleratorConfig, *, depth: int) -> None:
        self._config, self._depth = config, depth
        super().__init__(
            {
                "offer": In(1),
                "command": In(COMMAND),
                "taken": Out(1),
                "valid": In(1),
                "result": In(result_layout(config)),
                "written": Out(range(PLACES + 1)),
                "results": Out(
                    WritePort(
                        word=config.activation_word, words=PLACES, address_width=activation_address(config)
                    )
                ),
                "done": Out(1),
                "done_tag": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the queue, two places at its exit, and the walk over the target."""
        m = Module()
        layout = result_layout(self._config)
        m.submodules.queue = queue = fifo.SyncFIFO(width=layout.size, depth=self._depth - PLACES)
        places = [Signal(layout, name=f"place_{i}") for i in range(PLACES)]
        full = [Signal(name=f"full_{i}") for i in range(PLACES)]
        first, second = places
        loaded, single, pair, ends = Signal(), Signal(), Signal(), Signal()
        port = self.results
        # Two banks are free together more seldom than one: what was refused as a pair comes alone.
        alone = Signal()
        both = full[1] & ~alone & ~first.end & self._adjacent(m)  # a command at a time
        m.d.sync += alone.eq(port.valid & both & ~port.ready)
        m.d.comb += [
            queue.w_en.eq(self.valid),
            queue.w_data.eq(self.result.as_value()),
            port.valid.eq(full[0] & loaded & ~first.void),
            port.count.eq(Mux(both, 2, 1)),
            *(port.data[i].eq(places[i].data) for i in range(PLACES)),
            pair.eq(port.valid & port.ready & both),
            single.eq(full[0] & loaded & (first.void | port.ready) & ~both),
            ends.eq((single & first.end) | (pair & second.end)),
            self.written.eq(Mux(pair, 2, single)),
            self.taken.eq(self.offer & ~loaded),
        ]
        m.d.sync += self.done.eq(ends)
        with m.If(self.taken):
            m.d.sync += loaded.eq(1)
        with m.Elif(ends):
            m.d.sync += loaded.eq(0)
        # What is left moves up; the queue gives one more.
        stays = [full[0] & ~single & ~pair, Mux(single, full[1], full[1] & ~pair)]
        keeps = Signal(2)  # places taken after this cycle, before the queue gives one
        m.d.comb += keeps.eq(stays[0] + stays[1])
        m.d.comb += queue.r_en.eq(keeps != PLACES)
        given = Signal(layout)
        m.d.comb += given.as_value().eq(queue.r_data)
        with m.If(single):
            m.d.sync += first.eq(second)
        for i in range(PLACES):
            m.d.sync += full[i].eq((keeps > i) | ((keeps == i) & queue.r_rdy))
            with m.If(keeps == i):
                m.d.sync += places[i].eq(given)
        self._walk(m, ends, single & ~first.void, pair)
        return m

    def _adjacent(self, m: Module) -> Value:
        """Return whether the second result's word follows the first one's."""
        self._linear, self._columns_left = Signal(), Signal(field("columns"))
        return self._linear | (self._columns_left != 1)

    def _walk(self, m: Module, ends: Signal, single: Value, pair: Signal) -> None:
        """Go on to the next word or, after two at once, the one after."""
        command, address = self.command, self.results.address
        row, group = Signal.like(address), Signal.like(address)
        columns, rows = Signal(field("columns")), Signal(field("rows"))
        columns_left, rows_left = self._columns_left, Signal.like(rows)
        row_step, group_step = Signal.like(address), Signal.like(address)
        linear, tag = self._linear, Signal(16)
        with m.If(ends):
            m.d.sync += self.done_tag.eq(tag)
        with m.If(self.taken):
            m.d.sync += [
                *(item.eq(command.target) for item in (address, row, group)),
                *(item.eq(command.columns) for item in (columns, columns_left)),
                *(item.eq(command.rows) for item in (rows, rows_left)),
                row_step.eq(command.target_row),
                group_step.eq(command.target_group),
                linear.eq(command.operation == Operation.ADD),
                tag.eq(command.tag),
            ]
        with m.Elif(single | pair):
            next_row, next_group = Signal.like(address), Signal.like(address)
            m.d.comb += [next_row.eq(row + row_step), next_group.eq(group + group_step)]
            with m.If(linear | (columns_left > Mux(pair, 2, 1))):
                step = Mux(pair, 2, 1)
                m.d.sync += [address.eq(address + step), columns_left.eq(columns_left - step)]
            with m.Elif(rows_left != 1):
                m.d.sync += [address.eq(next_row), row.eq(next_row)]
                m.d.sync += [columns_left.eq(columns), rows_left.eq(rows_left - 1)]
            with m.Else():
                m.d.sync += [item.eq(next_group) for item in (address, row, group)]
                m.d.sync += [columns_left.eq(columns), rows_left.eq(rows)]

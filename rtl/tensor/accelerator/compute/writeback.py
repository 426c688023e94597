"""Writeback: results wait for their bank, and go where they belong."""

from amaranth.hdl import Module, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.commands import Operation
from rtl.tensor.accelerator.compute.layouts import COMMAND, activation_address, field, result_layout
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import WritePort

__all__ = ["Writeback"]


class Writeback(wiring.Component):
    """Write results of commands in order, and tell when all of a command are written.

    Parameters
    ----------
    config
        Shape of the accelerator.
    depth
        Results that wait at most; whoever sends them counts.

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
    written : Out(1)
        Pulse: there is room for one more.
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
                "written": Out(1),
                "results": Out(
                    WritePort(word=config.activation_word, words=1, address_width=activation_address(config))
                ),
                "done": Out(1),
                "done_tag": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the queue and the walk over the target."""
        m = Module()
        layout = result_layout(self._config)
        m.submodules.queue = queue = fifo.SyncFIFO(width=layout.size, depth=self._depth)
        head = Signal(layout)
        loaded, leaves = Signal(), Signal()
        port = self.results
        m.d.comb += [
            queue.w_en.eq(self.valid),
            queue.w_data.eq(self.result.as_value()),
            head.as_value().eq(queue.r_data),
            port.valid.eq(queue.r_rdy & loaded & ~head.void),
            port.data[0].eq(head.data),
            leaves.eq(queue.r_rdy & loaded & (head.void | port.ready)),
            queue.r_en.eq(leaves),
            self.written.eq(leaves),
            self.taken.eq(self.offer & ~loaded),
        ]
        m.d.sync += self.done.eq(leaves & head.end)
        with m.If(self.taken):
            m.d.sync += loaded.eq(1)
        with m.Elif(leaves & head.end):
            m.d.sync += loaded.eq(0)
        self._walk(m, leaves & head.end, leaves & ~head.void)
        return m

    def _walk(self, m: Module, ends: Signal, leaves: Signal) -> None:
        command, address = self.command, self.results.address
        row, group = Signal.like(address), Signal.like(address)
        columns, rows = Signal(field("columns")), Signal(field("rows"))
        columns_left, rows_left = Signal.like(columns), Signal.like(rows)
        row_step, group_step = Signal.like(address), Signal.like(address)
        linear, tag = Signal(), Signal(16)
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
        with m.Elif(leaves):
            next_row, next_group = Signal.like(address), Signal.like(address)
            m.d.comb += [next_row.eq(row + row_step), next_group.eq(group + group_step)]
            with m.If(linear | (columns_left != 1)):
                m.d.sync += [address.eq(address + 1), columns_left.eq(columns_left - 1)]
            with m.Elif(rows_left != 1):
                m.d.sync += [address.eq(next_row), row.eq(next_row)]
                m.d.sync += [columns_left.eq(columns), rows_left.eq(rows_left - 1)]
            with m.Else():
                m.d.sync += [item.eq(next_group) for item in (address, row, group)]
                m.d.sync += [columns_left.eq(columns), rows_left.eq(rows)]

"""What the execute stage tells the predictor and the verification port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from rtl.riscv.interfaces import StallReason
from rtl.riscv.pipelines.fast.execute_state import ExecuteState
from rtl.riscv.pipelines.fast.operation import Special
from rtl.riscv.pipelines.fast.predictor import ADDRESS_BITS, TARGET_BITS, BranchKind

__all__ = ["Report"]


class Report(ExecuteState):
    """Say what happened: to the predictor a cycle later, to RVFI at once."""

    def _predictor(self, m: Module, *, done: Value, flow: Value, redirect: Value, void: Value) -> None:
        """Tell the predictor what happened, a cycle later."""
        pair, added, update = self._pair, self._added, self.update
        refetch = self._valid[0] & (self._operations[0].special == Special.REFETCH)
        last = pair.pc[:ADDRESS_BITS] + pair.long[0]
        operation, following = self._operations[0], added.following
        if self._slots == 2:
            operation = Mux(self._flow_slot, self._operations[1].as_value(), operation.as_value())
            operation = data.View(self._operations[1].shape(), operation)
            last = Mux(self._valid[1] & (self._flow_slot | void), following[:ADDRESS_BITS] - 1, last)
        last = Mux(refetch, pair.pc[:ADDRESS_BITS], last)[:ADDRESS_BITS]
        near = Cat(last, pair.pc[ADDRESS_BITS:])[TARGET_BITS:] == added.target[TARGET_BITS:]
        kind = Mux(
            operation.branch,
            BranchKind.BRANCH,
            Mux(operation.call, BranchKind.CALL, Mux(operation.ret, BranchKind.RETURN, BranchKind.JUMP)),
        )
        m.d.sync += [
            update.valid.eq(done & (flow | void | refetch)),
            update.address.eq(last),
            update.kind.eq(kind),
            update.taken.eq(self._taken),
            update.target.eq(added.target[:TARGET_BITS]),
            update.near.eq(near),
            update.known.eq(pair.known),
            update.allocate.eq(redirect & self._taken),
            update.invalidate.eq(void | refetch),
            update.flushed.eq(self.flush),
        ]

    def _report(self, m: Module, commit: Signal, *, done: Value, trap: Value, waits_memory: Value) -> None:
        """Say for RVFI what happens in this cycle."""
        pair, added, retired = self._pair, self._added, self.retired
        second = (pair.pc + 1 + pair.long[0])[:31]
        real = ~(self._valid[0] & (self._operations[0].special == Special.INTERRUPT))
        excepts = self.system.trap & real
        trapped = Mux(self._valid[0], 1, 2) if self._slots == 2 else Const(1, 1)
        m.d.comb += [
            retired.valid.eq(commit | (trapped & excepts.replicate(self._slots))),
            retired.trap.eq(excepts),
            retired.interrupt.eq(self.system.trap & ~real),
            retired.read_data.eq(Mux(self._modifies, added.a[0], self.read_data)),
            retired.write_data.eq(Mux(self._modifies, self.bus_data, added.store)),
            retired.writes.eq(
                Cat(
                    (x.store & ~(added.fails if self._config.a else Const(0, 1)))
                    | (self._modifies if not i else Const(0, 1))
                    for i, x in enumerate(self._operations)
                )
            ),
            retired.pc[0].eq(pair.pc),
            retired.next_pc[0].eq(Mux(self.flush, self.target, added.following)),
            retired.memory.eq(Cat(self._uses_memory)),
        ]
        if self._slots == 2:
            ends = ~self._valid[1] | self._left
            leaves = (self.flush & ends) & done
            wherever = Mux(pair.predicted & ~self.flush, self.next_pc, added.following)
            m.d.comb += [
                retired.pc[1].eq(second),
                retired.next_pc[0].eq(
                    Mux(self._valid[1] & ~leaves & ~trap, second, Mux(self.flush, self.target, wherever))
                ),
                retired.next_pc[1].eq(Mux(self.flush, self.target, wherever)),
            ]
        else:
            with m.If(pair.predicted & ~self.flush):
                m.d.comb += retired.next_pc[0].eq(self.next_pc)
        with m.If(Cat(self._uses_memory).any() & waits_memory):
            m.d.comb += retired.stall.eq(StallReason.DATA_BUS)
        with m.Elif(self._operations[0].long & self._valid[0]):
            m.d.comb += retired.stall.eq(StallReason.DIVIDE)
        with m.Elif(self.sleeping):
            m.d.comb += retired.stall.eq(StallReason.SLEEP)
        with m.Elif(done & (trap | self._operations[0].special.as_value().any())):
            m.d.comb += retired.stall.eq(StallReason.SYSTEM)
        with m.Else():
            m.d.comb += retired.stall.eq(StallReason.FETCH)

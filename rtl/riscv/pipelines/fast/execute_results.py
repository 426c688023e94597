"""The execute stage's results: arithmetic, loads, atomics; and their way to the registers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from rtl.riscv.pipelines.fast.alu import ChainedAlu, logic
from rtl.riscv.pipelines.fast.arithmetic import LongUnit, LowMultiplier
from rtl.riscv.pipelines.fast.execute_state import ExecuteState
from rtl.riscv.pipelines.fast.operation import Atomic, Special
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.multiplier import Multiplier

__all__ = ["Results"]


class Results(ExecuteState):
    """Compute; forward; register what is final."""

    def _compute(self, m: Module) -> list[Signal]:
        """Drive the results; return each slot's branch condition."""
        config, added = self._config, self._added
        conditions = []
        shifted, loaded = Signal(32), Signal(32)
        memory_function = self._operations[0].function
        if self._slots == 2:
            memory_function = Mux(self._uses_memory[1], self._operations[1].function, memory_function)
        m.d.comb += shifted.eq(self.read_data >> Cat(Const(0, 3), added.address[:2]))
        with m.If(memory_function[1]):
            m.d.comb += loaded.eq(shifted)
        with m.Elif(memory_function[0]):
            sign = shifted[15] & ~memory_function[2]
            m.d.comb += loaded.eq(Cat(shifted[:16], sign.replicate(16)))
        with m.Else():
            sign = shifted[7] & ~memory_function[2]
            m.d.comb += loaded.eq(Cat(shifted[:8], sign.replicate(24)))
        chainable = Signal(32)
        for slot, operation in enumerate(self._operations):
            alu = ChainedAlu(config) if slot else Alu(config)
            m.submodules[f"alu_{slot}"] = alu
            if slot:
                first = self._operations[0].alu
                m.d.comb += [
                    alu.chain_a.eq(self._pair.chain[0]),
                    alu.chain_b.eq(self._pair.chain[1]),
                    alu.quick.eq(logic(config, first, added.a[0], added.b[0])),
                    alu.whole.eq(chainable),
                ]
            condition = Signal(name=f"condition_{slot}")
            m.d.comb += [
                alu.control.eq(operation.alu),
                alu.a.eq(added.a[slot]),
                alu.b.eq(added.b[slot]),
                condition.eq(Mux(operation.function[2], alu.less, alu.equal) ^ operation.function[0]),
            ]
            conditions.append(condition)
            if not slot:
                self._alu = alu
                m.d.comb += chainable.eq(alu.result)
            port = self.results[slot]
            m.d.comb += [
                port.writes.eq(self._valid[slot] & operation.writes),
                port.rd.eq(operation.rd),
                port.late.eq(operation.multiply if config.multiplier == "pipelined" else 0),
                port.load.eq(operation.load),
                port.value.eq(Mux(operation.load, loaded, alu.result)),
            ]
        self._product = self._multiply(m)
        self._long_operations(m)
        return conditions

    def _multiply(self, m: Module) -> Value:
        """Drive the array; return its sum, which is late when it is pipelined."""
        kind, added = self._config.multiplier, self._added
        if kind not in ("pipelined", "single"):
            return Const(0, 32)
        unit = LowMultiplier() if kind == "pipelined" else Multiplier(registered=False)
        m.submodules.multiplier = unit
        a, b, function = added.a[0], added.b[0], self._operations[0].function
        if self._slots == 2:
            second = self._operations[1].multiply & self._valid[1]
            a, b = Mux(second, added.a[1], a), Mux(second, added.b[1], b)
            function = Mux(second, self._operations[1].function, function)
        m.d.comb += [unit.a.eq(a), unit.b.eq(b)]
        if kind == "single":
            m.d.comb += unit.operation.eq(function[:2])
            for operation, port in zip(self._operations, self.results, strict=True):
                with m.If(operation.multiply):
                    m.d.comb += port.value.eq(unit.result)
        return unit.result

    def _long_operations(self, m: Module) -> None:
        """Drive the unit that takes several cycles, for which slot 0 waits."""
        if not self._config.m:
            return
        operation, port = self._operations[0], self.results[0]
        m.submodules.long_unit = unit = LongUnit(
            early_out=self._config.divider == "early_out", products=self._config.multiplier != "single"
        )
        here, started = self._valid[0] & operation.long, Signal()
        self._long_waits = here & (~started | unit.busy)
        m.d.sync += started.eq(self._long_waits)
        m.d.comb += [
            unit.start.eq(here & ~started),
            unit.function.eq(operation.function),
            unit.a.eq(self._added.a[0]),
            unit.b.eq(self._added.b[0]),
        ]
        with m.If(operation.long):
            m.d.comb += port.value.eq(unit.result)

    def _atomic(self, m: Module, *, done: Value) -> None:
        """Read, compute, write: the second access is made from here."""
        operation, added, phase, alu = self._operations[0], self._added, self._phase, self._alu
        code, port = operation.atomic, self.results[0]
        here = self._valid[0] & (operation.special == Special.ATOMIC)
        new = Signal(32)
        with m.If(code == Atomic.SWAP):
            m.d.comb += new.eq(added.b[0])
        with m.Elif(code[4]):
            m.d.comb += new.eq(Mux(alu.less ^ code[2], added.a[0], added.b[0]))
        with m.Else():
            m.d.comb += new.eq(alu.result)
        m.d.comb += [
            self._modifies.eq(here & operation.load & (code != Atomic.LR)),
            self.bus_request.eq(phase == 1),
            self.bus_data.eq(new),
        ]
        # The old value takes the place of the first operand.
        with m.If(self._modifies & (phase == 0) & self.response & ~self.error):
            m.d.sync += [added.a[0].eq(self.read_data), phase.eq(1)]
        with m.If((phase == 1) & self.bus_grant):
            m.d.sync += phase.eq(2)
        with m.If(self.free):
            m.d.sync += phase.eq(0)
        with m.If(here & operation.store):
            m.d.comb += port.value.eq(added.fails)
        with m.Elif(self._modifies):
            m.d.comb += port.value.eq(added.a[0])
        with m.If(done & here & ~self._modifies):
            m.d.sync += self.reserved.eq(operation.load)
            with m.If(operation.load):
                m.d.sync += self.reserved_address.eq(added.address)

    def _write_back(self, m: Module, commit: Signal) -> None:
        """Register the results; take late products."""
        for slot, (port, final) in enumerate(zip(self.results, self.final, strict=True)):
            writes = Signal(name=f"final_writes_{slot}")
            late = Signal(name=f"final_late_{slot}")
            rd, value = Signal(5, name=f"final_rd_{slot}"), Signal(32, name=f"final_value_{slot}")
            m.d.sync += [
                writes.eq(commit[slot] & self._operations[slot].writes),
                rd.eq(port.rd),
                late.eq(port.late),
                value.eq(port.value),
            ]
            m.d.comb += [
                final.writes.eq(writes),
                final.rd.eq(rd),
                final.late.eq(late),
                final.value.eq(Mux(late, self._product, value)),
            ]

"""The small pipeline's execute stage: operands, and operations of several cycles."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from rtl.riscv.interfaces import StallReason
from rtl.riscv.pipelines.small_state import Phase, State
from rtl.riscv.units.divider import Divider
from rtl.riscv.units.multiplier import IterativeMultiplier, Multiplier
from rtl.riscv.units.registers import MemoryRegisterFile, RegisterFile
from rtl.riscv.units.shifter import SerialShifter

__all__ = ["Execute"]

_MULTIPLIER_BITS = {"serial": 2, "fast": 16}


class Execute(State):
    """Operands with forwarding; multiplier, divider, serial shifter, custom unit."""

    @property
    def _arriving(self) -> Value:
        """The instruction that will be in the execute stage in the next cycle."""
        arriving = Mux(self._fetch.take, self._fetch.parcel.instruction, self._x.instruction)
        if self._config.debug != "none":
            arriving = Mux(self._inject, self.debug.instruction, arriving)
        return arriving

    def _operands(self, m: Module) -> None:
        """Read registers, with what is about to be written to them."""
        config, x, w, control = self._config, self._x, self._w, self._control
        # A memory is read while the instruction arrives, and again while it waits.
        kind = MemoryRegisterFile if config.register_file == "memory" else RegisterFile
        m.submodules.registers = self._registers = registers = kind(registers=config.registers)
        asking = self._arriving if config.register_file == "memory" else x.instruction
        late = w.memory | w.multiply
        values, hazards = [], []
        for port, (low, reads) in enumerate(((15, control.reads_rs1), (20, control.reads_rs2))):
            number = x.instruction[low : low + 5]
            same = Signal(name=f"same_{port}")
            value = Signal(32, name=f"rs{port + 1}")
            m.d.comb += [
                same.eq(w.writes & (w.rd == number)),
                registers.read_number[port].eq(asking[low : low + 5]),
                value.eq(Mux(same, self._result, registers.read_data[port])),
            ]
            values.append(value)
            hazards.append(same & late & reads)
        self._rs1, self._rs2 = values
        self._hazard = Signal()
        pc = Cat(Const(0, 1), x.pc)
        alu = self._alu
        m.d.comb += [
            self._decoder.instruction.eq(x.instruction),
            self._hazard.eq(hazards[0] | hazards[1]),
            alu.control.eq(control.alu),
            alu.a.eq(Mux(control.a_pc, pc, self._rs1) & (~control.a_zero).replicate(32)),
            alu.b.eq(Mux(control.b_immediate, control.immediate, self._rs2)),
        ]
        self._target = Signal(32)
        m.d.comb += self._target.eq(pc + control.immediate)

    def _long_operations(self, m: Module) -> None:
        """Multiply, divide, and shift in steps; `_waits` while they are not done."""
        config, control = self._config, self._control
        self._started = Signal()
        starts = Signal()
        m.d.comb += starts.eq(
            self._in(Phase.EXECUTE) & ~self._hazard & ~self._started & ~self._stops & self._w_done
        )
        waits: list[Value] = []
        self._slow_result: Value = Const(0, 32)
        self._busy_unit: list[tuple[Value, StallReason]] = []

        def connect_unit(unit: wiring.Component, wanted: Value, done: Value, reason: StallReason) -> None:
            finished = Signal(name=f"{reason.name.lower()}_finished")
            begin = Signal(name=f"{reason.name.lower()}_begin")
            m.d.comb += begin.eq(starts & wanted & ~unit.busy)
            m.d.comb += [unit.start.eq(begin)]
            ready = self._started & (done | finished)
            m.d.sync += finished.eq(wanted & ready & ~self._fire)
            with m.If(self._fire | self._error):
                m.d.sync += self._started.eq(0)
            with m.Elif(begin):
                m.d.sync += self._started.eq(1)
            waits.append(wanted & ~ready)
            self._busy_unit.append((wanted, reason))

        if config.m:
            multiplier = self._add_multiplier(m, connect_unit)
            self._product = multiplier.result
            m.submodules.divider = divider = Divider(early_out=config.divider == "early_out")
            connect_unit(divider, control.divide, divider.done, StallReason.DIVIDE)
            m.d.comb += [
                divider.operation.eq(self._funct3[:2]),
                divider.a.eq(self._rs1),
                divider.b.eq(self._rs2),
            ]
            self._slow_result |= divider.result & control.divide.replicate(32)
        if config.shifter == "serial":
            m.submodules.shifter = shifter = SerialShifter()
            connect_unit(shifter, control.alu.shift, ~shifter.busy, StallReason.EXECUTE)
            m.d.comb += [
                shifter.control.eq(control.alu.shift_control),
                shifter.value.eq(self._alu.a),
                shifter.amount.eq(self._alu.b[:5]),
            ]
            self._slow_result |= shifter.result & control.alu.shift.replicate(32)
        self._waits = Cat(*waits).any() if waits else Const(0, 1)

    def _add_multiplier(self, m: Module, connect_unit: object) -> wiring.Component:
        config, control = self._config, self._control
        if config.multiplier == "single":
            m.submodules.multiplier = multiplier = Multiplier(registered=True)
            m.d.comb += multiplier.enable.eq(self._fire & control.multiply)
        else:
            bits = _MULTIPLIER_BITS[config.multiplier]
            m.submodules.multiplier = multiplier = IterativeMultiplier(bits=bits)
            connect_unit(multiplier, control.multiply, multiplier.done, StallReason.MULTIPLY)
        m.d.comb += [
            multiplier.operation.eq(self._funct3[:2]),
            multiplier.a.eq(self._rs1),
            multiplier.b.eq(self._rs2),
        ]
        return multiplier

    def _custom(self, m: Module) -> None:
        """Offer custom instructions when nothing is before them; `_custom_waits` for the answer."""
        self._custom_waits: Value = Const(0, 1)
        self._custom_error: Value = Const(0, 1)
        if self._config.custom == "none":
            return
        custom, accepted = self.custom, Signal()
        here = self._in(Phase.EXECUTE) & self._control.custom & ~self._w.valid & ~self._before
        m.d.comb += [
            custom.request_valid.eq(here & ~accepted),
            custom.instruction.eq(self._x.instruction),
            custom.rs1.eq(self._rs1),
            custom.rs2.eq(self._rs2),
        ]
        answered = here & custom.response_valid
        with m.If(answered):
            m.d.sync += accepted.eq(0)
        with m.Elif(custom.request_valid & custom.request_ready):
            m.d.sync += accepted.eq(1)
        self._custom_waits = self._control.custom & ~answered
        self._custom_error = answered & custom.response_error
        self._slow_result |= custom.response_data & self._control.custom.replicate(32)

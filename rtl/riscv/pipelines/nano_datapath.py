"""The nano pipeline's data path: registers, the accumulator, arithmetic and shifts."""

from amaranth.hdl import Cat, Const, Module, Mux, Value

from rtl.riscv.isa import Opcode
from rtl.riscv.pipelines.nano_shift import BarrelShifter, ShiftSteps
from rtl.riscv.pipelines.nano_state import NanoState, State

__all__ = ["DataPath"]


class DataPath(NanoState):
    """Take an instruction and its operands; compute; keep the result."""

    def _add_operands(self, m: Module) -> None:
        """Take the instruction that arrives, and read its registers: the first now, the second later."""
        config, word, registers = self._config, self._word, self._registers
        arriving, arrives = self._arriving, self._arrives
        waits = self._is(State.WAIT)
        if config.debug == "none":
            m.d.comb += [arriving.eq(self.ibus.read_data), arrives.eq(waits & self.ibus.response)]
        else:
            halted = self._is(State.HALTED)
            m.d.comb += [
                arriving.eq(Mux(halted, self.debug.instruction, self.ibus.read_data)),
                arrives.eq((waits & self.ibus.response) | (halted & self.debug.instruction_valid)),
            ]
            waits |= halted
        m.d.comb += [
            registers.read_address.eq(Mux(waits, arriving[15:20], word[20:25])),
            # The last result is still in `a`, and goes from there to its register.
            registers.write.eq(self._pending),
            registers.write_address.eq(word[7:12]),
            registers.write_data.eq(self._a),
        ]
        with m.If(arrives):
            m.d.sync += [word.eq(arriving), self._pending.eq(0)]
        with m.If(self._done):
            m.d.sync += self._pending.eq(self._writes)

    def _add_execution(self, m: Module) -> None:
        word, decoder = self._word, self._decoder
        alu, lanes, second = self._alu, self._lanes, self._registers.read_data
        funct3 = word[12:15]
        arithmetic = decoder.op | decoder.op_imm
        compares = arithmetic & (funct3[1:] == 1)
        branches = decoder.branch & self._is(State.EXECUTE)
        differs = decoder.op & word[30] & ~funct3.any()
        with m.If(self._execute):
            m.d.sync += self._taken.eq(Mux(funct3[2], alu.less, alu.equal) ^ funct3[0])
        m.d.comb += [
            decoder.instruction.eq(word),
            alu.a.eq(self._a),
            alu.b.eq(Mux(decoder.op | branches, second, decoder.immediate)),
            alu.subtract.eq(compares | branches | differs),
            alu.unsigned.eq(Mux(decoder.branch, funct3[1], funct3[0])),
            lanes.funct3.eq(funct3),
            lanes.offset.eq(alu.sum[:2]),
            lanes.register.eq(second),
            lanes.read_data.eq(self.dbus.read_data),
            self.dbus.address.eq(Cat(Const(0, 2), alu.sum[2:])),
            self.dbus.write.eq(decoder.store),
            self.dbus.strobe.eq(lanes.strobe),
            self.dbus.write_data.eq(lanes.write_data),
        ]

    def _add_accumulator(self, m: Module) -> None:
        """Say what the first operand's register holds next: an operand, an intermediate or the result."""
        config, word, decoder, alu = self._config, self._word, self._decoder, self._alu
        funct3 = word[12:15]
        arithmetic = decoder.op | decoder.op_imm
        here, following = Cat(Const(0, 2), self._pc), Cat(Const(0, 2), self._pc + 1)[:32]
        results = [
            ((arithmetic & ~funct3.any()) | decoder.lui | decoder.auipc, alu.sum),
            (arithmetic & funct3[2] & ~funct3[0], alu.difference_bits),  # XOR, and half of OR
            (arithmetic & funct3[2] & funct3[1], alu.common_bits),  # AND, and the other half
            (arithmetic & (funct3[1:] == 1), alu.less),
            (decoder.jal | decoder.jalr, following),
            (decoder.load, self._lanes.loaded),
            (decoder.csr, self._system.port.csr_read),
        ]
        if config.custom != "none":
            results.append((decoder.custom, self.custom.response_data))
        m.d.comb += self._writes.eq(decoder.shift | Cat(chosen for chosen, _ in results).any())
        sources = [(self._done & chosen, value) for chosen, value in results]
        sources += [(self._execute & decoder.shift & chosen, value) for chosen, value in self._add_shifter(m)]
        # A branch has compared its registers; now it may add its offset to the pc.
        sources.append((self._execute & decoder.branch, here))
        opcode, loads, bypass = self._arriving[2:7], self._arrives, Const(0)
        if config.register_file == "memory":
            opcode, loads = word[2:7], self._is(State.READ)
        else:
            bypass = self._pending & word[7:12].any() & (self._arriving[15:20] == word[7:12])
        from_pc = (opcode == Opcode.JAL) | (opcode == Opcode.AUIPC)
        from_register = ~from_pc & (opcode != Opcode.LUI)  # whose immediate is added to zero
        sources += [
            (loads & from_pc, here),
            (loads & from_register & ~bypass, self._registers.read_data),
        ]
        changes = Cat(chosen for chosen, _ in sources).any() | (loads & ~(from_register & bypass))
        sources.append((~changes, self._a))
        total: Value = Const(0, 32)
        for chosen, value in sources:
            total |= chosen.replicate(len(value)) & value
        m.d.comb += self._next_a.eq(total)
        m.d.sync += self._a.eq(self._next_a)

    def _add_shifter(self, m: Module) -> list[tuple[Value, Value]]:
        """Return what a shift may put into the accumulator, and when; and say when it ends."""
        word, decoder, second = self._word, self._decoder, self._registers.read_data
        count, right, sign = word[20:25], word[14], self._a[31] & word[30]
        if self._config.shifter == "barrel":
            m.submodules.shifter = shifter = BarrelShifter()
            m.d.comb += [
                shifter.amount.eq(Mux(decoder.op, second[:5], count)),
                shifter.value.eq(self._a),
                shifter.right.eq(right),
                shifter.arithmetic.eq(word[30]),
                self._shift_ends.eq(1),
            ]
            return [(Const(1), shifter.result)]
        m.submodules.steps = steps = ShiftSteps()
        m.d.comb += [steps.amount.eq(count), self._shift_ends.eq(steps.last & ~decoder.op)]
        with m.If(self._execute & decoder.shift):
            m.d.sync += count.eq(steps.rest)
            with m.If(decoder.op):
                # From now on it is a shift by an immediate, which is the instruction's.
                m.d.sync += [count.eq(second[:5]), word[5].eq(0)]
        value, immediate = self._a, decoder.op_imm
        return [
            (immediate & steps.by_one & ~right, Cat(Const(0, 1), value[:31])),
            (immediate & steps.by_one & right, Cat(value[1:], sign)),
            (immediate & steps.by_eight & ~right, Cat(Const(0, 8), value[:24])),
            (immediate & steps.by_eight & right, Cat(value[8:], sign.replicate(8))),
        ]

"""The decoder: one 32-bit instruction, and what it asks for."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Opcode
from rtl.riscv.units.alu import AluControl

__all__ = ["Control", "Decoder"]


class Control(data.Struct):
    """What an instruction asks for.

    Register numbers, ``funct3`` and the like are taken from the
    instruction's own bits. When ``illegal``, nothing else means anything.

    Members
    -------
    illegal
        No instruction of this core.
    reads_rs1, reads_rs2, writes_rd
        Which registers it names; ``writes_rd`` not for ``x0``.
    immediate
        Sign-extended; of a CSR instruction, its 5-bit operand.
    alu
        What the ALU does.
    a_pc, a_zero, b_immediate
        Operand ``a`` is ``pc`` or 0, not ``rs1``; ``b`` the immediate, not ``rs2``.
    load, store, atomic
        Accesses; ``funct3`` says size and extension. ``atomic`` are all of A.
    branch, jump, jump_register
        Branches; ``jal``; ``jalr``.
    multiply, divide
        ``funct3`` says which.
    csr, csr_write
        A CSR instruction, and whether it writes.
    ecall, ebreak, mret, dret, wfi, fence, fence_i, custom
        These; ``custom`` are the opcodes custom-0 to custom-3.
    """

    illegal: 1
    reads_rs1: 1
    reads_rs2: 1
    writes_rd: 1
    immediate: 32
    alu: AluControl
    a_pc: 1
    a_zero: 1
    b_immediate: 1
    load: 1
    store: 1
    atomic: 1
    branch: 1
    jump: 1
    jump_register: 1
    multiply: 1
    divide: 1
    csr: 1
    csr_write: 1
    ecall: 1
    ebreak: 1
    mret: 1
    dret: 1
    wfi: 1
    fence: 1
    fence_i: 1
    custom: 1


class _Fields:
    """Comparisons of an instruction's fields, each made once."""

    def __init__(self, instruction: Value) -> None:
        self.instruction = instruction
        self.rs2 = instruction[20:25]
        self._opcode = {x: instruction[2:7] == x.value for x in Opcode}
        self._f3 = [instruction[12:15] == x for x in range(8)]
        self._f7: dict[int, Value] = {}

    def opcode(self, *names: Opcode) -> Value:
        return _any(self._opcode[x] for x in names)

    def f3(self, *values: int) -> Value:
        return _any(self._f3[x] for x in values)

    def f7(self, value: int) -> Value:
        return self._f7.setdefault(value, self.instruction[25:32] == value)


def _any(values: object) -> Value:
    return Cat(*values).any()  # type: ignore[misc]


class Decoder(wiring.Component):
    """Decode one 32-bit instruction.

    Compressed instructions come through :class:`rtl.riscv.units.expander.Expander`.

    Parameters
    ----------
    config : CoreConfig
        What is legal. CSR numbers, privilege and ``dret`` outside debug mode
        are the pipeline's and the system unit's to refuse.

    Members
    -------
    instruction : In(32)
    control : Out(Control)

    Timing
    ------
    Combinational.

    Source
    ------
    RISC-V Instruction Set Manual, volume I, chapter "RV32/64G Instruction Set
    Listings", and those of B and Zicond.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__({"instruction": In(32), "control": Out(Control)})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        fields = _Fields(self.instruction)
        control = self.control
        immediate_operation = fields.opcode(Opcode.OP_IMM)
        operation = fields.opcode(Opcode.OP)
        multiply_divide = operation & fields.f7(0b0000001) if self._config.m else Const(0)

        legal = [
            self._integer(m, fields),
            self._memory(m, fields),
            self._flow(m, fields),
            self._system(m, fields),
            self._upper(m, fields),
            multiply_divide,
        ]
        m.d.comb += [
            control.multiply.eq(multiply_divide & ~self.instruction[14]),
            control.divide.eq(multiply_divide & self.instruction[14]),
            control.b_immediate.eq(~(operation | fields.opcode(Opcode.BRANCH))),
        ]
        self._immediate(m, fields)
        too_high = self._registers(m, fields, operation, immediate_operation)
        wide = self.instruction[:2] == 0b11
        m.d.comb += control.illegal.eq(~_any(legal) | too_high | ~wide)
        return m

    def _integer(self, m: Module, fields: _Fields) -> Value:
        """ALU operations of OP and OP_IMM; all that is computed is without effect elsewhere."""
        config, alu = self._config, self.control.alu
        op, imm = fields.opcode(Opcode.OP), fields.opcode(Opcode.OP_IMM)
        either = op | imm
        zero, sub = fields.f7(0b0000000), fields.f7(0b0100000)
        # Immediates have no funct7 but for shifts.
        add = (imm | (op & zero)) & fields.f3(0)
        subtract = op & sub & fields.f3(0)
        compare = (imm | (op & zero)) & fields.f3(2, 3)
        logic = (imm | (op & zero)) & fields.f3(4, 6, 7)
        shift = either & ((zero & fields.f3(1, 5)) | (sub & fields.f3(5)))
        legal = [add, subtract, compare, logic, shift]
        sums, inverted, one_hot, rotate, single = (
            [add, subtract],
            [subtract, compare],
            Const(0),
            Const(0),
            Const(0),
        )
        if config.zba:
            scaled = op & fields.f7(0b0010000) & fields.f3(2, 4, 6)
            m.d.comb += alu.scale.eq(self.instruction[13:15] & scaled.replicate(2))
            sums.append(scaled)
            legal.append(scaled)
        if config.zbb:
            negated = op & sub & fields.f3(4, 6, 7)
            rotate = (op & fields.f7(0b0110000) & fields.f3(1, 5)) | (
                imm & fields.f7(0b0110000) & fields.f3(5)
            )
            logic |= negated
            shift |= rotate
            extreme = op & fields.f7(0b0000101) & fields.instruction[14]
            inverted += [negated, extreme]
            m.d.comb += alu.extreme.eq(extreme)
            legal += [negated, rotate, extreme, self._counts(m, fields)]
        if config.zbs:
            setting, clearing, flipping = (fields.f7(x) for x in (0b0010100, 0b0100100, 0b0110100))
            one_hot = either & fields.f3(1) & (setting | clearing | flipping)
            single = either & fields.f3(5) & clearing
            logic |= one_hot
            shift |= single
            inverted.append(one_hot & clearing)
            legal += [one_hot, single]
        if config.zicond:
            conditional = op & fields.f7(0b0000111) & fields.f3(5, 7)
            m.d.comb += alu.conditional.eq(conditional)
            legal.append(conditional)

        # Which logic operation: funct3, or for single bits funct7 (0010100 or, 0100100 and, 0110100 xor).
        is_and = Mux(one_hot, fields.f7(0b0100100), self.instruction[12])
        is_xor = Mux(one_hot, fields.f7(0b0110100), ~self.instruction[13])
        upper = fields.opcode(Opcode.LUI, Opcode.AUIPC, Opcode.JAL, Opcode.JALR, Opcode.LOAD, Opcode.STORE)
        atomic = fields.opcode(Opcode.AMO) if config.a else Const(0)
        m.d.comb += [
            alu.sum.eq(_any(sums) | upper | atomic),
            alu.less.eq(compare),
            alu.logic.eq(logic),
            alu.shift.eq(shift),
            alu.invert_b.eq(_any(inverted) | fields.opcode(Opcode.BRANCH)),
            alu.logic_xor.eq(~is_and),
            alu.logic_and.eq(~is_xor),
            alu.one_hot_b.eq(one_hot),
            # slt, sltu; blt, bltu; min, minu.
            alu.unsigned.eq(
                Mux(
                    fields.opcode(Opcode.BRANCH),
                    self.instruction[13],
                    self.instruction[12],
                )
            ),
            alu.greater.eq(self.instruction[13]),
            alu.when_zero.eq(~self.instruction[13]),
            alu.shift_control.left.eq(~self.instruction[14]),
            alu.shift_control.arithmetic.eq(sub),
            alu.shift_control.rotate.eq(rotate),
            alu.shift_control.single_bit.eq(single),
        ]
        return _any(legal)

    def _counts(self, m: Module, fields: _Fields) -> Value:
        alu, rs2 = self.control.alu, fields.rs2
        unary = fields.opcode(Opcode.OP_IMM) & fields.f7(0b0110000) & fields.f3(1)
        count = unary & ~rs2[3:].any() & ~rs2[2] & ~(rs2[0] & rs2[1])
        extend = unary & ~rs2[3:].any() & rs2[2] & ~rs2[1]
        zero_half = fields.opcode(Opcode.OP) & fields.f7(0b0000100) & fields.f3(4) & ~rs2.any()
        immediate = fields.opcode(Opcode.OP_IMM) & fields.f3(5)
        combine = immediate & fields.f7(0b0010100) & (rs2 == 0b00111)
        reverse = immediate & fields.f7(0b0110100) & (rs2 == 0b11000)
        m.d.comb += [
            alu.count.eq(count),
            alu.trailing.eq(rs2[0]),
            alu.population.eq(rs2[1]),
            alu.extension.eq(extend | zero_half),
            alu.signed_extension.eq(extend),
            alu.half.eq(rs2[0] | zero_half),
            alu.bytes_.eq(combine | reverse),
            alu.reverse.eq(reverse),
        ]
        return _any([count, extend, zero_half, combine, reverse])

    def _memory(self, m: Module, fields: _Fields) -> Value:
        control = self.control
        load = fields.opcode(Opcode.LOAD) & fields.f3(0, 1, 2, 4, 5)
        store = fields.opcode(Opcode.STORE) & fields.f3(0, 1, 2)
        fence = fields.opcode(Opcode.MISC_MEM) & fields.f3(0, 1)
        m.d.comb += [
            control.load.eq(load),
            control.store.eq(store),
            control.fence.eq(fence & ~self.instruction[12]),
            control.fence_i.eq(fence & self.instruction[12]),
        ]
        legal = [load, store, fence]
        if self._config.a:
            f5 = self.instruction[27:32]
            plain = _any(f5 == x for x in (0x00, 0x01, 0x03, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C))
            reserved = (f5 == 0x02) & ~fields.rs2.any()
            atomic = fields.opcode(Opcode.AMO) & fields.f3(2) & (plain | reserved)
            m.d.comb += control.atomic.eq(atomic)
            legal.append(atomic)
        return _any(legal)

    def _flow(self, m: Module, fields: _Fields) -> Value:
        control = self.control
        branch = fields.opcode(Opcode.BRANCH) & fields.f3(0, 1, 4, 5, 6, 7)
        register = fields.opcode(Opcode.JALR) & fields.f3(0)
        m.d.comb += [
            control.branch.eq(branch),
            control.jump.eq(fields.opcode(Opcode.JAL)),
            control.jump_register.eq(register),
        ]
        return branch | register | fields.opcode(Opcode.JAL)

    def _upper(self, m: Module, fields: _Fields) -> Value:
        m.d.comb += [
            self.control.a_zero.eq(fields.opcode(Opcode.LUI)),
            self.control.a_pc.eq(fields.opcode(Opcode.AUIPC, Opcode.JAL)),
        ]
        return fields.opcode(Opcode.LUI, Opcode.AUIPC)

    def _system(self, m: Module, fields: _Fields) -> Value:
        control, instruction = self.control, self.instruction
        system = fields.opcode(Opcode.SYSTEM)
        csr = system & instruction[12:14].any()
        plain = system & fields.f3(0) & ~instruction[7:12].any() & ~instruction[15:20].any()
        numbers = {"ecall": 0x000, "ebreak": 0x001, "mret": 0x302, "wfi": 0x105}
        if self._config.debug != "none":
            numbers["dret"] = 0x7B2
        found = []
        for name, number in numbers.items():
            match = plain & (instruction[20:] == number)
            found.append(match)
            m.d.comb += control[name].eq(match)
        m.d.comb += [
            control.csr.eq(csr),
            # Set and clear with x0 or 0 only read.
            control.csr_write.eq(csr & (~instruction[13] | instruction[15:20].any())),
        ]
        if self._config.custom != "none":
            custom = fields.opcode(Opcode.CUSTOM_0, Opcode.CUSTOM_1, Opcode.CUSTOM_2, Opcode.CUSTOM_3)
            m.d.comb += control.custom.eq(custom)
            found.append(custom)
        return csr | _any(found)

    def _immediate(self, m: Module, fields: _Fields) -> None:
        x = self.instruction
        sign = x[31]
        upper = Cat(Const(0, 12), x[12:32])
        jump = Cat(Const(0, 1), x[21:31], x[20], x[12:20], sign.replicate(12))
        branch = Cat(Const(0, 1), x[8:12], x[25:31], x[7], sign.replicate(20))
        store = Cat(x[7:12], x[25:31], sign.replicate(21))
        other = Cat(x[20:31], sign.replicate(21))
        choices = [
            (fields.opcode(Opcode.LUI, Opcode.AUIPC), upper),
            (fields.opcode(Opcode.JAL), jump),
            (fields.opcode(Opcode.BRANCH), branch),
            (fields.opcode(Opcode.STORE), store),
            (fields.opcode(Opcode.OP_IMM, Opcode.LOAD, Opcode.JALR), other),
            (fields.opcode(Opcode.SYSTEM), Cat(x[15:20], Const(0, 27))),
        ]
        value = Const(0, 32)
        for number, (select, form) in enumerate(choices):
            chosen = Signal(name=f"format_{number}")
            m.d.comb += chosen.eq(select)
            value |= form & chosen.replicate(32)
        m.d.comb += self.control.immediate.eq(value)

    def _registers(self, m: Module, fields: _Fields, operation: Value, immediate: Value) -> Value:
        """Return whether a register is named that this core lacks."""
        control, config = self.control, self._config
        both = [operation, fields.opcode(Opcode.BRANCH, Opcode.STORE)]
        if config.custom != "none":
            both.append(fields.opcode(Opcode.CUSTOM_0, Opcode.CUSTOM_1, Opcode.CUSTOM_2, Opcode.CUSTOM_3))
        if config.a:
            both.append(fields.opcode(Opcode.AMO))
        csr_register = fields.opcode(Opcode.SYSTEM) & ~self.instruction[14] & self.instruction[12:14].any()
        reads_rs1 = _any([*both, immediate, fields.opcode(Opcode.LOAD, Opcode.JALR), csr_register])
        # Fences may name registers, without meaning.
        silent = fields.opcode(Opcode.BRANCH, Opcode.STORE, Opcode.MISC_MEM)
        writes = ~silent & ~(fields.opcode(Opcode.SYSTEM) & fields.f3(0))
        reads_rs2 = Signal()
        m.d.comb += [
            reads_rs2.eq(_any(both)),
            control.reads_rs1.eq(reads_rs1),
            control.reads_rs2.eq(reads_rs2),
            control.writes_rd.eq(writes & self.instruction[7:12].any()),
        ]
        if not config.e:
            return Const(0)
        return (
            (reads_rs1 & self.instruction[19])
            | (reads_rs2 & self.instruction[24])
            | (writes & self.instruction[11])
        )

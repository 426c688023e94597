"""Decode: expands, decodes and pairs the next instructions."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.pipelines.fast.fetch import FetchWindow
from rtl.riscv.pipelines.fast.operation import Atomic, Operation, Special, pair_layout
from rtl.riscv.pipelines.fast.predictor import ways
from rtl.riscv.units.alu import AluControl
from rtl.riscv.units.decoder import Decoder
from rtl.riscv.units.expander import Expander

__all__ = ["Decode"]


@dataclass(frozen=True, kw_only=True)
class _Slot:
    """One instruction of the window."""

    available: Value
    long: Value
    predicted: Value
    known: Value
    raw: Value
    operation: data.View
    control: data.View
    instruction: Value
    alone: Value


class Decode(wiring.Component):
    """Take one or two instructions from the window.

    The second goes along unless one of the two must be alone (a special
    instruction, a division, a jump or predicted branch as the first), both
    need the same unit (memory and register jumps, branches, multiplier),
    memory would be accessed behind a branch, or the second needs the first's
    result, which is no constant, and :class:`ChainedAlu` cannot take it.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    window : In(FetchWindow)
    pair : Out(pair_layout)
        What goes to the next stage.
    ready : In(1)
        The next stage takes it.
    interrupt, halt, resume : In(1)
        Put an interrupt, or the entry to debug mode, or the way out of it, in
        place of the next instruction.
    single : In(1)
        Never pair.

    Timing
    ------
    Combinational.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._ways = range(ways(config))
        super().__init__(
            {
                "window": In(FetchWindow(config)),
                "pair": Out(pair_layout(config)),
                "ready": In(1),
                "interrupt": In(1),
                "halt": In(1),
                "resume": In(1),
                "single": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        window, pair = self.window, self.pair
        first = self._decode(m, 0, self._lane(0))
        slots = [first]
        together: Value = Const(0, 1)
        if self._config.issue_width == 2:
            second = self._decode(m, 1, self._lane(1, first.long))
            slots.append(second)
            together = Signal()
            m.d.comb += together.eq(self._together(first, second) & ~self.single)
        instead = Signal()
        lengths = [1 + slot.long for slot in slots]
        m.d.comb += [
            instead.eq(((self.interrupt | self.halt) & window.valid) | self.resume),
            pair.valid[0].eq(first.available | instead),
            pair.pc.eq(window.pc[1:]),
            pair.long.eq(Cat(slot.long for slot in slots)),
        ]
        last = slots[-1]
        m.d.comb += pair.predicted.eq(Mux(together, last.predicted, first.predicted) & ~instead)
        # A branch that is not predicted taken may be the first of two.
        of_last = together & ~first.operation.branch
        m.d.comb += pair.known.eq(Mux(of_last, last.known, first.known))
        what = Mux(self.resume, Special.DRET, Mux(self.halt, Special.HALT, Special.INTERRUPT))
        # No `m.If` around a part of the pair: in Verilog its other parts would be procedural too,
        # and a simulator never assigns a constant one, as `long` is without C.
        replacement = data.View(Operation, _packed(Operation, {"special": what}))
        for number, slot in enumerate(slots):
            operation = slot.operation
            if not number:
                operation = Mux(instead, replacement.as_value(), operation.as_value())
            m.d.comb += pair.operations[number].eq(operation)
            if self._config.rvfi:
                m.d.comb += pair.raw[number].eq(slot.raw)
        takes = self.ready & first.available & ~instead
        m.d.comb += [
            window.take.eq(Cat(takes & ~together, takes & together)),
            window.lengths[0].eq(lengths[0]),
            window.lengths[1].eq(lengths[0] + lengths[-1]),
        ]
        if self._config.issue_width == 2:
            older, younger = (slot.operation for slot in slots)
            same, constant = Signal(2), self._constant(first)
            m.d.comb += [
                pair.valid[1].eq(together & ~instead),
                same.eq(Cat(older.writes & (older.rd == x) for x in (younger.rs1, younger.rs2))),
                pair.chain.eq(same & ~constant.replicate(2)),
                pair.constant.eq(same & constant.replicate(2)),
            ]
        return m

    def _lane(self, slot: int, after_long: Value | None = None) -> tuple[dict[str, Value], list[Value]]:
        """Return the two halfwords of a slot, and what fetch says about each."""
        window = self.window
        masks = {name: getattr(window, name) for name in ("present", "fault", "taken")}
        masks |= {f"known_{way}": window.known[way] for way in self._ways}
        if not slot:
            halves = [window.halfwords[0], window.halfwords[1]]
            return {name: mask[:2] for name, mask in masks.items()}, halves
        halves = [Mux(after_long, window.halfwords[2 + i], window.halfwords[1 + i]) for i in range(2)]
        return {name: Mux(after_long, mask[2:4], mask[1:3]) for name, mask in masks.items()}, halves

    def _decode(self, m: Module, number: int, lane: tuple[dict[str, Value], list[Value]]) -> _Slot:
        """Expand and decode the instruction of a slot."""
        config = self._config
        bits, halves = lane
        expander, decoder = Expander(config), Decoder(config)
        m.submodules[f"expander_{number}"] = expander
        m.submodules[f"decoder_{number}"] = decoder
        fault = bits["fault"]
        raw = Signal(32, name=f"raw_{number}")
        long, present = Signal(name=f"long_{number}"), Signal(2, name=f"present_{number}")
        m.d.comb += [
            raw.eq(Cat(halves)),
            long.eq(halves[0][:2] == 0b11 if config.c else 1),
            present.eq(bits["present"]),
            expander.raw.eq(raw),
            decoder.instruction.eq(expander.instruction),
        ]
        cut = long & bits["taken"][0]
        known = Cat(Mux(long, bits[f"known_{way}"][1], bits[f"known_{way}"][0]) for way in self._ways)
        operation = Signal(Operation, name=f"operation_{number}")
        special = self._special(m, decoder.control, number)
        with m.If(fault[0]):
            m.d.comb += special.eq(Special.FETCH_FAULT)
        with m.Elif(cut):
            m.d.comb += special.eq(Special.REFETCH)
        with m.Elif(long & fault[1]):
            m.d.comb += special.eq(Special.FETCH_FAULT_SECOND)
        with m.Elif(expander.illegal | decoder.control.illegal):
            m.d.comb += special.eq(Special.ILLEGAL)
        self._fill(m, operation, decoder.control, expander.instruction, special)
        return _Slot(
            available=present[0] & (fault[0] | cut | ~long | present[1]),
            long=long,
            predicted=Mux(long, bits["taken"][1], bits["taken"][0]) & ~cut,
            known=known,
            raw=Mux(long, raw, raw[:16]),
            operation=operation,
            control=decoder.control,
            instruction=expander.instruction,
            # As `special`, but for pairing it must be known early.
            alone=fault[0]
            | cut
            | (long & fault[1])
            | expander.illegal
            | decoder.control.illegal
            | self._set_apart(decoder.control, expander.instruction),
        )

    def _special(self, m: Module, control: data.View, number: int) -> Signal:
        special = Signal(Special, name=f"special_{number}")
        choices = [
            (control.ecall, Special.ECALL),
            (control.ebreak, Special.EBREAK),
            (control.mret, Special.MRET),
            (control.wfi, Special.WFI),
            (control.fence_i, Special.FENCE_I),
            (control.csr, Special.CSR),
        ]
        if self._config.debug != "none":
            choices.append((control.dret, Special.DRET))
        if self._config.custom != "none":
            choices.append((control.custom, Special.CUSTOM))
        if self._config.a:
            choices.append((control.atomic, Special.ATOMIC))
        value: Value = Const(0, 4)
        for chosen, what in choices:
            value |= Const(what.value, 4) & chosen.replicate(4)
        m.d.comb += special.eq(value)
        return special

    def _set_apart(self, control: data.View, instruction: Value) -> Value:
        """Return whether an instruction is executed alone."""
        alone = control.ecall | control.ebreak | control.mret | control.wfi | control.fence_i | control.csr
        alone |= control.divide
        if self._config.m:
            alone |= control.multiply & ~self._in_array(instruction)
        if self._config.debug != "none":
            alone |= control.dret
        if self._config.custom != "none":
            alone |= control.custom
        if self._config.a:
            alone |= control.atomic
        return alone

    def _in_array(self, instruction: Value) -> Value:
        """Return whether the array makes this product: the pipelined one makes low halves only."""
        if self._config.multiplier == "single":
            return Const(1, 1)
        if self._config.multiplier == "pipelined":
            return ~instruction[12:14].any()
        return Const(0, 1)

    def _fill(
        self, m: Module, operation: data.View, control: data.View, instruction: Value, special: Value
    ) -> None:
        rs1, rs2, rd = instruction[15:20], instruction[20:25], instruction[7:12]
        jump = control.jump | control.jump_register
        plain = special == Special.NONE
        multiply = control.multiply & self._in_array(instruction)
        atomic = (special == Special.ATOMIC) if self._config.a else Const(0, 1)
        conditional = instruction[27:] == Atomic.SC
        # x1 and x5 hold return addresses, by convention.
        link_rd, link_rs1 = ((x & 0b11011) == 1 for x in (rd, rs1))
        m.d.comb += [
            operation.rs1.eq(rs1 & control.reads_rs1.replicate(5)),
            operation.rs2.eq(rs2 & control.reads_rs2.replicate(5)),
            operation.rd.eq(rd),
            operation.writes.eq(control.writes_rd & ~self._traps(special)),
            operation.immediate.eq(Mux(plain, control.immediate, Mux(atomic, 0, instruction))),
            operation.alu.eq(self._alu_control(control, instruction)),
            operation.atomic.eq(instruction[27:]),
            operation.function.eq(instruction[12:15]),
            operation.use_pc.eq(control.a_pc | control.jump_register),
            operation.use_immediate.eq(Mux(plain, control.b_immediate & ~jump, ~atomic)),
            operation.use_length.eq(jump & plain),
            operation.load.eq((control.load & plain) | (atomic & ~conditional)),
            operation.store.eq((control.store & plain) | (atomic & conditional)),
            operation.branch.eq(control.branch & plain),
            operation.jump.eq(jump & plain),
            operation.indirect.eq(control.jump_register & plain),
            operation.call.eq(jump & plain & link_rd),
            operation.ret.eq(control.jump_register & plain & link_rs1 & ~link_rd),
            operation.multiply.eq(multiply & plain),
            operation.long.eq((control.divide | control.multiply) & ~multiply & plain),
            operation.csr_write.eq(control.csr_write),
            operation.special.eq(special),
        ]

    def _alu_control(self, control: data.View, instruction: Value) -> Value:
        """Return what the ALU does; of an atomic, with the old value and the other operand."""
        if not self._config.a:
            return control.alu
        code = instruction[27:]
        logic = (code == Atomic.XOR) | (code == Atomic.OR) | (code == Atomic.AND)
        fields = {
            "sum": code == Atomic.ADD,
            "logic": logic,
            "logic_xor": code != Atomic.AND,
            "logic_and": code != Atomic.XOR,
            "invert_b": code[4],  # the comparisons
            "unsigned": code[3],
        }
        return Mux(control.atomic, _packed(AluControl, fields), control.alu.as_value())

    @staticmethod
    def _traps(special: Value) -> Value:
        return (
            (special == Special.ILLEGAL)
            | (special == Special.FETCH_FAULT)
            | (special == Special.FETCH_FAULT_SECOND)
            | (special == Special.REFETCH)
        )

    def _together(self, first: _Slot, second: _Slot) -> Value:
        """Return whether the second instruction can go with the first."""
        # All from the decoders directly, since this decides how far the queue moves on.
        a, b = first.control, second.control
        rs1, rs2 = second.instruction[15:20], second.instruction[20:25]
        rd = first.instruction[7:12]
        flow = [x.branch | x.jump | x.jump_register for x in (a, b)]
        address = [x.load | x.store | x.jump_register for x in (a, b)]
        needs = a.writes_rd & (((rd == rs1) & b.reads_rs1) | ((rd == rs2) & b.reads_rs2))
        # What the second slot's ALU can take from the first in the same cycle, see ChainedAlu.
        short = b.alu.logic | b.alu.extension | (a.alu.logic & b.alu.shift)
        chains = (short & ~a.load & ~a.multiply) | self._constant(first)
        conflict = (
            first.alone
            | second.alone
            | first.predicted
            | a.jump
            | a.jump_register
            | (address[0] & address[1])
            | (a.branch & (flow[1] | address[1] | second.predicted))
            | (a.multiply & b.multiply)
            | b.alu.count
            | b.alu.bytes_
            | (needs & ~chains)
        )
        return first.available & second.available & ~conflict

    @staticmethod
    def _constant(slot: _Slot) -> Value:
        """Return whether an instruction that writes a register writes its immediate."""
        control = slot.control
        plain = control.alu.sum & control.b_immediate & ~control.a_pc & ~control.load
        return plain & (control.a_zero | ~slot.instruction[15:20].any())


def _packed(layout: type[data.Struct], fields: dict[str, Value]) -> Value:
    """Return a structure's bits, those that are not given as zero."""
    parts = []
    for name, field in data.Layout.cast(layout):
        parts.append(fields.get(name, Const(0, field.width)))
    return Cat(*parts)

"""Access: reads registers, computes addresses and targets, and asks memory."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import StallReason
from rtl.riscv.pipelines.fast.operation import Atomic, Special, pair_layout
from rtl.riscv.pipelines.fast.registers import RegisterFile

__all__ = ["Access", "Forwarded", "access_layout"]


def access_layout(config: CoreConfig) -> data.StructLayout:
    """Return the layout of what this stage adds to a pair.

    Members: ``a`` and ``b``, the operands of the ALUs; ``address``, of the
    load or store; ``target``, where the jump or branch goes, and
    ``following``, the instruction after the pair (both in halfwords);
    ``misaligned`` and ``denied``, of the load or store; ``breaks`` and
    ``halts``, a trigger that raises an exception or enters debug mode, and
    ``executes``, on the instruction rather than the access;
    ``fails``, an SC without its reservation; for RVFI ``rs1`` and ``rs2``.
    """
    words = data.ArrayLayout(unsigned(32), config.issue_width)
    members = {
        "a": words,
        "b": words,
        "address": unsigned(32),
        "target": unsigned(31),
        "following": unsigned(31),
        "misaligned": unsigned(1),
        "denied": unsigned(1),
        "breaks": unsigned(1),
        "halts": unsigned(1),
        "executes": unsigned(1),
        "fails": unsigned(1),
    }
    if config.custom != "none":
        members["other"] = unsigned(32)  # rs2
    if config.rvfi:
        members |= {"rs1": words, "rs2": words, "store": unsigned(32), "strobe": unsigned(4)}
    return data.StructLayout(members)


class Forwarded(wiring.Signature):
    """A result on its way to the register file. Seen from the stage that has it.

    Members
    -------
    writes, rd, value : Out(1), Out(5), Out(32)
        The result. ``writes`` and ``rd`` come early in the cycle.
    late : Out(1)
        ``value`` is not there yet, in execute; comes late in the cycle, in write-back.
    load : Out(1)
        ``value`` comes from the data bus.
    """

    def __init__(self) -> None:
        super().__init__({"writes": Out(1), "rd": Out(5), "value": Out(32), "late": Out(1), "load": Out(1)})


class Access(wiring.Component):
    """The stage between decoding and execution.

    Operands of the ALUs, and what is stored, come from the register file,
    from write-back, or from execution in the same cycle. Addresses do not
    wait for execution: an instruction which needs one waits a cycle here
    behind the instruction that makes it.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    pair, ready : In(pair_layout), Out(1)
        From decoding.
    held, added : Out(pair_layout), Out(access_layout)
        What execution takes next.
    advance : Out(1)
        Execution takes it now; else it gets nothing.
    free : In(1)
        Execution is done with what it has.
    execute, write : In(Forwarded) for each slot
        Results in the two later stages.
    flush : In(1)
        Forget what is here.
    bus_request, bus_grant, bus_write, bus_strobe, bus_data : Out(1), In(1), Out(1), Out(4), Out(32)
        The data bus, whose address is ``added.address``.
    denied : In(1)
        The protection unit refuses ``added.address``.
    breaks, halts : In(2)
        A trigger fires on the first instruction (bit 0), or on the address (bit 1).
    reserved : In(1)
        ``added.address`` is reserved, by an LR.
    older, busy : In(1), Out(1)
        There is something in execution; here.
    loads, stores : Out(1)
        What the access at ``added.address`` is, for protection and triggers.
    stall : Out(StallReason)
        Why it does not advance.

    Timing
    ------
    One cycle, if no address is missing and the bus grants. A pair that is
    predicted taken leaves when the next one comes in.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._slots = config.issue_width
        self._layout = pair_layout(config)
        super().__init__(
            {
                "pair": In(self._layout),
                "ready": Out(1),
                "held": Out(self._layout),
                "added": Out(access_layout(config)),
                "advance": Out(1),
                "free": In(1),
                "execute": In(Forwarded()).array(self._slots),
                "write": In(Forwarded()).array(self._slots),
                "flush": In(1),
                "bus_request": Out(1),
                "bus_grant": In(1),
                "bus_write": Out(1),
                "bus_strobe": Out(4),
                "bus_data": Out(32),
                "denied": In(1),
                "breaks": In(2),
                "halts": In(2),
                "reserved": In(1),
                "older": In(1),
                "busy": Out(1),
                "loads": Out(1),
                "stores": Out(1),
                "stall": Out(StallReason),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        held = Signal(self._layout, reset_less=True)
        valid = Signal(self._slots)
        m.d.comb += [self.held.eq(held), self.held.valid.eq(valid)]
        m.d.comb += [self.ready.eq(~valid[0] | self.advance)]
        with m.If(self.flush):
            m.d.sync += valid.eq(0)
        with m.Elif(self.ready):
            m.d.sync += valid.eq(self.pair.valid)
        with m.If(self.ready):
            m.d.sync += held.eq(self.pair)
        operations = [held.operations[i] for i in range(self._slots)]
        early, full = self._operands(m, operations)
        memory = self._address(m, held, operations, early, valid)
        self._store(m, operations, full, valid)
        # Execution compares a predicted target with the address that is here by then.
        waits = self._hazards(m, operations, valid) | (held.predicted & ~self.pair.valid[0])
        added = self.added
        refused = added.misaligned | added.denied
        m.d.comb += self.busy.eq(valid[0])
        if self._config.triggers:
            plain = held.operations[0].special.as_value() < Special.REFETCH.value
            m.d.comb += [
                added.breaks.eq((self.breaks[0] & plain) | (self.breaks[1] & memory)),
                added.executes.eq((self.breaks[0] | self.halts[0]) & plain),
                added.halts.eq((self.halts[0] & plain) | (self.halts[1] & memory)),
            ]
            refused |= added.breaks | added.halts
        if self._config.a:
            atomic = held.operations[0].special == Special.ATOMIC
            m.d.comb += added.fails.eq(atomic & held.operations[0].store & ~self.reserved)
            refused |= added.fails
            # What LR reserves is known only then, and AMO needs the bus for itself.
            waits |= atomic & self.older
        if self._config.custom != "none":
            m.d.comb += added.other.eq(full[1])
        needed = memory & ~refused
        m.d.comb += [
            self.bus_request.eq(needed & ~waits & self.free & ~self.flush),
            self.advance.eq(valid[0] & self.free & ~waits & (~needed | self.bus_grant)),
        ]
        return m

    def _operands(self, m: Module, operations: list[data.View]) -> tuple[list[Signal], list[Signal]]:
        """Return rs1 of each slot without execution's results, and all operands with them."""
        m.submodules.registers = registers = RegisterFile(self._slots)
        for slot, port in enumerate(self.write):
            m.d.comb += [
                registers.write[slot].eq(port.writes),
                registers.write_address[slot].eq(port.rd),
                registers.write_data[slot].eq(port.value),
            ]
        early, full = [], []
        for number in range(2 * self._slots):
            source, stored = self._source(operations, number), registers.read_data[number]
            near, value = Signal(32, name=f"near_{number}"), Signal(32, name=f"operand_{number}")
            m.d.comb += registers.read_address[number].eq(source)
            if number >= 2:
                # Nothing is forwarded to x0, and it reads as zero.
                stored |= operations[0].immediate & self.held.constant[number % 2].replicate(32)
            self._forward(m, near, source, stored, self.write)
            self._forward(m, value, source, near, self.execute)
            early.append(near)
            full.append(value)
        for slot, operation in enumerate(operations):
            length = Mux(self.held.long[slot], 4, 2)
            pc = self._pc(slot)
            second = Mux(operation.use_immediate, operation.immediate, full[2 * slot + 1])
            m.d.comb += [
                self.added.a[slot].eq(Mux(operation.use_pc, Cat(Const(0, 1), pc), full[2 * slot])),
                self.added.b[slot].eq(Mux(operation.use_length, length, second)),
            ]
            if self._config.rvfi:
                m.d.comb += [
                    self.added.rs1[slot].eq(full[2 * slot]),
                    self.added.rs2[slot].eq(full[2 * slot + 1]),
                ]
        return early[::2], full

    def _source(self, operations: list[data.View], number: int) -> Value:
        """Return the register of an operand; none where the first of the pair gives its immediate."""
        operation = operations[number // 2]
        source = operation.rs2 if number % 2 else operation.rs1
        return source if number < 2 else source & ~self.held.constant[number % 2].replicate(5)

    def _forward(
        self, m: Module, target: Signal, source: Value, older: Value, ports: list[wiring.Component]
    ) -> None:
        value = older
        for port in ports:
            value = Mux(port.writes & (port.rd == source), port.value, value)
        m.d.comb += target.eq(value)

    def _pc(self, slot: int) -> Value:
        """Return the halfword address of a slot's instruction."""
        pc = self.held.pc
        if not slot:
            return pc
        return (pc + 1 + self.held.long[0])[:31]

    def _address(
        self,
        m: Module,
        held: data.View,
        operations: list[data.View],
        early: list[Signal],
        valid: Signal,
    ) -> Value:
        """Compute the address, the target and what follows; return whether memory is accessed."""
        added = self.added
        write = operations[0].store
        if self._slots == 2:
            second = valid[1] & (operations[1].load | operations[1].store)
            write = Mux(second, operations[1].store, write)
        base, offset, pc, distance, function = early[0], operations[0].immediate, *self._flow(operations, 0)
        memory = valid[0] & (operations[0].load | operations[0].store)
        indirect = operations[0].indirect
        following = held.pc + 1 + held.long[0]
        if self._slots == 2:
            second = operations[1]
            uses = valid[1] & (second.load | second.store | second.indirect)
            flows = valid[1] & (second.branch | second.jump)
            base, offset = Mux(uses, early[1], base), Mux(uses, second.immediate, offset)
            function = Mux(uses, second.function, function)
            pc_1, distance_1, _ = self._flow(operations, 1)
            pc, distance = Mux(flows, pc_1, pc), Mux(flows, distance_1, distance)
            memory |= valid[1] & (second.load | second.store)
            indirect = Mux(flows, second.indirect, indirect)
            following = held.pc + Mux(valid[1], 2 + held.long[0] + held.long[1], 1 + held.long[0])
        target = Signal(31)
        m.d.comb += [
            added.address.eq(base + offset),
            target.eq(pc + distance),
            added.target.eq(Mux(indirect, added.address[1:], target)),
            added.following.eq(following),
            added.misaligned.eq(
                memory & ((function[1] & added.address[:2].any()) | (function[0] & added.address[0]))
            ),
            added.denied.eq(memory & self.denied),
        ]
        amo = operations[0].special == Special.ATOMIC
        m.d.comb += [
            self.loads.eq(memory & ~write),
            self.stores.eq(memory & (write | (amo & (operations[0].atomic != Atomic.LR)))),
        ]
        self._size = function
        return memory

    def _flow(self, operations: list[data.View], slot: int) -> tuple[Value, Value, Value]:
        return self._pc(slot), operations[slot].immediate[1:], operations[slot].function

    def _store(self, m: Module, operations: list[data.View], full: list[Signal], valid: Signal) -> None:
        """Put what is stored into its lanes."""
        write, word = operations[0].store, full[1]
        if self._slots == 2:
            second = valid[1] & (operations[1].load | operations[1].store)
            write = Mux(second, operations[1].store, write)
            word = Mux(second, full[3], word)
        low = self.added.address[:2]
        size = self._size
        with m.If(size[1]):
            m.d.comb += [self.bus_strobe.eq(0b1111), self.bus_data.eq(word)]
        with m.Elif(size[0]):
            m.d.comb += [
                self.bus_strobe.eq(Mux(low[1], 0b1100, 0b0011)),
                self.bus_data.eq(word[:16].replicate(2)),
            ]
        with m.Else():
            m.d.comb += [self.bus_strobe.eq(1 << low), self.bus_data.eq(word[:8].replicate(4))]
        m.d.comb += self.bus_write.eq(write)
        if self._config.rvfi:
            m.d.comb += [self.added.store.eq(self.bus_data), self.added.strobe.eq(self.bus_strobe)]

    def _hazards(self, m: Module, operations: list[data.View], valid: Signal) -> Value:
        """Return whether an operand is missing, and say why."""
        waits, multiplies = Signal(), Signal()
        late: Value = Const(0, 1)
        missing: Value = Const(0, 1)
        for slot, operation in enumerate(operations):
            address = operation.load | operation.store | operation.indirect
            rs1, rs2 = (self._source(operations, 2 * slot + i) for i in (0, 1))
            for port in self.execute:
                hit1, hit2 = port.writes & (port.rd == rs1), port.writes & (port.rd == rs2)
                late |= valid[slot] & (hit1 | hit2) & port.late
                missing |= valid[slot] & ((hit1 & address) | (hit2 & operation.store & port.load))
            for port in self.write:
                hit = port.writes & port.late & (port.rd == rs1)
                late |= valid[slot] & hit & address
        m.d.comb += [
            multiplies.eq(late),
            waits.eq(late | missing),
        ]
        with m.If(waits):
            m.d.comb += self.stall.eq(Mux(multiplies, StallReason.MULTIPLY, StallReason.LOAD_USE))
        with m.Elif(self.bus_request & ~self.bus_grant):
            m.d.comb += self.stall.eq(StallReason.DATA_BUS)
        return waits

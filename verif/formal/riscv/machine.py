"""What is asserted of CSRs, traps and interrupts: each public function adds one check to a module.

Source
------
The RISC-V Instruction Set Manual, volume II (20240411), 3.1.
"""

from amaranth.hdl import Assert, Assume, C, Cat, Cover, Module, Mux, Signal, Value

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Csr, Interrupt, Mode
from verif.formal.riscv.view import Lane, Retirements, bus_fault, fetch_fault, is_csr

__all__ = ["csr_state", "faults", "interrupt_taken", "interrupts", "traps"]

_TRACKED = {
    "mstatus": Csr.MSTATUS, "mie": Csr.MIE, "mtvec": Csr.MTVEC, "mscratch": Csr.MSCRATCH,
    "mepc": Csr.MEPC, "mcause": Csr.MCAUSE, "mtval": Csr.MTVAL,
}  # fmt: skip
_STANDARD = (Interrupt.SOFTWARE, Interrupt.TIMER, Interrupt.EXTERNAL)


def _bits(value: Value, places: dict[int, Value] | tuple[int, ...]) -> Value:
    """Return 32 bits with those at `places` taken from `value`, or from the mapping; zero elsewhere."""
    chosen = places if isinstance(places, dict) else {place: value[place] for place in places}
    return Cat(*(Value.cast(chosen.get(place, C(0, 1))) for place in range(32)))


def _legal(config: CoreConfig, name: str, data: Value) -> Value:
    """Return what a register holds after `data` was written to it."""
    local = tuple(range(Interrupt.LOCAL, Interrupt.LOCAL + config.local_interrupts))
    if name == "mstatus":
        machine = (data[11:13] == Mode.MACHINE) if config.user_mode else C(1, 1)
        fields = {3: data[3], 7: data[7], 11: machine, 12: machine}
        fields |= {17: data[17], 21: data[21]} if config.user_mode else {}
        return _bits(data, fields)
    if name == "mie":
        return _bits(data, (*map(int, _STANDARD), *local))
    if name == "mepc":
        return Cat(C(0, 1), C(0, 1) if not config.c else data[1], data[2:])
    if name == "mtvec":
        # A vectored table is aligned to its size.
        table = 5 if local else 4
        low = data[2 : 2 + table] & ~data[0].replicate(table)
        return Cat(data[0], C(0, 1), low, data[2 + table :])
    if name == "mcause":
        return _bits(data, (*range(5 if local else 4), 31))
    return data


def csr_state(m: Module, view: Retirements) -> None:
    """Assert that CSRs change as CSR instructions and MRET say, and that reads give the old value."""
    retired = Cat(*(lane.valid for lane in view.lanes)).any()
    special = Cat(*(lane.valid & (_special(lane) | lane.intr) for lane in view.lanes)).any()
    with m.If(view.seen & retired & ~special):
        m.d.comb += [Assert(view.state[name] == view.last[name]) for name in _TRACKED]
    for lane in view.lanes:
        _state_of(m, view, lane)


def _special(lane: Lane) -> Value:
    """Whether it may change CSRs; such an instruction is alone in its cycle."""
    return lane.trap | lane.effect.hits["mret"] | is_csr(lane)


def _state_of(m: Module, view: Retirements, lane: Lane) -> None:
    config = view.config
    write, address, operand = _access(lane)
    old = {name: view.last[name] for name in _TRACKED}
    kept = {name: view.state[name] == old[name] for name in _TRACKED}
    tracked = Cat(*(address == csr for csr in _TRACKED.values())).any()
    quiet = view.seen & lane.valid & ~lane.intr
    machine = lane.mode == Mode.MACHINE
    with m.If(lane.valid & is_csr(lane)):
        with m.If(machine & tracked):
            m.d.comb += Assert(~lane.trap)
        with m.If((~machine & address[8:10].any()) | (write & (address[10:] == 3))):
            m.d.comb += Assert(lane.trap)
    with m.If(quiet & lane.effect.hits["mret"] & ~lane.trap):
        status = old["mstatus"]
        user = config.user_mode
        privilege = C(0, 1) if user else C(1, 1)
        fields = {3: status[7], 7: C(1, 1), 11: privilege, 12: privilege}
        fields |= {17: status[17] & (status[11:13] == Mode.MACHINE), 21: status[21]} if user else {}
        m.d.comb += [
            Assert(view.state["mstatus"] == _bits(status, fields)),
            Assert(lane.pc_wdata == old["mepc"]),
            *(Assert(same) for name, same in kept.items() if name != "mstatus"),
            Cover(C(1, 1), "mret"),
        ]
    for name, csr in _TRACKED.items():
        with m.If(quiet & is_csr(lane) & ~lane.trap):
            with m.If(address != csr):
                m.d.comb += Assert(kept[name])
            with m.Else():
                new = _written(lane, old[name], operand)
                m.d.comb += Assert(
                    view.state[name] == Mux(write, _legal(config, name, new), old[name]), f"write of {name}"
                )
                with m.If(lane.effect.rd != 0):
                    m.d.comb += Assert(lane.rd_wdata == old[name], f"read of {name}")
                m.d.comb += Cover(write & (view.state[name] != old[name]), name)


def _access(lane: Lane) -> tuple[Value, Value, Value]:
    """Return whether a CSR instruction writes, the register, and the operand."""
    word = lane.effect.word
    write = (word[12:14] == 1) | word[15:20].any()
    return write, word[20:32], Mux(word[14], word[15:20], lane.rs1_rdata)


def _written(lane: Lane, old: Value, operand: Value) -> Value:
    operation = lane.effect.word[12:14]
    return Mux(operation == 1, operand, Mux(operation == 2, old | operand, old & ~operand))[:32]


def traps(m: Module, view: Retirements) -> None:
    """Assert that a trap records pc, cause and value, stacks the enable, and goes to the handler."""
    for lane in view.lanes:
        _trap_of(m, view, lane)


def _trap_of(m: Module, view: Retirements, lane: Lane) -> None:
    state, effect = view.state, lane.effect
    with m.If(lane.valid & lane.trap):
        m.d.comb += [
            Assert(lane.pc_wdata == Cat(C(0, 2), state["mtvec"][2:])),
            Assert(state["mepc"] == lane.pc_rdata),
            Assert(state["mcause"][31] == 0),
            Assert(state["mstatus"][3] == 0),
            Assert(state["mstatus"][11:13] == lane.mode),
        ]
        with m.If(view.seen & ~lane.intr):
            m.d.comb += [
                Assert(state["mstatus"][7] == view.last["mstatus"][3]),
                *(Assert(state[name] == view.last[name]) for name in ("mie", "mtvec", "mscratch")),
            ]
        with m.If(is_csr(lane)):
            m.d.comb += [
                Assert(state["mcause"] == Cause.ILLEGAL_INSTRUCTION),
                Assert(state["mtval"] == lane.insn),
            ]
        if not view.faults:
            with m.Elif(effect.trap):
                m.d.comb += [Assert(state["mcause"] == effect.cause), Assert(state["mtval"] == effect.value)]
            with m.Else():
                m.d.comb += Assert(C(0, 1), "a trap without a reason")
        for cause in (Cause.ILLEGAL_INSTRUCTION, Cause.BREAKPOINT, Cause.LOAD_MISALIGNED,
                      Cause.STORE_MISALIGNED, Cause.ECALL_M):  # fmt: skip
            m.d.comb += Cover(view.seen & (state["mcause"] == cause), cause.name.lower())


def faults(m: Module, view: Retirements) -> None:
    """Assert that an access fault is taken where memory answers with an error, and nowhere else."""
    cause, value = view.state["mcause"], view.state["mtval"]
    page = view.symbols["fetch_page"]
    for lane in view.lanes:
        effect = lane.effect
        failed, kind = bus_fault(view, lane)
        first = lane.pc_rdata[12:] == page
        second = ~first & ((lane.pc_rdata + 2)[12:32] == page)
        with m.If(lane.valid & first):
            m.d.comb += [
                Assert(lane.trap),
                Assert(cause == Cause.INSTRUCTION_FAULT),
                Assert(value == lane.pc_rdata),
                Cover(C(1, 1), "fetch"),
            ]
        with m.If(lane.valid & lane.trap & (cause == Cause.INSTRUCTION_FAULT) & ~first):
            m.d.comb += [Assert(second), Assert(value == lane.pc_rdata + 2), Assert(lane.rd_addr == 0)]
            if view.config.c:
                m.d.comb += Cover(C(1, 1), "fetch of the second half")
        with m.If(lane.valid & ~fetch_fault(view, lane) & ~(lane.trap & second) & failed):
            m.d.comb += [
                Assert(lane.trap),
                Assert(cause == kind),
                Assert(value == effect.access),
                Assert(lane.rd_addr == 0),
                Cover(effect.write_mask != 0, "store"),
                Cover(effect.read_mask != 0, "load"),
            ]
        data_fault = (cause == Cause.LOAD_FAULT) | (cause == Cause.STORE_FAULT)
        with m.If(lane.valid & lane.trap & data_fault):
            m.d.comb += Assert(failed)


def _lines(view: Retirements) -> dict[int, Value]:
    lines = view.dut.interrupts
    found = {
        int(Interrupt.SOFTWARE): lines.software,
        int(Interrupt.TIMER): lines.timer,
        int(Interrupt.EXTERNAL): lines.external,
    }
    for index in range(view.config.local_interrupts):
        found[Interrupt.LOCAL + index] = lines.local[index]
    return found


def interrupts(m: Module, view: Retirements) -> None:
    """Assert that an interrupt is taken only when raised and enabled, the most urgent first."""
    raised = Signal(32, name="ever_raised")
    constant = Signal(32, name="never_lowered", init=0xFFFF_FFFF)
    for cause, line in _lines(view).items():
        m.d.sync += [raised[cause].eq(raised[cause] | line), constant[cause].eq(constant[cause] & line)]
    before: Value = C(0, 1)
    taken = []  # which lane it is in is the core's choice
    for lane in view.lanes:
        with m.If(before):
            m.d.comb += Assert(~lane.valid | ~lane.intr)
        before |= lane.valid
        _interrupt_of(m, view, lane, raised, constant)
        taken.append(lane.valid & lane.intr & ~_special(lane))
    for name, way in (("vectored", C(1, 1)), ("direct", C(0, 1))):
        m.d.comb += Cover(Cat(*taken).any() & (view.last["mtvec"][0] == way), name)


def _interrupt_of(m: Module, view: Retirements, lane: Lane, raised: Value, constant: Value) -> None:
    state, last = view.state, view.last
    plain = ~_special(lane)
    vectored, base = last["mtvec"][0], Cat(C(0, 2), last["mtvec"][2:])
    with m.If(lane.valid & lane.intr):
        m.d.comb += [
            Assert(view.seen),
            Assert(last["mstatus"][3] | (last["mode"] == Mode.USER)),
            Assert((last["mie"] & raised) != 0),
            Assert(lane.mode == Mode.MACHINE),
        ]
        with m.If(~vectored):
            m.d.comb += Assert(lane.pc_rdata == base)
        with m.If(plain):
            cause = state["mcause"][:5]
            m.d.comb += [
                Assert(state["mcause"] == Cat(cause, C(0, 26), C(1, 1))),
                Assert((last["mie"] & raised).bit_select(cause, 1)),
                Assert(state["mepc"] == last["pc_wdata"]),
                Assert(state["mtval"] == 0),
                Assert(state["mstatus"][3] == 0),
                Assert(state["mstatus"][7] == last["mstatus"][3]),
                Assert(state["mstatus"][11:13] == last["mode"]),
                Assert(~vectored | (lane.pc_rdata == (base | (cause << 2)))),
            ]
            # A line that never fell, and is enabled, is seen whenever an interrupt is chosen.
            urgent = last["mie"] & constant
            order = (Interrupt.EXTERNAL, Interrupt.SOFTWARE, Interrupt.TIMER)
            for place, best in enumerate(order):
                before = Cat(*(urgent[int(i)] for i in order[:place])).any()
                with m.If(urgent[int(best)] & ~before):
                    m.d.comb += Assert(Cat(*(cause == i for i in order[: place + 1])).any())


def interrupt_taken(m: Module, view: Retirements) -> None:
    """Assert that an enabled interrupt is taken after a few instructions at most, and ends WFI."""
    timer = Interrupt.TIMER
    m.d.comb += Assume(view.dut.interrupts.timer)
    allowed = view.within
    count = Signal(range(allowed + 4), name="retired_meanwhile")
    enabled = view.state["mstatus"][3] & view.state["mie"][timer]
    # WFI ends at once where an interrupt is pending; a row of them may come before it is taken.
    counted = [lane.valid & ~lane.effect.hits["wfi"] for lane in view.lanes]
    retired = sum(counted, C(0, 1))
    changes = Cat(*(x.valid & (x.intr | x.trap | x.effect.hits["mret"]) for x in view.lanes)).any()
    with m.If(Cat(*(lane.valid for lane in view.lanes)).any()):
        with m.If(changes | ~enabled):
            m.d.sync += count.eq(0)
        with m.Else():
            m.d.sync += count.eq(count + retired)
            # The instruction that enables it counts too.
            m.d.comb += Assert(count + retired <= allowed + 1)
            m.d.comb += Cover(count == 0, "an interrupt is enabled")
    slept = Signal(range(10), name="slept")
    with m.If(view.dut.sleeping & view.seen & view.last["mie"][timer]):
        m.d.sync += slept.eq(slept + 1)
        m.d.comb += Assert(slept < 8)
    with m.Else():
        m.d.sync += slept.eq(0)

"""What is asserted of ordinary retirements: each public function adds one check to a module."""

from amaranth.hdl import Assert, C, Cat, Cover, Module, Mux, Signal, Value

from rtl.riscv.isa import Cause
from verif.formal.riscv.environment import assert_bus
from verif.formal.riscv.instructions import instruction_set
from verif.formal.riscv.view import Lane, Retirements, bus_fault, fetch_fault, is_csr

__all__ = [
    "bus",
    "data_memory",
    "illegal",
    "instruction",
    "instruction_memory",
    "liveness",
    "order",
    "pc",
    "registers",
]


def _selected(view: Retirements, lane: Lane) -> dict[str, Value]:
    """Return the instructions that are looked at, by name."""
    known = {i.name: i.group for i in instruction_set(view.config)}
    known |= {name: "compressed" for name in lane.effect.hits if name not in known}
    known.pop("compressed", None)
    chosen = {name for name, group in known.items() if view.only in ("", name, group)}
    return {name: hit for name, hit in lane.effect.hits.items() if name in chosen}


def instruction(m: Module, view: Retirements) -> None:
    """Assert that registers, pc and memory change as the instruction says, and that it traps as it should."""
    ways: dict[str, list[Value]] = {}  # of each instruction: some retire alone, in the first lane
    for number, lane in enumerate(view.lanes):
        effect = lane.effect
        hits = _selected(view, lane)
        looked_at = Signal(name=f"looked_at_{number}")
        m.d.comb += looked_at.eq(lane.valid & Cat(*hits.values()).any())
        fault, _ = bus_fault(view, lane)
        with m.If(looked_at & ~fetch_fault(view, lane)):
            with m.If(effect.hits.get("compressed", C(0, 1)) & effect.compressed):
                m.d.comb += Assert(lane.insn[16:] == 0)
            _trap_as_said(m, view, lane, fault)
            with m.If(~lane.trap):
                _operands(m, lane)
                _result(m, view, lane)
        for name, hit in hits.items():
            ways.setdefault(name, []).append(lane.valid & hit & (~lane.trap | effect.trap))
    for name, found in ways.items():
        m.d.comb += Cover(Cat(*found).any(), name)


def _trap_as_said(m: Module, view: Retirements, lane: Lane, fault: Value) -> None:
    effect = lane.effect
    with m.If(is_csr(lane)), m.If(lane.trap):
        m.d.comb += Assert(view.state["mcause"] == Cause.ILLEGAL_INSTRUCTION)
    with m.Else():
        m.d.comb += Assert(lane.trap == (effect.trap | fault))
    with m.If(lane.trap):
        m.d.comb += [Assert(lane.rd_addr == 0), Assert(lane.rd_wdata == 0)]


def _operands(m: Module, lane: Lane) -> None:
    effect = lane.effect
    with m.If(effect.uses_rs1):
        m.d.comb += Assert(lane.rs1_addr == effect.rs1)
    with m.If(effect.uses_rs2):
        m.d.comb += Assert(lane.rs2_addr == effect.rs2)


def _result(m: Module, view: Retirements, lane: Lane) -> None:
    effect = lane.effect
    m.d.comb += Assert(lane.rd_addr == effect.rd)
    with m.If((effect.rd != 0) & effect.result_known):
        m.d.comb += Assert(lane.rd_wdata == effect.result)
    with m.If(effect.next_known):
        m.d.comb += Assert(lane.pc_wdata == effect.next_pc)
    m.d.comb += [
        Assert(lane.mem_wmask == effect.write_mask),
        # A core may report more bytes than were asked for, as a bus delivers them.
        Assert((lane.mem_rmask & effect.read_mask) == effect.read_mask),
        Assert((effect.read_mask != 0) | (lane.mem_rmask == 0)),
    ]
    with m.If((effect.read_mask | effect.write_mask) != 0):
        m.d.comb += Assert(lane.mem_addr == effect.address)
    for byte in range(4):
        with m.If(effect.write_mask[byte]):
            m.d.comb += Assert(lane.mem_wdata.word_select(byte, 8) == effect.write_data.word_select(byte, 8))


def illegal(m: Module, view: Retirements) -> None:
    """Assert that what is no instruction of this core traps as such, and changes nothing else."""
    for lane in view.lanes:
        effect = lane.effect
        with m.If(lane.valid & ~effect.legal & ~fetch_fault(view, lane)):
            m.d.comb += [
                Assert(lane.trap),
                Assert(lane.rd_addr == 0),
                Assert(lane.mem_wmask == 0),
                Assert(lane.mem_rmask == 0),
                Assert(view.state["mcause"] == Cause.ILLEGAL_INSTRUCTION),
                Assert(view.state["mtval"] == lane.insn),
                Cover(C(1, 1), "illegal instruction"),
            ]


def pc(m: Module, view: Retirements) -> None:
    """Assert that execution begins at the reset vector, and goes on where the last instruction said."""
    follows, known = view.last["pc_wdata"], view.seen
    for number, lane in enumerate(view.lanes):
        with m.If(lane.valid):
            m.d.comb += [
                Assert(lane.pc_rdata[0] == 0),
                Assert(lane.pc_wdata[0] == 0),
            ]
            if not view.config.c:
                m.d.comb += Assert(lane.pc_rdata[1] == 0)
            with m.If(~known & ~lane.intr):
                m.d.comb += Assert(lane.pc_rdata == view.config.reset_vector)
            with m.If(known & ~lane.intr):
                m.d.comb += Assert(lane.pc_rdata == follows)
            with m.If(known & (lane.pc_rdata != follows)):
                m.d.comb += Cover(lane.intr, "an interrupt")
            if number:
                m.d.comb += Cover(C(1, 1), "two at once")
        if number + 1 < len(view.lanes):
            after = Signal(32, name=f"pc_after_{number}")
            m.d.comb += after.eq(Mux(lane.valid, lane.pc_wdata, follows))
            follows, known = after, known | lane.valid


def order(m: Module, view: Retirements) -> None:
    """Assert that instructions are numbered one after the other: each retires once, in order."""
    expected, known = (view.last["order"] + 1)[:64], view.seen
    for lane in view.lanes:
        with m.If(lane.valid):
            m.d.comb += [
                Assert(~known | (lane.order == expected)),
                Assert(lane.halt == 0),
                Assert(lane.ixl == 1),
                Assert((lane.mode == 3) | (view.config.user_mode & (lane.mode == 0))),
            ]
            # Whatever changes the state of the machine, or looks at it, is alone in its cycle.
            with m.If(lane.trap | lane.effect.hits["mret"] | is_csr(lane)):
                m.d.comb += Assert(sum((other.valid for other in view.lanes), C(0, 1)) == 1)
        expected = Mux(lane.valid, lane.order + 1, expected)[:64]
        known |= lane.valid


def registers(m: Module, view: Retirements) -> None:
    """Assert that any register reads as what was last written to it, and x0 as zero."""
    which = view.symbols["register"]
    written, value = Signal(name="register_written"), Signal(32, name="register_value")
    now_written: Value = written
    now: Value = value
    for number, lane in enumerate(view.lanes):
        with m.If(lane.valid):
            for source in (1, 2):
                address, data = lane.rvfi[f"rs{source}_addr"], lane.rvfi[f"rs{source}_rdata"]
                with m.If(address == 0):
                    m.d.comb += Assert(data == 0)
                with m.If((address == which) & now_written):
                    m.d.comb += [Assert(data == now), Cover(C(1, 1), f"rs{source} of lane {number}")]
            with m.If(lane.rd_addr == 0):
                m.d.comb += Assert(lane.rd_wdata == 0)
            if view.config.e:
                m.d.comb += [Assert(lane.rvfi[n][4] == 0) for n in ("rs1_addr", "rs2_addr", "rd_addr")]
        writes = lane.valid & (lane.rd_addr == which)
        next_written, next_value = Signal(name=f"written_{number}"), Signal(32, name=f"value_{number}")
        m.d.comb += [next_written.eq(now_written | writes), next_value.eq(Mux(writes, lane.rd_wdata, now))]
        now_written, now = next_written, next_value
    m.d.sync += [written.eq(now_written), value.eq(now)]


def instruction_memory(m: Module, view: Retirements) -> None:
    """Assert that what retires is what memory holds at its address: either half of any word."""
    address, data = view.symbols["address"], view.symbols["data"]
    for lane in view.lanes:
        with m.If(lane.valid & ~fetch_fault(view, lane)):
            for half in range(2):
                here = lane.pc_rdata[:2] == 2 * half
                want = data.word_select(half, 16)
                with m.If((lane.pc_rdata[2:] == address[2:]) & here):
                    m.d.comb += [Assert(lane.insn[:16] == want), Cover(C(1, 1), f"half {half}")]
                other = (lane.pc_rdata + 2)[:32]
                with m.If((other[2:] == address[2:]) & (other[:2] == 2 * half) & (lane.insn[:2] == 3)):
                    m.d.comb += Assert(lane.insn[16:] == want)


def data_memory(m: Module, view: Retirements) -> None:
    """Assert that any word reads as what retired instructions last stored there."""
    address, data = view.symbols["address"], view.symbols["data"]
    word, written = Signal(32, name="stored"), Signal(name="stored_any")
    now: Value = Signal(32, name="stored_now")
    m.d.comb += now.eq(Mux(written, word, data))
    for number, lane in enumerate(view.lanes):
        here = lane.valid & (lane.mem_addr[2:] == address[2:])
        after = Signal(32, name=f"stored_{number}")
        m.d.comb += after.eq(now)
        for byte in range(4):
            part = slice(8 * byte, 8 * byte + 8)
            with m.If(here & ~lane.trap & lane.mem_rmask[byte]):
                m.d.comb += Assert(lane.mem_rdata[part] == now[part])
                with m.If(written):
                    m.d.comb += Cover(C(1, 1), f"byte {byte} of a word that was stored to")
            with m.If(here & ~lane.trap & lane.mem_wmask[byte]):
                m.d.comb += after[part].eq(lane.mem_wdata[part])
        now = after
        with m.If(here & ~lane.trap & lane.mem_wmask.any()):
            m.d.sync += written.eq(1)
    m.d.sync += word.eq(now)


def bus(m: Module, view: Retirements) -> None:
    """Assert that requests hold until they are granted, and are aligned."""
    assert_bus(m, view.dut.ibus, "ibus")
    assert_bus(m, view.dut.dbus, "dbus")
    m.d.comb += [
        Cover(view.dut.dbus.request & view.dut.dbus.write & view.dut.dbus.grant, "a store"),
        Cover(view.dut.dbus.response & (view.dut.dbus.read_data != 0), "a load"),
    ]


def liveness(m: Module, view: Retirements) -> None:
    """Assert that something retires within a number of cycles, unless the core sleeps in WFI."""
    waited = Signal(range(view.within + 2), name="waited")
    retires = Cat(*(lane.valid for lane in view.lanes)).any()
    with m.If(retires | view.dut.sleeping):
        m.d.sync += waited.eq(0)
    with m.Else():
        m.d.sync += waited.eq(waited + 1)
        m.d.comb += Assert(waited < view.within)
    m.d.comb += Cover(retires & view.seen, "a second retirement")

"""The nano pipeline's verification port. It is in simulation and proofs, not in silicon."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import Rvfi, StallReason
from rtl.riscv.isa import Mode
from rtl.riscv.pipelines.nano_decode import Decoder
from rtl.riscv.pipelines.nano_state import State

__all__ = ["NanoTrace"]


class NanoTrace(wiring.Component):
    """Collect what an instruction did, and say it in the cycle after it ended.

    The pipeline overwrites operands while it works; this keeps them.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    state : In(State)
        What the pipeline is at.
    word, first, second : In(32)
        The instruction, and what its registers held, in the first cycle of
        :attr:`State.EXECUTE`.
    retire, exception, fetch_fault, interrupt, halt : In(1)
        It ends; with an exception, which came from its fetch; or an
        interrupt or the debugger takes its place.
    pc, next_pc : In(30)
        Its address, and of what follows, in words.
    write, write_data : In
        The register write.
    address, strobe, loaded, stored : In
        The access of the data bus.
    system_state : In, as ``Rvfi.state``
        CSRs.
    rvfi : Out(Rvfi())

    Timing
    ------
    ``rvfi`` follows by one cycle.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        rvfi = Rvfi()
        super().__init__(
            {
                "state": In(State),
                "word": In(32),
                "first": In(32),
                "second": In(32),
                "retire": In(1),
                "exception": In(1),
                "fetch_fault": In(1),
                "interrupt": In(1),
                "halt": In(1),
                "pc": In(30),
                "next_pc": In(30),
                "write": In(1),
                "write_data": In(32),
                "address": In(32),
                "strobe": In(4),
                "loaded": In(32),
                "stored": In(32),
                "system_state": In(rvfi.members["state"].signature),
                "rvfi": Out(rvfi),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        rvfi = self.rvfi
        executed = Signal()  # the instruction had its first cycle, and its operands are kept
        handler = Signal()  # the next instruction is the first of an interrupt handler
        order = Signal(64)
        kept = {name: Signal(32, name=f"kept_{name}") for name in ("word", "first", "second")}
        now = {}
        for name, signal in kept.items():
            now[name] = Mux(executed, signal, getattr(self, name))
            m.d.sync += signal.eq(now[name])
        # Between two instructions there always is a cycle in one of these states.
        between = (State.FETCH, State.WAIT, State.READ, State.HALTED)
        m.d.sync += executed.eq(~Cat(self.state == state for state in between).any())
        with m.If(self.retire | self.interrupt):
            m.d.sync += handler.eq(self.interrupt)
        m.submodules.decoder = decoder = Decoder(self._config)
        m.d.comb += decoder.instruction.eq(now["word"])
        uses_first, uses_second = self._uses(decoder)
        ends = self.retire & ~self.exception
        fields = {
            "valid": self.retire,
            "order": order,
            "insn": self._instruction(now["word"]),
            "trap": self.exception,
            "halt": Const(0),
            "intr": handler,
            "mode": Const(Mode.MACHINE),
            "ixl": Const(1),
            "rs1_addr": Mux(uses_first, now["word"][15:20], 0),
            "rs2_addr": Mux(uses_second, now["word"][20:25], 0),
            "rs1_rdata": Mux(uses_first & now["word"][15:20].any(), now["first"], 0),
            "rs2_rdata": Mux(uses_second & now["word"][20:25].any(), now["second"], 0),
            "rd_addr": Mux(self.write, now["word"][7:12], 0),
            "rd_wdata": Mux(self.write & now["word"][7:12].any(), self.write_data, 0),
            "pc_rdata": Cat(Const(0, 2), self.pc),
            "pc_wdata": Cat(Const(0, 2), self.next_pc),
            "mem_addr": Mux(ends & (decoder.load | decoder.store), self.address, 0),
            "mem_rmask": Mux(ends & decoder.load, self.strobe, 0),
            "mem_wmask": Mux(ends & decoder.store, self.strobe, 0),
            "mem_rdata": Mux(ends & decoder.load, self.loaded, 0),
            "mem_wdata": Mux(ends & decoder.store, self.stored, 0),
            "stall": Mux(self.retire, StallReason.NONE, self._stall(m, decoder)),
        }
        for name, value in fields.items():
            m.d.sync += getattr(rvfi, name).eq(value)
        with m.If(self.retire):
            m.d.sync += order.eq(order + 1)
        for name in rvfi.state.signature.members:
            m.d.comb += getattr(rvfi.state, name).eq(getattr(self.system_state, name))
        return m

    def _instruction(self, word: Value) -> Value:
        whole = (word[:2] == 3).replicate(16)
        return Mux(self.fetch_fault, 0, Cat(word[:16], word[16:] & whole))

    def _uses(self, decoder: Decoder) -> tuple[Value, Value]:
        """Whether the instruction reads the registers that its fields name."""
        known = ~(self.fetch_fault | decoder.illegal)
        by_register = decoder.csr & ~decoder.instruction[14]
        second = decoder.op | decoder.store | decoder.branch | decoder.custom
        first = second | decoder.op_imm | decoder.load | decoder.jalr | by_register
        return known & first, known & second

    def _stall(self, m: Module, decoder: Decoder) -> Signal:
        """Return why nothing retires, if so."""
        stall = Signal(StallReason)
        with m.Switch(self.state):
            with m.Case(State.FETCH, State.WAIT):
                m.d.comb += stall.eq(StallReason.FETCH)
            with m.Case(State.EXECUTE):
                m.d.comb += stall.eq(StallReason.EXECUTE)
                with m.If(self.interrupt):
                    m.d.comb += stall.eq(StallReason.SYSTEM)
                with m.Elif(decoder.wfi | self.halt):
                    m.d.comb += stall.eq(StallReason.SLEEP)
                with m.Elif(decoder.branch):
                    m.d.comb += stall.eq(StallReason.BRANCH)
                with m.Elif(decoder.load | decoder.store):
                    m.d.comb += stall.eq(StallReason.DATA_BUS)
                with m.Elif(decoder.custom):
                    m.d.comb += stall.eq(StallReason.CUSTOM)
            with m.Case(State.READ):
                m.d.comb += stall.eq(StallReason.EXECUTE)
            with m.Case(State.REQUEST, State.RESPONSE):
                m.d.comb += stall.eq(StallReason.DATA_BUS)
            with m.Case(State.OFFER, State.ANSWER):
                m.d.comb += stall.eq(StallReason.CUSTOM)
            with m.Default():
                m.d.comb += stall.eq(StallReason.SLEEP)
        return stall

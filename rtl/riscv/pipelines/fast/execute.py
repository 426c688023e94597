"""Execute: computes, resolves branches, takes traps. Here instructions become final."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from rtl.riscv.pipelines.fast.execute_report import Report
from rtl.riscv.pipelines.fast.execute_results import Results
from rtl.riscv.pipelines.fast.execute_traps import SpecialOutcome, Traps
from rtl.riscv.pipelines.fast.operation import Special

__all__ = ["Execute"]


class Execute(Results, Traps, Report):
    """The stage in which an instruction is certain to be executed, or not.

    Everything before it may be forgotten; everything that leaves it is
    final. It therefore holds the only places where registers of the system
    unit change, and redirects fetch.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    See :class:`rtl.riscv.pipelines.fast.execute_state.ExecuteState`.

    Timing
    ------
    One cycle for most; loads and stores until the response. Products pass
    in one cycle and are added up in write-back.
    """

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        self._make(m)
        slots, pair, added, valid = self._slots, self._pair, self._added, self._valid
        memory, fault, faulty_slot = self._memory(m)
        conditions = self._compute(m)
        flow, redirect, void = self._flow(m, conditions)
        special = self._special(m)
        watched = self._watch(m)
        if not self._config.c:
            m.d.comb += self._jump_fault.eq(self._taken & added.target[0])
            fault |= self._jump_fault
            faulty_slot = Mux(self._jump_fault, self._flow_slot, faulty_slot)
        # A trap is alone in its cycle: what is older in the pair goes first.
        peel = Signal()
        if slots == 2:
            m.d.comb += peel.eq(fault & faulty_slot & valid[0])
        trap = Signal()
        m.d.comb += trap.eq(special.trap | special.enters | watched | (fault & ~peel))
        waits = memory | special.waits
        done = Signal()
        m.d.comb += [
            done.eq(valid.any() & ~waits & ~peel),
            self.free.eq(~valid.any() | done),
            self.busy.eq(valid.any()),
            self.flush.eq(done & (trap | special.flush | redirect)),
        ]
        with m.If(self.free):
            # Only `valid` has to know of a flush, which comes late.
            takes = self.take & ~self.flush
            m.d.sync += [
                pair.eq(self.pair),
                added.eq(self.added),
                valid.eq(self.pair.valid & takes.replicate(slots)),
            ]
        with m.Elif(peel):
            m.d.sync += valid[0].eq(0)
        if self._config.a:
            self._atomic(m, done=done & ~trap)
        self._target(m, trap=trap, special=special)
        commit = self._commit(m, done=done, trap=trap, peel=peel, special=special)
        self._write_back(m, commit)
        self._traps(
            m,
            done=done,
            trap=trap,
            fault=fault,
            faulty_slot=faulty_slot,
            watched=watched,
            special=special,
        )
        self._predictor(m, done=done & ~trap, flow=flow, redirect=redirect, void=void)
        if self._config.rvfi:
            if slots == 2:
                for name, chained in zip(("rs1", "rs2"), pair.chain, strict=True):
                    with m.If(valid[0] & chained):
                        m.d.comb += self.values[name][1].eq(self.results[0].value)
            self._report(m, commit, done=done, trap=trap, waits_memory=memory)
        return m

    def _memory(self, m: Module) -> tuple[Value, Value, Value]:
        """Return: waits for the bus; a load or store or jump faults; in which slot."""
        added, used = self._added, self._uses_memory
        failed, needs = Signal(), Signal()
        fault = added.misaligned | added.denied | failed
        access = Cat(used).any()
        done = self.response & ~self.error
        stopped = added.breaks | added.halts if self._config.triggers else Const(0, 1)
        if self._config.a:
            stopped |= added.fails
            done &= ~self._modifies | (self._phase == 2)
        m.d.comb += needs.eq(access & ~fault & ~stopped)
        with m.If(self.free):
            m.d.sync += failed.eq(0)
        with m.Elif(needs & self.response & self.error):
            m.d.sync += failed.eq(1)
        waits = Signal()
        m.d.comb += waits.eq(needs & ~done)
        return waits, access & fault, used[-1]

    def _flow(self, m: Module, conditions: list[Signal]) -> tuple[Value, Value, Value]:
        """Return: a branch or jump is here; fetch went elsewhere; a prediction was void."""
        operations, valid, pair = self._operations, self._valid, self._pair
        flows = [valid[i] & (x.branch | x.jump) for i, x in enumerate(operations)]
        takes = [valid[i] & (x.jump | (x.branch & conditions[i])) for i, x in enumerate(operations)]
        if self._slots == 2:
            self._flow_slot = flows[-1]
        flow, redirect, void, wrong = Signal(), Signal(), Signal(), Signal()
        taken, self._left = self._taken, takes[0]
        m.d.comb += [
            flow.eq(Cat(flows).any()),
            taken.eq(Cat(takes).any()),
            # A single step holds back what comes next.
            wrong.eq((self._added.target != self.next_pc) | self.system.debug_step),
            void.eq(pair.predicted & ~flow),
            redirect.eq(Mux(taken, ~pair.predicted | wrong, pair.predicted)),
        ]
        return flow, redirect, void

    def _target(self, m: Module, *, trap: Value, special: SpecialOutcome) -> None:
        """Choose where fetch begins again."""
        pair, added = self._pair, self._added
        m.d.comb += self.target.eq(Mux(self._taken, added.target, added.following))
        with m.If(trap):
            m.d.comb += self.target.eq(self.system.trap_target[1:])
        with m.Elif(special.kind[Special.MRET]):
            m.d.comb += self.target.eq(self.system.mret_target[1:])
        if self._config.debug != "none":
            with m.Elif(special.kind[Special.DRET]):
                m.d.comb += self.target.eq(self.system.dret_target[1:])
        with m.Elif(special.again):
            m.d.comb += self.target.eq(pair.pc)

    def _commit(self, m: Module, *, done: Value, trap: Value, peel: Value, special: SpecialOutcome) -> Signal:
        """Return which slots become final in this cycle."""
        commit, system = Signal(self._slots), self.system
        valid = self._valid
        m.d.comb += commit[0].eq(valid[0] & ((done & ~trap & ~special.silent) | peel))
        if self._slots == 2:
            m.d.comb += commit[1].eq(valid[1] & done & ~trap & ~self._left)
        final = done & ~trap
        counted = Signal(2)
        with m.If(system.csr_commit):
            m.d.sync += counted.eq(0)
        with m.Else():
            m.d.sync += counted.eq(sum((commit[i] for i in range(1, self._slots)), commit[0]))
        m.d.comb += [
            # A CSR instruction, which may read or write the count, waits until all before it count.
            system.retired.eq(Mux(system.csr_commit, 1, counted)),
            system.csr_commit.eq(final & special.kind[Special.CSR]),
            system.mret.eq(final & special.kind[Special.MRET]),
            system.dret.eq(final & special.kind[Special.DRET]),
        ]
        return commit

"""The observer of the accelerator's events and memories."""

from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge
from pyuvm import uvm_analysis_port, uvm_component

from rtl.tensor.accelerator.commands import Engine
from verif.agents.axi4 import AxiMemory
from verif.envs.accelerator.backdoor import Backdoor
from verif.envs.accelerator.items import Boundary, Events

__all__ = ["EventMonitor"]


class EventMonitor(uvm_component):
    """Report what commands start and end, and memories a cycle after each end.

    It looks between the clock's edges, when all has settled: memories then
    hold what was written up to the cycle before.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top.
    memory, backdoor
        External memory, and those on chip.

    Attributes
    ----------
    events, boundaries
        Analysis ports of ``Events`` and ``Boundary``.
    cycle
        Clock edges seen.
    blocked
        Pairs of engines of which the first one's command waited for the second.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        dut: HierarchyObject,
        memory: AxiMemory,
        backdoor: Backdoor,
    ) -> None:
        super().__init__(name, parent)
        self._dut, self._memory, self._backdoor = dut, memory, backdoor
        self.cycle = 0
        self.blocked: set[tuple[Engine, Engine]] = set()

    def build_phase(self) -> None:
        """Make the analysis ports."""
        self.events = uvm_analysis_port("events", self)
        self.boundaries = uvm_analysis_port("boundaries", self)

    def boundary(self, *, last: bool = False) -> Boundary:
        """Return the memories as they are now."""
        return Boundary(
            cycle=self.cycle,
            content=bytes(self._memory.content),
            activation=self._backdoor.activation(),
            weight=self._backdoor.weight(),
            last=last,
        )

    async def run_phase(self) -> None:
        """Sample between the edges."""
        dut, edge = self._dut, FallingEdge(self._dut.clk)
        started, done, pending = dut.event__started, dut.event__done, dut.pending
        missing = [getattr(dut, f"missing__{engine.value}") for engine in Engine]
        due = False
        while True:
            await edge
            self.cycle += 1
            if dut.rst.value:
                due = False
                continue
            begins, ends = int(started.value), int(done.value)
            if due or begins or ends:
                events = Events(
                    self.cycle,
                    self._tags(begins, dut.event__started_tag),
                    self._tags(ends, dut.event__done_tag),
                )
                # What starts now has written nothing yet, but must not be taken for idle.
                self.events.write(Events(self.cycle, events.started, ()))
                if due:
                    self.boundaries.write(self.boundary())
                self.events.write(Events(self.cycle, (), events.done))
                due = bool(ends)
            waiting = int(pending.value)
            if waiting:
                for engine in Engine:
                    if waiting >> engine & 1 and int(missing[engine].value):
                        found = int(missing[engine].value)
                        self.blocked |= {(engine, other) for other in Engine if found >> other & 1}

    @staticmethod
    def _tags(mask: int, tags: object) -> tuple[tuple[Engine, int], ...]:
        if not mask:
            return ()
        value = int(tags.value)
        return tuple((e, value >> 16 * e & 0xFFFF) for e in Engine if mask >> e & 1)

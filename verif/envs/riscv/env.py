"""The environment: two buses, interrupts, RVFI, scoreboard, coverage, and how to run a program."""

import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge
from pyuvm import uvm_component, uvm_env

from rtl.riscv.config import CoreConfig
from verif.agents.memory_bus import MemoryBusWires, MemoryTarget
from verif.agents.rvfi import RvfiMonitor
from verif.envs.riscv.coverage import CoreCoverage
from verif.envs.riscv.platform import FetchPort, Lines, Platform
from verif.envs.riscv.program import Program
from verif.envs.riscv.scoreboard import CoreScoreboard, Recorder

__all__ = ["CoreEnv", "HangError"]

_PATIENCE = 20_000
_POLL = 50


class HangError(AssertionError):
    """The core does nothing, or does not come to an end."""


class CoreEnv(uvm_env):
    """Everything around one core with native buses.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top.
    config
        The core that it should be.
    seed
        What everything random derives from.
    pacing
        Patterns of pauses of ``ibus`` and ``dbus``.

    Raises
    ------
    ValueError
        The top is another core than the configuration says.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        dut: HierarchyObject,
        config: CoreConfig,
        seed: int,
        pacing: dict[str, str],
    ) -> None:
        super().__init__(name, parent)
        self.dut, self.config = dut, config
        self._seed, self._pacing = seed, pacing
        self.traced = hasattr(dut, "rvfi__valid")
        if self.traced != config.rvfi:
            raise ValueError(
                f"rvfi is {config.rvfi}, but the top has {'a' if self.traced else 'no'} port rvfi; "
                "does SUZURI_PARAMETERS say what was elaborated?"
            )
        self._buses = {port: MemoryBusWires(dut, port) for port in ("ibus", "dbus")}
        if self._buses["ibus"].words != config.issue_width:
            raise ValueError(
                f"ibus has {32 * self._buses['ibus'].words} bits, but issue_width is {config.issue_width}"
            )
        self.platform = Platform()

    def build_phase(self) -> None:
        """Make agents, scoreboard and coverage."""
        targets = {"ibus": FetchPort(self.platform), "dbus": self.platform}
        self.agents = {
            port: MemoryTarget(
                port, self, bus=bus, target=targets[port], pacing=self._pacing[port], seed=self._seed
            )
            for port, bus in self._buses.items()
        }
        self.scoreboard = CoreScoreboard("scoreboard", self, config=self.config, platform=self.platform)
        self.coverage = CoreCoverage(self.config, traced=self.traced)
        self.recorders = {port: Recorder(f"{port}_coverage", self) for port in self._buses}
        if self.traced:
            self.rvfi = RvfiMonitor("rvfi", self, dut=self.dut)
            self.scoreboard.on_instruction = self.coverage.take_instruction

    def connect_phase(self) -> None:
        """Join monitors, scoreboard and coverage."""
        for port, recorder in self.recorders.items():
            recorder.take = lambda access, port=port: self.coverage.take_bus(port, access)
            self.agents[port].monitor.ap.connect(recorder)
        self.agents["dbus"].monitor.ap.connect(self.scoreboard.accesses)
        if self.traced:
            self.rvfi.ap.connect(self.scoreboard.retirements)

    def start_of_simulation_phase(self) -> None:
        """Hold the reset from the start, and start the clock."""
        self.dut.rst.value = 1
        self._drive(Lines())
        if hasattr(self.dut, "time"):
            self.dut.time.value = 0
        # Low first: an edge at time 0 would come before the reset has arrived.
        Clock(self.dut.clk, 10, unit="ns").start(start_high=False)

    def load(self, program: Program) -> None:
        """Put a program into memory, and begin the comparison with it."""
        for address, content in program.segments:
            self.platform.memory.load(address, content)
        self.scoreboard.load()

    async def reset(self, cycles: int = 4) -> None:
        """Reset the core."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, cycles)
        self.dut.rst.value = 0

    async def run(self, program: Program, *, limit: int, instructions: int | None = None) -> None:
        """Reset, and run a program until it writes the exit register, or has run for long enough.

        Parameters
        ----------
        program
            The program.
        limit
            Clock cycles that it may take.
        instructions
            How many are enough; needs RVFI. None: all.

        Raises
        ------
        HangError
            It took longer, or nothing happened on the buses for long.
        AssertionError
            It ended with another code than 0.
        """
        self.load(program)
        await self.reset()
        devices = cocotb.start_soon(self._devices())
        moved, quiet = -1, 0
        while self.platform.exit_code is None or (self.traced and not self.scoreboard.ended):
            if instructions is not None and self.scoreboard.instructions >= instructions:
                self.scoreboard.cut_short = True
                break
            await ClockCycles(self.dut.clk, _POLL)
            monitors = [agent.monitor for agent in self.agents.values()]
            seen = sum(m.outstanding + m.reported for m in monitors)
            quiet = quiet + _POLL if seen == moved else 0
            moved = seen
            if quiet > _PATIENCE:
                raise HangError(f"nothing moved for {quiet} cycles, at cycle {self.platform.cycle}")
            if self.platform.cycle > limit:
                raise HangError(f"the program has not ended after {limit} cycles")
        devices.cancel()
        ended_well = self.platform.exit_code == 0 or self.scoreboard.cut_short
        assert ended_well, f"the program's exit code is {self.platform.exit_code}"

    async def _devices(self) -> None:
        """Let the devices' time pass, and drive what they drive."""
        edge, last, dut = RisingEdge(self.dut.clk), Lines(), self.dut
        timed = hasattr(dut, "time")
        while True:
            await edge
            lines = self.platform.tick()
            if timed:
                dut.time.value = self.platform.cycle
            if lines != last:
                self._drive(lines)
                last = lines

    def _drive(self, lines: Lines) -> None:
        dut = self.dut
        dut.interrupts__software.value = lines.software
        dut.interrupts__timer.value = lines.timer
        dut.interrupts__external.value = lines.external
        if self.config.local_interrupts:
            dut.interrupts__local.value = lines.local & ((1 << self.config.local_interrupts) - 1)

    def extract_phase(self) -> None:
        """Add coverage to the file that SUZURI_COVERAGE_FILE names."""
        path = os.environ.get("SUZURI_COVERAGE_FILE")
        if path:
            self.coverage.coverage.accumulate(Path(path))

"""The environment: both ports, events, scoreboard, coverage, and how to run programs."""

import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, FallingEdge
from pyuvm import uvm_component, uvm_env, uvm_sequencer

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.agents.axi4 import AxiMemory, LiteManager
from verif.coverage import derive_seed
from verif.envs.accelerator.backdoor import Backdoor
from verif.envs.accelerator.coverage import AcceleratorCoverage
from verif.envs.accelerator.driver import RunDriver
from verif.envs.accelerator.items import RunItem, RunSequence
from verif.envs.accelerator.monitor import EventMonitor
from verif.envs.accelerator.scoreboard import AcceleratorScoreboard
from verif.envs.accelerator.stimulus import SIZE
from verif.envs.accelerator.streams import random_stimulus

__all__ = ["AcceleratorEnv"]


class AcceleratorEnv(uvm_env):
    """Everything around one accelerator.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top.
    config
        The accelerator that it should be.
    seed
        What everything random derives from.
    """

    def __init__(
        self, name: str, parent: uvm_component, *, dut: HierarchyObject, config: AcceleratorConfig, seed: int
    ) -> None:
        super().__init__(name, parent)
        self.dut, self.config, self._seed = dut, config, seed

    def build_phase(self) -> None:
        """Make ports, monitor, driver, scoreboard and coverage."""
        self.memory = AxiMemory(
            self.dut, "memory__", size=SIZE, width=self.config.bus_width,
            seed=derive_seed(self._seed, "memory"),
        )  # fmt: skip
        self.registers = LiteManager(self.dut, "registers__")
        backdoor = Backdoor(self.dut, self.config)
        self.monitor = EventMonitor("monitor", self, dut=self.dut, memory=self.memory, backdoor=backdoor)
        self.coverage = AcceleratorCoverage(self.config)
        self.scoreboard = AcceleratorScoreboard(
            "scoreboard", self, config=self.config, coverage=self.coverage
        )
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = RunDriver(
            "driver", self, dut=self.dut, config=self.config, memory=self.memory, registers=self.registers,
            monitor=self.monitor,
        )  # fmt: skip

    def connect_phase(self) -> None:
        """Join driver, monitor and scoreboard."""
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
        self.driver.begun.connect(self.scoreboard.port("begun"))
        self.driver.results.connect(self.scoreboard.port("results"))
        self.monitor.events.connect(self.scoreboard.port("events"))
        self.monitor.boundaries.connect(self.scoreboard.port("boundary"))

    def start_of_simulation_phase(self) -> None:
        """Hold the reset from the start, and start clock and memory."""
        self.dut.rst.value = 1
        # Low first: an edge at time 0 would come before the reset has arrived.
        Clock(self.dut.clk, 10, unit="ns").start(start_high=False)
        cocotb.start_soon(self.memory.serve())

    async def reset(self) -> None:
        """Reset the design."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)

    async def run(self, kinds: list[str]) -> None:
        """Carry out a random run of each kind, one after another, on the same accelerator."""
        items = []
        for number, kind in enumerate(kinds):
            seed = derive_seed(self._seed, "run", str(number))
            items.append(
                RunItem(f"run {number} ({kind}, seed {seed})", random_stimulus(self.config, seed, kind), seed)
            )
        with self.coverage.watching_ties():
            await RunSequence("runs", items).start(self.sequencer)

    def check_phase(self) -> None:
        """Ask whether the memory port kept its rules.

        Raises
        ------
        AssertionError
            It broke one.
        """
        self.memory.checker.finish()
        complaints = self.memory.checker.complaints
        assert not complaints, f"the memory port broke {len(complaints)} rules: {complaints[0]}"

    def extract_phase(self) -> None:
        """Sample coverage, and add it to the file that SUZURI_COVERAGE_FILE names."""
        self.coverage.sample_port(self.memory.recorder, self.config.bus_bytes)
        self.coverage.sample_blocked(self.monitor.blocked)
        path = os.environ.get("SUZURI_COVERAGE_FILE")
        if path:
            self.coverage.coverage.accumulate(Path(path))

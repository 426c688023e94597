"""Run programs on the accelerator as software would: registers, start, interrupt."""

import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, FallingEdge
from pyuvm import uvm_analysis_port, uvm_component, uvm_driver

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.machine import config_word
from verif.agents.axi4 import AxiMemory, LiteManager
from verif.envs.accelerator.items import Begun, Result, RunItem
from verif.envs.accelerator.monitor import EventMonitor
from verif.envs.accelerator.stimulus import SIZE, Stimulus

__all__ = ["HangError", "RunDriver"]

_CONTROL, _STATUS, _ENABLE, _FLAGS, _OFFSET, _EXPECTED, _BASE = 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20
_COUNTERS = {
    "cycles": 0x40, "compute_busy": 0x44, "stall_weights": 0x48, "stall_activations": 0x4C,
    "stall_output": 0x50, "stall_wait": 0x54, "load_busy": 0x58, "store_busy": 0x5C, "pack_busy": 0x60,
    "bus_read_beats": 0x64, "bus_write_beats": 0x68, "bus_stall": 0x6C,
}  # fmt: skip
_START, _STOP = 1, 2
_LIMIT = 400_000  # cycles; no healthy program takes half of that
_STOP_LIMIT = 5000  # bursts under way end well before


class HangError(AssertionError):
    """The accelerator goes on, or does not stop, for far too long."""


class RunDriver(uvm_driver):
    """Take runs from the sequencer and carry them out.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top.
    config
        The accelerator.
    memory, registers
        Its two ports.
    monitor
        What looks into its memories.

    Attributes
    ----------
    begun, results
        Analysis ports of ``Begun`` and ``Result``.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        dut: HierarchyObject,
        config: AcceleratorConfig,
        memory: AxiMemory,
        registers: LiteManager,
        monitor: EventMonitor,
    ) -> None:
        super().__init__(name, parent)
        self._dut, self._config = dut, config
        self._memory, self._registers, self._monitor = memory, registers, monitor

    def build_phase(self) -> None:
        """Make the analysis ports."""
        super().build_phase()
        self.begun = uvm_analysis_port("begun", self)
        self.results = uvm_analysis_port("results", self)

    async def run_phase(self) -> None:
        """Carry out what comes, for ever."""
        while True:
            item = await self.seq_item_port.get_next_item()
            await self._carry_out(item)
            self.seq_item_port.item_done()

    async def _carry_out(self, item: RunItem) -> None:
        stimulus = item.stimulus
        self._fill(item)
        await self._configure(stimulus)
        boundary = self._monitor.boundary()
        self.begun.write(
            Begun(
                item=item,
                content=boundary.content,
                activation=boundary.activation,
                weight=boundary.weight,
            )
        )
        beats = dict(self._memory.checker.beats)
        await self._registers.write(_CONTROL, _START)
        cycles = self._monitor.cycle
        if stimulus.cut:
            result = await self._cut(item)
        else:
            interrupted = await self._finished(stimulus)
            cycles = self._monitor.cycle - cycles
            now = self._memory.checker.beats
            result = Result(
                item=item,
                registers=await self._state(),
                interrupted=interrupted,
                cleared=await self._clear(),
                cycles=cycles,
                read_beats=now["r"] - beats["r"],
                write_beats=now["w"] - beats["w"],
            )
            if stimulus.ending.code:
                await self._stop()
        await ClockCycles(self._dut.clk, 4)
        await FallingEdge(self._dut.clk)
        self._monitor.boundaries.write(self._monitor.boundary(last=True))
        self.results.write(result)

    def _fill(self, item: RunItem) -> None:
        """Put random bytes, the program and inputs into memory; the port is idle meanwhile."""
        stimulus, memory = item.stimulus, self._memory
        data = np.random.default_rng(item.seed).integers(0, 256, SIZE, dtype=np.uint8).tobytes()
        memory.content[:] = data
        bases = stimulus.layout.bases
        start = bases[0] + stimulus.layout.offset
        memory.content[start : start + len(stimulus.content)] = stimulus.content
        for offset, content in stimulus.inputs.items():
            memory.content[bases[1] + offset : bases[1] + offset + len(content)] = content
        memory.failing = list(stimulus.failing)
        memory.latency, memory.stall = stimulus.latency, stimulus.stall

    async def _configure(self, stimulus: Stimulus) -> None:
        """Write the registers, and read them back."""
        right = config_word(self._config)
        expected = {"none": 0, "right": right, "wrong": right ^ 1 << 16}[stimulus.expected_config]
        values = {_OFFSET: stimulus.layout.offset, _ENABLE: stimulus.enable, _EXPECTED: expected}
        values |= {_BASE + 4 * number: base for number, base in enumerate(stimulus.layout.bases)}
        await self._registers.write(_FLAGS, 3)
        for offset, value in values.items():
            response = await self._registers.write(offset, value)
            if response or await self._registers.read(offset) != (value, 0):
                raise AssertionError(f"register {offset:#x} does not keep {value:#x}")

    async def _finished(self, stimulus: Stimulus) -> bool:
        """Wait for the interrupt, or for the status where none is enabled; return whether the line is up."""
        line = self._dut.interrupt
        for cycle in range(_LIMIT):
            await FallingEdge(self._dut.clk)
            if int(line.value):
                return True
            if cycle % 100 == 99:
                status, _ = await self._registers.read(_STATUS)
                if status & 6 and not status & 1:
                    return bool(int(line.value))
        raise HangError(f"{stimulus.kind}: no end within {_LIMIT} cycles")

    async def _clear(self) -> bool:
        """Clear the interrupt's flags; return whether they were as they had to be, and the line is down."""
        flags, _ = await self._registers.read(_FLAGS)
        await self._registers.write(_FLAGS, flags)
        await ClockCycles(self._dut.clk, 3)
        left, _ = await self._registers.read(_FLAGS)
        return flags in (1, 2) and left == 0 and not int(self._dut.interrupt.value)

    async def _state(self) -> dict[str, int]:
        status, _ = await self._registers.read(_STATUS)
        fields = {"busy": (0, 1), "done": (1, 1), "error": (2, 1), "code": (4, 15), "engine": (8, 3)}
        state = {name: status >> low & mask for name, (low, mask) in fields.items()}
        state["tag"] = status >> 16
        for name, offset in _COUNTERS.items():
            state[name], _ = await self._registers.read(offset)
        return state

    async def _stop(self) -> None:
        """Stop and clear; wait until the accelerator and its port are quiet."""
        await self._registers.write(_CONTROL, _STOP)
        began = self._monitor.cycle
        while (await self._registers.read(_STATUS))[0] & 1:
            if self._monitor.cycle - began > _STOP_LIMIT:
                raise HangError(f"still busy {_STOP_LIMIT} cycles after a stop")
        self._memory.checker.finish()

    async def _cut(self, item: RunItem) -> Result:
        """Stop or reset a program on its way."""
        stimulus = item.stimulus
        await ClockCycles(self._dut.clk, stimulus.stop_after or stimulus.reset_after)
        if stimulus.stop_after is not None:
            await self._stop()
        else:
            self._dut.rst.value = 1
            await ClockCycles(self._dut.clk, 1 + item.seed % 3)
            self._dut.rst.value = 0
            await ClockCycles(self._dut.clk, 2)
            for offset in (_OFFSET, _ENABLE, _FLAGS, _EXPECTED, _BASE, _BASE + 12):
                if await self._registers.read(offset) != (0, 0):
                    raise AssertionError(f"register {offset:#x} is not 0 after a reset")
        return Result(item=item, registers=await self._state())

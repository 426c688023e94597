"""The environment: three streams, a scoreboard, coverage, and how to run a program."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge
from pyuvm import uvm_component, uvm_env

from rtl.tensor.config import TileConfig
from verif.agents.stream import StreamBurst, StreamBus, StreamSequence, StreamSink, StreamSource
from verif.envs.mac_tile.coverage import MacTileCoverage
from verif.envs.mac_tile.program import Program
from verif.envs.mac_tile.scoreboard import MacTileScoreboard, ScoreboardError

__all__ = ["HangError", "MacTileEnv"]

_BURST = 64
_PATIENCE = 400


class HangError(AssertionError):
    """No port of the design moved for far too long."""


def _bursts(name: str, payloads: list[int]) -> Iterator[StreamBurst]:
    for start in range(0, len(payloads), _BURST):
        yield StreamBurst(f"{name}_{start}", payloads[start : start + _BURST])


class MacTileEnv(uvm_env):
    """Everything around one tile.

    Parameters
    ----------
    name, parent
        As for every component.
    dut
        The simulated top.
    config
        The tile that it should be.
    seed
        What everything random derives from.
    pacing
        Patterns of pauses of the streams ``i``, ``weights`` and ``o``.

    Raises
    ------
    ValueError
        A port's width says that the top is another tile.
    """

    def __init__(
        self,
        name: str,
        parent: uvm_component,
        *,
        dut: HierarchyObject,
        config: TileConfig,
        seed: int,
        pacing: dict[str, str],
    ) -> None:
        super().__init__(name, parent)
        self.dut, self.config = dut, config
        self._seed, self._pacing = seed, pacing
        self.edge = RisingEdge(dut.clk)
        widths = {
            "i": config.activation_payload_width,
            "weights": config.weight_payload_width,
            "o": config.result_payload_width,
        }
        self._buses = {port: StreamBus(dut, port) for port in widths}
        for port, width in widths.items():
            if self._buses[port].width != width:
                raise ValueError(
                    f"port {port}__payload has {self._buses[port].width} bits, but {config} needs {width}; "
                    "does SUZURI_PARAMETERS say what was elaborated?"
                )

    def build_phase(self) -> None:
        """Make agents, scoreboard and coverage."""
        common = {"seed": self._seed}
        self.beats = StreamSource("i", self, bus=self._buses["i"], pacing=self._pacing["i"], **common)
        self.rows = StreamSource(
            "weights", self, bus=self._buses["weights"], pacing=self._pacing["weights"], **common
        )
        self.results = StreamSink("o", self, bus=self._buses["o"], pacing=self._pacing["o"], **common)
        self.scoreboard = MacTileScoreboard("scoreboard", self, config=self.config)
        self.coverage = MacTileCoverage(self.config)

    def connect_phase(self) -> None:
        """Join monitors and scoreboard."""
        self.beats.monitor.ap.connect(self.scoreboard.beats)
        self.rows.monitor.ap.connect(self.scoreboard.rows)
        self.results.monitor.ap.connect(self.scoreboard.results)

    def start_of_simulation_phase(self) -> None:
        """Hold the reset from the start, and start the clock."""
        self.dut.rst.value = 1
        # Low first: an edge at time 0 would come before the reset has arrived.
        Clock(self.dut.clk, 10, unit="ns").start(start_high=False)

    async def reset(self, cycles: int = 3) -> None:
        """Reset the design and drop what the drivers were about to send."""
        sources = (self.beats.driver, self.rows.driver)
        self.dut.rst.value = 1
        for driver in sources:
            driver.abort()
        await ClockCycles(self.dut.clk, cycles)
        self.dut.rst.value = 0
        for driver in sources:
            driver.resume()

    def start(self, program: Program) -> list[tuple[StreamSequence, cocotb.task.Task[None]]]:
        """Begin to feed a program; returns its sequences and their tasks."""
        running = []
        for source, payloads in (
            (self.rows, program.weight_payloads()),
            (self.beats, program.activation_payloads()),
        ):
            sequence = StreamSequence(f"{source.get_name()}_program", _bursts(source.get_name(), payloads))
            running.append((sequence, cocotb.start_soon(sequence.start(source.sequencer))))
        return running

    async def run(self, program: Program) -> None:
        """Feed a program, and wait until every result has come and no other does.

        Raises
        ------
        HangError
            Nothing moved for a long time before that.
        """
        running = self.start(program)
        await self._until(lambda: all(task.done() for _, task in running))
        await self._until(lambda: self.scoreboard.outstanding <= 0)
        await ClockCycles(self.dut.clk, 2 * self.config.latency + 8)

    async def _until(self, condition: Callable[[], bool]) -> None:
        monitors = (self.beats.monitor, self.rows.monitor, self.results.monitor)
        moved, quiet = -1, 0
        while not condition():
            await ClockCycles(self.dut.clk, 20)
            if self.scoreboard.outstanding < 0:
                raise ScoreboardError("there are more results than the beats taken call for")
            transfers = sum(monitor.transfers for monitor in monitors)
            quiet = quiet + 20 if transfers == moved else 0
            moved = transfers
            if quiet > _PATIENCE:
                raise HangError(
                    f"no transfer on any port for {_PATIENCE} cycles; so far "
                    + ", ".join(f"{monitor.bus.name} {monitor.transfers}" for monitor in monitors)
                    + f"; results outstanding {self.scoreboard.outstanding}"
                )

    def extract_phase(self) -> None:
        """Sample coverage, and add it to the file that SUZURI_COVERAGE_FILE names."""
        try:
            self.coverage.sample(self.scoreboard.epochs())
        except (ValueError, IndexError) as error:
            # A broken design can break the rules that sampling relies on; the scoreboard says which.
            self.logger.warning("coverage is incomplete: %s", error)
        path = os.environ.get("SUZURI_COVERAGE_FILE")
        if path:
            self.coverage.coverage.accumulate(Path(path))

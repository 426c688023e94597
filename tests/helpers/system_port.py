"""Drive the port of a system unit as a pipeline does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.system.unit import SystemUnit

WRITE, SET, CLEAR = 1, 2, 3


class SystemDriver:
    """Accesses and events of one system unit, one cycle each."""

    def __init__(self, ctx: object, unit: SystemUnit) -> None:
        self.ctx, self.unit, self.port = ctx, unit, unit.port

    def _get(self, name: str) -> int:
        return self.ctx.get(getattr(self.port, name))

    def __getattr__(self, name: str) -> int:
        return self._get(name)

    async def idle(self, cycles: int = 1) -> None:
        """Let cycles pass."""
        await self.ctx.tick().repeat(cycles)

    async def access(
        self, address: int, operand: int = 0, operation: int = SET, *, write: bool | None = None
    ) -> int | None:
        """Do a CSR instruction; return the old value, or None where it is illegal."""
        ctx, port = self.ctx, self.port
        ctx.set(port.csr_address, address)
        ctx.set(port.csr_operation, operation)
        ctx.set(port.csr_write, operation == WRITE or operand != 0 if write is None else write)
        ctx.set(port.csr_operand, operand)
        value, illegal = ctx.get(port.csr_read), ctx.get(port.csr_illegal)
        ctx.set(port.csr_commit, not illegal)
        await ctx.tick()
        ctx.set(port.csr_commit, 0)
        return None if illegal else value

    def readable(self) -> set[int]:
        """Return the addresses of CSRs that may be read now."""
        ctx, port, found = self.ctx, self.port, set()
        ctx.set(port.csr_write, 0)
        for address in range(4096):
            ctx.set(port.csr_address, address)
            if not ctx.get(port.csr_illegal):
                found.add(address)
        return found

    async def read(self, address: int) -> int | None:
        """Return a CSR, or None where that is illegal."""
        return await self.access(address)

    async def write(self, address: int, value: int) -> int | None:
        """Write a CSR and return what it was, or None where that is illegal."""
        return await self.access(address, value, WRITE)

    async def strobe(self, name: str, **values: int) -> None:
        """Raise an event for one cycle, with the values that go with it."""
        for item, value in values.items():
            self.ctx.set(getattr(self.port, item), value)
        self.ctx.set(getattr(self.port, name), 1)
        await self.ctx.tick()
        self.ctx.set(getattr(self.port, name), 0)

    async def trap(self, cause: int, pc: int = 0, value: int = 0, *, interrupt: bool = False) -> int:
        """Enter a trap handler and return where it is."""
        self.ctx.set(self.port.trap_cause, cause)
        self.ctx.set(self.port.trap_interrupt, interrupt)
        target = self._get("trap_target")
        await self.strobe("trap", trap_pc=pc, trap_value=value)
        return target

    async def user_mode(self, status: int = 0) -> None:
        """Go to user mode by MRET, with ``mstatus`` as given but for MPP."""
        await self.write(0x300, status & ~0x1800)
        await self.strobe("mret")


def run_unit(
    bench: Callable[[SystemDriver], Awaitable[None]], preset: str = "small", **options: object
) -> None:
    """Run a bench on the system unit of a configuration."""
    unit = SystemUnit(CoreConfig.preset(preset, **options))
    done = []

    async def process(ctx: object) -> None:
        await bench(SystemDriver(ctx, unit))
        done.append(True)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()
    assert done

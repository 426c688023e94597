"""Ways to the registers of a debug module. They know no simulator: pins and clock are given."""

from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ["DirectTransport", "JtagDriver", "JtagError", "JtagTransport", "Transport"]

_IDCODE, _DTMCS, _DMI = 0x01, 0x10, 0x11
_READ, _WRITE = 1, 2
_BUSY = 3
_ATTEMPTS = 20


class JtagError(Exception):
    """The transport did not answer as the specification has it."""


class Transport(Protocol):
    """Reads and writes registers of a debug module."""

    async def read(self, address: int) -> int:
        """Return a register."""
        ...

    async def write(self, address: int, value: int) -> None:
        """Write a register."""
        ...


class DirectTransport:
    """The register bus itself.

    Parameters
    ----------
    put
        Sets an input of the bus by name.
    take
        Returns an output of the bus by name.
    tick
        Waits for one clock edge.
    """

    def __init__(
        self,
        put: Callable[[str, int], None],
        take: Callable[[str], int],
        tick: Callable[[], Awaitable[object]],
    ) -> None:
        self._put, self._take, self._tick = put, take, tick

    async def _access(self, address: int, value: int | None) -> int:
        self._put("address", address)
        self._put("write", value is not None)
        self._put("write_data", value or 0)
        self._put("request", 1)
        await self._tick()
        self._put("request", 0)
        while not self._take("response"):
            await self._tick()
        return self._take("read_data")

    async def read(self, address: int) -> int:
        """Return a register."""
        return await self._access(address, None)

    async def write(self, address: int, value: int) -> None:
        """Write a register."""
        await self._access(address, value)


class JtagDriver:
    """A test access port's controller, bit by bit. Begins and ends in Run-Test/Idle.

    Parameters
    ----------
    put
        Sets ``tck``, ``tms`` or ``tdi``.
    take
        Returns ``tdo``.
    wait
        Waits for half a period of ``tck``.
    """

    def __init__(
        self,
        put: Callable[[str, int], None],
        take: Callable[[], int],
        wait: Callable[[], Awaitable[object]],
    ) -> None:
        self._put, self._take, self._wait = put, take, wait

    async def clock(self, tms: int, tdi: int = 0) -> int:
        """Give one clock; return what ``tdo`` was at its rising edge."""
        self._put("tms", tms)
        self._put("tdi", tdi)
        self._put("tck", 0)
        await self._wait()
        tdo = self._take()
        self._put("tck", 1)
        await self._wait()
        return tdo

    async def reset(self) -> None:
        """Reset the port from any state, and go to Run-Test/Idle."""
        for tms in (1, 1, 1, 1, 1, 0):
            await self.clock(tms)

    async def idle(self, clocks: int) -> None:
        """Stay in Run-Test/Idle."""
        for _ in range(clocks):
            await self.clock(0)

    async def _shift(self, value: int, length: int) -> int:
        out = 0
        for index in range(length):
            out |= await self.clock(index == length - 1, value >> index & 1) << index
        await self.clock(1)
        await self.clock(0)
        return out

    async def shift_instruction(self, value: int, length: int = 5) -> int:
        """Shift the instruction register; return what it held."""
        for tms in (1, 1, 0, 0):
            await self.clock(tms)
        return await self._shift(value, length)

    async def shift_data(self, value: int, length: int) -> int:
        """Shift the selected data register; return what it held."""
        for tms in (1, 0, 0):
            await self.clock(tms)
        return await self._shift(value, length)


class JtagTransport:
    """A JTAG debug transport module of version 0.13.

    Parameters
    ----------
    driver
        The port.
    """

    def __init__(self, driver: JtagDriver) -> None:
        self._driver = driver
        self._address_width = 0
        self._idle = 0
        self._selected = _IDCODE

    async def _select(self, instruction: int) -> None:
        if self._selected != instruction:
            captured = await self._driver.shift_instruction(instruction)
            if captured & 3 != 1:
                raise JtagError(f"the instruction register captured {captured:#07b}, which must end in 01")
            self._selected = instruction

    async def examine(self) -> int:
        """Reset the port, learn the transport's widths, and return its IDCODE."""
        await self._driver.reset()
        self._selected = _IDCODE
        idcode = await self._driver.shift_data(0, 32)
        await self._select(_DTMCS)
        dtmcs = await self._driver.shift_data(0, 32)
        if dtmcs & 0xF != 1:
            raise JtagError(f"dtmcs {dtmcs:#010x}: version {dtmcs & 0xF}, not 1")
        self._address_width = dtmcs >> 4 & 0x3F
        self._idle = dtmcs >> 12 & 7
        return idcode

    async def _scan(self, address: int, value: int, operation: int) -> tuple[int, int]:
        await self._select(_DMI)
        out = await self._driver.shift_data(address << 34 | value << 2 | operation, self._address_width + 34)
        await self._driver.idle(self._idle)
        return out & 3, out >> 2 & 0xFFFF_FFFF

    async def _access(self, address: int, value: int, operation: int) -> int:
        for _ in range(_ATTEMPTS):
            await self._scan(address, value, operation)
            status, data = await self._scan(0, 0, 0)
            if status == 0:
                return data
            if status != _BUSY:
                raise JtagError(f"access to {address:#x}: status {status}")
            await self._select(_DTMCS)
            await self._driver.shift_data(1 << 16, 32)
            self._idle += 1 + self._idle // 4
        raise JtagError(f"access to {address:#x}: still busy after {_ATTEMPTS} attempts")

    async def read(self, address: int) -> int:
        """Return a register."""
        return await self._access(address, 0, _READ)

    async def write(self, address: int, value: int) -> None:
        """Write a register."""
        await self._access(address, value, _WRITE)

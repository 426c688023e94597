"""A manager of AXI4-Lite: reads and writes registers."""

from cocotb.handle import HierarchyObject, LogicObject
from cocotb.triggers import RisingEdge

__all__ = ["LiteManager"]

_DRIVEN = ("awvalid", "awaddr", "wvalid", "wdata", "wstrb", "bready", "arvalid", "araddr", "rready")


class LiteManager:
    """Access registers of 32 bits, one at a time.

    Parameters
    ----------
    dut
        The simulated top.
    prefix
        Of the port's signals, such as ``registers__``.
    """

    def __init__(self, dut: HierarchyObject, prefix: str) -> None:
        self._dut = dut
        self._prefix = prefix
        for name in _DRIVEN:
            self._wire(name).value = 0

    def _wire(self, name: str) -> LogicObject:
        return getattr(self._dut, self._prefix + name)

    async def write(self, offset: int, value: int, strobe: int = 15) -> int:
        """Write, and return the response."""
        for channel, values in (("aw", {"addr": offset}), ("w", {"data": value, "strb": strobe})):
            for name, content in values.items():
                self._wire(channel + name).value = content
            self._wire(f"{channel}valid").value = 1
        self._wire("bready").value = 1
        return await self._finish(("aw", "w"), "b", "bresp")

    async def read(self, offset: int) -> tuple[int, int]:
        """Read, and return data and response."""
        self._wire("araddr").value = offset
        self._wire("arvalid").value = 1
        self._wire("rready").value = 1
        response = await self._finish(("ar",), "r", "rresp")
        return self._data, response

    async def _finish(self, requests: tuple[str, ...], answer: str, response: str) -> int:
        open_ = set(requests)
        while True:
            await RisingEdge(self._dut.clk)
            for channel in sorted(open_):
                if self._wire(f"{channel}ready").value:
                    self._wire(f"{channel}valid").value = 0
                    open_.discard(channel)
            if self._wire(f"{answer}valid").value:
                if answer == "r":
                    self._data = int(self._wire("rdata").value)
                self._wire(f"{answer}ready").value = 0
                return int(self._wire(response).value)

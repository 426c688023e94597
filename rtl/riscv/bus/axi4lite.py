"""From the core's own memory bus to AXI4-Lite."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.interfaces import MemoryBus

__all__ = ["Axi4Lite", "Axi4LiteInitiator"]

_PRIVILEGED, _INSTRUCTION = 1, 4  # bits of AxPROT


class Axi4Lite(wiring.Signature):
    """AXI4-Lite, seen from the initiator (its "manager").

    Parameters
    ----------
    data_width
        32 or 64.
    writable
        Whether it has the write channels AW, W and B.

    Members
    -------
    arvalid, arready, araddr, arprot : Out, In, Out(32), Out(3)
        Read requests.
    rvalid, rready, rdata, rresp : In, Out, In, In(2)
        Their answers.
    awvalid, awready, awaddr, awprot, wvalid, wready, wdata, wstrb : Out, In, ...
        Write requests and their data.
    bvalid, bready, bresp : In, Out, In(2)
        Their answers.
    """

    def __init__(self, *, data_width: int = 32, writable: bool = True) -> None:
        members = {
            "arvalid": Out(1),
            "arready": In(1),
            "araddr": Out(32),
            "arprot": Out(3),
            "rvalid": In(1),
            "rready": Out(1),
            "rdata": In(data_width),
            "rresp": In(2),
        }
        if writable:
            members |= {
                "awvalid": Out(1),
                "awready": In(1),
                "awaddr": Out(32),
                "awprot": Out(3),
                "wvalid": Out(1),
                "wready": In(1),
                "wdata": Out(data_width),
                "wstrb": Out(data_width // 8),
                "bvalid": In(1),
                "bready": Out(1),
                "bresp": In(2),
            }
        super().__init__(members)


class Axi4LiteInitiator(wiring.Component):
    """Carry the accesses of a memory bus over AXI4-Lite.

    What it drives on AXI comes from flip-flops. AXI does not order reads
    among writes; so a read waits until every write before it is answered,
    and a write until every read is.

    Parameters
    ----------
    data_width, writable
        Of the memory bus.
    instruction
        Whether ``arprot`` says that instructions are read.
    depth
        Requests that may await an answer, at least 1.

    Members
    -------
    memory : In(MemoryBus())
        From the core. SLVERR and DECERR become ``error``.
    axi : Out(Axi4Lite())

    Timing
    ------
    A request is on AXI in the cycle after its grant; the answer is passed on
    in its own cycle. A request in every cycle while the target is ready and
    `depth` is not reached.

    Raises
    ------
    ValueError
        `depth` is less than 1.

    Source
    ------
    AMBA AXI and ACE Protocol Specification (ARM IHI 0022), part B.
    """

    def __init__(
        self, *, data_width: int = 32, writable: bool = True, instruction: bool = False, depth: int = 2
    ) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self._writable = writable
        self._protection = _PRIVILEGED | (_INSTRUCTION if instruction else 0)
        self._depth = depth
        super().__init__(
            {
                "memory": In(MemoryBus(data_width=data_width, writable=writable)),
                "axi": Out(Axi4Lite(data_width=data_width, writable=writable)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        memory, axi = self.memory, self.axi
        waiting = Signal(range(self._depth + 1))  # granted, and not answered yet
        answer = axi.rvalid
        free = ~axi.arvalid | axi.arready
        if self._writable:
            answer |= axi.bvalid
            writes = Signal()  # what waits are writes
            write_free = (~axi.awvalid | axi.awready) & (~axi.wvalid | axi.wready)
            same = (writes == memory.write) | ~waiting.any()
            free = Mux(memory.write, write_free, free) & same
        accepted = Signal()
        m.d.comb += [
            memory.grant.eq(free & (waiting != self._depth)),
            accepted.eq(memory.request & memory.grant),
            memory.response.eq(answer),
            memory.read_data.eq(axi.rdata),
            memory.error.eq(axi.rresp[1]),
            axi.arprot.eq(self._protection),
            axi.rready.eq(1),
        ]
        m.d.sync += waiting.eq(waiting + accepted - answer)
        write = memory.write if self._writable else Const(0)
        self._add_channel(m, axi.arvalid, axi.arready, accepted & ~write)
        with m.If(accepted & ~write):
            m.d.sync += axi.araddr.eq(memory.address)
        if self._writable:
            self._add_channel(m, axi.awvalid, axi.awready, accepted & write)
            self._add_channel(m, axi.wvalid, axi.wready, accepted & write)
            m.d.comb += [
                axi.awprot.eq(self._protection),
                axi.bready.eq(1),
                memory.error.eq(Mux(axi.bvalid, axi.bresp[1], axi.rresp[1])),
            ]
            with m.If(accepted):
                m.d.sync += writes.eq(memory.write)
            with m.If(accepted & write):
                m.d.sync += [
                    axi.awaddr.eq(memory.address),
                    axi.wdata.eq(memory.write_data),
                    axi.wstrb.eq(memory.strobe),
                ]
        return m

    def _add_channel(self, m: Module, valid: Signal, ready: Value, begins: Value) -> None:
        """Raise `valid` when a transfer begins, and hold it until it is taken."""
        m.d.sync += valid.eq(begins | (valid & ~ready))

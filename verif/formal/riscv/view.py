"""What the checks look at: retirements, what they should have done, and what came before."""

from dataclasses import dataclass

from amaranth.hdl import C, Cat, Mux, Signal, Value
from amaranth.lib.wiring import PureInterface

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause
from verif.formal.riscv.semantics import Effect

__all__ = ["Lane", "Retirements", "bus_fault", "fetch_fault", "is_csr"]


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One lane of RVFI, its signals by name, and what its instruction should do."""

    rvfi: dict[str, Value]
    effect: Effect

    def __getattr__(self, name: str) -> Value:
        try:
            return self.rvfi[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, kw_only=True)
class Retirements:
    """What a core retires in this cycle, and what it retired before.

    Attributes
    ----------
    config
        The core's.
    lanes
        The older first.
    state
        CSRs after the youngest of this cycle.
    seen
        Whether anything retired in an earlier cycle.
    last
        Of the youngest of an earlier cycle: ``pc_wdata``, ``order``, and the
        CSRs after it.
    dut
        The core.
    symbols
        Constants that stand for any value: ``register`` (5 bits, not zero),
        ``address`` and ``data`` of a word of memory, ``page`` of data and
        ``fetch_page`` of instructions that answer with errors.
    faults
        Whether there are such pages.
    only
        The instruction or group that is looked at; empty for all.
    within
        Cycles within which the next retirement must come.
    """

    config: CoreConfig
    lanes: tuple[Lane, ...]
    state: dict[str, Value]
    seen: Value
    last: dict[str, Signal]
    dut: PureInterface
    symbols: dict[str, Value]
    faults: bool
    only: str
    within: int


def fetch_fault(view: Retirements, lane: Lane) -> Value:
    """Whether a part of the instruction comes from where instructions cannot be fetched."""
    if not view.faults:
        return C(0, 1)
    page = view.symbols["fetch_page"]
    second = (lane.pc_rdata + 2)[12:32] == page
    return (lane.pc_rdata[12:] == page) | ((lane.insn[:2] == 3) & second)


def bus_fault(view: Retirements, lane: Lane) -> tuple[Value, Value]:
    """Return whether the access fails, and ``mcause``."""
    effect = lane.effect
    accesses = (effect.read_mask | effect.write_mask) != 0
    cause = Mux(effect.write_mask != 0, Cause.STORE_FAULT.value, Cause.LOAD_FAULT.value)
    if not view.faults:
        return C(0, 1), cause
    return accesses & ~effect.trap & (effect.address[12:] == view.symbols["page"]), cause


def is_csr(lane: Lane) -> Value:
    """Whether it is one of the six CSR instructions."""
    return Cat(*(hit for name, hit in lane.effect.hits.items() if name.startswith("csr"))).any()

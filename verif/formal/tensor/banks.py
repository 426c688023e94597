"""The banks of the activation memory: who has them, and what is in them."""

from collections.abc import Callable

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.memory import ActivationMemory

__all__ = ["BankProperties"]

_READERS = ("compute_read", "pack_read", "store")


class BankProperties(wiring.Component):
    """The memory with clients that ask for anything.

    Asserted: two clients that are granted share no bank; the most urgent of
    those who ask is granted; a client is refused only for a bank that a more
    urgent one asks for. Of one word, chosen by the solver, every read gives
    what was last written to it, whoever reads and writes, at whichever place of
    the request.

    Parameters
    ----------
    array, bus_width
        Of the accelerator; memories are the smallest.
    data
        Whether to follow a word, beside the grants.
    goals
        Only cover statements.

    Members
    -------
    word : In
        The word that is followed; assumed to stay.
    """

    def __init__(
        self, *, array: int = 16, bus_width: int = 128, data: bool = True, goals: bool = False
    ) -> None:
        self._config = AcceleratorConfig(
            array=array, bus_width=bus_width, activation_kib=1, weight_kib=1, psum_words=16
        )
        self._dut = ActivationMemory(self._config)
        signature = self._dut.signature.members
        self._goals, self._data = goals, data
        super().__init__(
            {**{name: signature[name] for name in signature}, "word": In(len(self._dut.store.address))}
        )

    def elaborate(self, platform: object) -> Module:
        """Return the memory, who asks for which bank, and the assertions."""
        m = Module()
        # To reach a goal, registers that begin with anything are no fault.
        claim = (lambda _: Assert(1)) if self._goals else Assert
        m.submodules.dut = dut = self._dut
        names = list(dut.signature.members)
        masks, grants = {}, {}
        for name in names:
            port, mine = getattr(dut, name), getattr(self, name)
            wiring.connect(m, wiring.flipped(mine), port)
            count = port.count if hasattr(port, "count") else Const(1)
            m.d.comb += Assume((count >= 1) & (count <= len(port.data)))
            masks[name] = Signal(4, name=f"{name}_mask")
            # Written apart from the hardware's formula: the distance from the first bank.
            m.d.comb += masks[name].eq(
                Cat(port.valid & ((bank - port.address)[:2] < count) for bank in range(4))
            )
            grants[name] = port.valid & port.ready
        before = Const(0, 4)
        for place, name in enumerate(names):
            port = getattr(dut, name)
            with m.If(port.valid):
                m.d.comb += claim(port.ready == ~(masks[name] & before).any())
            before = before | masks[name]
            for other in names[:place]:
                m.d.comb += claim(~(grants[name] & grants[other] & (masks[name] & masks[other]).any()))
        m.d.comb += Cover(Cat(grants[name] for name in ("compute_write", "load", "store")).all())
        if self._data:
            self._follow(m, grants, claim)
        return m

    def _follow(self, m: Module, grants: dict[str, Value], claim: Callable[[Value], Assert]) -> None:
        """Follow one word."""
        dut = self._dut
        known, value = Signal(), Signal(8 * self._config.activation_word)
        word, started = Signal.like(self.word), Signal()
        m.d.sync += [word.eq(self.word), started.eq(1)]
        with m.If(started):
            m.d.comb += Assume(self.word == word)
        for name, grant in grants.items():
            port = getattr(dut, name)
            place = (self.word - port.address)[: len(self.word)]
            count = port.count if hasattr(port, "count") else Const(1)
            mine = grant & (place < count)
            if name not in _READERS:
                data = port.data[0]
                for number in range(1, len(port.data)):
                    data = Mux(place == number, port.data[number], data)
                with m.If(mine):
                    m.d.sync += [known.eq(1), value.eq(data)]
                continue
            # Data come a cycle after the grant.
            expected, due = Signal.like(value, name=f"{name}_expected"), Signal(name=f"{name}_due")
            at = Signal(2, name=f"{name}_at")
            m.d.sync += [due.eq(mine & known), expected.eq(value), at.eq(place)]
            for number, found in enumerate(port.data):
                with m.If(due & (at == number)):
                    m.d.comb += [claim(found == expected), Cover(expected != 0)]

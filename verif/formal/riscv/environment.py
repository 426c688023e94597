"""What the world around a core may do, as assumptions, and what the core must, as assertions."""

from dataclasses import dataclass

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Signal, Value
from amaranth.lib.wiring import PureInterface

__all__ = ["STROBES", "BusModel", "Symbols", "assert_bus", "assert_memory", "attach_bus", "hold"]

#: Accesses that may be under way at once: more than any core of the family has.
OUTSTANDING = 4
#: The bytes of an access: one, a half or a word, aligned.
STROBES = (0b0001, 0b0010, 0b0100, 0b1000, 0b0011, 0b1100, 0b1111)


@dataclass(frozen=True, kw_only=True)
class Symbols:
    """Constants that stand for any value: an address and what is there, and a page that answers with errors.

    ``page`` is the top 20 bits of an address, or ``None`` for no errors.
    """

    address: Value
    data: Value
    page: Value | None = None


@dataclass(frozen=True, kw_only=True)
class BusModel:
    """How memory behaves.

    Attributes
    ----------
    ideal
        Every request is granted at once and answered in the next cycle.
    patience
        Longest wait for a grant, and for an answer; ``None`` for any.
    consistent
        The word at the symbolic address reads as what was last written
        there, at first the symbolic data; otherwise every read is anything.
    """

    ideal: bool = False
    patience: int | None = None
    consistent: bool = False


def hold(m: Module, *symbols: Value) -> None:
    """Assume that inputs keep one value for ever."""
    started = Signal(name="held_started")
    m.d.sync += started.eq(1)
    for symbol in symbols:
        before = Signal(len(symbol), name=f"held_{symbol.name}", reset_less=True)
        m.d.sync += before.eq(symbol)
        m.d.comb += Assume(~started | (before == symbol))


def attach_bus(m: Module, port: PureInterface, name: str, model: BusModel, symbols: Symbols) -> None:
    """Assume that `port`'s inputs are those of a memory.

    Every pattern of grants and responses is allowed that
    :class:`rtl.riscv.interfaces.MemoryBus` allows, with up to four accesses
    under way.

    Parameters
    ----------
    m
        Where the assumptions go. It drives ``port``'s inputs from ports of
        its own, which the solver chooses.
    port
        The core's bus.
    name
        Begins the names of signals.
    model
        How it behaves.
    symbols
        The address that is looked at.
    """
    count = Signal(range(OUTSTANDING + 1), name=f"{name}_outstanding")
    accept = Signal(name=f"{name}_accept")
    m.d.comb += [
        accept.eq(port.request & port.grant),
        Assume(~port.grant | (count < OUTSTANDING)),
        Assume(~port.response | (count > 0)),
    ]
    m.d.sync += count.eq(count + accept - port.response)
    if model.ideal:
        m.d.comb += [Assume(port.grant), Assume(port.response == (count > 0))]
    if model.patience is not None:
        for what, waits in (("grant", port.request & ~port.grant), ("answer", (count > 0) & ~port.response)):
            waited = Signal(range(model.patience + 2), name=f"{name}_{what}_waited")
            with m.If(waits):
                m.d.sync += waited.eq(waited + 1)
                m.d.comb += Assume(waited < model.patience)
            with m.Else():
                m.d.sync += waited.eq(0)
    head = _queue(m, port, name, count, accept, _tag(m, port, name, symbols))
    words = len(port.read_data) // 32
    bad, data, hits = head[0], head[1:33], head[33:]
    m.d.comb += Assume(port.error == (port.response & bad))
    if model.consistent:
        for place in range(words):
            with m.If(port.response & hits[place]):
                m.d.comb += Assume(port.read_data.word_select(place, 32) == data)


def assert_memory(m: Module, port: PureInterface, name: str, symbols: Symbols) -> None:
    """Assert that `port` answers as a memory would, to a core whose part the solver plays.

    Every answer belongs to a request, and the word at the symbolic address
    reads as what was last written there, at first the symbolic data.

    Parameters
    ----------
    m
        Where the assertions go. Something else drives the requests.
    port, name, symbols
        As for :func:`attach_bus`.
    """
    count = Signal(range(2 * OUTSTANDING), name=f"{name}_waiting")
    accept = Signal(name=f"{name}_accepted")
    m.d.comb += [
        accept.eq(port.request & port.grant),
        Assert(~port.response | (count > 0), f"{name} answers nobody"),
        Assert(count <= OUTSTANDING),
    ]
    m.d.sync += count.eq(count + accept - port.response)
    head = _queue(m, port, name, count, accept, _tag(m, port, name, symbols, reads=True))
    data, hits = head[1:33], head[33:]
    for place in range(len(port.read_data) // 32):
        with m.If(port.response & hits[place]):
            m.d.comb += Assert(
                port.read_data.word_select(place, 32) == data, f"{name} reads what was not there"
            )
            m.d.comb += Cover(data != symbols.data, f"{name} reads what was written")
    m.d.comb += Assert(~port.error)


def _tag(m: Module, port: PureInterface, name: str, symbols: Symbols, *, reads: bool = False) -> Value:
    """Return what is remembered of a request: whether it fails, the symbolic word, and its place.

    With `reads`, a write has no place: what comes with its answer is no data.
    """
    words = len(port.read_data) // 32
    shift = 2 if words == 1 else 3
    same = port.address[shift:] == symbols.address[shift:]
    hits = [same] if words == 1 else [same & (symbols.address[2] == place) for place in range(words)]
    bad = 0 if symbols.page is None else port.address[12:] == symbols.page
    word = Signal(32, name=f"{name}_word")
    if "write" not in port.signature.members:
        m.d.comb += word.eq(symbols.data)
    else:
        written, stored = Signal(4, name=f"{name}_written"), Signal(32, name=f"{name}_stored")
        for lane in range(4):
            part = slice(8 * lane, 8 * lane + 8)
            with m.If(written[lane]):
                m.d.comb += word[part].eq(stored[part])
            with m.Else():
                m.d.comb += word[part].eq(symbols.data[part])
            with m.If(port.request & port.grant & port.write & same & port.strobe[lane] & ~Value.cast(bad)):
                m.d.sync += [written[lane].eq(1), stored[part].eq(port.write_data[part])]
    tag = Signal(33 + words, name=f"{name}_tag")
    if reads and "write" in port.signature.members:
        hits = [hit & ~port.write for hit in hits]
    m.d.comb += tag.eq(Cat(Value.cast(bad)[:1], word, *hits))
    return tag


def _queue(m: Module, port: PureInterface, name: str, count: Value, push: Value, tag: Value) -> Value:
    """Return the tag of the oldest access under way."""
    entries = [Signal(len(tag), name=f"{name}_queue_{n}") for n in range(OUTSTANDING)]
    for n, entry in enumerate(entries):
        with m.If(push & (count - port.response == n)):
            m.d.sync += entry.eq(tag)
        if n + 1 < OUTSTANDING:
            with m.Elif(port.response):
                m.d.sync += entry.eq(entries[n + 1])
    return entries[0]


def assert_bus(m: Module, port: PureInterface, name: str) -> None:
    """Assert what :class:`rtl.riscv.interfaces.MemoryBus` asks of a core."""
    signals = ["address"] + (["write", "strobe", "write_data"] if "write" in port.signature.members else [])
    waiting = Signal(name=f"{name}_waiting")
    m.d.sync += waiting.eq(port.request & ~port.grant)
    with m.If(waiting):
        m.d.comb += Assert(port.request, f"{name} withdrew a request")
    for signal in signals:
        value = getattr(port, signal)
        before = Signal(len(value), name=f"{name}_{signal}_before")
        m.d.sync += before.eq(value)
        with m.If(waiting & ((port.write == 1) if signal == "write_data" else 1)):
            m.d.comb += Assert(value == before, f"{name} changed its {signal}")
    with m.If(port.request):
        low = 2 if len(port.read_data) == 32 else 3
        m.d.comb += Assert(port.address[:low] == 0, f"{name} is not aligned")
        if "strobe" in signals:
            m.d.comb += Assert(port.strobe.matches(*STROBES), f"{name} has an odd strobe")

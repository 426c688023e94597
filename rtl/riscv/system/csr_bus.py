"""How the parts of the system unit share one CSR access path."""

from collections.abc import Iterable, Mapping

from amaranth.hdl import Const, Module, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CsrBus", "serve"]


class CsrBus(wiring.Signature):
    """One access to the CSRs. Seen from where the instruction is executed.

    Members
    -------
    address : Out(12)
        Which register.
    write, data : Out(1), Out(32)
        Write ``data`` at the next clock edge; high only for accesses that
        are certain to happen.
    read, hit : In(32), In(1)
        The value, zero for an address that is not here; and whether the
        address is here and open to this mode. They depend on ``address``
        alone.
    """

    def __init__(self) -> None:
        super().__init__({"address": Out(12), "write": Out(1), "data": Out(32), "read": In(32), "hit": In(1)})


def serve(
    m: Module,
    bus: wiring.PureInterface,
    values: Mapping[int, ValueLike],
    *,
    aliases: Mapping[int, int] | None = None,
    conditions: Mapping[int, Value] | None = None,
    zeros: Iterable[Value] = (),
) -> dict[int, Signal]:
    """Answer reads by one-hot AND-OR, the flattest form there is.

    Parameters
    ----------
    m
        Where the logic goes.
    bus
        The interface, as seen from the registers.
    values
        What each address reads, 32 bits or fewer.
    aliases
        Addresses that read what another address of ``values`` reads.
    conditions
        For an address, when an access to it is not illegal; always, where
        none is given.
    zeros
        Conditions on the address under which it is here and reads zero.

    Returns
    -------
    dict
        For each address, a signal that is high while it is selected.
    """
    aliases = aliases or {}
    conditions = conditions or {}
    chosen = {}
    hit: Value = Const(0, 1)
    for address in (*values, *aliases):
        chosen[address] = Signal(name=f"select_{address:03x}")
        m.d.comb += chosen[address].eq(bus.address == address)
        hit |= chosen[address] & conditions.get(address, Const(1, 1))
    for condition in zeros:
        hit |= condition
    read: Value = Const(0, 32)
    for address, content in values.items():
        value = Value.cast(content)
        if isinstance(value, Const) and value.value == 0:
            continue
        selected: Value = chosen[address]
        for alias in (alias for alias, other in aliases.items() if other == address):
            selected |= chosen[alias]
        read |= value & selected.replicate(len(value))
    m.d.comb += [bus.read.eq(read), bus.hit.eq(hit)]
    return chosen

"""Chains of buffers become trees that serve the same readers; trees that are good enough stay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from netlist_library import tiny

from flow.formats.liberty import LibertyCell
from flow.tools.netlist import Fanout, Links, Module, Netlist, Port, balance_buffers, measure

LIBRARY = tiny()
LIMIT = 4


def _cell(name: str) -> LibertyCell:
    found = LIBRARY.get(name)
    assert found is not None
    return found


RULE = Fanout(limit=LIMIT, buffers=(_cell("BUFX1"), _cell("BUFX4")))


def chain(buffers: int, *, clock: bool = False) -> Netlist:
    """Return an inverter that drives `buffers` in a row, with three readers at each of them."""
    module = Module(name="top", top_bit=100)
    module.ports["a"] = Port(name="a", direction="input", bits=[1])
    module.new_cell("root", "INVX1", {"A": 1, "Y": 2})
    net = 2
    outputs: list[int | str] = []
    for stage in range(buffers + 1):
        for index in range(3):
            out = module.new_net()
            name = f"r{stage}_{index}"
            kind, pins = (
                ("DFFX1", {"D": 1, "CK": net, "Q": out}) if clock else ("INVX1", {"A": net, "Y": out})
            )
            module.new_cell(name, kind, pins)
            outputs.append(out)
        if stage < buffers:
            after = module.new_net()
            module.new_cell(f"b{stage}", "BUFX1", {"A": net, "Y": after})
            net = after
    module.ports["y"] = Port(name="y", direction="output", bits=outputs, vector=True)
    return Netlist(top="top", modules={"top": module})


def readers(netlist: Netlist) -> Iterator[tuple[str, int, int | str]]:
    """Yield each reader, how many buffers lead to it, and what is at their beginning."""
    cells = netlist.modules["top"].cells
    driver = {cell.pins["Y"][0]: cell for cell in cells.values() if cell.type.startswith(("BUF", "INV"))}
    for name, cell in cells.items():
        if not name.startswith("r") or name == "root":
            continue
        net, depth = cell.pins.get("CK", cell.pins.get("A"))[0], 0  # type: ignore[index]
        while driver[net].type.startswith("BUF"):
            net, depth = driver[net].pins["A"][0], depth + 1
        yield name, depth, net


def test_a_chain_becomes_a_tree_of_the_same_readers() -> None:
    netlist = chain(12)
    before = list(readers(netlist))
    assert max(depth for _, depth, _ in before) == 12
    assert balance_buffers(netlist, LIBRARY, RULE) == 1
    after = list(readers(netlist))
    assert {(name, net) for name, _, net in after} == {(name, net) for name, _, net in before}
    # 39 readers, four to a buffer: 10, 3.
    assert {depth for _, depth, _ in after} == {2}
    found = measure(netlist, LIBRARY, links=Links(netlist, LIBRARY))
    assert (found.max_fanout, found.undriven, found.multidriven) == (LIMIT, [], [])
    assert balance_buffers(netlist, LIBRARY, RULE) == 0


@pytest.mark.parametrize(("buffers", "clock"), [(6, False), (12, True)])
def test_short_chains_and_clocks_stay(buffers: int, clock: bool) -> None:
    netlist = chain(buffers, clock=clock)
    before = list(readers(netlist))
    assert balance_buffers(netlist, LIBRARY, RULE) == 0
    assert list(readers(netlist)) == before


def test_a_buffer_that_drives_a_port_stays() -> None:
    netlist = chain(12)
    module = netlist.modules["top"]
    last = module.cells["b11"].pins["Y"][0]
    module.ports["z"] = Port(name="z", direction="output", bits=[last])
    assert balance_buffers(netlist, LIBRARY, RULE) == 1
    assert "b11" in module.cells
    assert module.cells["b11"].pins["Y"] == [last]
    found = measure(netlist, LIBRARY, links=Links(netlist, LIBRARY))
    assert (found.undriven, found.multidriven) == ([], [])


def test_without_buffers_nothing_is_done() -> None:
    assert balance_buffers(chain(12), LIBRARY, Fanout(limit=LIMIT, buffers=())) == 0

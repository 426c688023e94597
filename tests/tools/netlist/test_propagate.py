"""Rates through gates, against the sum over all pairs of rows."""

from __future__ import annotations

import random
from itertools import product

import pytest
from netlist_library import tiny

from flow.formats.boolean import parse_function
from flow.formats.liberty import CellLibrary, Liberty
from flow.tools.netlist import read_verilog
from flow.tools.netlist.activity import annotate
from flow.tools.netlist.flat import FlatNetlist, flatten
from flow.tools.netlist.propagate import Gates, Rate

GATES = {
    "NAND2": "!(A & B)",
    "MAJ": "(A & B) | (A & C) | (B & C)",
    "MIX": "(A ^ B) | !(C & D)",
    "BUF": "A",
    "ONE": "1",
}


def _library() -> CellLibrary:
    cells = []
    for name, function in GATES.items():
        pins = "".join(
            f"pin ({p}) {{ direction : input; capacitance : 1; }}" for p in parse_function(function).inputs
        )
        out = f'pin (Y) {{ direction : output; function : "{function}"; }}'
        cells.append(f"cell ({name}) {{ area : 1; {pins} {out} }}")
    return CellLibrary([Liberty("library (l) {" + "\n".join(cells) + "}")])


def _slowly(function: str, rates: list[Rate]) -> Rate:
    """Return a gate's rate, one pair of rows after the other."""
    known = parse_function(function)
    toggles = probability = 0.0
    for steps in product((0, 1, 2, 3), repeat=len(rates)):
        chance, now, after = 1.0, 0, 0
        for place, (step, (rate, high)) in enumerate(zip(steps, rates, strict=True)):
            change = min(rate, 2 * high, 2 * (1 - high)) / 2
            chance *= (1 - high - change, change, change, high - change)[step]
            now |= (step >= 2) << place
            after |= (step % 2) << place
        value, then = known.table() >> now & 1, known.table() >> after & 1
        probability += chance * value
        toggles += chance * (value != then)
    return toggles, probability


def _random(size: int, seed: int) -> str:
    rng = random.Random(seed)
    nets, lines = [f"a{i}" for i in range(6)], []
    for index in range(size):
        kind = rng.choice(list(GATES))
        inputs = [f".{p}({rng.choice(nets)})" for p in parse_function(GATES[kind]).inputs]
        lines.append(f"  {kind} g{index} ({', '.join([*inputs, f'.Y(n{index})'])});")
        nets.append(f"n{index}")
    rng.shuffle(lines)
    return (
        "module m (a0, a1, a2, a3, a4, a5); input a0, a1, a2, a3, a4, a5;\n"
        + "\n".join(lines)
        + "\nendmodule"
    )


@pytest.mark.parametrize("seed", range(4))
def test_many_gates_at_once_give_what_each_gives_alone(seed: int) -> None:
    library = _library()
    flat = flatten(read_verilog(_random(120, seed)))
    rng = random.Random(seed)
    simulated = {f"a{i}": (rng.random(), rng.random()) for i in range(6)}
    found = annotate(flat, library, simulated, frozenset()).rates
    for cell in flat.cells:
        function = GATES[cell.type]
        rates = [found[cell.pins[name]] for name in parse_function(function).inputs]
        assert found[cell.pins["Y"]] == pytest.approx(_slowly(function, rates))


def _flat(text: str) -> FlatNetlist:
    return flatten(read_verilog(f"module m (a, y); input a; output y; {text} endmodule"))


def test_a_loop_comes_to_an_end() -> None:
    library = tiny()
    flat = _flat(
        "NAND2X1 g (.A(a), .B(q), .Y(p)); NAND2X1 h (.A(p), .B(p), .Y(q));"
        "INVX1 s (.A(z), .Y(z)); INVX1 t (.A(q), .Y(y));"
    )
    rates = annotate(flat, library, {"a": (0.5, 0.5)}, frozenset()).rates
    names = {name: net for net, known in flat.names.items() for name in known}
    assert all(0.0 <= high <= 1.0 for _, high in rates.values())
    assert rates[names["y"]][1] == pytest.approx(1 - rates[names["q"]][1])


def test_a_deep_chain_and_a_rate_that_stays() -> None:
    library = tiny()
    chain = "".join(f"INVX1 g{i} (.A({'a' if i == 0 else f'n{i - 1}'}), .Y(n{i}));" for i in range(501))
    flat = _flat(chain)
    cells = {"INVX1": library.get("INVX1")}
    names = {name: net for net, known in flat.names.items() for name in known}
    gates = Gates(flat, cells, {names["n9"]}, {names["a"]: (0.25, 0.75), names["n9"]: (0.0, 1.0)})
    gates.propagate()
    assert gates.get(names["n8"], (9, 9)) == pytest.approx((0.25, 0.25))
    assert gates.get(names["n9"], (9, 9)) == (0.0, 1.0)
    assert gates.get(names["n500"], (9, 9)) == pytest.approx((0.0, 0.0))
    assert gates.get(0, (9, 9)) == (9, 9)

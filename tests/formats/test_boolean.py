"""Boolean functions of Liberty."""

from __future__ import annotations

from itertools import product

import pytest

from flow.formats.boolean import parse_function


def table(text, names):
    function = parse_function(text)
    return [
        function.evaluate(dict(zip(names, bits, strict=True)))
        for bits in product((False, True), repeat=len(names))
    ]


# The right-hand sides are Python's own operators: an oracle apart from the parser.
@pytest.mark.parametrize(
    ("text", "oracle"),
    [
        ("A", lambda a, b, c: a),
        ("!A", lambda a, b, c: not a),
        ("A'", lambda a, b, c: not a),
        ("!A'", lambda a, b, c: a),
        ("A''", lambda a, b, c: a),
        ("(A+B)'", lambda a, b, c: not (a or b)),
        ("A B", lambda a, b, c: a and b),
        ("A*B", lambda a, b, c: a and b),
        ("A & B", lambda a, b, c: a and b),
        ("A+B C", lambda a, b, c: a or (b and c)),
        ("A | B & C", lambda a, b, c: a or (b and c)),
        ("A ^ B C", lambda a, b, c: (a != b) and c),
        ("A B ^ C", lambda a, b, c: a and (b != c)),
        ("A ^ B ^ C", lambda a, b, c: (a != b) != c),
        ("!A B", lambda a, b, c: (not a) and b),
        ("!(A B)+C", lambda a, b, c: (not (a and b)) or c),
        ("A' B' + C", lambda a, b, c: (not a and not b) or c),
        ("(A)(B)", lambda a, b, c: a and b),
        ("!!A + !(!B)", lambda a, b, c: a or b),
        ("A 1 + 0", lambda a, b, c: a),
        (' "A" & "B" ', lambda a, b, c: a and b),
    ],
)
def test_meaning(text, oracle):
    expected = [bool(oracle(*bits)) for bits in product((False, True), repeat=3)]
    assert table(text, "ABC") == expected


def test_constants_and_inputs():
    assert parse_function("1").tree == ("1",)
    assert parse_function("0").evaluate({}) is False
    assert parse_function("B + A B + D[3]").inputs == ("B", "A", "D[3]")


def test_truth_table_numbers_the_first_name_lowest():
    assert parse_function("A & !B").table(("A", "B")) == 0b0010
    assert parse_function("A & !B").table(("B", "A")) == 0b0100


def test_same_as_compares_values_not_text():
    assert parse_function("!(A B)").same_as(parse_function("A' + B'"))
    assert not parse_function("A + B").same_as(parse_function("A ^ B"))


def test_verilog_has_no_two_unary_operators_in_a_row():
    assert parse_function("!(!(A))").verilog() == "~(~A)"
    assert parse_function("A' + B C").verilog(str.lower) == "(~a | (b & c))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("A +", "an operand is missing"),
        ("A B)", r"unexpected '\)'"),
        ("(A + B", "never closed"),
        ("A # B", "unexpected '#'"),
        ("* A", "an operand is missing before"),
        ("(" * 400 + "A" + ")" * 400, "nest too deeply"),
    ],
)
def test_bad_text_says_where(text, message):
    with pytest.raises(ValueError, match=message):
        parse_function(text)


def test_long_chains_do_not_recurse():
    names = [f"A{i}" for i in range(5000)]
    function = parse_function(" + ".join(names))
    assert function.evaluate(dict.fromkeys(names, False)) is False


def test_a_table_of_too_many_inputs_is_refused():
    with pytest.raises(ValueError, match="too large"):
        parse_function(" ".join(f"A{i}" for i in range(20))).table()


def _rows(text: str) -> list[bool]:
    function = parse_function(text)
    names = sorted(function.inputs)
    return [bool(function.table(names) >> row & 1) for row in range(1 << len(names))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", [0, 1]),
        ("!A", [1, 0]),
        ("A'", [1, 0]),
        ("(A B)", [0, 0, 0, 1]),
        ("A*B", [0, 0, 0, 1]),
        ("A+B", [0, 1, 1, 1]),
        ("A | B & C", [0, 1, 0, 1, 0, 1, 1, 1]),
        ("(A ^ B)'", [1, 0, 0, 1]),
        ("A ^ B C", [0, 0, 0, 0, 0, 1, 1, 0]),
        ("A B ^ C", [0, 0, 0, 1, 0, 1, 0, 0]),
        ("(!A & (B | C))", [0, 0, 1, 0, 1, 0, 1, 0]),
        ("1", [1]),
        ("0", [0]),
    ],
)
def test_functions_follow_liberty_precedence(text: str, expected: list[int]) -> None:
    assert _rows(text) == [bool(v) for v in expected]


@pytest.mark.parametrize("text", ["(A", "A &", "A # B", "A)"])
def test_a_function_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="function"):
        parse_function(text)

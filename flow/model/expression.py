"""Expressions over metrics and parameters: arithmetic, comparison and a few functions, with units.

An expression is checked before anything runs: its syntax, the names in it,
and whether what it adds and compares has one unit. It is evaluated without
Python's ``eval``, so a manifest cannot do more than arithmetic.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flow.model.unit import PLAIN, Unit

__all__ = ["Expression", "ExpressionError"]

_MAX_LENGTH = 2000
_MAX_POWER = 64
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
#: Functions that keep the unit of what they are given.
_KEEPING: Mapping[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}
#: Functions of plain numbers.
_PLAIN: Mapping[str, Callable[..., Any]] = {
    "ceil": math.ceil, "floor": math.floor, "round": round, "log2": math.log2, "log10": math.log10,
    "exp": math.exp,
}  # fmt: skip
_FUNCTIONS = (*_KEEPING, *_PLAIN, "sqrt")


class ExpressionError(ValueError):
    """An expression that cannot be understood, or whose units do not fit."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, parsed.

    Parameters
    ----------
    text
        Python's syntax for numbers, strings, names, ``+ - * / // % **``,
        comparisons, ``in``, ``and or not``, ``a if b else c``, and the
        functions ``min max abs ceil floor round log2 log10 exp sqrt``;
        ``metric("timing__fmax__corner:ss")`` is a name that is no identifier.

    Raises
    ------
    ExpressionError
        It is anything else.
    """

    text: str
    tree: ast.expr = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.text) > _MAX_LENGTH:
            raise ExpressionError(f"an expression of {len(self.text)} characters is too long")
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
            names: dict[str, None] = {}
            _check(tree, names)
        except SyntaxError as error:
            raise ExpressionError(f"{_short(self.text)} is no expression: {error.msg}") from None
        except (RecursionError, MemoryError, ValueError) as error:
            if isinstance(error, ExpressionError):
                raise ExpressionError(f"{_short(self.text)}: {error}") from None
            raise ExpressionError(f"{_short(self.text)} is no expression") from None
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "names", tuple(names))

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        """Return the unit of the result.

        Parameters
        ----------
        units
            Unit of each name; plain numbers where one is missing.

        Raises
        ------
        ExpressionError
            What has different units is added or compared.
        """
        return _Units(units, self.text).of(self.tree)

    def evaluate(self, values: Mapping[str, Any], units: Mapping[str, Unit] | None = None) -> Any:  # noqa: ANN401
        """Return the result in base units (s, J, m ...), or ``None`` where it has none.

        It has none where a value that it needs is ``None``, where it divides
        by zero, and where the result is not finite.

        Parameters
        ----------
        values
            Value of each name.
        units
            Unit of each name; without, all are plain numbers.

        Raises
        ------
        KeyError
            A name has no value.
        ExpressionError
            Text is computed with.
        """
        try:
            result = _evaluate(self.tree, values, units or {})
        except (ZeroDivisionError, OverflowError):
            return None
        except TypeError as error:
            raise ExpressionError(f"{self.text!r}: {error}") from None
        except ValueError:  # the logarithm of nothing
            return None
        if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
            return None
        return result


def _check(node: ast.AST, names: dict[str, None]) -> None:
    """Refuse what is no arithmetic; collect names."""
    if isinstance(node, ast.Name):
        names[node.id] = None
        return
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str) or (
            isinstance(node.value, float) and not math.isfinite(node.value)
        ):
            raise ExpressionError(f"{node.value!r} is neither a number nor text")
        return
    if isinstance(node, ast.Call):
        if _metric(node) is not None:
            names[str(_metric(node))] = None
            return
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords:
            raise ExpressionError(
                f"{ast.unparse(node.func)} is none of the functions {', '.join(_FUNCTIONS)}"
            )
        if not node.args or (node.func.id not in ("min", "max") and len(node.args) != 1):
            raise ExpressionError(f"{node.func.id} takes one number")
        for argument in node.args:
            _check(argument, names)
        return
    allowed = (
        isinstance(node, ast.BinOp) and type(node.op) in _BINARY
    ) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd | ast.Not)
    ) or (
        isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops)
    ) or isinstance(node, ast.BoolOp | ast.IfExp | ast.Tuple | ast.List)  # fmt: skip
    if not allowed:
        raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in an expression")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check(child, names)


def _metric(node: ast.Call) -> str | None:
    """Return the name that ``metric("...")`` stands for."""
    if isinstance(node.func, ast.Name) and node.func.id == "metric" and len(node.args) == 1:
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and not node.keywords:
            return argument.value
    return None


def _evaluate(node: ast.expr, values: Mapping[str, Any], units: Mapping[str, Unit]) -> Any:  # noqa: ANN401, PLR0911, PLR0912
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) or (isinstance(node, ast.Call) and _metric(node) is not None):
        name = node.id if isinstance(node, ast.Name) else str(_metric(node))
        value = values[name]
        scale = units[name].scale if name in units else 1.0
        return value if value is None or scale == 1.0 or isinstance(value, str | bool) else value * scale
    if isinstance(node, ast.BoolOp):
        last: Any = None
        for part in node.values:
            last = _evaluate(part, values, units)
            if last is None or bool(last) is isinstance(node.op, ast.Or):
                return last
        return last
    if isinstance(node, ast.IfExp):
        condition = _evaluate(node.test, values, units)
        if condition is None:
            return None
        return _evaluate(node.body if condition else node.orelse, values, units)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_evaluate(item, values, units) for item in node.elts)
    if isinstance(node, ast.Compare):
        return _compare(node, values, units)
    if isinstance(node, ast.UnaryOp):
        value = _evaluate(node.operand, values, units)
        if value is None:
            return None
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) else +value
    if isinstance(node, ast.Call):
        return _call(node, [_evaluate(a, values, units) for a in node.args])
    assert isinstance(node, ast.BinOp)
    left, right = _evaluate(node.left, values, units), _evaluate(node.right, values, units)
    if left is None or right is None:
        return None
    if isinstance(left, str) or isinstance(right, str):
        raise TypeError("text cannot be computed with")
    if isinstance(node.op, ast.Pow) and abs(right) > _MAX_POWER:
        raise OverflowError
    return _BINARY[type(node.op)](left, right)


def _compare(node: ast.Compare, values: Mapping[str, Any], units: Mapping[str, Unit]) -> bool | None:
    left = _evaluate(node.left, values, units)
    for sign, item in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(item, values, units)
        if left is None or right is None:
            return None
        if not _COMPARE[type(sign)](left, right):
            return False
        left = right
    return True


def _call(node: ast.Call, arguments: list[Any]) -> Any:  # noqa: ANN401
    assert isinstance(node.func, ast.Name)
    if None in arguments:
        return None
    name = node.func.id
    if any(isinstance(a, str) for a in arguments):
        raise TypeError(f"{name} is of numbers, not of text")
    if name == "sqrt":
        return math.sqrt(arguments[0])
    if name in _KEEPING:
        return _KEEPING[name](*arguments) if name == "abs" else _KEEPING[name](arguments)
    return _PLAIN[name](*arguments)


class _Units:
    """Finds the unit of an expression from those of its names."""

    def __init__(self, units: Mapping[str, Unit], text: str) -> None:
        self._units, self._text = units, text

    def of(self, node: ast.expr) -> Unit:  # noqa: PLR0911
        if isinstance(node, ast.Name):
            return self._units.get(node.id, PLAIN)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.UnaryOp):
            inner = self.of(node.operand)
            return PLAIN if isinstance(node.op, ast.Not) else inner
        if isinstance(node, ast.IfExp):
            self.of(node.test)
            return self._same([node.body, node.orelse])
        if isinstance(node, ast.Compare):
            plain = [c for c in (node.left, *node.comparators) if not isinstance(c, ast.Tuple | ast.List)]
            self._same(plain)
            return PLAIN
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.of(part)
        return PLAIN

    def _same(self, nodes: list[ast.expr]) -> Unit:
        found = [self.of(node) for node in nodes]
        for node, unit in zip(nodes, found, strict=True):
            if not unit.agrees(found[0]):
                raise ExpressionError(
                    f"{self._text!r}: {ast.unparse(nodes[0])} is in {_said(found[0])}, "
                    f"but {ast.unparse(node)} in {_said(unit)}"
                )
        return found[0]

    def _call(self, node: ast.Call) -> Unit:
        name = _metric(node)
        if name is not None:
            return self._units.get(name, PLAIN)
        assert isinstance(node.func, ast.Name)
        if node.func.id in _KEEPING:
            return self._same(node.args)
        inner = self.of(node.args[0])
        if node.func.id == "sqrt":
            if any(e % 2 for e in inner.dimensions.values()):
                raise ExpressionError(f"{self._text!r}: {_said(inner)} has no root")
            halved = {k: e // 2 for k, e in inner.dimensions.items()}
            return Unit(math.sqrt(inner.scale), halved)
        if inner.dimensions:
            raise ExpressionError(f"{self._text!r}: {node.func.id} takes a plain number, not {_said(inner)}")
        return PLAIN

    def _binary(self, node: ast.BinOp) -> Unit:
        if isinstance(node.op, ast.Add | ast.Sub | ast.Mod):
            return self._same([node.left, node.right])
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div | ast.FloorDiv):
            return left / right
        return self._power(node, left, right)

    def _power(self, node: ast.BinOp, left: Unit, right: Unit) -> Unit:
        if right.dimensions:
            raise ExpressionError(f"{self._text!r}: an exponent is a plain number, not {_said(right)}")
        if not left.dimensions:
            return PLAIN
        try:
            exponent = ast.literal_eval(node.right)
        except ValueError:
            exponent = None
        if not isinstance(exponent, int):
            raise ExpressionError(f"{self._text!r}: what has a unit is raised to a whole number alone")
        return left**exponent


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _said(unit: Unit) -> str:
    return str(unit) or "no unit"

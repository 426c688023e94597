"""Code coverage as UCIS 1.0 XML has it: toggles, statements, expressions and branches of one instance."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

from flow.regress.codecov.collector import CodeMerged
from flow.regress.codecov.space import CodePoint

__all__ = ["add_code", "files_of"]

_TOGGLE = re.compile(r"(.*?)(?:\[(\d+)\])?:([01])->([01])$")

Text = Callable[[str], str]
Pair = tuple[CodePoint, int]


def files_of(code: CodeMerged) -> dict[str, int]:
    """Return the number of each source file; 1 is the manifest's."""
    names = dict.fromkeys(point.file for point in code.points)
    return {name: number for number, name in enumerate(names, 2)}


def add_code(instance: ET.Element, code: CodeMerged, text: Text) -> None:
    """Put what was hit of the code into an instance, without what is waived.

    Parameters
    ----------
    instance
        The element of the design.
    code
        What all runs hit; of toggles the count is that of runs.
    text
        Makes a text fit for an attribute.
    """
    files = files_of(code)
    by_kind: dict[str, list[Pair]] = {}
    for point, hits, waiver in zip(code.points, code.hits, code.waived, strict=True):
        if waiver < 0:
            by_kind.setdefault(point.kind, []).append((point, hits))
    _toggles(instance, by_kind.get("toggle", []), files, text)
    if lines := by_kind.get("line"):
        blocks = ET.SubElement(instance, "blockCoverage")
        for point, hits in lines:
            statement = ET.SubElement(blocks, "statement")
            _place(statement, point, files)
            _count(statement, "bin", hits)
    _expressions(instance, by_kind.get("expression", []), files, text)
    if branches := by_kind.get("branch"):
        element = ET.SubElement(instance, "branchCoverage")
        for point, hits in branches:
            statement = ET.SubElement(element, "statement", statementType="if", branchExpr=text(point.name))
            _place(statement, point, files)
            branch = ET.SubElement(statement, "branch")
            _place(branch, point, files)
            _count(branch, "branchBin", hits)


def _toggles(instance: ET.Element, toggles: list[Pair], files: dict[str, int], text: Text) -> None:
    if not toggles:
        return
    element = ET.SubElement(instance, "toggleCoverage")
    objects: dict[tuple[str, int, str], ET.Element] = {}
    bits: dict[tuple[str, int, str, str], ET.Element] = {}
    for point, hits in toggles:
        match = _TOGGLE.match(point.name)
        signal, bit, before, after = match.groups() if match else (point.name, None, "0", "1")
        at = point.file, point.line, signal
        if at not in objects:
            objects[at] = ET.SubElement(element, "toggleObject", name=text(signal), key=str(len(objects)))
            _place(objects[at], point, files)
        if (*at, bit or "") not in bits:
            name = signal if bit is None else f"{signal}[{bit}]"
            made = ET.SubElement(objects[at], "toggleBit", name=text(name), key=bit or "0")
            if bit is not None:
                ET.SubElement(made, "index").text = bit
            bits[*at, bit or ""] = made
        edge = ET.SubElement(bits[*at, bit or ""], "toggle", {"from": before, "to": after})
        _count(edge, "bin", hits)


def _expressions(instance: ET.Element, rows: list[Pair], files: dict[str, int], text: Text) -> None:
    """Write each expression with a bin for each row of its truth table."""
    places: dict[tuple[str, int], list[Pair]] = {}
    for point, hits in rows:
        places.setdefault((point.file, point.line), []).append((point, hits))
    if not places:
        return
    element = ET.SubElement(instance, "conditionCoverage")
    for key, ((file, line), own) in enumerate(places.items()):
        name = text(f"{file}:{line}")
        expression = ET.SubElement(
            element, "expr", name=name, key=str(key), exprString=name, index="0", width="1"
        )
        _place(expression, own[0][0], files)
        for point, _ in own:
            ET.SubElement(expression, "subExpr").text = text(point.name)
        for point, hits in own:
            _count(expression, "exprBin", hits, alias=text(point.name))


def _place(element: ET.Element, point: CodePoint, files: dict[str, int]) -> None:
    place = {"file": str(files[point.file]), "line": str(max(1, point.line)), "inlineCount": "1"}
    ET.SubElement(element, "id", place)


def _count(element: ET.Element, tag: str, hits: int, **attributes: str) -> None:
    ET.SubElement(ET.SubElement(element, tag, attributes), "contents", coverageCount=str(hits))

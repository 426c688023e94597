"""Merged coverage as the XML that UCIS 1.0 defines for interchange between tools."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree as ET

from flow.regress.codecov.collector import CodeMerged
from flow.regress.codecov.ucis import add_code, files_of
from flow.regress.coverage import FUNCTIONAL, Covered, Merged
from flow.regress.model import Regression

__all__ = ["ucis_xml", "write_ucis"]

_VERSION = "1.0"
# What the format cannot take in an attribute, and XML cannot at all.
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)], "?")


def _text(text: str) -> str:
    return text.translate(_CONTROL)


def ucis_xml(regression: Regression, merged: Merged, code: CodeMerged | None = None) -> str:
    """Return the coverage of a regression as UCIS 1.0 XML.

    The design is one instance with one cover group. The format has one goal
    for all bins of a coverpoint, so that one whose bins have several becomes
    several, called after their goals. Bins that must not be hit (goal 0) are
    of the type ``illegal``.

    Parameters
    ----------
    regression
        Whose coverage it is.
    merged
        What all its runs reached.
    code
        What they hit of the code; None where none was collected.
    """
    started = regression.started.partition("+")[0]  # UTC; not every reader knows offsets
    root = ET.Element("UCIS", ucisVersion=_VERSION, writtenBy="suzuri", writtenTime=started)
    ET.SubElement(root, "sourceFiles", fileName="suzuri.toml", id="1")
    for file, number in files_of(code).items() if code is not None else ():
        ET.SubElement(root, "sourceFiles", fileName=_text(file), id=str(number))
    ET.SubElement(
        root, "historyNodes",
        historyNodeId="0", logicalName=_text(regression.id), testStatus=str(regression.passed).lower(),
        date=started, toolCategory="UCIS:Simulator", ucisVersion=_VERSION, vendorId="Suzuri",
        vendorTool="suzuri", vendorToolVersion=_tool_version(), cmd=_text(regression.command),
        comment=f"merged over {merged.runs} runs",
    )  # fmt: skip
    name = _text(regression.design)
    instance = ET.SubElement(root, "instanceCoverages", name=name, key="0", instanceId="0", moduleName=name)
    place = {"file": "1", "line": "1", "inlineCount": "1"}
    ET.SubElement(instance, "id", place)
    if code is not None:
        add_code(instance, code, _text)
    if merged.points:
        _functional(instance, merged, name, place)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _functional(instance: ET.Element, merged: Merged, name: str, place: dict[str, str]) -> None:
    """Add the bins as one cover group."""
    cover = ET.SubElement(instance, "covergroupCoverage")
    group = ET.SubElement(cover, "cgInstance", name=FUNCTIONAL, key="0")
    ET.SubElement(group, "options")
    identity = ET.SubElement(group, "cgId", cgName=FUNCTIONAL, moduleName=name)
    ET.SubElement(identity, "cginstSourceId", place)
    ET.SubElement(identity, "cgSourceId", place)
    for key, (point, goal, bins) in enumerate(_coverpoints(merged)):
        element = ET.SubElement(group, "coverpoint", name=_text(point), key=str(key))
        ET.SubElement(element, "options", at_least=str(goal))
        for number, (entry, found) in enumerate(bins.items()):
            kind = "bins" if found.goal else "illegal"
            one = ET.SubElement(element, "coverpointBin", name=_text(entry), key=str(number), type=kind)
            span = ET.SubElement(one, "range", {"from": str(number), "to": str(number)})
            ET.SubElement(span, "contents", coverageCount=str(found.hits))


def _tool_version() -> str:
    try:
        return metadata.version("suzuri")
    except metadata.PackageNotFoundError:
        return "unknown"


def _coverpoints(merged: Merged) -> list[tuple[str, int, dict[str, Covered]]]:
    """Return name, goal and bins of each coverpoint, those with several goals split by them."""
    points: dict[str, dict[int, dict[str, Covered]]] = {}
    for point, found in merged.points.items():
        if point.kind == FUNCTIONAL:
            points.setdefault(point.group, {}).setdefault(found.goal, {})[point.name] = found
    listed: list[tuple[str, int, dict[str, Covered]]] = []
    for name, by_goal in points.items():
        illegal = by_goal.pop(0, {})
        if not by_goal:
            listed.append((name, 1, illegal))
            continue
        for number, (goal, bins) in enumerate(by_goal.items()):
            shown = name if len(by_goal) == 1 else f"{name} (goal {goal})"
            listed.append((shown, goal, bins | illegal if number == 0 else bins))
    return listed


def write_ucis(regression: Regression, merged: Merged, path: Path, code: CodeMerged | None = None) -> Path:
    """Write :func:`ucis_xml` to `path`, and return that."""
    path.write_text(ucis_xml(regression, merged, code), encoding="utf-8")
    return path

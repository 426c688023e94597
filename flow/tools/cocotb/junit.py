"""Read and merge the JUnit XML that cocotb writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree

from flow.model.errors import ToolError

__all__ = ["CaseStatus", "TestCase", "merge_junit", "place_in_bench", "read_junit"]

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_MESSAGE_LIMIT = 2000
_TRACE_LIMIT = 8000


class CaseStatus(StrEnum):
    """What became of one test case."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test case of a JUnit file.

    Attributes
    ----------
    module, name
        The Python module, and the test in it.
    status
        A test that failed as it was expected to is passed, as cocotb says.
    time_s, sim_time_ns
        Wall-clock and simulated time.
    message
        Why it failed: one line of exception and text.
    traceback
        Its end, where there is one.
    seed
        cocotb's seed of the run.
    file, line
        Where the test is defined.
    """

    __test__ = False  # not a pytest class

    module: str
    name: str
    status: CaseStatus
    time_s: float = 0.0
    sim_time_ns: float = 0.0
    message: str = ""
    traceback: str = ""
    seed: int | None = None
    file: str = ""
    line: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it failed, by an assertion or any other error."""
        return self.status in (CaseStatus.FAILED, CaseStatus.ERROR)


def read_junit(text: str | bytes) -> tuple[TestCase, ...]:
    """Return the test cases of a JUnit file.

    Raises
    ------
    ToolError
        It is empty, truncated or something else, which is what a simulator
        that crashed leaves behind.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ToolError("cocotb", f"the results file is not valid XML ({error})") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise ToolError("cocotb", f"the results file holds <{root.tag}>, not test results")
    return tuple(_case(element) for element in root.iter("testcase"))


def _case(element: ElementTree.Element) -> TestCase:
    properties = {
        item.get("name", ""): item.get("value", "") for item in element.iterfind("properties/property")
    }
    status, reason = CaseStatus.PASSED, None
    for tag, value in (
        ("skipped", CaseStatus.SKIPPED),
        ("failure", CaseStatus.FAILED),
        ("error", CaseStatus.ERROR),
    ):
        found = element.find(tag)
        if found is not None:
            status, reason = value, found
    return TestCase(
        module=element.get("classname", ""),
        name=element.get("name", ""),
        status=status,
        time_s=_number(element.get("time")),
        sim_time_ns=_number(properties.get("sim_time_duration")),
        message="" if reason is None else _message(reason),
        traceback="" if reason is None else (reason.text or "").strip()[-_TRACE_LIMIT:],
        seed=_integer(properties.get("random_seed")),
        file=properties.get("file", ""),
        line=_integer(properties.get("line")),
    )


def _message(reason: ElementTree.Element) -> str:
    kind, text = reason.get("type") or "", (reason.get("message") or "").strip()
    if kind and text:
        text = f"{kind}: {text}"
    text = text or kind or (reason.text or "").strip() or "failed, without a message"
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + " ..."


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _integer(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def place_in_bench(case: TestCase, bench_root: str) -> str:
    """Return where a test failed: the innermost frame of its traceback in the bench.

    Parameters
    ----------
    case
        The test case.
    bench_root
        Folder of the bench; the answer is relative to it.

    Returns
    -------
    str
        ``file:line``: of the failure, else of the test, else nothing.
    """
    prefix = bench_root.rstrip("/") + "/"
    inside = [m for m in _FRAME.finditer(case.traceback) if m["file"].startswith(prefix)]
    if inside:
        return f"{inside[-1]['file'].removeprefix(prefix)}:{inside[-1]['line']}"
    if case.file:
        name = case.file.removeprefix(prefix)
        return name if case.line is None else f"{name}:{case.line}"
    return ""


def merge_junit(files: Sequence[tuple[Mapping[str, str], str | bytes]]) -> str:
    """Merge several JUnit files into one that Jenkins and GitLab read.

    Parameters
    ----------
    files
        Properties to add to every test case (``test``, ``seed``), and the
        text of the file. One that cannot be read is left out: whoever merges
        has reported it by then.
    """
    merged = ElementTree.Element("testsuites", name="suzuri")
    for properties, text in files:
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError:
            continue
        for suite in _suites(root):
            for case in suite.iter("testcase"):
                _add_properties(case, properties)
            merged.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        merged.set(name, str(sum(int(_number(suite.get(name))) for suite in merged)))
    ElementTree.indent(merged)
    return ElementTree.tostring(merged, encoding="unicode", xml_declaration=True) + "\n"


def _suites(root: ElementTree.Element) -> Iterable[ElementTree.Element]:
    return [root] if root.tag == "testsuite" else root.findall("testsuite")


def _add_properties(case: ElementTree.Element, properties: Mapping[str, str]) -> None:
    if not properties:
        return
    holder = case.find("properties")
    if holder is None:
        holder = ElementTree.SubElement(case, "properties")
    for name, value in properties.items():
        ElementTree.SubElement(holder, "property", name=name, value=value)

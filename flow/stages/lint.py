"""Lint: every warning of Verilator, less those that the user waives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from flow.model.check import Check, Severity
from flow.model.design import LintWaiver
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.model.tool import Message
from flow.stages._sources import SourceTree
from flow.tools.verilator import OBJ_DIR, lint_command, read_files, read_log

__all__ = ["Finding", "Lint", "apply_waivers"]

#: Rules that say nothing about generated Verilog: how its file is named, and
#: how Amaranth writes initial values and the fields of structures.
_GENERATED_OFF = ("DECLFILENAME", "EOFNEWLINE", "PROCASSINIT", "UNUSEDSIGNAL")
_REMEDIES: Mapping[str, str] = {
    "UNOPTFLAT": "Break the loop with a register, or split the vector that only looks like one",
    "LATCH": "Assign the signal in every branch, or give it a default first",
    "MULTIDRIVEN": "Drive each bit from one place",
    "WIDTHTRUNC": "Select the bits that are meant",
    "WIDTHEXPAND": "Extend to the width that is meant",
    "UNUSEDSIGNAL": "Remove it, or name it *unused*",
    "UNDRIVEN": "Drive it, or remove it",
    "CASEINCOMPLETE": "Cover every value, or add a default",
    "BLKSEQ": "Use <= in clocked blocks",
    "COMBDLY": "Use = in combinational blocks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One message of the linter, at its place in the user's source."""

    rule: str
    severity: Severity
    message: str
    file: str
    line: int | None
    waived_by: LintWaiver | None = None

    @property
    def place(self) -> str:
        """``file:line``."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


def _matches(waiver: LintWaiver, finding: Finding) -> bool:
    if not fnmatchcase(finding.rule, waiver.rule) or not fnmatchcase(finding.file, waiver.file):
        return False
    if waiver.lines is not None:
        first, last = waiver.lines
        if finding.line is None or not first <= finding.line <= last:
            return False
    return waiver.match is None or fnmatchcase(finding.message, waiver.match)


def apply_waivers(
    findings: Iterable[Finding], waivers: Sequence[LintWaiver]
) -> tuple[tuple[Finding, ...], tuple[LintWaiver, ...]]:
    """Mark the warnings that a waiver accepts; errors cannot be waived.

    Returns
    -------
    tuple
        The findings, and the waivers that accepted nothing.
    """
    used: set[int] = set()
    marked: list[Finding] = []
    for finding in findings:
        hit = None
        if finding.severity is not Severity.ERROR:
            for index, waiver in enumerate(waivers):
                if _matches(waiver, finding):
                    used.add(index)
                    hit = hit or waiver
        marked.append(replace(finding, waived_by=hit))
    return tuple(marked), tuple(w for i, w in enumerate(waivers) if i not in used)


class Lint:
    """Read the RTL with Verilator's ``--lint-only -Wall``.

    Inputs: ``rtl`` or ``src`` (see ``flow.stages.rtl``). Parameters:
    ``waivers``, a list of tables with the fields of ``LintWaiver``;
    ``disabled``, rules that are off; ``extra_args``. Output: ``lint_log``.
    Metrics: ``design__lint_error__count``, ``design__lint_warning__count``,
    ``design__lint_waived__count``. Data: ``lint``, a row for each finding
    with ``rule``, ``severity``, ``message``, ``file``, ``line``, ``waived``.
    One finding stands for all of its rule at its line.
    """

    kind = "lint"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Lint the sources.

        Raises
        ------
        ConfigError
            A source cannot be read: a syntax error, a missing file or module;
            or a waiver is malformed.
        ToolError
            Verilator broke.
        """
        source = SourceTree(ctx)
        waivers = _waivers(ctx.params.get("waivers", ()))
        disabled = [*ctx.params.get("disabled", ()), *(_GENERATED_OFF if source.elaborated else ())]
        result = ctx.run(
            lint_command(
                ctx.tool("verilator"), source.hdl, disabled=disabled, extra=ctx.params.get("extra_args", ())
            )
        )
        ctx.output("lint_log", result.log)
        messages = read_log(result.text()).messages
        if source.unreadable(messages):
            raise source.error("verilator", messages, result.log, fallback="failed")
        broken = [m for m in messages if m.code == "INTERNAL"]
        if broken or (result.returncode != 0 and not messages):
            what = broken[0].text if broken else f"ended with exit status {result.returncode}"
            raise ToolError("verilator", what, result.log, "Report it with the source that causes it")
        self._report(ctx, _grouped(_finding(source, m) for m in messages), waivers)
        for dependencies in sorted((ctx.workdir / OBJ_DIR).glob("*__verFiles.dat")):
            source.report_reads(read_files(dependencies.read_text(encoding="utf-8", errors="replace")))

    @staticmethod
    def _report(ctx: StepContext, found: Sequence[Finding], waivers: Sequence[LintWaiver]) -> None:
        findings, unused = apply_waivers(found, waivers)
        open_ = [f for f in findings if f.waived_by is None]
        errors = [f for f in open_ if f.severity is Severity.ERROR]
        ctx.metric("design__lint_error__count", len(errors))
        ctx.metric("design__lint_warning__count", len(open_) - len(errors))
        ctx.metric("design__lint_waived__count", len(findings) - len(open_))
        for finding in open_:
            ctx.check(
                Check(
                    name=f"lint.{finding.rule}",
                    passed=False,
                    severity=finding.severity,
                    message=finding.message,
                    place=finding.place,
                    remedy=_REMEDIES.get(finding.rule, "Mend it, or waive it in the manifest with a reason"),
                )
            )
        for waiver in unused:
            ctx.check(
                Check(
                    name="lint.unused_waiver",
                    passed=False,
                    severity=Severity.WARNING,
                    message=f"the waiver of {waiver.rule} in {waiver.file} ({waiver.reason}) accepts nothing",
                    remedy="Remove it from the manifest",
                )
            )
        if not errors:
            ctx.check(Check(name="lint.clean", passed=True, message="no lint errors"))
        ctx.data(
            "lint",
            [
                {
                    "rule": f.rule,
                    "severity": f.severity.value,
                    "message": f.message,
                    "file": f.file,
                    "line": f.line,
                    "waived": None if f.waived_by is None else f.waived_by.reason,
                }
                for f in findings
            ],
        )


def _grouped(findings: Iterable[Finding]) -> list[Finding]:
    """Make one of the findings of a rule at one line: instances and bits repeat them."""
    groups: dict[tuple[str, str, int | None, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.file, finding.line, finding.severity), []).append(finding)
    return [
        first if not more else replace(first, message=f"{first.message} (and {len(more)} more here)")
        for first, *more in groups.values()
    ]


def _waivers(tables: Sequence[Mapping[str, Any]]) -> list[LintWaiver]:
    waivers = []
    for index, table in enumerate(tables):
        fields = dict(table)
        if fields.get("lines") is not None:
            fields["lines"] = tuple(fields["lines"])
        try:
            waivers.append(LintWaiver(**fields))
        except (TypeError, ValueError) as error:
            raise ConfigError(str(error), f"lint waiver {index + 1}", "Mend it in the manifest") from None
    return waivers


def _finding(source: SourceTree, message: Message) -> Finding:
    place = source.place(message)
    file, _, line = place.rpartition(":")
    return Finding(
        rule=message.code,
        severity=message.severity,
        message=source.said(message),
        file=file or place,
        line=int(line) if file and line.isdigit() else None,
    )

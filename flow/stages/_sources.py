"""What the stages that compile HDL share: sources, places in them, and errors about them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from flow.model.errors import ConfigError, FlowError, ToolError
from flow.model.step import StepContext
from flow.model.tool import Message
from flow.stages.rtl import RtlSources, rtl_sources
from flow.tools._hdl import HdlFiles, verilog_literal

__all__ = ["SourceTree"]

_SRC = re.compile(r'\(\*\s*(?:[^"*]*\s)?src\s*=\s*"([^"]+)"')
#: Codes of messages that mean the user's input cannot be read at all.
_UNREADABLE = frozenset(
    ("SYNTAX", "INCLUDE", "FILE", "TOP", "PARAMETER", "DEFINE", "MODMISSING", "UNDECLARED", "UNSUPPORTED")
)
_REMEDIES: Mapping[str, str] = {
    "SYNTAX": "Mend the source and run again",
    "INCLUDE": "Add its folder to include_dirs in the manifest, or mend the name",
    "FILE": "Add the file to sources in the manifest, or mend the name",
    "MODMISSING": "Add the file that defines the module to sources in the manifest",
    "TOP": "Mend top in the manifest",
    "PARAMETER": "Mend the parameters in the manifest",
    "DEFINE": "Add the macro to defines in the manifest, or include the file that defines it",
    "UNSUPPORTED": "The tool does not know this construct: rewrite it, or choose another simulator",
}


class SourceTree:
    """The RTL of a step, as compilers get it and as the user knows it.

    Parameters
    ----------
    ctx
        The step.

    Raises
    ------
    ConfigError
        A source is missing, or a parameter is of a type that Verilog has not.
    """

    def __init__(self, ctx: StepContext) -> None:
        self._ctx = ctx
        self.rtl: RtlSources = rtl_sources(ctx)
        for file in self.rtl.files:
            if not file.is_file():
                raise ConfigError(
                    "the source file is missing", self.rtl.relative(file), "Mend sources in the manifest"
                )
        for name, value in self.rtl.parameters.items():
            try:
                verilog_literal(value)
            except TypeError as error:
                raise ConfigError(str(error), f"parameters.{name}", "Mend it in the manifest") from None
        if not self.rtl.files:
            raise ConfigError(f"top {self.rtl.top} has no source file", "sources", "List the HDL files")

    @cached_property
    def hdl(self) -> HdlFiles:
        """The sources with paths relative to the step's directory, so that no result holds another path."""
        return HdlFiles(
            files=tuple(map(self._relative, self.rtl.files)),
            include_dirs=tuple(map(self._relative, self.rtl.include_dirs)),
            defines=self.rtl.defines,
            top=self.rtl.top,
            parameters=self.rtl.parameters,
        )

    @property
    def elaborated(self) -> bool:
        """Whether the RTL was generated from Python."""
        return self._ctx.has_input("rtl")

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self._ctx.workdir)

    def user_file(self, file: str) -> str:
        """Return a file of a message as the user knows it: relative to the manifest."""
        path = Path(os.path.normpath(self._ctx.workdir / file))
        for root in (self.rtl.root, self.rtl.root.resolve(), self.rtl.files[0].parent):
            if path.is_relative_to(root):
                return str(path.relative_to(root))
        return file

    def place(self, message: Message) -> str:
        """Return where in the user's source a message points.

        A line of elaborated Verilog is traced to the Python line that the
        nearest ``src`` attribute above it names.
        """
        if message.file is None:
            return ""
        if self.elaborated and message.line is not None:
            origin = self._python_place(message.file, message.line)
            if origin is not None:
                return origin
        name = self.user_file(message.file)
        return name if message.line is None else f"{name}:{message.line}"

    def _python_place(self, file: str, line: int) -> str | None:
        if Path(file).name != self.rtl.files[0].name:
            return None
        lines = self._elaborated_lines
        for text in reversed(lines[:line]):
            match = _SRC.search(text)
            if match:
                return match[1].split("|")[0]
            if text.startswith("endmodule"):
                break
        return None

    @cached_property
    def _elaborated_lines(self) -> list[str]:
        return self.rtl.files[0].read_text(encoding="utf-8", errors="replace").splitlines()

    def said(self, message: Message) -> str:
        """Return a message's text with the user's file names."""
        return re.sub(r"\bin/(?:src|rtl)/", "", message.text)

    def report_reads(self, files: Iterable[str]) -> None:
        """Tell the engine which files of the source tree the tool really read."""
        if self.elaborated:
            return
        for file in files:
            name = self.user_file(file)
            if not Path(name).is_absolute() and (self.rtl.root / name).is_file():
                self._ctx.read("src", name)
        for path in self.rtl.files:
            self._ctx.read("src", self.rtl.relative(path))

    def error(self, tool: str, messages: Iterable[Message], log: Path, *, fallback: str) -> FlowError:
        """Return what to raise for a tool that refused the sources.

        Parameters
        ----------
        tool
            Its name.
        messages
            What it said; the first error decides.
        log
            Its log.
        fallback
            What to say when it said nothing.
        """
        errors = [m for m in messages if m.severity.value == "error"]
        if not errors:
            return ToolError(tool, fallback, log)
        first = next((m for m in errors if m.code in _UNREADABLE), errors[0])
        if first.code in ("INTERNAL", "COMPILER", "CXX", "LINK", "MAKE"):
            return ToolError(tool, f"{first.place}: {first.text}" if first.place else first.text, log)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return ConfigError(
            f"{self.said(first)}{more}",
            self.place(first) or self.rtl.top,
            _REMEDIES.get(first.code, "Mend the source and run again"),
        )

    @staticmethod
    def unreadable(messages: Iterable[Message]) -> bool:
        """Whether any message means that the sources could not be read."""
        return any(m.code in _UNREADABLE - {"UNSUPPORTED"} and m.severity.value == "error" for m in messages)

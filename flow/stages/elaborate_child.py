"""Runs in a process of its own: imports an Amaranth top, builds it, writes Verilog.

Started as ``python -m flow.stages.elaborate_child REQUEST``, where REQUEST is
a JSON file. The answer is another JSON file: what was read of the user's
tree, the ports, or an error with its place in the user's source. The user's
code runs here and nowhere else, so whatever it does ends with this process.
"""

from __future__ import annotations

import difflib
import inspect
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from flow.stages.elaborate_values import typed_parameters

__all__ = ["Reads", "main", "place_of", "said_of"]


class _Refused(Exception):
    """The user's input cannot be used."""

    def __init__(self, what: str, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.answer = {"what": what, "where": where, "remedy": remedy}


class Reads:
    """Which files below a folder this process opened."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}/"
        self._found: set[str] = set()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], str) and args[0].startswith(self._root):
            self._found.add(args[0][len(self._root) :])

    def result(self) -> list[str]:
        """Files opened, and modules imported from byte code."""
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.startswith(self._root):
                self._found.add(path[len(self._root) :])
        return sorted(self._found)


def place_of(error: BaseException, root: Path) -> str | None:
    """``file:line`` of the innermost frame in the user's tree."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename, root)}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{root}/")]
    return f"{_relative(frames[-1].filename, root)}:{frames[-1].lineno}" if frames else None


def said_of(error: BaseException, root: Path) -> str:
    """Say what `error` is, with files as the user knows them."""
    return f"{type(error).__name__}: {error}".replace(f"{root}/", "")


def _remedy(error: BaseException, root: Path, otherwise: str) -> str:
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith(f"{root}/"):
        return "A design sees Python files only: list the others that it reads in data_files in the manifest."
    return otherwise


def _relative(path: str, root: Path) -> str:
    return path.removeprefix(f"{root}/")


def _load(top: str, root: Path) -> type:
    """Import ``package.module:Class``."""
    module_name, _, class_name = top.partition(":")
    try:
        module = __import__(module_name, fromlist=["_"])
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise _Refused(
                f"the module {module_name!r} of top {top!r} was not found",
                "design.top",
                "Check the name, python_root and python_packages in the manifest.",
            ) from None
        raise _Refused(
            f"importing {module_name!r} failed: {error}",
            place_of(error, root),
            f"Install {error.name!r}, or add it to python_packages.",
        ) from None
    except BaseException as error:
        raise _Refused(f"importing {module_name!r} failed: {said_of(error, root)}",
                       place_of(error, root), _remedy(error, root, "Mend the module.")) from None  # fmt: skip
    found = getattr(module, class_name, None)
    if found is None:
        names = [n for n, v in vars(module).items() if isinstance(v, type)]
        near = difflib.get_close_matches(class_name, names, n=1)
        remedy = (
            f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(sorted(names)) or 'no class'}."
        )
        raise _Refused(f"the module {module_name!r} has no {class_name!r}", "design.top", remedy)
    return _component(found, top)


def _component(found: object, top: str) -> type:
    from amaranth.hdl import Elaboratable
    from amaranth.lib import wiring

    if not isinstance(found, type) or not issubclass(found, Elaboratable):
        raise _Refused(
            f"{top!r} is not an Amaranth component but {_describe(found)}",
            "design.top",
            "Name a class derived from amaranth.lib.wiring.Component.",
        )
    if not issubclass(found, wiring.Component):
        raise _Refused(
            f"{top!r} is an Elaboratable without a signature, so its ports are not known",
            "design.top",
            "Derive it from amaranth.lib.wiring.Component and annotate its ports.",
        )
    return found


def _describe(found: object) -> str:
    return f"the class {found.__name__}" if isinstance(found, type) else f"a {type(found).__name__}"


def _construct(cls: type, top: str, parameters: dict[str, Any], root: Path) -> Any:  # noqa: ANN401
    """Call the constructor, turning what it refuses into words about the manifest."""
    signature = inspect.signature(cls)
    accepted = [
        name
        for name, p in signature.parameters.items()
        if name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name in parameters:
        if name not in accepted and not open_ended:
            near = difflib.get_close_matches(name, accepted, n=1)
            remedy = (
                f"Did you mean {near[0]!r}?"
                if near
                else f"It takes: {', '.join(accepted) or 'no parameter'}."
            )
            raise _Refused(f"{top!r} takes no parameter {name!r}", f"design.parameters.{name}", remedy)
    missing = [
        n
        for n in accepted
        if n not in parameters and signature.parameters[n].default is inspect.Parameter.empty
    ]
    if missing:
        raise _Refused(f"{top!r} needs the parameter {missing[0]!r}", f"design.parameters.{missing[0]}",
                       f"Add {missing[0]} = ... to [design.parameters].")  # fmt: skip
    try:
        return cls(**typed_parameters(cls, parameters))
    except (TypeError, ValueError) as error:
        named = [n for n in parameters if n in str(error)]
        where = f"design.parameters.{named[0]}" if named else "design.parameters"
        raise _Refused(f"{top!r} refuses its parameters: {error}", where, "Mend the value.") from None
    except BaseException as error:
        raise _Refused(f"making {top!r} failed: {said_of(error, root)}",
                       place_of(error, root),
                       _remedy(error, root, "Mend the constructor.")) from None  # fmt: skip


def _ports(component: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - an Amaranth component
    """Return the ports of the signature as they are called in Verilog."""
    from amaranth.hdl import Shape
    from amaranth.lib import wiring

    ports = []
    for path, member, _ in component.signature.flatten(component):
        shape = Shape.cast(member.shape)
        name = "__".join(str(part) for part in path)
        direction = "in" if member.flow is wiring.In else "out"
        ports.append({"name": name, "direction": direction, "width": shape.width, "signed": shape.signed})
    return ports


def _convert(component: Any, name: str, language: str, root: Path) -> str:  # noqa: ANN401 - an Amaranth component
    from amaranth.back import rtlil, verilog

    from flow.formats.verilog import settled

    try:
        text: str = {"rtlil": rtlil, "verilog": verilog}[language].convert(component, name=name)
    except BaseException as error:
        raise _Refused(
            f"elaborating {type(component).__name__!r} failed: {said_of(error, root)}",
            place_of(error, root),
            _remedy(error, root, "Mend the design there."),
        ) from None
    if language == "verilog":
        text = settled(text)
    # Locations relative to the tree: the same text whatever machine wrote it.
    source = 'attribute \\src "' if language == "rtlil" else 'src = "'
    packages = sorted({p for p in sys.path if p.endswith("-packages")}, key=len, reverse=True)
    for folder in (root, *packages):
        text = text.replace(f"{source}{folder}/", source).replace(f"|{folder}/", "|")
    return text


def main(request_path: str) -> int:
    """Do what the request says; the exit code is 0 unless this program itself is wrong."""
    request = json.loads(Path(request_path).read_text())
    root = Path(request["root"])
    sys.path.insert(0, str(root))
    reads = Reads(root)
    answer: dict[str, Any] = {}
    try:
        cls = _load(request["top"], root)
        component = _construct(cls, request["top"], request["parameters"], root)
        text = _convert(component, request["name"], request["language"], root)
        Path(request["rtl"]).write_text(text)
        answer["ports"] = _ports(component)
        if isinstance(getattr(component, "isa", None), str):
            answer["isa"] = component.isa  # a processor says what programs it takes
    except _Refused as refused:
        answer["error"] = refused.answer
    answer["reads"] = reads.result()
    Path(request["answer"]).write_text(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

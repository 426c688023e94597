"""What cocotb 2 removed, and what replaces it: benches for cocotb 1 are still everywhere."""

from __future__ import annotations

import re

__all__ = ["replacement"]

_NAMES = {
    "fork": "use cocotb.start_soon",
    "coroutine": "write async def, without a decorator",
    "function": "use cocotb.task.resume",
    "external": "use cocotb.task.bridge",
    "hook": "do it in the test, or when its module is imported",
    "scheduler": "await a trigger instead",
}
_MODULES = {
    "binary": "use cocotb.types.LogicArray",
    "decorators": "import test from cocotb",
    "bus": "install cocotb-bus and import cocotb_bus.bus",
    "drivers": "install cocotb-bus and import cocotb_bus.drivers",
    "monitors": "install cocotb-bus and import cocotb_bus.monitors",
    "scoreboard": "install cocotb-bus and import cocotb_bus.scoreboard",
    "generators": "write a generator of your own",
    "log": "use the module logging, or cocotb.logging",
    "fork": "use cocotb.start_soon",
}
_ATTRIBUTE = re.compile(r"module 'cocotb' has no attribute '(\w+)'")
_NAME = re.compile(r"cannot import name '(\w+)' from 'cocotb'")
_MODULE = re.compile(r"No module named 'cocotb\.(\w+)")
_RESULT = re.compile(r"cannot import name '(\w+)' from 'cocotb\.result'")
_ASSIGNMENT = re.compile(r"'<=' not supported between instances of '\w*(?:Object|Handle)' and")


def replacement(message: str) -> str | None:
    """Return what to write instead, when `message` is about something that cocotb 2 removed."""
    for pattern, known in ((_ATTRIBUTE, _NAMES), (_NAME, _NAMES), (_MODULE, _MODULES)):
        match = pattern.search(message)
        if match and match[1] in known:
            return f"cocotb 2 removed cocotb.{match[1]}: {known[match[1]]}"
    if match := _RESULT.search(message):
        return f"cocotb 2 removed {match[1]}: assert, or raise any exception, to fail a test"
    if _ASSIGNMENT.search(message):
        return "cocotb 2 removed assignment by <=: write dut.signal.value = ..."
    return None

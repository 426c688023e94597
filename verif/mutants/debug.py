"""Faults in debugging, memory protection and triggers, each found by the tests of its part."""

from verif.mutants import Mutant

__all__ = ["MUTANTS"]

_COMMANDS = "rtl/riscv/debug/commands.py"
_MODULE = "rtl/riscv/debug/module.py"
_JTAG = "rtl/riscv/debug/jtag.py"
_PMP = "rtl/riscv/system/pmp.py"
_TRIGGERS = "rtl/riscv/system/triggers.py"
_REGISTERS = "rtl/riscv/system/debug_registers.py"

_DEBUGGER = "tests/rtl/riscv/debug/test_debugger.py"
_PINS = "tests/rtl/riscv/debug/test_jtag.py"
_SYSTEM = "tests/rtl/riscv/system"


def _faults(path: str, faults: dict[str, tuple[str, str]]) -> list[Mutant]:
    return [
        Mutant(name=name, path=path, anchor=anchor, replacement=replacement)
        for name, (anchor, replacement) in faults.items()
    ]


#: What the tests in a file or folder must find.
MUTANTS: dict[str, list[Mutant]] = {
    _DEBUGGER: [
        *_faults(
            _COMMANDS,
            {
                "borrowed-register-kept": (
                    "self.busy & (ended | ~wanted)",
                    "self.busy & (ended | ~wanted | wrong)",
                ),
                "byte-loads-extend-sign": (
                    "Cat(command.size[:2], ~command.size[1])",
                    "Cat(command.size[:2], Const(0, 1))",
                ),
                "program-after-failure": (
                    "runs = ~memory & command.execute & ~wrong",
                    "runs = ~memory & command.execute",
                ),
                "dret-executed": (" | (raw == _DRET)", ""),
                "running-hart-accepted": (
                    "Mux(self.halted, CommandError.NONE, CommandError.HALT_RESUME)",
                    "CommandError.NONE",
                ),
            },
        ),
        *_faults(
            _MODULE,
            {
                "busy-not-reported": ("with m.If(too_early):", "with m.If(too_early & 0):"),
                "command-in-spite-of-error": (
                    "idle = ~self._busy & (self._error == CommandError.NONE)",
                    "idle = ~self._busy",
                ),
                "auto-does-nothing": (
                    "anew | (idle & (touched & self._auto).any())",
                    "anew",
                ),
                "no-halt-on-reset": ("hart.halt_on_reset.eq(halt_on_reset)", "hart.halt_on_reset.eq(0)"),
                "window-is-always-data0": (
                    "hart.data_in.eq(Mux(runner.second, self._data[1], self._data[0]))",
                    "hart.data_in.eq(self._data[0])",
                ),
            },
        ),
        *_faults(
            _REGISTERS,
            {
                "cause-kept": (
                    "m.d.sync += [cause.eq(self.cause), self.active.eq(1)]",
                    "m.d.sync += self.active.eq(1)",
                ),
            },
        ),
    ],
    _PINS: _faults(
        _JTAG,
        {
            "tdo-at-rising-edge": (
                "m.d.tck_fall += self.jtag.tdo.eq(shift[0])\n            with m.Switch(instruction):",
                "m.d.tck += self.jtag.tdo.eq(shift[0])\n            with m.Switch(instruction):",
            ),
            "busy-forgotten": ("stuck.eq(stuck | pending)", "stuck.eq(stuck)"),
            "pause-shifts": (
                "TapState.EXIT2_DR: (TapState.SHIFT_DR,",
                "TapState.EXIT2_DR: (TapState.CAPTURE_DR,",
            ),
        },
    ),
    _SYSTEM: [
        *_faults(
            _PMP,
            {
                "last-region-wins": ("passed.eq(unmatched & ~match)", "passed.eq(unmatched)"),
                "base-not-locked": (
                    "locked = locked | (above.locked & (above.matching == PmpMatching.TOR))",
                    "locked = locked | (above.locked & 0)",
                ),
                "napot-too-small": ("trailing_ones[:-1] & napot", "trailing_ones[1:] & napot"),
                "machine-mode-ignores-locks": ("(machine & ~region.locked)", "machine"),
            },
        ),
        *_faults(
            _TRIGGERS,
            {
                "debuggers-triggers-open": ("(self.debug | ~trigger.locked)", "1"),
                "program-may-halt": ("(written[12:16] == 1) & locks", "written[12:16] == 1"),
                "fires-in-a-handler": ("(trigger.debug | self.enabled)", "1"),
            },
        ),
    ],
}

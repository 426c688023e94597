"""Functional coverage of a core: instructions, traps, hazards, waits."""

from collections import deque

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause
from verif.agents.memory_bus import BusAccess
from verif.agents.rvfi import Retirement
from verif.coverage import Coverage
from verif.lockstep.csrs import interrupt_mask
from verif.lockstep.encoding import extensions, instructions
from verif.models.riscv import Retired

__all__ = ["CoreCoverage"]

_DISTANCES = 3
_WAITS = ((0, "0"), (1, "1"), (3, "2..3"))
_INTERRUPT = 1 << 31


class CoreCoverage:
    """Bins of one core.

    Parameters
    ----------
    config
        The core.
    traced
        Whether it has RVFI; without, only the buses are covered.
    """

    def __init__(self, config: CoreConfig, *, traced: bool) -> None:
        self.coverage = add = Coverage()
        enabled = extensions(config)
        self._known = [item for item in instructions(enabled) if item.group != "illegal"]
        self._recent: deque[tuple[int, str]] = deque(maxlen=_DISTANCES)
        waits = [name for _, name in _WAITS] + ["4+"]
        self._waits = {
            (bus, what): add.add(f"riscv.{bus}.{what}", waits)
            for bus in ("ibus", "dbus")
            for what in ("wait", "latency")
        }
        self.access = add.cross("riscv.access", ("read", "write"), ("1", "2", "4"), ("good", "error"))
        if not traced:
            return
        self.instruction = add.add("riscv.instruction", [item.name for item in self._known])
        machine_only = () if config.user_mode else (Cause.ECALL_U,)
        aligned = (Cause.INSTRUCTION_MISALIGNED,) if config.c else ()
        causes = [cause for cause in Cause if cause not in (*machine_only, *aligned)]
        self.trap = add.add("riscv.trap", [cause.name.lower() for cause in causes])
        numbers = [number for number in range(32) if interrupt_mask(config) >> number & 1]
        self.interrupt = add.add("riscv.interrupt", [str(number) for number in numbers])
        self.branch = add.cross("riscv.branch", ("forward", "backward"), ("taken", "not_taken"))
        groups = sorted({item.group for item in self._known if item.fields[0] != "-"})
        self.hazard = add.cross("riscv.hazard", groups, [str(n + 1) for n in range(_DISTANCES)])

    def take_bus(self, name: str, access: BusAccess) -> None:
        """Count an access of a bus."""
        for what, value in (("wait", access.waited), ("latency", access.latency - 1)):
            bin_name = next((text for limit, text in _WAITS if value <= limit), "4+")
            self._waits[name, what].hit(bin_name)
        if name == "dbus":
            kind = "write" if access.write else "read"
            result = "error" if access.error else "good"
            self.access.hit(f"{kind}*{access.strobe.bit_count()}*{result}")

    def take_instruction(self, seen: Retirement, expected: Retired) -> None:
        """Count an instruction."""
        if seen.fields["intr"] and seen.state is not None:
            self.interrupt.hit(str(seen.state["mcause"] & 31))
        if expected.trap and seen.state is not None and not seen.state["mcause"] & _INTERRUPT:
            self.trap.hit(Cause(seen.state["mcause"]).name.lower())
        operation = expected.operation
        if operation is None:
            self._recent.append((0, ""))
            return
        self.instruction.hit(operation.mnemonic)
        if operation.group == "branch" and not expected.trap:
            way = "backward" if operation.immediate < 0 else "forward"
            taken = expected.next_pc != (expected.pc + operation.size) & 0xFFFF_FFFF
            self.branch.hit(f"{way}*{'taken' if taken else 'not_taken'}")
        for distance, (rd, group) in enumerate(reversed(self._recent), 1):
            if rd and rd in (operation.rs1, operation.rs2):
                self.hazard.hit(f"{group}*{distance}")
        self._recent.append((expected.rd, operation.group if expected.rd else ""))

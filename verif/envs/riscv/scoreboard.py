"""Compare what a core does with the model, instruction by instruction, or write by write."""

from pyuvm import uvm_analysis_export, uvm_component

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Csr
from verif.agents.memory_bus import BusAccess
from verif.agents.rvfi import Retirement
from verif.envs.riscv.platform import Platform, Shadow, is_device
from verif.models.riscv import Hart, Observation, Retired

__all__ = ["CoreScoreboard", "Recorder", "ScoreboardError"]

_ADOPTED_STATE = ("mip",)
_MODEL_LIMIT = 200_000
_INTERRUPT_CAUSE = 31


class ScoreboardError(AssertionError):
    """The core and its model differ, or there was nothing to compare."""


class Recorder(uvm_analysis_export):
    """Pass every report on to a function."""

    def __init__(self, name: str, parent: uvm_component) -> None:
        super().__init__(name, parent)
        self.take = lambda item: None

    def write(self, datum: object) -> None:
        """Take a report."""
        self.take(datum)


class CoreScoreboard(uvm_component):
    """Run the model beside the core.

    With RVFI every instruction is compared as it retires. Without, the model
    runs at the end, and the writes of the data bus are compared.

    Parameters
    ----------
    name, parent
        As for every component.
    config
        The core.
    platform
        What the core sees; call :meth:`load` when a program is in it.

    Attributes
    ----------
    instructions, traps, interrupts
        How many there were.
    cut_short
        Set when the program was stopped before its end.
    on_instruction
        Called with each pair of report and model's result.
    """

    def __init__(self, name: str, parent: uvm_component, *, config: CoreConfig, platform: Platform) -> None:
        super().__init__(name, parent)
        self.config, self.platform = config, platform
        self.instructions = self.traps = self.interrupts = 0
        self.cut_short = False
        self.on_instruction = lambda seen, expected: None
        self._writes: list[BusAccess] = []

    def build_phase(self) -> None:
        """Make the exports."""
        self.retirements = Recorder("retirements", self)
        self.retirements.take = self._retire
        self.accesses = Recorder("accesses", self)
        self.accesses.take = self._access

    def load(self) -> None:
        """Begin anew, with the platform's memory as it is."""
        self._shadow = Shadow(self.platform)
        self._hart = Hart(self.config, self._shadow, is_device)
        self._writes.clear()
        self._order: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the model has written the exit register; what follows does not count."""
        return self._shadow.exit_code is not None

    def _access(self, access: BusAccess) -> None:
        if access.write and not access.error:
            self._writes.append(access)

    def _retire(self, seen: Retirement) -> None:
        if self.ended:
            return
        fields = seen.fields
        interrupt = self._interrupt(seen) if fields["intr"] else None
        try:
            expected = self._hart.step(
                Observation(interrupt=interrupt, rd_value=fields["rd_wdata"], loaded=fields["mem_rdata"])
            )
        except ValueError as error:
            raise ScoreboardError(str(error)) from None
        self._compare(seen, expected)
        self.instructions += 1
        self.traps += expected.trap
        self.interrupts += interrupt is not None
        self.on_instruction(seen, expected)

    def _interrupt(self, seen: Retirement) -> int:
        """Return which interrupt came: the most urgent one that the handler's first instruction shows."""
        if seen.state is None or not seen.state["mcause"] >> _INTERRUPT_CAUSE:
            raise ScoreboardError(f"cycle {seen.cycle}: intr, but mcause says otherwise")
        return seen.state["mcause"] & 31

    def _compare(self, seen: Retirement, expected: Retired) -> None:
        fields = seen.fields
        wanted = {
            "pc_rdata": expected.pc,
            "trap": int(expected.trap),
            "pc_wdata": expected.next_pc,
            "rd_addr": expected.rd,
            "rd_wdata": expected.rd_value,
        }
        if not (expected.trap and self._hart.csrs.values[Csr.MCAUSE] == Cause.INSTRUCTION_FAULT):
            wanted["insn"] = expected.insn  # else nothing came, and what RVFI shows says nothing
        if self._order is not None:
            wanted["order"] = self._order + 1
        self._order = fields["order"]
        if not expected.trap:
            wanted |= self._memory_fields(seen, expected)
        for source in ("rs1", "rs2"):
            number = fields[f"{source}_addr"]
            if number and number != expected.rd:
                wanted[f"{source}_rdata"] = self._hart.registers[number]
        differences = [
            f"{name} is {fields[name]:#x}, not {value:#x}"
            for name, value in wanted.items()
            if fields[name] != value
        ]
        if seen.state is not None:
            differences += self._state_differences(seen.state)
        if differences:
            name = expected.operation.mnemonic if expected.operation else "illegal"
            raise ScoreboardError(
                f"cycle {seen.cycle}: instruction {fields['order']} at {expected.pc:#x}, {name} "
                f"({expected.insn:#x}): {'; '.join(differences)}"
            )

    def _memory_fields(self, seen: Retirement, expected: Retired) -> dict[str, int]:
        wanted = {"mem_rmask": expected.read_mask, "mem_wmask": expected.write_mask}
        if expected.read_mask or expected.write_mask:
            wanted["mem_addr"] = expected.address
        if expected.write_mask:
            mask = sum(0xFF << 8 * lane for lane in range(4) if expected.write_mask >> lane & 1)
            others = seen.fields["mem_wdata"] & ~mask
            wanted["mem_wdata"] = expected.write_data & mask | others
        return wanted

    def _state_differences(self, state: dict[str, int]) -> list[str]:
        values = self._hart.csrs.values
        numbers = {
            "mstatus": 0x300,
            "mepc": 0x341,
            "mcause": 0x342,
            "mtval": 0x343,
            "mtvec": 0x305,
            "mie": 0x304,
            "mscratch": 0x340,
        }
        known = self._known_state
        return [
            f"{name} is {state[name]:#x}, not {values[number]:#x}"
            for name, number in numbers.items()
            if name in known and state[name] != values[number]
        ]

    @property
    def _known_state(self) -> set[str]:
        """Registers with a value: four have none after reset, until they are written."""
        written = self._hart.csrs.written
        late = {"mtvec": 0x305, "mscratch": 0x340, "mepc": 0x341, "mtval": 0x343}
        return {"mstatus", "mcause", "mie"} | {name for name, number in late.items() if number in written}

    def check_phase(self) -> None:
        """Compare the writes, and fail when there was nothing to compare."""
        if not self.instructions:
            self._run_model()
        wanted = self._shadow.writes
        got = [(a.address, a.strobe, self._cut(a)) for a in self._writes][: len(wanted)]
        for number, (expected, seen) in enumerate(zip(wanted, got, strict=False)):
            if expected != seen:
                raise ScoreboardError(f"write {number} is {_write(seen)}, not {_write(expected)}")
        if self.cut_short and self.instructions:
            return  # the last writes may be on one side only
        if len(wanted) != len(got):
            raise ScoreboardError(f"the core wrote {len(got)} times, the model {len(wanted)} times")
        if not self.ended:
            raise ScoreboardError("the program did not end")

    @staticmethod
    def _cut(access: BusAccess) -> int:
        return access.data & sum(0xFF << 8 * lane for lane in range(4) if access.strobe >> lane & 1)

    def _run_model(self) -> None:
        for _ in range(_MODEL_LIMIT):
            self._hart.step(Observation())
            if self._shadow.exit_code is not None:
                return
        raise ScoreboardError(f"the model has not ended the program in {_MODEL_LIMIT} instructions")


def _write(item: tuple[int, int, int]) -> str:
    address, strobe, data = item
    return f"{data:#010x} to {address:#x} (strobe {strobe:04b})"

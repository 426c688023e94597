"""A core in an environment of any memory and any interrupts, with one check over what it retires."""

from collections.abc import Callable

from amaranth.hdl import Assume, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, PureInterface

from rtl.riscv.config import CoreConfig
from rtl.riscv.core import Core
from verif.formal.riscv import checks, machine
from verif.formal.riscv.compressed import compressed_set
from verif.formal.riscv.environment import BusModel, Symbols, attach_bus, hold
from verif.formal.riscv.instructions import instruction_set
from verif.formal.riscv.semantics import Operands, execute
from verif.formal.riscv.view import Lane, Retirements

__all__ = ["CHECKS", "CoreProperties", "add_properties", "check_names"]

#: Checks by name. A group of instructions, or one instruction, is a check as well.
CHECKS: dict[str, Callable[[Module, Retirements], None]] = {
    "instruction": checks.instruction,
    "illegal": checks.illegal,
    "pc": checks.pc,
    "order": checks.order,
    "registers": checks.registers,
    "instruction_memory": checks.instruction_memory,
    "data_memory": checks.data_memory,
    "bus": checks.bus,
    "liveness": checks.liveness,
    "csr_state": machine.csr_state,
    "traps": machine.traps,
    "faults": machine.faults,
    "interrupts": machine.interrupts,
    "interrupt_taken": machine.interrupt_taken,
}
_WITH_INTERRUPTS = frozenset(("interrupts", "interrupt_taken"))
_STATE = ("mstatus", "mepc", "mcause", "mtval", "mtvec", "mie", "mscratch")
_LANE = {
    "valid": 1, "order": 64, "insn": 32, "trap": 1, "halt": 1, "intr": 1, "mode": 2, "ixl": 2,
    "rs1_addr": 5, "rs2_addr": 5, "rs1_rdata": 32, "rs2_rdata": 32, "rd_addr": 5, "rd_wdata": 32,
    "pc_rdata": 32, "pc_wdata": 32, "mem_addr": 32, "mem_rmask": 4, "mem_wmask": 4, "mem_rdata": 32,
    "mem_wdata": 32,
}  # fmt: skip


class CoreProperties(wiring.Component):
    """A core of the family, and a check.

    Parameters
    ----------
    check
        One of :data:`CHECKS`, a group of instructions such as ``branch``, or
        one instruction such as ``c.lwsp``.
    preset, options
        The core, as in :class:`rtl.riscv.core.Core`.
    memory
        ``any``: grants and answers come when they like; ``ideal``: at once
        and in the next cycle.
    interrupts
        Whether interrupt lines may be raised; by default, only for the
        checks about them.
    within
        For ``liveness``, cycles until the next retirement, with waits of one
        cycle at most on either bus; for ``interrupt_taken``, instructions.

    Members
    -------
    All inputs that the solver chooses.

    Raises
    ------
    TypeError, ValueError
        As the core; or there is no such check or memory.
    """

    def __init__(
        self,
        *,
        check: str,
        preset: str = "small",
        memory: str = "any",
        interrupts: bool = False,
        within: int = 60,
        **options: object,
    ) -> None:
        if memory not in ("any", "ideal"):
            raise ValueError(f"memory must be 'any' or 'ideal', not {memory!r}")
        known = check_names(CoreConfig.preset(preset, **options))
        if check not in known:
            raise ValueError(f"no check, instruction or group of this core is called {check!r}")
        self._check, self._memory, self._interrupts, self._within = check, memory, interrupts, within
        self._core = Core(preset=preset, rvfi=True, **options)
        super().__init__(_signature(self._core.config))

    def elaborate(self, platform: object) -> Module:
        """Return the core, its environment and the assertions."""
        m = Module()
        m.submodules.core = self._core
        add_properties(
            m, self._core, self._core.config, self, self._check, memory=self._memory,
            interrupts=self._interrupts, within=self._within,
        )  # fmt: skip
        return m


def check_names(config: CoreConfig) -> tuple[str, ...]:
    """Return the checks that a core of this configuration can be put under, instructions by name included."""
    found = instruction_set(config)
    names = [*CHECKS, *(i.group for i in found), *(i.name for i in found)]
    if config.c:
        names += ["compressed", *(c.name for c in compressed_set(config))]
    return tuple(dict.fromkeys(names))


def _signature(config: CoreConfig) -> dict[str, wiring.Member]:
    """Return what a solver chooses: the answers of memory, interrupts, time, and the symbolic constants."""
    members = {"time": In(64), "interrupts": In(32)}
    for name, width in (("ibus", config.fetch_width), ("dbus", 32)):
        members |= {f"{name}_grant": In(1), f"{name}_response": In(1), f"{name}_error": In(1)}
        members[f"{name}_read_data"] = In(width)
    members |= {"any_register": In(5), "any_address": In(32), "any_data": In(32)}
    return members | {"any_page": In(20), "any_fetch_page": In(20)}


def add_properties(
    m: Module,
    dut: PureInterface,
    config: CoreConfig,
    chosen: PureInterface,
    check: str,
    *,
    memory: str = "any",
    interrupts: bool = False,
    within: int = 60,
) -> None:
    """Put `dut`, a core with :func:`rtl.riscv.interfaces.core_signature`, under one check.

    Parameters
    ----------
    m
        Where everything goes.
    dut
        The core; a submodule of `m`.
    config
        Its configuration.
    chosen
        Inputs as :class:`CoreProperties` has them.
    check, memory, interrupts, within
        As for :class:`CoreProperties`.
    """
    symbols = {name: getattr(chosen, f"any_{name}") for name in ("register", "address", "data", "page")}
    symbols["fetch_page"] = chosen.any_fetch_page
    hold(m, *symbols.values())
    m.d.comb += Assume(symbols["register"] != 0)
    _attach(m, dut, config, chosen, check, memory, symbols)
    with_interrupts = interrupts or check in _WITH_INTERRUPTS
    lines = dut.interrupts
    bits = [lines.software, lines.timer, lines.external]
    bits += list(lines.local) if config.local_interrupts else []
    for place, line in enumerate(bits):
        m.d.comb += line.eq(chosen.interrupts[place] if with_interrupts else 0)
    view = _view(m, dut, config, symbols, check, within)
    CHECKS.get(check, checks.instruction)(m, view)


def _attach(
    m: Module,
    dut: PureInterface,
    config: CoreConfig,
    chosen: PureInterface,
    check: str,
    memory: str,
    symbols: dict[str, Value],
) -> None:
    if config.zicntr:
        m.d.comb += dut.time.eq(chosen.time)
    for name in ("ibus", "dbus"):
        port = getattr(dut, name)
        for signal in ("grant", "response", "error", "read_data"):
            m.d.comb += getattr(port, signal).eq(getattr(chosen, f"{name}_{signal}"))
        page = symbols["page" if name == "dbus" else "fetch_page"] if check == "faults" else None
        model = BusModel(
            ideal=memory == "ideal",
            patience=1 if check == "liveness" else None,
            consistent=check == ("data_memory" if name == "dbus" else "instruction_memory"),
        )
        constants = Symbols(address=symbols["address"], data=symbols["data"], page=page)
        attach_bus(m, port, name, model, constants)


def _view(
    m: Module, dut: PureInterface, config: CoreConfig, symbols: dict[str, Value], check: str, within: int
) -> Retirements:
    """Name what retires, so that a trace of the top module shows it, and keep what came before."""
    rvfi = dut.rvfi
    products = check in ("instruction", "multiply", "divide") or check.startswith(("mul", "div", "rem"))
    lanes = []
    for number in range(config.issue_width):
        fields = {}
        for name, width in _LANE.items():
            fields[name] = Signal(width, name=f"retire{number}_{name}")
            m.d.comb += fields[name].eq(getattr(rvfi, name).word_select(number, width))
        operands = Operands(
            insn=fields["insn"], pc=fields["pc_rdata"], mode=fields["mode"],
            rs1=fields["rs1_rdata"], rs2=fields["rs2_rdata"], read_data=fields["mem_rdata"],
        )  # fmt: skip
        lanes.append(
            Lane(rvfi=fields, effect=execute(m, config, operands, f"expect{number}", products=products))
        )
    state = {name: Signal(32, name=f"state_{name}") for name in _STATE}
    m.d.comb += [signal.eq(getattr(rvfi.state, name)) for name, signal in state.items()]
    seen = Signal(name="seen")
    last = {name: Signal(32, name=f"last_{name}") for name in _STATE}
    last |= {"pc_wdata": Signal(32, name="last_pc_wdata"), "order": Signal(64, name="last_order")}
    last["mode"] = Signal(2, name="last_mode")
    for lane in lanes:
        with m.If(lane.valid):
            m.d.sync += seen.eq(1)
            m.d.sync += [last[name].eq(lane.rvfi[name]) for name in ("pc_wdata", "order", "mode")]
            m.d.sync += [last[name].eq(value) for name, value in state.items()]
    named = check in CHECKS and check != "instruction"
    return Retirements(
        config=config, lanes=tuple(lanes), state=state, seen=seen, last=last, dut=dut, symbols=symbols,
        faults=check == "faults", only="" if named or check == "instruction" else check, within=within,
    )  # fmt: skip

"""Which CSRs a core has, and where it differs from Spike in what the specification leaves open."""

from collections.abc import Iterator

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Csr, Interrupt
from verif.lockstep.memories import local_memories

__all__ = ["csr_addresses", "csr_rules", "interrupt_mask", "spike_options"]

_EVENTS = range(3, 32)
_PMP_CONFIGURATIONS = 16
_PMP_ADDRESSES = 64
_CAUSE_SIGN = 1 << 31


def interrupt_mask(config: CoreConfig) -> int:
    """Return the bits of ``mie`` that a core has."""
    standard = 1 << Interrupt.SOFTWARE | 1 << Interrupt.TIMER | 1 << Interrupt.EXTERNAL
    return standard | ((1 << config.local_interrupts) - 1) << Interrupt.LOCAL


def csr_rules(config: CoreConfig) -> dict[int, str]:
    """Return how each CSR of a core behaves, as the comparator's ``--csr`` says it.

    ``keep``: as in Spike; ``adopt``: the same, but a read returns what the
    core read; ``const:VALUE``; ``masked:WRITABLE:VALUE``;
    ``vector:BYTES``: ``mtvec`` with a table aligned to so many bytes.
    Registers that are not listed do not exist.
    """
    rules = dict(_machine(config))
    rules |= dict(_counters(config))
    if config.user_mode:
        rules |= {Csr.MENVCFG: "const:0", Csr.MENVCFGH: "const:0"}
    if config.pmp_regions:
        for index in range(_PMP_CONFIGURATIONS):
            rules[Csr.PMPCFG0 + index] = "keep" if 4 * index < config.pmp_regions else "const:0"
        for index in range(_PMP_ADDRESSES):
            rules[Csr.PMPADDR0 + index] = "keep" if index < config.pmp_regions else "const:0"
    return {int(address): rule for address, rule in rules.items()}


def _machine(config: CoreConfig) -> Iterator[tuple[int, str]]:
    causes = 31 if config.local_interrupts else 15
    letters = ["e" if config.e else "i"]
    letters += [name for name in "mac" if getattr(config, name)]
    letters += ["b"] if config.zba and config.zbb and config.zbs else []
    letters += ["u"] if config.user_mode else []
    letters += ["x"] if config.custom != "none" else []
    misa = 1 << 30 | sum(1 << (ord(letter) - ord("a")) for letter in letters)
    yield Csr.MISA, f"const:{misa:#x}"
    for csr in (Csr.MVENDORID, Csr.MARCHID, Csr.MIMPID, Csr.MCONFIGPTR, Csr.MSTATUSH):
        yield csr, "const:0"
    yield Csr.MHARTID, f"const:{config.hart_id:#x}"
    for csr in (Csr.MSTATUS, Csr.MIE, Csr.MSCRATCH, Csr.MEPC, Csr.MTVAL):
        yield csr, "keep"
    yield Csr.MIP, "adopt"
    yield Csr.MTVEC, f"vector:{128 if config.local_interrupts else 64}"
    yield Csr.MCAUSE, f"masked:{_CAUSE_SIGN | causes:#x}:0"


def _counters(config: CoreConfig) -> Iterator[tuple[int, str]]:
    for index in _EVENTS:
        for base in (Csr.MHPMEVENT3, Csr.MHPMCOUNTER3, Csr.MHPMCOUNTER3H):
            yield base - _EVENTS.start + index, "const:0"
    machine = {
        Csr.MCYCLE: "adopt",
        Csr.MCYCLEH: "adopt",
        Csr.MINSTRET: "keep",
        Csr.MINSTRETH: "keep",
        Csr.MCOUNTINHIBIT: "keep",
    }
    for csr, rule in machine.items():
        yield csr, rule if config.zicntr else "const:0"
    if config.user_mode:
        yield Csr.MCOUNTEREN, "keep" if config.zicntr else "const:0"
    if config.zicntr:
        for csr in (Csr.CYCLE, Csr.CYCLEH, Csr.TIME, Csr.TIMEH):
            yield csr, "adopt"
        for csr in (Csr.INSTRET, Csr.INSTRETH):
            yield csr, "keep"


def csr_addresses(config: CoreConfig) -> tuple[int, ...]:
    """Return the addresses of a core's CSRs, in order."""
    return tuple(sorted(csr_rules(config)))


def spike_options(config: CoreConfig) -> list[str]:
    """Return the comparator's options that describe a core."""
    options = ["--isa", config.isa, "--priv", "mu" if config.user_mode else "m"]
    options += ["--pmp", str(config.pmp_regions), "--interrupts", f"{interrupt_mask(config):#x}"]
    for base, size in local_memories(config):
        options += ["--local-memory", f"{base:#x}:{size:#x}"]
    for address, rule in csr_rules(config).items():
        options += ["--csr", f"{address:#05x}={rule}"]
    return options

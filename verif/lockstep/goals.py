"""What random programs must have covered on a core, and coverage files from the comparator's counters."""

from collections.abc import Iterator, Mapping

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Interrupt
from verif.coverage import Coverage
from verif.lockstep.csrs import csr_rules
from verif.lockstep.encoding import Instruction, extensions, instructions

__all__ = ["coverage", "goals"]

_VALUES = ("zero", "one", "minus_one", "max", "min", "positive", "negative")
_PRODUCERS = ("alu", "shift", "bit", "mul", "div", "load", "upper", "csr", "jump", "amo")
_CONSUMERS = ("alu", "shift", "bit", "mul", "div", "branch", "store", "csr")
_ADDRESSED = ("load", "store", "amo", "jumpr")  # rs1 is an address, which few instructions compute
_FREQUENT = ("alu", "shift", "bit", "mul", "div", "load", "store", "branch", "jump", "jumpr", "upper")
_LEAST = 20  # executions of every instruction
_RARE = ("wfi", "mret", "ecall", "ebreak", "c.ebreak")
_USER_COUNTERS = range(0xC00, 0xD00)
_TRAPPING = ("ecall", "ebreak", "c.ebreak")  # they never retire

_Goal = tuple[str, str, int]


def goals(config: CoreConfig) -> dict[str, dict[str, int]]:
    """Return how often each bin of each coverpoint must be hit."""
    found: dict[str, dict[str, int]] = {}
    for point, name, goal in _all(config):
        found.setdefault(point, {})[name] = goal
    return found


def coverage(config: CoreConfig, counters: Mapping[str, Mapping[str, int]]) -> Coverage:
    """Return coverage against the goals, from what the comparator counted.

    Parameters
    ----------
    config
        The core.
    counters
        Hits by coverpoint and bin. Bins without a goal are left out.
    """
    total = Coverage()
    for name, bins in goals(config).items():
        point = total.add(name, bins)
        hits = counters.get(name, {})
        for item in bins:
            point.hit(item, hits.get(item, 0))
    return total


def _all(config: CoreConfig) -> Iterator[_Goal]:
    known = [i for i in instructions(extensions(config)) if i.group != "illegal"]
    groups = {i.group for i in known}
    for item in known:
        if item.name not in _TRAPPING:
            yield "instruction", item.name, 1 if item.name in _RARE else _LEAST
        yield from _operands(item)
        yield from _control(item, config)
        yield from _memory(item, config)
    yield from _hazards(known)
    yield from _traps(config, groups)
    yield from _interrupts(config, groups)
    yield from _csrs(config)
    sizes = ("2", "4") if config.c else ("4",)
    for before in sizes:
        for after in sizes:
            for place in ("word", "half") if config.c else ("word",):
                yield "alignment", f"{before}*{after}*{place}", 1
    for before in sorted(groups):
        for after in sorted(groups):
            yield "sequence", f"{before}*{after}", 1
    yield "self_modified", "4", _LEAST


def _operands(item: Instruction) -> Iterator[_Goal]:
    """Values and registers of what computes."""
    _, first, second = item.fields
    if item.group in ("load", "store", "csr", "jumpr", "upper") or "2" in item.fields:
        return
    if item.group != "amo" and first != "-":
        for one in _VALUES:
            for two in _VALUES if second != "-" else _VALUES[:1]:
                yield "operands", f"{item.name}*{one}*{two}", 1
    if item.size == 4 and item.fields[0] == "d" and first != "-":
        overlaps = ["distinct", "rd_rs1", "rd_x0"]
        if second != "-":
            overlaps += ["rd_rs2", "rs1_rs2", "all_same"]
        if item.group == "amo":
            overlaps = ["distinct", "rd_x0"]
        for overlap in overlaps:
            yield "registers", f"{item.name}*{overlap}", 1
    if item.immediate == "H":
        for amount in ("0", "1", "31", "other"):
            yield "shift_amount", f"{item.name}*{amount}", 1
    if item.immediate == "I" and item.group == "alu":
        for kind in ("zero", "max", "min", "positive", "negative"):
            yield "immediate", f"{item.name}*{kind}", 1


def _control(item: Instruction, config: CoreConfig) -> Iterator[_Goal]:
    places = ("word", "half") if config.c else ("word",)
    if item.group == "branch":
        for taken in ("not_taken", "taken"):
            # The direction of a compressed branch that is not taken is not recorded.
            ways = ("backward", "forward") if item.size == 4 or taken == "taken" else ("backward",)
            for way in ways:
                for place in places:
                    yield "branch", f"{item.name}*{taken}*{way}*{place}", 1
    links = {"jal": "x0 ra t0 other", "jalr": "x0 ra t0 other", "c.j": "x0", "c.jr": "x0"}
    links |= {"c.jal": "ra", "c.jalr": "ra"}
    for link in links.get(item.name, "").split():
        for place in places:
            yield "jump", f"{item.name}*{link}*{place}", 1


def _memory(item: Instruction, config: CoreConfig) -> Iterator[_Goal]:
    if item.group not in ("load", "store"):
        return
    letter = item.name.removeprefix("c.").removesuffix("sp")[1]
    size = {"b": 1, "h": 2, "w": 4}[letter]
    for offset in range(0, 4, size):
        if item.size == 4 or item.name in ("c.lw", "c.sw", "c.lwsp", "c.swsp"):
            yield "memory", f"{item.name}*{offset}*done*memory", _LEAST
    if item.size == 2:
        return
    for offset in range(4):
        if offset % size:
            yield "memory", f"{item.name}*{offset}*misaligned*memory", 1
        else:
            yield "memory", f"{item.name}*{offset}*fault*unmapped", 1
            if config.user_mode and config.pmp_regions:  # memory is refused by its protection only
                yield "memory", f"{item.name}*{offset}*fault*memory", 1
    if item.group == "load":
        for distance in "123":
            yield "store_to_load", f"{item.name}*{distance}", 1
    if item.name in ("lw", "sw"):
        yield "memory", f"{item.name}*0*done*device", 1


def _hazards(known: list[Instruction]) -> Iterator[_Goal]:
    """Results and their readers: what an operand is to a group depends on which instructions there are."""
    writers = {i.group for i in known if i.fields[0] != "-"}
    readers = {
        "rs1": {i.group for i in known if i.fields[1] in ("s", "q")},
        "rs2": {i.group for i in known if i.fields[2] in ("t", "p")},
    }
    for producer in _PRODUCERS:
        for consumer in _CONSUMERS:
            for operand in ("rs1", "rs2"):
                if producer not in writers or consumer not in readers[operand]:
                    continue
                if consumer == "store" and operand == "rs1":
                    continue
                for distance in "123":
                    yield "hazard", f"{producer}*{consumer}*{operand}*{distance}", 1
    for consumer in _ADDRESSED:
        if consumer in readers["rs1"]:
            for distance in "123":
                yield "hazard", f"alu*{consumer}*rs1*{distance}", 1
    for consumer in ("load", "store"):
        for distance in "123":
            yield "hazard", f"load*{consumer}*rs1*{distance}", 1


def _traps(config: CoreConfig, groups: set[str]) -> Iterator[_Goal]:
    modes = ("M", "U") if config.user_mode else ("M",)
    causes = [
        (Cause.ILLEGAL_INSTRUCTION, "illegal"),
        (Cause.ILLEGAL_INSTRUCTION, "csr"),
        (Cause.BREAKPOINT, "system"),
        (Cause.LOAD_MISALIGNED, "load"),
        (Cause.STORE_MISALIGNED, "store"),
        (Cause.LOAD_FAULT, "load"),
        (Cause.STORE_FAULT, "store"),
        (Cause.INSTRUCTION_FAULT, "illegal"),
    ]
    if not config.c:
        causes += [(Cause.INSTRUCTION_MISALIGNED, group) for group in ("jump", "branch")]
    if "amo" in groups:
        causes += [(Cause.STORE_MISALIGNED, "amo"), (Cause.STORE_FAULT, "amo")]
    for cause, group in causes:
        for mode in modes:
            yield "trap", f"{int(cause)}*{group}*{mode}", 1
    yield "trap", f"{int(Cause.ECALL_M)}*system*M", 1
    if config.user_mode:
        yield "trap", f"{int(Cause.ECALL_U)}*system*U", 1
        yield "trap", f"{int(Cause.ILLEGAL_INSTRUCTION)}*system*U", 1
        yield "mode_change", "M*U", _LEAST
        yield "mode_change", "U*M", _LEAST
    for depth in "123":
        yield "nesting", depth, 1


def _interrupts(config: CoreConfig, groups: set[str]) -> Iterator[_Goal]:
    modes = ("M", "U") if config.user_mode else ("M",)
    standard = (Interrupt.SOFTWARE, Interrupt.TIMER, Interrupt.EXTERNAL)
    for cause in standard:
        for group in _FREQUENT:
            if group not in groups:
                continue
            yield "interrupt_after", f"{int(cause)}*{group}", 1
            for mode in modes:
                if mode == "M" or group in ("alu", "load", "store", "branch"):
                    yield "interrupt_at", f"{int(cause)}*{group}*{mode}", 1
    for index in range(config.local_interrupts):
        yield "interrupt_at", f"{Interrupt.LOCAL + index}*alu*M", 1


def _csrs(config: CoreConfig) -> Iterator[_Goal]:
    for address in csr_rules(config):
        name = f"{address:#05x}"
        read_only = address >> 10 == 3
        for operation in ("write", "set", "clear", "read_set", "read_clear"):
            allowed = "done" if operation.startswith("read") or not read_only else "illegal"
            yield "csr", f"{name}*{operation}*M*{allowed}", 1
        if config.user_mode and address in _USER_COUNTERS:
            for allowed in ("done", "illegal"):  # as mcounteren says
                yield "csr", f"{name}*read_set*U*{allowed}", 1
        elif config.user_mode:
            yield "csr", f"{name}*read_set*U*illegal", 1

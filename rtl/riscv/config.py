"""What a core has: instruction sets, pipeline, units, system, ports. Imports no library."""

import difflib
from dataclasses import dataclass, fields, replace

__all__ = ["PRESETS", "CoreConfig"]

_CHOICES = {
    "pipeline": ("nano", "small", "fast"),
    "multiplier": ("none", "serial", "fast", "single", "pipelined"),
    "divider": ("none", "serial", "early_out"),
    "shifter": ("serial", "barrel"),
    "register_file": ("flops", "memory"),
    "branch_predictor": ("none", "dynamic"),
    "debug": ("none", "direct", "jtag"),
    "custom": ("none", "port", "dot4"),
    "bus": ("native", "wishbone", "axi4lite"),
}
_RANGES = {
    "issue_width": (1, 2),
    "pmp_regions": (0, 16),
    "local_interrupts": (0, 16),
    "triggers": (0, 4),
    "btb_entries": (0, 512),
    "bht_entries": (0, 4096),
    "ras_entries": (0, 16),
    "instruction_cache_bytes": (0, 65536),
    "data_cache_bytes": (0, 65536),
    "instruction_tcm_bytes": (0, 1 << 20),
    "data_tcm_bytes": (0, 1 << 20),
    "reset_vector": (0, 0xFFFF_FFFC),
    "instruction_tcm_base": (0, 0xFFFF_F000),
    "data_tcm_base": (0, 0xFFFF_F000),
    "hart_id": (0, 0xFFFF_FFFF),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreConfig:
    """One core of the family, checked.

    Attributes
    ----------
    pipeline
        ``nano`` (multi-cycle), ``small`` (two or three stages) or ``fast``
        (in-order, forwarding, predicted branches).
    e
        RV32E: 16 registers instead of 32.
    m, a, c
        Multiply and divide; atomics; compressed instructions.
    zba, zbb, zbs, zcb, zicond
        Address generation, basic and single-bit manipulation, more
        compressed instructions, conditional operations. Zifencei is always
        there, and so is Zicsr.
    zicntr
        ``cycle``, ``time`` and ``instret``, and their machine counters. They
        read as zero without.
    user_mode
        Machine and user mode, instead of machine mode alone.
    pmp_regions
        Physical memory protection regions, 0 to 16, a multiple of 4.
    local_interrupts
        Fast local interrupts, causes 16 and up, 0 to 16.
    debug
        ``none``; ``direct``, the debug module's register bus as ports; or
        ``jtag``, a JTAG transport before it.
    triggers
        Address triggers for debugging, 0 to 4.
    multiplier
        ``serial`` (area), ``fast`` (a few cycles), ``single`` (one cycle) or
        ``pipelined`` (one each cycle, result later).
    divider
        ``serial`` or ``early_out``.
    shifter
        ``serial`` or ``barrel``.
    register_file
        ``flops``, or ``memory`` for a macro or block RAM.
    issue_width
        Instructions begun in one cycle, 1 or 2. 2 needs the fast pipeline.
    branch_predictor
        ``none`` or ``dynamic``.
    btb_entries, bht_entries, ras_entries
        Sizes of the dynamic predictor: target buffer (which has a counter
        for each entry), counters beside it, return addresses. Powers of two,
        or 0; of the target buffer also three times one, which gives it three
        ways in place of two.
    instruction_cache_bytes, data_cache_bytes
        Cache sizes, powers of two of at least 256, or 0 for none.
    instruction_tcm_bytes, data_tcm_bytes, instruction_tcm_base, data_tcm_base
        Tightly coupled memories, powers of two, or 0 for none; and where
        they begin, a multiple of their size.
    custom
        ``none``; ``port``, the extension interface as ports; or ``dot4``,
        the example unit behind it.
    bus
        What the instruction and data ports speak: ``native``
        (:class:`rtl.riscv.interfaces.MemoryBus`), ``wishbone`` or ``axi4lite``.
    reset_vector
        Address of the first instruction, a multiple of 4.
    hart_id
        What ``mhartid`` reads.
    rvfi
        Whether the core has the verification port
        :class:`rtl.riscv.interfaces.Rvfi`.

    Raises
    ------
    TypeError
        A parameter has the wrong type.
    ValueError
        A parameter is out of its range, or contradicts another; the message
        names both.
    """

    pipeline: str = "small"
    e: bool = False
    m: bool = True
    a: bool = False
    c: bool = True
    zba: bool = False
    zbb: bool = False
    zbs: bool = False
    zcb: bool = False
    zicond: bool = False
    zicntr: bool = True
    user_mode: bool = False
    pmp_regions: int = 0
    local_interrupts: int = 0
    debug: str = "none"
    triggers: int = 0
    multiplier: str = "fast"
    divider: str = "serial"
    shifter: str = "barrel"
    register_file: str = "flops"
    issue_width: int = 1
    branch_predictor: str = "none"
    btb_entries: int = 0
    bht_entries: int = 0
    ras_entries: int = 0
    instruction_cache_bytes: int = 0
    data_cache_bytes: int = 0
    instruction_tcm_bytes: int = 0
    data_tcm_bytes: int = 0
    instruction_tcm_base: int = 0x0000_0000
    data_tcm_base: int = 0x1000_0000
    custom: str = "none"
    bus: str = "native"
    reset_vector: int = 0x8000_0000
    hart_id: int = 0
    rvfi: bool = False

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item.name, getattr(self, item.name), type(item.default))
        for rule, message in _RULES:
            if rule(self):
                raise ValueError(message.format(c=self))

    @property
    def registers(self) -> int:
        """Integer registers, ``x0`` included."""
        return 16 if self.e else 32

    @property
    def fetch_width(self) -> int:
        """Data bits of the instruction bus."""
        return 32 * self.issue_width

    @property
    def isa(self) -> str:
        """The ISA string, as compilers and simulators take it."""
        single = "".join(x for x in "mac" if getattr(self, x))
        extensions = ["zicsr", "zifencei"]
        extensions += [x for x in ("zicntr", "zicond", "zba", "zbb", "zbs") if getattr(self, x)]
        if self.zcb:
            extensions += ["zca", "zcb"]
        return "_".join([f"rv32{'e' if self.e else 'i'}{single}", *extensions])

    @classmethod
    def preset(cls, name: str, **options: object) -> "CoreConfig":
        """Return a named configuration, with some of its parameters replaced.

        Raises
        ------
        TypeError
            A parameter has the wrong type, or there is none of that name.
        ValueError
            There is no such preset, or the parameters contradict each other.
        """
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
        names = cls.parameter_names()
        for option in options:
            if option not in names:
                near = difflib.get_close_matches(option, names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"
                raise TypeError(f"a core has no parameter {option!r}{hint}")
        return replace(PRESETS[name], **options)  # type: ignore[arg-type]

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Return the names of the parameters, in order."""
        return tuple(item.name for item in fields(cls))


def _check(name: str, value: object, kind: type) -> None:
    if type(value) is not kind:
        what = {bool: "true or false", int: "an integer", str: "a string"}[kind]
        raise TypeError(f"{name} must be {what}, not {value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{name} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
    if name in _RANGES:
        low, high = _RANGES[name]
        if not low <= value <= high:  # type: ignore[operator]
            raise ValueError(f"{name} must lie in {low}..{high}, not {value}")


def _odd_size(size: int, least: int) -> bool:
    return size != 0 and (size < least or size & (size - 1) != 0)


# Each rule is true of a configuration that contradicts itself.
_RULES = (
    (lambda c: c.reset_vector % 4, "reset_vector must be a multiple of 4, not {c.reset_vector:#x}"),
    (lambda c: c.m and c.multiplier == "none", "m needs a multiplier: multiplier is 'none'"),
    (lambda c: c.m and c.divider == "none", "m needs a divider: divider is 'none'"),
    (lambda c: not c.m and c.multiplier != "none", "multiplier {c.multiplier!r} needs m"),
    (lambda c: not c.m and c.divider != "none", "divider {c.divider!r} needs m"),
    (lambda c: c.zcb and not c.c, "zcb needs c"),
    (lambda c: c.pmp_regions % 4, "pmp_regions must be a multiple of 4, not {c.pmp_regions}"),
    (lambda c: c.triggers and c.debug == "none", "triggers needs debug 'direct' or 'jtag'"),
    (
        lambda c: c.branch_predictor != "dynamic" and (c.btb_entries or c.bht_entries or c.ras_entries),
        "btb_entries, bht_entries and ras_entries need branch_predictor 'dynamic', "
        "not {c.branch_predictor!r}",
    ),
    (
        lambda c: any(_odd_size(n, 2) for n in (c.bht_entries, c.ras_entries)),
        "bht_entries and ras_entries must be powers of two or 0, not {c.bht_entries}, {c.ras_entries}",
    ),
    (
        lambda c: _odd_size(c.btb_entries, 1) and (c.btb_entries % 3 or _odd_size(c.btb_entries // 3, 1)),
        "btb_entries must be a power of two, or three times one, or 0, not {c.btb_entries}",
    ),
    (
        lambda c: any(_odd_size(n, 256) for n in (c.instruction_cache_bytes, c.data_cache_bytes)),
        "instruction_cache_bytes and data_cache_bytes must be powers of two of at least 256, or 0, "
        "not {c.instruction_cache_bytes}, {c.data_cache_bytes}",
    ),
    (
        lambda c: any(_odd_size(n, 256) for n in (c.instruction_tcm_bytes, c.data_tcm_bytes)),
        "instruction_tcm_bytes and data_tcm_bytes must be powers of two of at least 256, or 0, "
        "not {c.instruction_tcm_bytes}, {c.data_tcm_bytes}",
    ),
    (
        lambda c: c.instruction_tcm_bytes and c.instruction_tcm_base % c.instruction_tcm_bytes,
        "instruction_tcm_base {c.instruction_tcm_base:#x} must be a multiple of instruction_tcm_bytes",
    ),
    (
        lambda c: c.data_tcm_bytes and c.data_tcm_base % c.data_tcm_bytes,
        "data_tcm_base {c.data_tcm_base:#x} must be a multiple of data_tcm_bytes",
    ),
    (
        lambda c: (
            c.instruction_tcm_bytes
            and c.data_tcm_bytes
            and c.instruction_tcm_base < c.data_tcm_base + c.data_tcm_bytes
            and c.data_tcm_base < c.instruction_tcm_base + c.instruction_tcm_bytes
        ),
        "the instruction and data TCM overlap at {c.instruction_tcm_base:#x} and {c.data_tcm_base:#x}",
    ),
    (lambda c: c.pipeline != "fast" and c.issue_width != 1, "issue_width 2 needs pipeline 'fast'"),
    (
        lambda c: c.pipeline != "fast" and c.branch_predictor == "dynamic",
        "branch_predictor 'dynamic' needs pipeline 'fast'",
    ),
    (
        lambda c: c.pipeline != "fast" and (c.instruction_cache_bytes or c.data_cache_bytes),
        "caches need pipeline 'fast'",
    ),
    (
        lambda c: c.pipeline != "fast" and (c.instruction_tcm_bytes or c.data_tcm_bytes),
        "tightly coupled memories need pipeline 'fast'",
    ),
    (lambda c: c.pipeline != "fast" and c.a, "a needs pipeline 'fast'"),
    (
        lambda c: c.pipeline == "nano" and any((c.m, c.c, c.zba, c.zbb, c.zbs, c.zicond)),
        "pipeline 'nano' is RV32I or RV32E: m, c, zba, zbb, zbs and zicond must be false",
    ),
    (
        lambda c: c.pipeline == "nano" and (c.user_mode or c.pmp_regions),
        "pipeline 'nano' has machine mode only: user_mode and pmp_regions need 'small' or 'fast'",
    ),
    (
        lambda c: c.pipeline == "fast" and (c.e or c.shifter == "serial"),
        "pipeline 'fast' has 32 registers and a barrel shifter: e and shifter 'serial' need another pipeline",
    ),
    (
        lambda c: c.pipeline == "fast" and c.register_file == "memory",
        "pipeline 'fast' needs register_file 'flops'",
    ),
    (
        lambda c: c.pipeline == "fast" and c.multiplier == "fast",
        "pipeline 'fast' has multiplier 'pipelined', 'single' or 'serial', not {c.multiplier!r}",
    ),
    (
        lambda c: 0 < c.btb_entries < 4,
        "btb_entries must be at least 4, not {c.btb_entries}: the target buffer has two or three ways",
    ),
    (
        lambda c: c.btb_entries == 0 and (c.bht_entries or c.ras_entries),
        "bht_entries and ras_entries need btb_entries",
    ),
    (
        lambda c: c.multiplier == "pipelined" and c.pipeline != "fast",
        "multiplier 'pipelined' needs pipeline 'fast'",
    ),
)

#: Configurations with a name: area first, the microcontroller, speed first.
PRESETS = {
    "nano": CoreConfig(
        pipeline="nano",
        m=False,
        c=False,
        zicntr=False,
        multiplier="none",
        divider="none",
        shifter="serial",
    ),
    "small": CoreConfig(pipeline="small"),
    "fast": CoreConfig(
        pipeline="fast",
        zba=True,
        zbb=True,
        zbs=True,
        zicond=True,
        multiplier="pipelined",
        divider="early_out",
        issue_width=2,
        branch_predictor="dynamic",
        btb_entries=24,
        bht_entries=0,
        ras_entries=4,
    ),
}

"""What each option of a preset costs: one core is mapped, and runs the kernels, for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores.rows import work_per_clock
from benchmarks.cores.synthesis import Result, elaborate, measure

__all__ = ["OPTIONS", "Cost", "Option", "costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A core that differs from its preset in one respect.

    Attributes
    ----------
    name
        As the table shows it.
    parameters
        Of :class:`rtl.riscv.config.CoreConfig`.
    works
        Whether programs run at another speed for it, so that they are run.
    """

    name: str
    parameters: Mapping[str, object]
    works: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What became of an option: ``work`` is in iterations a second and MHz, None where not measured."""

    option: Option
    result: Result
    work: float | None


def _one(name: str, value: object, **others: object) -> Option:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower()
    works = others.pop("works", False)
    return Option(name=f"`{name} = {text}`", parameters={name: value, **others}, works=bool(works))


_PRESET = Option(name="the preset", parameters={}, works=True)
_NO_PREDICTOR = {"branch_predictor": "none", "btb_entries": 0, "bht_entries": 0, "ras_entries": 0}
_NO_MULTIPLY = {"multiplier": "none", "divider": "none"}
_DEBUG: Sequence[Option] = (
    _one("debug", "direct"),
    _one("debug", "jtag"),
    Option(name='`triggers = 2`, `debug = "direct"`', parameters={"triggers": 2, "debug": "direct"}),
)
_PROTECTION: Sequence[Option] = (
    _one("user_mode", True),
    *(
        Option(
            name=f"`pmp_regions = {regions}`, `user_mode = true`",
            parameters={"pmp_regions": regions, "user_mode": True},
            works=regions == 4,
        )
        for regions in (4, 8, 16)
    ),
)
_PORTS: Sequence[Option] = (
    _one("local_interrupts", 16),
    _one("custom", "port"),
    _one("custom", "dot4"),
    _one("bus", "wishbone"),
    _one("bus", "axi4lite"),
)
_MEMORIES: Sequence[Option] = (
    *(_one(f"{side}_cache_bytes", 4096) for side in ("instruction", "data")),
    *(_one(f"{side}_tcm_bytes", 16384) for side in ("instruction", "data")),
)

#: The options of each preset, the preset first. What is beside the ports is the same everywhere: nano has it.
OPTIONS: dict[str, Sequence[Option]] = {
    "nano": (
        _PRESET,
        _one("e", True),
        _one("shifter", "barrel", works=True),
        _one("zicntr", True),
        *_DEBUG,
        *_PORTS,
    ),
    "small": (
        _PRESET,
        _one("e", True),
        _one("c", False, works=True),
        _one("m", False, works=True, **_NO_MULTIPLY),
        *(_one(name, True, works=True) for name in ("zba", "zbb", "zbs", "zcb", "zicond")),
        _one("zicntr", False),
        *(_one("multiplier", kind, works=True) for kind in ("serial", "single")),
        _one("divider", "early_out", works=True),
        _one("shifter", "serial", works=True),
        *_PROTECTION,
        *_DEBUG,
    ),
    "fast": (
        _PRESET,
        _one("issue_width", 1, works=True),
        Option(name='`branch_predictor = "none"`', parameters=_NO_PREDICTOR, works=True),
        _one("btb_entries", 4, works=True),
        _one("btb_entries", 64, works=True),
        _one("bht_entries", 64, works=True),
        _one("ras_entries", 0, works=True),
        _one("a", True),
        _one("c", False, works=True),
        _one("m", False, works=True, **_NO_MULTIPLY),
        *(_one(name, False, works=True) for name in ("zba", "zbb", "zbs", "zicond")),
        _one("zcb", True, works=True),
        _one("zicntr", False),
        *(_one("multiplier", kind, works=True) for kind in ("serial", "single")),
        _one("divider", "serial", works=True),
        *_PROTECTION,
        *_DEBUG,
        *_MEMORIES,
    ),
}


def costs(preset: str, liberty: Path, recipe: str, scratch: Path, *, work: bool) -> Iterator[Cost]:
    """Measure the options of a preset, one after the other.

    Parameters
    ----------
    preset
        A key of :data:`OPTIONS`.
    liberty, recipe
        As :func:`benchmarks.cores.synthesis.measure` takes them.
    scratch
        A folder for netlists, programs and logs.
    work
        Whether to run the kernels too.
    """
    for number, option in enumerate(OPTIONS[preset]):
        folder = scratch / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        source = elaborate(preset, dict(option.parameters), folder)
        yield Cost(
            option=option,
            result=measure(source, "core", liberty, recipe, folder),
            work=work_per_clock(preset, option.parameters, folder, scratch / "cache")
            if work and option.works
            else None,
        )

"""Which directed tests there are, and what each needs of a core."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rtl.riscv.config import CoreConfig
from verif.programs.directed.generate import (
    arithmetic,
    compressed,
    control,
    hazards,
    illegal,
    memory,
    protection,
)

__all__ = ["TESTS", "DirectedTest", "applicable"]

ASSEMBLY = Path(__file__).parent / "assembly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectedTest:
    """One program.

    Attributes
    ----------
    name
        Unique.
    generate
        Returns the assembly for a core; none for a file in ``assembly``,
        called by the test's name.
    needs
        Parameters of :class:`rtl.riscv.config.CoreConfig` that must be true or
        above zero.
    lacks
        Parameters that must be false, zero or ``none``.
    device
        Whether it uses the harness's test device, or looks at what only
        reset leaves, so that only simulation runs it.
    """

    name: str
    generate: Callable[[CoreConfig], str] | None = None
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    device: bool = False

    def suits(self, config: CoreConfig) -> bool:
        """Return whether a core can run it."""
        return all(_has(config, name) for name in self.needs) and not any(
            _has(config, name) for name in self.lacks
        )

    def source(self, config: CoreConfig) -> str:
        """Return the assembly, to be preprocessed."""
        if self.generate:
            return self.generate(config)
        return (ASSEMBLY / f"{self.name}.S").read_text()


def _has(config: CoreConfig, name: str) -> bool:
    return getattr(config, name) not in (False, 0, "none")


def _register(name: str, extension: str) -> DirectedTest:
    needs = () if extension == "i" else (extension,)
    return DirectedTest(name=name, generate=partial(arithmetic.register, extension=extension), needs=needs)


#: All of them. Simple things first, so that the first failure says most.
TESTS = (
    DirectedTest(name="upper", generate=arithmetic.upper),
    DirectedTest(name="immediate", generate=arithmetic.immediate),
    _register("register", "i"),
    DirectedTest(name="branches", generate=control.branches),
    DirectedTest(name="calls", generate=control.calls),
    DirectedTest(name="predictor", generate=control.predictor),
    DirectedTest(name="loads_stores", generate=memory.loads_stores),
    DirectedTest(name="hazards", generate=hazards.hazards),
    DirectedTest(name="overwrites", generate=hazards.overwrites),
    _register("multiply_divide", "m"),
    _register("zba", "zba"),
    _register("zbb", "zbb"),
    _register("zbs", "zbs"),
    _register("zicond", "zicond"),
    DirectedTest(name="atomics", generate=memory.atomics, needs=("a",)),
    DirectedTest(name="compressed", generate=compressed.compressed, needs=("c",)),
    DirectedTest(name="zcb", generate=compressed.zcb, needs=("zcb",)),
    DirectedTest(name="illegal_words", generate=illegal.words, lacks=("custom",)),
    DirectedTest(name="illegal_halves", generate=illegal.halves, needs=("c",)),
    DirectedTest(name="csr_forms"),
    DirectedTest(name="csr_machine"),
    DirectedTest(name="reset", device=True),
    DirectedTest(name="counters", needs=("zicntr",)),
    DirectedTest(name="traps"),
    DirectedTest(name="fence_i"),
    DirectedTest(name="interrupts"),
    DirectedTest(name="lines", device=True),
    DirectedTest(name="awkward", device=True),
    DirectedTest(name="faults", device=True),
    DirectedTest(name="cache", needs=("instruction_cache_bytes", "data_cache_bytes"), device=True),
    DirectedTest(name="tcm", needs=("instruction_tcm_bytes", "data_tcm_bytes"), device=True),
    DirectedTest(name="user", needs=("user_mode",)),
    DirectedTest(name="pmp_registers", needs=("pmp_regions",)),
    DirectedTest(name="protection", generate=protection.protection, needs=("pmp_regions", "user_mode")),
)


def applicable(config: CoreConfig) -> list[DirectedTest]:
    """Return the tests that a core must pass."""
    return [test for test in TESTS if test.suits(config)]

"""What a run of the accelerator consists of, and how it must end."""

from dataclasses import dataclass, field

from rtl.tensor.accelerator.commands import Command, Engine, assemble
from verif.envs.accelerator.programs import REGION

__all__ = ["SIZE", "SPACING", "Ending", "Layout", "Stimulus"]

#: Bytes from a region to the next: base registers lie anywhere in the first part of what is theirs.
SPACING = REGION + 8192
#: Bytes of external memory: four regions, and some that no good command reaches.
SIZE = 5 * SPACING


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a program must end.

    Attributes
    ----------
    code
        0, or the error's.
    engine, tag
        What the status says of it; ``None`` for whatever.
    """

    code: int = 0
    engine: Engine | None = None
    tag: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where regions lie: byte addresses.

    Attributes
    ----------
    bases
        The four base registers.
    offset
        From the first of them to the program.
    """

    bases: tuple[int, int, int, int]
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """A program, how the memory port behaves meanwhile, and what else happens.

    Attributes
    ----------
    kind
        Name of what it tries.
    commands
        What must be executed, in order; ``End`` and what must not is left out.
    content
        The program's bytes.
    ending
        How it ends.
    layout
        Where things lie.
    inputs
        Bytes that the region of inputs holds from an offset on; random elsewhere.
    failing
        Byte addresses that answer with an error.
    latency, stall
        Of the memory.
    enable
        The register ``INTERRUPT_ENABLE``.
    expected_config
        ``right``, ``none`` or ``wrong``.
    stop_after, reset_after
        Cycles after the start until it is stopped, or reset; ``None`` for never.
    """

    kind: str
    commands: tuple[Command, ...]
    content: bytes
    ending: Ending = field(default_factory=Ending)
    layout: Layout
    inputs: dict[int, bytes] = field(default_factory=dict)
    failing: tuple[range, ...] = ()
    latency: int = 4
    stall: float = 0.0
    enable: int = 3
    expected_config: str = "none"
    stop_after: int | None = None
    reset_after: int | None = None

    @property
    def cut(self) -> bool:
        """Whether the program is not meant to reach its end."""
        return self.stop_after is not None or self.reset_after is not None

    @staticmethod
    def assembled(commands: tuple[Command, ...]) -> bytes:
        """Return the bytes of commands."""
        return assemble(list(commands))

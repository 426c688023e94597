"""Where programs find memory, devices, and nothing, by a core's configuration."""

from rtl.riscv.config import CoreConfig

__all__ = ["CLINT", "MEMORY", "TEST_DEVICE", "check_map", "local_memories", "walls"]

TEST_DEVICE = 0x1000_0000
CLINT = 0x0200_0000
MEMORY = 0x8000_0000
_NEEDED = {
    "the test device": (TEST_DEVICE, 0x1000),
    "the interrupt controller": (CLINT, 0x1_0000),
    "the program": (MEMORY, 4 << 20),
    "Spike's debugger": (0, 0x1000),  # Spike lets no program go there
}
_WALLS = (TEST_DEVICE + 0x800, 0x4000_0000, 0x0000_0000, 0x7FFF_FFFC, 0xC000_0000)


def local_memories(config: CoreConfig) -> tuple[tuple[int, int], ...]:
    """Return base and bytes of the memories inside a core."""
    pairs = (
        (config.instruction_tcm_base, config.instruction_tcm_bytes),
        (config.data_tcm_base, config.data_tcm_bytes),
    )
    return tuple((base, size) for base, size in pairs if size)


def check_map(config: CoreConfig) -> None:
    """Refuse a core whose own memories lie where random programs, or Spike, have something else.

    Raises
    ------
    ValueError
        They do; the message names both.
    """
    for base, size in local_memories(config):
        for name, (start, length) in _NEEDED.items():
            if base < start + length and start < base + size:
                raise ValueError(
                    f"random programs cannot have a tightly coupled memory at {base:#x}: "
                    f"{name} is at {start:#x}"
                )


def walls(config: CoreConfig) -> tuple[int, ...]:
    """Return addresses at which, and in the word after which, nothing answers."""
    inside = local_memories(config)
    return tuple(wall for wall in _WALLS if not any(base - 8 < wall < base + size for base, size in inside))

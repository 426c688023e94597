"""Shape of an accelerator, and the sizes that follow from it. Imports no library."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["PRESETS", "AcceleratorConfig"]

_CHOICES = {
    "array": (4, 8, 16),
    "bus_width": (32, 64, 128),
}
_RANGES = {
    "activation_kib": (1, 1024),
    "weight_kib": (1, 1024),
    "psum_words": (16, 1024),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorConfig:
    """Parameters of an accelerator, checked, and what they imply.

    Attributes
    ----------
    array
        Reduction lanes, and output channels: 4, 8 or 16; ``array ** 2``
        multipliers. A word of the activation memory holds that many channels
        of one pixel.
    bus_width
        Bits of the memory port: 32, 64 or 128; at most ``16 * array``, a word
        of the weight memory.
    activation_kib
        KiB of the activation memory, a power of two; four banks.
    weight_kib
        KiB of the weight memory, a power of two; two banks.
    psum_words
        Pixels whose partial sums are kept, a power of two; two banks of
        ``32 * array`` bits a word.

    Raises
    ------
    TypeError
        A parameter is not an integer.
    ValueError
        A parameter is out of its range, or contradicts another.
    """

    array: int = 8
    bus_width: int = 64
    activation_kib: int = 64
    weight_kib: int = 32
    psum_words: int = 128

    def __post_init__(self) -> None:
        for name in self.parameter_names():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if name in _CHOICES and value not in _CHOICES[name]:
                listed = ", ".join(map(str, _CHOICES[name]))
                raise ValueError(f"{name} must be one of {listed}, not {value}")
            if name in _RANGES:
                low, high = _RANGES[name]
                if not low <= value <= high or value & (value - 1):
                    raise ValueError(f"{name} must be a power of two in {low}..{high}, not {value}")
        if self.bus_width > 16 * self.array:
            raise ValueError(
                f"bus_width must be at most {16 * self.array}, a word of the weight memory "
                f"of a {self.array}x{self.array} array, not {self.bus_width}"
            )

    @property
    def bus_bytes(self) -> int:
        """Bytes that the memory port moves in a beat."""
        return self.bus_width // 8

    @property
    def activation_word(self) -> int:
        """Bytes of a word of the activation memory."""
        return self.array

    @property
    def activation_words(self) -> int:
        """Words of the activation memory, over all banks. Word ``i`` is in bank ``i % 4``."""
        return self.activation_kib * 1024 // self.activation_word

    @property
    def weight_word(self) -> int:
        """Bytes of a word of the weight memory: the weights of two lanes."""
        return 2 * self.array

    @property
    def weight_words(self) -> int:
        """Words of the weight memory, over both banks. Word ``i`` is in bank ``i % 2``."""
        return self.weight_kib * 1024 // self.weight_word

    @property
    def tile_words(self) -> int:
        """Words of the weight memory that fill the array once: one lane's weights after another's."""
        return self.array // 2

    @property
    def depthwise_pixels(self) -> int:
        """Neighbouring output pixels that a depthwise convolution computes at once, of four taps each."""
        return self.array // 4

    @classmethod
    def preset(cls, name: str) -> AcceleratorConfig:
        """Return a named configuration.

        Parameters
        ----------
        name
            ``4x4``, ``8x8`` or ``16x16``.

        Raises
        ------
        ValueError
            There is no such preset.
        """
        try:
            return PRESETS[name]
        except KeyError:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}") from None

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Return the names of the parameters, in order."""
        return tuple(item.name for item in fields(cls))


#: Configurations with a name: for teaching, for the edge, and the large one.
PRESETS = {
    "4x4": AcceleratorConfig(array=4, bus_width=32, activation_kib=16, weight_kib=8, psum_words=64),
    "8x8": AcceleratorConfig(array=8, bus_width=64, activation_kib=64, weight_kib=32, psum_words=128),
    "16x16": AcceleratorConfig(array=16, bus_width=128, activation_kib=128, weight_kib=64, psum_words=128),
}

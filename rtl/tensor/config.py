"""Shape of a MAC tile, and the widths that follow from it. Imports no library."""

from dataclasses import dataclass, fields

__all__ = ["PRESETS", "TileConfig"]

_RANGES = {
    "rows": (1, 64),
    "columns": (1, 64),
    "activation_width": (2, 16),
    "weight_width": (2, 16),
    "accumulator_width": (4, 64),
}
_MAX_MULTIPLIERS = 1024


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in {low}..{high}, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TileConfig:
    """Parameters of a MAC tile, checked, and what they imply.

    Attributes
    ----------
    rows
        Reduction lanes: activations that one beat brings, 1 to 64.
    columns
        Output channels computed side by side, 1 to 64; ``rows * columns`` is
        at most 1024.
    activation_width
        Bits of an activation whose zero point is already removed, 2 to 16.
        An int8 less an int8 zero point needs 9.
    weight_width
        Bits of a weight, 2 to 16.
    accumulator_width
        Bits of an accumulator and of a result, 4 to 64; at least as wide as
        either operand. Sums wrap modulo ``2 ** accumulator_width``.
    tree_stages
        Register stages inside the adder tree, 0 to ``tree_depth``. ``None``
        takes one for every two levels of adders, and becomes that number.

    Raises
    ------
    TypeError
        A parameter is not an integer.
    ValueError
        A parameter is out of its range, or contradicts another.
    """

    rows: int = 8
    columns: int = 8
    activation_width: int = 9
    weight_width: int = 8
    accumulator_width: int = 32
    tree_stages: int | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check_integer(name, getattr(self, name), low, high)
        if self.rows * self.columns > _MAX_MULTIPLIERS:
            raise ValueError(
                f"rows * columns must be at most {_MAX_MULTIPLIERS} multipliers, "
                f"not {self.rows} * {self.columns} = {self.rows * self.columns}"
            )
        for name in ("activation_width", "weight_width"):
            if self.accumulator_width < getattr(self, name):
                raise ValueError(
                    f"accumulator_width must be at least {name} ({getattr(self, name)}), "
                    f"not {self.accumulator_width}"
                )
        if self.tree_stages is None:
            object.__setattr__(self, "tree_stages", (self.tree_depth + 1) // 2)
        _check_integer("tree_stages", self.tree_stages, 0, self.tree_depth)

    @property
    def tree_depth(self) -> int:
        """Levels of two-input adders that reduce one beat."""
        return (self.rows - 1).bit_length()

    @property
    def product_width(self) -> int:
        """Bits of one product; the square of the most negative operands fits."""
        return self.activation_width + self.weight_width

    @property
    def sum_width(self) -> int:
        """Bits of one beat's sum: exact, or cut to the accumulator, which wraps anyway."""
        return min(self.product_width + self.tree_depth, self.accumulator_width)

    @property
    def compute_stages(self) -> int:
        """Register stages from an accepted beat to its sum: operands, products, tree."""
        return 2 + self.tree_stages

    @property
    def latency(self) -> int:
        """Cycles from an accepted ``last`` beat to its result on an idle output."""
        return self.compute_stages + 2

    @property
    def activation_payload_width(self) -> int:
        """Bits of the activation port's payload: lanes, ``first``, ``last``, ``swap``."""
        return self.rows * self.activation_width + 3

    @property
    def weight_payload_width(self) -> int:
        """Bits of the weight port's payload: one lane's weights of every column."""
        return self.columns * self.weight_width

    @property
    def result_payload_width(self) -> int:
        """Bits of the result port's payload."""
        return self.columns * self.accumulator_width

    @classmethod
    def preset(cls, name: str) -> "TileConfig":
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


#: Configurations with a name: for teaching, the default, and the large one.
PRESETS = {
    "4x4": TileConfig(rows=4, columns=4),
    "8x8": TileConfig(rows=8, columns=8),
    "16x16": TileConfig(rows=16, columns=16),
}

"""What a fault of a core is."""

from dataclasses import dataclass

from verif.mutants import Mutant

__all__ = ["CoreMutant", "planter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMutant(Mutant):
    """A fault of a core.

    Attributes
    ----------
    preset
        The core in which it is looked for; ``parameters`` are its options.
    what
        The fault in words.
    """

    preset: str
    what: str


class planter:
    """Makes the mutants of one preset: the name's prefix, the file and the options are said once."""

    def __init__(self, preset: str, prefix: str, path: str, **parameters: object) -> None:
        self._preset, self._prefix, self._path, self._parameters = preset, prefix, path, parameters

    def __call__(
        self, name: str, what: str, anchor: str, replacement: str, **parameters: object
    ) -> CoreMutant:
        """Return a mutant."""
        return CoreMutant(
            name=f"{self._prefix}_{name}",
            what=what,
            path=self._path,
            anchor=anchor,
            replacement=replacement,
            parameters={**self._parameters, **parameters},
            preset=self._preset,
        )

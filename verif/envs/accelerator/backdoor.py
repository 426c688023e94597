"""Look into the memories of a simulated accelerator without disturbing it."""

import numpy as np
from cocotb.handle import HierarchyObject

from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["Backdoor"]


class Backdoor:
    """Read scratchpads, bank by bank.

    Parameters
    ----------
    dut
        The simulated top.
    config
        The accelerator.
    """

    def __init__(self, dut: HierarchyObject, config: AcceleratorConfig) -> None:
        self._shapes = {
            "activations": (4, config.activation_words // 4, config.activation_word),
            "weights": (2, config.weight_words // 2, config.weight_word),
        }
        self._words = {
            name: [
                [getattr(getattr(dut, name), f"bank{bank}").storage[row] for bank in range(banks)]
                for row in range(rows)
            ]
            for name, (banks, rows, _) in self._shapes.items()
        }

    def activation(self) -> np.ndarray:
        """Return the activation memory, int8, ``(words, array)``."""
        return self._read("activations")

    def weight(self) -> np.ndarray:
        """Return the weight memory, int8, ``(words, 2 * array)``."""
        return self._read("weights")

    def _read(self, name: str) -> np.ndarray:
        size = self._shapes[name][2]
        content = b"".join(
            int(word.value).to_bytes(size, "little") for row in self._words[name] for word in row
        )
        return np.frombuffer(content, np.int8).reshape(-1, size)

"""Run one Yosys script in the pyosys wheel: ``python child.py SCRIPT``.

A process of its own, since Yosys ends its process on an error. It imports
nothing of this project, so that it starts fast and anywhere.
"""

from __future__ import annotations

import os
import sys


def main(script: str) -> None:
    """Run `script`, then leave without the library's slow clean-up."""
    from pyosys import libyosys  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

    libyosys.run_pass(f"script {script}", libyosys.Design())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])

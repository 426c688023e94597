"""What tests of the cores share: simulators, each built once a session."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def simulator_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where :func:`verif.harness.riscv.quick.build` keeps what it has built."""
    return tmp_path_factory.mktemp("simulators")

"""What the tests of the compute engine share: simulators, each built once a session."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compute_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulators of the compute engine are kept."""
    return tmp_path_factory.mktemp("compute")

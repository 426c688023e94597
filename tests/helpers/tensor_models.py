"""The reference networks and their golden tensors: where they are, or a skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Short names, as the golden tensors have them, and files.
NETWORKS = {
    "kws": "kws_ds_cnn_int8.tflite",
    "vww": "vww_mobilenetv1_025_int8.tflite",
    "ic": "ic_resnet8_int8.tflite",
    "ad": "ad_autoencoder_int8.tflite",
}


def need_models() -> Path:
    """Return the folder of the reference networks: ``SUZURI_MODELS``, else beside the checkout; or skip."""
    named = os.environ.get("SUZURI_MODELS")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "models"
    if not folder.is_dir():
        pytest.skip("no reference networks: name their folder by SUZURI_MODELS")
    return folder


def need_network(name: str) -> Path:
    """Return the file of a network by its short name, or skip."""
    path = need_models() / NETWORKS[name]
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the folder of reference networks")
    return path


def need_goldens(name: str) -> Path:
    """Return the file of a network's golden tensors, or skip."""
    path = need_models() / "golden" / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"golden/{path.name} is not in the folder of reference networks")
    return path

"""``suzuri nn``: compile, plan, and run by the models; the simulated hardware is for the nightly list."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tensor_models import need_goldens, need_network

from flow.cli.main import main
from rtl.tensor.compiler.reader import read_model
from verif.models.tensor.networks import random_inputs, random_network


class Done:
    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


@pytest.fixture
def suzuri(capfd):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["nn", *map(str, arguments)])
        said = capfd.readouterr()
        return Done(ended.value.code or 0, said.out, said.err)

    return call


@pytest.fixture
def network(tmp_path):
    """Return a model's file, and a file with three inputs for it."""
    pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")
    model = tmp_path / "net.tflite"
    model.write_bytes(random_network(3, steps=4))
    shape = read_model(model).tensors[read_model(model).input].dimensions[1:]
    values = random_inputs(int(np.prod(shape)), 3, 3).reshape(3, *shape)
    np.save(tmp_path / "inputs.npy", values)
    return model, tmp_path / "inputs.npy"


def test_run_compares_with_the_reference_and_writes_outputs(suzuri, network, tmp_path):
    model, inputs = network
    done = suzuri(
        "run", model, "--input", inputs, "--engine", "machine", "--tensors", "-o", tmp_path / "o.npy"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 inputs: every tensor equal to the reference\n"
    outputs = np.load(tmp_path / "o.npy")
    raw = tmp_path / "inputs.bin"
    raw.write_bytes(np.load(inputs).tobytes())
    done = suzuri("run", model, "--input", raw, "--engine", "reference", "-o", tmp_path / "p.npy")
    assert done.returncode == 0
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), outputs)
    # outputs that the file brings, of which one is changed
    wrong = outputs.copy()
    wrong.reshape(3, -1)[1, 0] ^= 1
    np.savez(tmp_path / "both.npz", input=np.load(inputs), output=wrong, names=["a", "b", "c"])
    done = suzuri("run", model, "--input", tmp_path / "both.npz", "--engine", "machine")
    assert done.returncode == 1
    assert re.match(
        r"b: operator \d+, \w+: 1 of \d+ values differ from the file's output; value 0 is ", done.stderr
    )
    assert "1 tensors differ" in done.stderr


def test_compile_and_plan(suzuri, network, tmp_path):
    model, _ = network
    done = suzuri(
        "compile", model, "--config", "16x16", "--set", "activation_kib=64", "-o", tmp_path / "n.szn"
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"n\.szn: \d+ commands, [\d,]+ bytes\n$", done.stdout)
    assert (tmp_path / "n.szn").read_bytes()[:4] == b"SZNN"
    plan = suzuri("plan", model, "--config", "16x16", "--set", "activation_kib=64").stdout
    both = suzuri(
        "compile",
        model,
        "--config",
        "16x16",
        "--set",
        "activation_kib=64",
        "-o",
        tmp_path / "n.szn",
        "--plan",
    ).stdout
    assert both == plan + done.stdout
    lines = plan.splitlines()
    assert lines[0].split()[:4] == ["layer", "output", "MACs", "cycles"]
    assert lines[-1] == "Cycles are predicted; they count from when the input is on chip."
    rows = [re.split(r"  +", line) for line in lines[2:-3]]
    assert len(rows) == len(read_model(model).operators) - sum(
        o.kind in ("RESHAPE", "SOFTMAX") for o in read_model(model).operators
    )
    macs = [int(row[2].replace(",", "")) for row in rows]
    assert lines[-2].split()[:2] == ["network", f"{sum(macs):,}"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "MODEL", "--config", "8X8"), "there is no configuration '8X8'; there are 4x4, 8x8, 16x16"),
        (("plan", "MODEL", "--set", "colour=3"), "--set: there is no parameter 'colour'"),
        (("plan", "MODEL", "--set", "weight_kib=3"), "weight_kib must be a power of two in 1..1024, not 3"),
        (("plan", "MODEL", "--set", "weight_kib=many"), "weight_kib must be an integer, not 'many'"),
        (("plan", "none.tflite"), "none.tflite: "),
        (("compile", "MODEL", "-o", "/no/folder/x"), "/no/folder/x: it cannot be written"),
        (("run", "MODEL", "--input", "EMPTY", "--engine", "machine"), "it has 0 values, and an input"),
        (("run", "MODEL", "--input", "FLOAT.npy", "--engine", "machine"), "its values are float64, not int8"),
        (("run", "MODEL", "--input", "BROKEN.npz", "--engine", "machine"), "it cannot be read"),
        (("run", "MODEL", "--input", "BROKEN.npy", "--engine", "machine"), "it cannot be read"),
        (("run", "MODEL", "--input", "OTHER.npz", "--engine", "machine"), "it has no array `input`"),
        (("run", "MODEL", "--input", "missing.npy", "--engine", "machine"), "it cannot be read (No such"),
        (("plan", "EMPTY"), "EMPTY"),
        (("plan", "MODEL", "--set", "activation_kib=1"), "bytes more than the 1 KiB of the activation"),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line(suzuri, network, tmp_path, arguments, words):
    model, _ = network
    (tmp_path / "EMPTY").touch()
    np.save(tmp_path / "FLOAT.npy", np.zeros(4))
    for name in ("BROKEN.npz", "BROKEN.npy"):
        (tmp_path / name).write_bytes(b"PK\3\4 this is none")
    np.savez(tmp_path / "OTHER.npz", a=np.zeros(3), b=np.zeros(3))
    names = {"MODEL": model, **{f.name: f for f in tmp_path.iterdir()}}
    done = suzuri(*(names.get(word, word) for word in arguments))
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.nightly
@pytest.mark.sim
def test_run_on_the_simulated_hardware(suzuri, network):
    model, inputs = network
    done = suzuri("run", model, "--input", inputs, "--config", "4x4")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "3 inputs: outputs equal to the reference"
    assert any(
        re.match(r"[\d,]+ cycles from start to end: the array took operands in [\d,]+, ", x) for x in lines
    )
    kept = suzuri("run", model, "--input", inputs, "--config", "4x4", "--tensors", "--stall", "30", "--quiet")
    assert kept.stdout == "3 inputs: every tensor equal to the reference\n", kept.stderr


def cycles(text):
    """Return the cycles of each layer, and of the network, by the table that a command printed."""
    rows = [re.split(r"  +", line) for line in text.splitlines() if re.match(r"\d+ [A-Z]|network", line)]
    return {row[0]: int(row[3 if row[0] != "network" else 2].replace(",", "")) for row in rows}


@pytest.mark.nightly
@pytest.mark.sim
@pytest.mark.parametrize(
    ("name", "limit"), [("kws", 50_000), ("vww", 140_000), ("ic", 225_000), ("ad", 36_000)]
)
def test_the_reference_networks_on_the_simulated_hardware(suzuri, name, limit):
    """Equal to the goldens, in so many cycles, of which the plan said nearly as many."""
    model = need_network(name)
    done = suzuri("run", model, "--input", need_goldens(name), "--count", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 inputs: outputs equal to the reference and to the file's\n")
    measured, planned = cycles(done.stdout), cycles(suzuri("plan", model).stdout)
    assert measured.keys() == planned.keys()
    assert len(measured) > 10
    assert measured["network"] <= limit
    for layer, count in measured.items():
        assert abs(planned[layer] - count) <= max(0.1 * count, 20), layer

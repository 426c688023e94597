"""Plans of installation, and what their failures mean."""

from __future__ import annotations

import pytest

from flow.model.errors import ConfigError, InfraError, ToolError
from pdk_adapters.install import describe, plan_install, read_failure

SKY = "8afc8346a57fe1ab7934ba5a6056ea8b43078e71"


def test_osu_is_a_debian_package(no_pdks):
    plan = plan_install("osu018")
    assert plan.commands == (("apt-get", "install", "-y", "qflow-tech-osu018"),)
    assert plan.needs_root
    assert plan_install("osu050", "1.3.17+dfsg.1-3").commands[0][-1] == "qflow-tech-osu050=1.3.17+dfsg.1-3"


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        ("sky130A", "sky130"),
        ("gf180mcuD", "gf180mcu"),
        ("gf180mcuD-9t", "gf180mcu"),
        ("ihp-sg13g2", "ihp-sg13g2"),
    ],
)
def test_open_pdks_by_ciel(no_pdks, name, selector):
    plan = plan_install(name)
    (command,) = plan.commands
    assert command[:6] == ("ciel", "enable", "--pdk-family", selector, "--pdk-root", str(no_pdks))
    assert len(command[6]) == 40
    assert plan.destination == no_pdks / name.removesuffix("-9t")
    assert not plan.needs_root
    assert dict(plan.requires)["ciel"] == "python3 -m pip install ciel"


def test_ciel_goes_home_without_pdk_root(no_pdks, tmp_path, monkeypatch):
    monkeypatch.delenv("PDK_ROOT")
    assert plan_install("sky130A").destination == tmp_path / "home" / ".ciel" / "sky130A"


def test_another_version(no_pdks):
    assert plan_install("sky130A", "0123abc").commands[0][-1] == "0123abc"
    with pytest.raises(ConfigError, match=r"'latest' is not a version of sky130.*ciel ls-remote"):
        plan_install("sky130A", "latest")
    for hostile in ("", "--help", "a b"):
        with pytest.raises(ConfigError, match="is not a version"):
            plan_install("osu018", hostile)


def test_orfs_is_a_sparse_clone_that_is_found_again(no_pdks, tmp_path):
    plan = plan_install("nangate45")
    clone, sparse = plan.commands
    assert clone[:2] == ("git", "clone")
    assert "--sparse" in clone
    assert sparse[-2:] == ("set", "flow/platforms/nangate45")
    assert plan.destination == tmp_path / "home/.suzuri/pdks/OpenROAD-flow-scripts/flow/platforms/nangate45"
    plan.destination.mkdir(parents=True)
    (command,) = plan_install("asap7").commands
    assert command[-2:] == ("add", "flow/platforms/asap7")


def test_orfs_destination_is_where_pdks_are_looked_for(no_pdks):
    from pdk_adapters.discovery import find_platform

    destination = plan_install("asap7").destination
    for folder in ("lib", "lef"):
        (destination / folder).mkdir(parents=True)
    assert find_platform("asap7") == destination


def test_unknown():
    with pytest.raises(ConfigError, match="Did you mean sky130A"):
        plan_install("sky130a")


def test_description_shows_everything(no_pdks):
    text = describe(plan_install("sky130A"))
    assert f"$ ciel enable --pdk-family sky130 --pdk-root {no_pdks} {SKY}" in text
    for word in ("where:", "size:", "version:", "needs:   ciel, the network"):
        assert word in text


@pytest.mark.parametrize(
    ("output", "kind", "message"),
    [
        (
            "[red][Errno -3] Temporary failure in name resolution",
            InfraError,
            "network cannot be reached.*PDK_ROOT",
        ),
        ("You don't appear to be connected to the Internet.", InfraError, "network cannot be reached"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", InfraError, "network"),
        ("OSError: [Errno 28] No space left on device", InfraError, "the disk is full"),
        (
            "E: Could not open lock file /var/lib/dpkg/lock - open (13: Permission denied)",
            ConfigError,
            "administrator",
        ),
        ("sudo: a password is required", ConfigError, "Ask an administrator"),
        ("E: Unable to locate package qflow-tech-osu018", ConfigError, "apt-get update"),
        ("Version 123 not found remotely.", ConfigError, "this version does not exist"),
        ("403 rate limit exceeded", InfraError, "GITHUB_TOKEN"),
        ("Segmentation fault", ToolError, "exit code 1: Segmentation fault"),
        ("", ToolError, "exit code 1"),
    ],
)
def test_failures(no_pdks, output, kind, message):
    plan = plan_install("sky130A")
    error = read_failure(plan, plan.commands[0], 1, output)
    assert type(error) is kind
    with pytest.raises(kind, match=message):
        raise error


def test_a_missing_program_and_success(no_pdks):
    plan = plan_install("sky130A")
    assert read_failure(plan, plan.commands[0], 0, "error") is None
    with pytest.raises(ConfigError, match=r"ciel is not installed.*pip install ciel"):
        raise read_failure(plan, plan.commands[0], 127, "")

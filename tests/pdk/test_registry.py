"""The list of PDKs, and what it says of names that are wrong."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from importlib import metadata

import pytest

from flow.model.errors import ConfigError
from pdk_adapters import registry
from pdk_adapters.family import Offer


@pytest.fixture
def fresh(monkeypatch):
    """A registry whose plugins are looked up again, before and after."""
    monkeypatch.setattr(registry, "_registered", {})
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


def make(pdk, **changes):
    given = {
        "name": "mine", "family": "mine", "library": "cells", "description": "a PDK of mine",
        "licence": "MIT", "locate": lambda: pdk.root, "load": lambda _place: replace(pdk, name="mine"),
        "hints": registry.offer("osu018").hints, "install": "copy it",
    }  # fmt: skip
    return Offer(**{**given, **changes})


def test_six_families():
    assert {"osu", "sky130", "gf180", "ihp", "nangate45", "asap7"} <= set(registry.families())


def test_names_are_those_of_the_offers():
    for module, names in registry._BUILT_IN.items():
        assert tuple(o.name for o in registry._built_in(module)) == names


def test_nothing_installed(no_pdks):
    assert registry.installed() == ()
    for info in registry.known():
        assert not info.installed
        assert info.reason.startswith("not installed: ")
        assert info.install


def test_unknown_name_suggests_the_nearest():
    for wrong, near in (
        ("sky130a", "sky130A"),
        ("nangate", "nangate45"),
        ("gf180", "gf180mcuD"),
        ("osu", "osu"),
    ):
        with pytest.raises(ConfigError, match=rf"there is no PDK '{wrong}'.*Did you mean {near}"):
            registry.find(wrong)
    with pytest.raises(ConfigError, match=r"Known are: osu018.*asap7") as caught:
        registry.find("zzzzz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("osu035", "apt-get install qflow-tech-osu035"),
        ("sky130A", "suzuri pdk install sky130A"),
        ("gf180mcuD-9t", "suzuri pdk install gf180mcuD-9t"),
        ("ihp-sg13g2", "suzuri pdk install ihp-sg13g2"),
        ("asap7", "git clone .*OpenROAD-flow-scripts.*FLOW_HOME"),
    ],
)
def test_not_installed_says_how(no_pdks, name, how):
    with pytest.raises(ConfigError, match=rf"PDK {name} is not installed.*{how}") as caught:
        registry.find(name)
    assert pickle.loads(pickle.dumps(caught.value)).remedy == caught.value.remedy


def test_a_pdk_root_that_is_not_there(no_pdks, monkeypatch):
    monkeypatch.setenv("PDK_ROOT", str(no_pdks / "nowhere"))
    with pytest.raises(ConfigError, match=r"PDK_ROOT names .*nowhere, which is not a folder"):
        registry.find("sky130A")
    monkeypatch.delenv("PDK_ROOT")
    with pytest.raises(ConfigError, match="PDK_ROOT is not set"):
        registry.find("sky130A")


def test_corners(find):
    pdk = find("ihp-sg13g2")
    assert registry.corner(pdk).name == "typ_1p20V_25C"
    assert registry.corner(pdk, "ss").process == "ss"
    assert registry.corner(pdk, "slow_1p08V_125C").temperature_c == 125
    with pytest.raises(
        ConfigError, match=r"no corner 'slow_1p08V'.*Did you mean slow_1p08V_125C\? It has: typ_1p20V"
    ):
        registry.corner(pdk, "slow_1p08V")


def test_a_plugin(find, fresh, monkeypatch):
    pdk = find("osu018")
    offers = {
        "good": lambda: (make(pdk),),
        "bad": lambda: (make(pdk, name="has space"),),
        "worse": lambda: 1 / 0,
    }

    class Point:
        def __init__(self, name):
            self.name, self.value = name, f"somewhere:{name}"

        def load(self):
            return offers[self.name]

    monkeypatch.setattr(
        metadata, "entry_points", lambda group: [Point(n) for n in offers] if group == registry.GROUP else []
    )
    assert registry.find("mine").name == "mine"
    assert "mine" in registry.families()
    assert len(registry.problems()) == 2
    assert (
        "PDK plugin bad (somewhere:bad): the name 'has space' may not have spaces" in registry.problems()[0]
    )
    with pytest.raises(ConfigError, match=r"These plugins could not be used: .*division by zero"):
        registry.find("theirs")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "sky130A"}, "the name sky130A is taken"),
        ({"name": "a/b"}, "may not have spaces, '/'"),
        ({"licence": " "}, "licence of 'mine' must be a text"),
        ({"load": None}, "load of mine must be a function"),
    ],
)
def test_a_plugin_is_checked_when_it_registers(find, fresh, changes, message):
    with pytest.raises(ConfigError, match=message):
        registry.register(make(find("osu018"), **changes))


def test_registering_something_else(fresh):
    with pytest.raises(ConfigError, match=r"is not a pdk_adapters.family.Offer"):
        registry.register("sky130")  # type: ignore[arg-type]


def test_roles_are_json(pdk):
    assert json.loads(json.dumps(asdict(pdk.roles)))["flops"] == list(pdk.roles.flops)


def test_describing_reads_no_liberty_and_no_numpy(find):
    find("sky130A")
    code = (
        "import sys, pdk_adapters.registry as r\n"
        "r.installed()\n"
        "print([m for m in ('numpy', 'flow.formats.liberty', 'importlib.metadata') if m in sys.modules])"
    )
    code = code.replace("r.installed()", "r.find('sky130A')")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"

from importlib.metadata import EntryPoint

import pytest

from flow.model.errors import ConfigError
from flow.model.tool import ToolAdapter
from flow.tools import registry


class Magic:
    name = "magic"
    minimum_version = (8, 3)

    def detect(self):
        raise ConfigError("not installed")


class NoDetect:
    name = "broken"
    minimum_version = (1,)


class Impostor(Magic):
    name = "yosys"


class OddVersion(Magic):
    minimum_version = "8.3"


class OddName(Magic):
    name = "My Tool"


@pytest.fixture
def plugins(monkeypatch):
    points = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "suzuri.tools" else [])

    def add(name):
        points.append(EntryPoint(name=name.lower(), value=f"{__name__}:{name}", group="suzuri.tools"))
        monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])

    return add


def test_every_built_in_adapter_keeps_the_contract():
    found = registry.adapters()
    assert set(found) >= set(registry.BUILT_IN)
    for name, adapter in found.items():
        assert isinstance(adapter, ToolAdapter)
        assert adapter.name == name


def test_a_plugin_is_found_and_may_be_a_class(plugins):
    plugins("Magic")
    assert registry.adapters()["magic"].minimum_version == (8, 3)
    assert registry.adapter("magic").name == "magic"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NoDetect", r"entry point nodetect = .*: not a tool adapter: it has no detect"),
        ("Impostor", r"tool adapter 'yosys' is also registered by Suzuri"),
        ("OddVersion", r"minimum_version is '8\.3', not a tuple of integers"),
        ("OddName", r"tool adapter with the name 'My Tool'"),
        ("Absent", r"tool plugin cannot be imported: KeyError"),
    ],
)
def test_a_bad_plugin_is_refused_when_it_registers(plugins, name, said):
    plugins(name)
    with pytest.raises(ConfigError, match=said):
        registry.adapters()


def test_an_unknown_tool():
    with pytest.raises(ConfigError, match=r"there is no tool adapter 'vcs'\. Known: .*yosys"):
        registry.adapter("vcs")

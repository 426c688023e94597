"""The checker of AXI4: each rule, kept and broken."""

import pytest

from verif.agents.axi4.protocol import AxiChecker

NAMES = [
    f"{channel}{name}"
    for channel, names in {
        "ar": ("valid", "ready", "addr", "len", "size", "burst"),
        "aw": ("valid", "ready", "addr", "len", "size", "burst"),
        "w": ("valid", "ready", "data", "strb", "last"),
        "r": ("valid", "ready", "data", "resp", "last"),
        "b": ("valid", "ready", "resp"),
    }.items()
    for name in names
]


def sample(**values):
    return dict.fromkeys(NAMES, 0) | values


def asked(channel, address=0, more=0, size=3, burst=1, ready=1):
    values = {"valid": 1, "ready": ready, "addr": address, "len": more, "size": size, "burst": burst}
    return sample(**{f"{channel}{name}": value for name, value in values.items()})


def beat(channel, last=0, ready=1, **values):
    return sample(**{f"{channel}valid": 1, f"{channel}ready": ready, f"{channel}last": last}, **values)


ANSWER = sample(bvalid=1, bready=1)


def complaints(*samples, finish=True):
    checker = AxiChecker(8)
    for values in samples:
        checker.observe(values)
    if finish:
        checker.finish()
    return checker.complaints


def test_what_is_right():
    reads = [asked("ar", 4064, 3), beat("r"), beat("r"), sample(), beat("r"), beat("r", last=1)]
    writes = [asked("aw", 8, 1, ready=0), asked("aw", 8, 1), beat("w", ready=0), beat("w"), beat("w", last=1)]
    assert complaints(*reads, *writes, ANSWER) == []


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([asked("ar", 4064, 4)], "AR crosses 4 KiB"),
        ([asked("aw", 4)], "AWADDR is not aligned"),
        ([asked("ar", size=2)], "ARSIZE is not the port's"),
        ([asked("aw", burst=0)], "AWBURST is not INCR"),
        ([asked("ar", 8, ready=0), sample()], "AR is withdrawn"),
        ([asked("ar", 8, ready=0), asked("ar", 16)], "AR changes while it waits"),
        ([asked("aw"), beat("w", ready=0, wdata=1), beat("w", last=1, wdata=2)], "W changes while it waits"),
        ([beat("w", last=1)], "W has a beat before its address"),
        ([asked("aw", more=1), beat("w", last=1)], "WLAST is at another beat"),
        ([asked("ar", more=1), beat("r"), beat("r")], "RLAST is at another beat"),
        ([asked("aw"), ANSWER], "a write is answered that was not complete"),
    ],
    ids=str,
)
def test_what_is_wrong(samples, message):
    found = complaints(*samples, finish=False)
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "samples", [[asked("ar")], [asked("aw")], [asked("aw"), beat("w", last=1)]], ids=range(3)
)
def test_what_is_open_at_the_end(samples):
    assert complaints(*samples)[-1].endswith("the port is not quiet at the end")


def test_reset_forgets():
    checker = AxiChecker(8)
    checker.observe(asked("ar", 8, ready=0))
    checker.observe(sample(), reset=True)
    checker.observe(sample())
    checker.finish()
    assert checker.complaints == []

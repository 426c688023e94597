"""The memory bus's rules and the devices behind it; no simulator."""

import pytest

from verif.agents.memory_bus import MemoryBusProtocol, MemoryProtocolError, WordMemory
from verif.envs.riscv.platform import FetchPort, Platform, Shadow

READ = (0x80, 0, 15, 0)


def test_granted_and_answered():
    protocol = MemoryBusProtocol("dbus")
    protocol.clock(1, READ, False, False)
    protocol.clock(2, READ, True, False)
    protocol.clock(3, (0x84, 1, 3, 7), True, True)
    assert protocol.outstanding == 1
    protocol.clock(4, None, True, True)
    assert protocol.outstanding == 0


@pytest.mark.parametrize(
    ("second", "message"),
    ((None, "request withdrawn before its grant"), ((0x84, 0, 15, 0), "request changed before its grant")),
)
def test_requests_hold(second, message):
    protocol = MemoryBusProtocol("dbus")
    protocol.clock(1, READ, False, False)
    with pytest.raises(MemoryProtocolError, match=f"dbus: {message} in cycle 2"):
        protocol.clock(2, second, True, False)


def test_reset_ends_all():
    protocol = MemoryBusProtocol("dbus")
    protocol.clock(1, READ, False, False)
    protocol.reset()
    protocol.clock(2, None, True, False)


def test_malformed_requests():
    with pytest.raises(MemoryProtocolError, match="address 0x4 is no multiple of 8"):
        MemoryBusProtocol("ibus", 8).clock(1, (4,), True, False)
    with pytest.raises(MemoryProtocolError, match="strobe 0110 is no byte, half or word"):
        MemoryBusProtocol("dbus").clock(1, (4, 1, 6, 0), True, False)
    with pytest.raises(MemoryProtocolError, match="response without a request"):
        MemoryBusProtocol("dbus").clock(1, None, True, True)


def test_memory():
    memory = WordMemory([(0x100, 0x10)])
    memory.load(0x100, b"\x01\x02\x03\x04\x05")
    assert memory.read(0x104) == (5, False)
    assert not memory.write(0x100, 0b0110, 0xAABB_CCDD)
    assert memory.read(0x100) == (0x04BB_CC01, False)
    assert memory.read(0x110) == (0, True)
    assert memory.write(0xFC, 15, 0)
    with pytest.raises(ValueError, match="8 bytes at 0x10c do not lie in memory"):
        memory.load(0x10C, bytes(8))


def test_timer_and_software_interrupt():
    platform = Platform()
    platform.write(0x0200_4000, 15, 3)
    assert not platform.tick().timer
    platform.write(0x0200_4004, 15, 0)
    platform.tick()
    assert platform.tick().timer
    assert platform.read(0x0200_BFF8) == (3, False)
    platform.write(0x0200_0000, 1, 1)
    assert platform.tick().software


def test_test_device():
    platform = Platform()
    platform.write(0x1000_0014, 15, 2 << 16 | 11)
    assert not platform.tick().external
    assert platform.tick().external
    platform.write(0x1000_0010, 15, 5 << 16)
    lines = platform.tick()
    assert (lines.external, lines.local) == (0, 5)
    assert platform.read(0x1000_0800)[1]
    platform.write(0x1000_0004, 15, 9)
    assert platform.exit_code == 9


def test_instructions_come_from_memory_only():
    platform = Platform()
    port = FetchPort(platform)
    assert port.read(0x1000_0000)[1]
    assert port.write(0x8000_0000, 15, 0)


def test_shadow_is_a_copy():
    platform = Platform()
    platform.memory.load(0x8000_0000, bytes(4))
    shadow = Shadow(platform)
    shadow.write(0x8000_0000, 1, 0x55)
    shadow.write(0x1000_0004, 15, 3)
    assert platform.memory.read(0x8000_0000) == (0, False)
    assert shadow.writes == [(0x8000_0000, 1, 0x55), (0x1000_0004, 15, 3)]
    assert shadow.exit_code == 3

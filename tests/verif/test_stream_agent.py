"""The parts of the stream agent that need no simulator: protocol, pauses, bursts."""

import pytest

from verif.agents.stream import PACINGS, Pacing, ProtocolError, StreamBurst, StreamProtocol


def test_legal_sequences_pass() -> None:
    protocol = StreamProtocol("s")
    for cycle, (valid, ready, payload) in enumerate(
        [(0, 0, None), (1, 0, 5), (1, 0, 5), (1, 1, 5), (1, 1, 6), (0, 1, None), (1, 1, 7)]
    ):
        protocol.clock(cycle, valid, ready, payload)
    assert not protocol.waiting


def test_withdrawn_offer() -> None:
    protocol = StreamProtocol("s")
    protocol.clock(1, 1, 0, 5)
    assert protocol.waiting
    with pytest.raises(ProtocolError, match="s: valid withdrawn before ready in cycle 2"):
        protocol.clock(2, 0, 1, None)


def test_changed_offer() -> None:
    protocol = StreamProtocol("s")
    protocol.clock(1, 1, 0, 0)
    with pytest.raises(ProtocolError, match="s: payload changed before ready in cycle 2: 0x0 became 0x6"):
        protocol.clock(2, 1, 1, 6)


def test_reset_withdraws() -> None:
    protocol = StreamProtocol("s")
    protocol.clock(1, 1, 0, 5)
    protocol.reset()
    protocol.clock(2, 0, 0, None)


@pytest.mark.parametrize("kind", PACINGS)
def test_pauses_repeat_from_their_seed_and_are_bounded(kind: str) -> None:
    one, two = Pacing(kind, 7), Pacing(kind, 7)
    pauses = [one.next() for _ in range(500)]
    assert pauses == [two.next() for _ in range(500)]
    assert 0 <= min(pauses) <= max(pauses) <= Pacing.LONGEST


def test_pauses_have_their_shapes() -> None:
    def drawn(kind: str) -> list[int]:
        pacing = Pacing(kind, 1)
        return [pacing.next() for _ in range(2000)]

    assert set(drawn("full")) == {0}
    assert set(drawn("alternate")) == {1}
    assert set(drawn("light")) == {0, 1}
    assert min(drawn("slow")) >= 2
    assert {0, 1, 8, 20} <= set(drawn("storm"))
    assert drawn("half") != drawn("light")


def test_unknown_pacing() -> None:
    with pytest.raises(ValueError, match=r"pacing must be one of full, .*, not 'fast'"):
        Pacing("fast", 1)


def test_burst_needs_a_gap_for_each_beat() -> None:
    with pytest.raises(ValueError, match="burst b: 2 beats, but 1 gaps"):
        StreamBurst("b", [1, 2], [0])

"""A valid/ready stream: driver, responder, monitor, protocol checker, sequences."""

from verif.agents.stream.agent import StreamSink, StreamSource
from verif.agents.stream.bus import StreamBus
from verif.agents.stream.driver import StreamDriver
from verif.agents.stream.items import StreamBurst, StreamReset, StreamSequence, StreamTransfer
from verif.agents.stream.monitor import StreamMonitor
from verif.agents.stream.pacing import PACINGS, Pacing
from verif.agents.stream.protocol import ProtocolError, StreamProtocol
from verif.agents.stream.recorder import StreamRecorder
from verif.agents.stream.responder import StreamResponder

__all__ = [
    "PACINGS",
    "Pacing",
    "ProtocolError",
    "StreamBurst",
    "StreamBus",
    "StreamDriver",
    "StreamMonitor",
    "StreamProtocol",
    "StreamRecorder",
    "StreamReset",
    "StreamResponder",
    "StreamSequence",
    "StreamSink",
    "StreamSource",
    "StreamTransfer",
]

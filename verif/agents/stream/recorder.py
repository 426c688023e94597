"""Keeps what a monitor reports, reset by reset."""

from pyuvm import uvm_analysis_export, uvm_component

from verif.agents.stream.items import StreamReset, StreamTransfer

__all__ = ["StreamRecorder"]


class StreamRecorder(uvm_analysis_export):
    """Collect transfers into epochs; every reset begins a new one.

    Attributes
    ----------
    epochs
        Transfers between resets, in order. Recorders of one design have the
        same number of epochs, since they see the same resets.
    """

    def __init__(self, name: str, parent: uvm_component) -> None:
        super().__init__(name, parent)
        self.epochs: list[list[StreamTransfer]] = [[]]

    def write(self, datum: StreamTransfer | StreamReset) -> None:
        """Take a report."""
        if isinstance(datum, StreamReset):
            self.epochs.append([])
        else:
            self.epochs[-1].append(datum)

"""A two-entry register slice (skid buffer) that cuts every path through a stream."""

from amaranth.hdl import Module, Shape, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StreamRegister"]


class StreamRegister(wiring.Component):
    """Pass a stream through registers in both directions.

    Payload and ``valid`` leave from flops, and so does the ``ready`` that the
    source sees: no combinational path crosses the component. The second
    entry takes the beat that is on its way while ``ready`` falls, so that
    this costs no throughput.

    Parameters
    ----------
    payload_shape : ShapeLike
        Shape of the payload; at least one bit wide.

    Members
    -------
    i : In, stream of ``payload_shape``
        Source.
    o : Out, stream of ``payload_shape``
        Sink. After ``valid`` rises, it and the payload hold until ``ready``.

    Timing
    ------
    Latency 1 cycle; 1 beat per cycle while ``o.ready``. Holds two beats.
    Payload flops have no reset.

    Raises
    ------
    TypeError
        ``payload_shape`` is no shape.
    ValueError
        ``payload_shape`` is zero bits wide.

    Source
    ------
    The valid/ready rules of Amaranth RFC 61. The proof is in
    :mod:`ips.stream_register.properties`.
    """

    def __init__(self, payload_shape: ShapeLike) -> None:
        try:
            width = Shape.cast(payload_shape).width
        except TypeError as error:
            raise TypeError(f"payload_shape must be a shape, not {payload_shape!r}") from error
        if width == 0:
            raise ValueError(f"payload_shape must be at least 1 bit wide, not {payload_shape!r}")
        self._payload_shape = payload_shape
        # Attributes, so that the proof can speak of them.
        self._head = Signal(payload_shape, name="head", reset_less=True)
        self._skid = Signal(payload_shape, name="skid", reset_less=True)
        super().__init__(
            {
                "i": In(stream.Signature(payload_shape)),
                "o": Out(stream.Signature(payload_shape)),
            }
        )

    @property
    def payload_shape(self) -> ShapeLike:
        """Shape of the payload."""
        return self._payload_shape

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()

        head, skid = self._head, self._skid
        head_valid = Signal()
        skid_valid = Signal()

        m.d.comb += [
            self.o.payload.eq(head),
            self.o.valid.eq(head_valid),
            self.i.ready.eq(~skid_valid),
        ]
        with m.If(self.o.ready | ~head_valid):
            with m.If(skid_valid):
                m.d.sync += [head.eq(skid), skid_valid.eq(0)]
            with m.Else():
                m.d.sync += head_valid.eq(self.i.valid)
                with m.If(self.i.valid):
                    m.d.sync += head.eq(self.i.payload)
        with m.Elif(self.i.valid & ~skid_valid):
            m.d.sync += [skid.eq(self.i.payload), skid_valid.eq(1)]

        return m

"""What travels between monitors and scoreboards."""

from dataclasses import dataclass

__all__ = ["BusAccess"]


@dataclass(frozen=True, slots=True)
class BusAccess:
    """An access that was answered.

    Attributes
    ----------
    cycle
        Clock edges since the monitor began, at the answer.
    address
        In bytes, a multiple of the bus's width.
    write
        Whether it wrote.
    strobe
        The bytes that count; all of them on a bus that only reads.
    data
        What was written, or what came.
    error
        Whether it failed.
    waited, latency
        Cycles before the grant, and from the grant to the answer.
    """

    cycle: int
    address: int
    write: bool
    strobe: int
    data: int
    error: bool
    waited: int
    latency: int

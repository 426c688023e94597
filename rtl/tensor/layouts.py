"""Payloads of the tile's streams."""

from amaranth.hdl import signed
from amaranth.lib import data

from rtl.tensor.config import TileConfig

__all__ = ["activation_beat", "result_vector", "weight_row"]


def activation_beat(config: TileConfig) -> data.StructLayout:
    """Return the layout of one beat of activations with its markers.

    Fields
    ------
    data : signed(activation_width) [rows]
        One activation a lane, zero point removed.
    first : 1
        The beat begins a reduction.
    last : 1
        The sums that include this beat are put out.
    swap : 1
        The next weights are taken before this beat computes.
    """
    return data.StructLayout(
        {
            "data": data.ArrayLayout(signed(config.activation_width), config.rows),
            "first": 1,
            "last": 1,
            "swap": 1,
        }
    )


def weight_row(config: TileConfig) -> data.StructLayout:
    """Return the layout of one lane's weights; ``rows`` of them make a set.

    Fields
    ------
    data : signed(weight_width) [columns]
        One weight a column.
    """
    return data.StructLayout({"data": data.ArrayLayout(signed(config.weight_width), config.columns)})


def result_vector(config: TileConfig) -> data.StructLayout:
    """Return the layout of one result.

    Fields
    ------
    data : signed(accumulator_width) [columns]
        One sum a column.
    """
    return data.StructLayout({"data": data.ArrayLayout(signed(config.accumulator_width), config.columns)})

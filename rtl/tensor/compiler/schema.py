"""Numbers of the TensorFlow Lite schema: which field of which table is where.

Source: tensorflow/lite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

import enum

__all__ = [
    "IDENTIFIER",
    "VERSION",
    "Activation",
    "AddField",
    "BufferField",
    "ConvField",
    "DepthwiseField",
    "FullyConnectedField",
    "ModelField",
    "OperatorCodeField",
    "OperatorField",
    "OptionsType",
    "PackField",
    "Padding",
    "PoolField",
    "QuantisationField",
    "ReducerField",
    "SoftmaxField",
    "StridedSliceField",
    "SubgraphField",
    "TensorField",
    "operator_name",
    "type_name",
]

#: Bytes 4 to 7 of a file, and the version of its schema.
IDENTIFIER = b"TFL3"
VERSION = 3


class ModelField(enum.IntEnum):
    """The root table."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    DESCRIPTION = 3
    BUFFERS = 4


class OperatorCodeField(enum.IntEnum):
    """A kind of operator that the model uses; files before 2021 have the first field alone."""

    DEPRECATED_CODE = 0
    CUSTOM_CODE = 1
    VERSION = 2
    CODE = 3


class SubgraphField(enum.IntEnum):
    """A graph."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3
    NAME = 4


class TensorField(enum.IntEnum):
    """A tensor."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTISATION = 4
    IS_VARIABLE = 5
    SPARSITY = 6
    SHAPE_SIGNATURE = 7


class QuantisationField(enum.IntEnum):
    """How a tensor is quantised."""

    SCALE = 2
    ZERO_POINT = 3
    DETAILS_TYPE = 4
    DIMENSION = 6


class OperatorField(enum.IntEnum):
    """An operator."""

    CODE_INDEX = 0
    INPUTS = 1
    OUTPUTS = 2
    OPTIONS_TYPE = 3
    OPTIONS = 4


class BufferField(enum.IntEnum):
    """Data of a tensor; with an offset it lies behind the structure, for files above 2 GiB."""

    DATA = 0
    OFFSET = 1


class ConvField(enum.IntEnum):
    """Options of CONV_2D."""

    PADDING = 0
    STRIDE_W = 1
    STRIDE_H = 2
    ACTIVATION = 3
    DILATION_W = 4
    DILATION_H = 5


class DepthwiseField(enum.IntEnum):
    """Options of DEPTHWISE_CONV_2D."""

    PADDING = 0
    STRIDE_W = 1
    STRIDE_H = 2
    MULTIPLIER = 3
    ACTIVATION = 4
    DILATION_W = 5
    DILATION_H = 6


class PoolField(enum.IntEnum):
    """Options of AVERAGE_POOL_2D and MAX_POOL_2D."""

    PADDING = 0
    STRIDE_W = 1
    STRIDE_H = 2
    KERNEL_W = 3
    KERNEL_H = 4
    ACTIVATION = 5


class FullyConnectedField(enum.IntEnum):
    """Options of FULLY_CONNECTED."""

    ACTIVATION = 0
    WEIGHTS_FORMAT = 1
    KEEP_DIMENSIONS = 2


class AddField(enum.IntEnum):
    """Options of ADD."""

    ACTIVATION = 0


class SoftmaxField(enum.IntEnum):
    """Options of SOFTMAX."""

    BETA = 0


class ReducerField(enum.IntEnum):
    """Options of MEAN."""

    KEEP_DIMENSIONS = 0


class PackField(enum.IntEnum):
    """Fields of ``PackOptions``."""

    VALUES = 0
    AXIS = 1


class StridedSliceField(enum.IntEnum):
    """Fields of ``StridedSliceOptions``."""

    BEGIN_MASK = 0
    END_MASK = 1
    ELLIPSIS_MASK = 2
    NEW_MASK = 3
    SHRINK_MASK = 4


class OptionsType(enum.IntEnum):
    """Which table an operator's options are."""

    NONE = 0
    CONV = 1
    DEPTHWISE = 2
    POOL = 5
    FULLY_CONNECTED = 8
    SOFTMAX = 9
    ADD = 11
    REDUCER = 27
    STRIDED_SLICE = 32
    PACK = 59


class Padding(enum.IntEnum):
    """Padding of convolutions and pools."""

    SAME = 0
    VALID = 1


class Activation(enum.IntEnum):
    """Activation that is part of an operator."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


_TYPE_NAMES = (
    "float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 "
    "resource variant uint32 uint16 int4 bfloat16"
)
_TYPES = _TYPE_NAMES.split()

# In the order of their codes.
_OPERATOR_NAMES = (
    "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE "
    "EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 "
    "RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM "
    "EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND "
    "TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN "
    "EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM "
    "LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE "
    "EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX "
    "PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE "
    "ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS "
    "SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG "
    "QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 "
    "SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER CUMSUM CALL_ONCE BROADCAST_TO "
    "RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE "
    "REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS "
    "RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1"
)
_OPERATORS = _OPERATOR_NAMES.split()


def operator_name(code: int) -> str:
    """Return the name of an operator's code, such as ``CONV_2D``."""
    return _OPERATORS[code] if 0 <= code < len(_OPERATORS) else f"operator code {code}"


def type_name(number: int) -> str:
    """Return the name of a tensor type, such as ``int8``."""
    return _TYPES[number] if 0 <= number < len(_TYPES) else f"type {number}"

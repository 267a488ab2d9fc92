"""The part of TFLite's schema that this package needs, as data for `flatbuffer.read`.

The generated code that comes with LiteRT trusts what it reads, and takes longer to import than a
small model takes to load.
"""

from __future__ import annotations

from .flatbuffer import Schema

IDENTIFIER = b"TFL3"
VERSION = 3

# Types by number, and their bits; None if the size of a value is not fixed.
TYPES: dict[int, tuple[str, int | None]] = dict(
    enumerate(
        [
            *(("float32", 32), ("float16", 16), ("int32", 32), ("uint8", 8), ("int64", 64)),
            *(("string", None), ("bool", 8), ("int16", 16), ("complex64", 64), ("int8", 8)),
            *(("float64", 64), ("complex128", 128), ("uint64", 64), ("resource", None)),
            *(("variant", None), ("uint32", 32), ("uint16", 16), ("int4", 4), ("bfloat16", 16)),
            *(("int2", 2), ("uint4", 4), ("float8_e4m3fn", 8), ("float8_e5m2", 8)),
        ]
    )
)
# The operators in files of this package, by number, with the table of their options.
OPERATORS: dict[int, tuple[str, str]] = {
    0: ("ADD", "AddOptions"),
    2: ("CONCATENATION", "ConcatenationOptions"),
    3: ("CONV_2D", "Conv2DOptions"),
    6: ("DEQUANTIZE", "DequantizeOptions"),
    7: ("EMBEDDING_LOOKUP", ""),
    9: ("FULLY_CONNECTED", "FullyConnectedOptions"),
    11: ("L2_NORMALIZATION", "L2NormOptions"),
    14: ("LOGISTIC", ""),
    18: ("MUL", "MulOptions"),
    19: ("RELU", ""),
    22: ("RESHAPE", "ReshapeOptions"),
    25: ("SOFTMAX", "SoftmaxOptions"),
    28: ("TANH", ""),
    39: ("TRANSPOSE", "TransposeOptions"),
    40: ("MEAN", "ReducerOptions"),
    41: ("SUB", "SubOptions"),
    42: ("DIV", "DivOptions"),
    45: ("STRIDED_SLICE", "StridedSliceOptions"),
    49: ("SPLIT", "SplitOptions"),
    53: ("CAST", "CastOptions"),
    55: ("MAXIMUM", "MaximumMinimumOptions"),
    65: ("SLICE", "SliceOptions"),
    74: ("SUM", "ReducerOptions"),
    76: ("RSQRT", ""),
    77: ("SHAPE", "ShapeOptions"),
    83: ("PACK", "PackOptions"),
    88: ("UNPACK", "UnpackOptions"),
    92: ("SQUARE", "SquareOptions"),
    99: ("SQUARED_DIFFERENCE", "SquaredDifferenceOptions"),
    114: ("QUANTIZE", "QuantizeOptions"),
    126: ("BATCH_MATMUL", "BatchMatMulOptions"),
    150: ("GELU", "GeluOptions"),
}
CUSTOM = 32
_OPTIONS = {
    1: "Conv2DOptions",
    8: "FullyConnectedOptions",
    9: "SoftmaxOptions",
    10: "ConcatenationOptions",
    11: "AddOptions",
    12: "L2NormOptions",
    17: "ReshapeOptions",
    21: "MulOptions",
    26: "TransposeOptions",
    27: "ReducerOptions",
    28: "SubOptions",
    29: "DivOptions",
    32: "StridedSliceOptions",
    35: "SplitOptions",
    37: "CastOptions",
    38: "DequantizeOptions",
    39: "MaximumMinimumOptions",
    48: "SliceOptions",
    55: "ShapeOptions",
    59: "PackOptions",
    64: "UnpackOptions",
    66: "SquareOptions",
    76: "SquaredDifferenceOptions",
    89: "QuantizeOptions",
    101: "BatchMatMulOptions",
    116: "GeluOptions",
}
_ACTIVATION = "fused_activation_function:int8=0"
SCHEMA = Schema(
    {
        "Model": "version:uint32=0 operator_codes:[OperatorCode] subgraphs:[SubGraph] "
        "description:string buffers:[Buffer] metadata_buffer:[int32] metadata:[Metadata] "
        "signature_defs:[SignatureDef] external_buffer_groups:[Other] external_buffers:[Other]",
        "OperatorCode": "deprecated_builtin_code:int8=0 custom_code:string version:int32=1 "
        "builtin_code:int32=0",
        "SubGraph": "tensors:[Tensor] inputs:[int32] outputs:[int32] operators:[Operator] "
        "name:string",
        "Tensor": "shape:[int32] type:int8=0 buffer:uint32=0 name:string "
        "quantization:QuantizationParameters is_variable:bool=0 sparsity:Other "
        "shape_signature:[int32] has_rank:bool=0 variant_tensors:[Other] external_buffer:uint32=0",
        "QuantizationParameters": "min:[float32] max:[float32] scale:[float32] zero_point:[int64] "
        "details_type:QuantizationDetails details:union quantized_dimension:int32=0",
        "BlockwiseQuantization": "scales:int32=0 zero_points:int32=0 block_size:int32=0",
        "MultiAxisQuantization": "scales:int32=0 zero_points:int32=0 block_size:int32=0",
        "Operator": "opcode_index:uint32=0 inputs:[int32] outputs:[int32] "
        "builtin_options_type:BuiltinOptions builtin_options:union custom_options:[uint8] "
        "custom_options_format:int8=0 mutating_variable_inputs:[uint8] intermediates:[int32] "
        "large_custom_options_offset:uint64=0 large_custom_options_size:uint64=0 "
        "builtin_options_2_type:BuiltinOptions2 builtin_options_2:union",
        "Buffer": "data:[uint8] offset:uint64=0 size:uint64=0",
        "Metadata": "name:string buffer:uint32=0",
        "SignatureDef": "inputs:[TensorMap] outputs:[TensorMap] signature_key:string "
        "deprecated_tag:string subgraph_index:uint32=0",
        "TensorMap": "name:string tensor_index:uint32=0",
        # Options; tables without fields here have none, or none that matters.
        "AddOptions": _ACTIVATION,
        "MulOptions": _ACTIVATION,
        "SubOptions": _ACTIVATION,
        "DivOptions": _ACTIVATION,
        "L2NormOptions": _ACTIVATION,
        "ConcatenationOptions": f"axis:int32=0 {_ACTIVATION}",
        "Conv2DOptions": f"padding:int8=0 stride_w:int32=0 stride_h:int32=0 {_ACTIVATION} "
        "dilation_w_factor:int32=1 dilation_h_factor:int32=1 quantized_bias_type:int8=0",
        "FullyConnectedOptions": f"{_ACTIVATION} weights_format:int8=0 keep_num_dims:bool=0 "
        "asymmetric_quantize_inputs:bool=0 quantized_bias_type:int8=0",
        "SoftmaxOptions": "beta:float32=0",
        "ReshapeOptions": "new_shape:[int32]",
        "ReducerOptions": "keep_dims:bool=0",
        "SplitOptions": "num_splits:int32=0",
        "StridedSliceOptions": "begin_mask:int32=0 end_mask:int32=0 ellipsis_mask:int32=0 "
        "new_axis_mask:int32=0 shrink_axis_mask:int32=0 offset:bool=0",
        "PackOptions": "values_count:int32=0 axis:int32=0",
        "UnpackOptions": "num:int32=0 axis:int32=0",
        "BatchMatMulOptions": "adj_x:bool=0 adj_y:bool=0 asymmetric_quantize_inputs:bool=0",
        "GeluOptions": "approximate:bool=0",
        "ShapeOptions": "out_type:int8=0",
    },
    {
        "QuantizationDetails": "NONE CustomQuantization BlockwiseQuantization "
        "MultiAxisQuantization",
        "BuiltinOptions": " ".join(["NONE", *(_OPTIONS.get(i, "Other") for i in range(1, 256))]),
        "BuiltinOptions2": " ".join(["NONE", *["Other"] * 255]),
    },
)

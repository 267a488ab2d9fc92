"""For each operator that this package writes: the inputs it may take, and its results' shapes.

A rule gets an operator's call, checks everything that LiteRT's kernels and XNNPACK trust, and
returns the results. It raises a ValueError whose message is a predicate: "that takes ...". All of
these operators support shapes of up to five axes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model_check import Tensor

_MOST_AXES = 5
_ACTIVATIONS = (0, 1)  # none and ReLU: the only ones that the converter adds to these operators
_VALID_OR_SAME = (0, 1)
_MOST_RATIO = 2.0**20  # of scales, up to which integer kernels can shift their results
_MOST_ELEMENTS = 1 << 31


@dataclass
class Value:
    """A tensor, with what is known of it in one run.

    Attributes:
        tensor: the tensor in the file.
        shape: its shape in this run.
        integers: the values of a small tensor of integers, flat; None if they are not known.
        origin: the graph's inputs whose values it holds, in parts or in another shape.
        constant: whether it is stored in the file.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    integers: Sequence[int] | None = None
    origin: frozenset[int] = frozenset()
    constant: bool = False

    @property
    def type(self) -> str:
        return self.tensor.type


@dataclass
class Call:
    """An operator in one run.

    Attributes:
        options: by name; empty if there are none.
        has_options: whether there are any.
        inputs: None for an input that is left out.
        outputs: the outputs in the file.
        rows: filled by lookups: the table's number of rows, by input of the graph.
    """

    options: Mapping[str, Any]
    has_options: bool
    inputs: list[Value | None]
    outputs: list[Tensor]
    rows: dict[int, int]

    def take(self, *types: str | Sequence[str]) -> list[Value]:
        """The inputs, none of which may be missing; each must have its type, or one of several."""
        values = [x for x in self.inputs if x is not None]
        if not len(self.inputs) == len(values) == len(types):
            raise ValueError(f"that takes {len(self.inputs)} inputs, not {len(types)}")
        for value, allowed in zip(values, types, strict=True):
            _require_type(value, *([allowed] if isinstance(allowed, str) else allowed))
        return values

    def option(self, name: str, *allowed: Any) -> Any:
        """An option, which must exist, and be one of the allowed values if there are any."""
        if name not in self.options:
            raise ValueError("without its options")
        if allowed and self.options[name] not in allowed:
            raise ValueError(f"with {name} {self.options[name]}")
        return self.options[name]

    def give(self, kind: str, *shapes: Sequence[int], **known: Any) -> list[Value]:
        """The results, with one type and these shapes."""
        if len(self.outputs) != len(shapes):
            raise ValueError(f"that gives {len(self.outputs)} results, not {len(shapes)}")
        for tensor, shape in zip(self.outputs, shapes, strict=True):
            if tensor.type != kind:
                raise ValueError(f"that gives {tensor.type}, but computes {kind}")
            if math.prod(shape) >= _MOST_ELEMENTS:
                raise ValueError(f"that gives {math.prod(shape)} numbers")
        return [
            Value(tensor, tuple(shape), **known)
            for tensor, shape in zip(self.outputs, shapes, strict=True)
        ]


def _require_type(value: Value, *types: str) -> None:
    if value.type not in types:
        raise ValueError(f"that takes {value.type}, not {' or '.join(types)}")
    if not value.shape and not value.constant and value.type != "int32":
        raise ValueError("that takes a single number")
    # There may be no ids: the rest of a text after its end was cut off.
    if len(value.shape) > _MOST_AXES or (0 in value.shape and value.type != "int32"):
        raise ValueError(f"that takes the shape {[*value.shape]}")


def _integers(value: Value, least: int = -(2**31), most: int = 2**31 - 1) -> Sequence[int]:
    """The values of a tensor on which shapes depend."""
    if value.integers is None or len(value.shape) > 1:
        raise ValueError("that takes numbers that are not known before the run")
    if any(not least <= x <= most for x in value.integers):
        raise ValueError(f"that takes {[*value.integers]}, not {least} to {most}")
    return value.integers


def _axis(number: int, axes: int) -> int:
    """An axis, counted from the end if it is negative."""
    if not -axes <= number < axes:
        raise ValueError(f"on axis {number} of {axes}")
    return number % axes


def _unary(call: Call) -> list[Value]:
    (x,) = call.take("float32")
    return call.give("float32", x.shape)


def _gelu(call: Call) -> list[Value]:
    call.option("approximate")
    return _unary(call)


def _l2_normalization(call: Call) -> list[Value]:
    call.option("fused_activation_function", 0)
    return _unary(call)


def _softmax(call: Call) -> list[Value]:
    if not 0 < call.option("beta") < 1e6:
        raise ValueError("with a beta that is not a positive number")
    return _unary(call)


def _binary(call: Call) -> list[Value]:
    a, b = call.take("float32", "float32")
    return call.give("float32", _broadcast(a.shape, b.shape))


def _fused_binary(call: Call) -> list[Value]:
    call.option("fused_activation_function", *_ACTIVATIONS)
    return _binary(call)


def _broadcast(a: Sequence[int], b: Sequence[int]) -> list[int]:
    pairs = itertools.zip_longest(reversed(a), reversed(b), fillvalue=1)
    sizes = []
    for one, other in pairs:
        if one != other and 1 not in (one, other):
            raise ValueError(f"that takes the shapes {[*a]} and {[*b]}")
        sizes.append(max(one, other))
    return sizes[::-1]


def _batch_matmul(call: Call) -> list[Value]:
    a, b = call.take("float32", "float32")
    if len(a.shape) != 4 or len(b.shape) != 4:
        raise ValueError(f"that takes the shapes {[*a.shape]} and {[*b.shape]}")
    (*_, m, k), (*_, inner, n) = a.shape, b.shape
    if call.option("adj_x", False) or call.option("adj_y"):
        inner, n = n, inner
    if k != inner:
        raise ValueError(f"that takes the shapes {[*a.shape]} and {[*b.shape]}")
    return call.give("float32", [*_broadcast(a.shape[:2], b.shape[:2]), m, n])


def _cast(call: Call) -> list[Value]:
    (x,) = call.take("int32")
    return call.give("float32", x.shape)


def _concatenation(call: Call) -> list[Value]:
    kind = call.outputs[0].type if call.outputs else ""
    values = call.take(*[("float32", "int32")] * len(call.inputs))
    if not values or any(x.type != kind for x in values):
        raise ValueError("that takes types other than it gives")
    call.option("fused_activation_function", 0)
    shapes = [[*x.shape] for x in values]
    axis = _axis(call.option("axis"), len(shapes[0]))
    total = sum(shape[axis] for shape in shapes if len(shape) > axis)
    for shape in shapes:
        shape[axis : axis + 1] = [total]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("that takes parts whose shapes do not fit together")
    origin = frozenset().union(*(x.origin for x in values))
    return call.give(kind, shapes[0], origin=origin)


def _conv_2d(call: Call) -> list[Value]:
    x, filters, bias = call.take(("float32", "int8"), ("float32", "int8"), ("float32", "int32"))
    call.option("padding", *_VALID_OR_SAME)
    for name in ("stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor"):
        call.option(name, 1)
    call.option("fused_activation_function", *_ACTIVATIONS)
    if len(x.shape) != 4 or len(filters.shape) != 4 or filters.shape[1:3] != (1, 1):
        raise ValueError(f"that takes the shapes {[*x.shape]} and {[*filters.shape]}")
    outputs, *_, inputs = filters.shape
    groups = x.shape[-1] // inputs
    if x.shape[-1] % inputs or outputs % groups or bias.shape != (outputs,):
        raise ValueError(
            f"that takes {[*x.shape]} in groups of {inputs}, with {outputs} filters and "
            f"{[*bias.shape]} biases"
        )
    return _product(call, x, filters, bias, [*x.shape[:3], outputs])


def _fully_connected(call: Call) -> list[Value]:
    if len(call.inputs) == 2 or call.inputs[2:] == [None]:
        call.inputs[2:] = []
        x, weights = call.take(("float32", "int8"), ("float32", "int8", "int4"))
        bias = None
    else:
        x, weights, bias = call.take(
            ("float32", "int8"), ("float32", "int8", "int4"), ("float32", "int32")
        )
    call.option("weights_format", 0)
    call.option("fused_activation_function", *_ACTIVATIONS)
    if len(weights.shape) != 2 or not x.shape or x.shape[-1] != weights.shape[1]:
        raise ValueError(f"that takes the shapes {[*x.shape]} and {[*weights.shape]}")
    outputs = weights.shape[0]
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"that takes {[*bias.shape]} biases for {outputs} results")
    shape = [*x.shape[:-1], outputs]
    if not call.option("keep_num_dims"):
        shape = [math.prod(x.shape[:-1]), outputs]
    return _product(call, x, weights, bias, shape)


def _product(
    call: Call, x: Value, weights: Value, bias: Value | None, shape: Sequence[int]
) -> list[Value]:
    """A product with weights; all numbers are floats, or the weights are small integers."""
    if weights.type != "float32":
        _check_weights(weights)
    if x.type == "float32":
        if bias is not None and bias.type != "float32":
            raise ValueError("that takes a bias of integers")
        return call.give("float32", shape)
    if weights.type != "int8" or weights.tensor.blocks:
        raise ValueError(f"that takes int8 and {weights.type}")
    if bias is not None:
        _check_bias(bias)
    _one_scale(x.tensor)
    results = call.give("int8", shape)
    _one_scale(call.outputs[0])
    ratio = float(x.tensor.scale[0]) / float(call.outputs[0].scale[0])
    if ratio * float(weights.tensor.scale.max()) > _MOST_RATIO:
        raise ValueError("whose scales differ too much")
    return results


def _check_weights(weights: Value) -> None:
    """Checks the weights of a product."""
    _check_scales(weights)
    tensor = weights.tensor
    if tensor.type == "int4" and (not tensor.blocks or tensor.blocks % 32 or tensor.shape[-1] % 2):
        raise ValueError("whose weights have 4 bits, but not one scale per block of 32")
    if tensor.type != "int4" and tensor.blocks:
        raise ValueError("whose weights have blockwise scales, but not 4 bits")


def _check_scales(weights: Value) -> None:
    tensor = weights.tensor
    if not weights.constant:
        raise ValueError("that takes computed weights")
    if not tensor.blocks and len(tensor.scale) not in (1, tensor.shape[0]):
        raise ValueError(f"whose weights have {len(tensor.scale)} scales")
    if (len(tensor.scale) > 1 and tensor.axis != 0) or tensor.zero_point.any():
        raise ValueError("whose weights are not quantized by channel, or have zero points")


def _check_bias(bias: Value) -> None:
    """Checks the bias of a product of integers."""
    if bias.type != "int32" or not bias.constant:
        raise ValueError(f"that takes a bias of {bias.type}")
    scales, zero = bias.tensor.scale, bias.tensor.zero_point
    if len(scales) not in (1, bias.shape[0]) or zero.any() or bias.tensor.blocks:
        raise ValueError("whose bias has no scale, or zero points")


def _one_scale(tensor: Tensor) -> None:
    if len(tensor.scale) != 1 or len(tensor.zero_point) != 1 or tensor.blocks:
        raise ValueError("of small integers, but without a single scale")


def _dequantize(call: Call) -> list[Value]:
    (x,) = call.take(("float16", "int8"))
    if x.type == "float16" and not x.constant:
        raise ValueError("that takes computed 16-bit numbers")
    if x.type == "int8":
        _one_scale(x.tensor)
    return call.give("float32", x.shape)


def _quantize(call: Call) -> list[Value]:
    (x,) = call.take(("float32", "int8"))
    results = call.give("int8", x.shape)
    _one_scale(call.outputs[0])
    if x.type == "int8":
        _one_scale(x.tensor)
        if float(x.tensor.scale[0]) / float(call.outputs[0].scale[0]) > _MOST_RATIO:
            raise ValueError("whose scales differ too much")
    return results


def _embedding_lookup(call: Call) -> list[Value]:
    ids, table = call.take("int32", ("float32", "int8", "int4"))
    if len(ids.shape) != 1 or len(table.shape) != 2 or not table.constant:
        raise ValueError(f"that takes ids {[*ids.shape]} and a table {[*table.shape]}")
    if table.type != "float32":
        _check_scales(table)
        if table.tensor.blocks or table.shape[1] % 2:
            raise ValueError("whose table has blockwise scales, or rows of half a byte more")
    if not ids.origin:
        raise ValueError("that takes ids that do not come from an input")
    for place in ids.origin:
        call.rows[place] = min(table.shape[0], call.rows.get(place, table.shape[0]))
    return call.give("float32", [*ids.shape, table.shape[1]])


def _reduction(call: Call) -> list[Value]:
    x, axes = call.take("float32", "int32")
    chosen = {_axis(n, len(x.shape)) for n in _integers(axes)}
    if not axes.constant or len(chosen) < len(axes.integers or ()) or not chosen:
        raise ValueError("over axes that are computed, given twice, or missing")
    call.option("keep_dims", True)
    return call.give("float32", [1 if i in chosen else n for i, n in enumerate(x.shape)])


def _pack(call: Call) -> list[Value]:
    values = call.take(*["int32"] * len(call.inputs))
    call.option("values_count", len(values))
    call.option("axis", 0)
    if not values or any(x.shape for x in values):
        raise ValueError("that takes something other than single numbers")
    integers = [n for x in values for n in _integers(x)]
    return call.give("int32", [len(values)], integers=integers)


def _unpack(call: Call) -> list[Value]:
    (x,) = call.take("int32")
    if len(x.shape) != 1:
        raise ValueError(f"that takes the shape {[*x.shape]}")
    call.option("axis", 0)
    call.option("num", *x.shape)
    results = call.give("int32", *[()] * x.shape[0])
    for result, n in zip(results, _integers(x), strict=True):
        result.integers = [n]
    return results


def _reshape(call: Call) -> list[Value]:
    x, shape = call.take(("float32", "int32"), "int32")
    if len(shape.shape) != 1:
        raise ValueError(f"that takes a shape of shape {[*shape.shape]}")
    sizes, count = [*_integers(shape, least=-1)], math.prod(x.shape)
    if -1 in sizes:
        rest = -math.prod(sizes)
        if sizes.count(-1) > 1 or not rest or count % rest:
            raise ValueError(f"that takes the shape {[*x.shape]} to {sizes}")
        sizes[sizes.index(-1)] = count // rest
    if math.prod(sizes) != count or len(sizes) > _MOST_AXES:
        raise ValueError(f"that takes the shape {[*x.shape]} to {sizes}")
    return call.give(x.type, sizes, integers=x.integers, origin=x.origin)


def _shape(call: Call) -> list[Value]:
    (x,) = call.take(("float32", "int32"))
    call.option("out_type", 2)
    if not x.shape:
        raise ValueError("that takes a single number")
    return call.give("int32", [len(x.shape)], integers=[*x.shape])


def _slice(call: Call) -> list[Value]:
    x, begins, sizes = call.take("float32", "int32", "int32")
    starts, counts = _integers(begins, least=0), _integers(sizes, least=-1)
    if len(begins.shape) != 1 or len(sizes.shape) != 1:
        raise ValueError("that takes a single number for its begins or sizes")
    if not len(starts) == len(counts) == len(x.shape):
        raise ValueError(f"that takes {len(starts)} begins and {len(counts)} sizes")
    result = []
    for start, count, size in zip(starts, counts, x.shape, strict=True):
        count = size - start if count < 0 else count
        if count < 1 or start + count > size:
            raise ValueError(f"that takes {count} from {start} on, of {size}")
        result.append(count)
    return call.give("float32", result)


def _split(call: Call) -> list[Value]:
    axis, x = call.take("int32", "float32")
    if axis.shape not in ((), (1,)) or not axis.constant:
        raise ValueError("on an axis that is not a single number")
    place = _axis(_integers(axis)[0], len(x.shape))
    count = call.option("num_splits", len(call.outputs))
    if not count or x.shape[place] % count:
        raise ValueError(f"that takes the shape {[*x.shape]} to {count} parts")
    shape = [*x.shape]
    shape[place] //= count
    return call.give("float32", *[shape] * count)


def _strided_slice(call: Call) -> list[Value]:
    x, *limits = call.take(("float32", "int32"), "int32", "int32", "int32")
    begins, ends, strides = (_integers(value) for value in limits)
    axes = len(begins)
    if any(len(value.shape) != 1 for value in limits):
        raise ValueError("that takes a single number for its begins, ends or strides")
    if not 1 <= axes <= len(x.shape) or not axes == len(ends) == len(strides):
        raise ValueError(f"that takes {len(begins)} begins of {len(x.shape)} axes")
    if {*strides} != {1}:
        raise ValueError(f"with strides of {[*strides]}")
    for name in ("ellipsis_mask", "new_axis_mask"):
        call.option(name, 0)
    call.option("offset", False)
    masks = [call.option(f"{name}_mask") for name in ("begin", "end", "shrink_axis")]
    if any(not 0 <= mask < 1 << axes for mask in masks):
        raise ValueError(f"with masks of {masks}")
    shape, parts = [], []
    for i, size in enumerate(x.shape[:axes]):
        from_start, to_end, is_one = (bool(mask >> i & 1) for mask in masks)
        start = 0 if from_start else begins[i]
        if is_one:
            if not -size <= start < size:
                raise ValueError(f"that takes place {start} of {size}")
            start %= size
            parts.append(range(start, start + 1))
            continue
        parts.append(range(*slice(start, None if to_end else ends[i]).indices(size)))
        shape.append(len(parts[-1]))
    integers = None
    if x.integers is not None and len(x.shape) == 1:
        integers = [x.integers[i] for i in parts[0]]
    return call.give(x.type, [*shape, *x.shape[axes:]], integers=integers, origin=x.origin)


def _transpose(call: Call) -> list[Value]:
    x, order = call.take("float32", "int32")
    places = _integers(order, 0, len(x.shape) - 1)
    if not order.constant or len(order.shape) != 1 or sorted(places) != [*range(len(x.shape))]:
        raise ValueError(f"that takes axes of {[*x.shape]} in the order {[*places]}")
    return call.give("float32", [x.shape[i] for i in places])


RULES: dict[str, Callable[[Call], list[Value]]] = {
    **dict.fromkeys(("LOGISTIC", "RELU", "RSQRT", "SQUARE", "TANH"), _unary),
    **dict.fromkeys(("ADD", "DIV", "MUL", "SUB"), _fused_binary),
    **dict.fromkeys(("MAXIMUM", "SQUARED_DIFFERENCE"), _binary),
    **dict.fromkeys(("MEAN", "SUM"), _reduction),
    "BATCH_MATMUL": _batch_matmul,
    "CAST": _cast,
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv_2d,
    "DEQUANTIZE": _dequantize,
    "EMBEDDING_LOOKUP": _embedding_lookup,
    "FULLY_CONNECTED": _fully_connected,
    "GELU": _gelu,
    "L2_NORMALIZATION": _l2_normalization,
    "PACK": _pack,
    "QUANTIZE": _quantize,
    "RESHAPE": _reshape,
    "SHAPE": _shape,
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}

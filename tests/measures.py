"""What several tests measure by, and make once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType


class Made(dict):
    """By name what a function makes of it, when it is first asked for."""

    def __init__(self, make: Callable[[str], Any]):
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self._make(name)
        return self[name]


def keras_outputs(model, inputs) -> dict[str, np.ndarray]:
    """Our model's outputs as arrays by name."""
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {name: np.asarray(x) for name, x in outputs.items()}


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))


def assert_alike(got, want) -> None:
    """Equal, but for numbers equal to float rounding."""
    assert type(got) is type(want)
    if isinstance(want, dict):
        assert list(got) == list(want)
        got, want = list(got.values()), list(want.values())
    if isinstance(want, list):
        assert len(got) == len(want)
        for pair_ in zip(got, want, strict=True):
            assert_alike(*pair_)
    else:
        assert got == (pytest.approx(want, abs=1e-4) if isinstance(want, float) else want)


def operators(path) -> Counter:
    """How many there are of each in a .tflite, before any delegate takes its part."""
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
    return Counter(op["op_name"] for op in interpreter._get_ops_details())


def partitions(path) -> list[dict]:
    """The pieces of a .tflite that XNNPACK takes."""
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    return [op for op in interpreter._get_ops_details() if op["op_name"] == "DELEGATE"]

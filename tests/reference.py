"""The oracle: transformers' SqueezeBERT and BERT in PyTorch, with random weights from a seed.

And what several tests measure by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import tf_squeezebert

CLASSES = (
    "SqueezeBertModel",
    "SqueezeBertForMaskedLM",
    "SqueezeBertForSequenceClassification",
    "SqueezeBertForMultipleChoice",
    "SqueezeBertForTokenClassification",
    "SqueezeBertForQuestionAnswering",
)
SMALL = {
    "vocab_size": 99,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 40,
    "embedding_size": 48,
}
# q, k, v, post_attention, intermediate, output
GROUPS = {"fours": (4, 4, 4, 1, 4, 4), "mixed": (2, 4, 1, 3, 6, 2), "ones": (1, 1, 1, 1, 1, 1)}
GROUP_NAMES = ("q", "k", "v", "post_attention", "intermediate", "output")


class Made(dict):
    """By name what a function makes of it, when it is first asked for."""

    def __init__(self, make: Callable[[str], Any]):
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self._make(name)
        return self[name]


def small_config(groups: str = "fours", **values) -> dict:
    names = [f"{name}_groups" for name in GROUP_NAMES]
    return {**SMALL, **dict(zip(names, GROUPS[groups], strict=True)), **values}


def reference(name: str, config: dict, seed: int = 0) -> torch.nn.Module:
    """transformers' model in eval mode; every weight random, biases and norms too."""
    torch.manual_seed(seed)
    model = getattr(transformers, name)(transformers.SqueezeBertConfig(**config)).eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith(("bias", "orm.weight", "norm.weight")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def pair(name: str, config: dict, directory, seed: int = 0):
    """transformers' model, and ours loaded from what transformers saved."""
    theirs = reference(name, config, seed)
    theirs.save_pretrained(directory)
    return theirs, getattr(tf_squeezebert, name).from_pretrained(directory)


def random_inputs(
    config: dict, shape: tuple[int, ...], seed: int = 0, padded: bool = True
) -> dict[str, np.ndarray]:
    """Ids, segments and a mask of the shape [B, S] or [B, C, S]; rows padded to random lengths."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, config.get("vocab_size", 30522), shape, dtype=np.int32)
    types = rng.integers(0, 2, shape, dtype=np.int32)
    mask = np.ones(shape, np.int32)
    if padded:
        lengths = rng.integers(1, shape[-1] + 1, shape[:-1])
        mask = (np.arange(shape[-1]) < lengths[..., None]).astype(np.int32)
    return {"input_ids": ids * mask, "token_type_ids": types * mask, "attention_mask": mask}


def run_reference(model: torch.nn.Module, inputs: dict, **options) -> dict[str, np.ndarray]:
    """transformers' outputs as arrays; tuples of tensors as lists of arrays."""
    tensors = {
        name: torch.from_numpy(np.asarray(x)).long()
        if np.asarray(x).dtype.kind == "i"
        else torch.from_numpy(np.asarray(x))
        for name, x in inputs.items()
    }
    with torch.no_grad():
        outputs = model(**tensors, **options)
    return {
        name: [x.numpy() for x in value] if isinstance(value, tuple) else value.numpy()
        for name, value in outputs.items()
    }


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

"""Checks that a graph is one that this package exports, and that it fits its file's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..config import SqueezeBertConfig
from ..inputs import INPUTS
from ..tasks import ARCHITECTURES, Task, task_of
from .model_check import Graph, Model, Run, check_model

_TABLES = {"input_ids": "vocab_size", "token_type_ids": "type_vocab_size"}


class Signature(NamedTuple):
    """A signature of a file of this package; -1 stands for a free size."""

    name: str
    batch: int
    length: int


def check_own(model: Model, config: SqueezeBertConfig, architecture: str) -> list[Signature]:
    """Follows the shortest and longest shapes, and compares the graphs' ends with the config.

    Args:
        model: the file's model, from `read_model`.
        config: the config in the file.
        architecture: the exported model's class.

    Returns:
        The signatures, the shortest first: one, or one for each fixed length.

    Raises:
        ValueError: the message is a predicate, to which the caller adds the file.
    """
    if architecture not in ARCHITECTURES.values():
        raise ValueError(f"holds a model of class {str(architecture)[:80]!a}")
    if sorted(x[0] for x in model.signatures.values()) != [*range(len(model.graphs))]:
        raise ValueError(f"has {len(model.signatures)} signatures for {len(model.graphs)} graphs")
    found = [_check_signature(model, name, config, architecture) for name in model.signatures]
    found.sort(key=lambda x: x.length)
    lengths = [x.length for x in found]
    if len(found) > 1 and (-1 in lengths or len({*lengths}) < len(lengths)):
        raise ValueError(f"has several signatures, of lengths {', '.join(map(str, lengths))}")
    if len({x.batch for x in found}) > 1:
        raise ValueError("has signatures for different numbers of texts")
    return found


def _check_signature(
    model: Model, name: str, config: SqueezeBertConfig, architecture: str
) -> Signature:
    index, inputs, outputs = model.signatures[name]
    graph = model.graphs[index]
    if {*inputs} != {*INPUTS}:
        raise ValueError(
            f"takes {', '.join(sorted(map(ascii, inputs)))[:200]}, not {', '.join(INPUTS)}"
        )
    if {*inputs.values()} != {*graph.inputs}:
        raise ValueError("takes inputs that its signature does not name")
    tensors = [graph.tensors[inputs[name]] for name in INPUTS]
    signature = tensors[0].signature
    if len(signature) != 2 or 0 in signature or any(x.signature != signature for x in tensors):
        raise ValueError(f"takes inputs of shapes {', '.join(str([*x.shape]) for x in tensors)}")
    if {x.type for x in tensors} != {"int32"} or len({*inputs.values()}) != len(INPUTS):
        raise ValueError("takes inputs other than three of int32")
    batch, length = signature
    longest = config.max_position_embeddings
    if length > longest:
        raise ValueError(f"takes {length} tokens, but its config says {longest}")
    check_model(model, index=index)
    shape = 2 if batch < 0 else batch, longest if length < 0 else length
    run = check_model(model, *shape, index=index)
    _check_tables(run, config, inputs)
    _check_outputs(graph, outputs, run, config, task_of(architecture, config), shape)
    return Signature(name, batch, length)


def _check_tables(run: Run, config: SqueezeBertConfig, inputs: Mapping[str, int]) -> None:
    names = {place: name for name, place in inputs.items()}
    rows = {names[place]: count for place, count in run.rows.items()}
    want = {name: getattr(config, size) for name, size in _TABLES.items()}
    if not config.token_type_embeddings:
        del want["token_type_ids"]
    if rows != want:
        raise ValueError(f"has tables of {rows} rows, but its config says {want}")


def _check_outputs(
    graph: Graph,
    outputs: Mapping[str, int],
    run: Run,
    config: SqueezeBertConfig,
    task: Task,
    shape: tuple[int, int],
) -> None:
    batch, length = shape
    wants = [x for x in task.outputs if {*x} == {*outputs}]
    if not wants:
        raise ValueError(
            f"returns {', '.join(sorted(map(ascii, outputs)))[:200]}, which is not what a "
            f"{task.architecture} does"
        )
    for name, place in outputs.items():
        sizes = [length if x == "length" else x for x in wants[0][name]]
        want = (batch, *(getattr(config, x) if isinstance(x, str) else x for x in sizes))
        if run.outputs[place] != want or graph.tensors[place].type != "float32":
            raise ValueError(
                f"returns {name} of shape {[*run.outputs[place]]}, but its config says {[*want]}"
            )

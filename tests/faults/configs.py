"""config.json: values that are impossible, too large, odd, or that mean other arithmetic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from .room import Room
from .runner import Fault, command

_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "q_groups",
)
_ODD: dict[str, Any] = {
    "0": 0,
    "negative": -4,
    "a float": 4.5,
    "text": "four",
    "true": True,
    "a list": [4],
    "10^12": 10**12,
}
_FIELDS: dict[str, Any] = {
    "num_hidden_layers 20,000": {"num_hidden_layers": 20_000},
    "num_labels 10^9": {"num_labels": 10**9, "id2label": None, "label2id": None},
    "a number of 5,000 digits": {"vocab_size": 10**4000},
    "hidden_size without a divisor": {"hidden_size": 33},
    "layer_norm_eps NaN": {"layer_norm_eps": float("nan")},
    "layer_norm_eps text": {"layer_norm_eps": "small"},
    "layer_norm_eps infinite": {"layer_norm_eps": float("inf")},
    "dropout 1": {"hidden_dropout_prob": 1.0},
    "dropout a list": {"attention_probs_dropout_prob": [0.1]},
    "hidden_act unknown": {"hidden_act": "mish"},
    "hidden_act a list": {"hidden_act": ["gelu"]},
    "hidden_act a dict": {"hidden_act": {"name": "gelu"}},
    "problem_type unknown": {"problem_type": "ranking"},
    "problem_type a list": {"problem_type": ["regression"]},
    "labels named twice": {"id2label": {"0": "bad", "1": "bad"}, "label2id": None},
    "labels with a gap": {"id2label": {"0": "bad", "2": "good"}, "label2id": None},
    "labels a list": {"id2label": ["bad", "good"], "label2id": None},
    "labels nested": {"id2label": {"0": {"a": 1}, "1": []}, "label2id": None},
    "no labels": {"id2label": {}, "label2id": {}},
    "label2id a list": {"id2label": None, "label2id": ["bad", "good"]},
    "label2id of lists": {"id2label": None, "label2id": {"bad": [0], "good": [1]}},
    "pad_token_id outside": {"pad_token_id": 10**6},
    "pad_token_id text": {"pad_token_id": "0"},
    "another model": {"model_type": "gpt2"},
    "model_type a list": {"model_type": ["bert"]},
    "quantization_config": {"quantization_config": {"quant_method": "bitsandbytes"}},
    "relative positions": {"position_embedding_type": "relative_key"},
    "a decoder": {"is_decoder": True},
    "cross attention": {"add_cross_attention": True},
    "its own code": {"auto_map": {"AutoModel": "modeling.py--X"}},
    "pruned heads": {"pruned_heads": {"0": [1]}},
}
_TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "a list": "[]",
    "null": "null",
    "not JSON": "{'vocab_size': 5}",
    "nested deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "of 40 MB": '{"a": "' + "x" * (40 << 20) + '"}',
    "of keys of Python": '{"__class__": 1, "_validate": null, "to_dict": 1, "self": 2}',
}


def faults() -> Iterator[Fault]:
    for name in _SIZES:
        for what, value in _ODD.items():
            damage = partial(_change, {name: value})
            yield Fault("config", f"{name} {what}", damage, _load)
    for what, fields in _FIELDS.items():
        yield Fault("config", what, partial(_change, fields), _load)
    for what, content in _TEXTS.items():
        yield Fault("config", what, partial(_write, content), _load)
    flags = {"output_hidden_states": True, "output_attentions": True}
    yield Fault("config", "hidden states asked for", partial(_change, flags), _load, "right")
    yield Fault("config", "the same, predict", partial(_change, flags), _predict, "right")
    numbers = {"id2label": {"0": 3, "1": 4}, "label2id": None}
    yield Fault(
        "config", "labels that are numbers", partial(_change, numbers), _predict_number, "right"
    )
    bare = {"architectures": None}
    yield Fault("config", "no architecture", partial(_change, bare), _load, "right")
    odd = {"architectures": [{"a": 1}]}
    yield Fault("config", "architectures of dicts, predict", partial(_change, odd), _predict)
    other = {"architectures": ["GPT2LMHeadModel"]}
    yield Fault("config", "another architecture, predict", partial(_change, other), _predict)
    yield Fault("config", "missing", lambda room: _path(room).unlink(), _load)
    fresh = {"architectures": ["SqueezeBertForMaskedLM"]}
    yield Fault("config", "a head that was never trained, predict", partial(_change, fresh), _fill)


def _path(room: Room):
    return room.model / "config.json"


def _change(fields: dict[str, Any], room: Room) -> None:
    config = {**json.loads(_path(room).read_text()), **fields}
    config = {name: value for name, value in config.items() if value is not None}
    digits = "[long]"
    long = [name for name, value in config.items() if type(value) is int and value > 10**100]
    content = json.dumps({**config, **dict.fromkeys(long, digits)})
    _path(room).write_text(content.replace(f'"{digits}"', "9" * 5000))


def _write(content: str | bytes, room: Room) -> None:
    _path(room).write_bytes(content.encode() if isinstance(content, str) else content)


def _load(room: Room) -> None:
    room.right(room.load())


def _predict(room: Room) -> None:
    answer = json.loads(command("predict", room.model, "a good film", "--json"))
    assert answer["label"] == room.answers[room.model.name][0]["label"], answer


def _predict_number(room: Room) -> None:
    scores = json.loads(command("predict", room.model, "a good film", "--json"))["scores"]
    expected = room.answers[room.model.name][0]["scores"]
    assert list(scores) == ["3", "4"], scores
    assert np.allclose(list(scores.values()), list(expected.values()), atol=1e-5), scores


def _fill(room: Room) -> None:
    command("predict", room.model, "a [MASK] film")
    raise AssertionError("a head of random weights has answered")

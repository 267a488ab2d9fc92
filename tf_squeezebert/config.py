"""SqueezeBertConfig: a model's shape, and its `config.json`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import write_text

# The names of hidden_act; tf_squeezebert.layers maps each to its function.
ACTIVATIONS = (
    "gelu",
    "gelu_new",
    "gelu_fast",
    "gelu_pytorch_tanh",
    "relu",
    "silu",
    "swish",
    "tanh",
)
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")


class SqueezeBertConfig:
    """The shape and the training-time settings of a SqueezeBERT (or, with groups of 1, a BERT).

    Arguments and defaults are those of transformers' `SqueezeBertConfig`; the defaults are
    squeezebert-uncased. A `config.json` is read and written by `from_pretrained` and
    `save_pretrained`; keys that mean nothing here are kept in `extra` and written back.

    Args:
        vocab_size: entries of the word embedding, V.
        hidden_size: channels of the residual stream, H.
        num_hidden_layers: encoder blocks.
        num_attention_heads: attention heads a block, N; H / N channels each.
        intermediate_size: channels between the two projections of the feed-forward network.
        hidden_act: its activation, one of `ACTIVATIONS`.
        hidden_dropout_prob: dropout after the embeddings, and after each block's two projections
            back into the residual stream.
        attention_probs_dropout_prob: dropout of the attention probabilities.
        max_position_embeddings: the longest sequence, in tokens.
        type_vocab_size: number of segments.
        initializer_range: standard deviation of freshly initialised weights.
        layer_norm_eps: epsilon of the layer norms in the embeddings and the masked-LM head.
        pad_token_id: id whose embedding starts at zero and is not trained; None for none.
        embedding_size: must equal hidden_size, its default.
        q_groups, k_groups, v_groups: groups of the query, key and value convolutions.
        post_attention_groups: groups of the projection after attention.
        intermediate_groups, output_groups: groups of the two feed-forward projections.
        encoder_layer_norm_eps: epsilon of the encoder's layer norms. The reference
            implementation fixes it at 1e-12 whatever `layer_norm_eps` says; a BERT checkpoint
            uses its own value here.
        num_labels: outputs of a classification head; 2 unless `id2label` says otherwise.
        id2label, label2id: names of the labels, by index and back.
        problem_type: for sequence classification, one of `PROBLEM_TYPES`; None means regression
            for one label and single-label classification for more.
        output_hidden_states, output_attentions: whether models return these by default.
        **extra: any other key of a `config.json`.

    Raises:
        ValueError: a value is impossible, or two contradict each other.
    """

    model_type = "squeezebert"

    def __init__(
        self,
        vocab_size: int = 30522,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 2,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        pad_token_id: int | None = 0,
        embedding_size: int | None = None,
        q_groups: int = 4,
        k_groups: int = 4,
        v_groups: int = 4,
        post_attention_groups: int = 1,
        intermediate_groups: int = 4,
        output_groups: int = 4,
        encoder_layer_norm_eps: float = 1e-12,
        num_labels: int | None = None,
        id2label: dict[int, str] | None = None,
        label2id: dict[str, int] | None = None,
        problem_type: str | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        **extra: Any,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.pad_token_id = pad_token_id
        self.embedding_size = hidden_size if embedding_size is None else embedding_size
        self.q_groups = q_groups
        self.k_groups = k_groups
        self.v_groups = v_groups
        self.post_attention_groups = post_attention_groups
        self.intermediate_groups = intermediate_groups
        self.output_groups = output_groups
        self.encoder_layer_norm_eps = encoder_layer_norm_eps
        self.id2label = _label_names(num_labels, id2label, label2id)
        self.problem_type = problem_type
        self.output_hidden_states = output_hidden_states
        self.output_attentions = output_attentions
        self.extra = extra
        self._validate()

    @property
    def num_labels(self) -> int:
        return len(self.id2label)

    @property
    def task_problem_type(self) -> str:
        """problem_type, or what None means: regression for one label, else single-label."""
        if self.problem_type is not None:
            return self.problem_type
        return "regression" if self.num_labels == 1 else "single_label_classification"

    @property
    def label2id(self) -> dict[str, int]:
        return {label: index for index, label in self.id2label.items()}

    def _validate(self) -> None:
        sizes = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"]
        sizes += ["intermediate_size", "max_position_embeddings", "type_vocab_size"]
        groups = ["q_groups", "k_groups", "v_groups", "post_attention_groups"]
        groups += ["intermediate_groups", "output_groups"]
        for name in sizes + groups:
            value = getattr(self, name)
            if not _is_whole(value) or value < 1:
                raise ValueError(f"{name} must be a positive whole number, not {value!r}.")
        if self.embedding_size != self.hidden_size:
            raise ValueError(
                f"embedding_size ({self.embedding_size}) must equal hidden_size "
                f"({self.hidden_size}): the model has no projection between the two."
            )
        self._validate_divisible("hidden_size", "num_attention_heads", *groups)
        self._validate_divisible("intermediate_size", "intermediate_groups", "output_groups")
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value < 1:
                raise ValueError(f"{name} must be a number in [0, 1), not {value!r}.")
        for name in ("initializer_range", "layer_norm_eps", "encoder_layer_norm_eps"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 < value < math.inf:
                raise ValueError(f"{name} must be a finite number above 0, not {value!r}.")
        padding = self.pad_token_id
        if padding is not None and not (_is_whole(padding) and 0 <= padding < self.vocab_size):
            raise ValueError(
                f"pad_token_id ({padding!r}) must be a whole number in [0, vocab_size) or None, "
                f"and vocab_size is {self.vocab_size}."
            )
        _require_known("hidden_act", self.hidden_act, ACTIVATIONS)
        if self.problem_type is not None:
            _require_known("problem_type", self.problem_type, PROBLEM_TYPES)

    def _validate_divisible(self, size: str, *divisors: str) -> None:
        for divisor in divisors:
            if getattr(self, size) % getattr(self, divisor):
                raise ValueError(
                    f"{size} ({getattr(self, size)}) must be divisible by {divisor} "
                    f"({getattr(self, divisor)})."
                )

    def to_dict(self) -> dict[str, Any]:
        """The content of `config.json`: `from_dict` makes an equal config of it."""
        values = {key: value for key, value in vars(self).items() if key != "extra"}
        values["id2label"] = {str(index): label for index, label in self.id2label.items()}
        values["label2id"] = self.label2id
        return {**self.extra, **values, "model_type": self.model_type}

    @classmethod
    def from_dict(cls, values: dict[str, Any], **overrides: Any) -> SqueezeBertConfig:
        """Makes a config from the content of a `config.json`.

        Args:
            values: the keys of a SqueezeBERT, or of a BERT (`model_type` "bert"), which is a
                SqueezeBERT with one group everywhere.
            **overrides: keys that replace those of `values`. A `num_labels` that differs from
                the stored number of label names drops those names.

        Raises:
            ValueError: the model is of another type, or a value is impossible.
        """
        labels = _chosen_labels(values, overrides)
        values = {**values, **overrides, **labels}
        model_type = values.pop("model_type", cls.model_type)
        if model_type == "bert":
            values = _from_bert(values)
        elif model_type != cls.model_type:
            raise ValueError(
                f"model_type '{model_type}' is neither 'squeezebert' nor 'bert', the two that can "
                "be loaded."
            )
        return cls(**values)

    @classmethod
    def from_pretrained(
        cls,
        path_or_id: str | os.PathLike,
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike | None = None,
        local_files_only: bool = False,
        **overrides: Any,
    ) -> SqueezeBertConfig:
        """Reads the `config.json` of a folder or of a hub repository, or a file of that form.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is no JSON object, or no SqueezeBERT or BERT.
        """
        from .hub import resolve_file

        path = Path(path_or_id)
        if not path.is_file():
            path = resolve_file(
                path_or_id,
                "config.json",
                revision=revision,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
            )
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"'{path}' is not valid JSON: {error}.") from error
        if not isinstance(values, dict):
            raise ValueError(f"'{path}' holds no JSON object: a config.json is expected.")
        return cls.from_dict(values, **overrides)

    def save_pretrained(self, directory: str | os.PathLike) -> None:
        """Writes `config.json` into a folder, made if need be."""
        text = json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_text(Path(directory) / "config.json", text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SqueezeBertConfig) and self.to_dict() == other.to_dict()

    __hash__ = None

    def __repr__(self) -> str:
        return f"SqueezeBertConfig({json.dumps(self.to_dict(), indent=2, ensure_ascii=False)})"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _require_known(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} {value!r} is unknown: choose one of {', '.join(known)}.")


def _chosen_labels(stored: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """num_labels, id2label and label2id of a file and of the caller, brought to agree.

    The caller's names come first, then a file's id2label, then its label2id, which in published
    files does not always agree. A file's names give way to another number of labels.
    """
    keys = ("num_labels", "id2label", "label2id")
    given = {key: overrides[key] for key in keys if overrides.get(key) is not None}
    if not given.keys() & {"id2label", "label2id"}:
        names = next((key for key in keys[1:] if stored.get(key) is not None), None)
        count = given.get("num_labels")
        if names is not None and (count is None or count == len(stored[names])):
            given[names] = stored[names]
        elif count is None and stored.get("num_labels") is not None:
            given["num_labels"] = stored["num_labels"]
    return {**dict.fromkeys(keys), **given}


def _label_names(num_labels, id2label, label2id) -> dict[int, str]:
    """The names of the labels by index, from whichever of the three the caller gave."""
    if label2id is not None and not isinstance(label2id, Mapping):
        raise ValueError(f"label2id must give each label's index by its name, not {label2id!r}.")
    if id2label is None and label2id is not None:
        id2label = {index: label for label, index in label2id.items()}
    if id2label is None:
        count = 2 if num_labels is None else num_labels
        if not _is_whole(count) or count < 1:
            raise ValueError(f"num_labels must be a positive whole number, not {count!r}.")
        return {index: f"LABEL_{index}" for index in range(count)}
    try:
        names = {int(index): label for index, label in id2label.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"id2label must name the labels 0, 1, 2, ..., not {id2label!r}.") from None
    if sorted(names) != list(range(len(names))) or not names:
        raise ValueError(f"id2label must name the labels 0, 1, 2, ..., not {sorted(names)}.")
    if num_labels is not None and num_labels != len(names):
        raise ValueError(
            f"num_labels ({num_labels}) contradicts id2label, which names {len(names)} labels."
        )
    if label2id is not None and {int(i): label for label, i in label2id.items()} != names:
        raise ValueError(f"label2id {label2id} contradicts id2label {names}.")
    return dict(sorted(names.items()))


def _from_bert(values: dict[str, Any]) -> dict[str, Any]:
    """The keys of a BERT's config.json as those of the SqueezeBERT that computes the same."""
    kind = values.get("position_embedding_type", "absolute")
    if kind != "absolute" or values.get("is_decoder"):
        raise ValueError(
            f"This BERT has {kind} positions{' and is a decoder' * bool(values.get('is_decoder'))}:"
            " only encoders with absolute positions can be loaded."
        )
    one_group = ["q_groups", "k_groups", "v_groups", "post_attention_groups"]
    one_group += ["intermediate_groups", "output_groups"]
    return {
        **dict.fromkeys(one_group, 1),
        "encoder_layer_norm_eps": values.get("layer_norm_eps", 1e-12),
        **values,
    }

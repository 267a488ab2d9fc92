"""SqueezeBertConfig: a model's shape, and its `config.json`."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from .families import BERT, FAMILIES, OTHERS, from_family, to_family
from .files import write_text
from .json_files import read_json

# The names that transformers' configs use, and the function that each stands for.
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}
# The groups of a layer's projections, each with the sizes that the projection reads and returns.
_PROJECTIONS = {
    "q_groups": ("hidden_size", "attention_size"),
    "k_groups": ("hidden_size", "attention_size"),
    "v_groups": ("hidden_size", "attention_size"),
    "post_attention_groups": ("attention_size", "hidden_size"),
    "intermediate_groups": ("hidden_size", "intermediate_size"),
    "output_groups": ("intermediate_size", "hidden_size"),
}
GROUPS = tuple(_PROJECTIONS)
# What may differ between layers.
PER_LAYER = (*GROUPS, "intermediate_size", "num_attention_heads")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
# Upper limits, well above every published BERT: a bad config must raise an error before it fills
# the memory.
_MOST = {
    "vocab_size": 2**21,
    "hidden_size": 2**14,
    "num_hidden_layers": 2**8,
    "num_attention_heads": 2**10,
    "intermediate_size": 2**16,
    "max_position_embeddings": 2**17,
    "type_vocab_size": 2**12,
    "embedding_size": 2**14,
}
_MOST_LABELS = 100_000
_MOST_PARAMETERS = 2**31
# Keys that select another computation, in transformers or in the code that some BERTs bring along,
# unless their value is missing, false, empty or this one.
_FULL_PRECISION = "use the checkpoint in full precision"
_PLAIN_ENCODER = "only encoders with absolute positions, without custom code, can be loaded"
_OTHER_COMPUTATIONS = {
    "quantization_config": (None, _FULL_PRECISION),
    "compression_config": (None, _FULL_PRECISION),
    "position_embedding_type": ("absolute", _PLAIN_ENCODER),
    "feed_forward_type": ("original", _PLAIN_ENCODER),
    "norm_type": ("layer_norm", _PLAIN_ENCODER),
    **dict.fromkeys(
        (
            *("is_decoder", "add_cross_attention", "is_encoder_decoder", "auto_map", "causal"),
            *("pruned_heads", "prenorm", "use_rms_norm", "parallel_block"),
            *("rope_parameters", "rope_scaling", "rotary_emb_fraction", "alibi_starting_size"),
        ),
        (None, _PLAIN_ENCODER),
    ),
}


class LayerSizes(NamedTuple):
    """The sizes of one encoder layer.

    Attributes:
        hidden_size: channels of the residual stream, H, the same in all layers.
        head_size: channels of a head, D, the same in all layers.
        num_attention_heads: the layer's heads, N.
        intermediate_size: channels between its two feed-forward projections.
        q_groups, k_groups, v_groups, post_attention_groups, intermediate_groups, output_groups:
            groups of its projections.
    """

    hidden_size: int
    head_size: int
    num_attention_heads: int
    intermediate_size: int
    q_groups: int
    k_groups: int
    v_groups: int
    post_attention_groups: int
    intermediate_groups: int
    output_groups: int

    @property
    def attention_size(self) -> int:
        """Channels of query, key, value and context, N * D."""
        return self.num_attention_heads * self.head_size

    def for_config(self) -> dict[str, int]:
        """What `per_layer_config` says of such a layer."""
        return {name: getattr(self, name) for name in PER_LAYER}

    def projections(self) -> Iterator[tuple[int, int, int]]:
        """Yields each projection's inputs, outputs and groups, in the order of `GROUPS`."""
        for groups, (inputs, outputs) in _PROJECTIONS.items():
            yield getattr(self, inputs), getattr(self, outputs), getattr(self, groups)


class SqueezeBertConfig:
    """The architecture and training-time settings of a SqueezeBERT (a BERT if all groups are 1).

    Arguments and defaults are those of transformers' `SqueezeBertConfig`; the defaults are
    squeezebert-uncased. The last six describe how other families differ from it (`families`). A
    `config.json` is read and written by `from_pretrained` and `save_pretrained`; keys that this
    package does not use are kept in `extra` and written back.

    Args:
        vocab_size: entries of the word embedding, V.
        hidden_size: channels of the residual stream, H.
        num_hidden_layers: encoder blocks.
        num_attention_heads: attention heads per block, N, with H / N channels each, D.
        intermediate_size: channels between the two projections of the feed-forward network.
        hidden_act: its activation function, one of `ACTIVATIONS`.
        hidden_dropout_prob: dropout after the embeddings, and after each block's two projections
            back into the residual stream.
        attention_probs_dropout_prob: dropout of the attention probabilities.
        max_position_embeddings: length of the longest sequence, in tokens.
        type_vocab_size: number of segments.
        initializer_range: standard deviation of freshly initialised weights.
        layer_norm_eps: epsilon of the layer norms in the embeddings and the masked-LM head.
        pad_token_id: id of the padding token, whose embedding starts at zero and is not trained;
            None if there is no such token.
        embedding_size: channels of the embeddings, E, by default hidden_size; if they differ, a
            projection follows.
        q_groups, k_groups, v_groups: groups of the query, key and value convolutions.
        post_attention_groups: groups of the projection after attention.
        intermediate_groups, output_groups: groups of the two feed-forward projections.
        encoder_layer_norm_eps: epsilon of the encoder's layer norms. The reference
            implementation fixes it at 1e-12 and ignores `layer_norm_eps` there; a BERT checkpoint
            uses its `layer_norm_eps` here.
        num_labels: outputs of a classification head; by default 2, or the length of `id2label`.
        id2label, label2id: the label names by index, and the indices by name.
        problem_type: for sequence classification, one of `PROBLEM_TYPES`; None means regression
            if there is one label, and single-label classification if there are more.
        output_hidden_states, output_attentions: whether models return these by default.
        classifier_dropout: dropout before the last layer of a head; None stands for
            hidden_dropout_prob, as in the reference. A BERT checkpoint may set another value.
        family: the family whose checkpoints the model is read from and written to, a key of
            `FAMILIES`; BERT counts as SqueezeBERT.
        position_offset: rows of the position table before that of the first position.
        token_type_embeddings: whether segments have embeddings.
        add_pooling_layer: whether the bare model has a pooler.
        pooler_act: the pooler's activation function, one of `ACTIVATIONS`.
        lm_head_act: that of the masked-LM head; None stands for hidden_act.
        per_layer_config: by layer, counted from 0, the groups, intermediate_size and
            num_attention_heads that differ from those above, as in transformers 5:
            `{3: {"intermediate_size": 768, "num_attention_heads": 8}}`. A layer with fewer heads
            has query, key and value of N * D channels, where D stays H / the number above. What
            equals the values above is left out, and `{}` means that all layers are equal.
        **extra: any other key of a `config.json`.

    Raises:
        ValueError: a value is invalid, or two values contradict each other.
    """

    model_type = "squeezebert"

    def __init__(
        self,
        /,  # so that "self" can be a key of a config
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
        classifier_dropout: float | None = None,
        family: str = "squeezebert",
        position_offset: int = 0,
        token_type_embeddings: bool = True,
        add_pooling_layer: bool = True,
        pooler_act: str = "tanh",
        lm_head_act: str | None = None,
        per_layer_config: Mapping[int, Mapping[str, int]] | None = None,
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
        self.output_hidden_states = False if output_hidden_states is None else output_hidden_states
        self.output_attentions = False if output_attentions is None else output_attentions
        self.classifier_dropout = classifier_dropout
        self.family = family
        self.position_offset = position_offset
        self.token_type_embeddings = token_type_embeddings
        self.add_pooling_layer = add_pooling_layer
        self.pooler_act = pooler_act
        self.lm_head_act = lm_head_act
        self.per_layer_config = _by_layer(per_layer_config)
        self.extra = extra
        self._validate()

    @property
    def num_labels(self) -> int:
        return len(self.id2label)

    @property
    def task_problem_type(self) -> str:
        """problem_type, with None resolved: regression for one label, else single-label."""
        if self.problem_type is not None:
            return self.problem_type
        return "regression" if self.num_labels == 1 else "single_label_classification"

    @property
    def label2id(self) -> dict[str, int]:
        return {label: index for index, label in self.id2label.items()}

    @property
    def position_rows(self) -> int:
        """The number of rows of the position table."""
        return self.position_offset + self.max_position_embeddings

    @property
    def projects_embeddings(self) -> bool:
        """Whether a projection follows the embeddings, because they have another size."""
        return self.embedding_size != self.hidden_size

    @property
    def head_size(self) -> int:
        """Channels of an attention head, D, in every layer."""
        return self.hidden_size // self.num_attention_heads

    def layer_sizes(self, layer: int) -> LayerSizes:
        """The sizes of a layer, counted from 0: the config's, or those of `per_layer_config`.

        Raises:
            IndexError: the model does not have the layer.
        """
        if not 0 <= layer < self.num_hidden_layers:
            raise IndexError(
                f"The model does not have layer {layer}: it has {self.num_hidden_layers}, counted "
                "from 0."
            )
        return self._sizes(self.per_layer_config.get(layer, {}))

    def _sizes(self, differing: Mapping[str, int]) -> LayerSizes:
        return LayerSizes(**{x: differing.get(x, getattr(self, x)) for x in LayerSizes._fields})

    def _validate(self) -> None:
        for name in (*_MOST, *GROUPS):
            _require_size(name, getattr(self, name))
        self._validate_family()
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size ({self.hidden_size}) must be divisible by num_attention_heads "
                f"({self.num_attention_heads})."
            )
        self._validate_layers()
        parameters = self._count_parameters()
        if parameters > _MOST_PARAMETERS:
            raise ValueError(
                f"These sizes make a model of {parameters / 1e9:.1f} billion parameters: reduce "
                f"them to at most {_MOST_PARAMETERS / 1e9:.1f} billion."
            )
        self._validate_numbers()
        _require_known("hidden_act", self.hidden_act, ACTIVATIONS)
        _require_known("pooler_act", self.pooler_act, ACTIVATIONS)
        if self.lm_head_act is not None:
            _require_known("lm_head_act", self.lm_head_act, ACTIVATIONS)
        if self.problem_type is not None:
            _require_known("problem_type", self.problem_type, PROBLEM_TYPES)
        if self.problem_type == "single_label_classification" and self.num_labels == 1:
            raise ValueError(
                "problem_type 'single_label_classification' needs at least two labels: with one "
                "label use 'regression'."
            )
        self._validate_extra()

    def _validate_layers(self) -> None:
        """Checks the sizes of each layer, and leaves out what equals the config's."""
        _require_divisible(self._sizes({}))
        for layer, values in self.per_layer_config.items():
            if not 0 <= layer < self.num_hidden_layers:
                raise ValueError(
                    f"per_layer_config names layer {_shown(layer)}, but the model has "
                    f"{self.num_hidden_layers}, counted from 0 (num_hidden_layers): leave it out."
                )
            where = f"In layer {layer}, "
            for name, value in values.items():
                _require_size(name, value, where)
            if values.get("num_attention_heads", 1) > self.num_attention_heads:
                raise ValueError(
                    f"{where}num_attention_heads must be at most the config's, "
                    f"{self.num_attention_heads}, not {values['num_attention_heads']}."
                )
            _require_divisible(self._sizes(values), where)
        differing = {
            layer: {x: value for x, value in values.items() if value != getattr(self, x)}
            for layer, values in self.per_layer_config.items()
        }
        self.per_layer_config = {layer: values for layer, values in differing.items() if values}

    def _validate_family(self) -> None:
        _require_known("family", self.family, FAMILIES)
        offset, most = self.position_offset, _MOST["max_position_embeddings"]
        if not _is_whole(offset) or not 0 <= offset <= most:
            raise ValueError(
                f"position_offset must be a whole number in [0, {most}], not {_shown(offset)}."
            )
        if not self.token_type_embeddings and self.type_vocab_size != 1:
            raise ValueError(
                f"type_vocab_size must be 1 without token_type_embeddings, not "
                f"{self.type_vocab_size}."
            )

    def _validate_numbers(self) -> None:
        rates = ["hidden_dropout_prob", "attention_probs_dropout_prob"]
        rates += ["classifier_dropout"] if self.classifier_dropout is not None else []
        for name in rates:
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value < 1:
                raise ValueError(f"{name} must be a number in [0, 1), not {_shown(value)}.")
        for name in ("initializer_range", "layer_norm_eps", "encoder_layer_norm_eps"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 < value <= 1000:
                raise ValueError(f"{name} must be a number in (0, 1000], not {_shown(value)}.")
        padding = self.pad_token_id
        if padding is not None and not (_is_whole(padding) and 0 <= padding < self.vocab_size):
            raise ValueError(
                f"pad_token_id ({_shown(padding)}) must be a whole number in [0, vocab_size) or "
                f"None, and vocab_size is {self.vocab_size}."
            )
        switches = ("output_hidden_states", "output_attentions")
        for name in (*switches, "token_type_embeddings", "add_pooling_layer"):
            if not isinstance(getattr(self, name), bool):
                value = _shown(getattr(self, name))
                raise ValueError(f"{name} must be true or false, not {value}.")

    def _validate_extra(self) -> None:
        """Refuses keys with which the model would load but compute something else."""
        for name, (plain, way_out) in _OTHER_COMPUTATIONS.items():
            value = self.extra.get(name)
            if value and value != plain:
                raise ValueError(
                    f"The config has a {name} of {_shown(value)}, which this package does not "
                    f"compute: {way_out}."
                )
        classes = self.extra.get("architectures") or []
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError(f"architectures must be a list of class names, not {_shown(classes)}.")

    def _count_parameters(self) -> int:
        """The number of weights, without biases and norms."""
        rows = self.vocab_size + self.position_rows + self.type_vocab_size
        hidden, width = self.hidden_size, self.embedding_size
        layers = map(self.layer_sizes, range(self.num_hidden_layers))
        blocks = sum(a * b // groups for sizes in layers for a, b, groups in sizes.projections())
        heads = hidden * (hidden + self.num_labels) + width * hidden * self.projects_embeddings
        return width * rows + blocks + heads

    def to_dict(self) -> dict[str, Any]:
        """The content of `config.json`: `from_dict` makes an equal config from it."""
        values = {key: value for key, value in vars(self).items() if key != "extra"}
        layers = values.pop("per_layer_config")
        if layers:
            values["per_layer_config"] = {str(layer): {**own} for layer, own in layers.items()}
        values["id2label"] = {str(index): label for index, label in self.id2label.items()}
        values["label2id"] = self.label2id
        return {**self.extra, **values, "model_type": self.model_type}

    def to_checkpoint(self, as_squeezebert: bool = False) -> dict[str, Any]:
        """The content of a checkpoint's `config.json`, in the family's form if that can hold all.

        A model that it can not hold, for instance one with groups, is written as a SqueezeBERT,
        whose position 0 has row 0 and whose segments have embeddings.

        Args:
            as_squeezebert: whether to write it as a SqueezeBERT in any case.
        """
        values = self.to_dict()
        if self.family != self.model_type and not as_squeezebert:
            written = to_family(values)
            if SqueezeBertConfig.from_dict(written) == self:
                return written
        changes = {"position_offset": 0, "token_type_embeddings": True}
        return {**values, **changes, "family": self.model_type}

    @classmethod
    def from_dict(cls, values: dict[str, Any], **overrides: Any) -> SqueezeBertConfig:
        """Makes a config from the content of a `config.json`.

        Args:
            values: the keys of a SqueezeBERT, or of a BERT (`model_type` "bert") or one of the
                other `FAMILIES`, which are a SqueezeBERT with one group everywhere.
            **overrides: keys that replace those of `values`. A `num_labels` that differs from
                the stored number of label names drops those names.

        Raises:
            ValueError: the model is of another type, or a value is invalid.
        """
        labels = _chosen_labels(values, overrides)
        model_type = {**values, **overrides}.get("model_type", cls.model_type)
        _require_family(model_type)
        if model_type in FAMILIES and model_type != cls.model_type:
            values = from_family(model_type, values)
        values = {**values, **overrides, **labels}
        values.pop("model_type", None)
        if model_type != cls.model_type:
            values = _without_groups(values)
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
        """Reads the `config.json` of a folder or of a hub repository, or such a file itself.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not a JSON object, or not the config of one of the `FAMILIES`.
        """
        from .hub import find_folder, require_file

        path = Path(path_or_id)
        if not path.is_file():
            folder = find_folder(
                path_or_id,
                ["config.json"],
                revision=revision,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
            )
            path = require_file(folder, "config.json", path_or_id)
        return cls.from_dict(read_json(path), **overrides)

    def save_pretrained(self, directory: str | os.PathLike) -> None:
        """Writes `config.json` into a folder, which is made if it does not exist."""
        write_config(directory, self.to_dict())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SqueezeBertConfig) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        return f"SqueezeBertConfig({json.dumps(self.to_dict(), indent=2, ensure_ascii=False)})"


def write_config(directory: str | os.PathLike, values: Mapping[str, Any]) -> None:
    """Writes a `config.json` into a folder, which is made if it does not exist."""
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_text(Path(directory) / "config.json", text)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _require_size(name: str, value: object, where: str = "") -> None:
    if not _is_whole(value) or value < 1:
        raise ValueError(f"{where}{name} must be a positive whole number, not {_shown(value)}.")
    if value > _MOST.get(name, value):
        raise ValueError(f"{where}{name} must be at most {_MOST[name]}, not {_shown(value)}.")


def _require_divisible(sizes: LayerSizes, where: str = "") -> None:
    """Refuses sizes that the groups of a projection do not divide."""
    for size in ("hidden_size", "attention_size", "intermediate_size"):
        for groups, ends in _PROJECTIONS.items():
            value, divisor = getattr(sizes, size), getattr(sizes, groups)
            if size in ends and value % divisor:
                name = size.replace("attention_size", f"num_attention_heads * {sizes.head_size}")
                raise ValueError(
                    f"{where}{name} ({value}) must be divisible by {groups} ({divisor})."
                )


def _by_layer(per_layer_config: Any) -> dict[int, dict[str, Any]]:
    """per_layer_config in order, with whole numbers as keys, for which JSON has strings."""
    given = per_layer_config or {}
    try:
        layers = {
            int(layer) if isinstance(layer, str) else operator.index(layer): {**values}
            for layer, values in given.items()
        }
        complete = len(layers) == len(given)
    except (AttributeError, TypeError, ValueError):
        complete = False
    if not complete:
        raise ValueError(
            "per_layer_config must map each layer's number to the sizes that differ, as in "
            f"{{0: {{'q_groups': 2}}}}, not {_shown(given)}."
        )
    if any(name not in PER_LAYER for values in layers.values() for name in values):
        raise ValueError(
            f"The config has a per_layer_config of {_shown(given)}, which this package does not "
            f"compute: only {', '.join(PER_LAYER)} may differ between layers."
        )
    return {
        layer: {name: layers[layer][name] for name in PER_LAYER if name in layers[layer]}
        for layer in sorted(layers)
    }


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _shown(value: object) -> str:
    """A value from a file, shortened, and made harmless to a terminal."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _require_known(name: str, value: object, known: Collection[str]) -> None:
    if value not in list(known):  # which a list in a file, not hashable, can be compared with
        raise ValueError(f"{name} {_shown(value)} is unknown: choose one of {', '.join(known)}.")


def _chosen_labels(stored: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """num_labels, id2label and label2id from a file and from the caller, made to agree.

    The caller's names take precedence, then a file's id2label, then its label2id, which in some
    published files holds other names. A file's names are dropped if the number of labels differs.
    """
    keys = ("num_labels", "id2label", "label2id")
    given = {key: overrides[key] for key in keys if overrides.get(key) is not None}
    if not given.keys() & {"id2label", "label2id"}:
        names = next((key for key in keys[1:] if stored.get(key) is not None), None)
        count = given.get("num_labels")
        if names is not None and (count is None or count == _length(stored[names])):
            given[names] = stored[names]
            _refuse_other_order(stored)
        elif count is None and stored.get("num_labels") is not None:
            given["num_labels"] = stored["num_labels"]
    return {**dict.fromkeys(keys), **given}


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, Mapping) else None


def _refuse_other_order(stored: dict[str, Any]) -> None:
    """Refuses a file whose id2label and label2id give one name different numbers."""
    by_index, by_name = stored.get("id2label"), stored.get("label2id")
    if isinstance(by_index, Mapping) and isinstance(by_name, Mapping):
        for index, name in by_index.items():
            other = by_name.get(name, index) if isinstance(name, str) else index
            if str(other) != str(index):
                raise ValueError(
                    f"id2label gives {_shown(name)} the number {_shown(index)}, and label2id "
                    f"{_shown(other)}: correct one of them in config.json, or pass id2label."
                )


def _label_names(num_labels, id2label, label2id) -> dict[int, str]:
    """The label names by index, from whichever of the three arguments the caller gave."""
    by_index = None if label2id is None else _inverted(label2id)
    if id2label is None:
        id2label = by_index
    count = _length(id2label) if id2label is not None else num_labels
    if _is_whole(count) and count > _MOST_LABELS:
        raise ValueError(f"A model can have {_MOST_LABELS} labels at most, not {_shown(count)}.")
    if id2label is None:
        count = 2 if num_labels is None else num_labels
        if not _is_whole(count) or count < 1:
            raise ValueError(f"num_labels must be a positive whole number, not {_shown(count)}.")
        return {index: f"LABEL_{index}" for index in range(count)}
    names = _indexed(id2label)
    if num_labels is not None and num_labels != len(names):
        raise ValueError(
            f"num_labels ({_shown(num_labels)}) contradicts id2label, which names {len(names)} "
            "labels."
        )
    if by_index is not None and _indexed(by_index) != names:
        raise ValueError(f"label2id {_shown(label2id)} contradicts id2label {_shown(names)}.")
    return names


def _inverted(label2id: Any) -> dict[Any, Any]:
    """The label names, by the numbers that label2id gives them."""
    numbers = list(label2id.values()) if isinstance(label2id, Mapping) else [None]
    if not all(_is_whole(number) or isinstance(number, str) for number in numbers):
        raise ValueError(
            f"label2id must map each label's name to its index, not {_shown(label2id)}."
        )
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"label2id gives two labels the same index: {_shown(label2id)}.")
    return dict(zip(numbers, label2id, strict=True))


def _indexed(id2label: Any) -> dict[int, str]:
    """id2label with integer keys, sorted; the names must be distinct single lines."""
    try:
        names = dict(sorted((int(index), label) for index, label in id2label.items()))
    except (AttributeError, TypeError, ValueError):
        names = {}
    if not names or list(names) != list(range(len(id2label))):
        raise ValueError(f"id2label must name the labels 0, 1, 2, ..., not {_shown(id2label)}.")
    seen: dict[str, int] = {}
    for index, label in names.items():
        if _is_whole(label):
            label = names[index] = str(label)
        if not isinstance(label, str) or label.splitlines() not in ([], [label]):
            raise ValueError(
                f"id2label names {index} {_shown(label)}, which is not a line of text."
            )
        if seen.setdefault(label, index) != index:
            raise ValueError(
                f"id2label gives {seen[label]} and {index} the same name, {_shown(label)}: give "
                "each label a different name."
            )
    return names


def _without_groups(values: dict[str, Any]) -> dict[str, Any]:
    """The arguments for a BERT, or for another family without groups."""
    return {
        **dict.fromkeys(GROUPS, 1),
        "encoder_layer_norm_eps": values.get("layer_norm_eps", 1e-12),
        **values,
    }


def _require_family(model_type: object) -> None:
    known = (BERT, *FAMILIES)
    if model_type not in list(known):
        reason = OTHERS.get(model_type) if isinstance(model_type, str) else None
        raise ValueError(
            f"model_type {_shown(model_type)} can not be loaded"
            f"{f', since {reason}' if reason else ''}: use a model of type {', '.join(known)}."
        )

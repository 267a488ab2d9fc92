"""The families of encoders that are a BERT in other words: names, offsets, and what is absent.

One table for both directions. `config.py` reads and writes each family's config.json by it, and
`convert/names.py` its checkpoints. Names of layers here are those of `models.py`; `{}` stands for
the number of a block. (After transformers' modeling_roberta.py, modeling_distilbert.py and
modeling_electra.py; XLM-RoBERTa and CamemBERT are RoBERTa with other tokens.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_NONE: Mapping[str, Any] = MappingProxyType({})

_EMBEDDINGS = {
    "embeddings.word_embeddings": "embeddings.word_embeddings",
    "embeddings.position_embeddings": "embeddings.position_embeddings",
    "embeddings.token_type_embeddings": "embeddings.token_type_embeddings",
    "embeddings.layer_norm": "embeddings.LayerNorm",
    "embeddings.projection": "embeddings_project",
}
# The layers of a block, in this order, in each of the three spellings that there are.
_BLOCK = (
    *("attention.query", "attention.key", "attention.value"),
    *("post_attention", "post_attention_norm"),
    *("intermediate", "projection", "projection_norm"),
)
_SQUEEZEBERT_BLOCK = (
    *("attention.query", "attention.key", "attention.value"),
    *("post_attention.conv1d", "post_attention.layernorm"),
    *("intermediate.conv1d", "output.conv1d", "output.layernorm"),
)
_BERT_BLOCK = (
    *("attention.self.query", "attention.self.key", "attention.self.value"),
    *("attention.output.dense", "attention.output.LayerNorm"),
    *("intermediate.dense", "output.dense", "output.LayerNorm"),
)
_DISTILBERT_BLOCK = (
    *("attention.q_lin", "attention.k_lin", "attention.v_lin"),
    *("attention.out_lin", "sa_layer_norm"),
    *("ffn.lin1", "ffn.lin2", "output_layer_norm"),
)


class Spelling(NamedTuple):
    """How checkpoints spell the names of the encoder's layers.

    Attributes:
        blocks: the place of the blocks.
        block: the names of a block's layers, in the order of `_BLOCK`.
    """

    blocks: str
    block: tuple[str, ...]

    def names(self, layers: int) -> dict[str, str]:
        """Our names of the encoder's layers, in the order of checkpoints, with those there."""
        names = dict(_EMBEDDINGS)
        for i in range(layers):
            for ours, theirs in zip(_BLOCK, self.block, strict=True):
                names[f"blocks.{i}.{ours}"] = f"{self.blocks}.{i}.{theirs}"
        return {**names, "pooler": "pooler.dense"}


class Family(NamedTuple):
    """A family of encoders.

    Attributes:
        title: its name in sentences.
        classes: the beginning of its classes' names.
        prefixes: the beginnings of the names of the encoder's tensors; the first one is written,
            in models with a head.
        spellings: of the encoder's layers; the first one is written.
        heads: by kind of task, names of a head's layers that differ from SqueezeBERT's.
        tied: second names of the masked LM's weights, with their first names as they are written.
        pools_always: whether models have a pooler even if their head does not use it.
        convolves: whether the projections of a block are convolutions.
        keys: the config's arguments that have other names in its config.json, with these names.
        defaults: the config's arguments with the values that hold if its config.json lacks them.
        fixed: the config's arguments that are the same for all its models, and that its config.json
            does not hold.
        plain: keys of its config.json that select another computation unless they have this value.
        counts_from_padding: whether the first position is the row after that of the padding token,
            so that config.json counts these rows as positions.
    """

    title: str
    classes: str
    prefixes: tuple[str, ...]
    spellings: tuple[Spelling, ...]
    heads: Mapping[str, Mapping[str, str]] = _NONE
    tied: Mapping[str, str] = _NONE
    pools_always: bool = False
    convolves: bool = False
    keys: Mapping[str, str] = _NONE
    defaults: Mapping[str, Any] = _NONE
    fixed: Mapping[str, Any] = _NONE
    plain: Mapping[str, Any] = _NONE
    counts_from_padding: bool = False


_SQUEEZEBERT = Spelling("encoder.layers", _SQUEEZEBERT_BLOCK)
_BERT = Spelling("encoder.layer", _BERT_BLOCK)
_DISTILBERT = Spelling("transformer.layer", _DISTILBERT_BLOCK)


def _roberta(title: str, classes: str) -> Family:
    return Family(
        title,
        classes,
        prefixes=("roberta.", ""),
        spellings=(_BERT,),
        heads={
            "text-classification": {
                "transformer.pooler": "classifier.dense",
                "classifier": "classifier.out_proj",
            },
            "fill-mask": {
                "head.dense": "lm_head.dense",
                "head.layer_norm": "lm_head.layer_norm",
                "head": "lm_head",
            },
        },
        tied={
            "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
            "lm_head.decoder.bias": "lm_head.bias",
        },
        defaults={"pad_token_id": 1},
        fixed={"embedding_size": None, "lm_head_act": "gelu"},
        counts_from_padding=True,
    )


# By the model_type in config.json.
FAMILIES = {
    "squeezebert": Family(
        "SqueezeBERT",
        "SqueezeBert",
        prefixes=("transformer.", "bert.", ""),
        spellings=(_SQUEEZEBERT, _BERT),
        tied={
            "cls.predictions.decoder.weight": "transformer.embeddings.word_embeddings.weight",
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        },
        pools_always=True,
        convolves=True,
    ),
    "roberta": _roberta("RoBERTa", "Roberta"),
    "xlm-roberta": _roberta("XLM-RoBERTa", "XLMRoberta"),
    "camembert": _roberta("CamemBERT", "Camembert"),
    "distilbert": Family(
        "DistilBERT",
        "DistilBert",
        prefixes=("distilbert.", ""),
        spellings=(_DISTILBERT,),
        heads={
            "text-classification": {"transformer.pooler": "pre_classifier"},
            "multiple-choice": {"transformer.pooler": "pre_classifier"},
            "fill-mask": {
                "head.dense": "vocab_transform",
                "head.layer_norm": "vocab_layer_norm",
                "head": "vocab_projector",
            },
        },
        tied={"vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"},
        keys={
            "hidden_size": "dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "hidden_act": "activation",
            "hidden_dropout_prob": "dropout",
            "attention_probs_dropout_prob": "attention_dropout",
            "classifier_dropout": "seq_classif_dropout",
        },
        defaults={"num_hidden_layers": 6, "classifier_dropout": 0.2},
        fixed={
            "embedding_size": None,
            "layer_norm_eps": 1e-12,
            "type_vocab_size": 1,
            "token_type_embeddings": False,
            "add_pooling_layer": False,
            "pooler_act": "relu",
        },
    ),
    "electra": Family(
        "ELECTRA",
        "Electra",
        prefixes=("electra.", ""),
        spellings=(_BERT,),
        heads={
            "text-classification": {
                "transformer.pooler": "classifier.dense",
                "classifier": "classifier.out_proj",
            },
            "multiple-choice": {"transformer.pooler": "sequence_summary.summary"},
            "fill-mask": {
                "head.dense": "generator_predictions.dense",
                "head.layer_norm": "generator_predictions.LayerNorm",
                "head": "generator_lm_head",
            },
        },
        tied={"generator_lm_head.weight": "electra.embeddings.word_embeddings.weight"},
        defaults={
            "embedding_size": 128,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "intermediate_size": 1024,
        },
        fixed={"add_pooling_layer": False, "pooler_act": "gelu", "lm_head_act": "gelu"},
        plain={
            "summary_type": "first",
            "summary_use_proj": True,
            "summary_activation": "gelu",
            "summary_proj_to_labels": False,
        },
    ),
}
# Read as a SqueezeBERT with one group everywhere, and written as such.
BERT = "bert"
# Families that are not a BERT in other words, and why not.
OTHERS = {
    "albert": "its layers share their weights",
    "deberta": "its positions are relative",
    "deberta-v2": "its positions are relative",
    "longformer": "it attends to windows",
    "modernbert": "its positions are rotary",
    "mpnet": "its positions are relative",
    "nomic_bert": "its positions are rotary",
    "roformer": "its positions are rotary",
    "xlnet": "its positions are relative",
}


def from_family(model_type: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A family's config.json as arguments of `SqueezeBertConfig`, except for groups and epsilons.

    Args:
        model_type: a key of `FAMILIES`.
        values: the content of the file.

    Raises:
        ValueError: the file asks for a computation that the family's other models do not have.
    """
    family = FAMILIES[model_type]
    for key, plain in family.plain.items():
        if values.get(key, plain) != plain:
            raise ValueError(
                f"The config has a {key} of {str(values[key])[:80]!a}, which this package does not "
                f"compute: only {plain!r} can be loaded."
            )
    ours = {theirs: name for name, theirs in family.keys.items()}
    # As in transformers, the usual name counts where the family's is missing.
    read = {
        ours.get(key, key): value
        for key, value in values.items()
        if family.keys.get(key) not in values
    }
    read = {**family.defaults, **read, **family.fixed, "family": model_type}
    if family.counts_from_padding:
        padding, positions = read["pad_token_id"], read.get("max_position_embeddings", 512)
        if not all(isinstance(x, int) for x in (padding, positions)) or positions <= padding + 1:
            raise ValueError(
                f"{family.title} counts positions from its pad_token_id, which is {padding!r} of "
                f"{positions!r} max_position_embeddings: correct them in config.json."
            )
        read["position_offset"] = padding + 1
        read["max_position_embeddings"] = positions - padding - 1
    return read


def to_family(values: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a family's config.json, from that of `SqueezeBertConfig.to_dict`."""
    family = FAMILIES[values["family"]]
    left_out = {*family.fixed, *_OWN}
    written = {
        family.keys.get(name, name): value for name, value in values.items() if name not in left_out
    }
    written["model_type"] = values["family"]
    written["max_position_embeddings"] += values["position_offset"]
    return written


# Arguments of the config that no config.json but SqueezeBERT's has.
_OWN = (
    *("q_groups", "k_groups", "v_groups"),
    *("post_attention_groups", "intermediate_groups", "output_groups"),
    *("encoder_layer_norm_eps", "family", "position_offset"),
    *("token_type_embeddings", "add_pooling_layer", "pooler_act", "lm_head_act"),
    "per_layer_config",
)

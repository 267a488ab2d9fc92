"""The layers of SqueezeBERT, written in keras.ops only, so that they run on every Keras backend.

Shapes: B batch, S sequence length, H hidden_size, E embedding_size, N attention heads of the layer,
D channels of a head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from .config import ACTIVATIONS, SqueezeBertConfig

ACTIVATION_FUNCTIONS = {
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "gelu_tanh": ops.gelu,
    "relu": ops.relu,
    "silu": ops.silu,
    "tanh": ops.tanh,
}


@keras.saving.register_keras_serializable("tf_squeezebert")
class GroupedConv1D(keras.layers.Layer):
    """The pointwise (kernel size 1) grouped convolution, with a separate weight for each group.

    Group i owns input channels [i*C/g, (i+1)*C/g) and output channels [i*F/g, (i+1)*F/g), and its
    result equals PyTorch's `Conv1d(C, F, kernel_size=1, groups=g)`. One group is a fully
    connected layer. (Iandola et al., 2020, section 3.)

    Args:
        filters: output channels, F.
        groups: number of groups, g; must divide C and F.
        data_format: `"channels_last"` ([B, S, C] to [B, S, F]) or `"channels_first"` ([B, C, S]
            to [B, F, S]).
        use_bias: whether to add a bias of shape [F].
        kernel_initializer, bias_initializer: Keras initializers. The kernel's shape is
            [g, C/g, F/g].
        **kwargs: passed to `keras.layers.Layer` (`name`, `dtype`, ...).

    Raises:
        ValueError: groups do not divide the channels, or `data_format` is unknown.
    """

    def __init__(
        self,
        filters: int,
        groups: int = 1,
        data_format: str = "channels_last",
        use_bias: bool = True,
        kernel_initializer: str | Callable = "glorot_uniform",
        bias_initializer: str | Callable = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f"data_format {data_format!r} is unknown: choose channels_last or channels_first."
            )
        if filters % groups:
            raise ValueError(f"filters ({filters}) must be divisible by groups ({groups}).")
        self.filters = filters
        self.groups = groups
        self.data_format = data_format
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if channels % self.groups:
            raise ValueError(
                f"input channels ({channels}) must be divisible by groups ({self.groups})."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.groups, channels // self.groups, self.filters // self.groups),
            initializer=self.kernel_initializer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer
            )

    def call(self, inputs):
        x = inputs
        if self.data_format == "channels_first":
            x = ops.transpose(x, (0, 2, 1))  # [B, S, C]
        if self.groups == 1:
            x = ops.matmul(x, ops.squeeze(self.kernel, 0))
        else:
            x = self._grouped_product(x)
        if self.use_bias:
            x = ops.add(x, self.bias)  # [B, S, F]
        if self.data_format == "channels_first":
            x = ops.transpose(x, (0, 2, 1))
        return x

    def _grouped_product(self, x):
        """[B, S, C] to [B, S, F], as one matrix product batched over the groups.

        This trains fastest among the ways to write it (one product per group, einsum, Keras's
        Conv1D).
        """
        batch, length = ops.shape(x)[:2]
        x = ops.reshape(x, (batch * length, self.groups, -1))
        x = ops.matmul(ops.transpose(x, (1, 0, 2)), self.kernel)  # [g, B * S, F/g]
        return ops.reshape(ops.transpose(x, (1, 0, 2)), (batch, length, self.filters))

    def compute_output_shape(self, input_shape):
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *input_shape[2:])
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "data_format": self.data_format,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


class _Normal(keras.initializers.RandomNormal):
    """The config's normal distribution; the padding token's row, if given, is zero."""

    def __init__(self, config: SqueezeBertConfig, zero_row: int | None = None):
        super().__init__(stddev=config.initializer_range)
        self.zero_row = zero_row

    def __call__(self, shape, dtype=None):
        table = super().__call__(shape, dtype)
        if self.zero_row is None:
            return table
        return ops.where(ops.arange(shape[0])[:, None] == self.zero_row, 0.0, table)


def activation(name: str) -> Callable:
    """The function of an activation that a config names."""
    return ACTIVATION_FUNCTIONS[ACTIVATIONS[name]]


def dense(config: SqueezeBertConfig, units: int, **kwargs) -> keras.layers.Dense:
    """A fully connected layer, with the config's initializer."""
    return keras.layers.Dense(units, kernel_initializer=_Normal(config), **kwargs)


def dropout(rate: float, **kwargs) -> keras.layers.Dropout:
    """Dropout whose rate can be changed later: if it begins at 0, Keras makes no random numbers."""
    layer = keras.layers.Dropout(rate or 0.5, **kwargs)
    layer.rate = rate
    return layer


def permute(layer: keras.layers.Layer, inputs=None, outputs=None) -> None:
    """Reorders the channels that a layer reads, the channels that it returns, or both.

    Args:
        layer: a projection; for `outputs`, any layer whose weights have the channels on the last
            axis.
        inputs, outputs: the new order, as indices into the old one.
    """
    if inputs is not None:
        layer.kernel.assign(ops.take(layer.kernel, inputs, axis=-2))
    if outputs is not None:
        for weight in layer.weights:
            weight.assign(ops.take(weight, outputs, axis=-1))


class _ConfiguredLayer(keras.layers.Layer):
    """A layer that is set up from the model's config; its sub-layers share its dtype policy."""

    def __init__(self, config: SqueezeBertConfig, **kwargs):
        super().__init__(**kwargs)
        self.config = config

    def _convolution(self, filters: int, groups: int, name: str) -> GroupedConv1D:
        return GroupedConv1D(
            filters,
            groups,
            kernel_initializer=_Normal(self.config),
            dtype=self.dtype_policy,
            name=name,
        )

    def _layer_norm(self, epsilon: float, name: str) -> keras.layers.LayerNormalization:
        return keras.layers.LayerNormalization(epsilon=epsilon, dtype=self.dtype_policy, name=name)

    def _dropout(self, rate: float) -> keras.layers.Dropout:
        return dropout(rate, dtype=self.dtype_policy)


class SqueezeBertEmbeddings(_ConfiguredLayer):
    """The sum of word, position and token-type embeddings, normalised: [B, S] to [B, S, H].

    The tables have E channels; if H is another number, a projection follows.
    """

    def __init__(self, config: SqueezeBertConfig, **kwargs):
        super().__init__(config, **kwargs)
        normal, with_padding = _Normal(config), _Normal(config, zero_row=config.pad_token_id)
        self.word_embeddings = self._table(config.vocab_size, with_padding, "word_embeddings")
        self.position_embeddings = self._table(config.position_rows, normal, "position_embeddings")
        self.token_type_embeddings = None
        if config.token_type_embeddings:
            self.token_type_embeddings = self._table(
                config.type_vocab_size, normal, "token_type_embeddings"
            )
        self.layer_norm = self._layer_norm(config.layer_norm_eps, "layer_norm")
        # Bits of word embeddings while they are trained for a file; 0: all that they have.
        self.table_bits = 0
        self.projection = None
        if config.projects_embeddings:
            self.projection = dense(
                config, config.hidden_size, dtype=self.dtype_policy, name="projection"
            )
        self.dropout = self._dropout(config.hidden_dropout_prob)

    def _table(self, rows: int, initializer, name: str) -> keras.layers.Embedding:
        return keras.layers.Embedding(
            rows,
            self.config.embedding_size,
            embeddings_initializer=initializer,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape=None):
        for table in self.tables:
            table.build()
        width = (None, None, self.config.embedding_size)
        self.layer_norm.build(width)
        if self.projection is not None:
            self.projection.build(width)

    @property
    def tables(self) -> list[keras.layers.Embedding]:
        """The tables whose rows are added."""
        tables = (self.word_embeddings, self.position_embeddings, self.token_type_embeddings)
        return [table for table in tables if table is not None]

    def call(
        self,
        input_ids=None,
        token_type_ids=None,
        position_ids=None,
        inputs_embeds=None,
        training=None,
    ):
        x = self._look_up_words(input_ids) if inputs_embeds is None else inputs_embeds  # [B, S, E]
        first = self.config.position_offset
        if position_ids is None:
            positions = self.position_embeddings.embeddings
            x = x + positions[first : first + ops.shape(x)[1]]  # [S, E]
        else:
            x = x + _look_up(self.position_embeddings, position_ids + first)
        if self.token_type_embeddings is not None:
            if token_type_ids is None:
                x = x + self.token_type_embeddings.embeddings[0]  # [E]
            else:
                x = x + _look_up(self.token_type_embeddings, token_type_ids)
        x = self.dropout(self.layer_norm(x), training=training)
        return x if self.projection is None else self.projection(x)  # [B, S, H]

    def _look_up_words(self, input_ids):
        x = _look_up(self.word_embeddings, input_ids)
        if self.table_bits:
            # The gradient passes the rounding by (Bengio et al., 2013, arXiv 1308.3432, section 4).
            x = x + ops.stop_gradient(round_rows(x, self.table_bits) - x)
        if self.config.pad_token_id is None:
            return x
        # The reference does not train the padding token's row through lookups.
        is_padding = ops.equal(input_ids, self.config.pad_token_id)[..., None]
        return ops.where(is_padding, ops.stop_gradient(x), x)


def _look_up(table: keras.layers.Embedding, ids):
    """Rows of a table, as Keras's own look-up, which counts negative ids from the end."""
    return table(ops.where(ids < 0, table.input_dim, ids))


def round_rows(rows, bits: int):
    """Rows of a table as a file stores them: integers of so many bits, with a scale for each row.

    Args:
        rows: [..., E].
        bits: 2 or more, one of them for the sign.
    """
    most = 2 ** (bits - 1) - 1
    scale = ops.maximum(ops.max(ops.abs(rows), axis=-1, keepdims=True) / most, 1e-12)
    return ops.round(rows / scale) * scale


def softmax(scores):
    """Softmax over the last axis; Keras's own warns if that axis has length 1."""
    return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)


class SqueezeBertSelfAttention(_ConfiguredLayer):
    """Multi-head self-attention whose query, key and value are grouped convolutions.

    Args:
        config: the model's config.
        layer: the number of the layer, counted from 0, whose sizes it has.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, config: SqueezeBertConfig, layer: int = 0, **kwargs):
        super().__init__(config, **kwargs)
        self.sizes = sizes = config.layer_sizes(layer)
        self.query = self._convolution(sizes.attention_size, sizes.q_groups, "query")
        self.key = self._convolution(sizes.attention_size, sizes.k_groups, "key")
        self.value = self._convolution(sizes.attention_size, sizes.v_groups, "value")
        self.dropout = self._dropout(config.attention_probs_dropout_prob)

    def build(self, input_shape=None):
        for projection in (self.query, self.key, self.value):
            projection.build((None, None, self.config.hidden_size))

    def call(self, x, attention_mask=None, head_mask=None, training=None):
        """Computes self-attention.

        Args:
            x: hidden states, [B, S, H].
            attention_mask: whether to attend, bool, broadcastable to [B, N, S, S].
            head_mask: multiplies the probabilities of each head, [N].

        Returns:
            The context, [B, S, N * D], and the scores before the softmax, [B, N, S, S], in float32
            (or float64).
        """
        query = self._split_heads(self.query(x)) / math.sqrt(self.sizes.head_size)  # [B, N, S, D]
        key = ops.transpose(self._split_heads(self.key(x)), (0, 1, 3, 2))  # [B, N, D, S]
        # In half precision the softmax would be too inexact.
        scores = ops.cast(ops.matmul(query, key), keras.backend.result_type(self.dtype, "float32"))
        if attention_mask is not None:
            # Added, as in the reference, and so low that the score itself no longer matters.
            lowest = float(np.finfo("float32").min)
            scores = scores + ops.where(attention_mask, 0.0, lowest)
        probs = ops.cast(softmax(scores), self.compute_dtype)
        probs = self.dropout(probs, training=training)
        if head_mask is not None:
            probs = probs * head_mask[:, None, None]
        context = ops.matmul(probs, self._split_heads(self.value(x)))  # [B, N, S, D]
        merged = (*ops.shape(x)[:2], self.sizes.attention_size)
        return ops.reshape(ops.transpose(context, (0, 2, 1, 3)), merged), scores

    def _split_heads(self, x):
        batch, length = ops.shape(x)[:2]
        heads = (batch, length, self.sizes.num_attention_heads, self.sizes.head_size)
        return ops.transpose(ops.reshape(x, heads), (0, 2, 1, 3))


class SqueezeBertBlock(_ConfiguredLayer):
    """One encoder block: attention and feed-forward network, each with residual and layer norm.

    The reference names its parts `attention`, `post_attention`, `intermediate` and `output`;
    Keras layers have an attribute `output` already, so that part is named `projection` here.
    Arguments are those of `SqueezeBertSelfAttention`.
    """

    def __init__(self, config: SqueezeBertConfig, layer: int = 0, **kwargs):
        super().__init__(config, **kwargs)
        size, epsilon = config.hidden_size, config.encoder_layer_norm_eps
        self.sizes = sizes = config.layer_sizes(layer)
        self.attention = SqueezeBertSelfAttention(
            config, layer, dtype=self.dtype_policy, name="attention"
        )
        self.post_attention = self._convolution(size, sizes.post_attention_groups, "post_attention")
        self.post_attention_norm = self._layer_norm(epsilon, "post_attention_norm")
        self.intermediate = self._convolution(
            sizes.intermediate_size, sizes.intermediate_groups, "intermediate"
        )
        self.projection = self._convolution(size, sizes.output_groups, "projection")
        self.projection_norm = self._layer_norm(epsilon, "projection_norm")
        self.dropout = self._dropout(config.hidden_dropout_prob)
        self.activation = activation(config.hidden_act)

    def build(self, input_shape=None):
        hidden = (None, None, self.config.hidden_size)
        self.attention.build()
        self.post_attention.build((None, None, self.sizes.attention_size))
        self.post_attention_norm.build(hidden)
        self.intermediate.build(hidden)
        self.projection.build((None, None, self.sizes.intermediate_size))
        self.projection_norm.build(hidden)

    def call(self, x, attention_mask=None, head_mask=None, training=None):
        """[B, S, H] to [B, S, H], and the attention scores; arguments as in self-attention."""
        context, scores = self.attention(x, attention_mask, head_mask, training=training)
        context = self.dropout(self.post_attention(context), training=training)
        x = self.post_attention_norm(x + context)
        hidden = self.activation(self.intermediate(x))  # [B, S, intermediate_size]
        hidden = self.dropout(self.projection(hidden), training=training)
        return self.projection_norm(x + hidden), scores


class SqueezeBertMaskedLMHead(_ConfiguredLayer):
    """Scores of every token of the vocabulary at every position: [B, S, H] to [B, S, V].

    The output matrix is the word embedding table, which is passed to the call; the bias is the
    head's.
    """

    def __init__(self, config: SqueezeBertConfig, **kwargs):
        super().__init__(config, **kwargs)
        self.bias_initializer = keras.initializers.Zeros()
        self.dense = dense(config, config.embedding_size, dtype=self.dtype_policy, name="dense")
        self.layer_norm = self._layer_norm(config.layer_norm_eps, "layer_norm")
        self.activation = activation(config.lm_head_act or config.hidden_act)

    def build(self, input_shape=None):
        self.dense.build((None, None, self.config.hidden_size))
        self.layer_norm.build((None, None, self.config.embedding_size))
        self.bias = self.add_weight(
            name="bias", shape=(self.config.vocab_size,), initializer=self.bias_initializer
        )

    def call(self, x, embedding_table):
        x = self.layer_norm(self.activation(self.dense(x)))  # [B, S, E]
        return ops.matmul(x, ops.transpose(embedding_table)) + self.bias

"""The graph that runs on the device: a pure function of a model's config and trained weights.

It computes what the Keras model computes, written for LiteRT and XNNPACK instead of for training:

- grouped projections are grouped CONV_2D on [1, 1, S, C], the layout that the whole graph keeps,
  so that nothing but the embedding lookups leaves the delegate;
- word and segment embeddings are EMBEDDING_LOOKUP on flat ids, which quantization reaches (it
  leaves the table of a GATHER in float);
- the attention scale is folded into the query weights;
- where only the first position is asked for, the last block computes that one alone.

Shapes: S sequence length, H hidden_size, N heads, D = H / N. Batch is 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from ..layers import GroupedConv1D, SqueezeBertBlock
from ..models import (
    SqueezeBertForSequenceClassification,
    SqueezeBertModel,
    SqueezeBertPreTrainedModel,
)

_ACTIVATIONS = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_new": lambda x: tf.nn.gelu(x, approximate=True),
    "gelu_fast": lambda x: tf.nn.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "relu": tf.nn.relu,
    "silu": tf.nn.silu,
    "swish": tf.nn.silu,
    "tanh": tf.tanh,
}
# Added to the scores of masked positions: exp(-1e4) is 0, and 1e4 fits into half precision.
_MASKED = -1e4


class DeployedGraph(tf.Module):
    """The deployed graph of a model.

    Args:
        model: a `SqueezeBertModel` or a `SqueezeBertForSequenceClassification`.

    Raises:
        TypeError: the model's head can not be exported.
    """

    def __init__(self, model: SqueezeBertPreTrainedModel):
        super().__init__()
        if isinstance(model, SqueezeBertForSequenceClassification):
            run = self._classify
        elif isinstance(model, SqueezeBertModel):
            run = self._embed
        else:
            raise TypeError(
                f"{type(model).__name__} can not be exported to .tflite yet: SqueezeBertModel and "
                "SqueezeBertForSequenceClassification can."
            )
        # In a partial: an attribute, a whole Keras model, would be saved along.
        self._run = functools.partial(run, model)
        # By layer and name. As constants they would be copied from one form of the graph to the
        # next, and conversion take five times as long.
        self._weights: dict[str, tf.Variable] = {}

    def function(self, length: int | None = None) -> tf.types.experimental.ConcreteFunction:
        """The graph as a TensorFlow function.

        Args:
            length: S, or None to leave it free.

        Returns:
            A function of int32 `input_ids`, `attention_mask` and `token_type_ids`, [1, S], that
            returns a dict: `logits` [1, num_labels], or `last_hidden_state` [1, S, H] and
            `pooler_output` [1, H].
        """
        names = ("input_ids", "attention_mask", "token_type_ids")
        signature = [tf.TensorSpec([1, length], tf.int32, name=name) for name in names]
        function = tf.function(self._run, input_signature=signature, autograph=False)
        return function.get_concrete_function()

    # Heads

    def _classify(self, model, input_ids, attention_mask, token_type_ids):
        x, bias = self._inputs(model.transformer, input_ids, attention_mask, token_type_ids)
        *blocks, last = model.transformer.blocks
        for block in blocks:
            x = self._block(block, x, x, bias)
        first = self._block(last, self._first(x), x, bias)
        return {"logits": self._dense(model.classifier, self._pool(model.transformer, first))}

    def _embed(self, model, input_ids, attention_mask, token_type_ids):
        x, bias = self._inputs(model, input_ids, attention_mask, token_type_ids)
        for block in model.blocks:
            x = self._block(block, x, x, bias)
        return {
            "last_hidden_state": tf.reshape(x, [1, -1, model.config.hidden_size]),
            "pooler_output": self._pool(model, self._first(x)),
        }

    def _pool(self, transformer: SqueezeBertModel, first):
        """[1, 1, 1, H] to [1, H]."""
        first = tf.reshape(first, [1, transformer.config.hidden_size])
        return tf.tanh(self._dense(transformer.pooler, first))

    def _first(self, x):
        return tf.slice(x, [0, 0, 0, 0], [1, 1, 1, x.shape[-1]])

    # The encoder

    def _inputs(self, transformer: SqueezeBertModel, input_ids, attention_mask, token_type_ids):
        """The embeddings, [1, 1, S, H], and what is added to attention scores, [1, 1, 1, S]."""
        layer = transformer.embeddings
        words = self._lookup(layer.word_embeddings, input_ids)  # [S, H]
        types = self._lookup(layer.token_type_embeddings, token_type_ids)
        positions = self._weight(layer.position_embeddings, "embeddings")
        x = words + positions[: tf.shape(input_ids)[1]] + types
        x = tf.reshape(x, [1, 1, -1, transformer.config.hidden_size])
        mask = tf.reshape(tf.cast(attention_mask, tf.float32), [1, 1, 1, -1])
        return self._layer_norm(layer.layer_norm, x), (1.0 - mask) * _MASKED

    def _lookup(self, layer, ids):
        # The converter makes an EMBEDDING_LOOKUP of a function with this name and signature.
        @tf.function(experimental_implements="embedding_matmul", autograph=False)
        def embedding_matmul(table, ids):
            return tf.gather(table, ids)

        return embedding_matmul(self._weight(layer, "embeddings"), tf.reshape(ids, [-1]))

    def _block(self, block: SqueezeBertBlock, x, attended, bias):
        """A block on x, [1, 1, Q, H], whose queries attend to `attended`, [1, 1, S, H]."""
        size, heads = block.config.hidden_size, block.config.num_attention_heads

        def split(y):
            return tf.transpose(tf.reshape(y, [1, -1, heads, size // heads]), [0, 2, 1, 3])

        scale = math.sqrt(heads / size)
        query = split(self._convolution(block.attention.query, x, scale))  # [1, N, Q, D]
        key = split(self._convolution(block.attention.key, attended))  # [1, N, S, D]
        value = split(self._convolution(block.attention.value, attended))
        probs = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)  # [1, N, Q, S]
        context = tf.transpose(tf.matmul(probs, value), [0, 2, 1, 3])  # [1, Q, N, D]
        context = tf.reshape(context, [1, 1, -1, size])
        context = self._convolution(block.post_attention, context)
        x = self._layer_norm(block.post_attention_norm, x + context)
        hidden = _ACTIVATIONS[block.config.hidden_act](self._convolution(block.intermediate, x))
        hidden = self._convolution(block.projection, hidden)
        return self._layer_norm(block.projection_norm, x + hidden)

    # Layers

    def _convolution(self, layer: GroupedConv1D, x, scale: float = 1.0):
        """[1, 1, S, C] to [1, 1, S, F], optionally scaled."""

        def filters(kernel):  # [g, C/g, F/g] to [1, 1, C/g, F]
            return np.concatenate(list(kernel * scale), axis=-1)[None, None]

        x = tf.nn.conv2d(x, self._weight(layer, "kernel", filters), 1, "VALID")
        return x + self._weight(layer, "bias", lambda bias: bias * scale)

    def _dense(self, layer, x):
        return tf.matmul(x, self._weight(layer, "kernel")) + self._weight(layer, "bias")

    def _layer_norm(self, layer, x):
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1, keepdims=True)
        normal = (x - mean) * tf.math.rsqrt(variance + layer.epsilon)
        return normal * self._weight(layer, "gamma") + self._weight(layer, "beta")

    def _weight(self, layer, name: str, transform: Callable = lambda value: value):
        key = f"{id(layer)}.{name}"
        if key not in self._weights:
            with tf.init_scope():  # out of the graph under construction
                value = np.asarray(keras.ops.convert_to_numpy(getattr(layer, name)))
                value = transform(value.astype("float32", copy=False))
                self._weights[key] = tf.Variable(value, trainable=False)
        return tf.convert_to_tensor(self._weights[key])

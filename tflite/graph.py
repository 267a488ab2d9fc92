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


def inference_function(
    model: SqueezeBertPreTrainedModel, length: int | None = None
) -> tf.types.experimental.ConcreteFunction:
    """The deployed graph of a model, as a TensorFlow function with the weights as constants.

    Args:
        model: a `SqueezeBertModel` or a `SqueezeBertForSequenceClassification`.
        length: S, or None to leave it free.

    Returns:
        A function of int32 `input_ids`, `attention_mask` and `token_type_ids`, [1, S], that
        returns a dict: `logits` [1, num_labels], or `last_hidden_state` [1, S, H] and
        `pooler_output` [1, H].

    Raises:
        TypeError: the model's head can not be exported.
    """
    names = ("input_ids", "attention_mask", "token_type_ids")
    signature = [tf.TensorSpec([1, length], tf.int32, name=name) for name in names]
    function = tf.function(_outputs_of(model), input_signature=signature, autograph=False)
    return function.get_concrete_function()


def _outputs_of(model: SqueezeBertPreTrainedModel) -> Callable[..., dict[str, tf.Tensor]]:
    """What the model's head returns, as a function of the three inputs."""
    size = model.config.hidden_size
    if isinstance(model, SqueezeBertForSequenceClassification):

        def classify(input_ids, attention_mask, token_type_ids):
            inputs = (input_ids, attention_mask, token_type_ids)
            first = _encoder(model.transformer, *inputs, first_position_only=True)
            pooled = _dense(model.transformer.pooler, first, tf.tanh)
            return {"logits": _dense(model.classifier, pooled)}

        return classify
    if isinstance(model, SqueezeBertModel):

        def embed(input_ids, attention_mask, token_type_ids):
            x = _encoder(model, input_ids, attention_mask, token_type_ids)
            first = tf.reshape(tf.slice(x, [0, 0, 0, 0], [1, 1, 1, size]), [1, size])
            return {
                "last_hidden_state": tf.reshape(x, [1, -1, size]),
                "pooler_output": _dense(model.pooler, first, tf.tanh),
            }

        return embed
    raise TypeError(
        f"{type(model).__name__} can not be exported to .tflite yet: SqueezeBertModel and "
        "SqueezeBertForSequenceClassification can."
    )


def _encoder(
    transformer: SqueezeBertModel,
    input_ids,
    attention_mask,
    token_type_ids,
    first_position_only: bool = False,
):
    """Hidden states [1, 1, S, H], or those of the first position, [1, H]."""
    size = transformer.config.hidden_size
    x = _embeddings(transformer, input_ids, token_type_ids)
    mask = tf.reshape(tf.cast(attention_mask, tf.float32), [1, 1, 1, -1])
    bias = (1.0 - mask) * _MASKED  # [1, 1, 1, S]
    *blocks, last = transformer.blocks
    for block in blocks:
        x = _block(block, x, x, bias)
    if not first_position_only:
        return _block(last, x, x, bias)
    first = tf.slice(x, [0, 0, 0, 0], [1, 1, 1, size])
    return tf.reshape(_block(last, first, x, bias), [1, size])


def _embeddings(transformer: SqueezeBertModel, input_ids, token_type_ids):
    """The sum of the three embeddings, normalised: [1, 1, S, H]."""
    embeddings = transformer.embeddings
    words = _lookup(embeddings.word_embeddings, input_ids)  # [S, H]
    types = _lookup(embeddings.token_type_embeddings, token_type_ids)
    table = tf.constant(_value(embeddings.position_embeddings.embeddings))
    positions = table[: tf.shape(input_ids)[1]]
    x = _layer_norm(embeddings.layer_norm, words + positions + types)
    return tf.reshape(x, [1, 1, -1, transformer.config.hidden_size])


def _lookup(layer, ids):
    # The converter turns a function of this name and signature into an EMBEDDING_LOOKUP.
    @tf.function(experimental_implements="embedding_matmul", autograph=False)
    def embedding_matmul(table, ids):
        return tf.gather(table, ids)

    return embedding_matmul(tf.constant(_value(layer.embeddings)), tf.reshape(ids, [-1]))


def _block(block: SqueezeBertBlock, x, attended, bias):
    """One encoder block on x, [1, 1, Q, H], whose queries attend to `attended`, [1, 1, S, H]."""
    size = block.config.hidden_size
    heads = block.config.num_attention_heads
    attention = block.attention

    def split(y):
        return tf.transpose(tf.reshape(y, [1, -1, heads, size // heads]), [0, 2, 1, 3])

    query = split(_convolution(attention.query, x, scale=math.sqrt(heads / size)))  # [1, N, Q, D]
    key = split(_convolution(attention.key, attended))  # [1, N, S, D]
    value = split(_convolution(attention.value, attended))
    probs = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)  # [1, N, Q, S]
    context = tf.transpose(tf.matmul(probs, value), [0, 2, 1, 3])  # [1, Q, N, D]
    context = _convolution(block.post_attention, tf.reshape(context, [1, 1, -1, size]))
    x = _layer_norm(block.post_attention_norm, x + context)
    hidden = _ACTIVATIONS[block.config.hidden_act](_convolution(block.intermediate, x))
    return _layer_norm(block.projection_norm, x + _convolution(block.projection, hidden))


def _convolution(layer: GroupedConv1D, x, scale: float = 1.0):
    """[1, 1, S, C] to [1, 1, S, F], optionally scaled."""
    kernel = _value(layer.kernel) * scale  # [g, C/g, F/g]
    # CONV_2D's filter has the outputs of all groups side by side: [1, 1, C/g, F].
    filters = np.concatenate(list(kernel), axis=-1)[None, None]
    return tf.nn.conv2d(x, filters, 1, "VALID") + _value(layer.bias) * scale


def _dense(layer, x, activation=None):
    x = tf.matmul(x, _value(layer.kernel)) + _value(layer.bias)
    return x if activation is None else activation(x)


def _layer_norm(layer, x):
    mean = tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1, keepdims=True)
    normal = (x - mean) * tf.math.rsqrt(variance + layer.epsilon)
    return normal * _value(layer.gamma) + _value(layer.beta)


def _value(variable) -> np.ndarray:
    with tf.init_scope():  # out of the graph under construction, where variables have values
        return np.asarray(keras.ops.convert_to_numpy(variable)).astype("float32")

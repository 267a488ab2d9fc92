"""The graph that runs on the device: a pure function of a model's config and trained weights.

It computes what the Keras model computes, written for LiteRT and XNNPACK instead of for training:

- grouped projections are grouped CONV_2D on [1, 1, S, C], the layout that the whole graph keeps,
  so that nothing but the embedding lookups leaves the delegate;
- word and segment embeddings are EMBEDDING_LOOKUP on flat ids, which quantization reaches (it
  leaves the table of a GATHER in float);
- query, key and value are one CONV_2D where their groups are equal, as they nearly always are;
- the attention scale is folded into the query weights;
- where only the first position is asked for, the last block computes that one alone;
- the masked LM's output matrix is the word embedding table itself, stored once.

Shapes: S sequence length, H hidden_size, N heads, D = H / N, V vocab_size, and Q the positions
that attend: all S, or the first alone. Batch is 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from ..layers import GroupedConv1D, SqueezeBertBlock, SqueezeBertSelfAttention
from ..models import (
    SqueezeBertForMaskedLM,
    SqueezeBertForMultipleChoice,
    SqueezeBertForQuestionAnswering,
    SqueezeBertForSequenceClassification,
    SqueezeBertForTokenClassification,
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
        model: a `SqueezeBertModel`, or one of its five heads.
    """

    def __init__(self, model: SqueezeBertPreTrainedModel):
        super().__init__()
        heads = {
            SqueezeBertModel: self._embed,
            SqueezeBertForSequenceClassification: self._classify,
            SqueezeBertForMultipleChoice: self._classify,
            SqueezeBertForTokenClassification: self._tag,
            SqueezeBertForQuestionAnswering: self._answer,
            SqueezeBertForMaskedLM: self._fill_masks,
        }
        run = next(head for kind, head in heads.items() if isinstance(model, kind))
        # In a partial: an attribute, a whole Keras model, would be saved along.
        self._run = functools.partial(run, model)
        self._config = model.config
        # By layer and name. As constants they would be copied from one form of the graph to the
        # next, and conversion take five times as long.
        self._weights: dict[str, tf.Variable] = {}

    def function(
        self, length: int | None = None, target: str = "cpu"
    ) -> tf.types.experimental.ConcreteFunction:
        """The graph as a TensorFlow function.

        Args:
            length: S, or None to leave it free.
            target: "cpu", or "mediapipe", whose tasks want one finished output.

        Returns:
            A function of int32 `input_ids`, `attention_mask` and `token_type_ids`, [1, S], that
            returns a dict of the Keras model's outputs for this one text. Of multiple choice, the
            text is one choice, and `logits`, [1, 1], its score. For MediaPipe, `probability`,
            [1, num_labels], in place of a classifier's logits, and `embedding`, [1, H], in place of
            the bare model's outputs.
        """
        names = ("input_ids", "attention_mask", "token_type_ids")
        signature = [tf.TensorSpec([1, length], tf.int32, name=name) for name in names]
        run = self._run if target == "cpu" else functools.partial(self._run_task, length is None)
        function = tf.function(run, input_signature=signature, autograph=False)
        return function.get_concrete_function()

    def _run_task(self, clips: bool, *inputs):
        """What MediaPipe leaves to the file: to shorten texts, and to finish the output."""
        if clips:  # the first tokens and the closing [SEP], as a tokenizer's truncation does
            most = self._config.max_position_embeddings - 1
            inputs = [tf.concat([x[:, :-1][:, :most], x[:, -1:]], axis=1) for x in inputs]
        outputs = self._run(*inputs)
        if "logits" in outputs:
            several = self._config.task_problem_type == "multi_label_classification"
            finish = tf.sigmoid if several else tf.nn.softmax
            return {"probability": finish(outputs["logits"])}
        if "last_hidden_state" in outputs:
            mask = tf.expand_dims(tf.cast(inputs[1], tf.float32), 1)  # [1, 1, S]
            total = tf.matmul(mask, outputs["last_hidden_state"])  # [1, 1, H]
            total = tf.reshape(total, [1, self._config.hidden_size])
            return {"embedding": tf.nn.l2_normalize(total, axis=-1)}
        return outputs

    # Heads

    def _embed(self, model, *inputs):
        hidden = self._encode(model, inputs)
        pooled = self._pool(model, self._first(hidden))
        return {"last_hidden_state": self._by_position(hidden), "pooler_output": pooled}

    def _classify(self, model, *inputs):
        first = self._encode(model.transformer, inputs, first_alone=True)
        return {"logits": self._dense(model.classifier, self._pool(model.transformer, first))}

    def _tag(self, model, *inputs):
        hidden = self._encode(model.transformer, inputs)
        return {"logits": self._by_position(self._dense(model.classifier, hidden))}

    def _answer(self, model, *inputs):
        logits = self._dense(model.classifier, self._encode(model.transformer, inputs))
        start, end = tf.split(logits, logits.shape[-1], axis=-1)[:2]  # [S, 1]
        start, end = (tf.reshape(side, [1, -1]) for side in (start, end))
        return {"start_logits": start, "end_logits": end}

    def _fill_masks(self, model, *inputs):
        head, words = model.head, model.transformer.embeddings.word_embeddings
        x = self._activation(head, self._dense(head.dense, self._encode(model.transformer, inputs)))
        # By position, for the converter multiplies gamma into a matrix that directly follows, and
        # the table would be two.
        x = self._layer_norm(head.layer_norm, self._by_position(x))  # [1, S, H]
        x = tf.reshape(x, [-1, model.config.hidden_size])
        logits = tf.matmul(x, self._weight("embeddings", words), transpose_b=True)  # [S, V]
        return {"logits": self._by_position(logits + self._weight("bias", head))}

    def _pool(self, transformer: SqueezeBertModel, first):
        """[1, 1, 1, H] to [1, H]."""
        return tf.tanh(self._dense(transformer.pooler, first))

    def _first(self, x):
        """[1, 1, S, H] to [1, 1, 1, H]."""
        return tf.slice(x, [0, 0, 0, 0], [1, 1, 1, x.shape[-1]])

    def _by_position(self, x):
        """[..., S, F] to [1, S, F]."""
        return tf.reshape(x, [1, -1, x.shape[-1]])

    # The encoder

    def _encode(self, transformer: SqueezeBertModel, inputs, first_alone: bool = False):
        """The last hidden states, [1, 1, S, H], or the first position's alone, [1, 1, 1, H]."""
        x, bias = self._inputs(transformer, *inputs)
        *blocks, last = transformer.blocks
        for block in blocks:
            x = self._block(block, x, bias)
        return self._block(last, x, bias, first_alone)

    def _inputs(self, transformer: SqueezeBertModel, input_ids, attention_mask, token_type_ids):
        """The embeddings, [1, 1, S, H], and what is added to attention scores, [1, 1, 1, S]."""
        layer = transformer.embeddings
        words = self._lookup(layer.word_embeddings, input_ids)  # [S, H]
        types = self._lookup(layer.token_type_embeddings, token_type_ids)
        positions = self._weight("embeddings", layer.position_embeddings)
        x = words + positions[: tf.shape(input_ids)[1]] + types
        x = tf.reshape(x, [1, 1, -1, transformer.config.hidden_size])
        mask = tf.reshape(tf.cast(attention_mask, tf.float32), [1, 1, 1, -1])
        return self._layer_norm(layer.layer_norm, x), (1.0 - mask) * _MASKED

    def _lookup(self, layer, ids):
        # The converter makes an EMBEDDING_LOOKUP of a function with this name and signature.
        @tf.function(experimental_implements="embedding_matmul", autograph=False)
        def embedding_matmul(table, ids):
            return tf.gather(table, ids)

        return embedding_matmul(self._weight("embeddings", layer), tf.reshape(ids, [-1]))

    def _block(self, block: SqueezeBertBlock, x, bias, first_alone: bool = False):
        """[1, 1, S, H] to [1, 1, Q, H]."""
        context = self._attend(block.attention, x, bias, first_alone)
        x = self._first(x) if first_alone else x
        context = self._convolution(context, block.post_attention)
        x = self._layer_norm(block.post_attention_norm, x + context)
        hidden = self._convolution(x, block.intermediate)  # [1, 1, Q, intermediate_size]
        hidden = self._convolution(self._activation(block, hidden), block.projection)
        return self._layer_norm(block.projection_norm, x + hidden)

    def _attend(self, attention: SqueezeBertSelfAttention, x, bias, first_alone: bool):
        """[1, 1, S, H] to the context, [1, 1, Q, H]."""
        size, heads = attention.config.hidden_size, attention.config.num_attention_heads
        scale = math.sqrt(heads / size)
        query, key, value = attention.query, attention.key, attention.value
        if first_alone:
            query = self._convolution(self._first(x), query, scale=scale)
            projections = [query, *self._convolutions(x, key, value)]
        else:
            projections = self._convolutions(x, query, key, value, scale=scale)
        query, key, value = (  # [1, N, Q or S, D]
            tf.transpose(tf.reshape(y, [1, -1, heads, size // heads]), [0, 2, 1, 3])
            for y in projections
        )
        probs = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)  # [1, N, Q, S]
        context = tf.transpose(tf.matmul(probs, value), [0, 2, 1, 3])  # [1, Q, N, D]
        return tf.reshape(context, [1, 1, -1, size])

    # Layers

    def _convolutions(self, x, *layers: GroupedConv1D, scale: float = 1.0) -> list:
        """The results of several layers on the same x, the first one's scaled.

        x is [1, 1, S, C]; the results hold S times F numbers in order, whatever their shape.
        """
        groups = layers[0].groups
        if any(layer.groups != groups for layer in layers):
            scales = [scale] + [1.0] * (len(layers) - 1)
            return [self._convolution(x, y, scale=s) for y, s in zip(layers, scales, strict=True)]
        y = self._convolution(x, *layers, scale=scale)
        y = tf.reshape(y, [1, -1, groups, y.shape[-1] // groups])  # [1, S, g, layers * F/g]
        return tf.split(y, len(layers), axis=-1)

    def _convolution(self, x, *layers: GroupedConv1D, scale: float = 1.0):
        """[1, 1, S, C] to [1, 1, S, layers * F] for layers of equal groups, the first one scaled.

        A group's outputs stand together: its F/g of the first layer, of the second and so on.
        """

        def fuse(first, *others):  # [g, ..., F/g] each, to [..., layers * F]
            fused = np.concatenate([first * scale, *others], axis=-1)
            return np.concatenate(list(fused), axis=-1)

        def filters(*kernels):  # [g, C/g, F/g] each
            return fuse(*kernels)[None, None]

        def biases(*biases):  # [F] each
            return fuse(*(bias.reshape(layers[0].groups, -1) for bias in biases))

        x = tf.nn.conv2d(x, self._weight("kernel", *layers, transform=filters), 1, "VALID")
        return x + self._weight("bias", *layers, transform=biases)

    def _dense(self, layer, x):
        """[..., S, C] to [S, F]."""
        x = tf.reshape(x, [-1, x.shape[-1]])
        return tf.matmul(x, self._weight("kernel", layer)) + self._weight("bias", layer)

    def _activation(self, layer, x):
        return _ACTIVATIONS[layer.config.hidden_act](x)

    def _layer_norm(self, layer, x):
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1, keepdims=True)
        normal = (x - mean) * tf.math.rsqrt(variance + layer.epsilon)
        return normal * self._weight("gamma", layer) + self._weight("beta", layer)

    def _weight(self, name: str, *layers, transform: Callable = lambda value: value):
        """The weight of that name; of several layers, what `transform` makes of theirs."""
        key = ".".join([name, *(str(id(layer)) for layer in layers)])
        if key not in self._weights:
            with tf.init_scope():  # out of the graph under construction
                values = (keras.ops.convert_to_numpy(getattr(layer, name)) for layer in layers)
                value = transform(*(np.asarray(value, np.float32) for value in values))
                self._weights[key] = tf.Variable(value, trainable=False)
        return tf.convert_to_tensor(self._weights[key])

"""The graph that runs on the device: a pure function of a model's config and trained weights.

It computes the same as the Keras model, but is written for LiteRT's delegates, not for training:

- grouped projections are one FULLY_CONNECTED per group, or one grouped CONV_2D: in float the first
  is faster on x86-64, with the same number of instructions on ARM; in int8 the second is faster,
  since it quantizes its input once, but GPUs compute it incorrectly;
- all tensors are [B, 1, S, C]; only the embedding lookups are not taken by the delegate;
- word and segment embeddings are EMBEDDING_LOOKUP on flat ids, which can be quantized (the table
  of a GATHER would stay in float);
- query, key and value are one projection if their groups are equal, as they nearly always are;
- the attention scale is folded into the query weights, and the norms' betas into the biases of what
  reads their results (`betas`);
- for GPUs, attention is written without what their delegates were found to compute incorrectly
  (`known_faults`): the mask is a channel of query and key, and keys are transposed beforehand;
- if only the first position is needed, the last block computes only that one, and applies the
  matrices of key and value to its query and to its sum instead of to all positions;
- the masked LM's output matrix is the word embedding table itself, stored once.

Shapes: B batch, S sequence length, H hidden_size, E embedding_size, N heads of the layer, D
channels of a head, A = N * D, V vocab_size, and Q the positions that attend: all S, or only the
first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from ..config import ACTIVATIONS
from ..inputs import INPUTS
from ..layers import GroupedConv1D, SqueezeBertBlock, SqueezeBertSelfAttention
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel, transformer_of
from .betas import fold_betas
from .quantization import TABLE_PRODUCT

ACTIVATION_FUNCTIONS = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "relu": tf.nn.relu,
    "silu": tf.nn.silu,
    "tanh": tf.tanh,
}
# Added to the scores of masked positions: exp(-1e4) is 0, and 1e4 fits into half precision.
_MASKED = -1e4
_CHANNELS = 4  # GPUs store channels in groups of four


class DeployedGraph(tf.Module):
    """The deployed graph of a model.

    Args:
        model: a `SqueezeBertModel`, or a model with one of the five heads.
        batch: B, or None to leave it free.
        split: whether grouped projections are one FULLY_CONNECTED per group.
        half_precision: whether norms must stay within the range of float16: squares overflow it at
            a magnitude of 256, and processors take those of numbers below 1/128 for 0. What is
            normed is brought to 1/16 first, by its usual size, which the weights tell.
        for_gpu: whether attention must be right on GPUs; for fixed shapes.
        convolutions: whether the recipe stores the weights of convolutions as well.
        finish: whether to do what MediaPipe's tasks leave to the file: truncate texts that are too
            long, and turn a classifier's logits into scores.
        pooling: for the bare model, None; or "mean" or "cls" for sentence embeddings.
        normalize: whether these are scaled to length 1.
    """

    def __init__(
        self,
        model: SqueezeBertPreTrainedModel,
        *,
        batch: int | None = 1,
        split: bool = False,
        half_precision: bool = False,
        for_gpu: bool = False,
        convolutions: bool = True,
        finish: bool = False,
        pooling: str | None = None,
        normalize: bool = True,
    ):
        super().__init__()
        run = {
            "feature-extraction": self._represent if pooling is None else self._embed,
            "text-classification": self._classify,
            "multiple-choice": self._classify,
            "token-classification": self._tag,
            "question-answering": self._answer,
            "fill-mask": self._fill_masks,
        }[model.task.kind]
        # Kept in a partial: a Keras model in an attribute would be saved with the graph.
        self._run = functools.partial(run, model)
        self._config, self._scores = model.config, model.task.activation
        self._batch = batch
        self._length: int | None = None  # of the function that is being made
        self._by_groups, self._finish = split, finish
        self._pooling, self._normalize = pooling, normalize
        self._for_gpu, self._convolutions = for_gpu, convolutions
        self._half_precision = half_precision
        self._biases = fold_betas(transformer_of(model))  # by the layer's id
        # By layer and name. As constants they would be copied from one form of the graph to the
        # next, and conversion would take five times as long.
        self._weights: dict[str, tf.Variable] = {}

    def function(self, length: int | None = None) -> tf.types.experimental.ConcreteFunction:
        """The graph as a TensorFlow function; those of several lengths share their weights.

        Args:
            length: S, or None to leave it free.

        Returns:
            A function of int32 `input_ids`, `attention_mask` and `token_type_ids`, [B, S], that
            returns a dict of the Keras model's outputs. For multiple choice, a row is one choice,
            and `logits`, [B, 1], its score. With `pooling` the bare model returns `embedding`,
            [B, H]; with `finish` a classifier returns `probability`, [B, num_labels].
        """
        self._length = length
        shape = [self._batch, length]
        signature = [tf.TensorSpec(shape, tf.int32, name=name) for name in INPUTS]
        function = tf.function(self._call, input_signature=signature, autograph=False)
        return function.get_concrete_function()

    def _call(self, *inputs):
        if self._finish and self._length is None:
            # Keeps the first tokens and the final [SEP], as a tokenizer's truncation does.
            most = self._config.max_position_embeddings - 1
            inputs = [tf.concat([x[:, :-1][:, :most], x[:, -1:]], axis=1) for x in inputs]
        if self._is_free:
            self._sizes = tuple(tf.unstack(tf.shape(inputs[0])))
        else:
            self._sizes = self._batch or -1, self._length or -1  # as tf.reshape wants them
        outputs = self._run(*inputs)
        if self._finish and "logits" in outputs:
            finish = {"softmax": tf.nn.softmax, "sigmoid": tf.sigmoid}[self._scores]
            return {"probability": finish(outputs["logits"])}
        return outputs

    @property
    def _is_free(self) -> bool:
        """Whether both B and S are free: a reshape can infer only one of them."""
        return self._batch is None and self._length is None

    # Heads

    def _represent(self, model, *inputs):
        hidden = self._encode(model, inputs)
        outputs = {"last_hidden_state": self._by_position(hidden)}
        if model.pooler is not None:
            outputs["pooler_output"] = self._by_text(self._pool(model, self._first(hidden)))
        return outputs

    def _embed(self, model, *inputs):
        if self._pooling == "cls":
            total = self._encode(model, inputs, first_alone=True)
        else:
            mask = self._mask(inputs[1])
            mask /= tf.reduce_sum(mask, axis=-1, keepdims=True)
            total = tf.matmul(mask, self._encode(model, inputs))  # [B, 1, 1, H]
        total = self._by_text(total)
        if not self._normalize:
            return {"embedding": total}
        if self._half_precision:  # to a quarter: means of positions have no large numbers
            total *= 4 * self._to_a_sixteenth(_usual_size(model.blocks[-1].projection_norm))
        # Not tf.nn.l2_normalize, because GPU delegates refuse its operation.
        square = tf.reduce_sum(tf.square(total), axis=-1, keepdims=True)
        return {"embedding": total * tf.math.rsqrt(tf.maximum(square, 1e-12))}

    def _classify(self, model, *inputs):
        first = self._encode(model.transformer, inputs, first_alone=True)
        logits = self._dense(model.classifier, self._pool(model.transformer, first))
        return {"logits": self._by_text(logits)}

    def _tag(self, model, *inputs):
        hidden = self._encode(model.transformer, inputs)
        return {"logits": self._by_position(self._dense(model.classifier, hidden))}

    def _answer(self, model, *inputs):
        logits = self._dense(model.classifier, self._encode(model.transformer, inputs))
        start, end = tf.split(logits, logits.shape[-1], axis=-1)[:2]  # [B, 1, S, 1]
        start, end = (tf.reshape(side, self._sizes) for side in (start, end))
        return {"start_logits": start, "end_logits": end}

    def _fill_masks(self, model, *inputs):
        head, words = model.head, model.transformer.embeddings.word_embeddings
        act = self._config.lm_head_act or self._config.hidden_act
        x = _activation(act)(self._dense(head.dense, self._encode(model.transformer, inputs)))
        hidden = _usual_size(model.transformer.blocks[-1].projection_norm)
        kernel = head.dense.kernel
        size = hidden * math.sqrt(kernel.shape[0]) * _rms(kernel) / 2  # the activation halves it
        # Otherwise the converter multiplies gamma into the table, and stores the table twice.
        x = self._layer_norm(head.layer_norm, x, size, foldable=False)
        x += self._weight("beta", head.layer_norm)  # [B, 1, S, E]
        with tf.name_scope(TABLE_PRODUCT):
            logits = tf.matmul(x, self._weight("embeddings", words), transpose_b=True)
            logits += self._weight("bias", head)
        return {"logits": self._by_position(logits)}

    def _pool(self, transformer: SqueezeBertModel, first):
        """[B, 1, 1, H] to [B, 1, 1, H]."""
        return _activation(self._config.pooler_act)(self._dense(transformer.pooler, first))

    def _first(self, x):
        """[B, 1, S, H] to [B, 1, 1, H]."""
        return tf.slice(x, [0, 0, 0, 0], [self._batch or -1, 1, 1, x.shape[-1]])

    # Results are reshaped last: before, GPU delegates want four axes, with B as the first one.

    def _by_text(self, x):
        """[B, 1, 1, F] to [B, F]."""
        return tf.reshape(x, [-1, x.shape[-1]])

    def _by_position(self, x):
        """[B, 1, S, F] to [B, S, F]."""
        return tf.reshape(x, [*self._sizes, x.shape[-1]])

    # The encoder

    def _encode(self, transformer: SqueezeBertModel, inputs, first_alone: bool = False):
        """The last hidden states, [B, 1, S, H], or only the first position's, [B, 1, 1, H]."""
        input_ids, attention_mask, token_type_ids = inputs
        x, size = self._embed_all(transformer, input_ids, token_type_ids)
        bias = (1.0 - self._mask(attention_mask)) * _MASKED
        heads = [block.sizes.num_attention_heads for block in transformer.blocks]
        biases = dict.fromkeys(heads, bias)
        if self._for_gpu:
            biases = {count: self._as_channels(bias, count) for count in biases}
        for i, (block, count) in enumerate(zip(transformer.blocks, heads, strict=True)):
            is_last = i == len(heads) - 1
            x = self._block(block, x, biases[count], size, first_alone and is_last)
            size = _usual_size(block.projection_norm)
        return x + self._weight("beta", transformer.blocks[-1].projection_norm)

    def _mask(self, attention_mask):
        """[B, S] integers to [B, 1, 1, S] floats."""
        batch, length = self._sizes
        return tf.reshape(tf.cast(attention_mask, tf.float32), [batch, 1, 1, length])

    def _embed_all(self, transformer: SqueezeBertModel, input_ids, token_type_ids):
        """The embeddings, [B, 1, S, H], and the usual size of their numbers.

        Unless they are projected, they lack the beta of their norm, as do the results of blocks.
        """
        layer, offset = transformer.embeddings, self._config.position_offset
        batch, length = self._sizes
        x = self._lookup(layer.word_embeddings, input_ids)  # [B * S, E]
        if layer.token_type_embeddings is not None:
            x += self._lookup(layer.token_type_embeddings, token_type_ids)
        # Positions have a separate axis: GPU delegates would add row 0 of an [S, E] tensor to all,
        # and the converter turns [1, S, E] into one.
        x = tf.reshape(x, [batch, length, 1, x.shape[-1]])
        positions = self._weight(
            "embeddings", layer.position_embeddings, transform=lambda rows: rows[offset:]
        )
        positions = positions[: tf.shape(input_ids)[1]]
        x += tf.reshape(positions, [1, -1, 1, positions.shape[-1]])
        x = tf.reshape(x, [batch, 1, length, positions.shape[-1]])
        size = math.hypot(*(_rms(table.embeddings) for table in layer.tables))
        x, size = self._layer_norm(layer.layer_norm, x, size), _usual_size(layer.layer_norm)
        if layer.projection is None:
            return x, size
        kernel = layer.projection.kernel
        return self._dense(layer.projection, x), size * math.sqrt(kernel.shape[0]) * _rms(kernel)

    def _lookup(self, layer, ids):
        # The converter turns a function of this name and signature into an EMBEDDING_LOOKUP.
        @tf.function(experimental_implements="embedding_matmul", autograph=False)
        def embedding_matmul(table, ids):
            return tf.gather(table, ids)

        return embedding_matmul(self._weight("embeddings", layer), tf.reshape(ids, [-1]))

    def _block(self, block: SqueezeBertBlock, x, bias, size: float, first_alone: bool = False):
        """[B, 1, S, H], whose numbers are usually of that size, to [B, 1, Q, H]."""
        context = self._attend(block.attention, x, bias, first_alone)
        x = self._first(x) if first_alone else x
        context = self._project(context, block.post_attention)
        x = self._layer_norm(block.post_attention_norm, x + context, size)
        hidden = self._feed_forward(block, x)
        size = _usual_size(block.post_attention_norm)
        return self._layer_norm(block.projection_norm, x + hidden, size)

    def _feed_forward(self, block: SqueezeBertBlock, x):
        """[B, 1, Q, H] to [B, 1, Q, H]."""
        up, down, act = block.intermediate, block.projection, _activation(self._config.hidden_act)
        if not self._by_groups or up.groups != down.groups:
            hidden = act(self._project(x, up))  # [B, 1, Q, intermediate_size]
            return self._project(hidden, down)
        results = []  # the groups stay separate between the two projections
        for i, part in enumerate(_parts(x, up.groups)):
            hidden = act(self._project_group(i, part, up))
            results.append(self._project_group(i, hidden, down))
        return _join(results)

    def _attend(self, attention: SqueezeBertSelfAttention, x, bias, first_alone: bool):
        """[B, 1, S, H] to the context, [B, 1, Q, A]."""
        if first_alone and self._spares_keys(attention):
            return self._attend_first(attention, x, bias)
        heads, size = attention.sizes.num_attention_heads, attention.sizes.head_size
        scale = math.sqrt(1 / size)
        query, key, value = attention.query, attention.key, attention.value
        if first_alone:
            query = self._project(self._first(x), query, scale=scale)
            projections = [query, *self._projections(x, key, value)]
        else:
            projections = self._projections(x, query, key, value, scale=scale)
        query, key, value = projections
        query = self._split(query, heads, size, first_alone)  # [B, N, Q, D]
        if self._for_gpu:
            scores = self._scores_on_gpu(query, key, bias)
        else:
            scores = tf.matmul(query, self._split(key, heads, size), transpose_b=True) + bias
        context = tf.matmul(tf.nn.softmax(scores), self._split(value, heads, size))  # [B, N, Q, D]
        return self._merge_heads(context, first_alone)

    def _spares_keys(self, attention: SqueezeBertSelfAttention) -> bool:
        """Whether `_attend_first` can be used: the weights of a head lie within a group."""
        if self._for_gpu or not self._convolutions:
            return False
        heads = attention.sizes.num_attention_heads
        return not (heads % attention.key.groups or heads % attention.value.groups)

    def _attend_first(self, attention: SqueezeBertSelfAttention, x, bias):
        """[B, 1, S, H] to the context of the first position, [B, 1, 1, A].

        It needs no keys and values: a score, q (W x + b), is (W^T q) x and a number that all
        positions share, which softmax ignores; and the context, of probabilities p whose sum is 1,
        is sum(p (W x + b)) = W sum(p x) + b. Here g is the number of groups of key or value, and
        C = H / g.
        """
        query, key, value = attention.query, attention.key, attention.value
        (batch, length), heads = self._sizes, attention.sizes.num_attention_heads
        scale = math.sqrt(1 / attention.sizes.head_size)
        query = self._project(self._first(x), query, scale=scale)  # [B, 1, 1, A]
        query = self._times_heads(query, key, heads, transpose=True)  # [B, 1, 1, N * C]
        of_key, of_value = (self._config.hidden_size // layer.groups for layer in (key, value))
        query = tf.reshape(query, [batch, key.groups, heads // key.groups, of_key])
        scores = tf.matmul(query, self._split(x, key.groups, of_key), transpose_b=True) + bias
        if key.groups != value.groups:
            scores = tf.reshape(scores, [batch, value.groups, heads // value.groups, length])
        probs = tf.nn.softmax(scores)  # [B, g, N/g, S]
        total = tf.matmul(probs, self._split(x, value.groups, of_value))  # [B, g, N/g, C]
        total = tf.reshape(total, [batch, 1, 1, heads * of_value])
        return self._times_heads(total, value, heads) + self._weight("bias", value)

    def _times_heads(self, x, layer: GroupedConv1D, heads: int, transpose: bool = False):
        """[B, 1, 1, N * C] to [B, 1, 1, N * D]: each head's part times its part of the kernel; or,
        with the transposed kernel, the other way round."""

        def filters(kernel):  # [g, C, A/g]
            groups, channels, _ = kernel.shape
            parts = kernel.reshape(groups, channels, heads // groups, -1).swapaxes(1, 2)
            parts = parts.reshape(heads, channels, -1)  # [N, C, D]
            parts = parts.swapaxes(1, 2) if transpose else parts
            return np.concatenate(list(parts), axis=-1)[None, None]

        weight = self._weight("kernel", layer, transform=filters, part="heads")
        return tf.nn.conv2d(x, weight, 1, "VALID")

    def _scores_on_gpu(self, query, key, mask):
        """[B, N, Q, D], [B, 1, S, A] and the mask's channels, [B, N, 4, S], to [B, N, Q, S]."""
        batch, heads, length, size = query.shape
        ones = np.zeros((batch, heads, length, _CHANNELS), np.float32)
        ones[..., 0] = 1  # the mask's first channel counts, once
        key = tf.transpose(self._by_part(key, heads, size), [0, 2, 3, 1])  # [B, N, D, S]
        return tf.matmul(tf.concat([query, ones], axis=-1), tf.concat([key, mask], axis=2))

    def _as_channels(self, bias, heads: int):
        """A mask, [B, 1, 1, S], as 4 channels of each head's keys, [B, N, 4, S]."""
        channels = tf.concat([bias] * _CHANNELS, axis=2)
        return _join([channels] * heads, axis=1)

    def _split(self, x, count: int, size: int, first_alone: bool = False):
        """[B, 1, Q, count * size] to [B, count, Q, size]."""
        if self._is_free:
            return _join(_parts(x, count), axis=1)
        if count == 1 and x.shape[1] == 1:  # not so if the projection was one of several
            return x
        return tf.transpose(self._by_part(x, count, size, first_alone), [0, 2, 1, 3])

    def _by_part(self, x, count: int, size: int, first_alone: bool = False):
        """[B, 1, Q, count * size] to [B, Q, count, size]."""
        batch, length = self._sizes
        return tf.reshape(x, [batch, 1 if first_alone else length, count, size])

    def _merge_heads(self, x, first_alone: bool):
        """[B, N, Q, D] to [B, 1, Q, A]."""
        _, heads, _, size = x.shape
        if self._is_free:
            return _join(_parts(x, heads, axis=1))
        batch, length = self._sizes
        x = tf.transpose(x, [0, 2, 1, 3])
        return tf.reshape(x, [batch, 1, 1 if first_alone else length, heads * size])

    # Layers

    def _project(self, x, layer: GroupedConv1D, scale: float = 1.0):
        """[B, 1, S, C] to [B, 1, S, F]."""
        return self._projections(x, layer, scale=scale)[0]

    def _projections(self, x, *layers: GroupedConv1D, scale: float = 1.0) -> list:
        """The results of several layers on the same x; only the first one's is scaled.

        Each has its numbers in the order of [B, 1, S, F], whatever its shape.
        """
        several = len(layers) > 1
        if several and (self._is_free or any(y.groups != layers[0].groups for y in layers)):
            first, *others = layers
            return [self._project(x, first, scale), *(self._project(x, y) for y in others)]
        if self._by_groups:
            return self._by_group(x, layers, scale)
        y = self._convolution(x, layers, scale)
        if several:
            groups = layers[0].groups
            y = tf.reshape(y, [1, -1, groups, y.shape[-1] // groups])  # [1, B * S, g, layers * F/g]
        return _parts(y, len(layers))

    def _convolution(self, x, layers: Sequence[GroupedConv1D], scale: float):
        """[B, 1, S, C] to [B, 1, S, layers * F]: a group's outputs are contiguous."""

        def fuse(first, *others):  # [g, ..., F/g] each, to [..., layers * F]
            fused = np.concatenate([first * scale, *others], axis=-1)
            return np.concatenate(list(fused), axis=-1)

        def filters(*kernels):  # [g, C/g, F/g] each
            return fuse(*kernels)[None, None]

        def biases(*biases):  # [F] each
            return fuse(*(bias.reshape(layers[0].groups, -1) for bias in biases))

        x = tf.nn.conv2d(x, self._weight("kernel", *layers, transform=filters), 1, "VALID")
        return x + self._weight("bias", *layers, transform=biases)

    def _by_group(self, x, layers: Sequence[GroupedConv1D], scale: float) -> list:
        """[B, 1, S, C] to a [B, 1, S, F] for each layer."""
        parts = _parts(x, layers[0].groups)
        results = [self._project_group(i, y, *layers, scale=scale) for i, y in enumerate(parts)]
        results = [_parts(y, len(layers)) for y in results]
        return [_join(parts) for parts in zip(*results, strict=True)]

    def _project_group(self, i: int, x, *layers: GroupedConv1D, scale: float = 1.0):
        """Group i of some layers: [B, 1, S, C/g] to [B, 1, S, layers * F/g]."""

        def fuse(first, *others):  # [g, ..., F/g] each, to [..., layers * F/g]
            return np.concatenate([first[i] * scale, *(y[i] for y in others)], axis=-1)

        def biases(*biases):  # [F] each
            return fuse(*(bias.reshape(layers[0].groups, -1) for bias in biases))

        x = tf.matmul(x, self._weight("kernel", *layers, transform=fuse, part=i))
        return x + self._weight("bias", *layers, transform=biases, part=i)

    def _dense(self, layer, x):
        """[..., C] to [..., F]."""
        return tf.matmul(x, self._weight("kernel", layer)) + self._weight("bias", layer)

    def _to_a_sixteenth(self, size: float) -> float:
        """The power of 2 that brings numbers of that size to about 1/16; 1 in full precision."""
        if not self._half_precision:
            return 1.0
        # Not 1, since `inspect` tells by the product that the numbers have been scaled.
        return 2.0 ** -(round(math.log2(16 * max(size, 1e-6))) or 1)

    def _layer_norm(self, layer, x, size: float, foldable: bool = True):
        """The norm of x, whose numbers are usually of that size, but for its beta.

        If `foldable`, its gamma can be folded into a matrix that follows.
        """
        shrink = self._to_a_sixteenth(size)
        if shrink != 1:
            x *= shrink
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axis=-1, keepdims=True)
        scale = tf.math.rsqrt(variance + layer.epsilon * shrink**2)
        gamma = self._weight("gamma", layer)
        return (x - mean) * scale * gamma if foldable else (x - mean) * (scale * gamma)

    def _weight(self, name: str, *layers, transform: Callable = lambda value: value, part=None):
        """The weight of that name; for several layers, `transform` of their weights."""
        key = ".".join([name, *(str(id(layer)) for layer in layers), str(part)])
        if key not in self._weights:
            with tf.init_scope():  # outside of the graph under construction
                value = transform(*(self._value(name, layer) for layer in layers))
                self._weights[key] = tf.Variable(value, trainable=False)
        return tf.convert_to_tensor(self._weights[key])

    def _value(self, name: str, layer) -> np.ndarray:
        if name == "bias" and id(layer) in self._biases:
            return self._biases[id(layer)]
        return np.asarray(keras.ops.convert_to_numpy(getattr(layer, name)), np.float32)


def _activation(name: str) -> Callable:
    """The function of an activation that a config names."""
    return ACTIVATION_FUNCTIONS[ACTIVATIONS[name]]


def _usual_size(norm) -> float:
    """The root mean square of what a norm returns."""
    return math.hypot(_rms(norm.gamma), _rms(norm.beta))


def _rms(weight) -> float:
    with tf.init_scope():  # outside of the graph under construction
        value = np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
    return float(np.sqrt(np.mean(np.square(value))))


# With one part, these would still be operations, which delegates do not take.


def _parts(x, count: int, axis: int = -1) -> list:
    return [x] if count == 1 else tf.split(x, count, axis=axis)


def _join(parts: Sequence, axis: int = -1):
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=axis)

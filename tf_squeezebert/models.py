"""SqueezeBertModel and its five task heads, as Keras models.

Every model takes a dict of tensors, or input_ids alone, and reads these keys. `input_ids` or
`inputs_embeds` is required; the others are optional:

    input_ids       [B, S] int32     token ids
    inputs_embeds   [B, S, E] float  word embeddings, in place of the ids
    attention_mask  [B, S] or [B, S, S]  1 to attend to a position, 0 for padding
    token_type_ids  [B, S] int32     segment of each token; 0 by default
    position_ids    [B, S] int32     0, 1, 2, ... by default, in every family
    head_mask       [N] or [layers, N] float  multiplies each head's attention probabilities; a
                    layer with fewer heads than num_attention_heads takes the first

Ids are of an integer dtype, masks of any. Ids out of range and masks with other values are refused
where the values can be read; in a traced graph, as in `fit` and `predict`, they are not checked.

Multiple choice has one more axis, [B, choices, S]. The models follow the reference
implementation, transformers' PyTorch SqueezeBERT, to float rounding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras
from keras import ops

from . import losses
from .config import SqueezeBertConfig
from .encoding import BatchEncoding
from .families import FAMILIES
from .files import replacing_folder
from .inputs import INPUTS, as_array, as_ids, as_mask, require_integers
from .layers import (
    SqueezeBertBlock,
    SqueezeBertEmbeddings,
    SqueezeBertMaskedLMHead,
    activation,
    dense,
    dropout,
    permute,
    softmax,
)
from .saved_model import write_archive
from .tasks import Task, task_of
from .tokenizer import SqueezeBertTokenizer
from .training.optimization import make_optimizer

INPUT_NAMES = (
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "position_ids",
    "head_mask",
    "inputs_embeds",
)
_Model = TypeVar("_Model", bound="SqueezeBertPreTrainedModel")


class SqueezeBertPreTrainedModel(keras.Model):
    """Base class of the bare model and the heads: checkpoints, `compile()` and `export()`.

    Args:
        config: a `SqueezeBertConfig`, or its `to_dict()`.
        build: whether to make the variables now; otherwise `build()` makes them.
        **kwargs: passed to `keras.Model`: `name`, and `dtype`, a dtype or policy such as
            `"mixed_bfloat16"`.
    """

    def __init__(self, config: SqueezeBertConfig | Mapping, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(config, SqueezeBertConfig):
            config = SqueezeBertConfig.from_dict(dict(config))
        self.config = config
        self._tokenizer: SqueezeBertTokenizer | Exception | None = None
        self._source: str | os.PathLike | None = None  # the folder or file that it was loaded from
        self._find_untrained: Callable[[], list[str]] = list

    def __call__(self, inputs, *args, **kwargs):
        # Checked before Keras takes over, because its errors are many lines long.
        inputs = _checked(named_inputs(inputs), self.config, self._input_rank)
        return super().__call__(inputs, *args, **kwargs)

    def stateless_call(self, trainable_variables, non_trainable_variables, inputs, *args, **kwargs):
        # On JAX, `fit`, `evaluate` and `predict` call this instead of `__call__`.
        inputs = _checked(named_inputs(inputs), self.config, self._input_rank)
        return super().stateless_call(
            trainable_variables, non_trainable_variables, inputs, *args, **kwargs
        )

    # Keras handles plain dicts only, and a tokenizer returns a BatchEncoding.

    def fit(self, x=None, *args, **kwargs):
        """Trains, as `keras.Model.fit` does; x may be a tokenizer's output."""
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple):
            kwargs["validation_data"] = (_plain(validation[0]), *validation[1:])
        return super().fit(_plain(x), *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """Evaluates, as `keras.Model.evaluate` does; x may be a tokenizer's output."""
        return super().evaluate(_plain(x), *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """Computes outputs, as `keras.Model.predict` does; x may be a tokenizer's output."""
        return super().predict(_plain(x), *args, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Trains on a batch, as in `keras.Model`; x may be a tokenizer's output."""
        return super().train_on_batch(_plain(x), *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Evaluates on a batch, as in `keras.Model`; x may be a tokenizer's output."""
        return super().test_on_batch(_plain(x), *args, **kwargs)

    def predict_on_batch(self, x):
        """Computes a batch's outputs, as in `keras.Model`; x may be a tokenizer's output."""
        return super().predict_on_batch(_plain(x))

    # Checkpoints

    @classmethod
    def from_pretrained(cls: type[_Model], path_or_id: str | os.PathLike, **options: Any) -> _Model:
        """Loads a published PyTorch checkpoint, or a folder that `save_pretrained` wrote.

        See `tf_squeezebert.convert.load_checkpoint` for the options (`revision`, `cache_dir`,
        `local_files_only`, `ignore_mismatched_sizes`, `output_loading_info`, `dtype`, and any
        argument of `SqueezeBertConfig`), the formats, and the errors.
        """
        from .convert import load_checkpoint

        return load_checkpoint(cls, path_or_id, **options)

    def save_pretrained(self, directory: str | os.PathLike) -> None:
        """Writes config.json, model.safetensors and the tokenizer's files; all of them or none.

        transformers' PyTorch SqueezeBERT loads the folder, as does `from_pretrained`. Files of
        another model in the folder are replaced, and its tokenizer's files are removed if this
        model has no tokenizer.
        """
        from .convert import save_checkpoint

        save_checkpoint(self, directory)

    @property
    def architecture(self) -> str:
        """Name of the class of this package that the model is an instance of."""
        return next(cls.__name__ for cls in type(self).__mro__ if cls.__module__ == __name__)

    @property
    def task(self) -> Task:
        """The model's task; see `tf_squeezebert.tasks`."""
        return task_of(self.architecture, self.config)

    @property
    def tokenizer(self) -> SqueezeBertTokenizer | None:
        """The tokenizer that was loaded with the checkpoint, or that was set; None without one.

        Raises:
            ValueError, OSError: the checkpoint's tokenizer can not be read, belongs to another
                model, or is one that this package does not reproduce. (The model itself can be
                used on ids.)
        """
        if isinstance(self._tokenizer, Exception):
            raise self._tokenizer.with_traceback(None)
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: SqueezeBertTokenizer | None) -> None:
        self._tokenizer = tokenizer

    def check_trained(self) -> None:
        """Refuses a model with a matrix that its checkpoint lacked and that was never trained.

        The answers of such a model would be random. `predict`, `evaluate`, the exporters and
        distillation from the model's answers call this.

        Raises:
            ValueError: there is such a matrix; the message names it as a checkpoint does.
        """
        if names := self._find_untrained():
            raise ValueError(
                f"{', '.join(names)} was missing in the checkpoint and has not been trained since, "
                "so the answers would be random: fine-tune the model first, or load a checkpoint "
                "that has this head."
            )

    def mark_trained(self) -> None:
        """Declares all matrices trained; `check_trained` also sees by itself that they changed."""
        self._find_untrained = list

    # Keras

    def get_config(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects=None):
        config = {**config, "dtype": keras.dtype_policies.deserialize(config["dtype"])}
        trainable = config.pop("trainable", True)
        model = cls(**config)
        if not trainable:
            model.trainable = False
        return model

    def compile(
        self, optimizer: Any = "auto", loss: Any = "auto", *, metrics: Any = "auto", **kwargs: Any
    ) -> None:
        """Configures training; each argument left at `"auto"` is the task's default.

        Args:
            optimizer: `"auto"` is AdamW with a learning rate of 5e-5 and a weight decay of 0.01,
                applied to everything except biases and layer norms.
            loss: `"auto"` is the loss of the reference implementation.
            metrics: `"auto"` is the accuracy, or the mean absolute error for regression.
            **kwargs: passed to `keras.Model.compile`. On TensorFlow `jit_compile` is off by
                default: texts differ in length, and XLA compiles again for each length. JAX
                computes operation by operation without it, which is much slower.
        """
        given = {"optimizer": optimizer, "loss": loss, "metrics": metrics}
        default = {"optimizer": default_optimizer, **self._training()}
        if isinstance(loss, str) and loss == "auto":
            kwargs.setdefault("loss_weights", default.get("loss_weights"))
        chosen = {
            name: default[name]() if isinstance(value, str) and value == "auto" else value
            for name, value in given.items()
        }
        jit_compile = False if keras.backend.backend() == "tensorflow" else "auto"
        super().compile(**chosen, **{"jit_compile": jit_compile, **kwargs})
        self._auto_compiled = tuple(name for name in given if chosen[name] is not given[name])

    def _training(self) -> dict[str, Any]:
        """The task's loss, metrics and loss weights; the bare model has none."""
        return {"loss": lambda: None, "metrics": lambda: None}

    # Keras saves what compile() was given, and would lose AdamW's exclusions: save "auto" itself.

    def get_compile_config(self):
        config = super().get_compile_config()
        if config:
            config.update(dict.fromkeys(self._auto_compiled, "auto"))
        return config

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force=False):
        # Without the optimizer's variables, the step would make them, and be traced twice.
        self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(
            x, self._targets(y), self._predictions(y_pred), sample_weight, training=training
        )

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(
            x, self._targets(y), self._predictions(y_pred), sample_weight
        )

    def _targets(self, y):
        return y

    def _predictions(self, y_pred):
        """The part of the outputs that labels are compared with."""
        return y_pred.get("logits", y_pred) if isinstance(y_pred, Mapping) else y_pred

    def export(
        self, filepath: str | os.PathLike, format: str = "tf_saved_model", **kwargs: Any
    ) -> Any:
        """Exports for inference; `format="tf_saved_model"` is TensorFlow Serving's format.

        The SavedModel's `serving_default` takes int32 `input_ids`, `attention_mask` and
        `token_type_ids` of any batch size and length, and returns named outputs (`logits`, ...).

        Args:
            filepath: the folder to write; TensorFlow Serving wants its name to be a number,
                `.../1`.
            format: as in `keras.Model.export`.
            **kwargs: passed to `keras.Model.export`.

        Raises:
            ValueError: `filepath` is a file, or a folder that holds something else.
            OSError: it can not be written; an older SavedModel there stays as it was.
        """
        self.check_trained()
        kwargs.setdefault("input_signature", [self._input_signature()])
        if format != "tf_saved_model":
            return super().export(filepath, format=format, **kwargs)
        signature, verbose = kwargs["input_signature"], kwargs.get("verbose", True)
        archive = keras.export.ExportArchive()
        archive.track(self)
        archive.add_endpoint("serve", self.serving_outputs, input_signature=signature)
        with replacing_folder(filepath, "saved_model.pb") as temporary:
            write_archive(archive, temporary, filepath)
        if verbose:
            print(f"Saved as '{os.fspath(filepath)}'.")
        return None

    def serving_outputs(self, inputs):
        """The outputs by name; tuples over layers are numbered: hidden_states_0, ..."""
        outputs = self(inputs, training=False)
        outputs = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
        numbered = {
            f"{name}_{i}": x
            for name, several in outputs.items()
            if isinstance(several, tuple)
            for i, x in enumerate(several)
        }
        return {**{k: x for k, x in outputs.items() if not isinstance(x, tuple)}, **numbered}

    def _input_signature(self):
        return {
            name: keras.InputSpec(shape=(None,) * self._input_rank, dtype="int32", name=name)
            for name in INPUTS
        }

    # Distillation

    # Attributes of the config that must be equal in the teacher.
    _of_teacher: tuple[str, ...] = ("vocab_size", "id2label")

    def check_teacher(self, teacher: SqueezeBertPreTrainedModel) -> None:
        """Raises a ValueError if the model can not learn from the teacher's answers."""
        if self.architecture != teacher.architecture:
            raise ValueError(
                f"The teacher is a {teacher.architecture} and the student a {self.architecture}: "
                "use a teacher with the student's task."
            )
        for name in self._of_teacher:
            ours, theirs = getattr(self.config, name), getattr(teacher.config, name)
            if ours != theirs:
                raise ValueError(
                    f"The teacher's {name.removeprefix('task_')} is {theirs}, the student's "
                    f"{ours}: use two models for which they are equal."
                )

    def soft_loss(self, taught, got, mask, temperature: float):
        """The distance of the outputs from a teacher's soft labels (Hinton et al., 2015).

        Args:
            taught, got: the teacher's outputs, and this model's.
            mask: the attention mask, [B, S], or None.
            temperature: the number that logits are divided by.
        """
        taught, got = self._predictions(taught), self._predictions(got)
        per_token = len(got.shape) == 3
        return losses.divergence(taught, got, temperature, rows=mask if per_token else None)

    # The order of channels

    def permute_inputs(self, channels) -> None:
        """Reorders the channels of the hidden states that the head reads.

        Args:
            channels: the new order, as indices into the old one, [H].
        """

    uses_pooler = True  # if it has one
    _input_rank = 2
    # The names of the head's layers here, and in checkpoints.
    checkpoint_names: tuple[tuple[str, str], ...] = ()


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertModel(SqueezeBertPreTrainedModel):
    """The bare model: hidden states, without a task's head.

    The call returns a dict of `last_hidden_state`, [B, S, H], and `pooler_output`, [B, H]: the
    first position's state after a dense layer and tanh, which DistilBERT and ELECTRA lack. On
    request also `hidden_states`, a tuple
    of layers + 1 tensors [B, S, H], the embeddings first; `attentions`, a tuple of each layer's
    scores **before** the softmax, as in the reference, with the mask's bias added, [B, N, S, S],
    where N is the number of the layer's heads;
    and `attention_probs`, the same after the softmax.
    """

    def __init__(
        self,
        config: SqueezeBertConfig | Mapping,
        *,
        build: bool = True,
        pooled: bool | None = None,  # whether there is a pooler; by default the config says it
        **kwargs,
    ):
        super().__init__(config, **kwargs)
        config, policy = self.config, self.dtype_policy
        self.embeddings = SqueezeBertEmbeddings(config, dtype=policy, name="embeddings")
        self.blocks = [
            SqueezeBertBlock(config, i, dtype=policy, name=f"block_{i}")
            for i in range(config.num_hidden_layers)
        ]
        self.pooler = None
        if config.add_pooling_layer if pooled is None else pooled:
            act = activation(config.pooler_act)
            self.pooler = dense(
                config, config.hidden_size, activation=act, dtype=policy, name="pooler"
            )
        if build:
            self.build()

    def build(self, input_shape=None):
        self.embeddings.build()
        for block in self.blocks:
            block.build()
        if self.pooler is not None:
            self.pooler.build((None, self.config.hidden_size))
        self.built = True

    def call(
        self,
        inputs,
        training: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
    ):
        """Runs the model.

        Args:
            inputs: see the documentation of this module.
            training: whether to apply dropout.
            output_hidden_states, output_attentions: by default, the config's.

        Raises:
            ValueError: an input is unknown, missing, misshapen, too long or of the wrong type, or
                (where its values can be read, not in a traced graph) holds ids out of range or
                mask values other than 0 and 1.
        """
        attention_mask = _per_head(inputs.get("attention_mask"))
        head_masks = self._head_masks(inputs.get("head_mask"))
        x = self.embeddings(
            inputs.get("input_ids"),
            token_type_ids=inputs.get("token_type_ids"),
            position_ids=inputs.get("position_ids"),
            inputs_embeds=inputs.get("inputs_embeds"),
            training=training,
        )
        hidden_states, attentions = [x], []
        for block, head_mask in zip(self.blocks, head_masks, strict=True):
            x, scores = block(x, attention_mask, head_mask, training=training)
            hidden_states.append(x)
            attentions.append(scores)

        outputs = {"last_hidden_state": x}
        if self.pooler is not None:
            outputs["pooler_output"] = self.pooler(x[:, 0])
        config = self.config
        if config.output_hidden_states if output_hidden_states is None else output_hidden_states:
            outputs["hidden_states"] = tuple(hidden_states)
        if config.output_attentions if output_attentions is None else output_attentions:
            outputs["attentions"] = tuple(attentions)
            outputs["attention_probs"] = tuple(softmax(scores) for scores in attentions)
        return outputs

    def _head_masks(self, head_mask):
        """A mask of the block's heads, or None, for each block."""
        layers, heads = self.config.num_hidden_layers, self.config.num_attention_heads
        if head_mask is None:
            return [None] * layers
        shape = list(head_mask.shape)
        if shape not in ([heads], [layers, heads]):
            raise ValueError(
                f"head_mask must have the shape [{heads}] or [{layers}, {heads}], not {shape}."
            )
        masks = [head_mask if len(shape) == 1 else head_mask[i] for i in range(layers)]
        counts = [block.sizes.num_attention_heads for block in self.blocks]
        return [mask[:count] for mask, count in zip(masks, counts, strict=True)]


class _Head(SqueezeBertPreTrainedModel):
    """A bare model, `transformer`, with a task's layers on top."""

    uses_pooler = False

    def __init__(self, config: SqueezeBertConfig | Mapping, *, build: bool = True, **kwargs):
        super().__init__(config, **kwargs)
        usual = FAMILIES[self.config.family].pools_always and self.config.add_pooling_layer
        self.transformer = SqueezeBertModel(
            self.config,
            build=False,
            pooled=self.uses_pooler or usual,
            dtype=self.dtype_policy,
            name="transformer",
        )
        if self.transformer.pooler is not None and not self.uses_pooler:
            # The pooler is part of the checkpoint, but does not contribute to the loss.
            self.transformer.pooler.trainable = False
        rate = self.config.classifier_dropout
        rate = self.config.hidden_dropout_prob if rate is None else rate
        self.dropout = dropout(rate, dtype=self.dtype_policy)
        self._add_layers()
        if build:
            self.build()

    def _add_layers(self) -> None:
        units = self.config.num_labels
        self.classifier = dense(self.config, units, dtype=self.dtype_policy, name="classifier")

    def build(self, input_shape=None):
        self.transformer.build()
        self.classifier.build((None, self.config.hidden_size))
        self.built = True

    def call(
        self,
        inputs,
        training: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
    ):
        """Runs the model; arguments and errors as in `SqueezeBertModel.call`.

        Returns:
            The logits; or, if hidden states or attentions are asked for, a dict of `logits` and
            these.
        """
        outputs = self.transformer(
            inputs,
            training=training,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        last_hidden_state = outputs.pop("last_hidden_state")
        pooled = outputs.pop("pooler_output", None)
        logits = self._logits(pooled if self.uses_pooler else last_hidden_state, training)
        return {"logits": logits, **outputs} if outputs else logits

    def _logits(self, x, training):
        return self.classifier(self.dropout(x, training=training))

    checkpoint_names: tuple[tuple[str, str], ...] = (("classifier", "classifier"),)

    def permute_inputs(self, channels) -> None:
        if not self.uses_pooler:
            permute(self.classifier, inputs=channels)


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForMaskedLM(_Head):
    """Predicts tokens: logits [B, S, V]. Labels [B, S] are token ids, or -100 to be ignored."""

    def _add_layers(self) -> None:
        if not self.config.extra.get("tie_word_embeddings", True):
            raise ValueError(
                "The config's tie_word_embeddings is false, but this package's masked LM uses the "
                "word embeddings as its output matrix: load the checkpoint with another head, or "
                "without one."
            )
        self.head = SqueezeBertMaskedLMHead(self.config, dtype=self.dtype_policy, name="head")

    def build(self, input_shape=None):
        self.transformer.build()
        self.head.build()
        self.built = True

    def _logits(self, x, training):
        return self.head(x, self.transformer.embeddings.word_embeddings.embeddings)

    checkpoint_names: tuple[tuple[str, str], ...] = (
        ("head.dense", "cls.predictions.transform.dense"),
        ("head.layer_norm", "cls.predictions.transform.LayerNorm"),
        ("head", "cls.predictions"),
    )

    def permute_inputs(self, channels) -> None:
        if self.config.projects_embeddings:
            permute(self.head.dense, inputs=channels)
            return
        # The word embeddings are the matrix that its output is multiplied with.
        permute(self.head.dense, inputs=channels, outputs=channels)
        permute(self.head.layer_norm, outputs=channels)

    def _training(self):
        return {"loss": losses.token_loss, "metrics": lambda: [losses.MaskedAccuracy()]}


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForSequenceClassification(_Head):
    """Classifies a text or a pair, or predicts numbers: logits [B, num_labels].

    Labels: for `problem_type` "single_label_classification" a class index [B]; for
    "multi_label_classification" 0 or 1 per label [B, num_labels]; for "regression" a number [B],
    or [B, num_labels].
    """

    uses_pooler = True
    _of_teacher = (*_Head._of_teacher, "task_problem_type")

    def soft_loss(self, taught, got, mask, temperature: float):
        problem = self.config.task_problem_type
        if problem == "single_label_classification":
            return super().soft_loss(taught, got, mask, temperature)
        taught, got = (losses.as_float(self._predictions(outputs)) for outputs in (taught, got))
        if problem == "regression":
            return ops.mean(ops.square(taught - got))
        probs = ops.sigmoid(taught / temperature)
        loss = ops.binary_crossentropy(probs, got / temperature, from_logits=True)
        return ops.mean(loss) * temperature**2

    def _training(self):
        problem = self.config.task_problem_type
        if problem == "regression":
            return {
                "loss": keras.losses.MeanSquaredError,
                "metrics": lambda: [keras.metrics.MeanAbsoluteError()],
            }
        if problem == "multi_label_classification":
            return {
                "loss": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
                "metrics": lambda: [keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
            }
        return {"loss": losses.token_loss, "metrics": lambda: [losses.MaskedAccuracy()]}


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForTokenClassification(_Head):
    """Labels every token: logits [B, S, num_labels]. Labels [B, S], or -100 to be ignored."""

    def _training(self):
        return {"loss": losses.token_loss, "metrics": lambda: [losses.MaskedAccuracy()]}


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForMultipleChoice(_Head):
    """Chooses one of C texts: inputs [B, C, S], logits [B, C]. Labels are the index, [B].

    Hidden states and attentions, if asked for, are those of the B * C texts.
    """

    uses_pooler = True
    _input_rank = 3

    def _add_layers(self) -> None:
        self.classifier = dense(self.config, 1, dtype=self.dtype_policy, name="classifier")

    # Keras trains without dropout if the signature does not name `training`.
    def call(
        self,
        inputs,
        training: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
    ):
        flat = {
            name: x if name == "head_mask" else ops.reshape(x, (-1, *ops.shape(x)[2:]))
            for name, x in inputs.items()
        }
        outputs = super().call(flat, training, output_hidden_states, output_attentions)
        choices = ops.shape(inputs.get("input_ids", inputs.get("inputs_embeds")))[1]
        if isinstance(outputs, Mapping):
            return {**outputs, "logits": ops.reshape(outputs["logits"], (-1, choices))}
        return ops.reshape(outputs, (-1, choices))

    def _training(self):
        return {"loss": losses.token_loss, "metrics": lambda: [losses.MaskedAccuracy()]}


@keras.saving.register_keras_serializable("tf_squeezebert")
class SqueezeBertForQuestionAnswering(_Head):
    """Finds the answer's span: a dict of `start_logits` and `end_logits`, [B, S] each.

    Labels are a dict of `start_positions` and `end_positions`, [B] each; a position beyond the
    end of the sequence does not count. The loss is the mean of the two losses, as in the reference.
    """

    checkpoint_names = (("classifier", "qa_outputs"),)

    def _logits(self, x, training):
        # The reference has no dropout here.
        return self.classifier(x)

    def soft_loss(self, taught, got, mask, temperature: float):
        return (
            sum(
                losses.divergence(taught[name], got[name], temperature, classes=mask)
                for name in ("start_logits", "end_logits")
            )
            / 2
        )

    def call(
        self,
        inputs,
        training: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
    ):
        outputs = super().call(inputs, training, output_hidden_states, output_attentions)
        if not isinstance(outputs, Mapping):
            outputs = {"logits": outputs}
        logits = outputs.pop("logits")  # [B, S, 2]
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1], **outputs}

    def _training(self):
        names = ("start_logits", "end_logits")
        return {
            "loss": lambda: {name: losses.PositionLoss() for name in names},
            "loss_weights": dict.fromkeys(names, 0.5),
            "metrics": lambda: {name: [losses.PositionAccuracy()] for name in names},
        }

    def _targets(self, y):
        if isinstance(y, Mapping) and "start_positions" in y:
            return {"start_logits": y["start_positions"], "end_logits": y["end_positions"]}
        return y

    def _predictions(self, y_pred):
        return {name: y_pred[name] for name in ("start_logits", "end_logits")}


def transformer_of(model: SqueezeBertPreTrainedModel) -> SqueezeBertModel:
    """The bare model in a model with a head, or itself."""
    return model if isinstance(model, SqueezeBertModel) else model.transformer


def default_optimizer() -> keras.optimizers.Optimizer:
    """AdamW at 5e-5, with 0.01 weight decay except on biases and layer norms."""
    return make_optimizer(5e-5, clip_norm=None)


def named_inputs(inputs) -> dict[str, Any]:
    """The inputs as a dict without missing ones, from a dict or from input_ids alone."""
    if not isinstance(inputs, Mapping):
        return {"input_ids": inputs}
    unknown = sorted(str(name) for name in inputs if name not in INPUT_NAMES)
    if unknown:
        raise ValueError(
            f"Unknown input {', '.join(unknown)}: the model takes {', '.join(INPUT_NAMES)}; pass "
            "labels as the second argument of fit()."
        )
    return {name: inputs[name] for name in INPUT_NAMES if inputs.get(name) is not None}


def _plain(x):
    return dict(x) if isinstance(x, BatchEncoding) else x


def _per_head(attention_mask):
    """The mask as bool, [B, 1, 1 or S, S], or None."""
    if attention_mask is None:
        return None
    mask = ops.cast(attention_mask, "bool")
    return mask[:, None, None, :] if len(mask.shape) == 2 else mask[:, None]


def _checked(inputs: Mapping[str, Any], config: SqueezeBertConfig, rank: int) -> dict[str, Any]:
    """The inputs as tensors or arrays; refuses what would fail later or give wrong numbers."""
    if ("input_ids" in inputs) == ("inputs_embeds" in inputs):
        raise ValueError("Pass either input_ids or inputs_embeds, not both.")
    inputs = {name: x if _is_tensor(x) else as_array(name, x) for name, x in inputs.items()}
    ids = "input_ids" in inputs
    shape = list(inputs["input_ids"].shape if ids else inputs["inputs_embeds"].shape[:-1])
    if len(shape) != rank or 0 in shape:
        expected = ["batch", "choices", "length"] if rank == 3 else ["batch", "length"]
        raise ValueError(
            f"Expected input_ids of shape [{', '.join(expected)}] (or inputs_embeds with one more "
            f"axis), got {shape}."
        )
    length, longest = shape[-1], config.max_position_embeddings
    if length is not None and length > longest:
        raise ValueError(
            f"The input has {length} tokens, the model at most {longest} (max_position_embeddings)"
            f": truncate it, for instance by tokenizer(..., truncation=True, max_length={longest})."
        )
    for name in ("attention_mask", "token_type_ids"):
        _check_shape(name, list(getattr(inputs.get(name), "shape", shape)), shape)
    return {name: _exact(name, x, config) for name, x in inputs.items()}


def _check_shape(name: str, shape: list, expected: list) -> None:
    """Refuses shapes that would be broadcast; a mask may have one per position."""
    own = [*expected, expected[-1]] if name == "attention_mask" else expected
    for allowed in (expected, own):
        if len(shape) == len(allowed) and all(
            a == b or None in (a, b) for a, b in zip(shape, allowed, strict=True)
        ):
            return
    raise ValueError(f"{name} must have the shape of input_ids, {expected}, not {shape}.")


# The config's arguments that give the number of ids.
_SIZES = {
    "input_ids": "vocab_size",
    "token_type_ids": "type_vocab_size",
    "position_ids": "max_position_embeddings",
}


def _exact(name: str, x, config: SqueezeBertConfig):
    """An input with ids in range, not truncated, or a mask of 0 and 1.

    Backends treat an id out of range differently: TensorFlow raises on a CPU and returns zeros on
    a GPU, JAX returns NaN. In a traced graph only the type can be checked.
    """
    if name in _SIZES and not _is_mean_of_replicas(x):
        require_integers(name, keras.backend.standardize_dtype(x.dtype))
    if not _has_values(x):
        return x
    values = ops.convert_to_numpy(x)
    if name in _SIZES:
        values = as_ids(name, values, getattr(config, _SIZES[name]), _SIZES[name])
    elif name == "attention_mask":
        values = as_mask(name, values)
    return x if ops.is_tensor(x) else values


def _is_tensor(x) -> bool:
    """Whether x is a tensor of the backend or a placeholder, and not ragged."""
    return (ops.is_tensor(x) or isinstance(x, keras.KerasTensor)) and not hasattr(x, "row_splits")


def _is_mean_of_replicas(x) -> bool:
    """Whether x is the mean of the inputs over replicas, a float, with which Keras builds a model.

    The steps of training then run in each replica's context, with the inputs themselves.
    """
    if keras.backend.backend() != "tensorflow" or _has_values(x):
        return False
    import tensorflow as tf

    return tf.distribute.has_strategy() and tf.distribute.in_cross_replica_context()


def _has_values(x) -> bool:
    """Whether x's values can be read: not for a placeholder, nor if processes share it."""
    if isinstance(x, keras.KerasTensor):
        return False
    if keras.backend.backend() == "jax":
        import jax

        return not isinstance(x, jax.core.Tracer) and getattr(x, "is_fully_addressable", True)
    return hasattr(x, "numpy") or not ops.is_tensor(x)

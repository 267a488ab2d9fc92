"""Writes a model as a .tflite file, and verifies the file before it takes its place."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..config import SqueezeBertConfig
from ..files import check_writable, replacing, require_apart
from ..models import SqueezeBertModel, SqueezeBertPreTrainedModel
from ..ranges import check_number
from ..tasks import ARCHITECTURES, Task, takes_pairs
from ..tasks.embedding import POOLINGS, Embedding
from ..tokenizer import SqueezeBertTokenizer
from .bundle import attach_certificate, attach_files, collect_files
from .certificate import Certificate, named
from .certifying import Examination, FloatModel
from .golden import GOLDEN
from .golden_examples import choose_examples, make_golden
from .half_precision import set_half
from .metadata import DESCRIBED, attach_metadata, check_tokenizer
from .model_file import pack, share_buffers, unpack
from .quantization import RECIPES, Recipe, apply
from .runtime import Runtime
from .structure import check_structure, check_tables
from .targets import TARGETS, Target
from .verification import (
    ExportError,
    Reference,
    Text,
    encode,
    make_samples,
    median_time,
    prove,
    prove_in_half,
)

logger = logging.getLogger(__name__)

_MOST_VERIFIED = 100  # texts: running the model takes a while
_MOST_BATCH = 256


def export(
    model: SqueezeBertPreTrainedModel,
    path: str | os.PathLike,
    *,
    length: int | None = None,
    lengths: Sequence[int] | None = None,
    batch: int | None = 1,
    quantize: str | None = None,
    target: str = "cpu",
    pooling: str | None = None,
    half_precision: bool | None = None,
    labels: Sequence[str] | None = None,
    calibrate: Sequence[str] | None = None,
    verify: Sequence[Text] | None = None,
    tokenizer: SqueezeBertTokenizer | None = None,
    golden: bool = True,
    certify: str | os.PathLike | None = None,
    task: str | Task | None = None,
    max_drop: float = 0.5,
    columns: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model as a .tflite file for phones, and verifies it first.

    The file takes int32 `input_ids`, `attention_mask` and `token_type_ids`, [B, S], by signature,
    and returns the same outputs as the Keras model, under the same names. For multiple choice, a
    row is one choice, and `logits` its score, [B, 1]: each choice then takes only the time for its
    length, and there may be any number; `Runtime` runs them all. The file carries the config, the
    labels and the tokenizer. Before it is moved to its place, it is compared with the model, in
    float32 and in its final form: on random ids (short, padded and of full length), on texts and
    pairs that come with the package, and on `verify`. For a quantized file, each operator and
    weight is compared as well. A file that phones compute in float16 is also run in float16, as far
    as this machine can emulate it.

    Args:
        model: a `SqueezeBertModel`, or a model with any of the five heads.
        path: the file to write; an old one is replaced only after the new one is verified.
        length: a fixed sequence length S in tokens. By default it is free if the target allows
            it (a short text then takes less time), and 128 for GPUs and NPUs, which take multiples
            of 4.
        lengths: several fixed lengths instead of one. The file has a signature for each, such as
            `length_32`, and they share their weights; `Runtime` takes the shortest that a text fits
            into. MediaPipe takes one length only.
        batch: number of texts per call, B, at most 256; None leaves it free.
        quantize: None for float32, or a recipe in `RECIPES`: `"fp16"`, `"int8"` (weights and
            tables; activations stay float: dynamic range), `"int8-static"`, `"int4"` or
            `"int4-tables"`.
        target: one of `TARGETS`. `"cpu"`; `"gpu"` and `"npu"`, which have a fixed length and use
            only operations that are computed correctly there; or `"mediapipe"`: a file that
            MediaPipe's TextClassifier or TextEmbedder opens directly. That file returns
            `probability`, [1, num_labels], for sequence classification, and `embedding` for the
            bare model; it carries MediaPipe's metadata and truncates texts that are too long. For
            classifiers of pairs and for cased vocabularies, a UserWarning tells that MediaPipe's
            own task will answer wrongly. A question answering file carries the metadata of TFLite's
            BertQuestionAnswerer.
        pooling: for the bare model: `"mean"` of the last hidden states, or `"cls"`, the first of
            them. The file then returns a sentence's `embedding`, [B, H], of length 1 unless the
            model's config has a `normalize` that is false. The default is the config's `pooling`,
            which a folder of sentence-transformers gives; without one `"mean"` for MediaPipe, and
            None for other targets.
        half_precision: whether CPUs that can, as those of phones since about 2018, compute in
            float16 what is float32 in the file, in fewer instructions and with slightly other
            results. The default is True for `"fp16"`, and False otherwise.
        labels: names of the labels, in order; by default those of the model's config.
        calibrate: texts like those that the file will get, some hundreds, for `"int8-static"`.
        verify: further texts and pairs to compare the file with the model on; the first 100 are
            used.
        tokenizer: the tokenizer to put into the file; by default the model's.
        golden: whether the file carries golden examples, by which it can test itself wherever it
            runs (`Runtime.self_test`): some 20 kB of short texts of `verify`, or of the package's
            own, with the model's outputs. Pass False if nobody may read the texts of `verify`.
        certify: a file of labelled examples. The exported file is kept only if, on these, none of
            the task's metrics and no label's recall is worse than the float32 model's by more than
            `max_drop`; it then carries a `Certificate` of this.
        task: the task of `certify`, as in `evaluate`; by default the model's kind of task.
        max_drop: the largest drop that is allowed, in points: 0.5 allows from 91.2 % to 90.7 %; a
            perplexity may rise by this many percent.
        columns: `text`, `text_pair`, `label` and `format` of `tasks.read_examples`, for `certify`.

    Returns:
        The path.

    Raises:
        ValueError: an option is invalid, a head was never trained, or the file is one that the
            model was loaded from; or the examples of `certify` do not fit the model, or lack one of
            its labels.
        TypeError: the model is not one of this package's.
        FileNotFoundError: there is no file `certify`.
        ExportError: the file's outputs differ from the model's, or it is worse on `certify` by more
            than is allowed.
        OSError: the file can not be written.
    """
    if not isinstance(model, SqueezeBertPreTrainedModel):
        raise TypeError(f"A {type(model).__name__} can not be exported: pass a SqueezeBERT.")
    model.check_trained()
    path = Path(path)
    require_apart(path, [model], [certify])
    check_writable(path, model.count_params() // 2)  # the size in int4
    _check_target(target, quantize, batch)
    lengths = _lengths(model.config, target, length, lengths)
    _check_model(model, target, pooling)
    form = _form(
        model,
        tokenizer=tokenizer or model.tokenizer,
        target=target,
        quantize=quantize,
        lengths=lengths,
        batch=batch,
        pooling=pooling,
        half_precision=half_precision,
    )
    tokenizer, recipe = form.tokenizer, form.recipe
    if form.runner.metadata:
        check_tokenizer(tokenizer)
    if quantize is not None:
        _check_recipe(model, quantize)
    _check_texts(tokenizer, model.config.vocab_size, quantize, calibrate, verify, certify)
    check_number("max_drop", max_drop, most=100, whole=False)
    config = form.config(labels)
    files = collect_files(config, model.architecture, tokenizer)

    if form.runner.metadata:
        _warn_of_mediapipe(model, tokenizer, verify or ())
    texts = (verify or calibrate or ())[:_MOST_VERIFIED]
    samples = make_samples(model, tokenizer, texts, lengths, batch)
    reference = Reference(model, samples, form.pooling, form.normalize)
    examination = None
    if certify is not None:
        twin = FloatModel(model.architecture, config, tokenizer, reference.compute)
        examination = Examination(twin, certify, task or model.task, max_drop, columns or {})
    exact = form.convert()
    if recipe is not None:
        _prove_exact(exact, files, reference)
    content = form.finish(exact, files, calibrate or ())
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        attach_files(temporary, files)
        if recipe is not None:
            check_structure(exact, temporary.read_bytes())
        runtime = _open(temporary)
        difference = prove(runtime, reference, recipe)
        if form.half:
            prove_in_half(temporary, runtime, reference, recipe or RECIPES["fp16"])
        if recipe is None:
            check_tables(temporary.read_bytes(), model)
        if golden:
            form.attach_golden(temporary, runtime, reference, verify or ())
        if examination is not None:
            certificate = examination.certify(runtime)
            logger.info(str(certificate))
            _require_kept(certificate)
            attach_certificate(temporary, certificate)
        own = encode(tokenizer, texts, form.longest) if tokenizer is not None else []
        tokens, milliseconds = median_time(runtime, own or samples)
    logger.info(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(content) / len(exact):.2f} of float32. "
        f"Inputs [{batch or 'any batch'}, {_shown(lengths)}]. On {len(samples)} samples the "
        f"outputs differ from the model's by at most {difference:.2g}. {milliseconds:.1f} ms at "
        f"{tokens} tokens, on this machine."
    )
    return path


def draft(model: SqueezeBertPreTrainedModel, path: Path, quantize: str) -> Path:
    """Writes the file that `export` would, without verifying it, to see how large and fast it is.

    Its weights need not be good for anything, so that its outputs may differ from the model's.

    Args:
        model, path, quantize: as in `export`.
    """
    form = _form(model, tokenizer=model.tokenizer, quantize=quantize)
    files = collect_files(form.config(), model.architecture, form.tokenizer)
    path.write_bytes(form.finish(form.convert(), files))
    attach_files(path, files)
    reference = Reference(model, [], form.pooling, form.normalize)
    form.attach_golden(path, Runtime(path), reference)
    return path


@dataclasses.dataclass(frozen=True)
class _Form:
    """What a file is to be; most fields are arguments of `export`.

    Attributes:
        pooling: of the file's embeddings; None if it returns none.
        normalize: whether these have length 1.
        half: whether CPUs that can do so compute in float16.
    """

    model: SqueezeBertPreTrainedModel
    tokenizer: SqueezeBertTokenizer | None
    target: str
    quantize: str | None
    lengths: Sequence[int]
    batch: int | None
    pooling: str | None
    normalize: bool
    half: bool

    @property
    def runner(self) -> Target:
        return TARGETS[self.target]

    @property
    def recipe(self) -> Recipe | None:
        return RECIPES[self.quantize] if self.quantize else None

    @property
    def longest(self) -> int:
        return max(self.lengths, default=self.model.config.max_position_embeddings)

    def config(self, labels: Sequence[str] | None = None) -> SqueezeBertConfig:
        """The config that the file carries."""
        recorded = {"target": self.target, "quantize": self.quantize, "pooling": self.pooling}
        half = self.half or None
        return _recorded(self.model.config, labels, **recorded, half_precision=half)

    def convert(self) -> bytes:
        """The file in float32."""
        recipe, for_gpu = self.recipe, self.runner.accelerator
        return _convert(
            self.model,
            lengths=self.lengths,
            batch=self.batch,
            split=for_gpu or recipe is None or not recipe.convolutions,
            for_gpu=for_gpu,
            convolutions=recipe is None or recipe.stores("CONV_2D"),
            half_precision=for_gpu or self.half,
            finish=self.runner.finishes,
            pooling=self.pooling,
            normalize=self.normalize,
        )

    def finish(self, exact: bytes, files: dict[str, bytes], calibrate: Sequence[str] = ()) -> bytes:
        """The file in its recipe, with its metadata, from that in float32."""
        content = exact
        if self.recipe is not None:
            rows = {
                name: _calibration(self.tokenizer, calibrate, size, self.longest, self.batch)
                for name, size in _signatures(self.lengths).items()
            }
            content = apply(self.recipe, content, rows)
        if len(self.lengths) > 1:
            content = pack(share_buffers(unpack(content)))
        if self.half:
            content = set_half(content)
        if self.runner.metadata:
            content = attach_metadata(content, files)
        return content

    def attach_golden(
        self, path: Path, runtime: Runtime, reference: Reference, verify: Sequence[Text] = ()
    ) -> None:
        """Adds golden examples to the file, by which it can test itself."""
        lengths = self.lengths or [self.longest]
        examples = choose_examples(self.model, self.tokenizer, verify, lengths)
        wanted = reference.on([example.inputs for example in examples])
        golden = make_golden(runtime, wanted, examples, self.recipe, self.half)
        attach_files(path, {GOLDEN: golden.to_json()})


def _form(
    model: SqueezeBertPreTrainedModel,
    *,
    tokenizer: SqueezeBertTokenizer | None,
    target: str = "cpu",
    quantize: str | None = None,
    lengths: Sequence[int] = (),
    batch: int | None = 1,
    pooling: str | None = None,
    half_precision: bool | None = None,
) -> _Form:
    """The form of a file, with what the model, the target and the recipe say by default."""
    normalize, half = True, half_precision
    if isinstance(model.task, Embedding):
        pooling = pooling or model.task.pooling or TARGETS[target].pooling
        normalize = model.task.normalize
    if half is None:
        half = quantize is not None and RECIPES[quantize].half_precision
    return _Form(model, tokenizer, target, quantize, lengths, batch, pooling, normalize, half)


def _check_target(target: str, quantize: str | None, batch: int | None) -> None:
    if target not in TARGETS:
        raise ValueError(f"target {target!r} is unknown: choose one of {', '.join(TARGETS)}.")
    if quantize is not None and quantize not in RECIPES:
        raise ValueError(f"quantize {quantize!r} is unknown: choose None or {', '.join(RECIPES)}.")
    if quantize is not None and quantize not in TARGETS[target].recipes:
        raise ValueError(
            f"target {target!r} does not run {quantize} correctly: choose None or "
            f"{', '.join(TARGETS[target].recipes)}."
        )
    if batch is not None and batch < 1:
        raise ValueError(f"batch must be at least 1, or None to leave it free, not {batch}.")
    if batch is not None and batch > _MOST_BATCH:
        raise ValueError(
            f"batch may be {_MOST_BATCH} at most, not {batch}: a file runs any number of texts, in "
            "calls of that size; or leave it free, with None."
        )
    if batch is None and TARGETS[target].accelerator:
        raise ValueError(f"target {target!r} takes only fixed shapes: pass a number as batch.")
    if TARGETS[target].batch not in (None, batch):
        raise ValueError(
            f"target {target!r} runs one text at a time: batch must be 1, not {batch}."
        )


def _lengths(
    config: SqueezeBertConfig, target: str, length: int | None, lengths: Sequence[int] | None
) -> list[int]:
    """The fixed lengths of the file, in order; none if its length is free."""
    if length is not None and lengths is not None:
        raise ValueError("length and lengths exclude each other: pass one of them.")
    longest = config.max_position_embeddings
    step = TARGETS[target].length_step
    if lengths is None:
        usual = TARGETS[target].length
        if length is None and usual is not None:
            length = max(step, min(usual, longest) // step * step)
        lengths = [] if length is None else [length]
    elif not lengths:
        raise ValueError("lengths names no length: pass at least one, or leave it out.")
    if wrong := [x for x in lengths if not 1 <= x <= longest]:
        raise ValueError(
            f"length must be in [1, {longest}] (max_position_embeddings), not {wrong[0]}."
        )
    if uneven := [x for x in lengths if x % step]:
        even = min(-(-uneven[0] // step), longest // step) * step
        raise ValueError(
            f"target {target!r} takes lengths that are multiples of {step}, which GPUs compute "
            f"correctly, not {uneven[0]}: pass {even}."
        )
    if len(set(lengths)) > 1 and TARGETS[target].metadata:
        raise ValueError(
            "MediaPipe takes only files of one length, or of a free length, not of "
            f"{len(set(lengths))} lengths: pass one, or another target."
        )
    return sorted(set(lengths))


def _signatures(lengths: Sequence[int]) -> dict[str, int | None]:
    """The file's signatures, and the length of each."""
    if len(lengths) < 2:
        return {"serving_default": lengths[0] if lengths else None}
    return {f"length_{length}": length for length in lengths}


def _shown(lengths: Sequence[int]) -> str:
    return " or ".join(map(str, lengths)) or "any length"


def _calibration(
    tokenizer: SqueezeBertTokenizer | None,
    texts: Sequence[str],
    length: int | None,
    longest: int,
    batch: int | None,
) -> list[dict[str, np.ndarray]]:
    """Texts as inputs of a signature of that length, or of a free one."""
    if tokenizer is None:
        return []
    rows = encode(tokenizer, texts, length or longest, padded=length is not None)
    return [{name: np.repeat(x, batch or 1, axis=0) for name, x in row.items()} for row in rows]


def _check_model(model: SqueezeBertPreTrainedModel, target: str, pooling: str | None) -> None:
    if pooling is not None and pooling not in POOLINGS:
        raise ValueError(f"pooling {pooling!r} is unknown: choose None or {', '.join(POOLINGS)}.")
    if pooling is not None and not isinstance(model, SqueezeBertModel):
        raise ValueError(
            f"pooling makes sentence embeddings of a SqueezeBertModel; this is a "
            f"{type(model).__name__}."
        )
    if TARGETS[target].metadata:
        _require_described(model)


def _check_recipe(model: SqueezeBertPreTrainedModel, quantize: str) -> None:
    """Refuses a recipe whose blocks do not divide the number of inputs of a group, or that stores a
    table twice."""
    if model.task.kind == "fill-mask" and not RECIPES[quantize].shares_tables:
        raise ValueError(
            f"{quantize} would store the word embeddings of a masked LM twice, for its output too: "
            "choose another recipe."
        )
    config = model.config
    layers = map(config.layer_sizes, range(config.num_hidden_layers))
    widths = {inputs // groups for x in layers for inputs, _, groups in x.projections()}
    widths |= {config.embedding_size} if config.projects_embeddings else set()
    block = RECIPES[quantize].block
    if any(width % block for width in widths):
        raise ValueError(
            f"{quantize} stores weights in blocks of {block} inputs, but this model's groups have "
            f"{', '.join(map(str, sorted(widths)))}: choose another recipe."
        )


def _check_texts(
    tokenizer: SqueezeBertTokenizer | None,
    vocab_size: int,
    quantize: str | None,
    calibrate: Sequence[str] | None,
    verify: Sequence[Text] | None,
    certify: str | os.PathLike | None,
) -> None:
    calibrates = quantize is not None and RECIPES[quantize].calibrates
    if calibrates and not calibrate:
        raise ValueError(
            f"{quantize} needs texts to calibrate on, and got none: pass some hundreds like those "
            "that the file will get."
        )
    if calibrate and not calibrates:
        names = ", ".join(name for name in RECIPES if RECIPES[name].calibrates)
        raise ValueError(f"calibrate is for {names}, not for quantize={quantize}: leave it out.")
    if (calibrate or verify or certify) and tokenizer is None:
        raise ValueError("The model came without a tokenizer, which texts need: pass one.")
    if tokenizer is not None and len(tokenizer) > vocab_size:
        raise ValueError(
            f"The tokenizer has {len(tokenizer)} tokens, the model {vocab_size}: pass its own."
        )


def _require_described(model: SqueezeBertPreTrainedModel) -> None:
    """Refuses a model that no text task of MediaPipe can use."""
    task = model.task
    if task.kind not in DESCRIBED:
        names = ", ".join(ARCHITECTURES[kind] for kind in DESCRIBED)
        raise ValueError(
            f"MediaPipe has no task for a {type(model).__name__}, only for {names}: use "
            "target='cpu', which exports every model."
        )
    if "probability" in DESCRIBED[task.kind].outputs and task.activation is None:
        raise ValueError(
            "MediaPipe's TextClassifier returns scores between 0 and 1, but this model is a "
            "regression: export it with target='cpu'."
        )


def _warn_of_mediapipe(
    model: SqueezeBertPreTrainedModel,
    tokenizer: SqueezeBertTokenizer | None,
    texts: Sequence[Text],
) -> None:
    """Warns of models that MediaPipe's own task runs, but answers wrongly with."""
    remedy = "its answers will be wrong, while Runtime and this package's clients answer right"
    has_pairs = any(not isinstance(text, str) for text in texts)
    if model.task.kind == "text-classification" and (has_pairs or takes_pairs(model.config)):
        warnings.warn(
            "This model classifies pairs of texts, but MediaPipe's TextClassifier takes one text "
            f"and sends segment ids of 0: {remedy}.",
            stacklevel=3,
        )
    if tokenizer is not None and not tokenizer.do_lower_case:
        warnings.warn(
            f"The vocabulary is cased, but MediaPipe lower-cases the letters A to Z: {remedy}.",
            stacklevel=3,
        )


def _recorded(
    config: SqueezeBertConfig, labels: Sequence[str] | None, **options: str | bool | None
) -> SqueezeBertConfig:
    """The config with other label names, and with the options of the export."""
    values: dict[str, Any] = {k: value for k, value in options.items() if value is not None}
    if labels is not None:
        if len(labels) != config.num_labels:
            raise ValueError(
                f"Got {len(labels)} labels ({', '.join(labels)}) for a model of "
                f"{config.num_labels}."
            )
        if len(set(labels)) < len(labels):
            raise ValueError(f"labels must be distinct, not {', '.join(labels)}.")
        values.update(id2label=dict(enumerate(labels)), label2id=None)
    return SqueezeBertConfig.from_dict(config.to_dict(), **values)


def _open(path: Path) -> Runtime:
    """Opens a file that was just written."""
    try:
        return Runtime(path)
    except ValueError as error:
        raise ExportError(
            f"The exported file can not be opened, and was not kept: try another recipe. {error}"
        ) from error


def _require_kept(certificate: Certificate) -> None:
    """Refuses a file that is worse than its model by more than is allowed."""
    if not certificate.failing:
        return
    worst, *others = certificate.failing
    recipe = RECIPES[certificate.quantize] if certificate.quantize else None
    ways_out = ["choose another recipe"] * (recipe is not None)
    ways_out += ["pass more texts to calibrate on"] * bool(recipe and recipe.calibrates)
    ways_out += ["allow a larger max_drop"]
    more = f", and {named(others)} too" if others else ""
    raise ExportError(
        f"On {certificate.data}, the {worst.name} is {worst.model:.2f} for the model and "
        f"{worst.file:.2f} for the file, which is worse by {worst.drop:.2f} "
        f"({certificate.confidence:.0%} interval {worst.low:.2f} to {worst.high:.2f}), where "
        f"{certificate.max_drop:g} is allowed{more}: the file was not kept; "
        f"{', or '.join(ways_out)}."
    )


def _prove_exact(exact: bytes, files: Mapping[str, bytes], reference: Reference) -> None:
    """Verifies the float32 graph, with which the quantized file is then compared."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exact.tflite"
        path.write_bytes(exact)
        attach_files(path, files)
        prove(_open(path), reference)
    check_tables(exact, reference.model)


def _convert(model: SqueezeBertPreTrainedModel, lengths: Sequence[int] = (), **options) -> bytes:
    """The model as a float .tflite; the options are those of `DeployedGraph`."""
    import tensorflow as tf

    from .graph import DeployedGraph

    graph, converter = DeployedGraph(model, **options), tf.lite.TFLiteConverter
    with _traced():
        functions = {name: graph.function(length) for name, length in _signatures(lengths).items()}
        if len(functions) == 1:
            (function,) = functions.values()
            return converter.from_concrete_functions([function], graph).convert()
        with tempfile.TemporaryDirectory() as folder:  # the way to convert several functions
            tf.saved_model.save(graph, folder, signatures=functions)
            return converter.from_saved_model(folder, signature_keys=[*functions]).convert()


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Traces functions, also if the user has them run step by step, which leaves them out."""
    import tensorflow as tf

    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)

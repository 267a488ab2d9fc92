"""Squeezes any BERT into a SqueezeBERT: groups weights, corrects them, distils the result."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..config import GROUPS, SqueezeBertConfig
from ..data import read_text
from ..data.readers import check_repeatable
from ..distillation import Distiller
from ..evaluation import evaluate
from ..files import write_text
from ..json_files import read_json
from ..metrics import FALLING
from ..models import SqueezeBertPreTrainedModel, transformer_of
from ..ranges import check_number
from ..tasks import Task, find_task, read_examples, require_tokenizer
from ..tasks.embedding import POOLINGS, Embedding
from ..training import loop
from ..training.batches import Batches
from ..training.digests import digest_data, digest_tokenizer, digest_weights, paths_of
from ..training.folder import check_folder, is_begun, is_finished, own_folder
from ..training.held_out import hold_out
from ..training.identity import check_identity
from ..training.on_task import Data, train_on_task
from ..training.options import SQUEEZING, TrainingOptions
from ..training.run import FineTuned, Run
from .calibration import Calibration, Text
from .fitting import embedding_error, hidden_error
from .foresight import Chosen, choose_shape
from .frequencies import read_sources
from .frontier import copy_frontier
from .promise import Promise, write_promised
from .regrouping import Regrouping
from .student import keep_positions, make_student
from .vocabulary import trim_vocabulary

_PLAN_FILE = "squeeze.json"
_FILE = "model.tflite"
_HELD_OUT_OF_TRAIN = 0.03  # of what is promised, to choose the best epoch
_HELD_OUT = 20  # one in so many texts is held out for evaluation
# The word pieces, the shape and the fit are by the task's own texts if there are so many words of
# these: others may be of any kind.
_ENOUGH_WORDS = 6000


def squeeze(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    out: str | os.PathLike,
    *,
    groups: int | Sequence[int] | None = None,
    layers: int | Sequence[int] | None = None,
    promise: Promise | None = None,
    shape_of: str | os.PathLike | None = None,
    positions: int | None = None,
    vocab_size: int | None = None,
    vocab_from: Sequence[str | os.PathLike] = (),
    languages: Sequence[str] = (),
    frequencies: Sequence[str | os.PathLike] = (),
    texts: str | os.PathLike | Iterable[Text] | None = None,
    text_epochs: int | None = None,
    pooling: str | None = None,
    task: str | None = None,
    train: Data | None = None,
    dev: Data | None = None,
    labels: Sequence[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    budget: float = 0.0,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: Any = "auto",
    **options: Any,
) -> FineTuned:
    """Turns a BERT into a SqueezeBERT that behaves nearly the same.

    The BERT's channels are reordered to suit the groups (`regrouping`), each grouped weight is
    fitted to the dense one (`fitting`), and the result is distilled from the BERT
    (`distillation`): first its hidden states and attention on `texts`; then, with a task, these
    and its answers on `train`. The folder `out` gets what `finetune` writes; with both texts and a
    task, `out/texts` gets the same for the first part.

    Args:
        model: a BERT's folder or hub id, or the model itself, whose channels are then reordered;
            with a task, one that was fine-tuned for it.
        out: the folder to write.
        groups, layers: as in `make_student`; by default 4 groups, and all layers.
        promise: what the file must keep, which chooses groups, layers, their sizes, and, unless
            they are given by other arguments, the word pieces. The file is then written too, as
            `model.tflite`, in the recipe that was chosen, and `frontier.png` shows what was
            foreseen and reached. A share of train is held out to choose the best epoch, 3 % unless
            `held_out` says another.
        shape_of: with a promise, the folder of a model that was squeezed to one before, from the
            same BERT: its shape is taken, and not searched for again.
        positions: the longest text, in tokens, that the model takes; by default as long as the
            BERT takes. In a file, each position has 4 bytes for each channel.
        vocab_size: number of word pieces to keep, those that train uses most, and the texts if
            there is no train or it has few words; see `trim_vocabulary`. The default is all, or
            those that the next three use.
        vocab_from, languages, frequencies: choose the pieces by these instead: files of texts, one
            per line, languages, and lists of words, as in `read_sources`.
        texts: a file of texts without labels, one per line; or texts, or pairs of texts. With a
            task of enough words (6,000), they are only trained on: pieces, shape and fit are by
            the task's texts.
        text_epochs: number of passes over `texts`, if it is not `epochs`.
        pooling: "mean" or "cls", for a BERT without a head, of sentence embeddings that are made in
            this way: those of `texts` are distilled too. The default is what the BERT's
            sentence-transformers folder says.
        task, train, dev, columns: as in `finetune`.
        labels: names for the model's labels, in the order of its ids, for a model that calls them
            LABEL_0, LABEL_1, ...; a model that is passed keeps its names.
        budget: time limit in minutes, half of it for `texts` if there is a task too; 0: no limit,
            for as long as the epochs take.
        resume: continue the run in `out`; the other arguments must be those of that run.
        callbacks, verbose: as in `fit`.
        **options: fields of `TrainingOptions` other than minutes, for both parts. The defaults
            include `options.SQUEEZING`.

    Returns:
        The squeezed model, its metrics, and the learning curve (of the last part).

    Raises:
        FileNotFoundError: there is no such file, or no run to resume.
        ValueError: the model is not a BERT, or does not fit the task or its labels; groups do not
            divide its sizes; a file is empty; an option is wrong; `out` holds a run already; the
            promise can not be kept, or was not, which is known after training.
        ImportError: SciPy is not installed; or wordfreq, which `languages` need.
        FloatingPointError: as `finetune` does.
    """
    began, folder = time.monotonic(), Path(out)
    if "minutes" in options:
        raise ValueError("Do not pass minutes: `budget` sets the time limit.")
    check_number("budget", budget, whole=False)
    if (task is None) != (train is None) or (task is None and dev is not None):
        raise ValueError("A task needs train, and train and dev need a task: pass both.")
    _check_promise(promise, groups, layers, task, dev)
    if shape_of is not None and promise is None:
        raise ValueError("shape_of needs the promise that the file is to keep: pass it too.")
    held_out = {"held_out": _HELD_OUT_OF_TRAIN} if promise and task else {}
    options = {**SQUEEZING, **held_out, **options}
    settings = TrainingOptions(**options)
    if text_epochs is not None:
        check_number("text_epochs", text_epochs, least=1)
        if texts is None:
            raise ValueError("text_epochs is the number of passes over texts: pass these too.")
    if settings.held_out and task is None:
        raise ValueError(
            "held_out is a share of train: leave it out without a task, since one in "
            f"{_HELD_OUT} texts is held out anyway."
        )
    of_vocabulary = [*vocab_from, *frequencies]
    files = [path for data in (texts, train, dev) for path in paths_of(data)]
    files += of_vocabulary
    with own_folder(folder, [model], files):
        check_folder(folder, resume, _PLAN_FILE)
        check_repeatable(*paths_of(train), *paths_of(dev))
        texts, columns = _read_texts(texts), columns or {}
        if not texts and train is None:
            raise ValueError("There is nothing to learn from: pass texts, or a task and train.")
        teacher, digest = _teacher(model, task, labels)
        identity = {
            "task": task,
            "config": teacher.config.to_dict(),
            "groups": 4 if groups is None else groups,
            "layers": layers,
            "promise": promise and dataclasses.asdict(promise),
            "shape_of": shape_of and str(_chosen_in(Path(shape_of), teacher.config)),
            "positions": positions,
            "vocab_size": vocab_size,
            "vocabulary": [*map(digest_data, of_vocabulary), *languages],
            "pooling": pooling,
            "text_epochs": text_epochs,
            "columns": columns,
            "budget": budget,
            "options": dataclasses.asdict(settings),
            "texts": digest_data(texts),
            "train": digest_data(train),
            "dev": digest_data(dev),
            "model": digest,
            "tokenizer": digest_tokenizer(require_tokenizer(teacher)),
        }
        pooling = _pooling(pooling, teacher)
        plan = _read_plan(folder, identity, teacher.config) if resume else {}
        sample = texts
        if task is not None and train is not None:
            sample = read_task_texts(train, task, teacher, settings, **columns)
            if _count_words(sample) < _ENOUGH_WORDS:
                sample += texts
        bert = teacher
        if positions is not None:
            teacher = keep_positions(teacher, positions)
        sources = read_sources(vocab_from, languages, frequencies).values()
        if sources or vocab_size is not None:
            teacher = trim_vocabulary(teacher, *(sources or [sample]), size=vocab_size)

        keras.utils.set_random_seed(settings.seed)
        mixed = [sample[i] for i in np.random.default_rng(settings.seed).permutation(len(sample))]
        chosen = plan.get("chosen")
        if shape_of is not None and chosen is None:
            chosen = _chosen_in(Path(shape_of), teacher.config)
            copy_frontier(Path(shape_of), folder)
        elif promise is not None and chosen is None:
            trims = not sources and vocab_size is None
            # A copy, whose channels are reordered to and fro.
            copy = _copy(teacher, teacher.config, teacher.dtype_policy)
            chosen = choose_shape(copy, mixed, promise, folder, trims=trims)
        shape: dict[str, Any] = {"groups": 4 if groups is None else groups, "layers": layers}
        if chosen is not None:
            shape = {"layers": chosen.layers, "sizes": chosen.sizes}
            options["table_precision"] = chosen.table_precision
            if chosen.vocab_size < teacher.config.vocab_size:
                teacher = trim_vocabulary(teacher, sample, size=chosen.vocab_size)
        student, kept, order = make_student(teacher, mixed, order=plan.get("order"), **shape)
        if not resume:
            left = budget and max(budget - (time.monotonic() - began) / 60, 0.01)
            plan = {"order": order, "minutes": left, "identity": identity, "chosen": chosen}
            _write_plan(folder, plan)
        student, teacher = (
            _in_precision(model, settings.precision) for model in (student, teacher)
        )
        student.tokenizer = transformer_of(student).tokenizer = teacher.tokenizer
        if pooling is not None:
            student.config.extra["pooling"] = pooling

        options = {**options, "minutes": plan["minutes"] / (bool(texts) + (task is not None))}
        fit = {"callbacks": callbacks, "verbose": verbose}
        if texts:

            def measure() -> dict[str, float]:
                if dev is None or task is None or settings.held_out:
                    return {}
                return evaluate(student, dev, task, **columns).metrics

            place = folder / "texts" if task is not None else folder
            of_texts = {**options, "epochs": text_epochs or settings.epochs}
            result = _learn_texts(
                student, teacher, kept, texts, pooling, place, of_texts, measure, resume, fit
            )
        if task is None or train is None:
            student.save_pretrained(folder)
            result = result._replace(model=student)
        else:
            keras.utils.set_random_seed(settings.seed)
            result = train_on_task(
                student,
                find_task(task, student.config),
                train,
                dev,
                folder,
                TrainingOptions(**options),
                columns=columns,
                teacher=teacher,
                # The plan identifies the teacher as it was before its channels were reordered.
                teacher_identity=True,
                teacher_layers=kept,
                resume=is_begun(folder),
                **fit,
            )
        if promise is not None and chosen is not None:
            error = hidden_error(
                transformer_of(result.model), transformer_of(teacher), Calibration(teacher, mixed)
            )
            on_dev = _measure_on(dev, task, columns)
            path = folder / _FILE
            write_promised(path, promise, chosen.recipe, result.model, bert, error, on_dev)
        return result


def _check_promise(
    promise: Promise | None, groups: Any, layers: Any, task: str | None, dev: Data | None
) -> None:
    if promise is None:
        return
    if (groups, layers) != (None, None):
        raise ValueError("A promise chooses groups and layers: leave these out.")
    if promise.min_metric is None:
        return
    if task is None or dev is None:
        raise ValueError("min_metric needs a task and dev: pass both.")
    metric = find_task(task).metrics[0]
    if metric in FALLING:
        raise ValueError(f"min_metric is for metrics that rise, not for {metric}: leave it out.")


def _chosen_in(folder: Path, config: SqueezeBertConfig) -> Chosen:
    """The shape that was chosen for a promise in a folder.

    Raises:
        ValueError: none was, or it was made of another BERT.
    """
    path = folder / _PLAN_FILE
    try:
        chosen = Chosen.read(read_json(path)["chosen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{folder}' has no {_PLAN_FILE} with a shape that was chosen for a promise: name a "
            "folder that was squeezed to one."
        ) from error
    sizes = config.layer_sizes(0)
    if (
        max(chosen.layers) >= config.num_hidden_layers
        or chosen.vocab_size > config.vocab_size
        or {x.hidden_size for x in chosen.sizes} != {sizes.hidden_size}
        or {x.head_size for x in chosen.sizes} != {sizes.head_size}
    ):
        raise ValueError(
            f"The shape in '{folder}' was chosen for another BERT, whose sizes differ: leave out "
            "shape_of."
        )
    return chosen


def _measure_on(
    dev: Data | None, task: str | None, columns: Mapping[str, Any]
) -> Callable[[Any], float] | None:
    """What measures the task's first metric of a model, or of a file, on examples."""
    if dev is None or task is None:
        return None
    metric = find_task(task).metrics[0]
    return lambda predictor: evaluate(predictor, dev, task, **columns).metrics[metric]


def _teacher(
    model: SqueezeBertPreTrainedModel | str | os.PathLike,
    task: str | None,
    labels: Sequence[str] | None,
) -> tuple[SqueezeBertPreTrainedModel, str | None]:
    """The BERT, and the digest of its weights if it was loaded from a folder or the hub."""
    from ..convert import as_squeezebert, load_pretrained

    digest = None
    if not isinstance(model, keras.Model):
        model = load_pretrained(model)
        digest = digest_weights(model.weights)
    if any(getattr(model.config, name) != 1 for name in GROUPS):
        raise ValueError("The model has groups already: pass a BERT.")
    if model.config.per_layer_config:
        raise ValueError(
            "The model's layers have different shapes (per_layer_config): pass a BERT whose layers "
            "are equal."
        )
    require_tokenizer(model)
    if task is not None:
        model.check_trained()  # checked before it is copied, since a copy does not know
    model = as_squeezebert(model)  # with groups, it can not have another form
    if labels is not None:
        model = _copy(model, _name_labels(model.config, list(labels)), model.dtype_policy)
    if task is None:
        return model, digest
    chosen = find_task(task, model.config)
    if model.architecture != chosen.architecture:
        raise ValueError(
            f"{task} needs a {chosen.architecture}, but the model is a {model.architecture}: "
            "fine-tune it for the task first."
        )
    _check_names(list(model.config.id2label.values()), chosen)
    order = chosen.label_order(model.config)
    names = list(model.config.id2label.values())
    if order is not None and order != names:
        raise ValueError(
            f"The model's labels are {', '.join(names)}, the task's {', '.join(order)}: use a "
            "model whose labels have the task's order."
        )
    return model, digest


def _pooling(given: str | None, teacher: SqueezeBertPreTrainedModel) -> str | None:
    """The pooling by which embeddings are distilled: the given one, or what the model says."""
    if given is not None and given not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {given!r}.")
    if isinstance(teacher.task, Embedding):
        return given or teacher.task.pooling
    if given is not None:
        raise ValueError(
            f"A {teacher.architecture} makes no embeddings: leave out pooling, or pass a model "
            "without a head."
        )
    return None


def _name_labels(config: SqueezeBertConfig, labels: list[str]) -> SqueezeBertConfig:
    if len(labels) != config.num_labels or len(set(labels)) < len(labels):
        raise ValueError(
            f"The labels are {', '.join(labels)}: pass {config.num_labels} different names, in the "
            "order of the model's ids."
        )
    return SqueezeBertConfig.from_dict(config.to_dict(), id2label=dict(enumerate(labels)))


def _check_names(names: list[str], task: Task) -> None:
    """Raises an error with a remedy if a model's labels have other names than the task's."""
    wanted = task.labels or ()
    if len(names) == len(wanted) and task.order_of(names) is None:
        known = ", ".join(task.label_names or wanted)
        raise ValueError(
            f"The model's labels are {', '.join(names)}, those of {task.name} {known}: pass the "
            "latter, in the order of the model's ids, as labels or in a file for --labels, one per "
            "line."
        )


def _read_texts(texts: str | os.PathLike | Iterable[Text] | None) -> list[Text]:
    if not isinstance(texts, str | os.PathLike):
        return list(texts or ())
    return [example["text"] for example in read_text(texts)]


def _count_words(texts: Iterable[Text]) -> int:
    pairs = ((text,) if isinstance(text, str) else text for text in texts)
    return sum(len(text.split()) for pair in pairs for text in pair)


def read_task_texts(
    train: Data,
    task: str,
    teacher: SqueezeBertPreTrainedModel,
    settings: TrainingOptions | None = None,
    **columns: Any,
) -> list[Text]:
    """The texts of a task's file, or of examples, as a model of the task reads them.

    With `settings`, those that its `held_out` holds back are left out.

    Raises:
        ValueError: there is nothing to learn from the examples.
    """
    chosen = find_task(task, teacher.config)
    if isinstance(train, str | os.PathLike):
        labels = list(teacher.config.id2label.values())
        train = read_examples(train, chosen, labels, **columns)
    chosen.check_learnable(train, teacher.config)
    if settings is not None and settings.held_out:
        train, _ = hold_out(train, settings.held_out, settings.seed)
    return [text for example in train for text in chosen.plain_texts(example)]


def _learn_texts(
    student: SqueezeBertPreTrainedModel,
    teacher: SqueezeBertPreTrainedModel,
    kept: Sequence[int],
    texts: Sequence[Text],
    pooling: str | None,
    folder: Path,
    options: Mapping[str, Any],
    measure: Callable[[], dict[str, float]],
    resume: bool,
    fit: Mapping[str, Any],
) -> FineTuned:
    """Distils the hidden states and attention of bare models on texts."""
    ours, theirs = transformer_of(student), transformer_of(teacher)
    if resume and is_finished(folder):
        ours.set_weights(type(ours).from_pretrained(folder).get_weights())
        return FineTuned(student, {}, [])
    settings = TrainingOptions(**options)
    names = ("text", "text_pair")
    pairs = [(text,) if isinstance(text, str) else text for text in texts]
    examples = [dict(zip(names, pair, strict=False)) for pair in pairs]
    train = [x for i, x in enumerate(examples) if i % _HELD_OUT] or examples
    held_out = Calibration(teacher, texts[::_HELD_OUT])

    def evaluator() -> dict[str, float]:
        errors = {"hidden_error": hidden_error(ours, theirs, held_out)}
        if pooling is not None:
            errors["embedding_error"] = embedding_error(ours, theirs, held_out, pooling)
        return {**errors, **measure()}

    pooler, pooler_trains = ours.pooler, False
    if pooler is not None:
        pooler_trains = pooler.trainable
        pooler.trainable = False  # it does not take part in the comparison
    trainee = Distiller(
        ours,
        theirs,
        layers=kept,
        hidden_weight=settings.hidden_weight,
        attention_weight=settings.attention_weight,
        pooling=pooling,
    )
    batches = Batches(ours, find_task("feature-extraction"), settings, train)
    run = Run(
        ours,
        folder,
        batches.steps,
        settings,
        metric="hidden_error" if pooling is None else "embedding_error",
        evaluator=evaluator,
        identity={
            "task": "texts",
            "pooling": pooling,
            "config": ours.config.to_dict(),
            "texts": digest_data(texts),
            "teacher": True,
        },
    )
    result = loop.train(run, trainee, batches, resume=is_begun(folder), **fit)
    if pooler is not None:
        pooler.trainable = pooler_trains
    return result


def _in_precision(model: SqueezeBertPreTrainedModel, precision: str) -> SqueezeBertPreTrainedModel:
    if precision == "float32":
        return model
    return _copy(model, model.config, precision)


def _copy(
    model: SqueezeBertPreTrainedModel, config: SqueezeBertConfig, dtype: str | keras.DTypePolicy
) -> SqueezeBertPreTrainedModel:
    other = type(model)(config, dtype=dtype)
    other.set_weights(model.get_weights())
    other.tokenizer = model.tokenizer
    return other


def _write_plan(folder: Path, plan: Mapping[str, Any]) -> None:
    order = {name: np.asarray(value).tolist() for name, value in plan["order"]._asdict().items()}
    chosen = plan["chosen"] and plan["chosen"]._asdict()
    text = json.dumps({**plan, "order": order, "chosen": chosen}, default=str)
    write_text(folder / _PLAN_FILE, text + "\n")


def _read_plan(
    folder: Path, identity: Mapping[str, Any], config: SqueezeBertConfig
) -> dict[str, Any]:
    """Reads the plan that `_write_plan` wrote.

    Raises:
        ValueError: it is damaged, or belongs to other data, another model, or other options.
    """
    path = folder / _PLAN_FILE
    if not path.is_file():
        raise FileNotFoundError(f"'{folder}' holds no {_PLAN_FILE} to resume: squeeze again.")
    try:
        plan = read_json(path)
        order = Regrouping(**{name: np.array(value) for name, value in plan["order"].items()})
        check_number("minutes", plan["minutes"], whole=False)
        _check_order(order, config)
        chosen = plan.get("chosen") and Chosen.read(plan["chosen"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"'{path}' is damaged: delete it, and squeeze the model again.") from error
    check_identity(plan.get("identity"), identity, folder)
    return {**plan, "order": order, "chosen": chosen}


def _check_order(order: Regrouping, config: SqueezeBertConfig) -> None:
    """Refuses an order that does not contain each channel, head and intermediate channel once."""
    layers = config.num_hidden_layers
    shapes = {
        "channels": (config.hidden_size,),
        "heads": (layers, config.num_attention_heads),
        "intermediates": (layers, config.intermediate_size),
    }
    for name, value in order._asdict().items():
        every = np.broadcast_to(np.arange(shapes[name][-1]), shapes[name])
        if value.dtype.kind != "i" or not np.array_equal(np.sort(value), every):
            raise ValueError(f"{name} is not a permutation.")

"""Squeezes any BERT into a SqueezeBERT: groups weights, corrects them, distils the result."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from ..data import read_text
from ..data.readers import check_repeatable
from ..evaluation import evaluate
from ..models import SqueezeBertPreTrainedModel
from ..ranges import check_number
from ..tasks import find_task, require_tokenizer
from ..training.digests import digest_data, digest_tokenizer, paths_of
from ..training.folder import check_folder, is_begun, own_folder
from ..training.on_task import Data, train_on_task
from ..training.options import SQUEEZING, TrainingOptions
from ..training.run import FineTuned
from .calibration import Text
from .form import Form
from .on_texts import HELD_OUT, train_on_texts
from .plan import PLAN_FILE, Plan
from .promise import Promise, write_promised
from .teacher import load_teacher, pooling_of, read_task_texts

_FILE = "model.tflite"
_HELD_OUT_OF_TRAIN = 0.03  # of what is promised, to choose the best epoch
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
        vocab_size: number of word pieces to keep, those that train uses most, or also the texts if
            train is missing or has few words; see `trim_vocabulary`. The default is all, or those
            that the next three use.
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
    form = Form(
        groups,
        layers,
        promise,
        shape_of,
        positions,
        vocab_size,
        vocab_from,
        languages,
        frequencies,
    )
    form.check(task, dev is not None)
    _check_data(texts, text_epochs, task, train, dev)
    if "minutes" in options:
        raise ValueError("Do not pass minutes: `budget` sets the time limit.")
    check_number("budget", budget, whole=False)
    held_out = {"held_out": _HELD_OUT_OF_TRAIN} if promise and task else {}
    options = {**SQUEEZING, **held_out, **options}
    settings = TrainingOptions(**options)
    if settings.held_out and task is None:
        raise ValueError(
            "held_out is a share of train: leave it out without a task, since one in "
            f"{HELD_OUT} texts is held out anyway."
        )
    files = [path for data in (texts, train, dev) for path in paths_of(data)]
    with own_folder(folder, [model], [*files, *form.files]):
        check_folder(folder, resume, PLAN_FILE)
        check_repeatable(*paths_of(train), *paths_of(dev))
        texts, columns = _read_texts(texts), columns or {}
        if not texts and train is None:
            raise ValueError("There is nothing to learn from: pass texts, or a task and train.")
        bert, digest = load_teacher(model, task, labels)
        identity = {
            "task": task,
            "config": bert.config.to_dict(),
            **form.identity(bert.config),
            "pooling": pooling,
            "text_epochs": text_epochs,
            "columns": columns,
            "budget": budget,
            "options": dataclasses.asdict(settings),
            "texts": digest_data(texts),
            "train": digest_data(train),
            "dev": digest_data(dev),
            "model": digest,
            "tokenizer": digest_tokenizer(require_tokenizer(bert)),
        }
        pooling = pooling_of(pooling, bert)
        plan = Plan.read(folder, identity, bert.config) if resume else None
        sample = _sample(texts, train, task, bert, settings, columns)

        keras.utils.set_random_seed(settings.seed)
        made = form.make(bert, sample, folder, plan, settings.seed)
        if plan is None:
            left = budget and max(budget - (time.monotonic() - began) / 60, 0.01)
            plan = Plan(made.order, made.chosen, left, identity)
            plan.write(folder)
        if made.chosen is not None:
            options["table_precision"] = made.chosen.table_precision
        options["minutes"] = plan.minutes / (bool(texts) + (task is not None))
        made = made.in_precision(settings.precision)
        if pooling is not None:
            made.student.config.extra["pooling"] = pooling

        on_dev = _measure_on(dev, task, columns)
        fit = {"callbacks": callbacks, "verbose": verbose}
        if texts:
            place = folder / "texts" if task is not None else folder
            of_texts = {**options, "epochs": text_epochs or settings.epochs}
            result = train_on_texts(
                made,
                texts,
                place,
                TrainingOptions(**of_texts),
                pooling=pooling,
                measure=None if settings.held_out else on_dev,
                resume=resume,
                **fit,
            )
        if task is None or train is None:
            made.student.save_pretrained(folder)
            result = result._replace(model=made.student)
        else:
            keras.utils.set_random_seed(settings.seed)
            result = train_on_task(
                made.student,
                find_task(task, made.student.config),
                train,
                dev,
                folder,
                TrainingOptions(**options),
                columns=columns,
                teacher=made.teacher,
                # The plan identifies the teacher as it was before its channels were reordered.
                teacher_identity=True,
                teacher_layers=made.layers,
                resume=is_begun(folder),
                **fit,
            )
        if promise is not None and made.chosen is not None:
            recipe, error = made.chosen.recipe, made.error()
            write_promised(folder / _FILE, promise, recipe, result.model, bert, error, on_dev)
        return result


def _check_data(
    texts: Any, text_epochs: int | None, task: str | None, train: Data | None, dev: Data | None
) -> None:
    if (task is None) != (train is None) or (task is None and dev is not None):
        raise ValueError("A task needs train, and train and dev need a task: pass both.")
    if text_epochs is not None:
        check_number("text_epochs", text_epochs, least=1)
        if texts is None:
            raise ValueError("text_epochs is the number of passes over texts: pass these too.")


def _measure_on(
    dev: Data | None, task: str | None, columns: Mapping[str, Any]
) -> Callable[[Any], dict[str, float]] | None:
    """What measures the task's metrics of a model, or of a file, on examples."""
    if dev is None or task is None:
        return None
    return lambda predictor: evaluate(predictor, dev, task, **columns).metrics


def _read_texts(texts: str | os.PathLike | Iterable[Text] | None) -> list[Text]:
    if not isinstance(texts, str | os.PathLike):
        return list(texts or ())
    return [example["text"] for example in read_text(texts)]


def _sample(
    texts: Sequence[Text],
    train: Data | None,
    task: str | None,
    teacher: SqueezeBertPreTrainedModel,
    settings: TrainingOptions,
    columns: Mapping[str, Any],
) -> list[Text]:
    """The texts that decide the word pieces, the shape and the fit."""
    if task is None or train is None:
        return list(texts)
    sample = read_task_texts(train, task, teacher, settings, **columns)
    pairs = ((text,) if isinstance(text, str) else text for text in sample)
    words = sum(len(text.split()) for pair in pairs for text in pair)
    return sample if words >= _ENOUGH_WORDS else [*sample, *texts]

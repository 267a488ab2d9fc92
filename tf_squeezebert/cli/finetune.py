"""`tf-squeezebert finetune`."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable

from . import argument_types as types
from .options import (
    TASK_NAMES,
    add_columns,
    add_processes,
    add_training,
    columns_of,
    join_processes,
    training_of,
    verbosity,
)
from .show import print_metrics


def add(add_parser: Callable) -> None:
    finetune = add_parser(
        "finetune",
        help="trains a model for a task, on files of examples",
        description="Trains a model and keeps its best epoch. OUT gets the model, as this package "
        "and transformers load it, results.json, history.csv and curves.png.",
    )
    finetune.add_argument("model", metavar="MODEL", type=types.name, help="hub id or folder")
    finetune.add_argument("--task", choices=TASK_NAMES, required=True)
    finetune.add_argument("--train", metavar="FILE", type=types.path, required=True)
    finetune.add_argument(
        "--dev", metavar="FILE", type=types.path, help="to choose the best epoch by"
    )
    finetune.add_argument("--out", metavar="FOLDER", type=types.path, required=True)
    finetune.add_argument(
        "--labels", type=types.label_names, metavar="FILE", help="label names, one a line"
    )
    finetune.add_argument(
        "--teacher", metavar="MODEL", type=types.name, help="a fine-tuned model to distil"
    )
    finetune.add_argument("--resume", action="store_true", help="go on with the run in OUT")
    finetune.add_argument(
        "--tensorboard", metavar="FOLDER", type=types.path, help="write logs there"
    )
    add_processes(finetune)
    add_columns(finetune)
    add_training(finetune)
    finetune.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    import keras

    join_processes(options)
    from ..files import check_folder_writable, require_apart
    from ..finetuning import finetune

    callbacks = []
    if options.tensorboard is not None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError("--tensorboard needs TensorBoard: pip install tensorboard.")
        # Its files have new names each time: they take no other's place.
        require_apart(
            options.tensorboard, [options.model, options.teacher], [options.train, options.dev]
        )
        check_folder_writable(options.tensorboard)
        callbacks.append(keras.callbacks.TensorBoard(options.tensorboard))
    result = finetune(
        options.model,
        options.task,
        options.train,
        options.dev,
        options.out,
        labels=options.labels,
        columns=columns_of(options),
        teacher=options.teacher,
        resume=options.resume,
        callbacks=callbacks,
        verbose=verbosity(),
        **training_of(options),
    )
    print_metrics(str(options.out), result.metrics)

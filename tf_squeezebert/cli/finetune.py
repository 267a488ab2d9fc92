"""`tf-squeezebert finetune`."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable

from . import argument_types as types
from .options import (
    DEV_HELP,
    add_columns,
    add_processes,
    add_task,
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
        help="train a model for a task on files of examples",
        description="Train a model for a task, and keep its best epoch. The folder OUT then holds "
        "the model, which this package and transformers can load, results.json, history.csv and "
        "curves.png.",
    )
    finetune.add_argument("model", metavar="MODEL", type=types.name, help="hub id or folder")
    add_task(finetune, required=True)
    finetune.add_argument(
        "--train", metavar="FILE", type=types.path, required=True, help="examples to train on"
    )
    finetune.add_argument("--dev", metavar="FILE", type=types.path, help=DEV_HELP)
    finetune.add_argument(
        "--out", metavar="FOLDER", type=types.path, required=True, help="folder to write"
    )
    finetune.add_argument(
        "--labels",
        type=types.label_names,
        metavar="FILE",
        help="names of the labels in the order of their ids, one per line",
    )
    finetune.add_argument(
        "--teacher",
        metavar="MODEL",
        type=types.name,
        help="a fine-tuned model to learn from (distillation)",
    )
    finetune.add_argument(
        "--resume", action="store_true", help="continue the unfinished run in OUT"
    )
    finetune.add_argument(
        "--tensorboard", metavar="FOLDER", type=types.path, help="folder for TensorBoard logs"
    )
    add_processes(finetune)
    add_columns(finetune)
    add_training(finetune)
    finetune.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    join_processes(options)
    from ..files import check_folder_writable, require_apart
    from ..finetuning import finetune

    callbacks = []
    if options.tensorboard is not None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError("--tensorboard needs TensorBoard: pip install tensorboard.")
        # Its files have new names each time, so they never overwrite others.
        require_apart(
            options.tensorboard, [options.model, options.teacher], [options.train, options.dev]
        )
        check_folder_writable(options.tensorboard)
        import keras

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

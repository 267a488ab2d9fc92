"""Fine-tuning in PyTorch and transformers as `tf-squeezebert finetune` does it: its peer.

    python benchmarks/finetune_pytorch.py MODEL --task sst2 --train FILE --dev FILE --out FOLDER

The batches are the very ones that `tf-squeezebert finetune` trains on with these options and this
seed, and the metrics are measured by the same code. The model, its dropout and new weights, the
gradients, AdamW, the clipping and the schedule are PyTorch's and transformers'. Prints each
epoch's metrics and processor time. Needs the extra `test`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import torch
import transformers

from tf_squeezebert import SqueezeBertTokenizer
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.data import label_names, make_dataset
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.tasks import TASKS, is_better, read_examples

MODELS = {
    "text-classification": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
    "question-answering": transformers.AutoModelForQuestionAnswering,
    "multiple-choice": transformers.AutoModelForMultipleChoice,
    "fill-mask": transformers.AutoModelForMaskedLM,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--task", choices=TASKS, required=True)
    for name in ("train", "dev", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name, default in (
        ("epochs", 3),
        ("batch-size", 32),
        ("learning-rate", 5e-5),
        ("weight-decay", 0.01),
        ("max-length", 0),
        ("seed", 0),
        ("threads", os.cpu_count()),
    ):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


def load(options: argparse.Namespace, labels: list[str] | None, **config: Any) -> torch.nn.Module:
    task = TASKS[options.task]
    config.update(task.config_options(labels))
    return MODELS[task.kind].from_pretrained(options.model, **config).train()


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """transformers' own: no decay of biases and layer norms."""
    groups = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[name.endswith("bias") or "LayerNorm" in name].append(parameter)
    return [
        {"params": groups[False], "weight_decay": weight_decay},
        {"params": groups[True], "weight_decay": 0.0},
    ]


def tensors(batch: tuple) -> dict[str, torch.Tensor]:
    """A batch of ours as a call's arguments."""
    inputs, labels = batch
    named = labels if isinstance(labels, dict) else {"labels": labels}
    result = {name: torch.from_numpy(x).long() for name, x in {**inputs, **named}.items()}
    if not isinstance(labels, dict) and labels.dtype.kind == "f":
        result["labels"] = torch.from_numpy(labels)
    return result


def train(
    model: torch.nn.Module, dataset: Any, steps: int, options: argparse.Namespace
) -> Iterator[float]:
    """Yields the loss of each step."""
    groups = parameter_groups(model, options.weight_decay)
    optimizer = torch.optim.AdamW(groups, options.learning_rate, eps=1e-8)
    warmup = -(-steps // 10)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, steps)
    for _ in range(options.epochs):
        for batch in dataset.as_numpy_iterator():
            loss = model(**tensors(batch)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            yield float(loss.detach())


def main() -> None:
    options = parse()
    task = TASKS[options.task]
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    labels = list(task.labels or ()) or None
    if labels is None and task.has_labels:
        labels = label_names(read_examples(options.train, options.task))
    tokenizer = SqueezeBertTokenizer.from_pretrained(options.model)
    model = load(options, labels)
    dataset = make_dataset(
        read_examples(options.train, options.task, labels),
        tokenizer,
        task.kind,
        batch_size=options.batch_size,
        max_length=options.max_length or task.max_length,
        seed=options.seed,
    )
    epoch_steps = int(dataset.cardinality())
    best: dict[str, float] = {}
    seconds, start, losses = 0.0, time.process_time(), []
    for loss in train(model, dataset, epoch_steps * options.epochs, options):
        losses.append(loss)
        if len(losses) % 100 == 0:
            print(f"step {len(losses)}: loss {sum(losses[-100:]) / 100:.4f}", flush=True)
        if len(losses) % epoch_steps:
            continue
        seconds += time.process_time() - start
        metrics = measure(model, tokenizer, options)
        if is_better(task.metrics[0], metrics[task.metrics[0]], best.get(task.metrics[0])):
            best = metrics
        print(f"epoch {len(losses) // epoch_steps}: {json.dumps(metrics)}, ", end="")
        print(f"{seconds / 60:.1f} processor minutes", flush=True)
        start = time.process_time()
    print(f"best: {json.dumps(best)}")


def measure(
    model: torch.nn.Module, tokenizer: SqueezeBertTokenizer, options: argparse.Namespace
) -> dict[str, float]:
    model.save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)
    ours = load_pretrained(options.out, architecture=TASKS[options.task].architecture)
    return evaluate(ours, options.dev, options.task).metrics


if __name__ == "__main__":
    main()

"""The input pipeline, in rows a second: ours beside datasets and PyTorch, and beside training.

    python benchmarks/input_pipeline.py [--data FOLDER] [--files sst2,mrpc,...] [--rounds 3]
                                        [--batch 32] [--length 128] [--no-training]

A row is what a model takes at once: an example, or a window of a long one. On the same file, batch
size and longest row, each in turn, over the first epoch, the file's opening included, and over a
later one:

    ours            tf_squeezebert.data.make_dataset
    datasets, N     datasets.load_dataset and map(batched=True), transformers' tokenizer, collators
                    and LengthGroupedSampler, torch's DataLoader with N worker processes. Masked LM
                    is as in transformers' run_mlm.py: it masks tokens, and ours whole words

Then `fit` of the smallest sensible model, from the pipeline and from memory. CPU seconds are those
of all threads and workers: what the pipeline takes of them is lost to training on the same cores.

FOLDER holds files as FILES below names them; without it, our own sentences are repeated. Needs the
extra `test`, and for the comparison `pip install datasets`.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.util
import itertools
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# As by default; said, so that the Rust tokenizer does not warn of the workers, which do not use it.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import numpy as np
import tensorflow as tf
import torch
import transformers
from transformers.trainer_pt_utils import LengthGroupedSampler

import tf_squeezebert
from tf_squeezebert import data

ROOT = Path(__file__).resolve().parents[1]
PEER = "datasets"
WORKERS = (0, 2)
PACKAGES = ("tensorflow", "keras", "tokenizers", "torch", "transformers", "datasets")
REPEATED = 40  # times: our sentences
EPOCHS = ("first", "later")


class File(NamedTuple):
    """A file of examples.

    Attributes:
        path: in the folder.
        task: of `make_dataset`.
        read: its reader.
        head: of our model.
        fitted: how many of its examples are trained on, for a few seconds.
        columns: for the peer: of texts and label; () for lines of text; None where it has no part.
        num_labels: of our model.
    """

    path: str
    task: str
    read: Callable[[Path], data.Examples]
    head: str
    fitted: int
    columns: tuple[str, ...] | None = None
    num_labels: int = 2


def read_tags(path: Path) -> data.Examples:
    return data.read_conll(path, data.label_names(data.read_conll(path)))


FILES = {
    "sst2": File(
        "sst2/train.tsv",
        "text-classification",
        functools.partial(data.read_glue, task="sst2"),
        "SequenceClassification",
        fitted=2000,
        columns=("sentence", "label"),
    ),
    "mrpc": File(
        "mrpc/train.tsv",
        "text-classification",
        functools.partial(data.read_glue, task="mrpc"),
        "SequenceClassification",
        fitted=1000,
        columns=("#1 String", "#2 String", "Quality"),
    ),
    "wikitext2": File(
        "wikitext2/train_1mb.txt", "fill-mask", data.read_text, "MaskedLM", fitted=50, columns=()
    ),
    "wnut17": File(
        "wnut17/train.conll",
        "token-classification",
        read_tags,
        "TokenClassification",
        fitted=1500,
        num_labels=13,
    ),
    "squad": File(
        "squad/dev_v2.json", "question-answering", data.read_squad, "QuestionAnswering", fitted=200
    ),
    "commonsenseqa": File(
        "commonsenseqa/train.jsonl",
        "multiple-choice",
        data.read_commonsense_qa,
        "MultipleChoice",
        fitted=400,
    ),
}


class Cost(NamedTuple):
    seconds: float
    cpu: float


class Measured(NamedTuple):
    """A contender's rows an epoch, the share of padding, and median costs of epochs by name."""

    rows: int
    padding: float
    costs: dict[str, Cost]

    def speed(self, name: str) -> float:
        return self.rows / self.costs[name].seconds


# The contenders: each opens the file, and returns what gives the batches of an epoch after another


def open_ours(
    file: File, path: Path, options: argparse.Namespace, limit: int | None = None
) -> tf.data.Dataset:
    """Of the first `limit` examples."""
    examples = data.Examples([path], lambda path: itertools.islice(file.read(path), limit))
    return data.make_dataset(
        examples,
        tf_squeezebert.SqueezeBertTokenizer(options.vocabulary),
        file.task,
        batch_size=options.batch,
        max_length=options.length,
    )


def open_theirs(
    file: File, path: Path, options: argparse.Namespace, scratch: Path, workers: int
) -> torch.utils.data.DataLoader:
    tokenizer = transformers.BertTokenizer(str(options.vocabulary))
    if file.columns:
        tokenized, collator = tokenized_table, transformers.DataCollatorWithPadding(tokenizer)
    else:
        tokenized = tokenized_lines
        collator = transformers.DataCollatorForLanguageModeling(tokenizer)
    # Each in a separate folder, or it would find what the one before has tokenized.
    rows = tokenized(file, path, tokenizer, options.length, tempfile.mkdtemp(dir=scratch))
    return torch.utils.data.DataLoader(
        rows.remove_columns("length"),
        options.batch,
        sampler=LengthGroupedSampler(options.batch, lengths=list(rows["length"])),
        collate_fn=collator,
        num_workers=workers,
    )


def tokenized_table(file: File, path: Path, tokenizer: Any, length: int, cache: str) -> Any:
    import datasets

    *texts, label = file.columns
    table = datasets.load_dataset(
        "csv",
        data_files=str(path),
        split="train",
        cache_dir=cache,
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        encoding="utf-8-sig",
        usecols=[*texts, label],
    ).rename_column(label, "labels")

    def tokenize(rows: dict[str, list]) -> dict[str, list]:
        columns = (rows[name] for name in texts)
        return tokenizer(*columns, truncation=True, max_length=length, return_length=True)

    return table.map(tokenize, batched=True, remove_columns=texts)


def tokenized_lines(file: File, path: Path, tokenizer: Any, length: int, cache: str) -> Any:
    import datasets

    lines = datasets.load_dataset("text", data_files=str(path), split="train", cache_dir=cache)

    def tokenize(rows: dict[str, list]) -> dict[str, list]:
        texts = [text for text in rows["text"] if text.strip()]
        return tokenizer(texts, return_special_tokens_mask=True)

    def pack(rows: dict[str, list]) -> dict[str, list]:
        joined = {name: list(itertools.chain.from_iterable(x)) for name, x in rows.items()}
        starts = range(0, len(joined["input_ids"]) - length + 1, length)
        packed = {name: [x[i : i + length] for i in starts] for name, x in joined.items()}
        return {**packed, "length": [length] * len(starts)}

    return lines.map(tokenize, batched=True, remove_columns="text").map(pack, batched=True)


# Measuring


def measure(contenders: dict[str, Callable[[], Iterable]], rounds: int) -> dict[str, Measured]:
    """Costs of the first epoch, with opening the file, and of a later one."""
    counts = {name: count(epoch(opened())) for name, opened in contenders.items()}  # warms up, too
    costs = {name: {"first": [], "later": []} for name in contenders}
    for _ in range(rounds):
        for name, opened in contenders.items():
            cost, batches = cost_of(lambda opened=opened: epoch(opened()))
            costs[name]["first"].append(cost)
            costs[name]["later"].append(cost_of(lambda batches=batches: epoch(batches))[0])
    return {name: Measured(*counts[name], medians(costs[name])) for name in contenders}


def measure_fit(
    file: File, opened: Callable[[], tf.data.Dataset], vocab_size: int, rounds: int
) -> Measured:
    """Costs of an epoch of `fit`: a file's first one, a later one, and one from memory."""
    model = make_model(file, vocab_size)
    dataset = opened()
    memory = dataset.cache().prefetch(tf.data.AUTOTUNE)
    counts = count(memory)  # and so it is cached
    fit = functools.partial(model.fit, verbose=0, shuffle=False)  # without, Keras warns
    fit(memory)  # traces the step
    feeds = {"memory": lambda: memory, "first": opened, "later": lambda: dataset}
    costs = {name: [] for name in feeds}
    for _ in range(rounds):
        for name, feed in feeds.items():
            costs[name].append(cost_of(lambda feed=feed: fit(feed()))[0])
    return Measured(*counts, medians(costs))


def make_model(file: File, vocab_size: int) -> tf_squeezebert.SqueezeBertPreTrainedModel:
    config = tf_squeezebert.SqueezeBertConfig(
        vocab_size=vocab_size,
        num_hidden_layers=2,
        hidden_size=128,
        num_attention_heads=4,
        intermediate_size=512,
        num_labels=file.num_labels,
    )
    model = getattr(tf_squeezebert, f"SqueezeBertFor{file.head}")(config)
    model.compile()
    return model


@tf.function
def drain(dataset: tf.data.Dataset) -> None:
    for _ in dataset:
        pass


def epoch(batches: Iterable) -> Iterable:
    """Goes through the batches as training does: ours in a graph, others' in Python."""
    if isinstance(batches, tf.data.Dataset):
        drain(batches)
    else:
        for _ in batches:
            pass
    return batches


def count(batches: Iterable) -> tuple[int, float]:
    """An epoch's rows, and how much of its tokens is padding."""
    rows, real, tokens = 0, 0, 0
    for batch in batches:
        inputs = batch[0] if isinstance(batch, tuple) else batch
        mask = np.asarray(inputs["attention_mask"])
        rows, real, tokens = rows + len(mask), real + mask.sum(), tokens + mask.size
    return rows, 1 - real / tokens


def cost_of(run: Callable[[], Any]) -> tuple[Cost, Any]:
    """What a call takes, its threads and the processes that it started included; and its result."""
    start, cpu = time.perf_counter(), sum(os.times()[:4])
    result = run()
    return Cost(time.perf_counter() - start, sum(os.times()[:4]) - cpu), result


def medians(costs: dict[str, list[Cost]]) -> dict[str, Cost]:
    return {name: Cost(*np.median(values, axis=0).tolist()) for name, values in costs.items()}


# Tables


def print_epochs(contenders: dict[str, Measured]) -> None:
    """Ratios are to the peer without workers."""
    print(f"  {'':<22}{'first epoch':>28}{'later epoch':>28}")
    print(f"  {'':<22}" + 2 * f"{'rows/s':>9}{'ratio':>7}{'CPU s/1000':>12}" + f"{'padding':>9}")
    peer = contenders.get(peer_name(0))
    for name, measured in contenders.items():
        row = f"  {name:<22}"
        for which in EPOCHS:
            speed, cpu = measured.speed(which), measured.costs[which].cpu
            row += f"{speed:9.0f}" + (f"{speed / peer.speed(which):7.2f}" if peer else f"{'':7}")
            row += f"{1000 * cpu / measured.rows:12.3f}"
        print(f"{row}{measured.padding:9.1%}", flush=True)


def print_training(pipelines: dict[str, Measured], fits: dict[str, Measured]) -> None:
    titles = "".join(f"{title:>24}" for title in ("pipeline's rows/s", "seconds of fit", "CPU s"))
    print(
        "\nfit of SqueezeBERT, 2 layers, 128 wide, 4 groups, from the pipeline; ratios to memory's"
    )
    print(f"  {'':<16}{'rows/s':>12}{titles}")
    print(f"  {'':<16}{'from memory':>12}" + 3 * f"{'first epoch':>16}{'later':>8}")
    for name, fit in fits.items():
        memory = fit.costs["memory"]
        ratios = [pipelines[name].speed(which) / fit.speed("memory") for which in EPOCHS]
        ratios += [fit.costs[which].seconds / memory.seconds for which in EPOCHS]
        ratios += [fit.costs[which].cpu / memory.cpu for which in EPOCHS]
        cells = "".join(
            f"{x:16.2f}{y:8.2f}" for x, y in zip(ratios[::2], ratios[1::2], strict=True)
        )
        print(f"  {name:<16}{fit.speed('memory'):12.0f}{cells}")
    slow = [
        name
        for name, fit in fits.items()
        if min(map(pipelines[name].speed, EPOCHS)) <= fit.speed("memory")
    ]
    end = f"missed by {', '.join(slow)}" if slow else "reached"
    print(f"  The goal, a pipeline that gives more rows a second than this model takes, is {end}.")


def peer_name(workers: int) -> str:
    return f"{PEER}, {workers} workers"


def describe_machine() -> str:
    info = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    machine = f"{[*models, platform.machine()][0]}, {os.cpu_count()} cores"
    return f"{machine}; Python {platform.python_version()}, {', '.join(versions)}"


# The program


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER")
    parser.add_argument("--files", help="separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=128, help="tokens a row, at most")
    parser.add_argument("--training", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "tests/fixtures/vocab.txt")
    options = parser.parse_args()
    everything = FILES if options.data else ("sst2",)
    options.files = options.files.split(",") if options.files else list(everything)
    if unknown := ", ".join(set(options.files) - set(FILES)):
        parser.error(f"unknown file {unknown}: choose from {', '.join(FILES)}.")
    return options


def write_sentences(folder: Path) -> Path:
    """Our own sentences, as often as they make a file of a usual size, in SST-2's place."""
    header, *rows = (ROOT / "examples/reviews.tsv").read_text(encoding="utf-8").splitlines(True)
    path = folder / FILES["sst2"].path
    path.parent.mkdir()
    path.write_text(header + "".join(rows * REPEATED), encoding="utf-8")
    return folder


def contenders_of(
    file: File, path: Path, options: argparse.Namespace, scratch: Path
) -> dict[str, Callable[[], Iterable]]:
    contenders = {"ours": functools.partial(open_ours, file, path, options)}
    if importlib.util.find_spec(PEER) and file.columns is not None:
        for workers in WORKERS:
            contenders[peer_name(workers)] = functools.partial(
                open_theirs, file, path, options, scratch, workers
            )
    return contenders


def run(folder: Path, options: argparse.Namespace, scratch: Path) -> None:
    vocab_size = len(tf_squeezebert.SqueezeBertTokenizer(options.vocabulary))
    pipelines, fits = {}, {}
    for name in options.files:
        file, path = FILES[name], folder / FILES[name].path
        if not path.is_file():
            print(f"\n{file.path} is skipped: '{folder}' has none.")
            continue
        measured = measure(contenders_of(file, path, options, scratch), options.rounds)
        pipelines[name] = measured["ours"]
        print(f"\n{file.task}, {file.path}: {measured['ours'].rows} rows")
        print_epochs(measured)
        if options.training:
            part = functools.partial(open_ours, file, path, options, file.fitted)
            fits[name] = measure_fit(file, part, vocab_size, options.rounds)
    if fits:
        print_training(pipelines, fits)


def main() -> None:
    options = read_options()
    print(describe_machine())
    shape = f"batches of {options.batch}, rows of at most {options.length} tokens"
    print(f"{shape}; medians of {options.rounds} rounds")
    if importlib.util.find_spec(PEER):
        import datasets

        datasets.disable_progress_bars()
    else:
        print(f"{PEER} is not compared: pip install {PEER} brings it.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data
        if folder is None:
            folder = write_sentences(Path(scratch))
            print(f"Without --data, {REPEATED} times examples/reviews.tsv is {FILES['sst2'].path}.")
        run(folder, options, Path(scratch))


if __name__ == "__main__":
    main()

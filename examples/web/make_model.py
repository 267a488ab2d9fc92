"""The model of the page: all-MiniLM-L6-v2 learns whether a sentence is positive or negative.

    python examples/web/make_model.py [FILE.tflite]

Fine-tunes on examples/reviews.tsv but its last 40 sentences, a minute or two, and exports for
MediaPipe as model.tflite, beside the page. With a FILE, an export of yours, the page shows that
instead; delete model.tflite to have this one again.
"""

import csv
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

HERE = Path(__file__).parent
OUTPUT = HERE / "model.tflite"
LABELS = {0: "negative", 1: "positive"}
HELD_OUT = 40
EPOCHS = 6


def read_reviews() -> tuple[list[str], np.ndarray]:
    """The sentences and their labels, 0 or 1."""
    with open(HERE.parent / "reviews.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], np.array([int(row["label"]) for row in rows])


def make_model(output: Path) -> None:
    """Fine-tunes, exports, and prints how often the file is right on the held-out sentences."""
    import keras

    from tf_squeezebert import SqueezeBertForSequenceClassification, predict
    from tf_squeezebert.tflite import Runtime, export

    sys.path.append(str(HERE.parent))
    from demo import model_folder

    keras.utils.set_random_seed(0)
    sentences, labels = read_reviews()
    model = SqueezeBertForSequenceClassification.from_pretrained(model_folder(), id2label=LABELS)
    inputs = model.tokenizer(sentences[:-HELD_OUT], padding=True, return_tensors="np")
    model.compile()
    print(f"Fine-tuning on {len(sentences) - HELD_OUT} sentences ...", flush=True)
    model.fit(inputs, labels[:-HELD_OUT], batch_size=8, epochs=EPOCHS, verbose=2)
    print(f"Exporting to {output} ...", flush=True)
    export(model, output, target="mediapipe", quantize="int8")
    runtime = Runtime(output)
    answers = [predict(runtime, sentence)["label"] for sentence in sentences[-HELD_OUT:]]
    truth = [LABELS[label] for label in labels[-HELD_OUT:]]
    right = sum(map(str.__eq__, answers, truth))
    print(f"The file is right on {right} of {HELD_OUT} sentences that it has not seen.")


def main(given: str | None = None) -> None:
    if given:
        if not Path(given).is_file():
            sys.exit(f"There is no file '{given}' to show: export one with target=\"mediapipe\".")
        shutil.copyfile(given, OUTPUT)
    elif not OUTPUT.exists():
        make_model(OUTPUT)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a fault is tried on: small models in every form, a file of each task, and right answers.

`build` makes all of it once, in some ten seconds; each case gets another copy.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import string
from pathlib import Path
from typing import Any

HEADS = {
    "SqueezeBertModel": ("a good film",),
    "SqueezeBertForMaskedLM": ("a [MASK] film",),
    "SqueezeBertForSequenceClassification": ("a good film",),
    "SqueezeBertForMultipleChoice": ("a film", "good", "bad and sad", "seen"),
    "SqueezeBertForTokenClassification": ("a good film in rome",),
    "SqueezeBertForQuestionAnswering": ("was it seen ?", "a bad film was seen in rome ."),
}
CLASSIFIER = "SqueezeBertForSequenceClassification"
WORDS = [
    "good",
    "bad",
    "film",
    "was",
    "seen",
    "in",
    "rome",
    "paris",
    "is",
    "it",
    "and",
    "sad",
    "funny",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*string.ascii_lowercase, *string.digits, *".,?!'-"]
VOCAB = [*SPECIAL, *LETTERS, *(f"##{x}" for x in LETTERS), *WORDS]
CONFIG = {
    "vocab_size": len(VOCAB),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
LABELS = {
    CLASSIFIER: ["negative", "positive"],
    "SqueezeBertForTokenClassification": ["O", "B-place"],
}
FILES = {
    "sst2.tsv": "sentence\tlabel\na good film\t1\na bad film\t0\nsad\t0\nfunny\t1\n",
    "reviews.csv": "text,label\na good film,positive\na bad film,negative\nsad,negative\n",
    "places.conll": "seen\tO\nin\tO\nrome\tB-place\n\nin\tO\nparis\tB-place\n",
    "questions.json": json.dumps(
        {
            "data": [
                {
                    "paragraphs": [
                        {
                            "context": "a film was seen in rome .",
                            "qas": [
                                {
                                    "id": "1",
                                    "question": "was it seen ?",
                                    "answers": [{"text": "rome", "answer_start": 19}],
                                }
                            ],
                        }
                    ]
                }
            ]
        }
    ),
    "choices.jsonl": json.dumps(
        {
            "question": {
                "stem": "a film",
                "choices": [{"label": "A", "text": "good"}, {"label": "B", "text": "bad"}],
            },
            "answerKey": "A",
        }
    )
    + "\n",
    "swag.csv": "sent1,sent2,ending0,ending1,ending2,ending3,label\na film,it,is,was,and,in,1\n",
    "plain.txt": "a good film was seen in rome .\nit is sad\n",
}


def build(folder: Path) -> None:
    """Writes the models, as folders by class and as .tflite files, examples, and right answers."""
    import keras

    import tf_squeezebert
    from tf_squeezebert.tflite import export

    keras.utils.set_random_seed(0)
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    answers = {}
    for name, texts in HEADS.items():
        config = tf_squeezebert.SqueezeBertConfig(**CONFIG)
        if name in LABELS:
            named = {"id2label": dict(enumerate(LABELS[name]))}
            config = tf_squeezebert.SqueezeBertConfig(**CONFIG, **named)
        model = getattr(tf_squeezebert, name)(config)
        model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(
            folder / "vocab.txt", model_max_length=CONFIG["max_position_embeddings"]
        )
        model.save_pretrained(folder / name)
        answers[name] = tf_squeezebert.predict(model, *map(listed, texts))
        if name in (CLASSIFIER, "SqueezeBertForTokenClassification"):
            export(model, folder / f"{name}.tflite")
        if name == CLASSIFIER:
            model.save(folder / "model.keras")
    (folder / "answers.json").write_text(json.dumps(answers))


RUN = (
    *("finetune", CLASSIFIER, "--task", "sst2", "--train", "sst2.tsv", "--dev", "sst2.tsv"),
    *("--out", "run", "--batch-size", "2", "--epochs", "2", "--save-steps", "1"),
)


def interrupt(folder: Path) -> None:
    """Leaves in `run` a run of training that was killed once it had saved its state."""
    from tf_squeezebert import cli
    from tf_squeezebert.training import run

    save = run.save_state

    def save_and_die(*arguments: Any) -> None:
        save(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    run.save_state = save_and_die
    os.chdir(folder)
    cli.main([*RUN])


def listed(text: str) -> list[str]:
    return [text]


class Room:
    """One case's copy of what `build` made, and how it is used.

    Attributes:
        path: the folder; a case reads and damages what is in it.
        out: a folder in it that a case may write to; `run` is another, an interrupted training's.
    """

    def __init__(self, source: Path, path: Path):
        shutil.copytree(source, path)
        self.path, self.out = path, path / "out"
        self.model = path / CLASSIFIER  # the folder of the model that most cases use
        self.file = path / f"{CLASSIFIER}.tflite"
        self.answers = json.loads((path / "answers.json").read_text())

    def load(self, source: Path | None = None, name: str = CLASSIFIER, **options: Any) -> Any:
        import tf_squeezebert

        return getattr(tf_squeezebert, name).from_pretrained(source or self.path / name, **options)

    def runtime(self, file: Path | None = None, **options: Any) -> Any:
        from tf_squeezebert.tflite import Runtime

        return Runtime(file or self.file, **options)

    def right(self, model: Any, name: str = CLASSIFIER) -> None:
        """Raises AssertionError unless the model gives the answers of the undamaged one."""
        from tf_squeezebert import predict

        same(predict(model, *map(listed, HEADS[name])), self.answers[name])


def same(got: Any, want: Any) -> None:
    """Raises AssertionError unless two answers are equal, numbers to 1e-4."""
    if isinstance(want, dict):
        assert set(got) == set(want), f"keys {sorted(got)}, not {sorted(want)}"
        for key, value in want.items():
            same(got[key], value)
    elif isinstance(want, list):
        assert len(got) == len(want), f"{len(got)} parts, not {len(want)}"
        for one, other in zip(got, want, strict=True):
            same(one, other)
    elif isinstance(want, float):
        assert abs(got - want) <= 1e-4, f"{got}, not {want}"
    else:
        assert got == want, f"{got!r}, not {want!r}"

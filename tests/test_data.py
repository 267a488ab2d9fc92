"""Readers of files of examples, and the batches that `fit` gets of them."""

from __future__ import annotations

import gzip
import json
import os
from itertools import chain
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_squeezebert
from tf_squeezebert import data

from .configs import small_config
from .tiers import some

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.fixture(scope="module")
def tokenizer():
    return tf_squeezebert.SqueezeBertTokenizer(VOCAB)


def written(folder: Path, content: str, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


# Readers: GLUE's forms are read in test_evaluation.py too


def test_glue(tmp_path):
    path = written(
        tmp_path, '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t2\t3\tA "\tB\n'
    )
    examples = data.read_glue(path, "mrpc")
    expected = [{"text": 'A "', "text_pair": "B", "label": 1}]
    assert list(examples) == expected
    assert list(examples) == expected, "each loop reads anew"
    scores = written(tmp_path, "sentence1\tsentence2\tscore\nA\tB\t3.25\n")
    assert next(iter(data.read_glue(scores, "stsb")))["label"] == 3.25
    with pytest.raises(ValueError, match="'sst5' is unknown: choose one of cola"):
        data.read_glue(path, "sst5")


def test_csv(tmp_path):
    content = 'review,other,stars\n"Good,\n""really""",,4.5\n\nBad,x,1\n'
    path = written(tmp_path, content)
    written_as = [{"text": 'Good,\n"really"', "label": "4.5"}, {"text": "Bad", "label": "1"}]
    assert list(data.read_csv(path, "review", label="stars")) == written_as
    ids = data.read_csv(path, "review", label="stars", labels=["1", "4.5"])
    assert [example["label"] for example in ids] == [1, 0]
    scores = data.read_csv(path, "review", label="stars", labels=float)
    assert [example["label"] for example in scores] == [4.5, 1.0]
    assert list(data.read_csv(path, "review", label=None))[1] == {"text": "Bad"}
    pairs = written(tmp_path, "a;b;rude;loud\nX;Y;1;0\n")
    several = data.read_csv(pairs, "a", "b", label=["rude", "loud"], delimiter=";")
    assert list(several) == [{"text": "X", "text_pair": "Y", "label": [1.0, 0.0]}]


def test_jsonl(tmp_path):
    path = written(tmp_path, '{"q": "A", "c": "B", "y": "no"}\n\n{"q": "C", "c": "D", "y": 1}\n')
    assert list(data.read_jsonl(path, "q", "c", "y", ["1", "no"])) == [
        {"text": "A", "text_pair": "B", "label": 1},
        {"text": "C", "text_pair": "D", "label": 0},
    ]
    several = written(tmp_path, '{"text": "A", "label": ["x", "z"]}\n{"text": "B", "label": []}\n')
    labels = [example["label"] for example in data.read_jsonl(several, labels=["x", "y", "z"])]
    assert labels == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert data.label_names(data.read_jsonl(several)) == ["x", "z"]


SENTENCE = ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "O"]


@pytest.mark.parametrize(
    "tags",
    [
        SENTENCE,
        ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER", "O"],  # IOB1
        ["B-PER", "E-PER", "S-PER", "O", "S-LOC", "S-PER", "O"],  # BIOES
        ["B-PER", "L-PER", "U-PER", "O", "U-LOC", "U-PER", "O"],  # BILOU
    ],
)
def test_conll_becomes_bio(tags, tmp_path):
    words = ["Ann", "Lee", "Bob", "#met", "Rome's", "Cy", "."]
    lines = [f"{word} NN {tag}\n" for word, tag in zip(words, tags, strict=True)]
    content = "-DOCSTART- -X- O\n\n" + "".join(lines) + "\n\nHi UH O\n"
    examples = data.read_conll(written(tmp_path, content))
    hi = {"tokens": ["Hi"], "ner_tags": ["O"]}
    assert list(examples) == [{"tokens": words, "ner_tags": SENTENCE}, hi]
    names = data.label_names(examples)
    assert names == ["O", "B-LOC", "B-PER", "I-PER"]
    ids = next(iter(data.read_conll(written(tmp_path, content), names)))["ner_tags"]
    assert [names[i] for i in ids] == SENTENCE
    speech = list(data.read_conll(written(tmp_path, content), tag_column=1))[1]["ner_tags"]
    assert speech == ["UH"]


def test_conll_with_tabs_and_blank_lines_that_are_not_empty(tmp_path):
    content = "New York\tB-LOC\n\u00a0\tO\n\t\r\nHi\tO\r\n"
    assert list(data.read_conll(written(tmp_path, content))) == [
        {"tokens": ["New York", "\u00a0"], "ner_tags": ["B-LOC", "O"]},
        {"tokens": ["Hi"], "ner_tags": ["O"]},
    ]


def squad(questions: list[dict], context: str = "Ann met Bob in Rome.") -> str:
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": questions}]}]})


def test_squad(tmp_path):
    answered = {
        "id": "1",
        "question": " Who?",
        "answers": [{"text": "Bob", "answer_start": 8}, {"text": "Ann", "answer_start": 0}],
    }
    plausible = {"plausible_answers": [{"text": "Ann", "answer_start": 0}]}
    none = {"id": "2", "question": "Why?", "answers": [], "is_impossible": True, **plausible}
    first, second = data.read_squad(written(tmp_path, squad([answered, none])))
    assert first == {
        "id": "1",
        "question": "Who?",
        "context": "Ann met Bob in Rome.",
        "answers": {"text": ["Bob", "Ann"], "answer_start": [8, 0]},
    }
    assert second["answers"] == {"text": [], "answer_start": []}


SWAG = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source," + (
    "ending0,ending1,ending2,ending3,label\n"
    '0,v,1,Ann runs. She,Ann runs.,She,gold,"stops, then.",b.,c.,d.,2\n'
)


def test_choices(tmp_path):
    assert list(data.read_swag(written(tmp_path, SWAG))) == [
        {
            "text": "Ann runs.",
            "choices": ["She stops, then.", "She b.", "She c.", "She d."],
            "label": 2,
        }
    ]
    choices = [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}]
    question = {"question": {"stem": "Where?", "choices": choices}, "answerKey": "B", "id": "x"}
    path = written(tmp_path, json.dumps(question) + "\n")
    expected = [{"text": "Where?", "choices": ["bank", "mall"], "label": 1}]
    assert list(data.read_commonsense_qa(path)) == expected


def test_text(tmp_path):
    paths = [written(tmp_path, " = A =\n\n\tB c\r\n", "a"), written(tmp_path, "D", "b")]
    assert [example["text"] for example in data.read_text(*paths)] == ["= A =", "B c", "D"]


def test_readers_stream(tmp_path):
    """What comes after the examples asked for is not read."""
    path = written(tmp_path, "text,label\n" + "good,1\n" * 20_000 + "bad\n")
    examples = iter(data.read_csv(path, labels=["0", "1"]))
    assert next(examples) == {"text": "good", "label": 1}
    with pytest.raises(ValueError, match="line 20002: a text or its label is missing"):
        list(examples)


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (data.read_csv, "", "'.*file' has no column label, text, which read_csv needs"),
        (data.read_csv, "text,label\n", "'.*file' holds no examples"),
        (data.read_csv, 'text,label\n"a\nb",1\n"c\nd",\n', "file', line 4: a text or its label"),
        (data.read_csv, "text,label\na, b,1\n", "file', line 2: there are more columns"),
        (data.read_csv, 'text,label\na,1\n"b,1\n', "file', line 3: unexpected end of data"),
        (
            lambda p: data.read_csv(p, labels=["x"]),
            "text,label\na,y\n",
            "line 2: 'y' is not one of x",
        ),
        (
            lambda p: data.read_csv(p, labels=float),
            "text,label\na,nan\n",
            "line 2: 'nan' is not a nu",
        ),
        (data.read_jsonl, '{"text": "a", "label": 1}\n{"text"\n', "line 2 is not valid JSON: Exp"),
        (data.read_jsonl, '{"text": "a"}\n', "file', line 1: there is no 'label'"),
        (data.read_jsonl, '{"text": 5, "label": 1}\n', "line 1: text is 5, not a text"),
        (data.read_jsonl, '["a", 1]\n', "line 1 should hold a JSON object, and holds a l"),
        (data.read_conll, "a O\nb\n", "line 2: 'b': expected 2 columns, as above"),
        (data.read_conll, "\tO\n", "line 1: 'O': expected 2 columns"),
        (
            lambda p: data.read_conll(p, BIO),
            "a O\n\nb I-ORG\n",
            "line 3: 'B-ORG' is not one of O, B-",
        ),
        (data.read_squad, "{", "file' is not in SQuAD's format: it is not valid JSON: Exp"),
        (data.read_squad, '{"version": 2}', "is not in SQuAD's format: there is no 'data'"),
        (data.read_squad, squad([{"id": "q7", "question": "?"}]), "question q7: there is no 'answ"),
        (
            data.read_squad,
            squad([{"id": "q7", "question": "?", "answers": [{"text": "b", "answer_start": 0}]}]),
            "file', question q7: the context has no 'b' at 0",
        ),
        (
            data.read_squad,
            squad(["?"]),
            "paragraph 1, question 1: the JSON has an unexpected structure",
        ),
        (data.read_swag, SWAG.replace(",2\n", ",4\n"), "line 2: '4' is not one of 0, 1, 2, 3"),
        (data.read_commonsense_qa, '{"answerKey": "A"}\n', "line 1: there is no 'question'"),
        (data.read_text, "\n \n", "file' holds no examples"),
    ],
)
def test_a_bad_row_is_named(read, content, message, tmp_path):
    with pytest.raises(ValueError, match=message) as error:
        list(read(written(tmp_path, content)))
    assert "\n" not in str(error.value)


TWO_CHOICES = [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}]


def commonsense(choices=TWO_CHOICES, **values) -> str:
    question = {"question": {"stem": "Where?", "choices": choices}, "answerKey": "B", **values}
    return json.dumps(question) + "\n"


def answered(**values) -> str:
    answer = {"text": "Bob", "answer_start": 8}
    answer.update((name, values.pop(name)) for name in list(values) if name in answer)
    return squad([{"id": "q7", "question": "Who?", "answers": [answer], **values}])


def labelled(label: str) -> str:
    """A line of JSON after a good one."""
    return f'{{"text": "a", "label": "x"}}\n{{"text": "b", "label": {label}}}\n'


def scored(path):
    return data.read_jsonl(path, labels=float)


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        # Tables
        (data.read_csv, "text,label,text\na,1,b\n", "line 1: two columns have the name text"),
        (
            data.read_csv,
            "text,label,note\na,1\n",
            "line 2: there are fewer columns than in the head",
        ),
        (data.read_csv, 'text,label\na,1\n\n"b,1\nc,2\nd,3\n', "line 4 up to line 6, through a qu"),
        (
            data.read_csv,
            'text,label\n"b,1\n"c",2\n',
            "line 2 up to line 3, through a quote: ',' exp",
        ),
        (
            data.read_csv,
            "text,label\n" + "a" * 200_000 + ",1\n",
            "line 2: field larger than field l",
        ),
        (data.read_csv, 'text,label\n"' + "a,1\n" * 90_000, "line 2 up to line .*: field larger"),
        (data.read_csv, "text,label\na, x\n", "line 2: the label ' x' is empty, or has spaces"),
        (data.read_csv, "text,label\na,x\0\n", "is not in UTF-8: line 2 has NUL bytes"),
        (
            lambda p: data.read_glue(p, "sst2"),
            "sentence\tlabel\na\tb\t1\n",
            "line 2: there are more",
        ),
        (lambda p: data.read_glue(p, "sst2"), "label\tsentence\na\t1\n", "'a' is not one of 0, 1"),
        (
            lambda p: data.read_glue(p, "stsb"),
            "sentence1\tsentence2\tscore\na\tb\tinf\n",
            "'inf' is no",
        ),
        # JSON lines
        (data.read_jsonl, labelled("true"), "line 2: the label True is neither a name nor a whole"),
        (data.read_jsonl, labelled("1.5"), "line 2: the label 1.5 is neither"),
        (data.read_jsonl, labelled("null"), "line 2: the label None is neither"),
        (data.read_jsonl, labelled('[["x"]]'), r"line 2: the label \['x'\] is neither"),
        (data.read_jsonl, labelled('{"a": 1}'), "line 2: the label {'a': 1} is neither"),
        (data.read_jsonl, labelled('""'), "line 2: the label '' is empty"),
        (data.read_jsonl, labelled("NaN"), "line 2 holds NaN, which is not JSON"),
        (data.read_jsonl, labelled("9" * 5000), "line 2 holds a number of 5000 digits"),
        (data.read_jsonl, labelled('"\\ud800"'), "line 2 holds half a surrogate pair"),
        (data.read_jsonl, labelled("[" * 100_000), "line 2 nests more than 64 levels deep"),
        (data.read_jsonl, labelled('1, "label": 2'), "line 2 names 'label' twice"),
        (data.read_jsonl, labelled("1} {"), "line 2 is not valid JSON: Extra data"),
        (data.read_jsonl, "5\n", "line 1 should hold a JSON object, and holds a int"),
        (scored, '{"text": "a", "label": 1e400}\n', "line 1: inf is not a number"),
        (scored, '{"text": "a", "label": true}\n', "line 1: True is not a number"),
        (scored, '{"text": "a", "label": [1]}\n', r"line 1: \[1\] is not a number"),
        # Columns of words and tags
        (data.read_conll, "a O\nb c O\n", "line 2: 'b c O': expected 2 columns"),
        (data.read_conll, "a\tO\nb O\n", "line 2: 'b O': expected 2 columns"),
        (data.read_conll, "a O\n\nb B-\n", "line 3: 'B-' lacks the kind of entity"),
        (lambda p: data.read_conll(p, tag_column=3), "a O\n", "line 1: 'a O': expected 4 columns"),
        (data.read_conll, "-DOCSTART- O\n\n \n", "holds no examples"),
        # SQuAD
        (
            data.read_squad,
            answered(answer_start=-12),
            "q7: answer_start is -12, not a whole number",
        ),
        (data.read_squad, answered(answer_start=True), "q7: answer_start is True, not"),
        (data.read_squad, answered(answer_start=8.0), r"q7: answer_start is 8\.0, not"),
        (data.read_squad, answered(answer_start="8"), "q7: answer_start is '8', not"),
        (data.read_squad, answered(answer_start=10**20), "q7: the context has no 'Bob' at 1000000"),
        (data.read_squad, answered(text=""), "q7: the context has no '' at 8"),
        (data.read_squad, answered(text=5), "q7: an answer: 5 is not a text"),
        (data.read_squad, answered(question=" "), "q7: the question is empty"),
        (data.read_squad, answered(is_impossible="false"), "is_impossible is 'false', not true"),
        (
            data.read_squad,
            answered(is_impossible=True),
            "is_impossible is true, but there are answ",
        ),
        (
            data.read_squad,
            answered(answers={"text": "Bob"}),
            "q7: the JSON has an unexpected structure",
        ),
        (
            data.read_squad,
            answered(id=[1]),
            r"paragraph 1, question 1: the id is \[1\], not a text",
        ),
        (
            data.read_squad,
            squad(json.loads(answered())["data"][0]["paragraphs"][0]["qas"] * 2),
            "question q7: an earlier question has the same id",
        ),
        (
            data.read_squad,
            "[" * 100_000,
            "is not in SQuAD's format: it nests more than 64 levels deep",
        ),
        (
            data.read_squad,
            '{"data": 5}',
            "file' is not in SQuAD's format: the JSON has an unexpected structure",
        ),
        # Choices
        (data.read_swag, SWAG.replace("b.", ""), "line 2: a text or its label is missing"),
        (
            data.read_commonsense_qa,
            commonsense(TWO_CHOICES * 2),
            "line 1: the choices are A, B, A, B",
        ),
        (
            data.read_commonsense_qa,
            commonsense(TWO_CHOICES[:1]),
            "the choices are A: expected at least two",
        ),
        (data.read_commonsense_qa, commonsense(answerKey="C"), "line 1: 'C' is not one of A, B"),
        (
            data.read_commonsense_qa,
            commonsense(answerKey=None),
            "line 1: the label None is neither",
        ),
        (
            data.read_commonsense_qa,
            commonsense("AB"),
            "line 1: the JSON has an unexpected structure",
        ),
        (data.read_commonsense_qa, commonsense([{"label": "A"}] * 2), "the choices are A, A"),
    ],
)
def test_a_row_that_would_be_read_otherwise_than_meant_is_named(read, content, message, tmp_path):
    with pytest.raises(ValueError, match=message) as error:
        list(read(written(tmp_path, content)))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,1\n".encode("utf-16"), "file' is text in UTF-16: save it in UTF-8"),
        ("text,label\na,1\n".encode("utf-16-le"), "is not in UTF-8: line 1 has NUL bytes"),
        (gzip.compress(b"text,label\na,1\n", mtime=0), "file' is compressed with gzip: unpack it"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "file' is a zip archive: unpack it"),
        (b"text,label\n\xed\xa0\x80,1\n", "is not in UTF-8: line 2 has other bytes"),
        (b"a\xff" * 5_000_000, "is not in UTF-8: line 1 has other bytes"),
    ],
)
def test_files_of_other_forms_are_named(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(data.read_csv(path))


def test_what_is_not_a_file(tmp_path):
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        with pytest.raises(ValueError, match=f"'{device}' is a device: pass a file"):
            list(data.read_text(device))
    with pytest.raises(IsADirectoryError):
        list(data.read_text(tmp_path))


def test_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="pipe' holds no examples"):
        list(data.read_text(pipe))  # nobody writes into it
    held = os.open(pipe, os.O_RDWR)
    os.write(held, b"one\ntwo\n")
    examples = data.read_text(pipe)
    reading = iter(examples)
    assert next(reading) == {"text": "one"}
    with pytest.raises(ValueError, match="is a pipe, which can be read only once: write"):
        next(iter(examples))
    os.close(held)
    assert list(reading) == [{"text": "two"}]


def test_long_lines_and_all_line_ends_are_read(tmp_path):
    long = "word " * 2_000_000
    path = written(tmp_path, f"{long}\r\n\ufeffb\rc\n")
    assert [len(x["text"]) for x in data.read_text(path)] == [len(long) - 1, 2, 1]


def test_other_encodings_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"caf\xc3\xa9\ncaf\xe9\n")
    with pytest.raises(ValueError, match="file' is not in UTF-8: line 2 has other bytes"):
        list(data.read_text(path))
    with pytest.raises(FileNotFoundError):
        list(data.read_text(tmp_path / "none"))


# Batches


def batches(*arguments, **options) -> list[tuple[dict, object]]:
    return list(data.make_dataset(*arguments, **options).as_numpy_iterator())


def numbered(count: int) -> list[dict]:
    """Texts of 1 to 60 words, each labelled by its number."""
    rng = np.random.default_rng(0)
    return [{"text": "word " * n, "label": i} for i, n in enumerate(rng.integers(1, 60, count))]


@pytest.mark.slow
@pytest.mark.parametrize("buffer_size", some([100, 10_000, 400], 2))
def test_each_epoch_has_every_example_once_in_a_new_order(tokenizer, buffer_size):
    examples = numbered(1003)
    options = {"batch_size": 8, "buffer_size": buffer_size}
    dataset = data.make_dataset(examples, tokenizer, "text-classification", **options)
    first, second = ([y.tolist() for _, y in dataset.as_numpy_iterator()] for _ in range(2))
    assert len(first) == 126
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(1003))
    assert first != second
    assert sorted(map(sorted, first)) != sorted(map(sorted, second)), "batches are new ones"

    def labels(**others):
        found = batches(examples, tokenizer, "text-classification", **options, **others)
        return [y.tolist() for _, y in found]

    assert labels() == first
    assert labels(initial_epoch=1) == second
    assert labels(seed=1) not in (first, second)


def test_a_pass_can_begin_where_another_was_broken_off(tokenizer):
    """With the batches, and the masks, that it would have had."""
    texts = [{"text": f"number {i} of many"} for i in range(50)]
    options = {"max_length": 32, "batch_size": 4, "initial_epoch": 3}
    for task, examples, more in (
        ("text-classification", numbered(50), {}),
        ("fill-mask", texts, {"pack": False}),
    ):
        whole = batches(examples, tokenizer, task, **options, **more)
        rest = batches(examples, tokenizer, task, initial_step=5, **options, **more)
        assert len(rest) == len(whole) - 5 > 0
        for (inputs, labels), (want, expected) in zip(rest, whole[5:], strict=True):
            np.testing.assert_array_equal(labels, expected)
            for name, x in inputs.items():
                np.testing.assert_array_equal(x, want[name])


def test_masks_stay_where_the_order_does(tokenizer):
    texts = [{"text": f"number {i} of many"} for i in range(50)]
    options = {"max_length": 32, "batch_size": 4}

    def labels(**others):
        dataset = data.make_dataset(texts, tokenizer, "fill-mask", **options, **others)
        return [[y.numpy().tolist() for _, y in dataset] for _ in range(2)]

    first, second = labels(shuffle=False)
    assert first == second
    first, second = labels()
    assert first != second


def test_little_is_padding(tokenizer):
    def padding(**options) -> float:
        found = batches(numbered(2000), tokenizer, "text-classification", batch_size=16, **options)
        masks = [x["attention_mask"] for x, _ in found]
        return 1 - sum(m.sum() for m in masks) / sum(m.size for m in masks)

    assert padding() < 0.06
    assert padding(shuffle=False) > 0.3


def test_batches_hold_what_the_tokenizer_gives(tokenizer):
    examples = [
        {"text": "A b", "text_pair": "C d e", "label": 1.5},
        {"text": "F", "text_pair": "G", "label": 2},
    ]
    ((inputs, labels),) = batches(examples, tokenizer, "text-classification", shuffle=False)
    expected = tokenizer([("A b", "C d e"), ("F", "G")], padding=True, return_tensors="np")
    assert {name: x.tolist() for name, x in inputs.items()} == {
        name: x.tolist() for name, x in expected.items()
    }
    assert labels.dtype == np.float32
    assert labels.tolist() == [1.5, 2]


def test_several_labels_of_a_text_are_a_row(tokenizer):
    examples = [{"text": "A", "label": [0.0, 1.0, 1.0]}, {"text": "b", "label": [1, 0, 0]}]
    ((_, labels),) = batches(examples, tokenizer, "text-classification", shuffle=False)
    assert labels.dtype == np.float32
    assert labels.tolist() == [[0, 1, 1], [1, 0, 0]]


def test_the_order_can_be_kept_and_shapes_be_few(tokenizer):
    options = {"shuffle": False, "batch_size": 4, "max_length": 32}
    found = batches(
        numbered(10), tokenizer, "text-classification", **options, pad_to_multiple_of=16
    )
    assert [y.tolist() for _, y in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert {x["input_ids"].shape[1] for x, _ in found} <= {16, 32}
    whole = batches(numbered(10), tokenizer, "text-classification", **options, drop_remainder=True)
    assert [len(y) for _, y in whole] == [4, 4]


# Alignment


def test_a_words_first_piece_is_labelled(tokenizer):
    words = ["Ann", "visited", "Unbelievableville", "'s", "antidisestablishment", "."]
    tags = [1, 0, 3, 4, 0, 0]
    examples = [{"tokens": words, "ner_tags": tags}]
    task = "token-classification"
    ((inputs, labels),) = batches(examples, tokenizer, task)
    row = tokenizer(words, is_split_into_words=True)
    assert inputs["input_ids"][0].tolist() == row["input_ids"]
    assert len(row["input_ids"]) > len(words) + 2, "words of several pieces are tried"
    starts = [row.word_ids().index(i) for i in range(len(words))]
    assert labels[0, starts].tolist() == tags
    assert (np.delete(labels[0], starts) == -100).all()
    # Windows label each word once, and what they label is the word.
    for options in ({}, {"stride": 2}):
        found = batches(examples, tokenizer, task, max_length=8, shuffle=False, **options)
        ((inputs, labels),) = found
        assert len(labels) > 1, "there are windows"
        kept = list(zip(inputs["input_ids"][labels != -100], labels[labels != -100], strict=True))
        assert kept == [(row["input_ids"][s], t) for s, t in zip(starts, tags, strict=True)]


CONTEXT = " ".join(f"Guest {i} of the Hotel Überwald ate {i * 7} croissants." for i in range(40))


def test_spans_are_the_answers(tokenizer):
    # Some of so many lie on the edges of windows.
    answers = ["Überwald", *(f"ate {i * 7} croissants" for i in range(40))]
    examples = [
        {
            "question": f"Which is number {i}?",
            "context": CONTEXT,
            "answers": {"text": [text], "answer_start": [CONTEXT.index(text)]},
        }
        for i, text in enumerate(answers)
    ]
    none = {"question": "Why?", "context": CONTEXT, "answers": {"text": [], "answer_start": []}}
    options = {"max_length": 61, "stride": 17, "shuffle": False, "batch_size": 1000}
    ((inputs, spans),) = batches([*examples, none], tokenizer, "question-answering", **options)
    found = {text: [] for text in [*answers, None]}
    cut = 0
    for ids, start, end in zip(inputs["input_ids"], *spans.values(), strict=True):
        question, window = tokenizer.decode(ids, skip_special_tokens=True).split("?", 1)
        answer = answers[int(question.split()[-1])] if "number" in question else None
        found[answer].append(tokenizer.decode(ids[start : end + 1]) if end else None)
        if end == 0:
            assert start == 0
            # Where it occurs once, the whole answer is out of sight.
            assert answer in (None, "Überwald") or answer not in window
            cut += answer is not None and window.endswith(answer.removesuffix(" croissants"))
    assert all(len(windows) > 5 for windows in found.values()), "there are windows"
    for answer in answers:
        assert set(found[answer]) == {answer.lower().replace("ü", "u"), None}
    assert set(found[None]) == {None}
    assert cut, "some windows hold a part of the answer"


@pytest.mark.parametrize("length", [20, 1000])
def test_windows_repeat_the_documented_number_of_tokens(length, tokenizer):
    """Unasked, a quarter of them and at most 128, for answers; none for labels."""
    words = [str(i) for i in range(2000)]
    none = {"text": [], "answer_start": []}
    for task, example, texts, options in (
        (
            "question-answering",
            {"question": "Why?", "context": " ".join(words), "answers": none},
            (["Why?"], [" ".join(words)]),
            {"truncation": "only_second", "stride": min(length // 4, 128)},
        ),
        (
            "token-classification",
            {"tokens": words, "ner_tags": [0] * 2000},
            ([words],),
            {"truncation": True, "is_split_into_words": True, "stride": 0},
        ),
    ):
        ((inputs, _),) = batches(
            [example], tokenizer, task, max_length=length, shuffle=False, batch_size=1000
        )
        want = tokenizer(*texts, max_length=length, return_overflowing_tokens=True, **options)
        lengths = inputs["attention_mask"].sum(axis=1)
        rows = [ids[:n].tolist() for ids, n in zip(inputs["input_ids"], lengths, strict=True)]
        assert rows == want["input_ids"]


def test_texts_alone_have_zeros_for_labels(tokenizer):
    examples = [{"text": "a film"}, {"text": "a very long film"}, {"text": "no"}]
    dataset = data.make_dataset(
        examples, tokenizer, "feature-extraction", batch_size=3, shuffle=False
    )
    ((inputs, labels),) = dataset.as_numpy_iterator()
    want = tokenizer([x["text"] for x in examples], padding=True, return_tensors="np")
    assert (inputs["input_ids"] == want["input_ids"]).all()
    assert labels.tolist() == [0, 0, 0]


def test_choices_are_rows_of_three_axes(tokenizer):
    examples = [{"text": "Where?", "choices": ["bank", "the mall", "x"], "label": 1}] * 2
    ((inputs, labels),) = batches(examples, tokenizer, "multiple-choice")
    assert inputs["input_ids"].shape == (2, 3, 7)
    assert tokenizer.decode(inputs["input_ids"][1, 1]) == "[CLS] where? [SEP] the mall [SEP]"
    assert inputs["attention_mask"][0].sum(-1).tolist() == [6, 7, 6]
    assert inputs["token_type_ids"][0, 1].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert labels.tolist() == [1, 1]


# Masks


def test_masks_are_of_whole_words_and_new_each_epoch(tokenizer):
    texts = [
        {"text": f"Unbelievableville's guests disembarked {i} zeppelins."} for i in range(3000)
    ]
    dataset = data.make_dataset(texts, tokenizer, "fill-mask", max_length=64, batch_size=64)
    epochs = [list(dataset.as_numpy_iterator()) for _ in range(2)]
    counts = {"chosen": 0, "real": 0, "masked": 0, "kept": 0}
    mask = tokenizer.mask_token_id
    for inputs, labels in epochs[0]:
        ids, chosen = inputs["input_ids"], labels != -100
        original = np.where(chosen, labels, ids)
        special = np.isin(original, [0, tokenizer.cls_token_id, tokenizer.sep_token_id])
        assert not (special & chosen).any()
        counts["real"] += (~special).sum()
        counts["chosen"] += chosen.sum()
        counts["masked"] += (ids[chosen] == mask).sum()
        counts["kept"] += (ids == labels)[chosen].sum()
        assert (chosen.any(axis=1)).all()
        for row, flags in zip(original, chosen, strict=True):
            tokens = tokenizer.convert_ids_to_tokens(row)
            inside = [i for i in range(2, len(row)) if tokens[i].startswith("##")]
            assert all(flags[i] == flags[i - 1] for i in inside)
    assert counts["chosen"] / counts["real"] == pytest.approx(0.15, abs=0.01)
    assert counts["masked"] / counts["chosen"] == pytest.approx(0.8, abs=0.02)
    assert counts["kept"] / counts["chosen"] == pytest.approx(0.1, abs=0.02)
    lengths = [x["attention_mask"].sum(-1) for x, _ in epochs[0]]
    assert np.sort(np.concatenate(lengths))[1] == 64, "all rows but the last are full"
    assert any(
        (a[0]["input_ids"] != b[0]["input_ids"]).any()
        for a, b in zip(*epochs, strict=True)
        if a[0]["input_ids"].shape == b[0]["input_ids"].shape
    )


def test_masked_texts_are_all_of_the_text(tokenizer):
    texts = [{"text": "one two three"}, {"text": "\u200b"}, {"text": "four " * 9}]

    def rows(**options):
        options = {"max_length": 8, "shuffle": False, "whole_word": False, **options}
        ((inputs, labels),) = batches(texts, tokenizer, "fill-mask", **options)
        ids = np.where(labels == -100, inputs["input_ids"], labels)
        return [tokenizer.decode(row, skip_special_tokens=True) for row in ids]

    assert rows() == ["one two three" + " four" * 3, " ".join(["four"] * 6)]
    separate = ["one two three", " ".join(["four"] * 6), "four four four"]
    assert rows(pack=False) == separate
    assert rows(pack=False, mlm_probability=0.0) == separate, "one word is chosen in any case"


# Training

FITS = {
    "question-answering": (
        "QuestionAnswering",
        [
            {
                "question": "Who?",
                "context": CONTEXT[:300],
                "answers": {"text": ["Guest 0"], "answer_start": [0]},
            }
        ]
        * 2,
        2,
        {},
    ),
    "multiple-choice": (
        "MultipleChoice",
        [{"text": "A", "choices": ["b", "c d"], "label": 1}] * 4,
        2,
        {},
    ),
    "token-classification": (
        "TokenClassification",
        [{"tokens": ["Ann", "ran"], "ner_tags": [1, 0]}] * 4,
        5,
        {},
    ),
    "fill-mask": ("MaskedLM", [{"text": "Ann ran home."}] * 40, 2, {}),
    "multi-label": (
        "SequenceClassification",
        [{"text": "A", "label": [0.0, 1.0, 1.0]}] * 4,
        3,
        {"problem_type": "multi_label_classification"},
    ),
    "regression": ("SequenceClassification", [{"text": "A", "label": 0.5}] * 4, 1, {}),
    "text-classification": ("SequenceClassification", numbered(6), 6, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", some(FITS, 2))
def test_fit_takes_every_tasks_batches(name, tokenizer):
    head, examples, labels, values = FITS[name]
    keras.utils.set_random_seed(0)
    shape = {"vocab_size": len(tokenizer), "num_hidden_layers": 1, "num_labels": labels}
    config = tf_squeezebert.SqueezeBertConfig(**small_config(**shape, **values))
    model = getattr(tf_squeezebert, f"SqueezeBertFor{head}")(config)
    model.compile()
    task = name if "-" in name and name != "multi-label" else "text-classification"
    dataset = data.make_dataset(examples, tokenizer, task, batch_size=4, max_length=40)
    history = model.fit(dataset, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][0] > 0
    assert all(np.isfinite(x).all() for x in keras.tree.flatten(model.predict(dataset, verbose=0)))


# Mistakes


@pytest.mark.parametrize(
    ("examples", "task", "options", "message"),
    [
        ([{"text": "A", "label": 1}], "sst5", {}, "'sst5' is unknown: choose one of cola"),
        ([], "fill-mask", {}, "There are no examples"),
        (iter([{"text": "A"}]), "fill-mask", {}, "only once: pass a list or a reader"),
        (
            [{"text": "A"}],
            "text-classification",
            {},
            "needs examples with text, label: .* no label",
        ),
        ([{"text": "A", "label": "x"}], "text-classification", {}, "'x' is not a number: the re"),
        (
            [{"tokens": ["A"], "ner_tags": ["O"]}],
            "token-classification",
            {},
            "not numbers: the reader",
        ),
        (
            [{"text": "A"}],
            "fill-mask",
            {"stride": 3},
            "Masked language modelling has no option stride",
        ),
    ],
)
def test_mistakes_are_named(examples, task, options, message, tokenizer):
    with pytest.raises(ValueError, match=message):
        data.make_dataset(examples, tokenizer, task, **options)


@pytest.mark.parametrize(
    ("examples", "task", "message"),
    [
        (
            [{"text": "A", "label": 1}, {"text": "B", "label": 0.5}],
            "text-classification",
            "label 0.5 of the text 'B' has another type than the first",
        ),
        (
            [{"text": "A", "choices": ["b"] * n, "label": 0} for n in (2, 3)],
            "multiple-choice",
            "'A' has 3 choices, the first one 2",
        ),
        (
            [
                {"question": question, "context": "x", "answers": {"text": []}}
                for question in ("z", "w " * 20, "y")
            ],
            "question-answering",
            "The question 'w w .* 20 tokens, but only 8 leave room",
        ),
    ],
)
def test_mistakes_further_on_are_named_before_training(examples, task, message, tokenizer):
    with pytest.raises(ValueError, match=message) as error:
        data.make_dataset(examples, tokenizer, task, max_length=16)
    assert "\n" not in str(error.value)
    uncounted = data.make_dataset(examples, tokenizer, task, max_length=16, count=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        list(uncounted)


QUESTION = {"question": "Who?", "context": "Ann met Bob."}


def answers(text, start) -> dict:
    return {**QUESTION, "answers": {"text": text, "answer_start": start}}


@pytest.mark.parametrize(
    ("task", "good", "bad", "message"),
    [
        ("text-classification", {"text": "A", "label": 1}, bad, message)
        for bad, message in [
            ("A", "'A' is not a dict"),
            ({"label": 1}, "there is no text"),
            ({"text": None, "label": 1}, "text: None is not a text"),
            ({"text": "\ud800", "label": 1}, "text holds half a surrogate pair"),
            ({"text": "A"}, "the label None is not a number: the reader needs labels"),
            ({"text": "A", "label": "x"}, "the label 'x' is not a number"),
            ({"text": "A", "label": [1, [2]]}, r"the label \[1, \[2\]\] is not a number"),
            (
                {"text": "A", "label": 2**40},
                "the label 1099511627776 is not a finite 32-bit number",
            ),
            ({"text": "A", "label": 10**30}, "the label 10+ is not a number"),
            (
                {"text": "A", "label": 1, "text_pair": "B"},
                "either all examples must have a text_pair, or",
            ),
        ]
    ]
    + [
        (
            "text-classification",
            {"text": "A", "label": 1.0},
            {"text": "A", "label": np.nan},
            "the label nan is not a finite 32-bit number",
        ),
    ]
    + [
        ("token-classification", {"tokens": ["A"], "ner_tags": [0]}, bad, message)
        for bad, message in [
            ({"tokens": ["A", "B"], "ner_tags": [0]}, "there are 2 tokens but 1 ner_tags"),
            ({"tokens": "AB", "ner_tags": [0, 0]}, "tokens is 'AB', not a list"),
            ({"tokens": ["A", 5], "ner_tags": [0, 0]}, "tokens: 5 is not a text"),
            ({"tokens": ["A"]}, "ner_tags is None, not a list"),
            ({"tokens": ["A"], "ner_tags": ["O"]}, "the ner_tags are not numbers"),
        ]
    ]
    + [
        ("question-answering", answers(["Bob"], [8]), bad, message)
        for bad, message in [
            (answers(["Bob"], [-4]), "answer_start is -4, not a whole number from 0"),
            (answers(["Bob"], [True]), "answer_start is True"),
            (answers(["Bob"], [7]), "the context has no 'Bob' at 7"),
            (answers(["Bob"], []), "there are 1 answers but 0 of answer_start"),
            (answers("Bob", [8, 8, 8]), "text is 'Bob', not a list"),
            (QUESTION, "answers must be a dict"),
            ({**answers([], []), "question": "  "}, "the question is empty"),
            ({**answers([], []), "context": ""}, "the context is empty"),
        ]
    ]
    + [
        ("multiple-choice", {"text": "A", "choices": ["b", "c"], "label": 1}, bad, message)
        for bad, message in [
            (
                {"text": "A", "choices": ["b", "c"], "label": 2},
                "the label is 2, but there are 2 cho",
            ),
            ({"text": "A", "choices": ["b", "c"], "label": -1}, "the label is -1"),
            ({"text": "A", "choices": ["b", "c"], "label": "B"}, "the label is 'B'"),
            ({"text": "A", "choices": "bc", "label": 1}, "choices is 'bc', not a list"),
            ({"text": "A", "choices": ["b", None], "label": 1}, "choices: None is not a text"),
        ]
    ]
    + [("fill-mask", {"text": "A b"}, {"text": 5}, "text: 5 is not a text")],
)
def test_an_example_that_is_wrong_is_named_by_number(task, good, bad, message, tokenizer):
    with pytest.raises(ValueError, match=f"^Example 3: {message}") as error:
        data.make_dataset([good, good, bad], tokenizer, task, max_length=16)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        ({"batch_size": 2.0}, "batch_size must be a whole number"),
        ({"buffer_size": 0}, "buffer_size must be 1"),
        ({"pad_to_multiple_of": 0}, "pad_to_multiple_of must be 1"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"max_length": 2}, "max_length must be 3 or more, not 2"),
        ({"max_length": -5}, "max_length must be 3 or more"),
        ({"max_length": "64"}, "max_length must be a whole number, not '64'"),
        ({"mlm_probability": np.nan}, "mlm_probability must lie in 0 to 1, not nan"),
        ({"sentence_order": True, "max_length": 3}, "max_length must be 4 or more"),
    ],
)
def test_options_out_of_range_are_named(options, message, tokenizer):
    options = {"max_length": 8, **options}
    with pytest.raises(ValueError, match=message):
        data.make_dataset([{"text": "A b c"}], tokenizer, "fill-mask", **options)


@pytest.mark.parametrize(
    ("task", "example"),
    [
        ("token-classification", {"tokens": ["A"], "ner_tags": [0]}),
        ("question-answering", {**QUESTION, "answers": {"text": [], "answer_start": []}}),
    ],
)
def test_a_stride_out_of_range_is_named(task, example, tokenizer):
    for stride, message in ((-1, "0 or more, not -1"), (1.5, "a whole number, not 1.5")):
        with pytest.raises(ValueError, match=f"stride must be {message}"):
            data.make_dataset([example], tokenizer, task, stride=stride, count=False)


def test_a_long_example_is_encoded_in_linear_steps(tokenizer):
    """As many rows, and labels, as the words need: twice the words, twice the rows."""
    rows = []
    for count in (20_000, 40_000):
        words = {"tokens": ["word"] * count, "ner_tags": [1] * count}
        dataset = data.make_dataset([words], tokenizer, "token-classification", max_length=128)
        found = list(dataset.as_numpy_iterator())
        assert sum((labels == 1).sum() for _, labels in found) == count
        rows.append(sum(len(labels) for _, labels in found))
    assert rows[1] in (2 * rows[0], 2 * rows[0] - 1)


def test_batches_are_counted(tokenizer):
    def steps(**options) -> int:
        options = {"max_length": 16, "batch_size": 4, **options}
        dataset = data.make_dataset(texts, tokenizer, "fill-mask", **options)
        found = sum(1 for _ in dataset)
        assert int(dataset.cardinality()) in (found, tf.data.UNKNOWN_CARDINALITY)
        return int(dataset.cardinality())

    texts = [{"text": "one two three four"}] * 33  # 132 tokens: ten rows of 14
    assert steps() == 3
    assert steps(drop_remainder=True) == 2
    assert steps(pack=False) == 9
    assert steps(count=False) == tf.data.UNKNOWN_CARDINALITY


# Long texts


@pytest.mark.parametrize(
    ("kind", "example", "message"),
    [
        (
            "token-classification",
            {"tokens": ["tea"] * 125_001, "ner_tags": [0] * 125_001},
            "Example 1: the text of 500,004 characters is too long",
        ),
        (
            "question-answering",
            {"question": "Who?", "context": "tea " * 125_001, "answers": {"text": []}},
            "Example 1: the context of 500,004 characters is too long",
        ),
    ],
)
def test_a_text_that_is_too_long_for_windows_is_refused(tokenizer, kind, example, message):
    with pytest.raises(ValueError, match=message):
        data.make_dataset([example], tokenizer, kind)


def test_long_texts_are_encoded_a_few_at_a_time(tokenizer, monkeypatch):
    examples = [{"tokens": ["tea"] * 50, "ner_tags": [0] * 50}] * 30
    options = {"batch_size": 4, "shuffle": False, "max_length": 24}

    def batches():
        dataset = data.make_dataset(examples, tokenizer, "token-classification", **options)
        return [inputs["input_ids"].tolist() for inputs, _ in dataset.as_numpy_iterator()]

    expected, sizes = batches(), []
    call = type(tokenizer).__call__

    def spy(self, texts, *others, **options):
        sizes.append(len(texts))
        return call(self, texts, *others, **options)

    monkeypatch.setattr(type(tokenizer), "__call__", spy)
    monkeypatch.setattr("tf_squeezebert.tasks.base._CHARACTERS_TOGETHER", 400)
    assert batches() == expected
    assert max(sizes) == 3


@pytest.mark.parametrize("length", [None, int(1e30)])
def test_a_tokenizer_without_a_limit_asks_for_one(length):
    tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB, model_max_length=length)
    examples = [{"text": "tea", "label": 0}]
    with pytest.raises(ValueError, match="The tokenizer has no model_max_length: pass max_length"):
        data.make_dataset(examples, tokenizer, "text-classification")

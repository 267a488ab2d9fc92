"""From texts to answers, against transformers' pipelines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import tf_squeezebert
from tf_squeezebert import predict, prediction
from tf_squeezebert.tasks import TASKS, token_classification
from tf_squeezebert.tflite import Runtime, export

from .configs import CLASSES, small_config
from .measures import assert_alike
from .reference import pair, run_reference

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
TEXT = "Ferries leave Trondheim at noon, says Ingrid's timetable."
LABELS = {0: "calm", 1: "angry", 2: "glad"}


def with_tokenizer(name: str, folder, **values):
    """transformers' model and tokenizer, and our model from their folder."""
    sizes = {"max_position_embeddings": 128, "num_hidden_layers": 3}
    config = small_config(vocab_size=30522, **sizes, **values)
    if name.endswith("QuestionAnswering"):
        config["num_labels"] = 2
    elif "id2label" not in values:
        config["id2label"] = LABELS
        config["label2id"] = {label: i for i, label in LABELS.items()}
    theirs, ours = pair(name, config, folder)
    ours.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    return theirs, transformers.BertTokenizer(str(VOCAB)), ours


def test_sequence_classification_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForSequenceClassification", tmp_path)
    pipe = transformers.pipeline("text-classification", model=theirs, tokenizer=tokenizer, top_k=3)
    expected = {row["label"]: row["score"] for row in pipe([TEXT])[0]}
    answer = predict(ours, TEXT)
    assert answer["scores"] == pytest.approx(expected, abs=1e-5)
    assert answer["label"] == max(expected, key=expected.get)
    assert answer["score"] == pytest.approx(max(expected.values()), abs=1e-5)

    runtime = Runtime(export(ours, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["scores"] == pytest.approx(expected, abs=1e-5)
    pairs = predict(ours, TEXT, "Is that so?")["scores"]
    assert pairs == pytest.approx(predict(runtime, TEXT, "Is that so?")["scores"], abs=1e-5)
    assert pairs != pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("problem_type", "expected"),
    [
        ("multi_label_classification", lambda logits: 1 / (1 + np.exp(-logits))),
        ("regression", lambda logits: logits),
    ],
)
def test_other_problem_types(problem_type, expected, tmp_path):
    name = "SqueezeBertForSequenceClassification"
    theirs, tokenizer, ours = with_tokenizer(name, tmp_path, problem_type=problem_type)
    logits = run_reference(theirs, tokenizer(TEXT, return_tensors="np"))["logits"][0]
    answer = predict(ours, TEXT)
    got = answer["values" if problem_type == "regression" else "scores"]
    assert list(got) == list(LABELS.values())
    assert list(got.values()) == pytest.approx(expected(logits).tolist(), abs=1e-5)
    if problem_type == "regression":
        assert list(answer) == ["values"]
    else:
        assert 0 < sum(logits > 0) < 3
        assert answer["labels"] == [LABELS[i] for i in range(3) if logits[i] > 0]


class Fixed:
    """In place of a model: gives the same outputs for any text."""

    def __init__(self, architecture: str, outputs: dict[str, list], **values):
        self.architecture, self.outputs = architecture, outputs
        self.config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522, **values))
        self.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)

    def __call__(self, inputs):
        return {name: np.array([value], np.float32) for name, value in self.outputs.items()}


def test_a_label_applies_from_one_half_on():
    model = Fixed(
        "SqueezeBertForSequenceClassification",
        {"logits": [0, -0.01, 1]},
        problem_type="multi_label_classification",
        id2label=LABELS,
    )
    answer = predict(model, TEXT)
    assert answer["labels"] == ["calm", "glad"]
    assert answer["scores"]["calm"] == 0.5


def test_there_is_no_answer_only_where_that_is_likelier():
    tokens = 6  # [CLS] why? [SEP] noon [SEP]
    for lead, answer in ((-0.01, "Noon"), (0, "Noon"), (0.01, "")):
        logits = [lead] + [0] * (tokens - 1)
        outputs = {"start_logits": logits, "end_logits": logits}
        model = Fixed("SqueezeBertForQuestionAnswering", outputs)
        assert predict(model, "Why?", "Noon", handle_impossible_answer=True)["answer"] == answer
        assert predict(model, "Why?", "Noon")["answer"] == "Noon"


def test_hidden_states_without_a_direction_are_an_error():
    states = [[1, -1], [-1, 1], [0, 0]]  # of [CLS] tea [SEP]
    model = Fixed("SqueezeBertModel", {"last_hidden_state": states})
    with pytest.raises(ValueError, match="mean of the hidden states is 0, which has no direction"):
        predict(model, "tea")


@pytest.mark.parametrize("name", CLASSES)
def test_a_config_that_asks_for_hidden_states_changes_no_answer(name, tmp_path):
    plain = with_tokenizer(name, tmp_path)[2]
    asking = tf_squeezebert.SqueezeBertConfig.from_dict(
        {**plain.config.to_dict(), "output_hidden_states": True, "output_attentions": True}
    )
    model = type(plain)(asking)
    model.set_weights(plain.get_weights())
    model.tokenizer = plain.tokenizer
    texts = [TEXT, "Noon [MASK].", "Trondheim"]
    texts = [f"{text} [MASK]" for text in texts]
    pairs = {
        "SqueezeBertForQuestionAnswering": [texts],
        "SqueezeBertForMultipleChoice": [texts, texts[::-1]],
    }.get(name, [])
    assert predict(model, texts, *pairs) == predict(plain, texts, *pairs)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_an_error(name, value, tmp_path):
    _, _, model = with_tokenizer(name, tmp_path)
    pair = ["A.", "B."] if name.endswith("MultipleChoice") else ["A."]
    pair = pair if name.endswith(("MultipleChoice", "QuestionAnswering")) else []
    text = "Ferries [MASK] at noon."
    predict(model, text, *pair)
    broken = model.weights[0 if name == "SqueezeBertModel" else -1]  # the last is tanh's there
    broken.assign(np.full(broken.shape, value))
    with pytest.raises(ValueError, match="hold NaN or infinity"):
        predict(model, text, *pair)


NER = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_token_classification_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer(
        "SqueezeBertForTokenClassification",
        tmp_path,
        id2label=dict(enumerate(NER)),
        label2id={label: i for i, label in enumerate(NER)},
    )
    text = " ".join(
        [TEXT, "Unbelievably, Kirkenes answered Ingrid in Bergen at half past seven."] * 3
    )
    pipe = transformers.pipeline("token-classification", model=theirs, tokenizer=tokenizer)
    first_pieces = [row for row in pipe(text, ignore_labels=[]) if not row["word"].startswith("##")]
    answer = predict(ours, text)
    words = answer["words"]
    assert [w["label"] for w in words] == [row["entity"] for row in first_pieces]
    assert [w["start"] for w in words] == [row["start"] for row in first_pieces]
    scores = [row["score"] for row in first_pieces]
    assert [w["score"] for w in words] == pytest.approx(scores, abs=1e-5)
    assert [w["word"] for w in words][2:4] == ["Trondheim", "at"]

    expected = pipe(text, aggregation_strategy="first")
    entities = answer["entities"]
    assert len({e["entity_group"] for e in expected}) == 2, "the case should hold several kinds"
    for name in ("entity_group", "start", "end"):
        assert [e[name] for e in entities] == [e[name] for e in expected]
    assert any(" " in e["word"] for e in entities), "and entities of several words"
    assert [e["score"] for e in entities] == pytest.approx([e["score"] for e in expected], abs=1e-5)
    for found in (*words, *entities):
        assert text[found["start"] : found["end"]] == found["word"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("B-PER I-PER O B-LOC B-LOC", ["PER a b", "LOC d", "LOC e"]),
        ("I-PER I-PER I-LOC O O", ["PER a b", "LOC c"]),
        ("B-PER E-PER S-PER S-PER I-PER", ["PER a b", "PER c", "PER d", "PER e"]),
        ("B-PER L-PER U-LOC U-LOC O", ["PER a b", "LOC c", "LOC d"]),
        ("PER PER LOC O PER", ["PER a b", "LOC c", "PER e"]),
        ("noun verb verb-s verb-s noun", ["noun a", "verb b", "verb-s c d", "noun e"]),
        ("I-O O E-O B-LOC I-LOC", ["O a", "O c", "LOC d e"]),
        ("O O O O O", []),
    ],
)
def test_entities_are_joined_by_the_forms_of_their_labels(labels, expected):
    text = "a b c d e"
    words = [
        {"label": label, "score": i / 10, "start": 2 * i, "end": 2 * i + 1}
        for i, label in enumerate(labels.split())
    ]
    entities = token_classification._entities(words, text)
    assert [f"{e['entity_group']} {e['word']}" for e in entities] == expected
    for entity in entities:
        scores = [w["score"] for w in words if entity["start"] <= w["start"] < entity["end"]]
        assert entity["score"] == pytest.approx(np.mean(scores))
        assert entity["word"] == text[entity["start"] : entity["end"]]


def test_token_classification_reads_long_texts_in_windows(tmp_path):
    """Each word is labelled in the window that shows most around it, of those that hold it."""
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForTokenClassification", tmp_path)
    text = " ".join([TEXT] * 20)
    words = predict(ours, text)["words"]
    windows = tokenizer(
        text, truncation=True, max_length=128, stride=32, return_overflowing_tokens=True
    )
    assert len(windows["input_ids"]) > 2
    best = {}
    for i, ids in enumerate(windows["input_ids"]):
        logits = run_reference(theirs, {"input_ids": np.array([ids])})["logits"][0]
        scores = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        seen = set()
        for k, index in enumerate(windows.word_ids(i)):
            if index is not None and index not in seen:
                seen.add(index)
                room = min(k, len(ids) - k)
                best[index] = max(best.get(index, (0, None)), (room, scores[k].max()))
    expected = [best[index][1] for index in sorted(best)]
    assert [word["score"] for word in words] == pytest.approx(expected, abs=1e-5)


def test_texts_may_be_words_already(tmp_path):
    """Each word gets its first piece's label, also where nothing is left of the word."""
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForTokenClassification", tmp_path)
    texts = [["Ferries", "don't", "leave", "\u200b", "Trondheim"], ["At", "noon."]]
    answers = predict(ours, texts)
    for words, answer in zip(texts, answers, strict=True):
        assert [word["word"] for word in answer["words"]] == words
        row = tokenizer(words, is_split_into_words=True)
        logits = run_reference(theirs, {"input_ids": np.array([row["input_ids"]])})["logits"][0]
        for i, word in enumerate(answer["words"]):
            if words[i] == "\u200b":
                assert (word["label"], word["score"]) == ("O", 0.0)
                continue
            best = logits[row.word_ids().index(i)].argmax()
            assert word["label"] == ours.config.id2label[int(best)]
    bare = tf_squeezebert.SqueezeBertModel(ours.config)
    bare.tokenizer = ours.tokenizer
    with pytest.raises(ValueError, match="is not a text: pass a string"):
        predict(bare, [["Ferries", "leave"]])


def test_masked_lm_equals_the_pipeline(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForMaskedLM", tmp_path)
    pipe = transformers.pipeline("fill-mask", model=theirs, tokenizer=tokenizer)
    text = "The [MASK] leaves at [MASK]."
    masks = predict(ours, text)["masks"]
    for got, expected in zip(masks, pipe(text), strict=True):
        assert list(got) == [tokenizer.convert_ids_to_tokens(row["token"]) for row in expected]
        scores = [row["score"] for row in expected]
        assert list(got.values()) == pytest.approx(scores, rel=1e-4)
    best = predict(ours, text, top_k=2)["masks"]
    assert best == [dict(list(mask.items())[:2]) for mask in masks]
    with pytest.raises(ValueError, match=r"'no mask' has no \[MASK\]: add one to fill"):
        predict(ours, "no mask")
    with pytest.raises(ValueError, match="top_k must be a whole number from 1, not 0"):
        predict(ours, text, top_k=0)


@pytest.mark.parametrize("none_wins", [False, True])
@pytest.mark.parametrize("repeats", [1, 12])
def test_question_answering_finds_the_best_span_of_all_windows(repeats, none_wins, tmp_path):
    """Against every span of every window, scored one by one; [CLS] stands for no answer."""
    theirs, tokenizer, _ = with_tokenizer("SqueezeBertForQuestionAnswering", tmp_path)
    question, context = "When do ferries leave?", " ".join([TEXT] * repeats)
    windows = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=128,
        stride=32,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert (len(windows["input_ids"]) > 1) == (repeats > 1)
    if none_wins:
        point_at_cls(theirs, tokenizer(question, context, truncation=True, max_length=128))
    theirs.save_pretrained(tmp_path)
    ours = tf_squeezebert.SqueezeBertForQuestionAnswering.from_pretrained(tmp_path)
    ours.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)

    best, none = (0.0, None), 1.0
    for i, ids in enumerate(windows["input_ids"]):
        types = np.array([windows["token_type_ids"][i]])
        out = run_reference(theirs, {"input_ids": np.array([ids]), "token_type_ids": types})
        places = [0, *(k for k, s in enumerate(windows.sequence_ids(i)) if s == 1)]
        start, end = (np.exp(out[f"{side}_logits"][0, places]) for side in ("start", "end"))
        start, end = start / start.sum(), end / end.sum()
        none = min(none, start[0] * end[0])
        for a in range(1, len(places)):
            for b in range(a, min(a + 30, len(places))):
                if start[a] * end[b] > best[0]:
                    offsets = windows["offset_mapping"][i]
                    span = (offsets[places[a]][0], offsets[places[b]][1])
                    best = (start[a] * end[b], span)
    assert (none > best[0]) == none_wins

    answer = predict(ours, question, context)
    assert answer["score"] == pytest.approx(best[0], rel=1e-4)
    assert (answer["start"], answer["end"]) == best[1]
    assert answer["answer"] == context[answer["start"] : answer["end"]]
    impossible = predict(ours, question, context, handle_impossible_answer=True)
    if none_wins:
        score = pytest.approx(none, rel=1e-4)
        assert impossible == {"answer": "", "score": score, "start": 0, "end": 0}
    else:
        assert impossible == answer


def point_at_cls(model, encoding) -> None:
    """Turns a question answering head's weights towards the first position's hidden state."""
    inputs = {name: np.array([x]) for name, x in encoding.items()}
    hidden = run_reference(model.transformer, inputs)["last_hidden_state"][0]
    direction = torch.from_numpy(hidden[0] - hidden[1:].mean(0))
    model.qa_outputs.weight.data = torch.stack([direction, direction])


def test_a_question_must_leave_room_for_the_context(tmp_path):
    _, _, ours = with_tokenizer("SqueezeBertForQuestionAnswering", tmp_path)
    assert predict(ours, "why " * 92, TEXT)["answer"] in TEXT
    assert predict(ours, "why " * 93, TEXT)["answer"] in TEXT  # which fits into one window
    with pytest.raises(ValueError, match="has 93 tokens, but only 92 leave room"):
        predict(ours, "why " * 93, TEXT * 3)
    assert predict(ours, "Why?", "") == {"answer": "", "score": 0, "start": 0, "end": 0}


def test_multiple_choice_ranks_the_choices(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertForMultipleChoice", tmp_path)
    choices = ["They swim.", "They sail across the fjord every day.", "Noon."]
    encoding = tokenizer([TEXT] * 3, choices, padding=True, return_tensors="np")
    logits = run_reference(theirs, {k: v[None] for k, v in encoding.items()})["logits"][0]
    answer = predict(ours, TEXT, *choices)
    powers = np.exp(logits)
    assert answer["scores"] == pytest.approx((powers / powers.sum()).tolist(), abs=1e-5)
    assert answer["choice"] == choices[answer["index"]] == choices[logits.argmax()]


def test_the_bare_model_embeds(tmp_path):
    theirs, tokenizer, ours = with_tokenizer("SqueezeBertModel", tmp_path)
    hidden = run_reference(theirs, tokenizer([TEXT], return_tensors="np"))["last_hidden_state"][0]
    mean = hidden.mean(0)
    expected = (mean / np.linalg.norm(mean)).tolist()
    assert predict(ours, TEXT)["embedding"] == pytest.approx(expected, abs=1e-5)
    runtime = Runtime(export(ours, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["embedding"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "texts", "message"),
    [
        ("SqueezeBertForSequenceClassification", ("a", "b", "c"), "one text, or a pair"),
        ("SqueezeBertForTokenClassification", ("a", "b"), "takes one text"),
        ("SqueezeBertForQuestionAnswering", ("a",), "a question and a context"),
        ("SqueezeBertForMultipleChoice", ("a", "b"), "at least two choices"),
        ("SqueezeBertModel", ("a", "b", "c"), "one text, or a pair"),
    ],
)
def test_the_number_of_texts_is_the_tasks(name, texts, message):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522))
    model = getattr(tf_squeezebert, name)(config)
    with pytest.raises(ValueError, match="without a tokenizer"):
        predict(model, *texts)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    with pytest.raises(ValueError, match=message):
        predict(model, *texts)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SequenceClassification", {"top_k": 2}, "Sequence classification has no option top_k"),
        ("MaskedLM", {"handle_impossible_answer": True}, "has no option handle_impossible_answer"),
    ],
)
def test_an_option_of_another_task_is_refused(name, options, message):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522))
    model = getattr(tf_squeezebert, f"SqueezeBertFor{name}")(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    with pytest.raises(ValueError, match=message):
        predict(model, "a [MASK]", **options)


LISTS = {
    "SqueezeBertForMaskedLM": [["A [MASK] leaves.", "[MASK]", f"{TEXT} {TEXT} And [MASK]."]],
    "SqueezeBertForMultipleChoice": [
        ["A ferry leaves.", TEXT, ""],
        ["It sails.", "No.", "a"],
        ["It flies to the moon.", "It sails, says Ingrid.", "b"],
    ],
    "SqueezeBertForQuestionAnswering": [
        ["When do they leave?", "Who says so?", "Where?"],
        [TEXT, TEXT * 10, ""],
    ],
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_list_is_answered_as_its_texts_one_by_one(name, tmp_path, monkeypatch):
    """In batches by length, so that the order must be found again."""
    _, _, ours = with_tokenizer(name, tmp_path)
    columns = LISTS.get(
        name, [["Tea.", TEXT, "", "\x00\u200b\x7f", TEXT * 3, "Noon, says Ingrid."]]
    )
    shapes = []
    call = type(ours).__call__

    def spy(model, inputs):
        shapes.append(inputs["input_ids"].shape)
        return call(model, inputs)

    one_by_one = [predict(ours, *texts) for texts in zip(*columns, strict=True)]
    monkeypatch.setattr(type(ours), "__call__", spy)
    monkeypatch.setattr(prediction, "_BATCH_TOKENS", 60)
    assert_alike(predict(ours, *columns), one_by_one)
    assert len(shapes) > 1
    assert any(shape[0] > 1 for shape in shapes)
    assert all(shape[0] == 1 or shape[0] * shape[-1] <= 60 for shape in shapes)
    assert predict(ours, *([] for _ in columns)) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((["a", "b"], ["c"]), "The first list holds 2 texts and another 1: pass lists of equal"),
        ((["a"], "c"), "Expected a text or a list of texts, not a str"),
        (("a", ["c"]), r"\['c'\] is not a text: pass a string"),
        (([("a", "b")],), r"\('a', 'b'\) is not a text"),
        ((None,), "Expected a text or a list of texts, not a NoneType"),
    ],
)
def test_lists_must_be_of_texts_and_equally_long(texts, message):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522))
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    with pytest.raises(ValueError, match=message):
        predict(model, *texts)


def test_a_class_derived_from_ours_is_used_as_ours(tmp_path):
    class Mine(tf_squeezebert.SqueezeBertForSequenceClassification):
        pass

    model = Mine(tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=30522)))
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    expected = predict(model, TEXT)["scores"]
    model.save_pretrained(tmp_path)
    loaded = tf_squeezebert.convert.load_pretrained(tmp_path)
    assert type(loaded) is tf_squeezebert.SqueezeBertForSequenceClassification
    assert predict(loaded, TEXT)["scores"] == pytest.approx(expected, abs=1e-6)
    runtime = Runtime(export(model, tmp_path / "model.tflite"))
    assert predict(runtime, TEXT)["scores"] == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="A str can not predict"):
        predict("model", TEXT)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("SqueezeBertForSequenceClassification", ["tea " * 200]),
        ("SqueezeBertForSequenceClassification", ["tea", "tea " * 200]),
        ("SqueezeBertModel", ["tea " * 200]),
        ("SqueezeBertForMultipleChoice", ["tea " * 200, "It is.", "It is not."]),
        ("SqueezeBertForMaskedLM", ["[MASK] tea " + "tea " * 200]),
    ],
)
def test_a_text_that_is_cut_is_said_to_be(name, texts, tmp_path):
    ours = with_tokenizer(name, tmp_path)[2]
    columns = [[text, "[MASK]", text] for text in texts]
    with pytest.warns(UserWarning, match="2 of 3 texts are longer than the 128 tokens") as warned:
        answers = predict(ours, *(columns if texts[0] != "tea" else [["tea"] * 3, columns[1]]))
    assert len(warned) == 1
    assert [answer.get("truncated") for answer in answers] == [True, None, True]
    with pytest.warns(UserWarning, match="1 of 1 texts is longer than the 128 tokens"):
        assert predict(ours, *texts)["truncated"] is True


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["TokenClassification", "QuestionAnswering"])
def test_a_text_in_windows_is_not_cut(name, tmp_path):
    ours = with_tokenizer(f"SqueezeBertFor{name}", tmp_path)[2]
    answer = predict(ours, *["Who?"] * (name == "QuestionAnswering"), "tea " * 200)
    assert "truncated" not in answer


@pytest.mark.parametrize(
    ("name", "texts", "what"),
    [
        ("TokenClassification", ("tea " * 125_001,), "The text"),
        ("TokenClassification", ([["tea"] * 125_001],), "The text"),
        ("QuestionAnswering", ("Who?", "tea " * 125_001), "The context"),
        ("QuestionAnswering", ("Who?" * 125_001, "tea"), "The question"),
    ],
)
def test_a_text_that_is_too_long_for_windows_is_refused(name, texts, what, tmp_path):
    ours = with_tokenizer(f"SqueezeBertFor{name}", tmp_path)[2]
    with pytest.raises(
        ValueError, match=rf"{what} of 500,0\d\d characters is too long .*: split it"
    ):
        predict(ours, *texts)


def test_texts_are_encoded_as_they_are_answered(tmp_path, monkeypatch):
    """So that the encodings of a long list never lie in memory all at once."""
    ours = with_tokenizer("SqueezeBertForTokenClassification", tmp_path)[2]
    texts = [TEXT * (1 + i % 7) for i in range(40)]
    expected = predict(ours, texts)
    waiting, most = 0, 0
    encode, run = ours.tokenizer.__call__, type(ours).__call__

    class Tokenizer:
        model_input_names = ours.tokenizer.model_input_names
        pad_token_id = ours.tokenizer.pad_token_id

        def __call__(self, *texts, **options):
            nonlocal waiting, most
            encoded = encode(*texts, **options)
            waiting += sum(map(len, encoded.encodings))
            most = max(most, waiting)
            return encoded

    def spy(model, inputs):
        nonlocal waiting
        waiting -= int(inputs["attention_mask"].sum())
        return run(model, inputs)

    ours.tokenizer = Tokenizer()
    monkeypatch.setattr(type(ours), "__call__", spy)
    monkeypatch.setattr(prediction, "_CHUNK_TOKENS", 300)
    assert_alike(predict(ours, texts), expected)
    assert waiting == 0
    assert 300 <= most <= 500


@pytest.mark.parametrize("texts", [["tea " * 200 + "[MASK]"], ["[MASK]", "tea " * 200 + "[MASK]"]])
def test_a_mask_that_is_cut_off_is_an_error(texts, tmp_path):
    ours = with_tokenizer("SqueezeBertForMaskedLM", tmp_path)[2]
    with pytest.raises(ValueError, match=r"has a \[MASK\] beyond the 128 tokens .*: shorten"):
        predict(ours, *texts)


class _Counted(dict):
    asked = 0

    def __contains__(self, key):
        _Counted.asked += 1
        return super().__contains__(key)

    def __getitem__(self, key):
        _Counted.asked += 1
        return super().__getitem__(key)

    def items(self):
        _Counted.asked += len(self)
        return super().items()

    def __iter__(self):
        _Counted.asked += len(self)
        return super().__iter__()


def test_words_of_windows_are_joined_in_time_that_grows_with_the_text():
    """The same words of each window are asked for a few times, however many windows there are."""
    task = TASKS["ner"]
    for windows in (10, 200):
        text = "a " * (10 * windows + 10)
        parts = [
            _Counted(
                (
                    i,
                    (
                        min(i - w * 10, 30),
                        {"label": "O", "score": 0.5, "start": 2 * i, "end": 2 * i + 1},
                    ),
                )
                for i in range(w * 10, w * 10 + 20)
            )
            for w in range(windows)
        ]
        _Counted.asked = 0
        answer = task.answer(parts, text)
        assert len(answer["words"]) == 10 * windows + 10
        assert _Counted.asked <= 4 * 20 * windows

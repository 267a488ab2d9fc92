"""`serve_export`: strings in and the answers of `predict` out, by the C library's loader."""

from __future__ import annotations

import functools
import http.server
import itertools
import json
import shlex
import socket
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tokenizers import AddedToken

import tf_squeezebert
from tf_squeezebert import SqueezeBertTokenizer, predict
from tf_squeezebert.cli import main
from tf_squeezebert.serving import serve_export
from tf_squeezebert.serving.rows import Runner, spans, truncated, windows
from tf_squeezebert.serving.signatures import answers_of, signatures_of_texts
from tf_squeezebert.serving.wordpiece import GraphTokenizer

from . import saved_model_loader, toy
from .configs import small_config
from .snippets import snippets
from .tiers import some

pytestmark = pytest.mark.slow
serving = pytest.importorskip("tensorflow_serving", reason="needs tensorflow-serving-api")

CORPUS = Path(__file__).parents[1] / "clients" / "conformance"
TOKENIZERS = sorted(path.name for path in (CORPUS / "tokenizers").iterdir())


@functools.cache
def tokenizer_of(name: str) -> SqueezeBertTokenizer:
    """A tokenizer of the corpus, from the two files that it consists of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(CORPUS)
        from tokens import read_tokenizer

        tokenizer = read_tokenizer(CORPUS / "tokenizers" / name)
        for module in ("tokens", "rules", "texts", "unicode_tables"):
            sys.modules.pop(module)
    return tokenizer


@functools.cache
def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (CORPUS / name).read_bytes().splitlines()]


# ------------------------------------------------------------------ the tokenizer in the graph


@functools.cache
def graph_of(tokenizer: SqueezeBertTokenizer):
    """The tokenizer's graph, for any number of texts: it takes seconds to trace, so only once."""
    signature = [tf.TensorSpec([None], tf.string)]
    return tf.function(
        GraphTokenizer(tokenizer).__call__, autograph=False, input_signature=signature
    )


def tokens_in_graph(tokenizer: SqueezeBertTokenizer, texts: list[str]) -> list[tuple]:
    """The ids, places and word numbers of each text's tokens."""
    encoded = tf.constant([text.encode() for text in texts])
    ids, starts, ends, words, splits = (x.numpy() for x in graph_of(tokenizer)(encoded))
    # Numbers of words rise through all texts; each text counts its own from 0.
    assert (np.diff(words) >= 0).all()
    steps = np.cumsum(np.diff(words, prepend=words[:1]) > 0)
    ids, places, steps = ids.tolist(), [*zip(starts.tolist(), ends.tolist(), strict=True)], [*steps]
    found = []
    for a, b in itertools.pairwise(splits.tolist()):
        found.append((ids[a:b], places[a:b], [int(x - steps[a]) for x in steps[a:b]]))
    return found


def tokens_of(tokenizer: SqueezeBertTokenizer, texts: list[str]) -> list[tuple]:
    encodings = tokenizer(texts, add_special_tokens=False).encodings
    return [(row.ids, row.offsets, row.word_ids) for row in encodings]


def assert_equal_tokens(tokenizer: SqueezeBertTokenizer, texts: list[str]) -> None:
    found, expected = tokens_in_graph(tokenizer, texts), tokens_of(tokenizer, texts)
    differing = [x for x in zip(texts, found, expected, strict=True) if x[1] != x[2]]
    assert not differing, f"{len(differing)} of {len(texts)}: {ascii(differing[0])[:500]}"


@pytest.mark.parametrize(
    ("name", "all_of_them"),
    some(
        [*((name, False) for name in TOKENIZERS), ("letters", True), ("letters-cased", True)],
        len(TOKENIZERS),
    ),
)
def test_the_graph_gives_the_tokens_of_the_corpus(name, all_of_them):
    """Of characters that have the same tokens, all or the first and the last of a run."""
    texts = {
        text
        for line in lines("tokens.jsonl")
        if line["tokenizer"] == name
        for text in (line["text"], line.get("pair", ""))
    }
    if name.startswith("letters"):  # which codepoints.jsonl is for
        runs = [line for line in lines("codepoints.jsonl") if line["tokenizer"] == name]
        for run in runs:
            first, last = run["first"], run["last"]
            codes = range(first, last + 1) if all_of_them else (first, last)
            texts |= {f"a{chr(c)}b" for c in codes}
    assert_equal_tokens(tokenizer_of(name), sorted(texts))


def test_the_graph_gives_the_tokens_of_any_bytes():
    """A request may hold bytes that are not UTF-8: a part of them is replaced."""
    tokenizer = tokenizer_of("uncased")
    graph = graph_of(tokenizer)
    for text in (b"a \xff film", b"\xc3", b"\xed\xa0\x80 twice"):
        ids = graph(tf.constant([text])).id.numpy().tolist()
        expected = tokenizer(text.decode(errors="replace"), add_special_tokens=False)
        assert ids == expected["input_ids"]


@pytest.mark.parametrize(
    "texts",
    [
        ["", " ", "\n"],
        ["a" * 100, "a" * 101, "\u0323" * 300 + "a"],
        ["[SEP]" * 300, "[[SEP]", "[SEP", "[SE[SEP]P]", "a[MASK]b [MASK]"],
        ["##ing", "# #", "un##believable"],
        ["x" * 50_000, "unbelievable" * 5000],
    ],
    ids=["nothing", "long words", "special tokens", "continuations", "long texts"],
)
def test_odd_texts(texts):
    assert_equal_tokens(tokenizer_of("uncased"), texts)
    for text in texts:
        assert_equal_tokens(tokenizer_of("uncased"), [text])


def test_added_tokens_that_overlap():
    """From left to right; at each place the longest one."""
    tokenizer = SqueezeBertTokenizer(CORPUS / "tokenizers" / "uncased" / "vocab.txt")
    tokenizer.add_tokens(
        [AddedToken(x, normalized=False) for x in ("<a>", "<a><b>", "><b", "b>c", "<")]
    )
    rng = np.random.default_rng(0)
    pieces = ["<a>", "<b>", "c", "<", ">", "b", " ", "film"]
    texts = ["".join(rng.choice(pieces, rng.integers(1, 12))) for _ in range(500)]
    assert_equal_tokens(tokenizer, texts)


@pytest.mark.parametrize(
    ("name", "windows_of_pairs"), [("uncased", True), ("cased", False)], ids=["uncased", "cased"]
)
def test_the_graph_makes_the_rows_of_the_corpus(name, windows_of_pairs):
    """With pairs, truncation and windows."""
    tokenizer = tokenizer_of(name)
    graph, runner = graph_of(tokenizer), Runner(None, tokenizer, None)
    mine = [line for line in lines("tokens.jsonl") if line["tokenizer"] == name]
    key = lambda x: (x.get("max_length", 512), x.get("stride", -1), "pair" in x)  # noqa: E731
    kinds = set()
    for (length, stride, is_pair), group in itertools.groupby(sorted(mine, key=key), key):
        group = list(group)
        columns = ("text", "pair") if is_pair else ("text",)
        tokens = graph(tf.constant([x[column].encode() for column in columns for x in group]))
        texts = spans(tokens, len(columns))
        rows = truncated(texts, length) if stride < 0 else windows(texts, length, stride)
        frame = runner.frame(tokens, rows)
        ids, mask, types = (x.numpy() for x in frame.inputs.values())
        found = [
            (row[kept > 0].tolist(), kind[kept > 0].tolist())
            for row, kept, kind in zip(ids, mask, types, strict=True)
        ]
        expected = [
            (row["input_ids"], row.get("token_type_ids", [0] * len(row["input_ids"])))
            for line in group
            for row in line["rows"]
        ]
        assert found == expected
        kinds.add((stride >= 0, is_pair))
    assert kinds == {(False, False), (False, True), (True, windows_of_pairs)}


def with_flag(**flags) -> SqueezeBertTokenizer:
    tokenizer = SqueezeBertTokenizer(CORPUS / "tokenizers" / "uncased" / "vocab.txt")
    tokenizer.add_tokens([AddedToken("<x>", **flags)])
    return tokenizer


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: with_flag(lstrip=True), "'<x>' with single_word, lstrip or rstrip"),
        (lambda: with_flag(single_word=True), "'<x>' with single_word, lstrip or rstrip"),
        (
            lambda: SqueezeBertTokenizer(
                CORPUS / "tokenizers" / "uncased" / "vocab.txt", never_split=["a-b"]
            ),
            "never_split",
        ),
        (
            lambda: SqueezeBertTokenizer(
                CORPUS / "tokenizers" / "uncased" / "vocab.txt", do_basic_tokenize=False
            ),
            "do_basic_tokenize=False",
        ),
        (
            lambda: SqueezeBertTokenizer(
                CORPUS / "tokenizers" / "uncased" / "vocab.txt", truncation_side="left"
            ),
            "truncation_side='left'",
        ),
    ],
    ids=["lstrip", "single word", "never_split", "not basic", "cut at the left"],
)
def test_a_tokenizer_that_the_graph_does_not_reproduce_is_refused(make, says):
    with pytest.raises(ValueError, match="can not be served as part of the graph") as error:
        GraphTokenizer(make())
    assert says in str(error.value)


# ------------------------------------------------------------------ the answers

LABELS = dict(enumerate(["O", "B-PER", "I-PER", "B-\u00fc"]))
# Those first that differ most in their answers.
MODELS = {
    "single-label": ("SequenceClassification", {"id2label": LABELS}),
    "token-classification": ("TokenClassification", {"id2label": LABELS}),
    "question-answering": ("QuestionAnswering", {}),
    "multiple-choice": ("MultipleChoice", {}),
    "masked-lm": ("MaskedLM", {}),
    "multi-label": (
        "SequenceClassification",
        {"id2label": LABELS, "problem_type": "multi_label_classification"},
    ),
    "regression": ("SequenceClassification", {"num_labels": 1}),
    "embedding": ("SqueezeBertModel", {}),
}
LONGEST = 48


@functools.cache
def model_of(name: str):
    head, values = MODELS[name]
    keras.utils.set_random_seed(1)
    tokenizer = tokenizer_of("uncased")
    config = small_config(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST,
        initializer_range=0.3,
        **values,
    )
    class_name = head if head.startswith("Squeeze") else f"SqueezeBertFor{head}"
    model = getattr(tf_squeezebert, class_name)(tf_squeezebert.SqueezeBertConfig(**config))
    model.tokenizer = tokenizer
    return model


@functools.cache
def texts() -> list[str]:
    """Texts of many scripts, most of them short, and some that are too long."""
    found = [x["text"] for x in lines("tokens.jsonl") if x["tokenizer"] == "uncased"]
    some = [text for text in dict.fromkeys(found) if text.strip()][::3]
    return [*some[:90], *(f"{a} {b}" * 6 for a, b in itertools.pairwise(some[:6]))]


def requests_of(name: str) -> tuple[str, list[tuple]]:
    """A signature, and what `predict` gets for each of its answers."""
    mine = texts()
    if name == "masked-lm":
        short = [text for text in mine if len(text) < 60]
        masked = [f"{text[:10]} [MASK] {text[:5]} [MASK]" for text in short]
        masked += [f"[MASK] {text} and {text}" for text in short]
        return "serving_default", [(text,) for text in masked]
    if name == "question-answering":
        return "serving_default", [(f"what {b[:8]}", a) for a, b in itertools.pairwise(mine)]
    if name == "multiple-choice":
        return "serving_default", [
            (mine[i], *mine[i + 1 : i + 3 + i % 3]) for i in range(len(mine) - 8)
        ]
    if name == "multi-label":
        return "pair", list(itertools.pairwise(mine))
    return "serving_default", [(text,) for text in mine]


def tensors_of(name: str, signature: str, requests: list[tuple]) -> dict[str, np.ndarray]:
    """The inputs of a signature for these requests."""

    def strings(values: list) -> np.ndarray:
        return np.array([x.encode() for x in values], object)

    columns = list(zip(*requests, strict=False))
    if name == "multiple-choice":
        most = max(map(len, requests)) - 1
        padded = [[*choices, *[choices[0]] * (most - len(choices))] for _, *choices in requests]
        return {
            "text": strings(columns[0]),
            "choices": np.stack([strings(choices) for choices in padded]),
            "choices_count": np.array([len(x) - 1 for x in requests], np.int32),
        }
    names = {"question-answering": ("question", "context")}.get(name, ("text", "text_pair"))
    return {key: strings(column) for key, column in zip(names, columns, strict=False)}


def expected_of(name: str, requests: list[tuple], **options) -> list[dict]:
    """What `predict` answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that texts are truncated
        if name == "multiple-choice":  # texts have different numbers of choices
            return [predict(model_of(name), *request) for request in requests]
        return predict(model_of(name), *map(list, zip(*requests, strict=True)), **options)


def as_predicted(name: str, answers: dict[str, np.ndarray], i: int) -> dict:
    """The i-th answer of a server in the form of `predict`, as far as the server gives it."""
    row = {key: x[i] for key, x in answers.items()}
    for key in ("classes", "label", "word", "answer", "choice", "tokens"):
        if key in row:
            row[key] = np.vectorize(bytes.decode, otypes=[object])(row[key])
            row[key] = row[key].tolist() if isinstance(row[key], np.ndarray) else row[key]
    truncated_ = {"truncated": True} if row.pop("truncated", False) else {}
    if name in ("single-label", "multi-label"):
        scores = dict(zip(row.pop("classes"), row["scores"].tolist(), strict=True))
        more = {"labels": [x for x, score in scores.items() if score >= 0.5]}
        return {**row, "scores": scores, **(more if name == "multi-label" else {}), **truncated_}
    if name == "regression":
        values = dict(zip(row["classes"], row["values"].tolist(), strict=True))
        return {"values": values, **truncated_}
    if name == "token-classification":
        count = int((row["start"] >= 0).sum())
        assert all(set(x[count:]) <= {"", -1} for x in map(list, row.values()))
        words = [{key: x[j] for key, x in row.items()} for j in range(count)]
        return {"words": words}
    if name == "masked-lm":
        count = int((row["scores"][:, 0] >= 0).sum())
        pairs = zip(row["tokens"][:count], row["scores"][:count].tolist(), strict=True)
        return {"masks": [dict(zip(*pair, strict=True)) for pair in pairs], **truncated_}
    if name == "multiple-choice":
        scores = row["scores"].tolist()
        return {**row, "scores": scores, **truncated_}
    return {**row, **truncated_}


def assert_near(found, expected, path: str = "") -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), path
        for key in expected:
            assert_near(found[key], expected[key], f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            assert_near(a, b, f"{path}[{i}]")
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6, err_msg=path)
    else:
        assert found == expected, path


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The folder of a model's version."""
    folder = tmp_path_factory.mktemp("served")
    return functools.cache(lambda name: serve_export(model_of(name), folder / name))


@pytest.fixture(scope="module")
def answer():
    """Calls `saved_model_loader.answer` in a process that has not imported TensorFlow."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        yield lambda *arguments: process.submit(saved_model_loader.answer, *arguments).result(300)


@pytest.mark.parametrize("name", some(MODELS, 3))
def test_the_answers_are_those_of_predict(name, served, answer):
    signature, requests = requests_of(name)
    expected = expected_of(name, requests)
    sizes = (1, 32, len(requests))
    batches = [tensors_of(name, signature, requests[:size]) for size in sizes]
    _, _, answers = answer(served(name), batches, signature)
    for size, got in zip(sizes, answers, strict=True):
        for i, wanted in enumerate(expected[:size]):
            wanted = {key: x for key, x in wanted.items() if key != "entities"}
            found = as_predicted(name, got, i)
            if name == "multiple-choice":  # the padding has a score of 0
                count = len(requests[i]) - 1
                assert not any(found["scores"][count:])
                found["scores"] = found["scores"][:count]
                # Two choices of the same tokens are equally good, up to rounding: either is right.
                index = found["index"]
                assert wanted["scores"][index] == pytest.approx(max(wanted["scores"]), abs=2e-6)
                wanted |= {"index": index, "choice": requests[i][1 + index]}
            assert_near(found, wanted)
    if name not in ("token-classification", "question-answering"):
        assert answers[-1]["truncated"].any()


def test_no_answer_is_an_answer_where_it_is_asked_for(answer, tmp_path):
    model, (_, requests) = model_of("question-answering"), requests_of("question-answering")
    options = {"handle_impossible_answer": True}
    folder = serve_export(model, tmp_path / "qa", **options)
    expected = expected_of("question-answering", requests, **options)
    assert 0 < sum(x["answer"] == "" for x in expected) < len(expected)
    _, _, (got,) = answer(folder, [tensors_of("question-answering", "", requests)])
    for i, wanted in enumerate(expected):
        found = as_predicted("question-answering", got, i)
        assert_near(found, wanted)


def test_texts_are_answered_the_same_in_any_company(served, answer):
    """A row's answer does not depend on the others, nor on how a server puts requests together."""
    name = "single-label"
    mine = texts()[:40]
    together = tensors_of(name, "", [(text,) for text in mine])
    apart = [tensors_of(name, "", [(text,)]) for text in mine]
    _, _, (all_, *each) = answer(served(name), [together, *apart])
    np.testing.assert_allclose(
        all_["scores"], np.concatenate([x["scores"] for x in each]), rtol=0, atol=1e-6
    )


def padded_as_a_server_does(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Requests of several lengths in one: each tensor is padded with its first element."""
    width = max(x.shape[1] for batch in batches for x in batch.values())
    return {
        key: np.concatenate(
            [
                np.pad(
                    batch[key],
                    [(0, 0), (0, width - batch[key].shape[1])],
                    constant_values=batch[key].flat[0],
                )
                for batch in batches
            ]
        )
        for key in batches[0]
    }


@pytest.mark.parametrize("name", ["single-label", "token-classification"])
def test_ids_are_answered_the_same_when_a_server_pads_them(name, served, answer):
    tokenizer = tokenizer_of("uncased")
    batches = [
        dict(tokenizer([a, b], padding=True, truncation=True, max_length=40, return_tensors="np"))
        for a, b in itertools.pairwise(texts()[:12:2])
    ]
    assert len({x["input_ids"].shape for x in batches}) > 2
    _, _, (together, *each) = answer(
        served(name), [padded_as_a_server_does(batches), *batches], "ids"
    )
    for i, (batch, got) in enumerate(zip(batches, each, strict=True)):
        width = batch["input_ids"].shape[1]
        found = together["logits"][2 * i : 2 * i + 2]
        found = found[:, :width] if found.ndim == 3 else found
        np.testing.assert_allclose(found, got["logits"], rtol=0, atol=1e-5)
        want = model_of(name)(batch)
        np.testing.assert_allclose(got["logits"], np.asarray(want), rtol=0, atol=1e-5)


def test_openvino_reads_the_model(served):
    """An independent reader of SavedModels; it does not have the operations for strings."""
    openvino = pytest.importorskip("openvino", reason="OpenVINO is in the extra benchmarks")
    name = "token-classification"
    folder = served(name).parent
    serve_export(model_of(name), folder / "by-ids", text=False)
    options = {"INFERENCE_PRECISION_HINT": "f32"}  # else bfloat16, where a processor has it
    model = openvino.Core().compile_model(str(folder / "by-ids" / "1"), "CPU", options)
    batch = tokenizer_of("uncased")(
        texts()[:6], padding=True, truncation=True, max_length=40, return_tensors="np"
    )
    got = model(dict(batch))[0]
    np.testing.assert_allclose(got, np.asarray(model_of(name)(batch)), rtol=0, atol=1e-4)


def from_request(message: bytes) -> tuple[str, dict[str, np.ndarray]]:
    """A signature and its inputs, from a PredictRequest as a gRPC client sends it."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest.FromString(message)
    inputs = {key: tf.make_ndarray(tensor) for key, tensor in request.inputs.items()}
    return request.model_spec.signature_name, inputs


def from_rest(body: str) -> tuple[str, dict[str, np.ndarray]]:
    """The same from a body of the REST API, in rows or in columns."""
    content = json.loads(body)
    columns = content.get("inputs")
    if columns is None:
        rows = content["instances"]
        columns = {key: [row[key] for row in rows] for key in rows[0]}
    arrays = {key: np.array(values) for key, values in columns.items()}
    return content["signature_name"], {
        key: np.char.encode(x).astype(object) if x.dtype.kind == "U" else x.astype(np.int32)
        for key, x in arrays.items()
    }


def test_requests_by_grpc_and_by_rest_are_answered(served, answer):
    from tensorflow_serving.apis import predict_pb2

    mine = texts()[:8]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "single-label"
    request.model_spec.signature_name = "serving_default"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(mine))
    sent = [
        from_request(request.SerializeToString()),
        from_rest(json.dumps({"signature_name": "serving_default", "inputs": {"text": mine}})),
        from_rest(
            json.dumps(
                {"signature_name": "serving_default", "instances": [{"text": x} for x in mine]}
            )
        ),
    ]
    _, _, answers = answer(served("single-label"), [inputs for _, inputs in sent])
    expected = [x["score"] for x in predict(model_of("single-label"), mine)]
    for (signature, _), got in zip(sent, answers, strict=True):
        assert signature == "serving_default"
        np.testing.assert_allclose(got["score"], expected, rtol=1e-5)


# ------------------------------------------------------------------ the folder


@pytest.mark.parametrize("name", some(["multiple-choice", "single-label", "question-answering"], 1))
def test_a_server_can_warm_up(name, served, answer):
    from tensorflow_serving.apis import prediction_log_pb2

    path = served(name) / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    assert {log.predict_log.request.model_spec.name for log in logs} == {name}
    by_signature: dict[str, list] = {}
    for log in logs:
        signature, inputs = from_request(log.predict_log.request.SerializeToString())
        by_signature.setdefault(signature, []).append(inputs)
    takes_pairs = name == "single-label"
    assert by_signature.keys() == {"serving_default", "ids", *["pair"] * takes_pairs}
    for signature, batches in by_signature.items():
        _, _, answers = answer(served(name), batches, signature)
        assert len(answers) == 4  # of 8, 16, 32 and 48 tokens
    assert [x["input_ids"].shape[-1] for x in by_signature["ids"]] == [8, 16, 32, 48]


def test_the_servers_configuration(served):
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    folder = served("single-label").parent
    config = text_format.Parse(
        (folder / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("single-label", "/models/single-label")
    assert "pad_variable_length_inputs: true" in (folder / "batching.config").read_text()
    for name in ("compose.yaml", "kubernetes.yaml"):
        text = (folder / name).read_text()
        assert "--model_config_file=/models/single-label/models.config" in text
        assert "$" not in text


def test_versions_count_up_and_stay(tmp_path):
    model = model_of("regression")
    folders = [serve_export(model, tmp_path / "m", text=False) for _ in range(2)]
    (tmp_path / "m" / "models.config").write_text("mine")
    folders.append(serve_export(model, tmp_path / "m", version=7, text=False))
    assert [path.name for path in folders] == ["1", "2", "7"]
    assert all((path / "saved_model.pb").is_file() for path in folders)
    assert (tmp_path / "m" / "models.config").read_text() == "mine"
    with pytest.raises(ValueError, match="exists already"):
        serve_export(model, tmp_path / "m", version=7)


def test_a_model_without_a_tokenizer_is_served_by_ids(answer, tmp_path):
    model = model_of("regression")
    bare = type(model)(model.config)
    bare.set_weights(model.get_weights())
    folder = serve_export(bare, tmp_path / "bare")
    inputs, outputs, _ = answer(folder, [])
    assert inputs.keys() == {"input_ids", "attention_mask", "token_type_ids"}
    assert outputs.keys() == {"logits"}
    with pytest.raises(ValueError, match="without a tokenizer"):
        serve_export(bare, tmp_path / "text", text=True)
    assert not (tmp_path / "text").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_length": 49}, "max_length is 49"),
        ({"max_length": 7}, "max_length is 7"),
        ({"rows_together": 0}, "rows_together is 0"),
        ({"version": 0}, "version is 0"),
        ({"version": "1"}, "version is '1'"),
        ({"top_k": 3}, "has no option top_k"),
    ],
)
def test_a_wrong_option_is_refused(options, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        serve_export(model_of("regression"), tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_another_backend_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="needs Keras's TensorFlow backend"):
        serve_export(model_of("regression"), tmp_path / "m")


def test_a_text_without_choices_is_an_error():
    model = model_of("multiple-choice")
    run = signatures_of_texts(answers_of(model, model.task, LONGEST, None))["serving_default"].run
    _, requests = requests_of("multiple-choice")
    inputs = tensors_of("multiple-choice", "", requests[:2])
    inputs["choices_count"] = np.array([2, 0], np.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        run({key: tf.constant(value) for key, value in inputs.items()})


@pytest.mark.parametrize("name", MODELS)
def test_outputs_that_are_not_finite_are_an_error(name):
    model = model_of(name)
    broken = type(model)(model.config)
    broken.set_weights([x * np.nan for x in model.get_weights()])
    broken.tokenizer = model.tokenizer
    signature, requests = requests_of(name)
    answers = answers_of(broken, broken.task, LONGEST, None)
    run = signatures_of_texts(answers)[signature].run
    inputs = tensors_of(name, signature, requests[:2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        run({key: tf.constant(value) for key, value in inputs.items()})


# ------------------------------------------------------------------ the guide

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "serving.md"


class RestServer(http.server.BaseHTTPRequestHandler):
    """Answers as the REST API of TensorFlow Serving does; `model` is a loaded SavedModel."""

    def do_POST(self):
        assert self.path == "/v1/models/reviews:predict"
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        _, inputs = from_rest(json.dumps({"signature_name": "", **json.loads(body)}))
        outputs = self.server.model(inputs)
        content = {
            key: np.vectorize(lambda x: x.decode(), otypes=[object])(x).tolist()
            if x.dtype.hasobject
            else x.tolist()
            for key, x in outputs.items()
        }
        answer = json.dumps({"outputs": content}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


def grpc_server(model, port: int):
    """A gRPC server of the same."""
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            _, inputs = from_request(request.SerializeToString())
            response = predict_pb2.PredictResponse()
            for key, value in model(inputs).items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    server.add_insecure_port(f"localhost:{port}")
    server.start()
    return server


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def test_the_guide_works(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    toy.checkpoint(
        Path("reviews"), "SqueezeBertForSequenceClassification", id2label={0: "bad", 1: "good"}
    )
    (command,) = snippets(GUIDE, "console")
    assert main(shlex.split(command.removeprefix("$ tf-squeezebert"))) == 0
    loaded = tf.saved_model.load("serving/reviews/1").signatures["serving_default"]

    def run(inputs: dict) -> dict[str, np.ndarray]:
        return {key: x.numpy() for key, x in loaded(**inputs_as_tensors(inputs)).items()}

    def inputs_as_tensors(inputs: dict) -> dict:
        return {key: tf.constant(value) for key, value in inputs.items()}

    rest_port, grpc_port = free_port(), free_port()
    rest = http.server.HTTPServer(("localhost", rest_port), RestServer)
    rest.model = run
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    served = grpc_server(run, grpc_port)
    capsys.readouterr()
    names: dict = {}
    for code in snippets(GUIDE, "python"):
        code = code.replace(":8501", f":{rest_port}").replace(":8500", f":{grpc_port}")
        exec(compile(code, GUIDE.name, "exec"), names)
    rest.shutdown()
    rest.server_close()
    served.stop(None)
    expected = predict(
        tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained("reviews"),
        ["A film to see twice.", "I left before the end."],
    )
    assert names["answers"]["label"] == [x["label"] for x in expected]
    assert f"[b'{expected[0]['label']}']" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    toy.checkpoint(Path("reviews"), "SqueezeBertForSequenceClassification", num_labels=2)
    (tmp_path / "file").write_text("")
    for arguments, says in {
        ("reviews", "reviews"): "would be overwritten",
        ("reviews", "file"): "'file' is a file",
        ("reviews", "out", "--max-length", "1000"): "max_length is 1000",
        ("nowhere/model", "out"): "nowhere/model",
    }.items():
        assert main(["serve-export", *arguments]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert says in error
        assert error.startswith("tf-squeezebert: ")
    assert not (tmp_path / "out").exists()

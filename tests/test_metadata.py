"""The metadata of .tflite files, against the published form of it and against MediaPipe itself."""

from __future__ import annotations

import itertools
import time
import unicodedata
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import quantizer, recipe

import tf_squeezebert
from tf_squeezebert import cli, predict
from tf_squeezebert.tflite import Runtime, export, metadata
from tf_squeezebert.tflite.bundle import attach_files, collect_files
from tf_squeezebert.tflite.metadata import attach_metadata, read_metadata
from tf_squeezebert.tflite.model_check import open_model

from . import toy
from .configs import small_config
from .measures import Made
from .reference import pair
from .tiers import some

pytestmark = pytest.mark.filterwarnings("ignore:.*texts (is|are) longer")  # of long examples

VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"
SENTENCES = Path(__file__).parents[1] / "examples" / "sentences.txt"
CLASSIFIER, EMBEDDER = "SqueezeBertForSequenceClassification", "SqueezeBertModel"
ANSWERER = "SqueezeBertForQuestionAnswering"
NAMES = ("input_ids", "attention_mask", "token_type_ids")
ORDERS = list(itertools.permutations(range(3)))
TASK_NAMES = {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "segment_ids"}
OUTPUTS = {
    CLASSIFIER: {"probability": 3},
    EMBEDDER: {"embedding": 3},
    ANSWERER: {"start_logits": 3, "end_logits": 3},
}


def convert(function, length: int | None = None, module=None) -> bytes:
    """A function of the three inputs, [1, S], as a .tflite."""
    signature = [tf.TensorSpec([1, length], tf.int32, name=name) for name in NAMES]
    function = tf.function(function, input_signature=signature, autograph=False)
    function = function.get_concrete_function()
    # Without a module the converter writes no signature.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module or tf.Module())
    return converter.convert()


def tiny_model(outputs: dict[str, int], size: int = 64) -> bytes:
    """Inputs that do not stand for one another, a product with weights, outputs of given sizes."""
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=(size, n)).astype("f4") for name, n in outputs.items()}

    def run(input_ids, attention_mask, token_type_ids):
        total = tf.cast(input_ids + 2 * attention_mask + 4 * token_type_ids, tf.float32)
        total = tf.tile(tf.reduce_sum(total, axis=1, keepdims=True), [1, size])
        return {name: tf.matmul(total, weights[name]) for name in outputs}

    return convert(run)


def files_of(architecture: str = CLASSIFIER, *, tokenizer="default", **config) -> dict[str, bytes]:
    config = tf_squeezebert.SqueezeBertConfig(**{"num_labels": 3, **config})
    if tokenizer == "default":
        tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    return collect_files(config, architecture, tokenizer)


def written(folder: Path, content: bytes, files: dict[str, bytes]) -> Path:
    path = folder / "model.tflite"
    path.write_bytes(attach_metadata(content, files))
    attach_files(path, files)
    return path


def edited(content: bytes, edit) -> bytes:
    """A model after `edit` has changed it in place."""
    model = schema.ModelT.InitFromPackedBuf(content)
    edit(model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def answer(content: bytes) -> dict[str, np.ndarray]:
    inputs = {name: np.array([[3, 1, i]], np.int32) for i, name in enumerate(NAMES)}
    return Interpreter(model_content=content).get_signature_runner()(**inputs)


@pytest.fixture(scope="module")
def content() -> bytes:
    return tiny_model(OUTPUTS[CLASSIFIER])


# What is written


def feature(name: str, description: str, **more) -> dict:
    content = {"content_properties_type": "FeatureProperties", "content_properties": {}}
    return {"name": name, "description": description, "content": content, **more}


def text_model(name: str, description: str, inputs: list, outputs: list) -> dict:
    """The published form of a text model's metadata."""
    vocabulary = {
        "name": "vocab.txt",
        "description": "Vocabulary file for the BertTokenizer.",
        "type": "VOCABULARY",
    }
    tokenizer = {"options_type": "BertTokenizerOptions", "options": {"vocab_file": [vocabulary]}}
    return {
        "name": name,
        "description": description,
        "subgraph_metadata": [
            {
                "input_tensor_metadata": inputs,
                "output_tensor_metadata": outputs,
                "input_process_units": [tokenizer],
            }
        ],
        "min_parser_version": "1.1.0",
    }


MASK = feature("mask", "Mask with 1 for real tokens and 0 for padding tokens.")
TEXT_INPUTS = [
    feature("ids", "Tokenized ids of the input text."),
    MASK,
    feature("segment_ids", "0 for the first sequence, 1 for the second sequence if exists."),
]
LABELS = {
    "name": "labels.txt",
    "description": "Labels for categories that the model can recognize.",
    "type": "TENSOR_AXIS_LABELS",
}
EXPECTED = {
    CLASSIFIER: text_model(
        "TextClassifier",
        "Classify the input text into a set of known categories.",
        TEXT_INPUTS,
        [
            feature(
                "probability",
                "Score of the labels respectively.",
                stats={"max": [1.0], "min": [0.0]},
                associated_files=[LABELS],
            )
        ],
    ),
    EMBEDDER: text_model(
        "TextEmbedder",
        "Embed the input text as a vector, near those of texts that mean the same.",
        TEXT_INPUTS,
        [feature("embedding", "Embedding of the input text.")],
    ),
    ANSWERER: text_model(
        "BertQuestionAnswerer",
        "Answers questions based on the content of a given passage.",
        [
            feature("ids", "Tokenized ids of input text as concatenated query and passage."),
            MASK,
            feature("segment_ids", "0 for query and 1 for passage tokens."),
        ],
        [
            feature(
                f"{end}_logits",
                f"logits over the sequence which indicates the {end} position of the answer span "
                "with closed interval.",
            )
            for end in ("end", "start")
        ],
    ),
}


@pytest.mark.parametrize("architecture", OUTPUTS)
def test_metadata_has_the_published_form(architecture, tmp_path):
    content = tiny_model(OUTPUTS[architecture])
    got = read_metadata(written(tmp_path, content, files_of(architecture)))
    (subgraph,) = got["subgraph_metadata"]
    # Tensors stand in the subgraph's order, which other tests are about.
    for tensors in ("input_tensor_metadata", "output_tensor_metadata"):
        subgraph[tensors].sort(key=lambda tensor: tensor["name"])
    assert got == EXPECTED[architecture]
    assert list(got) == list(EXPECTED[architecture])


@pytest.mark.parametrize("order", ORDERS)
def test_inputs_are_named_in_the_order_of_the_subgraph(content, order, tmp_path):
    def swap(model):
        inputs = model.subgraphs[0].inputs
        model.subgraphs[0].inputs = [inputs[i] for i in order]

    path = written(tmp_path, edited(content, swap), files_of())
    tensors = Interpreter(str(path)).get_input_details()  # in the subgraph's order
    names = [tensor["name"].removeprefix("serving_default_")[:-2] for tensor in tensors]
    (subgraph,) = read_metadata(path)["subgraph_metadata"]
    got = [tensor["name"] for tensor in subgraph["input_tensor_metadata"]]
    assert got == [TASK_NAMES[name] for name in names]


def test_outputs_are_named_in_the_order_of_the_subgraph(tmp_path):
    content = tiny_model({"start_logits": 2, "end_logits": 3})
    path = written(tmp_path, content, files_of(ANSWERER))
    sizes = [tensor["shape"][-1] for tensor in Interpreter(str(path)).get_output_details()]
    (subgraph,) = read_metadata(path)["subgraph_metadata"]
    names = [tensor["name"] for tensor in subgraph["output_tensor_metadata"]]
    assert dict(zip(names, sizes, strict=True)) == {"start_logits": 2, "end_logits": 3}


def test_other_peoples_metadata_is_read_too(content, tmp_path, monkeypatch):
    """Such as MediaPipe's own files have: other tokenizers, versions, several languages."""
    vocabulary = {"name": "v.txt", "type": "VOCABULARY"}
    theirs = {
        "version": "v1",
        "subgraph_metadata": [
            {
                "input_tensor_metadata": [
                    {
                        "name": "input text",
                        "dimension_names": ["batch", "length"],
                        "process_units": [
                            {
                                "options_type": "RegexTokenizerOptions",
                                "options": {
                                    "delim_regex_pattern": "[^\\w\\']+",
                                    "vocab_file": [vocabulary],
                                },
                            }
                        ],
                        "stats": {},
                        "associated_files": [{"name": "labels_cn.txt", "locale": "cn"}],
                    }
                ],
                "input_process_units": [
                    {
                        "options_type": "SentencePieceTokenizerOptions",
                        "options": {"sentencePiece_model": [{"name": "é.model"}]},
                    }
                ],
            },
            {},
        ],
        "author": "TensorFlow",
        "license": "Apache License. Version 2.0",
    }
    monkeypatch.setattr(metadata, "_describe", lambda *_: theirs)
    assert read_metadata(written(tmp_path, content, files_of())) == theirs


@pytest.mark.parametrize("quantized", [False, True])
def test_the_model_stays_what_it_was(quantized, content):
    if quantized:
        content = tiny_model({"probability": 300}, size=1024)
        aeq = quantizer.Quantizer(bytearray(content), recipe.dynamic_wi8_afp32())
        content = bytes(aeq.quantize().quantized_model)
        buffers = schema.ModelT.InitFromPackedBuf(content).buffers
        assert any(buffer.offset > 1 for buffer in buffers), "weights behind the flatbuffer"
    labels = {"num_labels": 300 if quantized else 3}
    result = attach_metadata(content, files_of(**labels))
    np.testing.assert_array_equal(answer(result)["probability"], answer(content)["probability"])


def test_weights_are_aligned():
    result = attach_metadata(tiny_model({"probability": 3}), files_of())
    model, large = schema.Model.GetRootAs(result), 0
    for i in range(model.BuffersLength()):
        data = model.Buffers(i).DataAsNumpy()
        if isinstance(data, np.ndarray):
            start = data.ctypes.data - np.frombuffer(result, np.uint8).ctypes.data
            assert start % 16 == 0
            large += data.size == 64 * 3 * 4
    assert large == 1


def test_the_same_model_gives_the_same_bytes(content):
    """And attaching metadata again replaces it."""
    once = attach_metadata(content, files_of())
    assert attach_metadata(content, files_of()) == once
    assert attach_metadata(once, files_of()) == once
    embedder = tiny_model(OUTPUTS[EMBEDDER])
    assert attach_metadata(attach_metadata(embedder, files_of(EMBEDDER)), files_of(EMBEDDER)) == (
        attach_metadata(embedder, files_of(EMBEDDER))
    )


def test_the_files_that_it_names_are_in_the_zip(content, tmp_path):
    path = written(tmp_path, content, files_of(id2label={0: "good", 1: "bad", 2: "ça va"}))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode() == "good\nbad\nça va\n"
        assert archive.read("vocab.txt").decode().split() == VOCAB.read_text().split()
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert "config.json" in archive.namelist()


# Mistakes


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_labels": 2}, "2 labels, one per line, but the model 3 classes: name each class"),
        ({"num_labels": 4}, "4 labels"),
        ({"id2label": {0: "a", 1: "", 2: "d"}}, "2 labels"),
    ],
)
def test_labels_that_are_not_the_classes_are_refused(content, config, message):
    if "id2label" in config:
        config["num_labels"] = 3
    with pytest.raises(ValueError, match=message):
        attach_metadata(content, files_of(**config))


def test_tokenizers_that_mediapipe_does_not_have_are_refused(content, tmp_path):
    with pytest.raises(ValueError, match="came without one: pass its tokenizer"):
        attach_metadata(content, files_of(tokenizer=None))
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n<s>\n[SEP]\n[MASK]\ntea\n")
    other = tf_squeezebert.SqueezeBertTokenizer(tmp_path / "vocab.txt", cls_token="<s>")
    with pytest.raises(ValueError, match=r"needs \[CLS\] in the vocabulary"):
        attach_metadata(content, files_of(tokenizer=other))


def test_models_that_mediapipe_can_not_use_are_refused(content, tmp_path):
    with pytest.raises(ValueError, match=r"not a \.tflite model"):
        attach_metadata(b"no model", files_of())
    with pytest.raises(ValueError, match="no task for SqueezeBertForMaskedLM"):
        attach_metadata(content, files_of("SqueezeBertForMaskedLM"))
    logits = tiny_model({"logits": 3})
    with pytest.raises(ValueError, match=r"returns logits, but .* needs probability"):
        attach_metadata(logits, files_of())
    renamed = edited(content, lambda model: setattr(model.signatureDefs[0].inputs[0], "name", b"x"))
    with pytest.raises(ValueError, match=r"takes .*x.*, but MediaPipe's TextClassifier needs in"):
        attach_metadata(renamed, files_of())
    unsigned = edited(content, lambda model: setattr(model, "signatureDefs", []))
    with pytest.raises(ValueError, match="one subgraph and a signature"):
        attach_metadata(unsigned, files_of())


def test_files_come_after_the_metadata(content, tmp_path):
    path = written(tmp_path, content, files_of())
    with pytest.raises(ValueError, match="attach the metadata before"):
        attach_metadata(path.read_bytes(), files_of())


def test_not_a_file_with_metadata(content, tmp_path):
    path = tmp_path / "model.tflite"
    with pytest.raises(FileNotFoundError, match=r"no file '.*model\.tflite'"):
        read_metadata(path)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"carries no metadata: export it with target"):
        read_metadata(path)
    for junk in (b"", b"no model", content[:4], content[:200], content[:-100]):
        path.write_bytes(junk)
        with pytest.raises(
            ValueError, match=r"model\.tflite'.* (damaged|no metadata|not a \.tflite file)"
        ):
            read_metadata(path)


def test_damaged_metadata_is_refused_or_read_as_something(content, tmp_path):
    """Never another error: a flipped byte may still be a text."""
    whole, path = attach_metadata(content, files_of()), tmp_path / "model.tflite"
    path.write_bytes(whole)
    written = bytes(open_model(path).metadata["TFLITE_METADATA"])
    start, errors = whole.index(written), []
    for position in range(start, start + len(written), 5):
        path.write_bytes(whole[:position] + b"\xff" + whole[position + 1 :])
        try:
            read_metadata(path)
        except ValueError as error:
            errors.append(str(error))
    assert len(errors) > 10
    assert all("damaged" in error for error in errors)


def test_a_bomb_of_metadata_is_refused_at_once(content, tmp_path):
    """A subgraph that is there a thousand times over, of tensors that are there as often, ..."""
    builder = flatbuffers.Builder()
    table = metadata._write_table(builder, "AssociatedFile", {"name": "a"})
    for slots, slot in ((7, 6), (7, 2), (8, 3)):  # TensorMetadata, SubGraphMetadata, ModelMetadata
        builder.StartVector(4, 100, 4)
        for _ in range(100):
            builder.PrependUOffsetTRelative(table)
        tables = builder.EndVector()
        builder.StartObject(slots)
        builder.PrependUOffsetTRelativeSlot(slot, tables, 0)
        table = builder.EndObject()
    builder.Finish(table, b"M001")
    bomb = bytes(builder.Output())
    assert len(bomb) < 1700
    path = attached(tmp_path, content, bomb)
    start = time.process_time()
    with pytest.raises(ValueError, match=r"is damaged: .* too often to be read"):
        read_metadata(path)
    assert time.process_time() - start < 1


def attached(folder: Path, content: bytes, data: bytes) -> Path:
    """A file with metadata of these bytes."""
    model = schema.ModelT.InitFromPackedBuf(content)
    metadata._metadata_buffer(model).data = np.frombuffer(data, np.uint8)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path = folder / "model.tflite"
    path.write_bytes(bytes(builder.Output()))
    return path


def test_metadata_that_json_has_no_words_for_is_refused(content, tmp_path, monkeypatch):
    stats = {"stats": {"max": [float("nan")], "min": [0.0]}}
    theirs = {"subgraph_metadata": [{"output_tensor_metadata": [stats]}]}
    monkeypatch.setattr(metadata, "_describe", lambda *_: theirs)
    path = written(tmp_path, content, files_of())
    with pytest.raises(ValueError, match=r"is damaged: export it again \(it holds NaN or infinity"):
        read_metadata(path)


# MediaPipe


@pytest.fixture(scope="module")
def text_tasks():
    pytest.importorskip("mediapipe")
    from mediapipe.tasks.python import text

    return text


@pytest.fixture(scope="module")
def texts():
    """Where the tokenizers agree: MediaPipe's keeps accents. Punctuation, cases, lengths."""
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    odd = ["", "?", 'He SAID: "no-one\'s $3.50 (or 4%)!"', "x" * 120, "Tea. " * 20, "tea " * 500]
    return lines + odd


@pytest.fixture(scope="module")
def models(texts, tmp_path_factory) -> Made:
    """By class a model, and its answers to the texts."""

    def make(name: str):
        sizes = {"vocab_size": 30522, "max_position_embeddings": 64, "num_hidden_layers": 1}
        config = small_config(**sizes)
        if name == CLASSIFIER:
            config["id2label"] = {0: "calm", 1: "angry", 2: "glad"}
            config["label2id"] = {"calm": 0, "angry": 1, "glad": 2}
        _, model = pair(name, config, tmp_path_factory.mktemp(name))
        model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
        if name == CLASSIFIER:
            model.classifier.kernel.assign(30 * model.classifier.kernel)  # scores far from 1/3
        return model, predict(model, texts)

    return Made(make)


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory) -> Made:
    """By class and length the file for MediaPipe."""
    folder = tmp_path_factory.mktemp("exported")

    def make(case: tuple[str, int | None]) -> Path:
        name, length = case
        path = folder / f"{name}_{length}.tflite"
        return export(models[name][0], path, length=length, target="mediapipe")

    return Made(make)


@pytest.mark.slow
@pytest.mark.parametrize("length", some([None, 64], 1))
def test_mediapipe_classifies_as_we_do(text_tasks, texts, length, models, exported):
    path = exported[CLASSIFIER, length]
    runtime = Runtime(path)
    with text_tasks.TextClassifier.create_from_model_path(str(path)) as classifier:
        for text, expected in zip(texts, models[CLASSIFIER][1], strict=True):
            (head,) = classifier.classify(text).classifications
            got = {category.category_name: category.score for category in head.categories}
            assert head.head_name == "probability"
            assert head.categories[0].category_name == expected["label"]
            assert got == pytest.approx(expected["scores"], abs=1e-5)
            ids = runtime.tokenizer(text, truncation=True, max_length=64, return_tensors="np")
            scores = runtime({name: ids[name] for name in NAMES})["probability"][0]
            assert [got[label] for label in ("calm", "angry", "glad")] == pytest.approx(
                scores.tolist(), abs=1e-6
            )


@pytest.mark.slow
@pytest.mark.parametrize("length", some([None, 64], 1))
def test_mediapipe_embeds_as_we_do(text_tasks, texts, length, models, exported):
    path = exported[EMBEDDER, length]
    with text_tasks.TextEmbedder.create_from_model_path(str(path)) as embedder:
        for text, expected in zip(texts, models[EMBEDDER][1], strict=True):
            (got,) = embedder.embed(text).embeddings
            np.testing.assert_allclose(got.embedding, expected["embedding"], atol=1e-5)


ODD = {
    "accents": "The caf\u00e9 of my father.",
    "capitals": "The \u0395\u039a of my father.",
    "spaces": "The\u00a0caf\u3000of my father.",
    "soft hyphen": "The fa\u00adther.",
    "joiner": "The fa\u200dther.",
    "control": "The fa\x01ther\nand\tso on.",
    "special token": "The [SEP] of my father.",
    "long word": "The " + "\u03b1" * 60 + " of my father.",
}


def normalized(text: str) -> str:
    """As docs/tokens.md advises."""
    kept = ""
    for x in unicodedata.normalize("NFD", text):
        category = unicodedata.category(x)
        if category == "Zs":
            kept += " "
        elif x in "\t\r\n" or category not in ("Mn", "Cf", "Cc"):
            kept += x
    return kept.lower()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
def test_mediapipe_tokenizes_differently_where_the_page_says(text_tasks, exported, kind):
    path = exported[EMBEDDER, None]
    wanted = predict(Runtime(path), ODD[kind])["embedding"]
    with text_tasks.TextEmbedder.create_from_model_path(str(path)) as embedder:

        def difference(text: str) -> float:
            (got,) = embedder.embed(text).embeddings
            return np.abs(got.embedding - wanted).max()

        assert difference(ODD[kind]) > 1e-3
        mends = kind not in ("special token", "long word")
        assert (difference(normalized(ODD[kind])) < 1e-5) == mends


@pytest.mark.parametrize("order", ORDERS)
def test_mediapipe_goes_by_our_names(text_tasks, content, order, tmp_path):
    """Whatever the converter made of their order: wrong names show in the scores alone."""

    def swap(model):
        inputs = model.signatureDefs[0].inputs
        indices = [entry.tensorIndex for entry in inputs]
        for entry, i in zip(inputs, order, strict=True):
            entry.tensorIndex = indices[i]

    path = written(tmp_path, edited(content, swap), files_of())
    ids = tf_squeezebert.SqueezeBertTokenizer(VOCAB)("Tea", return_tensors="np")
    run = Interpreter(str(path)).get_signature_runner()
    expected = run(**{name: ids[name].astype(np.int32) for name in NAMES})["probability"][0]
    with text_tasks.TextClassifier.create_from_model_path(str(path)) as classifier:
        categories = classifier.classify("Tea").classifications[0].categories
    got = [c.score for c in sorted(categories, key=lambda category: category.index)]
    assert got == pytest.approx(expected.tolist(), rel=1e-6)


def test_mediapipe_reads_the_metadata_that_we_read(text_tasks, content, tmp_path):
    """By the reader that was generated from the schema."""
    from mediapipe.tasks.metadata import metadata_schema_py_generated as theirs

    model = schema.ModelT.InitFromPackedBuf(attach_metadata(content, files_of()))
    (buffer,) = [model.buffers[e.buffer] for e in model.metadata if e.name == b"TFLITE_METADATA"]
    got = theirs.ModelMetadataT.InitFromPackedBuf(bytes(buffer.data))
    assert theirs.ModelMetadata.ModelMetadataBufferHasIdentifier(bytes(buffer.data), 0)
    (subgraph,) = got.subgraphMetadata
    assert {tensor.name for tensor in subgraph.inputTensorMetadata} == {
        *map(str.encode, TASK_NAMES.values())
    }
    (output,) = subgraph.outputTensorMetadata
    assert (output.stats.max.tolist(), output.stats.min.tolist()) == ([1.0], [0.0])
    assert output.content.contentPropertiesType == theirs.ContentProperties.FeatureProperties
    assert output.associatedFiles[0].type == theirs.AssociatedFileType.TENSOR_AXIS_LABELS
    (unit,) = subgraph.inputProcessUnits
    assert unit.optionsType == theirs.ProcessUnitOptions.BertTokenizerOptions
    assert unit.options.vocabFile[0].type == theirs.AssociatedFileType.VOCABULARY
    assert got.minParserVersion == b"1.1.0"


@pytest.mark.slow
@pytest.mark.parametrize("name", [CLASSIFIER, EMBEDDER])
def test_our_runtime_and_predict_run_the_same_file(texts, name, models, exported):
    runtime = Runtime(exported[name, None])
    key = "scores" if name == CLASSIFIER else "embedding"
    for text, expected in zip(texts, models[name][1], strict=True):
        assert predict(runtime, text)[key] == pytest.approx(expected[key], abs=1e-5)


@pytest.mark.slow
def test_several_labels_have_probabilities_of_their_own(tmp_path):
    config = small_config(vocab_size=30522, problem_type="multi_label_classification")
    _, model = pair(CLASSIFIER, {**config, "num_labels": 3}, tmp_path)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    path = export(model, tmp_path / "m.tflite", target="mediapipe", quantize="int8")
    got, expected = (predict(m, "Tea, please.")["scores"] for m in (Runtime(path), model))
    assert got == pytest.approx(expected, abs=0.02)
    assert sum(got.values()) > 1.1


@pytest.mark.slow
def test_pairs_and_cased_models_are_exported_with_a_warning(tmp_path, capsys):
    config = small_config(vocab_size=153, num_hidden_layers=1, finetuning_task="mrpc")
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**config)
    )
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB, do_lower_case=False)
    path = tmp_path / "m.tflite"
    with pytest.warns(UserWarning, match="MediaPipe") as caught:
        export(model, path, target="mediapipe")
    ours = [warning for warning in caught if "MediaPipe" in str(warning.message)]
    pairs, cased = (str(warning.message) for warning in ours)
    assert pairs.startswith("This model classifies pairs of texts, but MediaPipe's TextClassifier")
    assert cased.startswith("The vocabulary is cased, but MediaPipe lower-cases")
    assert {warning.filename for warning in ours} == {__file__}
    runtime = Runtime(path)
    for texts in (("A dull film", "a great film"), ("A dull film", "A great film")):
        want = predict(model, *texts)["scores"]
        assert predict(runtime, *texts)["scores"] == pytest.approx(want, abs=1e-5)
    model.save_pretrained(tmp_path / "model")
    arguments = ["export", str(tmp_path / "model"), str(path), "--target", "mediapipe"]
    assert cli.main(arguments) == 0
    assert f"tf-squeezebert: {pairs}\ntf-squeezebert: {cased}\n" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verify", "target", "warns"),
    some(
        [
            (["a dull film", "a great film"], "mediapipe", False),
            ([("a dull film", "a great film")], "mediapipe", True),
            ([("a dull film", "a great film")], "cpu", False),
        ],
        2,
    ),
)
def test_pairs_to_verify_tell_that_texts_are_pairs(verify, target, warns, tmp_path, recwarn):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(vocab_size=153, num_hidden_layers=1))
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB)
    export(model, tmp_path / "m.tflite", target=target, verify=verify)
    assert warns == any("pairs of texts" in str(warning.message) for warning in recwarn)


@pytest.mark.slow
def test_question_answering_files_carry_their_metadata(tmp_path):
    _, model = pair(ANSWERER, small_config(vocab_size=30522), tmp_path)
    model.tokenizer = tf_squeezebert.SqueezeBertTokenizer(VOCAB)
    path = export(model, tmp_path / "m.tflite", target="mediapipe")
    assert read_metadata(path)["name"] == "BertQuestionAnswerer"
    got = predict(Runtime(path), "What?", "Tea with milk.")
    assert got == pytest.approx(predict(model, "What?", "Tea with milk."), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("SqueezeBertForMaskedLM", {}, "no task for a SqueezeBertForMaskedLM"),
        (CLASSIFIER, {"num_labels": 1}, "this model is a regression"),
        (CLASSIFIER, {}, "the model came without one: pass its tokenizer"),
    ],
)
def test_models_without_a_task_in_mediapipe_are_refused(name, config, message, tmp_path):
    values = small_config(vocab_size=30522, **config)
    model = getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**values))
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / "m.tflite", target="mediapipe")
    assert not list(tmp_path.iterdir())

"""`model.export(folder)` gives what TensorFlow Serving serves: the C library's loader."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import keras
import numpy as np
import pytest

import tf_squeezebert

from . import saved_model_loader
from .configs import CLASSES, random_inputs, small_config
from .saved_model_loader import TensorInfo
from .tiers import some

pytestmark = pytest.mark.slow

LABELS, CHOICES = 5, 4
CONFIG = small_config(num_hidden_layers=2, num_labels=LABELS)
HIDDEN = CONFIG["hidden_size"]
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
# -1 is a free size: the batch, and the length.
OUTPUTS = {
    "SqueezeBertModel": {"last_hidden_state": (-1, -1, HIDDEN), "pooler_output": (-1, HIDDEN)},
    "SqueezeBertForMaskedLM": {"logits": (-1, -1, CONFIG["vocab_size"])},
    "SqueezeBertForSequenceClassification": {"logits": (-1, LABELS)},
    "SqueezeBertForMultipleChoice": {"logits": (-1, -1)},
    "SqueezeBertForTokenClassification": {"logits": (-1, -1, LABELS)},
    "SqueezeBertForQuestionAnswering": {"start_logits": (-1, -1), "end_logits": (-1, -1)},
}


@pytest.fixture(scope="module")
def answer():
    """Calls `saved_model_loader.answer` in a process that has not imported TensorFlow."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        yield lambda *arguments: process.submit(saved_model_loader.answer, *arguments).result(
            timeout=120
        )


def shape_for(name: str, batch: int, length: int) -> tuple[int, ...]:
    return (batch, CHOICES, length) if name.endswith("MultipleChoice") else (batch, length)


def fresh(name: str, **values):
    keras.utils.set_random_seed(0)
    config = tf_squeezebert.SqueezeBertConfig(**{**CONFIG, "initializer_range": 0.2, **values})
    return getattr(tf_squeezebert, name)(config)


def expected(model, inputs) -> dict[str, np.ndarray]:
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {name: np.asarray(output) for name, output in outputs.items()}


@pytest.mark.parametrize("name", some(CLASSES, 2))
def test_a_model_is_served(name, answer, tmp_path):
    model = fresh(name)
    model.export(tmp_path / "1", verbose=False)
    batches = [
        random_inputs(CONFIG, shape_for(name, batch, length), seed=length)
        for batch, length in ((1, 1), (1, 17), (3, 40))
    ]
    inputs, outputs, answers = answer(tmp_path / "1", batches)

    free = (-1,) * len(shape_for(name, 1, 1))
    assert inputs.keys() == INPUTS
    assert {(info.dtype, info.shape) for info in inputs.values()} == {(np.dtype("int32"), free)}
    assert {key: info.shape for key, info in outputs.items()} == OUTPUTS[name]
    assert {info.dtype for info in outputs.values()} == {np.dtype("float32")}
    for batch, got in zip(batches, answers, strict=True):
        want = expected(model, batch)
        assert got.keys() == want.keys()
        for key in want:
            np.testing.assert_allclose(got[key], want[key], rtol=0, atol=1e-5, err_msg=key)
    assert all(np.ptp(values, axis=0).max() > 1e-2 for values in got.values()), "rows that differ"


def test_each_answer_comes_from_its_row_alone(answer, tmp_path):
    """Rows of a batch, padded to a common length, answer as they do one by one."""
    model = fresh("SqueezeBertForSequenceClassification")
    model.export(tmp_path, verbose=False)
    batch = random_inputs(CONFIG, (3, 17))
    lengths = batch["attention_mask"].sum(axis=1)
    assert len(set(lengths)) > 1
    rows = [
        {name: x[i : i + 1, :length] for name, x in batch.items()}
        for i, length in enumerate(lengths)
    ]
    _, _, (together, *apart) = answer(tmp_path, [batch, *rows])
    np.testing.assert_allclose(
        together["logits"], np.concatenate([row["logits"] for row in apart]), rtol=0, atol=1e-5
    )


def test_dropout_is_off_in_what_is_served(answer, tmp_path):
    model = fresh("SqueezeBertForSequenceClassification", hidden_dropout_prob=0.9)
    model.export(tmp_path, verbose=False)
    batch = random_inputs(CONFIG, (3, 17))
    _, _, (first, second) = answer(tmp_path, [batch, batch])
    np.testing.assert_array_equal(first["logits"], second["logits"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"input_ids": np.ones((1, 41), np.int32)}, "41"),
        ({"input_ids": np.full((1, 8), CONFIG["vocab_size"], np.int32)}, "is not in"),
        ({"input_ids": np.full((1, 8), -1, np.int32)}, "is not in"),
        ({"token_type_ids": np.full((1, 8), 2, np.int32)}, "is not in"),
    ],
    ids=["too long", "id too high", "id below zero", "unknown segment"],
)
def test_a_wrong_input_is_refused_and_not_answered(answer, exported, wrong, says):
    (ids,) = wrong.values()
    batch = dict.fromkeys(INPUTS, np.ones(ids.shape, np.int32))
    with pytest.raises(RuntimeError, match=says):
        answer(exported, [{**batch, **wrong}])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    fresh("SqueezeBertForSequenceClassification").export(folder, verbose=False)
    return folder


def test_a_folder_that_is_not_a_saved_model(answer, tmp_path):
    with pytest.raises(RuntimeError, match="SavedModel"):
        answer(tmp_path, [])


def test_hidden_states_are_served_where_the_config_asks_for_them(answer, tmp_path):
    model = fresh("SqueezeBertForTokenClassification", output_hidden_states=True)
    model.export(tmp_path, verbose=False)
    _, outputs, _ = answer(tmp_path, [])
    assert outputs["logits"].shape == (-1, -1, LABELS)
    assert {info.shape for key, info in outputs.items() if key != "logits"} == {(-1, -1, HIDDEN)}


def test_a_tensors_size_is_read_from_the_file():
    """The reader of the signature, on bytes that TensorFlow's protocol buffers would write."""
    size = b"\x12\x0b\x08" + b"\xff" * 9 + b"\x01"  # a dimension of -1
    info = b"\x0a\x03x:0" + b"\x10\x03" + b"\x1a\x12" + size + b"\x12\x03\x08\xac\x02"
    assert saved_model_loader._read_tensor_info(info) == TensorInfo(
        "x:0", np.dtype("int32"), (-1, 300)
    )

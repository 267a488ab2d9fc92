"""No attack by a .keras file gets through `load_pretrained`; each ends in one sentence."""

import io
import json
import re
import zipfile

import h5py
import keras
import numpy as np
import pytest

import tf_squeezebert
from tf_squeezebert.convert import CheckpointError, load_pretrained

from ..configs import random_inputs, small_config
from .keras_files import ATTACKS, archive, bytecode, effects, external_storage, function, secret_h5
from .keras_files import virtual as virtual_dataset

TASK = "SqueezeBertForSequenceClassification"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the attacks leave their traces."""
    (tmp_path / "outer" / "folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "outer" / "folder")
    return tmp_path / "outer" / "folder"


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A file of a model that was trained, and what it holds."""
    model = tf_squeezebert.SqueezeBertForSequenceClassification(
        tf_squeezebert.SqueezeBertConfig(**small_config(num_hidden_layers=1))
    )
    model.compile()
    model.fit(random_inputs(small_config(), (4, 7)), np.array([0, 1, 0, 1]), verbose=0)
    path = tmp_path_factory.mktemp("honest") / "model.keras"
    model.save(path)
    return model, path


def parts(path) -> tuple[dict, bytes]:
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("config.json")), file.read("model.weights.h5")


def test_an_honest_file_is_read(honest):
    model, path = honest
    again, info = load_pretrained(path, output_loading_info=True)
    assert type(again) is type(model)
    assert not any(info.values())
    assert not again.compiled
    assert again.config == model.config
    for mine, saved in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), saved.numpy())


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16", "float64"])
def test_a_dtype_is_kept(folder, dtype):
    config = tf_squeezebert.SqueezeBertConfig(**small_config(num_hidden_layers=1))
    model = tf_squeezebert.SqueezeBertModel(config, dtype=dtype)
    model.trainable = False
    model.save(folder / "model.keras")
    again = load_pretrained(folder / "model.keras")
    assert again.dtype_policy.name == dtype
    assert not again.trainable


def refused(path, says: str) -> None:
    floatx = keras.config.floatx()
    with pytest.raises((CheckpointError, ValueError), match=says) as raised:
        load_pretrained(path)
    message = str(raised.value)
    assert message.isprintable()
    assert len(message) < len(str(path)) + 300
    assert not effects(path.parent, None)
    assert keras.config.floatx() == floatx


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_one_sentence_and_has_no_effect(folder, name):
    says = "which is not a model of this package: keras.models.load_model|is incomplete|a link"
    refused(ATTACKS[name](folder), says)


def changed(folder, honest, change) -> None:
    """A file of the honest model's config, with what `change` makes of its classifier's kernel."""
    config, weights = parts(honest[1])
    buffer = io.BytesIO(weights)
    with h5py.File(buffer, "a") as file:
        group = file["classifier/vars"]
        del group["0"]
        change(group)
    return archive(folder / "attack.keras", config, buffer.getvalue())


def of_shape(*shape, **options):
    return lambda group: group.create_dataset("0", shape, "float32", **options)


def itself(group):
    group["0"] = np.zeros((48, 2), "float32")
    group["again"] = group.parent


ENDLESS = "a group in itself"
WEIGHTS = {
    "a link to another file": (lambda group: group.__setitem__("0", secret_h5()), "'0' is a link"),
    "a soft link": (lambda group: group.__setitem__("0", h5py.SoftLink("/vars")), "'0' is a link"),
    "external storage": (external_storage, "'0' is incomplete"),
    "a virtual dataset": (virtual_dataset, "'0' is incomplete"),
    "1.6 GB in 2 kB": (of_shape(20_000, 20_000, chunks=(1000, 1000)), "is incomplete"),
    ENDLESS: (itself, "it has over 20000 arrays or groups"),
    "another shape": (of_shape(48, 3, data=np.ones((48, 3))), "does not hold the weights that its"),
    "nothing": (lambda group: None, "does not hold the weights that its config asks for"),
    "NaN": (
        of_shape(48, 2, data=np.full((48, 2), np.nan)),
        "NaN or infinity in .*classifier",
    ),
    "infinity": (of_shape(48, 2, data=np.full((48, 2), -np.inf)), "holds NaN or infinity in"),
}


@pytest.mark.parametrize(
    "kind",
    [*(kind for kind in WEIGHTS if kind != ENDLESS), pytest.param(ENDLESS, marks=pytest.mark.slow)],
)
def test_weights_that_are_not_plain_numbers_in_the_file_are_refused(folder, honest, kind):
    change, says = WEIGHTS[kind]
    refused(changed(folder, honest, change), says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dtype": function("os", "mkdir")}, "or the dtype"),
        ({"dtype": bytecode()}, "or the dtype"),
        ({"dtype": "int8_from_float32"}, "or the dtype 'int8_from_float32', which is not one of"),
        ({"config": None}, "has no config"),
        ({"config": {"hidden_size": 10**9}}, "hidden_size must be at most"),
        ({"config": {"quantization_config": {"bits": 8}}}, "has a quantization_config of"),
    ],
)
def test_a_config_of_ours_that_asks_for_more_is_refused(folder, honest, change, says):
    config, weights = parts(honest[1])
    config["config"].update(change)
    refused(archive(folder / "attack.keras", config, weights), re.escape(says))


def test_what_else_the_file_says_is_not_looked_at(folder, honest):
    config, weights = parts(honest[1])
    config |= {
        "module": "os",
        "registered_name": "mkdir",
        "compile_config": {"optimizer": function("os", "mkdir"), "loss": bytecode()},
        "build_config": function("os", "mkdir"),
    }
    load_pretrained(archive(folder / "attack.keras", config, weights))
    assert not effects(folder, None)


@pytest.mark.parametrize("config", ["", "[]", "{", '{"a":' * 100_000, '{"class_name": []}'])
def test_a_config_that_is_none_is_refused(folder, config):
    refused(archive(folder / "attack.keras", config), "attack.keras' (is damaged|holds)")


def test_a_file_cut_anywhere_is_refused(folder, honest):
    content = honest[1].read_bytes()
    for size in range(0, len(content), len(content) // 40):
        (folder / "cut.keras").write_bytes(content[:size])
        refused(folder / "cut.keras", "is damaged, or not a .keras file")


def test_compressed_weights_are_refused(folder, honest):
    config, weights = parts(honest[1])
    with zipfile.ZipFile(folder / "a.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights)
    refused(folder / "a.keras", "has compressed weights")

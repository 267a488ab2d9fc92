"""The contenders of latency.py: our files of a SqueezeBERT, and what others run.

All of SqueezeBERT's contenders have one set of weights, all of BERT's another, random from a seed:
time does not depend on their values.
"""

from __future__ import annotations

import contextlib
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
from tf_squeezebert.files import replacing
from tf_squeezebert.tflite import Runtime, export

SQUEEZEBERT, BERT = "SqueezeBERT", "BERT-base"
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
}
Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Contender:
    """One way to run one of the two models on one thread.

    Attributes:
        tool: whose it is: "ours", "litert-torch", "ONNX Runtime" or "PyTorch".
        model: SQUEEZEBERT or BERT.
        numbers: "float32", "int8" or "int8-static".
        length: the only sequence length it takes, or None for any.
        file: what it runs; None for PyTorch.
        logits: int32 [1, S] by name to float32 [1, 2].
        answer: a text to its label, tokenization included.
    """

    tool: str
    model: str
    numbers: str
    length: int | None
    file: Path | None
    logits: Callable[[Inputs], np.ndarray]
    answer: Callable[[str], str]

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
    torch.set_num_threads(1)
    tokenizer = transformers.BertTokenizer(str(vocabulary))
    models = {kind: _model(kind, layers, len(tokenizer)) for kind in CLASSES}
    files = _PeerFiles(models, cache)
    ours = _ours(models[SQUEEZEBERT], SqueezeBertTokenizer(vocabulary), cache, sentences)
    contenders = list(ours)
    missing = missing_tools()
    for kind, model in models.items():
        if "litert-torch" not in missing:
            for numbers in ("float32", "int8"):
                path = files.litert(kind, numbers)
                logits, tokenize = _litert_logits(path), _tokenize(tokenizer, FIXED)
                contenders.append(
                    _peer("litert-torch", kind, numbers, FIXED, path, logits, tokenize)
                )
        tokenize = _tokenize(tokenizer, None)
        if "ONNX Runtime" not in missing:
            path = files.onnx(kind)
            logits = _onnx_logits(path)
            contenders.append(_peer("ONNX Runtime", kind, "float32", None, path, logits, tokenize))
        logits = _pytorch_logits(model)
        contenders.append(_peer("PyTorch", kind, "float32", None, None, logits, tokenize))
    return contenders


def _model(kind: str, layers: int, vocab_size: int) -> torch.nn.Module:
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
            runtime = Runtime(path)
            yield Contender(
                tool="ours",
                model=SQUEEZEBERT,
                numbers=numbers,
                length=length,
                file=path,
                logits=lambda inputs, run=runtime: run(inputs)["logits"],
                answer=lambda text, run=runtime: predict(run, text)["label"],
            )


def _peer(tool, kind, numbers, length, path, logits, tokenize) -> Contender:
    def answer(text: str) -> str:
        return f"LABEL_{logits(tokenize(text)).argmax()}"

    return Contender(tool, kind, numbers, length, path, logits, answer)


def _tokenize(tokenizer, length: int | None) -> Callable[[str], Inputs]:
    padding = "do_not_pad" if length is None else "max_length"
    return functools.partial(
        tokenizer,
        truncation=True,
        max_length=length or 512,
        padding=padding,
        return_tensors="np",
    )


def _litert_logits(path: Path) -> Callable[[Inputs], np.ndarray]:
    run = Interpreter(str(path), num_threads=1).get_signature_runner()

    def logits(inputs: Inputs) -> np.ndarray:
        padding = ((0, 0), (0, FIXED - inputs["input_ids"].shape[1]))
        padded = {name: np.pad(x.astype(np.int32), padding) for name, x in inputs.items()}
        (output,) = run(**padded).values()
        return output

    return logits


def _onnx_logits(path: Path) -> Callable[[Inputs], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {name: x.astype(int) for name, x in inputs.items()})[0]


def _pytorch_logits(model: torch.nn.Module) -> Callable[[Inputs], np.ndarray]:
    @torch.inference_mode()
    def logits(inputs: Inputs) -> np.ndarray:
        tensors = {name: torch.from_numpy(x.astype(int)) for name, x in inputs.items()}
        return model(**tensors).logits.numpy()

    return logits


class _Logits(torch.nn.Module):
    """A classifier that returns its logits alone, as converters want it."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).logits


class _PeerFiles:
    """Files of other tools, each made once for its weights and its tools' versions."""

    def __init__(self, models: dict[str, torch.nn.Module], cache: Path):
        self._models, self._cache = models, cache
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n")

    def litert(self, kind: str, numbers: str) -> Path:
        path = self._path(kind, f"{numbers}.tflite", MODULES["litert-torch"])
        if not path.exists():
            exact = None if numbers == "float32" else self.litert(kind, "float32")
            with _quiet(f"litert-torch: {kind} {numbers}"), replacing(path) as temporary:
                _quantize(exact, temporary) if exact else self._convert(kind, temporary)
        return path

    def onnx(self, kind: str) -> Path:
        path = self._path(kind, "onnx", ("onnx", "onnxscript"))
        if not path.exists():
            length = {1: torch.export.Dim("length", min=2, max=512)}
            inputs = _sample(torch.int64)
            with _quiet(f"ONNX: {kind}"), replacing(path) as temporary:
                torch.onnx.export(
                    _Logits(self._models[kind]),
                    kwargs=inputs,
                    f=temporary,
                    dynamo=True,
                    dynamic_shapes=dict.fromkeys(inputs, length),
                    external_data=False,
                )
        return path

    def _convert(self, kind: str, path: Path) -> None:
        import litert_torch

        module = _Logits(self._models[kind]).eval()
        litert_torch.convert(module, sample_kwargs=_sample(torch.int32)).export(str(path))

    def _path(self, kind: str, ending: str, modules: tuple[str, ...]) -> Path:
        versions = [version(name) for name in ("torch", "transformers", *modules)]
        config = self._models[kind].config
        made_of = json.dumps(
            ["noise", config.num_hidden_layers, config.vocab_size, FIXED, versions]
        )
        key = hashlib.sha256(made_of.encode()).hexdigest()[:8]
        return self._cache / f"{kind}-{config.num_hidden_layers}-{key}.{ending}"


def _quantize(source: Path, path: Path) -> None:
    from ai_edge_quantizer import quantizer, recipe

    int8 = quantizer.Quantizer(str(source))
    int8.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    path.write_bytes(int8.quantize().quantized_model)


def _sample(dtype: torch.dtype) -> dict[str, torch.Tensor]:
    ones = torch.ones(1, FIXED, dtype=dtype)
    return {"input_ids": ones, "attention_mask": ones.clone(), "token_type_ids": 0 * ones}


@contextlib.contextmanager
def _quiet(what: str) -> Iterator[None]:
    """Names what is being made, in place of all that converters print."""
    print(f"Making {what} ...", flush=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield

"""A model in an Apache Beam pipeline: `RunInference(SqueezeBertModelHandler(model))`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from .loading import place_of
from .prediction import Answering
from .tflite import Runtime

Element = str | Sequence[str]

# In characters: between these bounds, texts are batched in a stream.
_BOUNDS = (80, 160, 320, 640, 1280, 2560)


class SqueezeBertModelHandler(ModelHandler[Element, PredictionResult, Runtime]):
    """Answers texts with a .tflite file of this package.

    An element is a text, or for a task of several texts a tuple of them, as `predict` takes them:
    a pair, a question and its context, or a text and its choices. Its `PredictionResult` has the
    answer of `predict` as `inference`. Within Beam's batches, texts are sorted by length.
    With `max_batch_duration_secs`, for streams, Beam also makes its batches of texts of similar
    length. The options of `predict`, such as `top_k`, are `inference_args` of `RunInference`.

    Args:
        model: the file, in any file system that Beam knows, or the name of a model that comes
            with the package.
        workers: calls of the file that run at once in a process, each with a copy of the weights.
            Beam's threads share one model.
        **batching: the other arguments of Beam's `ModelHandler`.
    """

    def __init__(self, model: str, workers: int = 1, **batching: Any):
        if batching.get("max_batch_duration_secs") is not None:
            batching = {
                "batch_length_fn": _length,
                "batch_bucket_boundaries": list(_BOUNDS),
                **batching,
            }
        super().__init__(**batching)
        self._model, self._workers = place_of(model), workers

    def load_model(self) -> Runtime:
        if Path(self._model).is_file():
            return Runtime(self._model, workers=self._workers)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            with FileSystems.open(self._model) as source, open(path, "wb") as copy:
                shutil.copyfileobj(source, copy)
            return Runtime(path, workers=self._workers)  # which keeps the file open

    def update_model_path(self, model_path: str | None = None) -> None:
        self._model = model_path or self._model

    def run_inference(
        self,
        batch: Sequence[Element],
        model: Runtime,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """The answers for a batch.

        Raises:
            ValueError: as `predict` does.
        """
        examples = [_texts(element) for element in batch]
        answers = Answering(model, **(inference_args or {}))(examples)
        return [
            PredictionResult(element, answer, self._model)
            for element, answer in zip(batch, answers, strict=True)
        ]

    def get_num_bytes(self, batch: Sequence[Element]) -> int:
        return sum(len(text.encode()) for element in batch for text in _texts(element))

    def get_metrics_namespace(self) -> str:
        return "BeamML_SqueezeBert"


def _texts(element: Element) -> tuple[str, ...]:
    texts = tuple(element) if isinstance(element, (list, tuple)) else (element,)
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not a text: pass strings, or tuples of strings.")
    return texts


def _length(element: Element) -> int:
    return sum(map(len, _texts(element)))

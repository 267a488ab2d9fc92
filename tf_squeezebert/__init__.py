"""SqueezeBERT, and any BERT squeezed into it, with Keras and on phones.

Names resolve on first use: importing this package imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib

from .extras import explain_missing
from .version import __version__

explain_missing()

_MODULE_OF = {
    "SqueezeBertConfig": "config",
    "SqueezeBertTokenizer": "tokenizer",
    "SqueezeBertTokenizerFast": "tokenizer",
    "BatchEncoding": "encoding",
    "GroupedConv1D": "layers",
    "SqueezeBertModel": "models",
    "SqueezeBertForMaskedLM": "models",
    "SqueezeBertForSequenceClassification": "models",
    "SqueezeBertForMultipleChoice": "models",
    "SqueezeBertForTokenClassification": "models",
    "SqueezeBertForQuestionAnswering": "models",
    "predict": "prediction",
}

__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str):
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in ("convert", "data", "tflite"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "convert", "data", "tflite"})
